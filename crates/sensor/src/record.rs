//! What the kernel programs send, as bytes. The other half of these definitions is `bpf/record.h`.
//!
//! The records come from our own programs, and are read as strictly as any other input all the same: a wrong length is
//! no record.

/// Bytes of `struct header`.
pub const HEADER_BYTES: usize = 48;
/// Bytes of `struct task_body`.
pub const TASK_BYTES: usize = 152;
/// Bytes of `struct syscall_body`.
const SYSCALL_BYTES: usize = 48;
/// Bytes of `struct ends`.
const ENDS_BYTES: usize = 176;

pub mod kind {
    pub const SYSCALL: u16 = 1;
    pub const EXEC: u16 = 2;
    pub const FORK: u16 = 3;
    pub const EXIT: u16 = 4;
}

/// How an argument is read beyond its value (`enum argument_kind`).
pub mod argument {
    pub const VALUE: u8 = 0;
    pub const TEXT: u8 = 1;
    pub const BUFFER_IN: u8 = 2;
    pub const BUFFER_OUT: u8 = 3;
    pub const ADDRESS: u8 = 4;
    pub const ADDRESS_OUT: u8 = 5;
    pub const MESSAGE: u8 = 6;
    pub const HOW: u8 = 7;
    pub const PAIR: u8 = 8;
    pub const SOCKET: u8 = 9;
    pub const CAPABILITIES: u8 = 10;
    pub const WORDS: u8 = 11;
}

/// Blobs that belong to no argument (`enum blob_kind`).
pub mod blob {
    pub const RESULT_SOCKET: u8 = 32;
    pub const RESULT_INODE: u8 = 33;
    pub const FILE_NAME: u8 = 34;
    pub const EXE: u8 = 35;
    pub const CWD: u8 = 36;
    pub const ARGUMENTS: u8 = 37;
    pub const ENVIRONMENT: u8 = 38;
    pub const CGROUP: u8 = 39;
    pub const CGROUP_MEMORY: u8 = 40;
}

/// One record.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    pub kind: u16,
    /// Of the system call.
    pub number: u16,
    /// Nanoseconds since boot.
    pub time: u64,
    /// In the first pid namespace.
    pub tid: i32,
    pub pid: i32,
    pub result: i64,
    pub cpu: u16,
    /// Inode number of the cgroup v2 directory.
    pub cgroup: u64,
    body: &'a [u8],
    blobs: &'a [u8],
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk::<N>().copied()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    number(bytes, at).map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    number(bytes, at).map(u32::from_le_bytes)
}

fn i32_at(bytes: &[u8], at: usize) -> Option<i32> {
    number(bytes, at).map(i32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    number(bytes, at).map(u64::from_le_bytes)
}

impl<'a> Record<'a> {
    /// Reads a record; nothing when the bytes are none.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let length = usize::try_from(u32_at(bytes, 0)?).ok()?;
        let kind = u16_at(bytes, 4)?;
        let body_bytes = if kind == kind::SYSCALL { SYSCALL_BYTES } else { TASK_BYTES };
        let whole = bytes.get(..length)?;
        let (body, blobs) = whole.get(HEADER_BYTES..)?.split_at_checked(body_bytes)?;
        Some(Self {
            kind,
            number: u16_at(bytes, 6)?,
            time: u64_at(bytes, 8)?,
            tid: i32_at(bytes, 16)?,
            pid: i32_at(bytes, 20)?,
            result: u64_at(bytes, 24)?.cast_signed(),
            cpu: u16_at(bytes, 32)?,
            cgroup: u64_at(bytes, 40)?,
            body,
            blobs,
        })
    }

    /// An argument of a system call, as the register had it; 0 beyond the sixth.
    pub fn argument(&self, index: usize) -> u64 {
        u64_at(self.body, index.saturating_mul(8)).unwrap_or_default()
    }

    /// What was read, in order: the argument's index, the kind and the bytes.
    pub fn blobs(&self) -> impl Iterator<Item = (u8, u8, &'a [u8])> {
        let mut rest = self.blobs;
        std::iter::from_fn(move || {
            let (head, after) = rest.split_at_checked(4)?;
            let length = usize::from(u16_at(head, 2)?);
            let (bytes, after) = after.split_at_checked(length)?;
            rest = after;
            Some((*head.first()?, *head.get(1)?, bytes))
        })
    }

    /// The first blob of an argument with one of these kinds.
    pub fn of_argument(&self, index: u8, kinds: &[u8]) -> Option<&'a [u8]> {
        self.blobs()
            .find(|(argument, kind, _)| *argument == index && kinds.contains(kind))
            .map(|(_, _, bytes)| bytes)
    }

    /// The first blob of a kind.
    pub fn blob(&self, wanted: u8) -> Option<&'a [u8]> {
        self.blobs().find(|(_, kind, _)| *kind == wanted).map(|(_, _, bytes)| bytes)
    }

    /// The task of an exec, fork or exit.
    pub fn task(&self) -> Option<Task> {
        let body = self.body;
        if self.kind == kind::SYSCALL {
            return None;
        }
        let comm: [u8; 16] = number(body, 136)?;
        Some(Task {
            tid: i32_at(body, 0)?,
            pid: i32_at(body, 4)?,
            parent_pid: i32_at(body, 8)?,
            pgid: i32_at(body, 12)?,
            virtual_tid: i32_at(body, 16)?,
            virtual_pid: i32_at(body, 20)?,
            virtual_pgid: i32_at(body, 24)?,
            sid: i32_at(body, 28)?,
            uid: u32_at(body, 32)?,
            gid: u32_at(body, 36)?,
            loginuid: u32_at(body, 40)?,
            tty: u32_at(body, 44)?,
            cap_inheritable: u64_at(body, 48)?,
            cap_permitted: u64_at(body, 56)?,
            cap_effective: u64_at(body, 64)?,
            exe_inode: u64_at(body, 72)?,
            exe_device: u64_at(body, 80)?,
            exe_mtime: u64_at(body, 88)?,
            exe_ctime: u64_at(body, 96)?,
            start: u64_at(body, 104)?,
            fd_limit: u64_at(body, 112)?,
            pid_namespace: u32_at(body, 120)?,
            exe_flags: u32_at(body, 124)?,
            exit_code: i32_at(body, 128)?,
            comm,
        })
    }

    /// The ends of a socket, of the result or of an argument.
    pub fn ends(&self) -> Option<Ends<'a>> {
        let bytes = self.blob(blob::RESULT_SOCKET).or_else(|| self.blob(argument::SOCKET))?;
        Ends::parse(bytes)
    }
}

