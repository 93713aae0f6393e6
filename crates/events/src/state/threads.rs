//! Threads and the programs they run.

use std::sync::{Arc, OnceLock};

use super::descriptors::Descriptors;

/// Bytes that many threads share.
pub type Text = Arc<[u8]>;

/// Bits of [`Thread::flags`], as captures number them.
pub mod clone_flag {
    pub const FILES: u32 = 1;
    pub const THREAD: u32 = 1 << 13;
    pub const INVERTED: u32 = 1 << 16;
    pub const NAME_CHANGED: u32 = 1 << 17;
    pub const CLOSED: u32 = 1 << 18;
    pub const PIPE_SOURCE: u32 = 1 << 21;
    pub const PIPE_DESTINATION: u32 = 1 << 22;
    pub const CHILD_IN_PIDNS: u32 = 1 << 29;
}

/// What a process was started with; forks share it.
#[derive(Debug, Default)]
pub struct Program {
    /// The first argument.
    pub exe: Text,
    pub exe_path: Text,
    /// Each argument after the first, with a NUL at its end.
    pub args: Text,
    /// Each `NAME=value`, with a NUL at its end.
    pub env: Text,
    joined_args: OnceLock<Text>,
    joined_env: OnceLock<Text>,
    command_line: OnceLock<(Text, Text)>,
}

/// The environment up to the first empty entry: programs that change their title leave nothing else behind.
pub(super) fn environment(list: &[u8]) -> &[u8] {
    let mut end = 0;
    for entry in list.split_inclusive(|byte| *byte == 0) {
        if entry == [0] {
            break;
        }
        end += entry.len();
    }
    list.get(..end).unwrap_or_default()
}

/// Texts that end in a NUL each, with blanks between them.
fn joined(list: &[u8]) -> Vec<u8> {
    let mut line: Vec<u8> = list.strip_suffix(&[0]).unwrap_or(list).to_vec();
    for byte in &mut line {
        if *byte == 0 {
            *byte = b' ';
        }
    }
    line
}

impl Program {
    pub fn new(exe: Text, exe_path: Text, args: Text, env: Text) -> Self {
        Self { exe, exe_path, args, env, ..Self::default() }
    }

    pub fn arguments(&self) -> impl Iterator<Item = &[u8]> {
        texts(&self.args)
    }

    /// The arguments with blanks between them.
    pub fn joined_arguments(&self) -> &[u8] {
        self.joined_args.get_or_init(|| joined(&self.args).into())
    }

    pub fn joined_environment(&self) -> &[u8] {
        self.joined_env.get_or_init(|| joined(&self.env).into())
    }

    /// The command's name and the arguments, where the command is the one that first asked.
    fn command_line(&self, comm: &Text) -> Option<&[u8]> {
        let (known, line) = self.command_line.get_or_init(|| {
            let mut line = comm.to_vec();
            for argument in self.arguments() {
                line.push(b' ');
                line.extend_from_slice(argument);
            }
            (comm.clone(), line.into())
        });
        (known == comm).then_some(line)
    }

    pub(super) fn bytes(&self) -> usize {
        self.exe.len() + self.exe_path.len() + 2 * self.args.len() + self.env.len()
    }
}

/// Texts that end in a NUL each; an unfinished last one counts.
pub fn texts(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let empty = list.is_empty();
    let list = list.strip_suffix(&[0]).unwrap_or(list);
    list.split(|byte| *byte == 0).skip(usize::from(empty))
}

/// One thread. Ids are the host's unless they are called virtual; -1 is unknown.
#[derive(Clone, Debug)]
pub struct Thread {
    pub tid: i64,
    /// The process: the id of its first thread.
    pub pid: i64,
    /// The thread that created the process.
    pub parent: i64,
    pub virtual_tid: i64,
    pub virtual_pid: i64,
    pub session: i64,
    pub group: i64,
    pub virtual_group: i64,
    pub comm: Text,
    pub program: Arc<Program>,
    /// With a slash at its end. The leader's counts for the process.
    pub cwd: Text,
    pub root: Text,
    /// Each `controller=path`, with a NUL at its end.
    pub cgroups: Text,
    /// The container's id, cut to twelve digits.
    pub container: Option<Arc<str>>,
    pub uid: u32,
    pub gid: u32,
    /// `u32::MAX` where nobody logged in.
    pub login_uid: u32,
    pub tty: u32,
    pub flags: u32,
    pub fd_limit: i64,
    pub cap_inheritable: u64,
    pub cap_permitted: u64,
    pub cap_effective: u64,
    pub exe_writable: bool,
    pub exe_upper_layer: bool,
    pub exe_lower_layer: bool,
    pub exe_from_memfd: bool,
    pub exe_inode: u64,
    /// Nanoseconds since 1970, as are the next ones; 0 is unknown.
    pub exe_ctime: u64,
    pub exe_mtime: u64,
    /// When the thread was created, as far as an event told.
    pub start_ts: u64,
    pub exec_ts: u64,
    pub pid_namespace_start: u64,
    pub vm_size_kb: u32,
    pub vm_rss_kb: u32,
    pub vm_swap_kb: u32,
    pub major_faults: u64,
    pub minor_faults: u64,
    /// Other threads of this process that are alive, for a leader.
    pub other_threads: u32,
    /// The open descriptors of the process, for a leader.
    pub descriptors: Descriptors,
    /// Nanoseconds that the latest call took; 0 while one is going on.
    pub(super) latency: u64,
    pub(super) last_enter_ts: u64,
    pub(super) last_seen: u64,
    /// Nobody told of this thread before it did something.
    pub placeholder: bool,
}

