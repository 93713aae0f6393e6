//! What was used, gathered from events into a profile.

use yagura_model::profile::{Endpoint, FileUse, MAX_PROGRAMS, Profile, Subject};

use crate::fields::EventView;
use crate::state::{Container, Descriptor, DescriptorKind, State, Thread};

/// Containers of one profile.
const MAX_SUBJECTS: usize = 16 << 10;
/// Files of one container.
const MAX_FILES: usize = 64 << 10;
/// Ends of one kind of one container.
const MAX_ENDPOINTS: usize = 4096;
/// The types of events that a profile is made of.
pub const EVENT_TYPES: [&str; 14] = [
    "accept",
    "accept4",
    "bind",
    "connect",
    "creat",
    "execve",
    "execveat",
    "listen",
    "mmap",
    "mmap2",
    "open",
    "open_by_handle_at",
    "openat",
    "openat2",
];
/// Bits of open flags and protections, as captures number them.
const O_RDONLY: u64 = 1;
const O_WRONLY: u64 = 2;
const PROT_EXEC: u64 = 4;

/// Watches events and keeps what a profile says.
#[derive(Debug, Default)]
pub struct Profiler {
    profile: Profile,
    begun: bool,
}

#[derive(Clone, Copy)]
enum Use {
    Executed,
    Mapped,
    Read,
    Written,
}

#[derive(Clone, Copy)]
enum Kind {
    Listens,
    Connects,
    Accepts,
}

impl Profiler {
    /// What is there before the first event: programs that run, and what listens.
    fn begin(&mut self, state: &State, ts: u64) {
        self.profile.host.clone_from(&state.machine.hostname);
        let mut threads: Vec<&Thread> = state.threads().filter(|thread| thread.is_leader()).collect();
        threads.sort_unstable_by_key(|thread| thread.tid);
        for thread in threads {
            self.file(state.container(thread), thread, &thread.program.exe_path, Use::Executed, ts);
            for (_, descriptor) in thread.descriptors.iter() {
                if matches!(descriptor.kind, DescriptorKind::Ipv4Server | DescriptorKind::Ipv6Server) {
                    self.endpoint(state.container(thread), thread, descriptor, Kind::Listens, 0);
                }
            }
        }
    }

    /// Takes an event into account.
    pub fn see(&mut self, view: &EventView<'_>) {
        let event = view.event();
        if !self.begun {
            self.begun = true;
            self.profile.from = event.ts;
            self.begin(view.state(), event.ts);
        }
        self.profile.events += 1;
        self.profile.until = self.profile.until.max(event.ts);
        let Some(thread) = view.thread().filter(|_| view.is_exit()) else { return };
        let container = view.container();
        let succeeded = view.result().is_some_and(|result| result >= 0);
        match view.type_name() {
            "execve" | "execveat" if succeeded => {
                self.file(container, thread, &thread.program.exe_path, Use::Executed, event.ts);
            }
            "open" | "openat" | "openat2" | "creat" | "open_by_handle_at" if succeeded => {
                let Some(descriptor) = view.descriptor() else { return };
                let flags = u64::from(descriptor.open_flags);
                let wrote = flags & O_WRONLY != 0 || view.type_name() == "creat";
                if wrote {
                    self.file(container, thread, &descriptor.name, Use::Written, event.ts);
                }
                if flags & O_RDONLY != 0 || !wrote {
                    self.file(container, thread, &descriptor.name, Use::Read, event.ts);
                }
            }
            "mmap" | "mmap2" => {
                // Protection is parameter 6, in both.
                if event.unsigned(6).is_some_and(|protection| protection & PROT_EXEC != 0)
                    && let Some(descriptor) = view.used_descriptor()
                    && descriptor.kind == DescriptorKind::File
                {
                    self.file(container, thread, &descriptor.name, Use::Mapped, event.ts);
                }
            }
            "bind" | "listen" if succeeded => {
                if let Some(descriptor) = view.descriptor() {
                    self.endpoint(container, thread, descriptor, Kind::Listens, 1);
                }
            }
            // A connection that takes its time counts: data may follow.
            "connect" if view.result().is_some_and(|result| result >= 0 || result == -115) => {
                if let Some(descriptor) = view.descriptor() {
                    self.endpoint(container, thread, descriptor, Kind::Connects, 1);
                }
            }
            "accept" | "accept4" if succeeded => {
                if let Some(descriptor) = view.descriptor() {
                    self.endpoint(container, thread, descriptor, Kind::Accepts, 1);
                }
            }
            _ => {}
        }
    }

