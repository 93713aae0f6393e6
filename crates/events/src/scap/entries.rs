//! What a capture says about the machine before its first event.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The machine that was captured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    pub cpus: u32,
    pub memory_bytes: u64,
    pub max_pid: u64,
    pub hostname: String,
    /// Nanoseconds since 1970; 0 if unknown.
    pub boot_ts: u64,
}

/// One thread, as it was when the capture began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thread<'a> {
    pub tid: i64,
    pub pid: i64,
    pub parent: i64,
    pub session: i64,
    pub virtual_group: i64,
    pub group: i64,
    /// The name of the command, as in `/proc/PID/comm`.
    pub comm: &'a [u8],
    /// The first argument.
    pub exe: &'a [u8],
    pub exe_path: &'a [u8],
    /// Each argument after the first, with a NUL at its end.
    pub args: &'a [u8],
    pub cwd: &'a [u8],
    pub fd_limit: i64,
    /// Clone flags as recorded in captures (`clone_flags` of the event table).
    pub flags: u32,
    pub uid: u32,
    pub gid: u32,
    pub vm_size_kb: u32,
    pub vm_rss_kb: u32,
    pub vm_swap_kb: u32,
    pub major_faults: u64,
    pub minor_faults: u64,
    /// Each `NAME=value`, with a NUL at its end.
    pub env: &'a [u8],
    pub virtual_tid: i64,
    pub virtual_pid: i64,
    /// Each `controller=path`, with a NUL at its end.
    pub cgroups: &'a [u8],
    pub root: &'a [u8],
    pub pid_namespace_start: u64,
    pub tty: u32,
    /// `u32::MAX` if there was no login.
    pub login_uid: u32,
    pub exe_writable: bool,
    pub cap_inheritable: u64,
    pub cap_permitted: u64,
    pub cap_effective: u64,
    pub exe_upper_layer: bool,
    pub exe_lower_layer: bool,
    pub exe_from_memfd: bool,
    pub exe_inode: u64,
    /// Nanoseconds since 1970.
    pub exe_ctime: u64,
    pub exe_mtime: u64,
    /// When the thread began, in nanoseconds since 1970; 0 if unknown.
    pub start_ts: u64,
}

impl Default for Thread<'_> {
    fn default() -> Self {
        Self {
            tid: 0,
            pid: 0,
            parent: 0,
            session: -1,
            virtual_group: -1,
            group: -1,
            comm: &[],
            exe: &[],
            exe_path: &[],
            args: &[],
            cwd: &[],
            fd_limit: 0,
            flags: 0,
            uid: 0,
            gid: 0,
            vm_size_kb: 0,
            vm_rss_kb: 0,
            vm_swap_kb: 0,
            major_faults: 0,
            minor_faults: 0,
            env: &[],
            virtual_tid: -1,
            virtual_pid: -1,
            cgroups: &[],
            root: &[],
            pid_namespace_start: 0,
            tty: 0,
            login_uid: u32::MAX,
            exe_writable: false,
            cap_inheritable: 0,
            cap_permitted: 0,
            cap_effective: 0,
            exe_upper_layer: false,
            exe_lower_layer: false,
            exe_from_memfd: false,
            exe_inode: 0,
            exe_ctime: 0,
            exe_mtime: 0,
            start_ts: 0,
        }
    }
}

/// One open file descriptor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor<'a> {
    pub fd: i64,
    pub inode: u64,
    pub detail: DescriptorDetail<'a>,
}

/// What a descriptor stands for. Ports are in host order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DescriptorDetail<'a> {
    Unknown,
    File {
        name: &'a [u8],
        open_flags: u32,
        device: u32,
    },
    Directory {
        name: &'a [u8],
    },
    Ipv4 {
        source: Ipv4Addr,
        source_port: u16,
        destination: Ipv4Addr,
        destination_port: u16,
        protocol: u8,
    },
    Ipv6 {
        source: Ipv6Addr,
        source_port: u16,
        destination: Ipv6Addr,
        destination_port: u16,
        protocol: u8,
    },
    Ipv4Server {
        address: Ipv4Addr,
        port: u16,
        protocol: u8,
    },
    Ipv6Server {
        address: Ipv6Addr,
        port: u16,
        protocol: u8,
    },
    Unix {
        source: u64,
        destination: u64,
        name: &'a [u8],
    },
    /// Pipes, event descriptors and other kinds that have only a name; the number is the capture's.
    Named {
        kind: u8,
        name: &'a [u8],
    },
}

/// Kinds of descriptors as captures number them.
pub(super) mod kind {
    pub const UNKNOWN: u8 = 0;
    pub const FILE: u8 = 1;
    pub const DIRECTORY: u8 = 2;
    pub const IPV4: u8 = 3;
    pub const IPV6: u8 = 4;
    pub const IPV4_SERVER: u8 = 5;
    pub const IPV6_SERVER: u8 = 6;
    pub const UNIX: u8 = 8;
    pub const FILE_V2: u8 = 16;
    /// The last kind that has only a name.
    pub const LAST_NAMED: u8 = 21;
}

/// One address of a network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interface {
    V4 { name: String, address: Ipv4Addr, netmask: Ipv4Addr, broadcast: Ipv4Addr, link_speed: u64 },
    V6 { name: String, address: Ipv6Addr, netmask: Ipv6Addr, broadcast: Ipv6Addr, link_speed: u64 },
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    pub uid: u32,
    pub gid: u32,
    pub name: String,
    pub home: String,
    pub shell: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    pub gid: u32,
    pub name: String,
}