impl Thread {
    /// A thread of which nothing is known but its id; its texts are `<NA>`, as Falco's are.
    pub(super) fn placeholder(tid: i64, unknown: &Unknown) -> Self {
        Self {
            tid,
            pid: tid,
            parent: -1,
            virtual_tid: -1,
            virtual_pid: -1,
            session: -1,
            group: -1,
            virtual_group: -1,
            comm: unknown.text.clone(),
            program: unknown.program.clone(),
            cwd: unknown.empty.clone(),
            root: unknown.empty.clone(),
            cgroups: unknown.empty.clone(),
            container: None,
            uid: u32::MAX,
            gid: u32::MAX,
            login_uid: u32::MAX,
            tty: 0,
            flags: clone_flag::NAME_CHANGED,
            fd_limit: -1,
            cap_inheritable: 0,
            cap_permitted: 0,
            cap_effective: 0,
            exe_writable: false,
            exe_upper_layer: false,
            exe_lower_layer: false,
            exe_from_memfd: false,
            exe_inode: 0,
            exe_ctime: 0,
            exe_mtime: 0,
            start_ts: 0,
            exec_ts: 0,
            pid_namespace_start: 0,
            vm_size_kb: 0,
            vm_rss_kb: 0,
            vm_swap_kb: 0,
            major_faults: 0,
            minor_faults: 0,
            other_threads: 0,
            descriptors: Descriptors::default(),
            latency: 0,
            last_enter_ts: 0,
            last_seen: 0,
            placeholder: true,
        }
    }

    /// Stands for a container in the event that tells of it.
    pub(super) fn container(id: &str, unknown: &Unknown) -> Self {
        let name: Text = format!("container:{id}").into_bytes().into();
        let empty = unknown.empty.clone();
        Self {
            comm: name,
            program: Arc::new(Program::new(empty.clone(), empty.clone(), empty.clone(), empty)),
            container: Some(id.into()),
            pid: -1,
            parent: 0,
            uid: 0,
            gid: 0,
            login_uid: 0,
            virtual_tid: -2,
            virtual_pid: -2,
            placeholder: false,
            ..Self::placeholder(-1, unknown)
        }
    }

    pub fn is_leader(&self) -> bool {
        self.tid == self.pid
    }

    /// Whether the process is not the initial one's child namespace: its ids inside differ.
    pub fn is_in_pid_namespace(&self) -> bool {
        self.flags & clone_flag::CHILD_IN_PIDNS != 0 || self.tid != self.virtual_tid
    }

    /// The command's name and its arguments.
    pub fn command_line(&self) -> std::borrow::Cow<'_, [u8]> {
        if let Some(line) = self.program.command_line(&self.comm) {
            return line.into();
        }
        let mut line = self.comm.to_vec();
        for argument in self.program.arguments() {
            line.push(b' ');
            line.extend_from_slice(argument);
        }
        line.into()
    }

    /// Paths of control groups by controller, under the controllers' names of old.
    pub fn cgroup_paths(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        texts(&self.cgroups).filter_map(|group| {
            let at = group.iter().position(|byte| *byte == b'=')?;
            let (name, path) = group.split_at_checked(at)?;
            let name = match name.strip_suffix(b"_cgroup").unwrap_or(name) {
                b"perf" => &b"perf_event"[..],
                b"mem" => b"memory",
                b"io" => b"blkio",
                name => name,
            };
            Some((name, path.get(1..)?))
        })
    }
}

/// The texts of threads that are not known, made once.
pub(super) struct Unknown {
    text: Text,
    empty: Text,
    program: Arc<Program>,
}

impl Default for Unknown {
    fn default() -> Self {
        let text: Text = Arc::from(&b"<NA>"[..]);
        let empty: Text = Arc::from(&b""[..]);
        let program = Program::new(text.clone(), empty.clone(), empty.clone(), empty.clone());
        Self { text, empty, program: Arc::new(program) }
    }
}