    fn subject(&mut self, container: Option<&Container>, thread: &Thread) -> Option<&mut Subject> {
        let id = thread.container.as_deref().unwrap_or("host");
        if !self.profile.subjects.contains_key(id) {
            if self.profile.subjects.len() >= MAX_SUBJECTS {
                self.profile.omitted += 1;
                return None;
            }
            self.profile.subjects.insert(id.to_owned(), Subject::default());
        }
        let subject = self.profile.subjects.get_mut(id)?;
        if let Some(container) = container.filter(|container| subject.name != container.name) {
            subject.name.clone_from(&container.name);
            subject.image.clone_from(&container.image);
            subject.image_digest.clone_from(&container.image_digest);
            subject.image_id.clone_from(&container.image_id);
            let label = |name| container.label(name).unwrap_or_default().to_owned();
            subject.namespace = label("io.kubernetes.pod.namespace");
            subject.pod = label("io.kubernetes.pod.name");
        }
        Some(subject)
    }

    fn file(&mut self, container: Option<&Container>, thread: &Thread, path: &[u8], how: Use, ts: u64) {
        // What has no absolute path is no file of an image.
        if path.first() != Some(&b'/') {
            return;
        }
        let Some(subject) = self.subject(container, thread) else { return };
        let path = String::from_utf8_lossy(path);
        if !subject.files.contains_key(&*path) {
            if subject.files.len() >= MAX_FILES {
                self.profile.omitted += 1;
                return;
            }
            subject.files.insert(path.clone().into_owned(), FileUse { first: ts, ..FileUse::default() });
        }
        let Some(used) = subject.files.get_mut(&*path) else { return };
        used.last = ts;
        let program = &thread.program.exe_path;
        if !program.is_empty() && used.programs.len() < MAX_PROGRAMS {
            used.programs.insert(String::from_utf8_lossy(program).into_owned());
        }
        *match how {
            Use::Executed => &mut used.executed,
            Use::Mapped => &mut used.mapped,
            Use::Read => &mut used.read,
            Use::Written => &mut used.written,
        } += 1;
    }

    fn endpoint(
        &mut self,
        container: Option<&Container>,
        thread: &Thread,
        descriptor: &Descriptor,
        kind: Kind,
        count: u64,
    ) {
        if !descriptor.kind.is_ip() {
            return;
        }
        let (address, port) = (descriptor.tuple.destination.to_string(), descriptor.tuple.destination_port);
        if port == 0 {
            return;
        }
        // Older captures do not know the paths of what was running before.
        let path = &thread.program.exe_path;
        let program = if path.is_empty() { &thread.comm } else { path };
        let program = String::from_utf8_lossy(program).into_owned();
        let Some(subject) = self.subject(container, thread) else { return };
        let known = match kind {
            Kind::Listens => &mut subject.listens,
            Kind::Connects => &mut subject.connects,
            Kind::Accepts => &mut subject.accepts,
        };
        let protocol = descriptor.protocol.name();
        let same = |end: &&mut Endpoint| {
            end.port == port && end.address == address && end.protocol == protocol && end.program == program
        };
        let full = known.len() >= MAX_ENDPOINTS;
        match known.iter_mut().find(same) {
            Some(end) => end.count += count,
            None if full => self.profile.omitted += 1,
            None => known.push(Endpoint { protocol: protocol.to_owned(), address, port, program, count }),
        }
    }

    /// Takes in a file that a process had mapped before the first event.
    pub fn mapped_before(&mut self, state: &State, tid: i64, path: &[u8], ts: u64) {
        if let Some(thread) = state.thread(tid) {
            self.file(state.container(thread), thread, path, Use::Mapped, ts);
        }
    }

    /// The profile, and how many events were lost before they could be seen.
    pub fn finish(mut self, lost_events: u64) -> Profile {
        self.profile.lost_events = lost_events;
        self.profile
    }
}
