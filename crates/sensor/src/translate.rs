//! Records to events.

use yagura_events::table::{EventCode, EventEncoder, EventInfo, ParameterType, RawEvent, table};

use crate::record::{self, Ends, Record, Task, argument, blob, kind};
use crate::shapes::{From, Shape, shapes};

const AF_UNIX: u16 = 1;
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;
const CLONE_THREAD: u32 = 0x2000;
const CLONE_CHILD_IN_PIDNS: u32 = 0x2000_0000;

/// Turns records into events, one at a time, in memory of its own.
pub struct Translator {
    encoder: EventEncoder,
    scratch: Vec<u8>,
    /// Nanoseconds between the boot and 1970.
    boot: u64,
    execve: Option<EventCode>,
    clone: Option<EventCode>,
    exit: Option<EventCode>,
    generic: Option<EventCode>,
}

impl Translator {
    /// `boot` is when the machine started, in nanoseconds since 1970.
    pub fn new(boot: u64) -> Self {
        let code = |key| table().code(key);
        Self {
            encoder: EventEncoder::default(),
            scratch: Vec::new(),
            boot,
            execve: code("SYSCALL_EXECVE_19_X"),
            clone: code("SYSCALL_CLONE_20_X"),
            exit: code("PROCEXIT_1_E"),
            generic: code("GENERIC_X"),
        }
    }

