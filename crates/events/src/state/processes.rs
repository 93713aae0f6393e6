//! Threads come, run programs, change who they are, and go.

use std::sync::Arc;

use super::State;
use super::containers::container_id;
use super::dispatch::Applied;
use super::threads::{Program, Text, Thread, Unknown, clone_flag, environment};
use crate::table::RawEvent;

/// Parameters of `clone`, `clone3`, `fork` and `vfork`.
mod clone {
    pub const RESULT: usize = 0;
    pub const EXE: usize = 1;
    pub const ARGS: usize = 2;
    pub const PID: usize = 4;
    pub const PARENT: usize = 5;
    pub const FD_LIMIT: usize = 7;
    pub const MAJOR_FAULTS: usize = 8;
    pub const MINOR_FAULTS: usize = 9;
    pub const VM_SIZE: usize = 10;
    pub const VM_RSS: usize = 11;
    pub const VM_SWAP: usize = 12;
    pub const COMM: usize = 13;
    pub const CGROUPS: usize = 14;
    pub const FLAGS: usize = 15;
    pub const UID: usize = 16;
    pub const GID: usize = 17;
    pub const VIRTUAL_TID: usize = 18;
    pub const VIRTUAL_PID: usize = 19;
    pub const PID_NAMESPACE_START: usize = 20;
}

/// Parameters of `execve` and `execveat`, where they differ from those of `clone`.
mod execve {
    pub const ENV: usize = 15;
    pub const TTY: usize = 16;
    pub const VIRTUAL_GROUP: usize = 17;
    pub const LOGIN_UID: usize = 18;
    pub const FLAGS: usize = 19;
    pub const CAP_INHERITABLE: usize = 20;
    pub const CAP_PERMITTED: usize = 21;
    pub const CAP_EFFECTIVE: usize = 22;
    pub const INODE: usize = 23;
    pub const CTIME: usize = 24;
    pub const MTIME: usize = 25;
    pub const UID: usize = 26;
    pub const TRUSTED_PATH: usize = 27;
    pub const GROUP: usize = 28;
    pub const GID: usize = 29;
    pub const FILE_NAME: usize = 30;
    /// Bits of `FLAGS`.
    pub const WRITABLE: u64 = 1;
    pub const UPPER_LAYER: u64 = 2;
    pub const FROM_MEMFD: u64 = 4;
    pub const LOWER_LAYER: u64 = 8;
}

/// A thread whose creation was seen longer ago than this is another one of the same id when a child with that id
/// comes back from `clone`.
const STALE_CLONE_NANOSECONDS: u64 = 2_000_000_000;
/// `prctl` options.
const PR_SET_NAME: u64 = 15;

fn small(value: Option<u64>) -> Option<u32> {
    value.and_then(|value| u32::try_from(value).ok())
}

impl State {
    /// Adds a thread or replaces the one of the same id.
    pub(super) fn insert(&mut self, thread: Thread) {
        self.threads.insert(thread.tid, thread);
        self.added();
    }

    pub(super) fn remove(&mut self, tid: i64) {
        let Some(thread) = self.threads.remove(&tid) else { return };
        if !thread.is_leader()
            && let Some(leader) = self.threads.get_mut(&thread.pid)
        {
            leader.other_threads = leader.other_threads.saturating_sub(1);
        }
    }

    pub(super) fn cloned(&mut self, event: &RawEvent<'_>) {
        let Some(result) = event.signed(clone::RESULT).filter(|result| *result >= 0) else { return };
        let flags = small(event.unsigned(clone::FLAGS)).unwrap_or(0);
        let virtual_tid = event.signed(clone::VIRTUAL_TID).unwrap_or(event.tid);
        let virtual_pid = event.signed(clone::VIRTUAL_PID).unwrap_or(-1);
        let contained = flags & clone_flag::CHILD_IN_PIDNS != 0 || event.tid != virtual_tid;
        if result == 0 {
            self.cloned_in_child(event, flags, contained.then_some((virtual_tid, virtual_pid)));
        } else if !contained {
            // In a pid namespace the parent sees an id of that namespace: only the child tells which thread it is.
            let tid = event.tid;
            self.add_child(event, tid, result, flags, None);
        }
    }

