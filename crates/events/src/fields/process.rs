//! `proc.*` and `thread.*`.

use std::ops::ControlFlow;

use yagura_model::field::{Argument, FieldValue, TimeStyle};

use super::names::FieldId;
use super::symbols;
use super::view::EventView;
use crate::state::{ProbeKind, Thread};

/// Most ancestors that are looked at: a loop of parents ends here.
const MAX_ANCESTORS: usize = 64;

fn signed<'v>(value: i64) -> Option<FieldValue<'v>> {
    Some(FieldValue::Signed(value))
}

fn unsigned<'v>(value: u64) -> Option<FieldValue<'v>> {
    Some(FieldValue::Unsigned(value))
}

fn truth<'v>(value: bool) -> Option<FieldValue<'v>> {
    Some(FieldValue::Boolean(value))
}

fn point<'v>(nanoseconds: u64) -> Option<FieldValue<'v>> {
    Some(FieldValue::Time { nanoseconds, style: TimeStyle::Number })
}

/// Ids of a namespace that are not known are missing.
fn virtual_id<'v>(value: i64) -> Option<FieldValue<'v>> {
    (value != -1).then_some(FieldValue::Signed(value))
}

impl<'a> EventView<'a> {
    pub(super) fn process_value(&self, id: FieldId, argument: &Argument) -> Option<FieldValue<'a>> {
        if id == FieldId::ThreadTid {
            return signed(self.event.tid);
        }
        let thread = self.thread()?;
        let program = thread.program.as_ref();
        match id {
            FieldId::ProcExe => Some(FieldValue::text_bytes(&program.exe)),
            FieldId::ProcExepath => Some(FieldValue::text_bytes(&program.exe_path)),
            FieldId::ProcName => Some(FieldValue::text_bytes(&thread.comm)),
            FieldId::ProcArgs => match argument.index() {
                None => Some(FieldValue::text_bytes(program.joined_arguments())),
                Some(index) => {
                    program.arguments().nth(usize::try_from(index).ok()?).map(FieldValue::text_bytes)
                }
            },
            FieldId::ProcCmdline => Some(FieldValue::Text(thread.command_line())),
            FieldId::ProcCmdnargs => unsigned(program.arguments().count() as u64),
            FieldId::ProcCmdlenargs => {
                unsigned(program.arguments().map(|argument| argument.len() as u64).sum())
            }
            FieldId::ProcExeline => {
                let mut line = program.exe.to_vec();
                line.push(b' ');
                line.extend_from_slice(program.joined_arguments());
                Some(FieldValue::Text(line.into()))
            }
            FieldId::ProcEnv => {
                let leader = self.leader().unwrap_or(thread);
                match argument {
                    Argument::None => Some(FieldValue::text_bytes(leader.program.joined_environment())),
                    argument => variable(leader, argument),
                }
            }
            FieldId::ProcCwd => Some(FieldValue::text_bytes(&self.leader().unwrap_or(thread).cwd)),
            FieldId::ProcLoginShellId => self.login_shell().and_then(signed),
            FieldId::ProcTty => unsigned(u64::from(thread.tty)),
            FieldId::ProcPid => signed(thread.pid),
            FieldId::ProcPpid => signed(self.leader()?.parent),
            FieldId::ProcVpid => virtual_id(thread.virtual_pid),
            FieldId::ProcSid => signed(thread.session),
            FieldId::ProcVpgid => signed(thread.virtual_group),
            FieldId::ProcPgid => signed(thread.group),
            FieldId::ProcPname => Some(FieldValue::text_bytes(&self.parent()?.comm)),
            FieldId::ProcPexe => Some(FieldValue::text_bytes(&self.parent()?.program.exe)),
            FieldId::ProcPexepath => Some(FieldValue::text_bytes(&self.parent()?.program.exe_path)),
            FieldId::ProcPcmdline => Some(FieldValue::Text(self.parent()?.command_line())),
            FieldId::ProcPvpid => virtual_id(self.parent()?.virtual_pid),
            FieldId::ProcAname
            | FieldId::ProcAexe
            | FieldId::ProcAexepath
            | FieldId::ProcAcmdline
            | FieldId::ProcApid
            | FieldId::ProcAargs
            | FieldId::ProcAenv => {
                let generation = argument.index().unwrap_or(0);
                let ancestor = self.ancestor(usize::try_from(generation).ok()?)?;
                of_ancestor(ancestor, id, argument)
            }
            FieldId::ProcSname => Some(FieldValue::text_bytes(&self.session_leader(thread)?.comm)),
            FieldId::ProcSidExe => Some(FieldValue::text_bytes(&self.session_leader(thread)?.program.exe)),
            FieldId::ProcSidExepath => {
                Some(FieldValue::text_bytes(&self.session_leader(thread)?.program.exe_path))
            }
            FieldId::ProcVpgidName => Some(FieldValue::text_bytes(&self.group_leader(thread, true)?.comm)),
            FieldId::ProcVpgidExe => {
                Some(FieldValue::text_bytes(&self.group_leader(thread, true)?.program.exe))
            }
            FieldId::ProcVpgidExepath => {
                Some(FieldValue::text_bytes(&self.group_leader(thread, true)?.program.exe_path))
            }
            FieldId::ProcPgidName => Some(FieldValue::text_bytes(&self.group_leader(thread, false)?.comm)),
            FieldId::ProcPgidExe => {
                Some(FieldValue::text_bytes(&self.group_leader(thread, false)?.program.exe))
            }
            FieldId::ProcPgidExepath => {
                Some(FieldValue::text_bytes(&self.group_leader(thread, false)?.program.exe_path))
            }
            FieldId::ProcDuration => self.since(thread.start_ts),
            FieldId::ProcPpidDuration => self.since(self.parent()?.start_ts),
            FieldId::ProcPidTs => unsigned(thread.start_ts),
            FieldId::ProcPpidTs => unsigned(self.parent()?.start_ts),
            FieldId::ProcIsExeWritable => truth(thread.exe_writable),
            FieldId::ProcIsExeUpperLayer => truth(thread.exe_upper_layer),
            FieldId::ProcIsExeLowerLayer => truth(thread.exe_lower_layer),
            FieldId::ProcIsExeFromMemfd => truth(thread.exe_from_memfd),
            FieldId::ProcIsSidLeader => truth(thread.session == thread.virtual_pid),
            FieldId::ProcIsVpgidLeader => truth(thread.virtual_group == thread.virtual_pid),
            FieldId::ProcIsPgidLeader => truth(thread.group == thread.pid),
            FieldId::ProcExeIno => {
                (thread.exe_inode != 0).then(|| FieldValue::Signed(thread.exe_inode.cast_signed()))
            }
            FieldId::ProcExeInoCtime => point(thread.exe_ctime),
            FieldId::ProcExeInoMtime => point(thread.exe_mtime),
            FieldId::ProcExeInoCtimeStart => unsigned(between(thread.exe_ctime, thread.start_ts)),
            FieldId::ProcExeInoCtimePidns => unsigned(between(thread.pid_namespace_start, thread.exe_ctime)),
            FieldId::ProcPidnsInitStart => unsigned(thread.pid_namespace_start),
            FieldId::CapPermitted => {
                Some(FieldValue::owned_text(symbols::capabilities(thread.cap_permitted)))
            }
            FieldId::CapInheritable => {
                Some(FieldValue::owned_text(symbols::capabilities(thread.cap_inheritable)))
            }
            FieldId::CapEffective => {
                Some(FieldValue::owned_text(symbols::capabilities(thread.cap_effective)))
            }
            FieldId::ProcFdOpenCount => unsigned(self.leader()?.descriptors.len() as u64),
            FieldId::ProcFdLimit => signed(self.leader()?.fd_limit),
            FieldId::ProcFdUsage => {
                let leader = self.leader()?;
                let (open, limit) = (leader.descriptors.len() as f64, leader.fd_limit as f64);
                Some(FieldValue::Double(if limit > 0.0 { open * 100.0 / limit } else { 0.0 }))
            }
            FieldId::ProcVmSize => unsigned(u64::from(thread.vm_size_kb)),
            FieldId::ProcVmRss => unsigned(u64::from(thread.vm_rss_kb)),
            FieldId::ProcVmSwap => unsigned(u64::from(thread.vm_swap_kb)),
            FieldId::ThreadPfMajor => unsigned(thread.major_faults),
            FieldId::ThreadPfMinor => unsigned(thread.minor_faults),
            FieldId::ThreadIsMain => truth(thread.is_leader()),
            FieldId::ThreadVtid => virtual_id(thread.virtual_tid),
            FieldId::ThreadCgroups => {
                let groups: Vec<Vec<u8>> =
                    thread.cgroup_paths().map(|(name, path)| [name, b"=", path].concat()).collect();
                (!groups.is_empty()).then(|| FieldValue::Text(groups.join(&b' ').into()))
            }
            FieldId::ThreadCgroup => {
                let wanted = argument.key()?.as_bytes();
                let (_, path) = thread.cgroup_paths().find(|(name, _)| *name == wanted)?;
                Some(FieldValue::text_bytes(path))
            }
            FieldId::ProcNthreads => unsigned(u64::from(self.leader()?.other_threads) + 1),
            FieldId::ProcNchilds => unsigned(u64::from(thread.other_threads)),
            FieldId::ThreadVmSize => {
                unsigned(if thread.is_leader() { u64::from(thread.vm_size_kb) } else { 0 })
            }
            FieldId::ThreadVmRss => {
                unsigned(if thread.is_leader() { u64::from(thread.vm_rss_kb) } else { 0 })
            }
            FieldId::ProcStdinType => self.standard(0, false),
            FieldId::ProcStdoutType => self.standard(1, false),
            FieldId::ProcStderrType => self.standard(2, false),
            FieldId::ProcStdinName => self.standard(0, true),
            FieldId::ProcStdoutName => self.standard(1, true),
            FieldId::ProcStderrName => self.standard(2, true),
            FieldId::ProcIsHealthcheck => truth(self.is_probe(thread, ProbeKind::HealthCheck)),
            FieldId::ProcIsLivenessProbe => truth(self.is_probe(thread, ProbeKind::Liveness)),
            FieldId::ProcIsReadinessProbe => truth(self.is_probe(thread, ProbeKind::Readiness)),
            _ => None,
        }
    }

    fn since(&self, start: u64) -> Option<FieldValue<'a>> {
        (start != 0).then(|| FieldValue::Unsigned(self.event.ts.saturating_sub(start)))
    }

    /// The thread that created this one.
    fn parent(&self) -> Option<&'a Thread> {
        self.state.thread(self.thread()?.parent)
    }

    /// The process itself, then its ancestors.
    fn ancestors(&self) -> impl Iterator<Item = &'a Thread> {
        let state = self.state;
        std::iter::successors(self.leader(), move |thread| {
            let parent = state.thread(thread.parent)?;
            state.leader(parent).or(Some(parent))
        })
        .take(MAX_ANCESTORS)
    }

    fn ancestor(&self, generation: usize) -> Option<&'a Thread> {
        self.ancestors().nth(generation)
    }

    pub(super) fn each_ancestor(
        &self,
        id: FieldId,
        argument: &Argument,
        visit: &mut dyn FnMut(FieldValue<'_>) -> ControlFlow<()>,
    ) {
        for ancestor in self.ancestors().skip(1) {
            if let Some(value) = of_ancestor(ancestor, id, argument)
                && visit(value).is_break()
            {
                return;
            }
        }
    }

    /// The oldest ancestor whose name ends as those of shells do.
    fn login_shell(&self) -> Option<i64> {
        self.ancestors().filter(|ancestor| ancestor.comm.ends_with(b"sh")).last().map(|ancestor| ancestor.pid)
    }

    /// The process that leads a session; if it is gone, its oldest descendant among the ancestors.
    fn session_leader(&self, thread: &Thread) -> Option<&'a Thread> {
        if let Some(leader) = self.state.thread(thread.session) {
            return Some(leader);
        }
        let session = self.leader()?.session;
        self.ancestors().take_while(|ancestor| ancestor.session == session).last()
    }

    fn group_leader(&self, thread: &Thread, in_namespace: bool) -> Option<&'a Thread> {
        let group = if in_namespace { thread.virtual_group } else { thread.group };
        let is_same = |other: &Thread| {
            if in_namespace { other.virtual_group == group } else { other.group == group }
        };
        // Ids on the host name a thread; those of a namespace are found among the ancestors.
        if (!in_namespace || !thread.is_in_pid_namespace())
            && let Some(leader) = self.state.thread(group)
        {
            return Some(leader);
        }
        self.ancestors().take_while(|ancestor| is_same(ancestor)).last()
    }

    fn standard(&self, fd: i64, name: bool) -> Option<FieldValue<'a>> {
        let descriptor = self.descriptor_numbered(fd)?;
        Some(if name {
            FieldValue::text_bytes(&descriptor.name)
        } else {
            FieldValue::text(descriptor.kind.name())
        })
    }

    fn is_probe(&self, thread: &Thread, kind: ProbeKind) -> bool {
        let Some(container) = self.container() else { return false };
        container.probes.iter().any(|probe| {
            probe.kind == kind
                && probe.exe.as_bytes() == &*thread.program.exe
                && thread.program.arguments().eq(probe.args.iter().map(String::as_bytes))
        })
    }
}

