//! What events build and need to be understood: threads, descriptors, users, containers.
//!
//! Seeded by what a capture knew at its start (or by `/proc`, told in the same entries), changed by events, bounded in
//! bytes. [`State::apply`] is called for every event before it is looked at; what the event ends (a closed descriptor,
//! a thread) is still there then, and gone with the next event.

mod accounts;
mod budget;
mod containers;
mod descriptors;
mod dispatch;
mod export;
mod files;
mod path;
mod processes;
mod seed;
mod sockets;
mod threads;

pub use accounts::Accounts;
pub use containers::{Container, ContainerRuntime, Containers, Mount, Probe, ProbeKind, container_id};
pub use descriptors::{Descriptor, DescriptorKind, Descriptors, L4, Role, Tuple};
pub use dispatch::{Applied, Phase};
pub(crate) use threads::texts;
pub use threads::{Program, Text, Thread, clone_flag};

use crate::hashing::NumberMap;
use crate::scap::{Interface, Machine};
use crate::table::{EventCode, table};

/// Everything that is known at one moment.
pub struct State {
    actions: Vec<dispatch::Way>,
    threads: NumberMap<i64, Thread>,
    pub accounts: Accounts,
    pub containers: Containers,
    pub machine: Machine,
    pub interfaces: Vec<Interface>,
    /// Ports on which somebody listened when the capture began: they tell which end of a connection is the server.
    server_ports: std::collections::HashSet<u16>,
    ended: Ended,
    /// Stands for the container that the latest event tells of.
    told: Option<Thread>,
    budget: budget::Budget,
    /// Time of the latest event.
    now: u64,
}

/// What goes with the next event.
#[derive(Default)]
struct Ended {
    thread: Option<i64>,
    descriptor: Option<(i64, i64)>,
}

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}

impl State {
    pub fn new() -> Self {
        let table = table();
        Self {
            actions: dispatch::ways(table),
            threads: NumberMap::default(),
            accounts: Accounts::default(),
            containers: Containers::default(),
            machine: Machine::default(),
            interfaces: Vec::new(),
            server_ports: std::collections::HashSet::new(),
            ended: Ended::default(),
            told: None,
            budget: budget::Budget::default(),
            now: 0,
        }
    }

    /// Time of the latest event, in nanoseconds since 1970.
    pub fn now(&self) -> u64 {
        self.now
    }

    /// The same with another bound for the bytes of threads and descriptors.
    pub fn with_budget(bytes: usize) -> Self {
        Self { budget: budget::Budget::of(bytes), ..Self::new() }
    }

    /// A thread by its id on the host.
    pub fn thread(&self, tid: i64) -> Option<&Thread> {
        self.threads.get(&tid)
    }

    pub fn threads(&self) -> impl Iterator<Item = &Thread> {
        self.threads.values()
    }

    /// What stands for a thread in an event that tells of a container.
    pub(crate) fn told_container(&self) -> Option<&Thread> {
        self.told.as_ref()
    }

    /// The thread that began the process of this one, which holds what the process shares.
    pub fn leader<'s>(&'s self, thread: &'s Thread) -> Option<&'s Thread> {
        if thread.pid == thread.tid { Some(thread) } else { self.threads.get(&thread.pid) }
    }

    /// The thread that created this process.
    pub fn parent(&self, thread: &Thread) -> Option<&Thread> {
        let leader = self.leader(thread)?;
        self.threads.get(&leader.parent)
    }

    /// A descriptor as a thread sees it.
    pub fn descriptor<'s>(&'s self, thread: &'s Thread, fd: i64) -> Option<&'s Descriptor> {
        self.leader(thread)?.descriptors.get(fd)
    }

    /// A path as a thread means it: seen from its working directory or from the directory of a descriptor.
    pub fn resolve(&self, thread: &Thread, fd: i64, path: &[u8]) -> Vec<u8> {
        path::join(&self.directory(thread.tid, fd, path), path)
    }

    pub fn container(&self, thread: &Thread) -> Option<&Container> {
        self.containers.get(thread.container.as_deref()?)
    }

    /// Threads and descriptors that were forgotten for want of room.
    pub fn lost(&self) -> u64 {
        self.budget.lost
    }

    fn is_current(&self, code: EventCode) -> bool {
        usize::from(code) < self.actions.len()
    }
}

#[cfg(test)]
mod tests;