    /// The return of `clone` in the new thread.
    fn cloned_in_child(&mut self, event: &RawEvent<'_>, flags: u32, virtual_ids: Option<(i64, i64)>) {
        if let Some(child) = self.threads.get(&event.tid)
            && (child.placeholder
                || child.start_ts != 0 && event.ts.saturating_sub(child.start_ts) > STALE_CLONE_NANOSECONDS)
        {
            self.remove(event.tid);
        }
        if let Some(child) = self.threads.get_mut(&event.tid) {
            // The parent came back first and told of it already.
            if let Some((virtual_tid, virtual_pid)) = virtual_ids {
                (child.virtual_tid, child.virtual_pid) = (virtual_tid, virtual_pid);
            }
            if let Some(start) = event.unsigned(clone::PID_NAMESPACE_START).filter(|start| *start != 0) {
                child.pid_namespace_start = start;
            }
            return;
        }
        let creator = if flags & clone_flag::THREAD != 0 {
            event.signed(clone::PID)
        } else {
            event.signed(clone::PARENT)
        };
        if let Some(creator) = creator {
            self.add_child(event, creator, event.tid, flags | clone_flag::INVERTED, virtual_ids);
        }
    }

    fn add_child(
        &mut self,
        event: &RawEvent<'_>,
        creator: i64,
        child_tid: i64,
        flags: u32,
        virtual_ids: Option<(i64, i64)>,
    ) {
        if !self.threads.contains_key(&creator) {
            self.insert(Thread::placeholder(creator, &Unknown::default()));
        }
        if let Some(known) = self.threads.get(&child_tid) {
            if known.flags & clone_flag::INVERTED != 0 {
                // The child came back first.
                return;
            }
            self.remove(child_tid);
        }
        let Some(parent) = self.threads.get(&creator) else { return };
        let leader = self.leader(parent).unwrap_or(parent);
        let is_thread = flags & clone_flag::THREAD != 0;
        let mut child = parent.clone();
        child.placeholder = false;
        child.tid = child_tid;
        child.parent = creator;
        child.pid = if is_thread { event.signed(clone::PID).unwrap_or(child_tid) } else { child_tid };
        child.flags = flags;
        child.other_threads = 0;
        child.latency = 0;
        child.last_enter_ts = 0;
        child.last_seen = event.ts;
        child.start_ts = event.ts;
        child.exec_ts = 0;
        if is_thread {
            child.descriptors = super::Descriptors::default();
        } else {
            child.descriptors = leader.descriptors.clone();
            child.cwd = leader.cwd.clone();
        }
        (child.virtual_tid, child.virtual_pid) = virtual_ids.unwrap_or((child.tid, child.pid));
        child.take_identity(event);
        if let Some(start) = event.unsigned(clone::PID_NAMESPACE_START).filter(|start| *start != 0) {
            child.pid_namespace_start = start;
        }
        if let (Some(uid), Some(gid)) = (small(event.unsigned(clone::UID)), small(event.unsigned(clone::GID)))
        {
            (child.uid, child.gid) = (uid, gid);
        }
        if is_thread
            && child.pid != child_tid
            && let Some(leader) = self.threads.get_mut(&child.pid)
        {
            leader.other_threads += 1;
        }
        // What was not known of the parent is what the child tells of itself.
        if let Some(parent) = self.threads.get_mut(&creator).filter(|parent| parent.placeholder) {
            parent.comm = child.comm.clone();
            parent.program = child.program.clone();
        }
        self.insert(child);
    }

    pub(super) fn executed(&mut self, event: &RawEvent<'_>, applied: &mut Applied) {
        if event.signed(0).is_none_or(|result| result < 0) {
            return;
        }
        let path = self.executed_path(event, applied);
        let Some(thread) = self.threads.get_mut(&event.tid) else { return };
        let was_placeholder = std::mem::take(&mut thread.placeholder);
        thread.take_identity(event);
        if let Some(pid) = event.signed(clone::PID) {
            thread.pid = pid;
        }
        if was_placeholder || thread.parent == -1 {
            thread.parent = event.signed(clone::PARENT).unwrap_or(-1);
            if thread.flags & clone_flag::CHILD_IN_PIDNS == 0 {
                (thread.virtual_tid, thread.virtual_pid) = (thread.tid, thread.pid);
            }
        }
        let env: Text = match event.parameter(execve::ENV).filter(|env| !env.is_empty()) {
            Some(env) => environment(env).into(),
            None => thread.program.env.clone(),
        };
        let program = &thread.program;
        thread.program = Arc::new(Program::new(program.exe.clone(), path, program.args.clone(), env));
        thread.exec_ts = event.ts;
        if let Some(tty) = small(event.unsigned(execve::TTY)) {
            thread.tty = tty;
        }
        if let Some(group) = event.signed(execve::VIRTUAL_GROUP) {
            thread.virtual_group = group;
        }
        if let Some(group) = event.signed(execve::GROUP) {
            thread.group = group;
        }
        if let Some(uid) = small(event.unsigned(execve::LOGIN_UID)) {
            thread.login_uid = uid;
        }
        if let Some(flags) = event.unsigned(execve::FLAGS) {
            thread.exe_writable = flags & execve::WRITABLE != 0;
            thread.exe_upper_layer = flags & execve::UPPER_LAYER != 0;
            thread.exe_from_memfd = flags & execve::FROM_MEMFD != 0;
            thread.exe_lower_layer = flags & execve::LOWER_LAYER != 0;
        }
        for (index, place) in [
            (execve::CAP_INHERITABLE, &mut thread.cap_inheritable),
            (execve::CAP_PERMITTED, &mut thread.cap_permitted),
            (execve::CAP_EFFECTIVE, &mut thread.cap_effective),
            (execve::INODE, &mut thread.exe_inode),
            (execve::CTIME, &mut thread.exe_ctime),
            (execve::MTIME, &mut thread.exe_mtime),
        ] {
            if let Some(value) = event.unsigned(index) {
                *place = value;
            }
        }
        if let Some(uid) = small(event.unsigned(execve::UID)).filter(|uid| *uid != u32::MAX) {
            thread.uid = uid;
        }
        if let Some(gid) = small(event.unsigned(execve::GID)).filter(|gid| *gid != u32::MAX) {
            thread.gid = gid;
        }
        thread.flags &= clone_flag::INVERTED
            | clone_flag::PIPE_SOURCE
            | clone_flag::PIPE_DESTINATION
            | clone_flag::CHILD_IN_PIDNS;
        thread.flags |= clone_flag::NAME_CHANGED;
        let (tid, pid) = (thread.tid, thread.pid);
        self.only_thread(tid, pid);
    }

