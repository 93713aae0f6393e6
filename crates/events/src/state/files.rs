//! Descriptors are opened, duplicated and closed; working directories change.

use std::sync::Arc;

use super::State;
use super::descriptors::{Descriptor, DescriptorKind};
use super::dispatch::{Applied, OpenForm};
use super::path;
use super::threads::{Text, clone_flag};
use crate::table::RawEvent;

/// The working directory in the place of a descriptor, as captures number it.
const AT_FDCWD: i64 = -100;
/// Bits of open flags, as captures number them.
const O_DIRECTORY: u32 = 1 << 10;
const O_FD_UPPER_LAYER: u32 = 1 << 15;
const O_FD_LOWER_LAYER: u32 = 1 << 16;
const O_CREAT_TRUNCATES: u32 = (1 << 1) | (1 << 2) | (1 << 5);
/// `fcntl` commands that duplicate, as captures number them.
const F_DUPFD: u64 = 1;
const F_DUPFD_CLOEXEC: u64 = 18;

impl State {
    /// Gives a process a descriptor; the event is about it from then on.
    pub(super) fn add_descriptor(
        &mut self,
        tid: i64,
        fd: i64,
        descriptor: Arc<Descriptor>,
        applied: Option<&mut Applied>,
    ) {
        let Some(pid) = self.threads.get(&tid).map(|thread| thread.pid) else { return };
        let holder = if self.threads.contains_key(&pid) { pid } else { tid };
        if let Some(leader) = self.threads.get_mut(&holder) {
            if leader.descriptors.insert(fd, descriptor) {
                if let Some(applied) = applied {
                    applied.fd = Some(fd);
                }
            } else {
                self.budget.lost += 1;
            }
        }
        self.added();
    }

    pub(super) fn change_descriptor(&mut self, tid: i64, fd: i64) -> Option<&mut Descriptor> {
        let pid = self.threads.get(&tid)?.pid;
        let holder = if self.threads.contains_key(&pid) { pid } else { tid };
        self.threads.get_mut(&holder)?.descriptors.change(fd)
    }

    fn shared_descriptor(&self, tid: i64, fd: i64) -> Option<Arc<Descriptor>> {
        let thread = self.threads.get(&tid)?;
        self.leader(thread).unwrap_or(thread).descriptors.shared(fd)
    }

    /// The directory that a descriptor number means, with a slash at its end.
    pub(super) fn directory(&self, tid: i64, fd: i64, path: &[u8]) -> Vec<u8> {
        if path.first() == Some(&b'/') {
            return b".".to_vec();
        }
        let Some(thread) = self.threads.get(&tid) else { return b"<UNKNOWN>".to_vec() };
        let leader = self.leader(thread).unwrap_or(thread);
        if fd == AT_FDCWD {
            return leader.cwd.to_vec();
        }
        match leader.descriptors.get(fd) {
            Some(descriptor) => {
                let mut name = descriptor.name.to_vec();
                if name.last() != Some(&b'/') {
                    name.push(b'/');
                }
                name
            }
            None => b"<UNKNOWN>".to_vec(),
        }
    }

