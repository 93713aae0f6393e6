/* What the kernel sees, sent as records.
 *
 * Four tracepoints: the end of every system call, and the exec, fork and exit of tasks. Which system calls are sent and
 * how their arguments are read is data that user space puts into `shapes`; the programs know no event and no rule.
 * Records go to two rings, so that a flood of reads cannot push out an exec. What does not fit is counted. */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "record.h"

#define RECORD_BYTES 16384 /* a power of two */
#define SLACK 8192         /* what one blob may write beyond */
#define TEXT_BYTES 4096
#define NAME_BYTES 256
#define COMPONENTS 28
#define SYSCALLS 512
#define WAKE_BYTES 65536
#define CANARY 24 /* sched_yield */

#define OVERLAYFS_MAGIC 0x794c7630
#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define TS_COMPAT 2

char LICENSE[] SEC("license") = "GPL";

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, struct settings);
} settings SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, SYSCALLS);
    __type(key, u32);
    __type(value, struct shape);
} shapes SEC(".maps");

/* Records that did not fit, by system call; the last three are exec, fork and exit. */
struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, SYSCALLS + 4);
    __type(key, u32);
    __type(value, u64);
} lost SEC(".maps");

/* A record being written. Where it stands is kept beside it and not on the stack: to the verifier it is any number
 * each time it is read, so that it need not follow every way by which it came about. */
struct scratch {
    u8 bytes[RECORD_BYTES + SLACK];
    u32 at;
    u32 blobs;
    u32 start;
};

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, struct scratch);
} scratch SEC(".maps");

/* Sizes are set by user space before loading. */
struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 8 << 20);
} critical SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 16 << 20);
} bulk SEC(".maps");

enum cgroup_subsys_id { memory_cgrp_id = 4 };

struct writer {
    struct scratch *to;
};

/* Where the next bytes go, in bounds that the verifier can see. */
static __always_inline u8 *place(struct writer *w, u32 skip) {
    u32 at = w->to->at;
    asm volatile("" : "+r"(at));
    at &= RECORD_BYTES - 1;
    return &w->to->bytes[at + skip];
}

static __always_inline bool full(struct writer *w) {
    return w->to->at >= RECORD_BYTES;
}

static __always_inline void close_blob(struct writer *w, u8 argument, u8 kind, u32 length) {
    struct blob *blob = (struct blob *)place(w, 0);
    blob->argument = argument;
    blob->kind = kind;
    blob->length = length;
    w->to->at += sizeof(struct blob) + length;
    w->to->blobs++;
}

static __always_inline void text(struct writer *w, u8 argument, u8 kind, const void *from, bool user) {
    if (full(w))
        return;
    long length = user ? bpf_probe_read_user_str(place(w, sizeof(struct blob)), TEXT_BYTES, from)
                       : bpf_probe_read_kernel_str(place(w, sizeof(struct blob)), TEXT_BYTES, from);
    if (length < 0 || length > TEXT_BYTES)
        length = 0;
    close_blob(w, argument, kind, length);
}

static __always_inline void bytes(struct writer *w, u8 argument, u8 kind, const void *from, u64 length, u32 most) {
    if (full(w))
        return;
    if (length > most)
        length = most;
    u32 size = length;
    asm volatile("" : "+r"(size));
    size &= TEXT_BYTES - 1;
    if (size && bpf_probe_read_user(place(w, sizeof(struct blob)), size, from))
        size = 0;
    close_blob(w, argument, kind, size);
}

static __always_inline struct writer begin(u32 kind, u32 number, s64 result, struct task_struct *task) {
    u32 zero = 0;
    struct writer w = {.to = bpf_map_lookup_elem(&scratch, &zero)};
    if (!w.to)
        return w;
    struct header *header = (struct header *)w.to->bytes;
    header->kind = kind;
    header->number = number;
    header->time = bpf_ktime_get_boot_ns();
    header->tid = BPF_CORE_READ(task, pid);
    header->pid = BPF_CORE_READ(task, tgid);
    header->result = result;
    header->cpu = bpf_get_smp_processor_id();
    header->reserved = 0;
    header->cgroup = bpf_get_current_cgroup_id();
    w.to->at = sizeof(struct header);
    w.to->blobs = 0;
    return w;
}

