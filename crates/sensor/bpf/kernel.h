/* The few kernel types the sensor looks into, by the names and members it needs; relocated by BTF when loaded.
 * Source: include/linux/{sched,fs,mm_types,cred,pid,nsproxy,kernfs,cgroup-defs,net}.h of Linux 5.8 to 6.18. */
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long long s64;
typedef u8 __u8;
typedef u16 __u16;
typedef u32 __u32;
typedef u64 __u64;
typedef s32 __s32;
typedef s64 __s64;
typedef u16 __be16;
typedef u32 __be32;
typedef u64 __be64;
typedef u32 __wsum;
typedef u16 __sum16;
typedef _Bool bool;
#define true 1
#define false 0

enum bpf_map_type {
    BPF_MAP_TYPE_HASH = 1,
    BPF_MAP_TYPE_ARRAY = 2,
    BPF_MAP_TYPE_PERCPU_ARRAY = 6,
    BPF_MAP_TYPE_RINGBUF = 27,
};
enum { BPF_RB_NO_WAKEUP = 1, BPF_RB_FORCE_WAKEUP = 2, BPF_RB_AVAIL_DATA = 0 };

#define CORE __attribute__((preserve_access_index))

struct pt_regs {
    unsigned long r10, r9, r8, dx, si, di, orig_ax, ax;
} CORE;

struct qstr {
    u32 len;
    const unsigned char *name;
} CORE;

struct timespec64 {
    s64 tv_sec;
    long tv_nsec;
} CORE;

struct super_block {
    u32 s_dev;
    unsigned long s_magic;
} CORE;

typedef struct { u32 val; } kuid_t;
typedef struct { u32 val; } kgid_t;

struct inode {
    u16 i_mode;
    kuid_t i_uid;
    struct super_block *i_sb;
    unsigned long i_ino;
    u32 i_nlink;
    /* until 6.6 */
    struct timespec64 i_mtime;
    struct timespec64 i_ctime;
} CORE;

struct inode___v66 { /* 6.6: i_ctime became __i_ctime; 6.7: so did i_mtime */
    struct timespec64 __i_mtime;
    struct timespec64 __i_ctime;
} CORE;

struct inode___v611 { /* 6.11 and later */
    s64 i_mtime_sec;
    s64 i_ctime_sec;
    u32 i_mtime_nsec;
    u32 i_ctime_nsec;
} CORE;

struct dentry {
    struct dentry *d_parent;
    struct qstr d_name;
    struct inode *d_inode;
} CORE;

struct vfsmount {
    struct dentry *mnt_root;
    struct super_block *mnt_sb;
} CORE;

struct mount {
    struct mount *mnt_parent;
    struct dentry *mnt_mountpoint;
    struct vfsmount mnt;
} CORE;

struct path {
    struct vfsmount *mnt;
    struct dentry *dentry;
} CORE;

struct file {
    struct path f_path;
    struct inode *f_inode;
    unsigned int f_flags;
    void *private_data;
} CORE;

struct fdtable {
    unsigned int max_fds;
    struct file **fd;
} CORE;

struct files_struct {
    struct fdtable *fdt;
} CORE;

struct fs_struct {
    struct path root;
    struct path pwd;
} CORE;

struct mm_struct {
    unsigned long arg_start, arg_end, env_start, env_end;
    struct file *exe_file;
} CORE;

typedef struct { u64 val; } kernel_cap_t;          /* since 6.3 */
struct kernel_cap_struct___old { u32 cap[2]; };    /* before: same eight bytes, low word first */

struct cred {
    kuid_t uid, suid, euid;
    kgid_t gid, sgid, egid;
    kernel_cap_t cap_inheritable, cap_permitted, cap_effective;
} CORE;

struct pid_namespace;
struct ns_common { unsigned int inum; } CORE;
struct pid_namespace {
    struct ns_common ns;
    unsigned int level;
} CORE;

struct upid {
    int nr;
    struct pid_namespace *ns;
} CORE;

struct pid {
    unsigned int level;
    struct upid numbers[1];
} CORE;

enum pid_type { PIDTYPE_PID, PIDTYPE_TGID, PIDTYPE_PGID, PIDTYPE_SID };

struct tty_driver { int major, minor_start; } CORE;
struct tty_struct { int index; struct tty_driver *driver; } CORE;

struct rlimit { unsigned long rlim_cur, rlim_max; } CORE;

struct signal_struct {
    struct pid *pids[4];
    struct tty_struct *tty;
    struct rlimit rlim[16];
} CORE;

struct kernfs_node {
    const char *name;
    u64 id;
    struct kernfs_node *parent;                    /* until 6.14 */
} CORE;
struct kernfs_node___v615 { struct kernfs_node *__parent; } CORE;

struct cgroup { struct kernfs_node *kn; } CORE;
struct cgroup_subsys_state { struct cgroup *cgroup; } CORE;
struct css_set {
    struct cgroup_subsys_state *subsys[16];
    struct cgroup *dfl_cgrp;
} CORE;

struct thread_info { unsigned long flags; u32 status; } CORE;

struct task_struct {
    struct thread_info thread_info;
    struct mm_struct *mm;
    int exit_code;
    int pid;
    int tgid;
    struct task_struct *real_parent;
    struct task_struct *group_leader;
    struct pid *thread_pid;
    u64 start_boottime;
    const struct cred *cred;
    char comm[16];
    struct fs_struct *fs;
    struct files_struct *files;
    struct signal_struct *signal;
    kuid_t loginuid;
    struct css_set *cgroups;
} CORE;

struct linux_binprm {
    struct file *file;
    const char *filename;
    const char *interp;
} CORE;

struct in6_addr { u8 bytes[16]; };

struct sock_common {
    u32 skc_daddr;
    u32 skc_rcv_saddr;
    u16 skc_dport;
    u16 skc_num;
    u16 skc_family;
    u8 skc_state;
    struct in6_addr skc_v6_daddr;
    struct in6_addr skc_v6_rcv_saddr;
} CORE;

struct sock {
    struct sock_common __sk_common;
    u16 sk_protocol;
    u32 sk_ack_backlog;
    u32 sk_max_ack_backlog;
} CORE;

struct socket {
    s16 type;
    struct sock *sk;
} CORE;

struct unix_address {
    int len;
} CORE;

struct unix_sock {
    struct sock sk;
    struct unix_address *addr;
    struct path path;
    struct sock *peer;
} CORE;
