/* What the programs send, as bytes. The user-space half of these definitions is src/record.rs; a test holds the sizes
 * and offsets of the two against each other. */
#pragma once

enum record_kind { RECORD_SYSCALL = 1, RECORD_EXEC = 2, RECORD_FORK = 3, RECORD_EXIT = 4 };

/* How an argument of a system call is read beyond its value, by argument. */
enum argument_kind {
    ARGUMENT_VALUE = 0,
    ARGUMENT_TEXT = 1,          /* a NUL-terminated text of the caller */
    ARGUMENT_BUFFER_IN = 2,     /* bytes of the caller; as many as the next argument says */
    ARGUMENT_BUFFER_OUT = 3,    /* bytes the kernel wrote; as many as the result says */
    ARGUMENT_ADDRESS = 4,       /* a socket address; as long as the next argument says */
    ARGUMENT_ADDRESS_OUT = 5,   /* the same, written by the kernel; the next argument points to its length */
    ARGUMENT_MESSAGE = 6,       /* struct msghdr: its address and the beginning of its data */
    ARGUMENT_HOW = 7,           /* struct open_how, 24 bytes */
    ARGUMENT_PAIR = 8,          /* two descriptors */
    ARGUMENT_SOCKET = 9,        /* a descriptor: addresses of both ends of its socket */
    ARGUMENT_CAPABILITIES = 10, /* struct __user_cap_data_struct[2], 24 bytes */
    ARGUMENT_WORDS = 11,        /* 64 bytes: struct clone_args, struct io_uring_params */
};

/* Blobs that belong to no argument. */
enum blob_kind {
    BLOB_RESULT_SOCKET = 32,    /* both ends of the socket whose descriptor is the result */
    BLOB_RESULT_INODE = 33,     /* u64 device, u64 inode, u32 mode of the file whose descriptor is the result */
    BLOB_FILE_NAME = 34,        /* as the caller of execve named it */
    BLOB_EXE = 35,              /* components of a path, leaf first, each ended by a NUL */
    BLOB_CWD = 36,
    BLOB_ARGUMENTS = 37,
    BLOB_ENVIRONMENT = 38,
    BLOB_CGROUP = 39,           /* components, leaf first: the default hierarchy's */
    BLOB_CGROUP_MEMORY = 40,    /* the same: the memory controller's, where it is a hierarchy of its own */
};

struct header {
    u32 length; /* of the whole record */
    u16 kind;
    u16 number; /* of the system call */
    u64 time;   /* nanoseconds since boot */
    s32 tid, pid; /* in the first namespace */
    s64 result;
    u16 cpu;
    u16 blobs;
    u32 reserved;
    u64 cgroup; /* inode number of the cgroup v2 directory */
};

struct syscall_body { u64 arguments[6]; };

/* One task: of an exec the task itself, of a fork the child. */
struct task_body {
    s32 tid, pid, parent_pid, pgid;
    s32 virtual_tid, virtual_pid, virtual_pgid, sid;
    u32 uid, gid, loginuid, tty;
    u64 cap_inheritable, cap_permitted, cap_effective;
    u64 exe_inode, exe_device;
    u64 exe_mtime, exe_ctime; /* nanoseconds since 1970 */
    u64 start;                /* nanoseconds since boot */
    u64 fd_limit;
    u32 pid_namespace;
    u32 exe_flags;
    s32 exit_code;
    u32 nlink;
    char comm[16];
};

enum exe_flags { EXE_UPPER = 1, EXE_LOWER = 2, EXE_MEMFD = 4, EXE_WRITABLE = 8 };

struct blob { u8 argument, kind; u16 length; };

/* Both ends of a socket, addresses in network order. */
struct ends {
    u16 family;
    u8 protocol, type;
    u16 local_port, remote_port; /* host order */
    u8 local[16], remote[16];
    u64 local_pointer, remote_pointer; /* unix sockets */
    u32 queue, queue_limit;
    char path[108];
};

/* What user space sets before the programs run. */
struct settings {
    u32 own_pid;
    u32 data_bytes;   /* of buffers */
    u32 text_bytes;   /* of arguments and environments */
    u32 only_cgroup;  /* not 0: only tasks of the cgroup below */
    u64 cgroup;
};

struct shape {
    u8 wanted;
    u8 critical;      /* goes to the reserved ring */
    u8 arguments[6];
    u8 result;        /* a blob kind for the result, or 0 */
    u8 only_success;
    u8 only_failure;
    u8 reserved[5];
};