static __always_inline void send(struct writer *w, u32 slot, bool reserved) {
    u32 size = w->to->at;
    asm volatile("" : "+r"(size));
    if (size > RECORD_BYTES)
        size = RECORD_BYTES;
    struct header *header = (struct header *)w->to->bytes;
    header->length = size;
    header->blobs = w->to->blobs;
    u64 flags = BPF_RB_NO_WAKEUP;
    long failed;
    if (reserved) {
        if (bpf_ringbuf_query(&critical, BPF_RB_AVAIL_DATA) >= WAKE_BYTES)
            flags = BPF_RB_FORCE_WAKEUP;
        failed = bpf_ringbuf_output(&critical, w->to->bytes, size, flags);
    } else {
        if (bpf_ringbuf_query(&bulk, BPF_RB_AVAIL_DATA) >= WAKE_BYTES)
            flags = BPF_RB_FORCE_WAKEUP;
        failed = bpf_ringbuf_output(&bulk, w->to->bytes, size, flags);
    }
    if (failed) {
        u64 *count = bpf_map_lookup_elem(&lost, &slot);
        if (count)
            (*count)++;
    }
}

/* Our own work and what is outside the chosen cgroup is not looked at. */
static __always_inline bool passed_over(struct settings *set) {
    if (bpf_get_current_pid_tgid() >> 32 == set->own_pid)
        return true;
    return set->only_cgroup && bpf_get_current_cgroup_id() != set->cgroup;
}

static __always_inline struct file *file_of(struct task_struct *task, s64 fd) {
    struct fdtable *table = BPF_CORE_READ(task, files, fdt);
    u32 most = BPF_CORE_READ(table, max_fds);
    struct file *file = 0;
    if (fd < 0 || fd >= most)
        return 0;
    struct file **files = BPF_CORE_READ(table, fd);
    bpf_probe_read_kernel(&file, sizeof(file), files + fd);
    return file;
}

static __always_inline void socket_ends(struct writer *w, u8 argument, u8 kind, struct task_struct *task, s64 fd) {
    if (full(w))
        return;
    struct file *file = file_of(task, fd);
    if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
        return;
    struct socket *socket = BPF_CORE_READ(file, private_data);
    struct sock *sk = BPF_CORE_READ(socket, sk);
    if (!sk)
        return;
    struct ends *ends = (struct ends *)place(w, sizeof(struct blob));
    __builtin_memset(ends, 0, sizeof(*ends));
    u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
    ends->family = family;
    ends->type = BPF_CORE_READ(socket, type);
    ends->protocol = BPF_CORE_READ_BITFIELD_PROBED(sk, sk_protocol);
    ends->queue = BPF_CORE_READ(sk, sk_ack_backlog);
    ends->queue_limit = BPF_CORE_READ(sk, sk_max_ack_backlog);
    if (family == AF_INET || family == AF_INET6) {
        ends->local_port = BPF_CORE_READ(sk, __sk_common.skc_num);
        ends->remote_port = __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
        if (family == AF_INET) {
            u32 address = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr);
            __builtin_memcpy(ends->local, &address, sizeof(address));
            address = BPF_CORE_READ(sk, __sk_common.skc_daddr);
            __builtin_memcpy(ends->remote, &address, sizeof(address));
        } else {
            BPF_CORE_READ_INTO((struct in6_addr *)ends->local, sk, __sk_common.skc_v6_rcv_saddr);
            BPF_CORE_READ_INTO((struct in6_addr *)ends->remote, sk, __sk_common.skc_v6_daddr);
        }
    } else if (family == AF_UNIX) {
        struct unix_sock *unix = (struct unix_sock *)sk;
        struct sock *peer = BPF_CORE_READ(unix, peer);
        ends->local_pointer = (u64)sk;
        ends->remote_pointer = (u64)peer;
        struct unix_address *address = BPF_CORE_READ(unix, addr);
        if (!address && peer)
            address = BPF_CORE_READ((struct unix_sock *)peer, addr);
        if (address) {
            /* The name, a struct sockaddr_un, follows its length: two bytes of family before the path. */
            const void *path = (const void *)address + bpf_core_field_offset(struct unix_address, len) + sizeof(int) + 2;
            bpf_probe_read_kernel_str(ends->path, sizeof(ends->path), path);
        }
    }
    close_blob(w, argument, kind, sizeof(*ends));
}