    pub(super) fn opened(&mut self, form: OpenForm, event: &RawEvent<'_>, applied: &mut Applied) {
        applied.fd = None;
        let Some(fd) = event.signed(0).filter(|fd| *fd >= 0) else { return };
        let (name, flags, device, inode) = match form {
            OpenForm::Open => (1, Some(2), 4, 5),
            OpenForm::Creat => (1, None, 3, 4),
            OpenForm::OpenAt => (2, Some(3), 5, 6),
            OpenForm::OpenAt2 => (2, Some(3), 6, 7),
            OpenForm::ByHandle => (3, Some(2), 4, 5),
        };
        let name = event.text(name).unwrap_or_default();
        let flags = match flags {
            Some(index) => event.unsigned(index).map_or(0, |flags| flags as u32),
            None => O_CREAT_TRUNCATES,
        };
        let full = match form {
            OpenForm::ByHandle => name.to_vec(),
            OpenForm::Open | OpenForm::Creat => path::join(&self.directory(event.tid, AT_FDCWD, name), name),
            OpenForm::OpenAt | OpenForm::OpenAt2 => {
                let directory = event.signed(1).unwrap_or(AT_FDCWD);
                path::join(&self.directory(event.tid, directory, name), name)
            }
        };
        let kind = if flags & O_DIRECTORY != 0 { DescriptorKind::Directory } else { DescriptorKind::File };
        let mut descriptor = Descriptor::new(kind, full.into());
        descriptor.raw_name = Some(name.into());
        descriptor.open_flags = if form == OpenForm::Creat { 0 } else { flags };
        descriptor.device = event.unsigned(device).map_or(0, |device| device as u32);
        descriptor.inode = event.unsigned(inode).unwrap_or(0);
        descriptor.upper_layer = flags & O_FD_UPPER_LAYER != 0;
        descriptor.lower_layer = flags & O_FD_LOWER_LAYER != 0;
        applied.name_changed = true;
        self.add_descriptor(event.tid, fd, Arc::new(descriptor), Some(applied));
    }

    pub(super) fn closed(&mut self, event: &RawEvent<'_>, applied: &Applied) {
        let (Some(fd), Some(0..)) = (applied.fd, event.signed(0)) else { return };
        if let Some(thread) = self.threads.get(&event.tid) {
            self.ended.descriptor = Some((thread.pid, fd));
        }
    }

    pub(super) fn closed_range(&mut self, event: &RawEvent<'_>) {
        /// The range is marked to be closed by `execve`, as captures number the flag.
        const CLOEXEC: u64 = 4;
        let (Some(first), Some(last)) = (event.unsigned(1), event.unsigned(2)) else { return };
        if event.signed(0) != Some(0) || event.unsigned(3).unwrap_or(0) & CLOEXEC != 0 {
            return;
        }
        let Some(pid) = self.threads.get(&event.tid).map(|thread| thread.pid) else { return };
        if let Some(leader) = self.threads.get_mut(&pid) {
            leader
                .descriptors
                .retain(|fd, _| u64::try_from(fd).is_ok_and(|fd| !(first..=last).contains(&fd)));
        }
    }

    pub(super) fn duplicated(&mut self, event: &RawEvent<'_>, applied: &mut Applied) {
        let Some(new) = event.signed(0).filter(|fd| *fd >= 0) else { return };
        if let Some(thread) = self.threads.get_mut(&event.tid) {
            match new {
                0 => thread.flags |= clone_flag::PIPE_DESTINATION,
                1 => thread.flags |= clone_flag::PIPE_SOURCE,
                _ => {}
            }
        }
        self.duplicate(event.tid, applied, new);
    }

    fn duplicate(&mut self, tid: i64, applied: &mut Applied, new: i64) {
        let Some(descriptor) = applied.fd.and_then(|old| self.shared_descriptor(tid, old)) else { return };
        self.add_descriptor(tid, new, descriptor, Some(applied));
    }

    pub(super) fn controlled(&mut self, event: &RawEvent<'_>, applied: &mut Applied) {
        if let (Some(new @ 0..), Some(F_DUPFD | F_DUPFD_CLOEXEC)) = (event.signed(0), event.unsigned(2)) {
            self.duplicate(event.tid, applied, new);
        }
    }

    pub(super) fn piped(&mut self, event: &RawEvent<'_>, applied: &mut Applied) {
        if event.signed(0).is_none_or(|result| result < 0) {
            return;
        }
        let mut descriptor = Descriptor::new(DescriptorKind::Fifo, (&b""[..]).into());
        descriptor.inode = event.unsigned(3).unwrap_or(0);
        let descriptor = Arc::new(descriptor);
        for index in [1, 2] {
            if let Some(fd) = event.signed(index).filter(|fd| *fd >= 0) {
                self.add_descriptor(event.tid, fd, descriptor.clone(), Some(applied));
            }
        }
    }

