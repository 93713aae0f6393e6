//! Open file descriptors.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use super::threads::Text;
use crate::hashing::NumberMap;

/// What a descriptor stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DescriptorKind {
    Unknown,
    File,
    Directory,
    Ipv4,
    Ipv6,
    Ipv4Server,
    Ipv6Server,
    Fifo,
    Unix,
    Event,
    Unsupported,
    Signal,
    EventPoll,
    Inotify,
    Timer,
    Netlink,
    Bpf,
    Userfault,
    IoUring,
    Memory,
    Process,
}

impl DescriptorKind {
    /// The kind of a number in captures.
    pub fn of(number: u8) -> Self {
        match number {
            1 | 16 => Self::File,
            2 => Self::Directory,
            3 => Self::Ipv4,
            4 => Self::Ipv6,
            5 => Self::Ipv4Server,
            6 => Self::Ipv6Server,
            7 => Self::Fifo,
            8 => Self::Unix,
            9 => Self::Event,
            10 => Self::Unsupported,
            11 => Self::Signal,
            12 => Self::EventPoll,
            13 => Self::Inotify,
            14 => Self::Timer,
            15 => Self::Netlink,
            17 => Self::Bpf,
            18 => Self::Userfault,
            19 => Self::IoUring,
            20 => Self::Memory,
            21 => Self::Process,
            _ => Self::Unknown,
        }
    }

    /// The number of a kind in captures.
    pub fn number(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::File => 16,
            Self::Directory => 2,
            Self::Ipv4 => 3,
            Self::Ipv6 => 4,
            Self::Ipv4Server => 5,
            Self::Ipv6Server => 6,
            Self::Fifo => 7,
            Self::Unix => 8,
            Self::Event => 9,
            Self::Unsupported => 10,
            Self::Signal => 11,
            Self::EventPoll => 12,
            Self::Inotify => 13,
            Self::Timer => 14,
            Self::Netlink => 15,
            Self::Bpf => 17,
            Self::Userfault => 18,
            Self::IoUring => 19,
            Self::Memory => 20,
            Self::Process => 21,
        }
    }

    /// `fd.typechar`.
    pub fn letter(self) -> &'static str {
        match self {
            Self::Unknown => "o",
            Self::File => "f",
            Self::Directory => "d",
            Self::Ipv4 | Self::Ipv4Server => "4",
            Self::Ipv6 | Self::Ipv6Server => "6",
            Self::Fifo => "p",
            Self::Unix => "u",
            Self::Event => "e",
            Self::Unsupported => "X",
            Self::Signal => "s",
            Self::EventPoll => "l",
            Self::Inotify => "i",
            Self::Timer => "t",
            Self::Netlink => "n",
            Self::Bpf => "b",
            Self::Userfault => "u",
            Self::IoUring => "r",
            Self::Memory => "m",
            Self::Process => "P",
        }
    }

    /// `fd.type`.
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Directory => "directory",
            Self::Ipv4 | Self::Ipv4Server => "ipv4",
            Self::Ipv6 | Self::Ipv6Server => "ipv6",
            Self::Fifo => "pipe",
            Self::Unix => "unix",
            Self::Event => "event",
            Self::Signal => "signalfd",
            Self::EventPoll => "eventpoll",
            Self::Inotify => "inotify",
            Self::Timer => "timerfd",
            Self::Netlink => "netlink",
            Self::Bpf => "bpf",
            Self::Userfault => "userfaultfd",
            Self::IoUring => "io_uring",
            Self::Memory => "memfd",
            Self::Process => "pidfd",
            Self::Unknown | Self::Unsupported => "<NA>",
        }
    }

    pub fn is_ip(self) -> bool {
        matches!(self, Self::Ipv4 | Self::Ipv6 | Self::Ipv4Server | Self::Ipv6Server)
    }

    /// A socket with two ends.
    pub fn is_connection(self) -> bool {
        matches!(self, Self::Ipv4 | Self::Ipv6)
    }
}

/// Transport protocols. Captures number them from 2; 1 stands for descriptors that have none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum L4 {
    #[default]
    Unknown,
    Tcp,
    Udp,
    Icmp,
    Raw,
}

impl L4 {
    pub fn of(number: u8) -> Self {
        match number {
            2 => Self::Tcp,
            3 => Self::Udp,
            4 => Self::Icmp,
            5 => Self::Raw,
            _ => Self::Unknown,
        }
    }

    pub fn number(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Tcp => 2,
            Self::Udp => 3,
            Self::Icmp => 4,
            Self::Raw => 5,
        }
    }

    /// `fd.l4proto`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "<NA>",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
            Self::Raw => "raw",
        }
    }
}

/// The ends of a connection: client, then server. A listening socket has only the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuple {
    pub source: IpAddr,
    pub source_port: u16,
    pub destination: IpAddr,
    pub destination_port: u16,
}