static __always_inline void result_inode(struct writer *w, struct task_struct *task, s64 fd) {
    if (full(w))
        return;
    struct file *file = file_of(task, fd);
    if (!file)
        return;
    struct inode *inode = BPF_CORE_READ(file, f_inode);
    u64 *values = (u64 *)place(w, sizeof(struct blob));
    values[0] = BPF_CORE_READ(inode, i_sb, s_dev);
    values[1] = BPF_CORE_READ(inode, i_ino);
    values[2] = BPF_CORE_READ(inode, i_mode);
    close_blob(w, 0, BLOB_RESULT_INODE, 3 * sizeof(u64));
}

struct user_message {
    void *name;
    u32 name_length;
    u32 padding;
    void *vectors;
    u64 count;
};

struct user_vector {
    void *base;
    u64 length;
};

static __always_inline void message(struct writer *w, u8 argument, u64 pointer, u64 limit, u32 most) {
    struct user_message message = {};
    struct user_vector vector = {};
    if (bpf_probe_read_user(&message, sizeof(message), (void *)pointer))
        return;
    if (message.name)
        bytes(w, argument, ARGUMENT_ADDRESS, message.name, message.name_length, 128);
    if (message.count && !bpf_probe_read_user(&vector, sizeof(vector), message.vectors)) {
        u64 length = vector.length < limit ? vector.length : limit;
        bytes(w, argument, ARGUMENT_BUFFER_IN, vector.base, length, most);
    }
}

static __always_inline void argument(struct writer *w, struct task_struct *task, u8 index, u8 kind, u64 value,
                                     u64 next, s64 result, u32 data_bytes) {
    switch (kind) {
    case ARGUMENT_TEXT:
        text(w, index, kind, (void *)value, true);
        break;
    case ARGUMENT_BUFFER_IN:
        bytes(w, index, kind, (void *)value, next, data_bytes);
        break;
    case ARGUMENT_BUFFER_OUT:
        bytes(w, index, kind, (void *)value, result > 0 ? result : 0, data_bytes);
        break;
    case ARGUMENT_ADDRESS:
        bytes(w, index, kind, (void *)value, (u32)next, 128);
        break;
    case ARGUMENT_ADDRESS_OUT: {
        u32 length = 0;
        if (next && !bpf_probe_read_user(&length, sizeof(length), (void *)next))
            bytes(w, index, ARGUMENT_ADDRESS, (void *)value, length, 128);
        break;
    }
    case ARGUMENT_MESSAGE:
        message(w, index, value, result > 0 ? result : 0, data_bytes);
        break;
    case ARGUMENT_HOW:
    case ARGUMENT_CAPABILITIES:
        bytes(w, index, kind, (void *)value, 24, 24);
        break;
    case ARGUMENT_PAIR:
        bytes(w, index, kind, (void *)value, 8, 8);
        break;
    case ARGUMENT_WORDS:
        bytes(w, index, kind, (void *)value, 64, 64);
        break;
    case ARGUMENT_SOCKET:
        socket_ends(w, index, kind, task, (s32)value);
        break;
    }
}

SEC("tp_btf/sys_exit")
int BPF_PROG(syscall_ends, struct pt_regs *registers, long result) {
    u32 zero = 0, number = BPF_CORE_READ(registers, orig_ax);
    if (number >= SYSCALLS)
        return 0;
    struct shape *shape = bpf_map_lookup_elem(&shapes, &number);
    if (!shape || !shape->wanted)
        return 0;
    if ((shape->only_success && result < 0) || (shape->only_failure && result >= 0))
        return 0;
    struct settings *set = bpf_map_lookup_elem(&settings, &zero);
    /* Our own call of this one shows user space that records arrive. */
    if (!set || (passed_over(set) && number != CANARY))
        return 0;
    if (number == CANARY && bpf_get_current_pid_tgid() >> 32 != set->own_pid)
        return 0;
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    /* The numbers of 32-bit calls are another architecture's. */
    if (BPF_CORE_READ(task, thread_info.status) & TS_COMPAT)
        return 0;

    struct writer w = begin(RECORD_SYSCALL, number, result, task);
    if (!w.to)
        return 0;
    struct syscall_body *body = (struct syscall_body *)place(&w, 0);
    u64 values[7];
    values[0] = BPF_CORE_READ(registers, di);
    values[1] = BPF_CORE_READ(registers, si);
    values[2] = BPF_CORE_READ(registers, dx);
    values[3] = BPF_CORE_READ(registers, r10);
    values[4] = BPF_CORE_READ(registers, r8);
    values[5] = BPF_CORE_READ(registers, r9);
    values[6] = 0;
    for (int i = 0; i < 6; i++)
        body->arguments[i] = values[i];
    w.to->at += sizeof(*body);

    u32 data_bytes = set->data_bytes;
#pragma unroll
    for (int i = 0; i < 6; i++) {
        if (shape->arguments[i])
            argument(&w, task, i, shape->arguments[i], values[i], values[i + 1], result, data_bytes);
    }
    if (result >= 0) {
        if (shape->result == BLOB_RESULT_SOCKET)
            socket_ends(&w, 0, BLOB_RESULT_SOCKET, task, result);
        else if (shape->result == BLOB_RESULT_INODE)
            result_inode(&w, task, result);
    }
    send(&w, number, shape->critical);
    return 0;
}

