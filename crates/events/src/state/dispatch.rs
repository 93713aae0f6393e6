//! What each event does to the state, and what of the state an event is about.

use super::State;
use super::threads::{Thread, Unknown};
use crate::table::{EventFlags, EventInfo, RawEvent, Table};

/// Where in a call an event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The start of a system call.
    Enter,
    /// Everything else: its end, and events that are no calls.
    Exit,
}

/// What an event was found to be about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// The descriptor that the event uses or made; the state has it until the next event.
    pub fd: Option<i64>,
    /// Nanoseconds that the thread's latest call took; 0 at its start or where that was not seen.
    pub latency: u64,
    /// The name of the descriptor became another one.
    pub name_changed: bool,
    /// The event was recorded with everything that it tells today, not put together from the start and the end of a
    /// call.
    pub complete: bool,
    /// The event tells something about the capture, or changes nothing that has a thread.
    pub threadless: bool,
}

/// How to treat the events of one code.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    action: Action,
    /// The parameter that holds the descriptor which the event uses.
    fd: Option<u8>,
    /// An event that does not come from a thread's call.
    threadless: bool,
    /// A thread that is not known is not invented for it.
    lookup_only: bool,
    /// Parameters that the event has today.
    parameters: usize,
    /// An event that may come between the start of a call and its end.
    aside: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    None,
    Clone,
    Execve,
    ProcessExit,
    Open(OpenForm),
    Close,
    CloseRange,
    Duplicate,
    Fcntl,
    Pipe,
    /// Calls that return a descriptor of one kind.
    Create(super::DescriptorKind),
    MemoryFile,
    PidfdOpen,
    PidfdGet,
    ChangeDirectory,
    ChangeDirectoryTo,
    CurrentDirectory,
    ChangeRoot,
    Socket,
    SocketPair,
    Bind,
    Connect,
    Accept,
    /// Number of the parameter that holds the ends.
    Receive(u8),
    Send(u8),
    /// The start of a call that sends.
    SendStart,
    SocketOption,
    SetUser(u8),
    SetGroup(u8),
    SetSession,
    Capabilities,
    ProcessControl,
    Memory,
    Switch,
    Limit,
    ProcessLimit,
    ContainerInfo,
    UserAdded,
    UserDeleted,
    GroupAdded,
    GroupDeleted,
}

/// Where the parameters of the calls that open files are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OpenForm {
    Open,
    Creat,
    OpenAt,
    OpenAt2,
    ByHandle,
}

pub(super) fn ways(table: &Table) -> Vec<Way> {
    table.events().map(way).collect()
}

