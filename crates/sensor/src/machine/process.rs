//! One process: its threads and what it has open (proc(5)).

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use yagura_events::scap::{Descriptor, DescriptorDetail, Item, Thread};

use super::sockets::SocketTables;

/// Bytes of arguments and of the environment, as captures keep them.
const MAX_TEXT: u64 = 4096;
/// Bytes of other files of a process.
const MAX_FILE: u64 = 64 << 10;
/// Descriptors of one process that are told of.
const MAX_DESCRIPTORS: usize = 10_000;
/// The clone flag of captures for a thread, and for one in a pid namespace.
const CLONE_THREAD: u32 = 0x2000;
const CLONE_CHILD_IN_PIDNS: u32 = 0x2000_0000;
/// Ticks of a second in `/proc/PID/stat`.
const TICKS: u64 = 100;

/// What the threads of a process share.
pub struct Process {
    directory: PathBuf,
    boot: u64,
    exe: Vec<u8>,
    args: Vec<u8>,
    env: Vec<u8>,
    exe_path: Vec<u8>,
    cwd: Vec<u8>,
    root: Vec<u8>,
    cgroups: Vec<u8>,
    login_uid: u32,
    fd_limit: i64,
    exe_inode: u64,
    exe_ctime: u64,
    exe_mtime: u64,
    from_memfd: bool,
}

impl Process {
    /// Nothing when the process is gone.
    pub fn read(directory: &Path, boot: u64) -> Option<Self> {
        let arguments = bytes(&directory.join("cmdline"), MAX_TEXT)?;
        let (exe, args) = match arguments.iter().position(|byte| *byte == 0) {
            Some(end) => (arguments.get(..end)?.to_vec(), arguments.get(end + 1..)?.to_vec()),
            None => (arguments, Vec::new()),
        };
        let link = |name: &str| {
            fs::read_link(directory.join(name))
                .map(|path| path.as_os_str().as_bytes().to_vec())
                .unwrap_or_default()
        };
        let exe_path = link("exe");
        let program = fs::metadata(directory.join("exe")).ok();
        let time = |seconds: i64, nanoseconds: i64| {
            u64::try_from(seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds))
                .unwrap_or_default()
        };
        Some(Self {
            directory: directory.to_owned(),
            boot,
            from_memfd: exe_path.starts_with(b"/memfd:"),
            exe,
            args,
            env: bytes(&directory.join("environ"), MAX_TEXT).unwrap_or_default(),
            exe_path,
            cwd: link("cwd"),
            root: link("root"),
            cgroups: cgroups(&bytes(&directory.join("cgroup"), MAX_FILE).unwrap_or_default()),
            login_uid: text(&directory.join("loginuid")).trim().parse().unwrap_or(u32::MAX),
            fd_limit: open_files(&text(&directory.join("limits"))),
            exe_inode: program.as_ref().map_or(0, MetadataExt::ino),
            exe_ctime: program.as_ref().map_or(0, |file| time(file.ctime(), file.ctime_nsec())),
            exe_mtime: program.as_ref().map_or(0, |file| time(file.mtime(), file.mtime_nsec())),
        })
    }

    /// Tells of every thread; returns how many there were.
    pub fn tell(&self, pid: i64, each: &mut dyn FnMut(Item<'_>)) -> usize {
        let Ok(tasks) = fs::read_dir(self.directory.join("task")) else { return 0 };
        let mut tids: Vec<i64> =
            tasks.flatten().filter_map(|task| task.file_name().to_str()?.parse().ok()).collect();
        // The first thread before the others.
        tids.sort_by_key(|tid| (*tid != pid, *tid));
        let mut told = 0;
        for tid in tids {
            let directory = self.directory.join("task").join(tid.to_string());
            let status = text(&directory.join("status"));
            let stat = text(&directory.join("stat"));
            if status.is_empty() {
                continue;
            }
            let fields = Status(&status);
            let (virtual_tid, virtual_pid) = (fields.last("NSpid"), fields.last("NStgid"));
            let mut flags = if tid == pid { 0 } else { CLONE_THREAD };
            if virtual_tid.is_some_and(|number| number != tid) {
                flags |= CLONE_CHILD_IN_PIDNS;
            }
            let small = |key: &str| fields.first(key).and_then(|value| u32::try_from(value).ok());
            // The second of the real, effective, saved and file-system ids.
            let effective =
                |key: &str| fields.words(key).nth(1).and_then(|id| id.parse().ok()).unwrap_or_default();
            let capability = |key: &str| {
                fields
                    .words(key)
                    .next()
                    .and_then(|digits| u64::from_str_radix(digits, 16).ok())
                    .unwrap_or_default()
            };
            let ticks = stat_field(&stat, 22).and_then(|ticks| ticks.parse::<u64>().ok()).unwrap_or_default();
            each(Item::Thread(Thread {
                tid,
                pid,
                parent: fields.first("PPid").unwrap_or(-1),
                session: stat_field(&stat, 6).and_then(|id| id.parse().ok()).unwrap_or(-1),
                group: stat_field(&stat, 5).and_then(|id| id.parse().ok()).unwrap_or(-1),
                virtual_group: fields.last("NSpgid").unwrap_or(-1),
                comm: fields.words("Name").next().unwrap_or_default().as_bytes(),
                exe: &self.exe,
                exe_path: &self.exe_path,
                args: &self.args,
                cwd: &self.cwd,
                fd_limit: self.fd_limit,
                flags,
                uid: effective("Uid"),
                gid: effective("Gid"),
                vm_size_kb: small("VmSize").unwrap_or_default(),
                vm_rss_kb: small("VmRSS").unwrap_or_default(),
                vm_swap_kb: small("VmSwap").unwrap_or_default(),
                env: &self.env,
                virtual_tid: virtual_tid.unwrap_or(tid),
                virtual_pid: virtual_pid.unwrap_or(pid),
                cgroups: &self.cgroups,
                root: &self.root,
                tty: stat_field(&stat, 7).and_then(|tty| tty.parse().ok()).unwrap_or_default(),
                login_uid: self.login_uid,
                cap_inheritable: capability("CapInh"),
                cap_permitted: capability("CapPrm"),
                cap_effective: capability("CapEff"),
                exe_from_memfd: self.from_memfd,
                exe_inode: self.exe_inode,
                exe_ctime: self.exe_ctime,
                exe_mtime: self.exe_mtime,
                start_ts: self.boot.saturating_add(ticks.saturating_mul(1_000_000_000 / TICKS)),
                ..Thread::default()
            }));
            told += 1;
        }
        told
    }
}