/* A pid as its own namespace knows it. */
static __always_inline s32 virtual_number(struct pid *pid) {
    struct upid upid = {};
    if (!pid)
        return 0;
    u32 level = BPF_CORE_READ(pid, level);
    const void *numbers = (const void *)pid + bpf_core_field_offset(struct pid, numbers);
    bpf_probe_read_kernel(&upid, sizeof(upid), numbers + level * sizeof(upid));
    return upid.nr;
}

static __always_inline s32 first_number(struct pid *pid) {
    struct upid upid = {};
    if (!pid)
        return 0;
    bpf_probe_read_kernel(&upid, sizeof(upid), (const void *)pid + bpf_core_field_offset(struct pid, numbers));
    return upid.nr;
}

static __always_inline u32 pid_namespace(struct pid *pid) {
    struct upid upid = {};
    if (!pid)
        return 0;
    u32 level = BPF_CORE_READ(pid, level);
    const void *numbers = (const void *)pid + bpf_core_field_offset(struct pid, numbers);
    bpf_probe_read_kernel(&upid, sizeof(upid), numbers + level * sizeof(upid));
    return BPF_CORE_READ(upid.ns, ns.inum);
}

static __always_inline u64 modified(struct inode *inode) {
    if (bpf_core_field_exists(((struct inode___v611 *)inode)->i_mtime_sec)) {
        struct inode___v611 *new = (void *)inode;
        return BPF_CORE_READ(new, i_mtime_sec) * 1000000000ull + BPF_CORE_READ(new, i_mtime_nsec);
    }
    if (bpf_core_field_exists(((struct inode___v66 *)inode)->__i_mtime)) {
        struct inode___v66 *new = (void *)inode;
        return BPF_CORE_READ(new, __i_mtime.tv_sec) * 1000000000ull + BPF_CORE_READ(new, __i_mtime.tv_nsec);
    }
    return BPF_CORE_READ(inode, i_mtime.tv_sec) * 1000000000ull + BPF_CORE_READ(inode, i_mtime.tv_nsec);
}

static __always_inline u64 changed(struct inode *inode) {
    if (bpf_core_field_exists(((struct inode___v611 *)inode)->i_ctime_sec)) {
        struct inode___v611 *new = (void *)inode;
        return BPF_CORE_READ(new, i_ctime_sec) * 1000000000ull + BPF_CORE_READ(new, i_ctime_nsec);
    }
    if (bpf_core_field_exists(((struct inode___v66 *)inode)->__i_ctime)) {
        struct inode___v66 *new = (void *)inode;
        return BPF_CORE_READ(new, __i_ctime.tv_sec) * 1000000000ull + BPF_CORE_READ(new, __i_ctime.tv_nsec);
    }
    return BPF_CORE_READ(inode, i_ctime.tv_sec) * 1000000000ull + BPF_CORE_READ(inode, i_ctime.tv_nsec);
}

static __always_inline u32 exe_flags(struct inode *inode, struct dentry *dentry, u32 uid) {
    u32 flags = 0;
    if (BPF_CORE_READ(inode, i_sb, s_magic) == OVERLAYFS_MAGIC) {
        /* struct ovl_inode: the VFS inode, then the upper dentry, whatever module defines it. */
        void *upper = 0;
        bpf_probe_read_kernel(&upper, sizeof(upper), (void *)inode + bpf_core_type_size(struct inode));
        flags |= upper ? EXE_UPPER : EXE_LOWER;
    }
    char name[8] = {};
    bpf_probe_read_kernel(name, 6, BPF_CORE_READ(dentry, d_name.name));
    if (BPF_CORE_READ(inode, i_nlink) == 0 && name[0] == 'm' && name[1] == 'e' && name[2] == 'm' && name[3] == 'f' &&
        name[4] == 'd' && name[5] == ':')
        flags |= EXE_MEMFD;
    u16 mode = BPF_CORE_READ(inode, i_mode);
    if ((mode & 2) || (BPF_CORE_READ(inode, i_uid.val) == uid && (mode & 0200)) || uid == 0)
        flags |= EXE_WRITABLE;
    return flags;
}