    /// A program that was executed ended the other threads of its process.
    fn only_thread(&mut self, tid: i64, pid: i64) {
        if tid != pid || self.threads.get(&pid).is_none_or(|leader| leader.other_threads == 0) {
            return;
        }
        self.threads.retain(|_, thread| thread.pid != pid || thread.tid == tid);
        if let Some(leader) = self.threads.get_mut(&pid) {
            leader.other_threads = 0;
        }
    }

    /// The path of the executable: the kernel's word, or the one that was asked for, seen from where it was asked.
    fn executed_path(&self, event: &RawEvent<'_>, applied: &mut Applied) -> Text {
        let unknown = || Text::from(&b"<NA>"[..]);
        if let Some(path) = event.text(execve::TRUSTED_PATH) {
            return path.into();
        }
        let Some(thread) = self.threads.get(&event.tid) else { return unknown() };
        let leader = self.leader(thread).unwrap_or(thread);
        applied.fd = None;
        match event.text(execve::FILE_NAME) {
            Some(b"<NA>") => unknown(),
            Some(name) => super::path::join(&leader.cwd, name).into(),
            None => thread.program.exe_path.clone(),
        }
    }

    pub(super) fn exited(&mut self, event: &RawEvent<'_>) {
        let Some(thread) = self.threads.get_mut(&event.tid) else { return };
        thread.flags |= clone_flag::CLOSED;
        let (pid, is_leader) = (thread.pid, thread.is_leader());
        self.ended.thread = Some(event.tid);
        if !is_leader {
            return;
        }
        // Children go to who adopts them.
        let Some(reaper) = event.signed(4).filter(|reaper| *reaper > 0) else { return };
        for child in self.threads.values_mut().filter(|thread| thread.parent == pid) {
            child.parent = reaper;
        }
    }

    pub(super) fn set_user(&mut self, event: &RawEvent<'_>, index: usize) {
        let uid = small(event.unsigned(index)).filter(|uid| *uid != u32::MAX);
        self.on_success(event, |thread| thread.uid = uid.unwrap_or(thread.uid));
    }

    pub(super) fn set_group(&mut self, event: &RawEvent<'_>, index: usize) {
        let gid = small(event.unsigned(index)).filter(|gid| *gid != u32::MAX);
        self.on_success(event, |thread| thread.gid = gid.unwrap_or(thread.gid));
    }

    pub(super) fn set_session(&mut self, event: &RawEvent<'_>) {
        let session = event.signed(0).unwrap_or(-1);
        self.on_success(event, |thread| thread.session = session);
    }

    pub(super) fn set_capabilities(&mut self, event: &RawEvent<'_>) {
        let [inheritable, permitted, effective] = [1, 2, 3].map(|index| event.unsigned(index));
        self.on_success(event, |thread| {
            thread.cap_inheritable = inheritable.unwrap_or(thread.cap_inheritable);
            thread.cap_permitted = permitted.unwrap_or(thread.cap_permitted);
            thread.cap_effective = effective.unwrap_or(thread.cap_effective);
        });
    }

    pub(super) fn process_control(&mut self, event: &RawEvent<'_>) {
        if event.unsigned(1) != Some(PR_SET_NAME) {
            return;
        }
        let name = event.text(2).map(Text::from);
        self.on_success(event, |thread| {
            if let Some(name) = name {
                thread.comm = name;
            }
        });
    }