/// Tells of what a process has open.
pub fn descriptors(directory: &Path, pid: i64, tables: &mut SocketTables, each: &mut dyn FnMut(Item<'_>)) {
    let Ok(entries) = fs::read_dir(directory.join("fd")) else { return };
    for entry in entries.flatten().take(MAX_DESCRIPTORS) {
        let Some(fd) = entry.file_name().to_str().and_then(|name| name.parse::<i64>().ok()) else { continue };
        let Ok(target) = fs::read_link(entry.path()) else { continue };
        let name = target.as_os_str().as_bytes();
        let number = |prefix: &[u8]| -> Option<u64> {
            let digits = name.strip_prefix(prefix)?.strip_suffix(b"]")?;
            std::str::from_utf8(digits).ok()?.parse().ok()
        };
        if let Some(inode) = number(b"socket:[") {
            if let Some(detail) = tables.of(directory, inode) {
                each(Item::Descriptor(pid, Descriptor { fd, inode, detail }));
            }
            continue;
        }
        // Kinds of named descriptors as captures number them: pipes 7, event descriptors 9.
        let (inode, detail) = if let Some(inode) = number(b"pipe:[") {
            (inode, DescriptorDetail::Named { kind: 7, name })
        } else if name.starts_with(b"anon_inode:") {
            (0, DescriptorDetail::Named { kind: 9, name })
        } else {
            let metadata = fs::metadata(entry.path()).ok();
            let inode = metadata.as_ref().map_or(0, MetadataExt::ino);
            let device =
                metadata.as_ref().and_then(|file| u32::try_from(file.dev()).ok()).unwrap_or_default();
            let detail = if metadata.is_some_and(|file| file.is_dir()) {
                DescriptorDetail::Directory { name }
            } else {
                DescriptorDetail::File { name, open_flags: 0, device }
            };
            (inode, detail)
        };
        each(Item::Descriptor(pid, Descriptor { fd, inode, detail }));
    }
}

/// `/proc/PID/status`: a key, a colon, values.
struct Status<'a>(&'a str);

impl<'a> Status<'a> {
    fn words(&self, key: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let line = self.0.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        line.unwrap_or_default().split_whitespace()
    }

    fn first(&self, key: &str) -> Option<i64> {
        self.words(key).next()?.parse().ok()
    }

    /// The id in the innermost namespace.
    fn last(&self, key: &str) -> Option<i64> {
        self.words(key).last()?.parse().ok()
    }
}

/// A field of `/proc/PID/stat` by its number in proc(5); the name before it may hold anything.
fn stat_field(stat: &str, number: usize) -> Option<&str> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(number.checked_sub(3)?)
}

/// `controller=path` entries from lines of `/proc/PID/cgroup`: hierarchy, controllers, path.
fn cgroups(lines: &[u8]) -> Vec<u8> {
    let mut entries = Vec::new();
    for line in lines.split(|byte| *byte == b'\n') {
        let mut parts = line.splitn(3, |byte| *byte == b':');
        let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        for controller in controllers.split(|byte| *byte == b',') {
            let controller = if controller.is_empty() { &b"unified"[..] } else { controller };
            entries.extend_from_slice(controller);
            entries.push(b'=');
            entries.extend_from_slice(path);
            entries.push(0);
        }
    }
    entries
}

fn open_files(limits: &str) -> i64 {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(-1)
}

fn bytes(path: &Path, most: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(most).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn text(path: &Path) -> String {
    bytes(path, MAX_FILE).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}