    pub(super) fn created(&mut self, kind: DescriptorKind, event: &RawEvent<'_>, applied: &mut Applied) {
        applied.fd = None;
        if let Some(fd) = event.signed(0).filter(|fd| *fd >= 0) {
            let descriptor = Descriptor::new(kind, (&b""[..]).into());
            self.add_descriptor(event.tid, fd, Arc::new(descriptor), Some(applied));
        }
    }

    pub(super) fn created_memory_file(&mut self, event: &RawEvent<'_>, applied: &mut Applied) {
        if let Some(fd) = event.signed(0).filter(|fd| *fd >= 0) {
            let name = event.text(1).unwrap_or_default();
            let mut descriptor = Descriptor::new(DescriptorKind::Memory, name.into());
            descriptor.open_flags = event.unsigned(2).map_or(0, |flags| flags as u32);
            self.add_descriptor(event.tid, fd, Arc::new(descriptor), Some(applied));
        }
    }

    pub(super) fn opened_process(&mut self, event: &RawEvent<'_>, applied: &mut Applied) {
        if let Some(fd) = event.signed(0).filter(|fd| *fd >= 0) {
            let name = event.signed(1).map(|pid| pid.to_string()).unwrap_or_default();
            let descriptor = Descriptor::new(DescriptorKind::Process, name.as_bytes().into());
            self.add_descriptor(event.tid, fd, Arc::new(descriptor), Some(applied));
        }
    }

    /// `pidfd_getfd`: the descriptor of another process.
    pub(super) fn took_descriptor(&mut self, event: &RawEvent<'_>, applied: &mut Applied) {
        let (Some(fd @ 0..), Some(process), Some(target)) =
            (event.signed(0), event.signed(1), event.signed(2))
        else {
            return;
        };
        let taken = self
            .shared_descriptor(event.tid, process)
            .and_then(|descriptor| std::str::from_utf8(&descriptor.name).ok()?.parse().ok())
            .and_then(|pid: i64| self.shared_descriptor(pid, target));
        if let Some(descriptor) = taken {
            self.add_descriptor(event.tid, fd, descriptor, Some(applied));
        }
    }

    fn set_directory(&mut self, tid: i64, path: &[u8]) {
        let Some(thread) = self.threads.get(&tid) else { return };
        let leader = self.leader(thread).unwrap_or(thread);
        let cwd: Text = path::join_directory(&leader.cwd, path).into();
        let tid = leader.tid;
        if let Some(leader) = self.threads.get_mut(&tid) {
            leader.cwd = cwd;
        }
    }

    pub(super) fn changed_directory(&mut self, event: &RawEvent<'_>) {
        if event.signed(0) == Some(0)
            && let Some(path) = event.text(1)
        {
            self.set_directory(event.tid, path);
        }
    }

    pub(super) fn changed_directory_to(&mut self, event: &RawEvent<'_>, applied: &Applied) {
        if event.signed(0) == Some(0)
            && let Some(descriptor) = applied.fd.and_then(|fd| self.shared_descriptor(event.tid, fd))
        {
            self.set_directory(event.tid, &descriptor.name);
        }
    }

    /// `getcwd` tells the truth about a process whose directory was not known.
    pub(super) fn told_directory(&mut self, event: &RawEvent<'_>) {
        if event.signed(0).is_some_and(|result| result >= 0)
            && let Some(path) = event.text(1).filter(|path| path.first() == Some(&b'/'))
        {
            self.set_directory(event.tid, path);
        }
    }

    pub(super) fn changed_root(&mut self, event: &RawEvent<'_>) {
        if event.signed(0) != Some(0) {
            return;
        }
        let Some(path) = event.text(1) else { return };
        let Some(thread) = self.threads.get(&event.tid) else { return };
        let leader = self.leader(thread).unwrap_or(thread);
        let root: Text = path::join(&leader.cwd, path).into();
        if let Some(thread) = self.threads.get_mut(&event.tid) {
            thread.root = root;
        }
    }
}