fn between(earlier: u64, later: u64) -> u64 {
    if earlier == 0 || later == 0 { 0 } else { later.saturating_sub(earlier) }
}

fn of_ancestor<'t>(ancestor: &'t Thread, id: FieldId, argument: &Argument) -> Option<FieldValue<'t>> {
    Some(match id {
        FieldId::ProcAname => FieldValue::text_bytes(&ancestor.comm),
        FieldId::ProcAexe => FieldValue::text_bytes(&ancestor.program.exe),
        FieldId::ProcAexepath => FieldValue::text_bytes(&ancestor.program.exe_path),
        FieldId::ProcAcmdline => FieldValue::Text(ancestor.command_line()),
        FieldId::ProcApid => FieldValue::Signed(ancestor.pid),
        FieldId::ProcAargs => FieldValue::text_bytes(ancestor.program.joined_arguments()),
        FieldId::ProcAenv => match argument {
            Argument::Key(_) => return variable(ancestor, argument),
            _ => FieldValue::text_bytes(ancestor.program.joined_environment()),
        },
        _ => return None,
    })
}

/// One variable of the environment: by number the whole entry, by name (with `=` at its end) the value.
fn variable<'t>(thread: &'t Thread, argument: &Argument) -> Option<FieldValue<'t>> {
    let mut entries = crate::state::texts(&thread.program.env);
    match argument {
        Argument::Index(index) => entries.nth(usize::try_from(*index).ok()?).map(FieldValue::text_bytes),
        Argument::Key(name) => {
            entries.find_map(|entry| entry.strip_prefix(name.as_bytes())).map(FieldValue::text_bytes)
        }
        Argument::None => None,
    }
}