    /// The event of a record; nothing for a record of a kind that is not known.
    pub fn event(&mut self, record: &Record<'_>) -> Option<RawEvent<'_>> {
        match record.kind {
            kind::SYSCALL => self.syscall(record)?,
            kind::EXEC => self.exec(record, &record.task()?)?,
            kind::FORK => self.fork(record, &record.task()?)?,
            kind::EXIT => self.exit(record, &record.task()?)?,
            _ => return None,
        }
        Some(self.encoder.event())
    }

    fn start(&mut self, record: &Record<'_>, tid: i32, code: EventCode) {
        let time = self.boot.saturating_add(record.time);
        self.encoder.start(time, i64::from(tid), record.cpu, code);
    }

    fn syscall(&mut self, record: &Record<'_>) -> Option<()> {
        let Some(shape) = shapes().of(record.number) else { return self.generic(record) };
        let event = table().event(shape.event)?;
        self.start(record, record.tid, shape.event);
        for (index, from) in shape.parameters.iter().enumerate() {
            self.parameter(record, shape, event, index, *from);
        }
        // A program that was not started tells no more than its path; readers of captures count on all parameters.
        for parameter in event.parameters.iter().skip(shape.parameters.len()) {
            self.number(parameter.kind, 0);
        }
        Some(())
    }

    /// A system call that the table has no event for.
    fn generic(&mut self, record: &Record<'_>) -> Option<()> {
        let name = shapes().name(record.number)?;
        let id = table().syscall_number(name).unwrap_or_default();
        self.start(record, record.tid, self.generic?);
        self.encoder.u16(id).u16(record.number);
        Some(())
    }

    fn parameter(&mut self, record: &Record<'_>, shape: &Shape, event: &EventInfo, index: usize, from: From) {
        let kind = event.parameters.get(index).map_or(ParameterType::None, |parameter| parameter.kind);
        match from {
            From::Result => self.number(kind, record.result.cast_unsigned()),
            From::Argument(of) => {
                let raw = record.argument(usize::from(of));
                let value = match kind {
                    // Descriptors, ids and flags are ints of the caller: what else the register holds is not theirs.
                    ParameterType::Fd | ParameterType::Pid => i64::from(raw as i32).cast_unsigned(),
                    _ => shapes().translate(event, index, raw),
                };
                self.number(kind, value);
            }
            From::OpenFlags(of) => {
                let flags = open_flags(event, index, record.argument(usize::from(of)));
                self.number(kind, flags);
            }
            From::Text(of) => match record.of_argument(of, &[argument::TEXT]) {
                Some(text) if !text.is_empty() => {
                    self.encoder.text(text);
                }
                _ => {
                    self.encoder.empty();
                }
            },
            From::Data(of) => {
                let kinds = [argument::BUFFER_IN, argument::BUFFER_OUT];
                let bytes = record.of_argument(of, &kinds).unwrap_or_default();
                self.encoder.bytes(bytes);
            }
            From::Address(of) => {
                let address = record.of_argument(of, &[argument::ADDRESS]).unwrap_or_default();
                self.scratch.clear();
                socket_address(address, &mut self.scratch);
                self.encoder.bytes(&self.scratch);
            }
            From::Tuple => self.tuple(record, shape),
            From::Pair(which) => {
                let pair =
                    record.blobs().find(|(_, kind, _)| *kind == argument::PAIR).map(|(_, _, bytes)| bytes);
                let at = usize::from(which) * 4;
                let word = pair.and_then(|pair| pair.get(at..)?.first_chunk::<4>());
                match word {
                    Some(word) => self.number(kind, i64::from(i32::from_le_bytes(*word)).cast_unsigned()),
                    None => {
                        self.encoder.empty();
                    }
                }
            }
            From::Device => self.inode(record, kind, 0),
            From::Inode => self.inode(record, kind, 8),
            From::How(word) => {
                let how =
                    record.blobs().find(|(_, kind, _)| *kind == argument::HOW).map(|(_, _, bytes)| bytes);
                let value = how.and_then(|how| how.get(usize::from(word) * 8..)?.first_chunk::<8>());
                let value = value.map_or(0, |word| u64::from_le_bytes(*word));
                let value = if word == 0 {
                    open_flags(event, index, value)
                } else {
                    shapes().translate(event, index, value)
                };
                self.number(kind, value);
            }
            From::Capability(which) => {
                let bytes = record.of_argument(1, &[argument::CAPABILITIES]).unwrap_or_default();
                self.number(kind, user_capabilities(bytes, which));
            }
            From::Dynamic(of) => {
                self.scratch.clear();
                self.scratch.push(0);
                self.scratch.extend_from_slice(&record.argument(usize::from(of)).to_le_bytes());
                self.encoder.bytes(&self.scratch);
            }
            From::Zero => self.number(kind, 0),
            From::Nothing => {
                self.encoder.empty();
            }
        }
    }

    /// A number in as many bytes as its type has.
    fn number(&mut self, kind: ParameterType, value: u64) {
        let bytes = value.to_le_bytes();
        match bytes.get(..kind.width()) {
            Some(bytes) if !bytes.is_empty() => self.encoder.bytes(bytes),
            _ => self.encoder.empty(),
        };
    }

    fn inode(&mut self, record: &Record<'_>, kind: ParameterType, at: usize) {
        let value = record.blob(blob::RESULT_INODE).and_then(|blob| blob.get(at..)?.first_chunk::<8>());
        self.number(kind, value.map_or(0, |value| u64::from_le_bytes(*value)));
    }

    fn tuple(&mut self, record: &Record<'_>, shape: &Shape) {
        self.scratch.clear();
        if let Some(mut ends) = record.ends() {
            // A datagram socket that is not connected: the other end is the one this call names.
            let named =
                record.blobs().find(|(_, kind, _)| *kind == argument::ADDRESS).map(|(_, _, bytes)| bytes);
            if let Some(address) = named.filter(|_| ends.remote_port == 0 || record.result < 0) {
                ends.take_remote(address);
            }
            let accepted = shape.result == blob::RESULT_SOCKET;
            socket_tuple(&ends, accepted, &mut self.scratch);
        }
        self.encoder.bytes(&self.scratch);
    }

    fn exec(&mut self, record: &Record<'_>, task: &Task) -> Option<()> {
        self.start(record, task.tid, self.execve?);
        let arguments = record.blob(blob::ARGUMENTS).unwrap_or_default();
        let (exe, rest) = match arguments.iter().position(|byte| *byte == 0) {
            Some(end) => {
                (arguments.get(..end).unwrap_or_default(), arguments.get(end + 1..).unwrap_or_default())
            }
            None => (arguments, &[][..]),
        };
        let cwd = record::path(record.blob(blob::CWD).unwrap_or_default());
        let path = record::path(record.blob(blob::EXE).unwrap_or_default());
        let cgroups = cgroups(record);
        let encoder = &mut self.encoder;
        encoder.i64(0).text(exe).bytes(rest);
        encoder.i64(task.tid.into()).i64(task.pid.into()).i64(task.parent_pid.into());
        encoder.text(&cwd).u64(task.fd_limit);
        encoder.u64(0).u64(0).u32(0).u32(0).u32(0);
        encoder.text(&task.comm).bytes(&cgroups);
        encoder.bytes(record.blob(blob::ENVIRONMENT).unwrap_or_default());
        encoder.u32(task.tty).i64(task.virtual_pgid.into()).u32(task.loginuid);
        // Our bits and the table's: writable, upper layer, memfd, lower layer.
        let flag = |ours: u32, theirs: u32| if task.exe_flags & ours != 0 { theirs } else { 0 };
        encoder.u32(flag(8, 1) | flag(1, 2) | flag(4, 4) | flag(2, 8));
        encoder.u64(task.cap_inheritable).u64(task.cap_permitted).u64(task.cap_effective);
        encoder.u64(task.exe_inode).u64(task.exe_ctime).u64(task.exe_mtime);
        encoder.u32(task.uid).text(&path).i64(task.pgid.into()).u32(task.gid);
        encoder.text(record.blob(blob::FILE_NAME).unwrap_or_default());
        Some(())
    }

    /// The return of `clone` in the child: what it does not say is its parent's.
    fn fork(&mut self, record: &Record<'_>, task: &Task) -> Option<()> {
        self.start(record, task.tid, self.clone?);
        let cgroups = cgroups(record);
        let is_thread = task.tid != task.pid;
        let mut flags = if is_thread { CLONE_THREAD } else { 0 };
        if task.tid != task.virtual_tid {
            flags |= CLONE_CHILD_IN_PIDNS;
        }
        // The parent of a thread is its own process; `real_parent` is that of the process.
        let parent = if is_thread { task.parent_pid } else { record.pid };
        let encoder = &mut self.encoder;
        encoder.i64(0).empty().empty();
        encoder.i64(task.tid.into()).i64(task.pid.into()).i64(parent.into());
        encoder.empty().u64(task.fd_limit);
        encoder.u64(0).u64(0).u32(0).u32(0).u32(0);
        encoder.text(&task.comm).bytes(&cgroups);
        encoder.u32(flags).u32(task.uid).u32(task.gid);
        encoder.i64(task.virtual_tid.into()).i64(task.virtual_pid.into()).u64(0);
        Some(())
    }

    fn exit(&mut self, record: &Record<'_>, task: &Task) -> Option<()> {
        self.start(record, task.tid, self.exit?);
        let status = task.exit_code;
        self.encoder.i64(status.into()).i64((status >> 8 & 0xff).into());
        self.encoder.u8((status & 0x7f) as u8).u8(u8::from(status & 0x80 != 0)).i64(0);
        Some(())
    }
}

/// Flags of `open`: the access mode is the table's by its value plus one.
fn open_flags(event: &EventInfo, index: usize, raw: u64) -> u64 {
    const ACCESS_MODE: u64 = 3;
    shapes().translate(event, index, raw) | (raw & ACCESS_MODE).saturating_add(1).min(3)
}

/// `controller=path` entries, each ended by a NUL, as `/proc/PID/cgroup` has them.
fn cgroups(record: &Record<'_>) -> Vec<u8> {
    let mut entries = Vec::new();
    let memory =
        record.blob(blob::CGROUP_MEMORY).filter(|components| components.iter().any(|byte| *byte != 0));
    let unified = record.blob(blob::CGROUP);
    for (name, components) in [(&b"memory="[..], memory.or(unified)), (&b"unified="[..], unified)] {
        if let Some(components) = components {
            entries.extend_from_slice(name);
            entries.extend_from_slice(&record::path(components));
            entries.push(0);
        }
    }
    entries
}

/// Two structures of 32-bit words (effective, permitted, inheritable): which of inheritable, permitted, effective.
fn user_capabilities(bytes: &[u8], which: u8) -> u64 {
    let word = |at: usize| {
        bytes.get(at..).and_then(|rest| rest.first_chunk::<4>()).map_or(0, |word| u32::from_le_bytes(*word))
    };
    let offset = match which {
        0 => 8,
        1 => 4,
        _ => 0,
    };
    u64::from(word(offset)) | u64::from(word(offset + 12)) << 32
}

/// A socket address of the caller (`struct sockaddr`) in the form of captures: family, address, port; or family, path.
fn socket_address(address: &[u8], out: &mut Vec<u8>) {
    let Some(family) = address.first_chunk::<2>().map(|bytes| u16::from_le_bytes(*bytes)) else { return };
    match family {
        AF_INET | AF_INET6 => {
            let (from, to) = if family == AF_INET { (4, 8) } else { (8, 24) };
            let (Some(port), Some(host)) = (address.get(2..4), address.get(from..to)) else { return };
            out.push(family as u8);
            out.extend_from_slice(host);
            out.extend(port.iter().rev());
        }
        AF_UNIX => {
            out.push(family as u8);
            let path = address.get(2..).unwrap_or_default();
            let end = path.iter().position(|byte| *byte == 0).unwrap_or(path.len());
            out.extend_from_slice(path.get(..end).unwrap_or_default());
            out.push(0);
        }
        _ => out.push(family as u8),
    }
}

/// Both ends in the form of captures: family, source, destination; the one that connected is the source.
fn socket_tuple(ends: &Ends<'_>, accepted: bool, out: &mut Vec<u8>) {
    out.push(ends.family as u8);
    match ends.family {
        AF_INET | AF_INET6 => {
            let length = if ends.family == AF_INET { 4 } else { 16 };
            let local = (ends.local, ends.local_port);
            let remote = (ends.remote, ends.remote_port);
            let (source, destination) = if accepted { (remote, local) } else { (local, remote) };
            for (host, port) in [source, destination] {
                out.extend_from_slice(host.get(..length).unwrap_or_default());
                out.extend_from_slice(&port.to_le_bytes());
            }
        }
        AF_UNIX => {
            let (source, destination) = if accepted {
                (ends.remote_pointer, ends.local_pointer)
            } else {
                (ends.local_pointer, ends.remote_pointer)
            };
            out.extend_from_slice(&source.to_le_bytes());
            out.extend_from_slice(&destination.to_le_bytes());
            out.extend_from_slice(ends.path);
            out.push(0);
        }
        _ => out.clear(),
    }
}

impl Ends<'_> {
    /// The other end as a socket address of the caller names it.
    fn take_remote(&mut self, address: &[u8]) {
        let family = address.first_chunk::<2>().map(|bytes| u16::from_le_bytes(*bytes));
        let (from, to) = match family {
            Some(AF_INET) => (4, 8),
            Some(AF_INET6) => (8, 24),
            _ => return,
        };
        if family != Some(self.family) {
            return;
        }
        let (Some(port), Some(host)) =
            (address.get(2..).and_then(|rest| rest.first_chunk::<2>()), address.get(from..to))
        else {
            return;
        };
        self.remote_port = u16::from_be_bytes(*port);
        if let Some(place) = self.remote.get_mut(..host.len()) {
            place.copy_from_slice(host);
        }
    }
}