/* All that is known of a task but its paths and texts. */
static __always_inline void describe(struct writer *w, struct task_struct *task, s32 exit_code) {
    struct task_body *body = (struct task_body *)place(w, 0);
    const struct cred *cred = BPF_CORE_READ(task, cred);
    struct pid *pid = BPF_CORE_READ(task, thread_pid);
    struct pid *group = BPF_CORE_READ(task, signal, pids[PIDTYPE_PGID]);
    struct file *exe = BPF_CORE_READ(task, mm, exe_file);
    struct tty_struct *tty = BPF_CORE_READ(task, signal, tty);
    struct inode *inode = BPF_CORE_READ(exe, f_inode);

    body->tid = BPF_CORE_READ(task, pid);
    body->pid = BPF_CORE_READ(task, tgid);
    body->parent_pid = BPF_CORE_READ(task, real_parent, tgid);
    body->pgid = first_number(group);
    body->virtual_tid = virtual_number(pid);
    body->virtual_pid = virtual_number(BPF_CORE_READ(task, signal, pids[PIDTYPE_TGID]));
    body->virtual_pgid = virtual_number(group);
    body->sid = first_number(BPF_CORE_READ(task, signal, pids[PIDTYPE_SID]));
    body->uid = BPF_CORE_READ(cred, euid.val);
    body->gid = BPF_CORE_READ(cred, egid.val);
    body->loginuid = BPF_CORE_READ(task, loginuid.val);
    body->tty = 0;
    if (tty) {
        u32 major = BPF_CORE_READ(tty, driver, major);
        u32 minor = BPF_CORE_READ(tty, driver, minor_start) + BPF_CORE_READ(tty, index);
        body->tty = (minor & 0xff) | (major << 8) | ((minor & ~0xffu) << 12);
    }
    bpf_core_read(&body->cap_inheritable, sizeof(u64), &cred->cap_inheritable);
    bpf_core_read(&body->cap_permitted, sizeof(u64), &cred->cap_permitted);
    bpf_core_read(&body->cap_effective, sizeof(u64), &cred->cap_effective);
    body->exe_inode = BPF_CORE_READ(inode, i_ino);
    body->exe_device = BPF_CORE_READ(inode, i_sb, s_dev);
    body->exe_mtime = modified(inode);
    body->exe_ctime = changed(inode);
    body->start = BPF_CORE_READ(task, start_boottime);
    body->fd_limit = BPF_CORE_READ(task, signal, rlim[7].rlim_cur);
    body->pid_namespace = pid_namespace(pid);
    body->exe_flags = exe ? exe_flags(inode, BPF_CORE_READ(exe, f_path.dentry), body->uid) : 0;
    body->exit_code = exit_code;
    body->nlink = BPF_CORE_READ(inode, i_nlink);
    BPF_CORE_READ_STR_INTO(&body->comm, task, comm);
    w->to->at += sizeof(*body);
}

/* Ends a blob of names that were written one after the other. */
static __always_inline void close_components(struct writer *w, u8 kind) {
    u32 length = w->to->at - w->to->start;
    w->to->at = w->to->start;
    close_blob(w, 0, kind, length);
}

/* The components of a path up to the task's root, leaf first. */
static __always_inline void path(struct writer *w, u8 kind, struct task_struct *task, struct vfsmount *mount,
                                 struct dentry *dentry) {
    if (full(w))
        return;
    struct dentry *root = BPF_CORE_READ(task, fs, root.dentry);
    struct vfsmount *root_mount = BPF_CORE_READ(task, fs, root.mnt);
    w->to->start = w->to->at;
    for (int i = 0; i < COMPONENTS; i++) {
        if (!dentry || !mount || (dentry == root && mount == root_mount))
            break;
        struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
        if (dentry == BPF_CORE_READ(mount, mnt_root) || dentry == parent) {
            struct mount *here = (void *)mount - bpf_core_field_offset(struct mount, mnt);
            struct mount *above = BPF_CORE_READ(here, mnt_parent);
            if (here == above || !above)
                break;
            dentry = BPF_CORE_READ(here, mnt_mountpoint);
            mount = (void *)above + bpf_core_field_offset(struct mount, mnt);
            continue;
        }
        long size = bpf_probe_read_kernel_str(place(w, sizeof(struct blob)), NAME_BYTES,
                                              BPF_CORE_READ(dentry, d_name.name));
        if (size <= 0 || size > NAME_BYTES)
            break;
        w->to->at += size;
        if (full(w))
            break;
        dentry = parent;
    }
    close_components(w, kind);
}