fn way(event: &EventInfo) -> Way {
    use super::DescriptorKind as Kind;
    let action = match event.key {
        "SYSCALL_CLONE_20_X" | "SYSCALL_FORK_20_X" | "SYSCALL_VFORK_20_X" | "SYSCALL_CLONE3_X" => {
            Action::Clone
        }
        "SYSCALL_EXECVE_19_X" | "SYSCALL_EXECVEAT_X" => Action::Execve,
        "PROCEXIT_1_E" => Action::ProcessExit,
        "SYSCALL_OPEN_X" => Action::Open(OpenForm::Open),
        "SYSCALL_CREAT_X" => Action::Open(OpenForm::Creat),
        "SYSCALL_OPENAT_2_X" => Action::Open(OpenForm::OpenAt),
        "SYSCALL_OPENAT2_X" => Action::Open(OpenForm::OpenAt2),
        "SYSCALL_OPEN_BY_HANDLE_AT_X" => Action::Open(OpenForm::ByHandle),
        "SYSCALL_CLOSE_X" => Action::Close,
        "SYSCALL_CLOSE_RANGE_X" => Action::CloseRange,
        "SYSCALL_DUP_1_X" | "SYSCALL_DUP2_X" | "SYSCALL_DUP3_X" => Action::Duplicate,
        "SYSCALL_FCNTL_X" => Action::Fcntl,
        "SYSCALL_PIPE_X" | "SYSCALL_PIPE2_X" => Action::Pipe,
        "SYSCALL_EVENTFD_X" | "SYSCALL_EVENTFD2_X" => Action::Create(Kind::Event),
        "SYSCALL_SIGNALFD_X" | "SYSCALL_SIGNALFD4_X" => Action::Create(Kind::Signal),
        "SYSCALL_TIMERFD_CREATE_X" => Action::Create(Kind::Timer),
        "SYSCALL_INOTIFY_INIT_X" | "SYSCALL_INOTIFY_INIT1_X" => Action::Create(Kind::Inotify),
        "SYSCALL_EPOLL_CREATE_X" | "SYSCALL_EPOLL_CREATE1_X" => Action::Create(Kind::EventPoll),
        "SYSCALL_BPF_2_X" => Action::Create(Kind::Bpf),
        "SYSCALL_USERFAULTFD_X" => Action::Create(Kind::Userfault),
        "SYSCALL_IO_URING_SETUP_X" => Action::Create(Kind::IoUring),
        "SYSCALL_MEMFD_CREATE_X" => Action::MemoryFile,
        "SYSCALL_PIDFD_OPEN_X" => Action::PidfdOpen,
        "SYSCALL_PIDFD_GETFD_X" => Action::PidfdGet,
        "SYSCALL_CHDIR_X" => Action::ChangeDirectory,
        "SYSCALL_FCHDIR_X" => Action::ChangeDirectoryTo,
        "SYSCALL_GETCWD_X" => Action::CurrentDirectory,
        "SYSCALL_CHROOT_X" => Action::ChangeRoot,
        "SOCKET_SOCKET_X" => Action::Socket,
        "SOCKET_SOCKETPAIR_X" => Action::SocketPair,
        "SOCKET_BIND_X" => Action::Bind,
        "SOCKET_CONNECT_X" => Action::Connect,
        "SOCKET_ACCEPT_5_X" | "SOCKET_ACCEPT4_6_X" => Action::Accept,
        "SOCKET_RECVFROM_X" => Action::Receive(2),
        "SOCKET_RECVMSG_X" => Action::Receive(3),
        "SOCKET_RECVMMSG_X" => Action::Receive(4),
        "SOCKET_SENDTO_X" | "SOCKET_SENDMSG_X" | "SOCKET_SENDMMSG_X" => Action::Send(4),
        "SOCKET_SENDTO_E" => Action::SendStart,
        "SOCKET_GETSOCKOPT_X" => Action::SocketOption,
        "SYSCALL_SETUID_X" => Action::SetUser(1),
        "SYSCALL_SETRESUID_X" | "SYSCALL_SETREUID_X" => Action::SetUser(2),
        "SYSCALL_SETGID_X" => Action::SetGroup(1),
        "SYSCALL_SETRESGID_X" | "SYSCALL_SETREGID_X" => Action::SetGroup(2),
        "SYSCALL_SETSID_X" => Action::SetSession,
        "SYSCALL_CAPSET_X" => Action::Capabilities,
        "SYSCALL_PRCTL_X" => Action::ProcessControl,
        "SYSCALL_BRK_4_X" | "SYSCALL_MMAP_X" | "SYSCALL_MMAP2_X" | "SYSCALL_MUNMAP_X" => Action::Memory,
        "SCHEDSWITCH_6_E" => Action::Switch,
        "SYSCALL_GETRLIMIT_X" | "SYSCALL_SETRLIMIT_X" => Action::Limit,
        "SYSCALL_PRLIMIT_X" => Action::ProcessLimit,
        "CONTAINER_JSON_2_E" | "CONTAINER_JSON_E" => Action::ContainerInfo,
        "USER_ADDED_E" => Action::UserAdded,
        "USER_DELETED_E" => Action::UserDeleted,
        "GROUP_ADDED_E" => Action::GroupAdded,
        "GROUP_DELETED_E" => Action::GroupDeleted,
        _ => Action::None,
    };
    let uses_fd = event.flags.has(EventFlags::USES_FD);
    let fd = ["fd", "oldfd", "dirfd", "olddirfd", "olddir", "in_fd", "fdin", "target_fd", "fs_fd"]
        .into_iter()
        .find_map(|name| event.parameter_index(name))
        .or_else(|| {
            // What else the event's first descriptor is called; a result is none.
            event.parameters.iter().position(|parameter| {
                parameter.kind == crate::table::ParameterType::Fd && parameter.name != "res"
            })
        })
        .filter(|_| {
            uses_fd && !(event.flags.has(EventFlags::CREATES_FD) && matches!(action, Action::Open(_)))
        });
    let threadless = event.flags.has(EventFlags::SKIP_RESET) && event.key != "PROCINFO_E"
        || matches!(
            action,
            Action::ContainerInfo
                | Action::UserAdded
                | Action::UserDeleted
                | Action::GroupAdded
                | Action::GroupDeleted
        );
    Way {
        action,
        fd: fd.and_then(|index| u8::try_from(index).ok()),
        threadless,
        lookup_only: matches!(action, Action::Clone | Action::Switch) || event.key == "PROCINFO_E",
        parameters: event.parameters.len(),
        aside: event.flags.has(EventFlags::SKIP_RESET),
    }
}

impl State {
    /// Takes an event of today's form into account; `original` is the same as it was recorded.
    pub fn apply(&mut self, event: &RawEvent<'_>, original: &RawEvent<'_>, phase: Phase) -> Applied {
        self.finish_ended();
        self.told = None;
        if !self.is_current(event.code) {
            return Applied { threadless: true, ..Applied::default() };
        }
        let Some(way) = self.actions.get(usize::from(event.code)).copied() else {
            return Applied::default();
        };
        if way.threadless {
            self.without_thread(way.action, event);
            return Applied { threadless: true, ..Applied::default() };
        }
        self.now = self.now.max(event.ts);
        if !self.threads.contains_key(&event.tid) && !way.lookup_only {
            self.insert(Thread::placeholder(event.tid, &Unknown::default()));
        }
        let complete = original.code == event.code && original.count() >= way.parameters;
        let mut applied = Applied { complete, ..Applied::default() };
        if let Some(thread) = self.threads.get_mut(&event.tid) {
            thread.last_seen = event.ts;
            if way.action != Action::Switch && !way.aside {
                if original.code.is_multiple_of(2) {
                    (thread.latency, thread.last_enter_ts) = (0, event.ts);
                } else if thread.last_enter_ts != 0 {
                    thread.latency = event.ts.saturating_sub(thread.last_enter_ts);
                }
            }
            applied.latency = thread.latency;
        } else if way.action != Action::Clone {
            return applied;
        }
        applied.fd = way.fd.and_then(|index| event.signed(usize::from(index)));
        if phase == Phase::Exit || way.action == Action::SendStart {
            self.change(way.action, event, &mut applied);
        }
        applied
    }