    pub(super) fn used_memory(&mut self, event: &RawEvent<'_>) {
        let [size, resident, swapped] = [1, 2, 3].map(|index| small(event.unsigned(index)));
        if let Some(thread) = self.threads.get_mut(&event.tid) {
            thread.vm_size_kb = size.unwrap_or(thread.vm_size_kb);
            thread.vm_rss_kb = resident.unwrap_or(thread.vm_rss_kb);
            thread.vm_swap_kb = swapped.unwrap_or(thread.vm_swap_kb);
        }
    }

    pub(super) fn switched(&mut self, event: &RawEvent<'_>) {
        let Some(thread) = self.threads.get_mut(&event.tid) else { return };
        thread.major_faults = event.unsigned(1).unwrap_or(thread.major_faults);
        thread.minor_faults = event.unsigned(2).unwrap_or(thread.minor_faults);
        let pid = thread.pid;
        if let Some(leader) = self.threads.get_mut(&pid) {
            leader.vm_size_kb = small(event.unsigned(3)).unwrap_or(leader.vm_size_kb);
            leader.vm_rss_kb = small(event.unsigned(4)).unwrap_or(leader.vm_rss_kb);
            leader.vm_swap_kb = small(event.unsigned(5)).unwrap_or(leader.vm_swap_kb);
        }
    }

    pub(super) fn limited(&mut self, event: &RawEvent<'_>) {
        /// The number of open files, as captures number limits.
        const NOFILE: u64 = 7;
        if event.unsigned(3) == Some(NOFILE)
            && let Some(limit) = event.signed(1)
        {
            self.on_success(event, |thread| thread.fd_limit = limit);
        }
    }

    pub(super) fn limited_process(&mut self, event: &RawEvent<'_>) {
        const NOFILE: u64 = 7;
        let (Some(limit), Some(pid)) = (event.signed(1).filter(|limit| *limit != -1), event.signed(5)) else {
            return;
        };
        if event.signed(0) != Some(0) || event.unsigned(6) != Some(NOFILE) {
            return;
        }
        let target = if pid == 0 { event.tid } else { pid };
        if let Some(thread) = self.threads.get_mut(&target) {
            thread.fd_limit = limit;
        }
    }

    fn on_success(&mut self, event: &RawEvent<'_>, change: impl FnOnce(&mut Thread)) {
        if event.signed(0).is_some_and(|result| result >= 0)
            && let Some(thread) = self.threads.get_mut(&event.tid)
        {
            change(thread);
        }
    }
}

/// The text again if it is the same, so that threads go on sharing it.
fn shared(known: &Text, bytes: &[u8]) -> Text {
    if **known == *bytes { known.clone() } else { bytes.into() }
}

impl Thread {
    /// What `clone` and `execve` both tell of the thread in which they end.
    fn take_identity(&mut self, event: &RawEvent<'_>) {
        let program = &self.program;
        let exe = match event.text(clone::EXE) {
            Some(exe) => shared(&program.exe, exe),
            None => program.exe.clone(),
        };
        let args = shared(&program.args, event.parameter(clone::ARGS).unwrap_or_default());
        // The first events had no name of the command.
        self.comm = match event.text(clone::COMM) {
            Some(comm) => shared(&self.comm, comm),
            None => exe.clone(),
        };
        if !Arc::ptr_eq(&exe, &program.exe) || !Arc::ptr_eq(&args, &program.args) {
            let (path, env) = (program.exe_path.clone(), program.env.clone());
            self.program = Arc::new(Program::new(exe, path, args, env));
        }
        if let Some(limit) = event.signed(clone::FD_LIMIT) {
            self.fd_limit = limit;
        }
        if let Some(swapped) = small(event.unsigned(clone::VM_SWAP)) {
            self.vm_swap_kb = swapped;
            self.vm_size_kb = small(event.unsigned(clone::VM_SIZE)).unwrap_or(0);
            self.vm_rss_kb = small(event.unsigned(clone::VM_RSS)).unwrap_or(0);
            self.major_faults = event.unsigned(clone::MAJOR_FAULTS).unwrap_or(0);
            self.minor_faults = event.unsigned(clone::MINOR_FAULTS).unwrap_or(0);
        }
        if let Some(cgroups) = event.parameter(clone::CGROUPS).filter(|cgroups| !cgroups.is_empty())
            && *self.cgroups != *cgroups
        {
            self.cgroups = cgroups.into();
            self.find_container();
        }
    }

    pub(super) fn find_container(&mut self) {
        let found = self.cgroup_paths().find_map(|(_, path)| container_id(path));
        self.container = found.map(Into::into);
    }
}