static __always_inline void cgroup(struct writer *w, u8 kind, struct cgroup *cgroup) {
    if (full(w) || !cgroup)
        return;
    struct kernfs_node *node = BPF_CORE_READ(cgroup, kn);
    w->to->start = w->to->at;
    for (int i = 0; i < 12; i++) {
        if (!node)
            break;
        long size = bpf_probe_read_kernel_str(place(w, sizeof(struct blob)), NAME_BYTES, BPF_CORE_READ(node, name));
        if (size <= 0 || size > NAME_BYTES)
            break;
        w->to->at += size;
        struct kernfs_node___v615 *newer = (void *)node;
        if (bpf_core_field_exists(newer->__parent))
            node = BPF_CORE_READ(newer, __parent);
        else
            node = BPF_CORE_READ(node, parent);
    }
    close_components(w, kind);
}

static __always_inline void place_in_cgroups(struct writer *w, struct task_struct *task) {
    cgroup(w, BLOB_CGROUP, BPF_CORE_READ(task, cgroups, dfl_cgrp));
    u32 memory = bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id);
    struct css_set *set = BPF_CORE_READ(task, cgroups);
    struct cgroup_subsys_state *state = 0;
    const void *states = (const void *)set + bpf_core_field_offset(struct css_set, subsys);
    bpf_probe_read_kernel(&state, sizeof(state), states + memory * sizeof(state));
    if (state)
        cgroup(w, BLOB_CGROUP_MEMORY, BPF_CORE_READ(state, cgroup));
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(task_execs, struct task_struct *task, int old_pid, struct linux_binprm *program) {
    u32 zero = 0;
    struct settings *set = bpf_map_lookup_elem(&settings, &zero);
    if (!set || passed_over(set))
        return 0;
    struct writer w = begin(RECORD_EXEC, 0, 0, task);
    if (!w.to)
        return 0;
    describe(&w, task, 0);
    text(&w, 0, BLOB_FILE_NAME, BPF_CORE_READ(program, filename), false);
    struct mm_struct *mm = BPF_CORE_READ(task, mm);
    u64 start = BPF_CORE_READ(mm, arg_start), end = BPF_CORE_READ(mm, arg_end);
    bytes(&w, 0, BLOB_ARGUMENTS, (void *)start, end - start, set->text_bytes);
    start = BPF_CORE_READ(mm, env_start);
    end = BPF_CORE_READ(mm, env_end);
    bytes(&w, 0, BLOB_ENVIRONMENT, (void *)start, end - start, set->text_bytes);
    struct file *exe = BPF_CORE_READ(mm, exe_file);
    path(&w, BLOB_EXE, task, BPF_CORE_READ(exe, f_path.mnt), BPF_CORE_READ(exe, f_path.dentry));
    path(&w, BLOB_CWD, task, BPF_CORE_READ(task, fs, pwd.mnt), BPF_CORE_READ(task, fs, pwd.dentry));
    place_in_cgroups(&w, task);
    send(&w, SYSCALLS, true);
    return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(task_forks, struct task_struct *parent, struct task_struct *child) {
    u32 zero = 0;
    struct settings *set = bpf_map_lookup_elem(&settings, &zero);
    /* A thread of ours is passed over, a process that we start is not. */
    if (!set || BPF_CORE_READ(child, tgid) == set->own_pid)
        return 0;
    if (set->only_cgroup && bpf_get_current_cgroup_id() != set->cgroup)
        return 0;
    struct writer w = begin(RECORD_FORK, 0, 0, parent);
    if (!w.to)
        return 0;
    describe(&w, child, 0);
    place_in_cgroups(&w, child);
    send(&w, SYSCALLS + 1, true);
    return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(task_exits, struct task_struct *task) {
    u32 zero = 0;
    struct settings *set = bpf_map_lookup_elem(&settings, &zero);
    if (!set || passed_over(set))
        return 0;
    struct writer w = begin(RECORD_EXIT, 0, 0, task);
    if (!w.to)
        return 0;
    describe(&w, task, BPF_CORE_READ(task, exit_code));
    send(&w, SYSCALLS + 2, true);
    return 0;
}
