//! Entries of the blocks before the events. A parser returns the entry and the bytes it took, or nothing if the bytes
//! are no entry.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::entries::{Descriptor, DescriptorDetail, Group, Interface, Machine, Thread, User, kind};

/// Reads little-endian fields one after the other.
struct Cursor<'a> {
    rest: &'a [u8],
    taken: usize,
}

impl<'a> Cursor<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, taken: 0 }
    }

    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        self.taken += count;
        Some(bytes)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    fn ipv4(&mut self) -> Option<Ipv4Addr> {
        self.array::<4>().map(Ipv4Addr::from)
    }

    fn ipv6(&mut self) -> Option<Ipv6Addr> {
        self.array::<16>().map(Ipv6Addr::from)
    }

    /// A text with its length in 16 bits before it.
    fn sized(&mut self) -> Option<&'a [u8]> {
        let length = self.u16()?;
        self.bytes(usize::from(length))
    }

    fn text(&mut self) -> Option<String> {
        self.sized().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// The part of an entry that states its length, bounded by it.
    fn entry(&mut self, length: usize) -> Option<Self> {
        Some(Self::new(self.bytes(length)?))
    }
}

pub(super) fn machine(bytes: &[u8]) -> Option<Machine> {
    let mut cursor = Cursor::new(bytes);
    let (cpus, memory_bytes, max_pid) = (cursor.u32()?, cursor.u64()?, cursor.u64()?);
    let hostname = crate::table::until_nul(cursor.bytes(128)?);
    let hostname = String::from_utf8_lossy(hostname).into_owned();
    let boot_ts = cursor.u64()?;
    Some(Machine { cpus, memory_bytes, max_pid, hostname, boot_ts })
}

/// Bytes at the end of a process entry before captures knew terminals and executables' inodes: what follows the root
/// is longer in later ones, which put new fields first.
const FIRST_TAIL_BYTES: usize = 29;

/// A process in layout `version`.
pub(super) fn thread(bytes: &[u8], version: u8) -> Option<(Thread<'_>, usize)> {
    let mut outer = Cursor::new(bytes);
    if version >= 9 {
        // The length does not count itself here, but does in what sysdig writes as "sub length": both begin at the
        // length, so it is taken back.
        let length = outer.u32()? as usize;
        let mut entry = outer.entry(length.checked_sub(4)?)?;
        let mut thread = thread_fields(&mut entry, version)?;
        thread_tail(&mut entry, &mut thread);
        return Some((thread, outer.taken));
    }
    let thread = thread_fields(&mut outer, version)?;
    Some((thread, outer.taken))
}

fn thread_fields<'a>(cursor: &mut Cursor<'a>, version: u8) -> Option<Thread<'a>> {
    let mut thread =
        Thread { tid: cursor.i64()?, pid: cursor.i64()?, parent: cursor.i64()?, ..Thread::default() };
    if version >= 6 {
        thread.session = cursor.i64()?;
    }
    if version >= 8 {
        thread.virtual_group = cursor.i64()?;
    }
    thread.comm = cursor.sized()?;
    thread.exe = cursor.sized()?;
    if version >= 7 {
        thread.exe_path = cursor.sized()?;
    }
    thread.args = cursor.sized()?;
    thread.cwd = cursor.sized()?;
    thread.fd_limit = cursor.i64()?;
    thread.flags = cursor.u32()?;
    thread.uid = cursor.u32()?;
    thread.gid = cursor.u32()?;
    if version >= 2 {
        thread.vm_size_kb = cursor.u32()?;
        thread.vm_rss_kb = cursor.u32()?;
        thread.vm_swap_kb = cursor.u32()?;
        thread.major_faults = cursor.u64()?;
        thread.minor_faults = cursor.u64()?;
    }
    if version >= 3 {
        thread.env = cursor.sized()?;
    }
    if version >= 4 {
        thread.virtual_tid = cursor.i64()?;
        thread.virtual_pid = cursor.i64()?;
        thread.cgroups = cursor.sized()?;
    }
    if version >= 5 {
        thread.root = cursor.sized()?;
    }
    Some(thread)
}

/// Fields that were added one by one at the end: as many as there are.
fn thread_tail(cursor: &mut Cursor<'_>, thread: &mut Thread<'_>) -> Option<()> {
    if cursor.rest.len() > FIRST_TAIL_BYTES {
        thread.pid_namespace_start = cursor.u64()?;
        thread.tty = cursor.u32()?;
    }
    thread.login_uid = cursor.u32()?;
    thread.exe_writable = cursor.u8()? != 0;
    thread.cap_inheritable = cursor.u64()?;
    thread.cap_permitted = cursor.u64()?;
    thread.cap_effective = cursor.u64()?;
    thread.exe_upper_layer = cursor.u8()? != 0;
    thread.exe_inode = cursor.u64()?;
    thread.exe_ctime = cursor.u64()?;
    thread.exe_mtime = cursor.u64()?;
    thread.exe_from_memfd = cursor.u8()? != 0;
    thread.exe_lower_layer = cursor.u8()? != 0;
    thread.group = cursor.i64()?;
    Some(())
}

/// An entry of our own block: what the layout above has no place for.
pub(super) fn thread_details(bytes: &[u8]) -> Option<(Thread<'_>, usize)> {
    let mut outer = Cursor::new(bytes);
    let length = outer.u32()? as usize;
    let mut entry = outer.entry(length)?;
    let thread = Thread {
        tid: entry.i64()?,
        pid_namespace_start: entry.u64()?,
        tty: entry.u32()?,
        exe_upper_layer: entry.u8()? != 0,
        exe_lower_layer: entry.u8()? != 0,
        exe_from_memfd: entry.u8()? != 0,
        exe_inode: entry.u64()?,
        exe_ctime: entry.u64()?,
        exe_mtime: entry.u64()?,
        group: entry.i64()?,
        start_ts: entry.u64()?,
        ..Thread::default()
    };
    Some((thread, outer.taken))
}

