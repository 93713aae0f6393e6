//! Walks a directory tree without ever leaving it.
//!
//! Every directory is opened from the root anew with symbolic links refused on the whole way (`openat2` with
//! `RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS`, or component by component where the kernel has no `openat2`), so a tree that
//! changes while it is walked cannot lead outside. FIFOs, sockets and devices are listed and never opened. No
//! descriptor is held for longer than one directory takes, whatever the depth.

mod filesystem;
mod glob;
mod root;
mod scan;

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
use yagura_model::{SkipReason, Skipped};

use crate::error::{Error, ErrorKind, Result};
pub use glob::Pattern;
use root::Root;
pub use scan::scan_tree;

/// Deepest directory entered, counted from the root.
const MAX_DEPTH: usize = 256;
/// Most directories waiting to be entered.
const MAX_PENDING: usize = 4_000_000;
/// Most skipped things listed one by one; more are counted together.
const MAX_SKIPPED: usize = 1_000;

/// What to look at.
#[derive(Clone, Debug)]
pub struct WalkOptions {
    /// Paths that match are passed over, directories with all they hold.
    pub exclude: Vec<Pattern>,
    /// Whether file systems of other machines are entered.
    pub network_filesystems: bool,
    /// Worker threads; each has its own visitor.
    pub threads: usize,
}

impl Default for WalkOptions {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, |count| count.get().min(4));
        Self { exclude: Vec::new(), network_filesystems: false, threads }
    }
}

impl WalkOptions {
    /// For a whole machine: what containers keep on disk belongs to their images, not to the host.
    pub fn for_host() -> Self {
        let patterns = [
            "/var/lib/docker",
            "/var/lib/containers/storage",
            "/var/lib/containerd",
            "/var/lib/rancher/k3s/agent/containerd",
            "/var/lib/kubelet/pods",
            "/run/containerd",
        ];
        let exclude = patterns.iter().map(|pattern| Pattern::builtin(pattern)).collect();
        Self { exclude, ..Self::default() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    File,
    Directory,
    Symlink,
    /// A device, FIFO or socket; never opened.
    Special,
}

/// One thing in the tree.
pub struct Entry<'a> {
    /// Raw bytes, relative to the root, without a leading `/`.
    pub path: &'a [u8],
    pub kind: EntryKind,
    /// Permission bits (`chmod(2)`), without the type.
    pub mode: u32,
    /// Bytes, of files.
    pub size: u64,
    directory: &'a OwnedFd,
    name: &'a [u8],
    identity: (u64, u64),
}

impl Entry<'_> {
    /// Opens a regular file for reading. Fails when it has vanished or become something else since it was listed.
    pub fn open(&self) -> io::Result<File> {
        if self.kind != EntryKind::File {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        // NONBLOCK, because a FIFO may have taken the file's place.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = rustix::fs::openat(self.directory, self.name, flags, Mode::empty())?;
        let status = rustix::fs::fstat(&file)?;
        if FileType::from_raw_mode(status.st_mode) != FileType::RegularFile
            || (status.st_dev, status.st_ino) != self.identity
        {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the file was replaced while it was read"));
        }
        Ok(File::from(file))
    }

    /// Where a symbolic link points, as it says.
    pub fn link_target(&self) -> io::Result<Vec<u8>> {
        Ok(rustix::fs::readlinkat(self.directory, self.name, Vec::new())?.into_bytes())
    }
}

/// Takes the entries. Each worker thread makes one of its own and keeps it to itself.
pub trait Visitor {
    /// What it has at the end.
    type Outcome: Send;