    /// Takes away what the event before this one ended.
    pub fn finish_ended(&mut self) {
        if let Some((pid, fd)) = self.ended.descriptor.take()
            && let Some(leader) = self.threads.get_mut(&pid)
        {
            leader.descriptors.remove(fd);
        }
        if let Some(tid) = self.ended.thread.take() {
            self.remove(tid);
        }
    }

    fn without_thread(&mut self, action: Action, event: &RawEvent<'_>) {
        match action {
            Action::ContainerInfo => {
                if let Some(container) = event.text(0).and_then(super::Container::from_json) {
                    self.told = Some(Thread::container(&container.id, &Unknown::default()));
                    self.containers.add(container);
                }
            }
            Action::UserAdded | Action::UserDeleted | Action::GroupAdded | Action::GroupDeleted => {
                self.account(action, event);
            }
            _ => {}
        }
    }

    fn account(&mut self, action: Action, event: &RawEvent<'_>) {
        let text = |index| String::from_utf8_lossy(event.text(index).unwrap_or_default()).into_owned();
        let number =
            |index| event.unsigned(index).and_then(|value| u32::try_from(value).ok()).unwrap_or(u32::MAX);
        let is_user = matches!(action, Action::UserAdded | Action::UserDeleted);
        let container = Some(text(if is_user { 5 } else { 2 })).filter(|id| !id.is_empty()).map(Into::into);
        match action {
            Action::UserAdded => {
                let user = crate::scap::User {
                    uid: number(0),
                    gid: number(1),
                    name: text(2),
                    home: text(3),
                    shell: text(4),
                };
                self.accounts.add_user(container, user);
            }
            Action::UserDeleted => self.accounts.remove_user(container, number(0)),
            Action::GroupAdded => {
                self.accounts.add_group(container, crate::scap::Group { gid: number(0), name: text(1) });
            }
            _ => self.accounts.remove_group(container, number(0)),
        }
    }

    fn change(&mut self, action: Action, event: &RawEvent<'_>, applied: &mut Applied) {
        match action {
            Action::None
            | Action::ContainerInfo
            | Action::UserAdded
            | Action::UserDeleted
            | Action::GroupAdded
            | Action::GroupDeleted => {}
            Action::Clone => self.cloned(event),
            Action::Execve => self.executed(event, applied),
            Action::ProcessExit => self.exited(event),
            Action::Open(form) => self.opened(form, event, applied),
            Action::Close => self.closed(event, applied),
            Action::CloseRange => self.closed_range(event),
            Action::Duplicate => self.duplicated(event, applied),
            Action::Fcntl => self.controlled(event, applied),
            Action::Pipe => self.piped(event, applied),
            Action::Create(kind) => self.created(kind, event, applied),
            Action::MemoryFile => self.created_memory_file(event, applied),
            Action::PidfdOpen => self.opened_process(event, applied),
            Action::PidfdGet => self.took_descriptor(event, applied),
            Action::ChangeDirectory => self.changed_directory(event),
            Action::ChangeDirectoryTo => self.changed_directory_to(event, applied),
            Action::CurrentDirectory => self.told_directory(event),
            Action::ChangeRoot => self.changed_root(event),
            Action::Socket => self.made_socket(event, applied),
            Action::SocketPair => self.made_socket_pair(event, applied),
            Action::Bind => self.bound(event, applied),
            Action::Connect => self.connected(event, applied),
            Action::Accept => self.accepted(event, applied),
            Action::Receive(tuple) => self.transferred(event, usize::from(tuple), true, applied),
            Action::Send(tuple) => self.transferred(event, usize::from(tuple), false, applied),
            Action::SendStart => self.infer_socket(event, 2, &mut Applied { complete: true, ..*applied }),
            Action::SocketOption => self.asked_socket(event, applied),
            Action::SetUser(index) => self.set_user(event, usize::from(index)),
            Action::SetGroup(index) => self.set_group(event, usize::from(index)),
            Action::SetSession => self.set_session(event),
            Action::Capabilities => self.set_capabilities(event),
            Action::ProcessControl => self.process_control(event),
            Action::Memory => self.used_memory(event),
            Action::Switch => self.switched(event),
            Action::Limit => self.limited(event),
            Action::ProcessLimit => self.limited_process(event),
        }
    }
}