/// `struct task_body`: ids are those of the first pid namespace unless they are called virtual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    pub tid: i32,
    pub pid: i32,
    pub parent_pid: i32,
    pub pgid: i32,
    pub virtual_tid: i32,
    pub virtual_pid: i32,
    pub virtual_pgid: i32,
    pub sid: i32,
    pub uid: u32,
    pub gid: u32,
    pub loginuid: u32,
    /// Device number as `/proc/PID/stat` writes it.
    pub tty: u32,
    pub cap_inheritable: u64,
    pub cap_permitted: u64,
    pub cap_effective: u64,
    pub exe_inode: u64,
    pub exe_device: u64,
    /// Nanoseconds since 1970.
    pub exe_mtime: u64,
    pub exe_ctime: u64,
    /// Nanoseconds since boot.
    pub start: u64,
    pub fd_limit: u64,
    /// Inode number of the pid namespace.
    pub pid_namespace: u32,
    pub exe_flags: u32,
    /// As `wait` reports it.
    pub exit_code: i32,
    pub comm: [u8; 16],
}

/// Both ends of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends<'a> {
    pub family: u16,
    pub protocol: u8,
    pub kind: u8,
    pub local_port: u16,
    pub remote_port: u16,
    /// In network order; the first four bytes of an IPv4 address.
    pub local: [u8; 16],
    pub remote: [u8; 16],
    /// Addresses of unix sockets in the kernel: identities, nothing more.
    pub local_pointer: u64,
    pub remote_pointer: u64,
    /// Path of a unix socket, without a NUL.
    pub path: &'a [u8],
}

impl<'a> Ends<'a> {
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let bytes = bytes.get(..ENDS_BYTES)?;
        let path = bytes.get(64..172)?;
        let end = path.iter().position(|byte| *byte == 0).unwrap_or(path.len());
        Some(Self {
            family: u16_at(bytes, 0)?,
            protocol: *bytes.get(2)?,
            kind: *bytes.get(3)?,
            local_port: u16_at(bytes, 4)?,
            remote_port: u16_at(bytes, 6)?,
            local: number(bytes, 8)?,
            remote: number(bytes, 24)?,
            local_pointer: u64_at(bytes, 40)?,
            remote_pointer: u64_at(bytes, 48)?,
            path: path.get(..end)?,
        })
    }
}

/// Components of a path, leaf first and each ended by a NUL, as an absolute path.
pub fn path(components: &[u8]) -> Vec<u8> {
    let mut path = Vec::with_capacity(components.len() + 1);
    let names = components.split(|byte| *byte == 0).filter(|name| !name.is_empty() && *name != b"/");
    let names: Vec<&[u8]> = names.collect();
    for name in names.iter().rev() {
        path.push(b'/');
        path.extend_from_slice(name);
    }
    if path.is_empty() {
        path.push(b'/');
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_put_together_from_its_leaf() {
        assert_eq!(path(b"sh\0bin\0usr\0"), b"/usr/bin/sh");
        assert_eq!(path(b""), b"/");
        assert_eq!(path(b"/\0"), b"/");
    }

    #[test]
    fn what_is_cut_is_no_record_and_reading_never_fails() {
        let mut bytes = vec![0; HEADER_BYTES + SYSCALL_BYTES + 10];
        let length = bytes.len() as u32;
        bytes[..4].copy_from_slice(&length.to_le_bytes());
        bytes[4] = 1;
        let at = HEADER_BYTES + SYSCALL_BYTES;
        bytes[at..].copy_from_slice(&[1, 1, 6, 0, b'/', b'e', b't', b'c', b'\0', 9]);
        let record = Record::parse(&bytes).unwrap();
        assert_eq!(record.of_argument(1, &[argument::TEXT]), Some(&b"/etc\0\x09"[..]));
        for length in 0..bytes.len() {
            assert!(Record::parse(&bytes[..length]).is_none());
        }
        bytes[at + 2] = 200;
        assert_eq!(Record::parse(&bytes).unwrap().blobs().count(), 0);
    }
}