    fn visit(&mut self, entry: &Entry<'_>);

    fn finish(self) -> Self::Outcome;
}

/// What a walk leaves.
#[derive(Debug)]
pub struct Walked<O> {
    /// One a worker thread, to be joined by the caller.
    pub outcomes: Vec<O>,
    pub skipped: Vec<Skipped>,
    /// Directories entered.
    pub directories: u64,
    /// Entries handed to the visitors.
    pub entries: u64,
}

/// Walks the tree below `root`. Order is not defined. Only a root that cannot be opened is an error; everything
/// else that cannot be read is reported in [`Walked::skipped`].
pub fn walk<V: Visitor>(
    root: &Path,
    options: &WalkOptions,
    visitor: impl Fn() -> V + Sync,
) -> Result<Walked<V::Outcome>> {
    let opened = Root::open(root).map_err(|error| Error::io(root, &error.into()))?;
    let device = rustix::fs::fstat(opened.descriptor())
        .map_err(|error| Error::new(ErrorKind::Io, format!("{}: {error}", root.display())))?
        .st_dev;
    let workers = options.threads.clamp(1, 64);
    let shared = Shared {
        root: opened,
        options,
        state: Mutex::new(State {
            pending: vec![Pending { path: Vec::new(), depth: 0, device }],
            busy: 0,
            skipped: Vec::new(),
            uncounted: 0,
        }),
        changed: Condvar::new(),
    };
    let (mut directories, mut entries) = (0, 0);
    let outcomes = std::thread::scope(|scope| {
        let (shared, visitor) = (&shared, &visitor);
        let running: Vec<_> = (0..workers).map(|_| scope.spawn(move || shared.work(visitor()))).collect();
        let mut outcomes = Vec::with_capacity(running.len());
        for worker in running {
            match worker.join() {
                Ok(done) => {
                    directories += done.directories;
                    entries += done.entries;
                    outcomes.push(done.outcome);
                }
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        outcomes
    });
    let state = shared.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut skipped = state.skipped;
    skipped.sort();
    if state.uncounted > 0 {
        let mut rest =
            Skipped::new("", SkipReason::TooMany, "more paths could not be read; they are not listed");
        rest.count = state.uncounted;
        skipped.push(rest);
    }
    Ok(Walked { outcomes, skipped, directories, entries })
}

/// A directory to be entered.
struct Pending {
    path: Vec<u8>,
    depth: usize,
    /// The device of its parent, to notice mount points.
    device: u64,
}

struct State {
    pending: Vec<Pending>,
    /// Workers inside a directory: they may still add to `pending`.
    busy: usize,
    skipped: Vec<Skipped>,
    uncounted: u64,
}

struct Shared<'a> {
    root: Root,
    options: &'a WalkOptions,
    state: Mutex<State>,
    changed: Condvar,
}

/// What one worker did.
struct Done<O> {
    outcome: O,
    directories: u64,
    entries: u64,
}

/// A worker's visitor and its counts so far.
struct Worker<V> {
    visitor: V,
    directories: u64,
    entries: u64,
}

/// Leaves the count of busy workers right even when a visitor panics, so that the others end.
struct Busy<'a>(&'a Shared<'a>);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.lock().busy -= 1;
        self.0.changed.notify_all();
    }
}

impl Shared<'_> {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work<V: Visitor>(&self, visitor: V) -> Done<V::Outcome> {
        let mut worker = Worker { visitor, directories: 0, entries: 0 };
        while let Some((directory, _busy)) = self.next() {
            self.enter(&directory, &mut worker);
        }
        Done { outcome: worker.visitor.finish(), directories: worker.directories, entries: worker.entries }
    }

    fn next(&self) -> Option<(Pending, Busy<'_>)> {
        let mut state = self.lock();
        loop {
            if let Some(directory) = state.pending.pop() {
                state.busy += 1;
                return Some((directory, Busy(self)));
            }
            if state.busy == 0 {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn skip(&self, path: &[u8], reason: SkipReason, detail: impl Into<String>) {
        let mut state = self.lock();
        if state.skipped.len() < MAX_SKIPPED {
            state.skipped.push(Skipped::new(String::from_utf8_lossy(path), reason, detail));
        } else {
            state.uncounted += 1;
        }
    }

    /// Vanished things are no loss; all else is.
    fn unreadable(&self, path: &[u8], error: rustix::io::Errno) {
        use rustix::io::Errno;
        match error {
            Errno::NOENT => {}
            Errno::NAMETOOLONG => self.skip(path, SkipReason::TooDeep, "the path is longer than 4096 bytes"),
            Errno::LOOP | Errno::XDEV | Errno::NOTDIR => {
                self.skip(path, SkipReason::UnsafePath, "the directory was replaced while it was walked");
            }
            error => self.skip(path, SkipReason::Unreadable, io::Error::from(error).to_string()),
        }
    }

    fn enter<V: Visitor>(&self, pending: &Pending, worker: &mut Worker<V>) {
        let directory = match self.root.directory(&pending.path) {
            Ok(directory) => directory,
            Err(error) => return self.unreadable(&pending.path, error),
        };
        let device = match rustix::fs::fstat(&directory) {
            Ok(status) => status.st_dev,
            Err(error) => return self.unreadable(&pending.path, error),
        };
        if device != pending.device
            && let Some(passed) = filesystem::to_pass_over(&directory, &pending.path, self.options)
        {
            if let Some((reason, detail)) = passed {
                self.skip(&pending.path, reason, detail);
            }
            return;
        }
        let entries = match Dir::read_from(&directory) {
            Ok(entries) => entries,
            Err(error) => return self.unreadable(&pending.path, error),
        };
        worker.directories += 1;
        let mut subdirectories = Vec::new();
        let mut path = pending.path.clone();
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.unreadable(&pending.path, error);
                    break;
                }
            };
            let name = entry.file_name().to_bytes();
            if matches!(name, b"." | b"..") {
                continue;
            }
            path.truncate(pending.path.len());
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(name);
            if let Some(pattern) = self.options.exclude.iter().find(|pattern| pattern.matches(&path)) {
                self.excluded(&path, pattern);
                continue;
            }
            let status = match rustix::fs::statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(status) => status,
                Err(error) => {
                    self.unreadable(&path, error);
                    continue;
                }
            };
            let kind = match FileType::from_raw_mode(status.st_mode) {
                FileType::RegularFile => EntryKind::File,
                FileType::Directory => EntryKind::Directory,
                FileType::Symlink => EntryKind::Symlink,
                _ => EntryKind::Special,
            };
            worker.entries += 1;
            worker.visitor.visit(&Entry {
                path: &path,
                kind,
                mode: status.st_mode & 0o7777,
                size: u64::try_from(status.st_size).unwrap_or(0),
                directory: &directory,
                name,
                identity: (status.st_dev, status.st_ino),
            });
            if kind == EntryKind::Directory {
                if pending.depth >= MAX_DEPTH {
                    self.skip(&path, SkipReason::TooDeep, format!("deeper than {MAX_DEPTH} directories"));
                } else {
                    subdirectories.push(Pending { path: path.clone(), depth: pending.depth + 1, device });
                }
            }
        }
        self.add(subdirectories);
    }

    fn add(&self, mut subdirectories: Vec<Pending>) {
        let mut state = self.lock();
        let room = MAX_PENDING.saturating_sub(state.pending.len());
        let lost = if subdirectories.len() > room { subdirectories.split_off(room) } else { Vec::new() };
        state.pending.append(&mut subdirectories);
        drop(state);
        for directory in lost {
            self.skip(&directory.path, SkipReason::TooMany, format!("over {MAX_PENDING} directories wait"));
        }
        self.changed.notify_all();
    }

    /// What a default leaves out is worth a line; what the user left out is not.
    fn excluded(&self, path: &[u8], pattern: &Pattern) {
        if pattern.is_builtin() {
            self.skip(path, SkipReason::Unsupported, "holds what containers keep: scan their images instead");
        }
    }
}

#[cfg(test)]
mod tests;