impl Default for Tuple {
    fn default() -> Self {
        let none = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        Self { source: none, source_port: 0, destination: none, destination_port: 0 }
    }
}

impl Tuple {
    /// The same connection seen from the other end.
    pub fn swapped(self) -> Self {
        Self {
            source: self.destination,
            source_port: self.destination_port,
            destination: self.source,
            destination_port: self.source_port,
        }
    }
}

/// Which end of a connection the process is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    #[default]
    None,
    Client,
    Server,
}

/// One open descriptor.
#[derive(Clone, Debug)]
pub struct Descriptor {
    pub kind: DescriptorKind,
    /// The path, the two ends, or what else names it.
    pub name: Text,
    /// The path as it was asked for, where that is known.
    pub raw_name: Option<Text>,
    /// As recorded in captures (`file_flags` of the event table).
    pub open_flags: u32,
    pub device: u32,
    pub inode: u64,
    pub tuple: Tuple,
    pub protocol: L4,
    pub role: Role,
    pub connected: bool,
    pub pending: bool,
    /// Kernel addresses of the two ends of a Unix socket.
    pub unix: (u64, u64),
    /// It was there when the process was forked.
    pub cloned: bool,
    /// Created by an event, not listed when the capture began.
    pub from_event: bool,
    /// Opened on a file in the upper, writable layer of an overlay.
    pub upper_layer: bool,
    pub lower_layer: bool,
}

impl Descriptor {
    pub fn new(kind: DescriptorKind, name: Text) -> Self {
        Self {
            kind,
            name,
            raw_name: None,
            open_flags: 0,
            device: 0,
            inode: 0,
            tuple: Tuple::default(),
            protocol: L4::Unknown,
            role: Role::None,
            connected: false,
            pending: false,
            unix: (0, 0),
            cloned: false,
            from_event: true,
            upper_layer: false,
            lower_layer: false,
        }
    }

    /// The two ends as text, or the listening end.
    pub(super) fn socket_name(&self) -> Vec<u8> {
        let Tuple { source, source_port, destination, destination_port } = self.tuple;
        match self.kind {
            DescriptorKind::Ipv4Server | DescriptorKind::Ipv6Server => {
                format!("{destination}:{destination_port}")
            }
            _ => match self.protocol {
                L4::Tcp | L4::Udp => format!("{source}:{source_port}->{destination}:{destination_port}"),
                L4::Icmp | L4::Raw => format!("{source}->{destination}"),
                L4::Unknown => "<unknown>".to_owned(),
            },
        }
        .into_bytes()
    }
}

/// The descriptors of a process. Forks share them until one of the two changes them.
#[derive(Clone, Debug, Default)]
pub struct Descriptors {
    table: Arc<NumberMap<i64, Arc<Descriptor>>>,
}

/// Bytes an entry counts beside its name.
const ENTRY_BYTES: usize = 200;
/// Most descriptors of one process that are kept.
const MAX_DESCRIPTORS: usize = 16 << 10;

impl Descriptors {
    pub fn get(&self, fd: i64) -> Option<&Descriptor> {
        self.table.get(&fd).map(Arc::as_ref)
    }

    pub(super) fn shared(&self, fd: i64) -> Option<Arc<Descriptor>> {
        self.table.get(&fd).cloned()
    }

    pub fn len(&self) -> usize {
        self.table.len()
    }

    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// By number, in order.
    pub fn iter(&self) -> impl Iterator<Item = (i64, &Descriptor)> {
        let mut all: Vec<_> = self.table.iter().map(|(fd, descriptor)| (*fd, descriptor.as_ref())).collect();
        all.sort_unstable_by_key(|(fd, _)| *fd);
        all.into_iter()
    }

    /// Says whether there was room.
    pub(super) fn insert(&mut self, fd: i64, descriptor: Arc<Descriptor>) -> bool {
        if self.table.len() >= MAX_DESCRIPTORS && !self.table.contains_key(&fd) {
            return false;
        }
        Arc::make_mut(&mut self.table).insert(fd, descriptor);
        true
    }

    pub(super) fn remove(&mut self, fd: i64) {
        if self.table.contains_key(&fd) {
            Arc::make_mut(&mut self.table).remove(&fd);
        }
    }

    pub(super) fn change(&mut self, fd: i64) -> Option<&mut Descriptor> {
        if !self.table.contains_key(&fd) {
            return None;
        }
        Arc::make_mut(&mut self.table).get_mut(&fd).map(Arc::make_mut)
    }

    pub(super) fn retain(&mut self, mut keep: impl FnMut(i64, &Descriptor) -> bool) {
        if self.table.iter().any(|(fd, descriptor)| !keep(*fd, descriptor)) {
            Arc::make_mut(&mut self.table).retain(|fd, descriptor| keep(*fd, descriptor));
        }
    }

    /// Bytes that count for the process; a table that is shared with a fork counts once for each of the two.
    pub(super) fn bytes(&self) -> usize {
        self.table.len() * ENTRY_BYTES
    }
}