pub(super) fn descriptor(bytes: &[u8], sized: bool) -> Option<(Descriptor<'_>, usize)> {
    let mut outer = Cursor::new(bytes);
    if sized {
        let length = outer.u32()? as usize;
        let mut entry = outer.entry(length.checked_sub(4)?)?;
        let descriptor = descriptor_fields(&mut entry, true)?;
        return Some((descriptor, outer.taken));
    }
    let descriptor = descriptor_fields(&mut outer, false)?;
    Some((descriptor, outer.taken))
}

fn descriptor_fields<'a>(cursor: &mut Cursor<'a>, sized: bool) -> Option<Descriptor<'a>> {
    let (fd, inode, kind) = (cursor.i64()?, cursor.u64()?, cursor.u8()?);
    let detail = match kind {
        kind::UNKNOWN => DescriptorDetail::Unknown,
        kind::FILE => DescriptorDetail::File { name: cursor.sized()?, open_flags: 0, device: 0 },
        kind::FILE_V2 => DescriptorDetail::File {
            open_flags: cursor.u32()?,
            name: cursor.sized()?,
            device: if sized { cursor.u32().unwrap_or(0) } else { 0 },
        },
        kind::DIRECTORY => DescriptorDetail::Directory { name: cursor.sized()? },
        kind::IPV4 => {
            let (source, destination) = (cursor.ipv4()?, cursor.ipv4()?);
            let (source_port, destination_port) = (cursor.u16()?, cursor.u16()?);
            DescriptorDetail::Ipv4 {
                source,
                source_port,
                destination,
                destination_port,
                protocol: cursor.u8()?,
            }
        }
        kind::IPV6 => {
            let (source, destination) = (cursor.ipv6()?, cursor.ipv6()?);
            let (source_port, destination_port) = (cursor.u16()?, cursor.u16()?);
            DescriptorDetail::Ipv6 {
                source,
                source_port,
                destination,
                destination_port,
                protocol: cursor.u8()?,
            }
        }
        kind::IPV4_SERVER => DescriptorDetail::Ipv4Server {
            address: cursor.ipv4()?,
            port: cursor.u16()?,
            protocol: cursor.u8()?,
        },
        kind::IPV6_SERVER => DescriptorDetail::Ipv6Server {
            address: cursor.ipv6()?,
            port: cursor.u16()?,
            protocol: cursor.u8()?,
        },
        kind::UNIX => DescriptorDetail::Unix {
            source: cursor.u64()?,
            destination: cursor.u64()?,
            name: cursor.sized()?,
        },
        kind if kind <= kind::LAST_NAMED => DescriptorDetail::Named { kind, name: cursor.sized()? },
        // A kind of the future: its entry is passed over if its length is known.
        _ if sized => DescriptorDetail::Unknown,
        _ => return None,
    };
    Some(Descriptor { fd, inode, detail })
}

pub(super) fn interface(bytes: &[u8], sized: bool) -> Option<(Interface, usize)> {
    let mut outer = Cursor::new(bytes);
    if sized {
        let length = outer.u32()? as usize;
        let mut entry = outer.entry(length)?;
        let interface = interface_fields(&mut entry)?;
        return Some((interface, outer.taken));
    }
    let interface = interface_fields(&mut outer)?;
    Some((interface, outer.taken))
}

fn interface_fields(cursor: &mut Cursor<'_>) -> Option<Interface> {
    let (kind, length) = (cursor.u16()?, usize::from(cursor.u16()?));
    let name = |bytes: &[u8]| String::from_utf8_lossy(crate::table::until_nul(bytes)).into_owned();
    match kind {
        1 | 3 => {
            let (address, netmask, broadcast) = (cursor.ipv4()?, cursor.ipv4()?, cursor.ipv4()?);
            let link_speed = if kind == 1 { cursor.u64()? } else { 0 };
            Some(Interface::V4 { name: name(cursor.bytes(length)?), address, netmask, broadcast, link_speed })
        }
        2 | 4 => {
            let (address, netmask, broadcast) = (cursor.ipv6()?, cursor.ipv6()?, cursor.ipv6()?);
            let link_speed = if kind == 2 { cursor.u64()? } else { 0 };
            Some(Interface::V6 { name: name(cursor.bytes(length)?), address, netmask, broadcast, link_speed })
        }
        _ => None,
    }
}

/// A line of the user list.
pub(super) enum Account {
    User(User),
    Group(Group),
}

pub(super) fn account(bytes: &[u8], sized: bool) -> Option<(Account, usize)> {
    let mut outer = Cursor::new(bytes);
    if sized {
        let length = outer.u32()? as usize;
        let mut entry = outer.entry(length.checked_sub(4)?)?;
        let account = account_fields(&mut entry)?;
        return Some((account, outer.taken));
    }
    let account = account_fields(&mut outer)?;
    Some((account, outer.taken))
}

fn account_fields(cursor: &mut Cursor<'_>) -> Option<Account> {
    Some(if cursor.u8()? == 0 {
        Account::User(User {
            uid: cursor.u32()?,
            gid: cursor.u32()?,
            name: cursor.text()?,
            home: cursor.text()?,
            shell: cursor.text()?,
        })
    } else {
        Account::Group(Group { gid: cursor.u32()?, name: cursor.text()? })
    })
}
