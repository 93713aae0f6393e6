//! The state as entries of a capture: what a capture that begins now has to say first.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::State;
use super::descriptors::{Descriptor, DescriptorKind, Role};
use super::threads::Thread;
use crate::scap::{self, DescriptorDetail};

impl State {
    /// All threads, leaders first, by id.
    pub fn thread_entries(&self) -> Vec<scap::Thread<'_>> {
        let mut threads: Vec<&Thread> = self.threads.values().filter(|thread| !thread.placeholder).collect();
        threads.sort_unstable_by_key(|thread| (!thread.is_leader(), thread.tid));
        threads.into_iter().map(|thread| self.entry(thread)).collect()
    }

    fn entry<'s>(&'s self, thread: &'s Thread) -> scap::Thread<'s> {
        scap::Thread {
            tid: thread.tid,
            pid: thread.pid,
            parent: thread.parent,
            session: thread.session,
            virtual_group: thread.virtual_group,
            group: thread.group,
            comm: &thread.comm,
            exe: &thread.program.exe,
            exe_path: &thread.program.exe_path,
            args: &thread.program.args,
            cwd: &thread.cwd,
            fd_limit: thread.fd_limit,
            flags: thread.flags,
            uid: thread.uid,
            gid: thread.gid,
            vm_size_kb: thread.vm_size_kb,
            vm_rss_kb: thread.vm_rss_kb,
            vm_swap_kb: thread.vm_swap_kb,
            major_faults: thread.major_faults,
            minor_faults: thread.minor_faults,
            env: &thread.program.env,
            virtual_tid: thread.virtual_tid,
            virtual_pid: thread.virtual_pid,
            cgroups: &thread.cgroups,
            root: &thread.root,
            pid_namespace_start: thread.pid_namespace_start,
            tty: thread.tty,
            login_uid: thread.login_uid,
            exe_writable: thread.exe_writable,
            cap_inheritable: thread.cap_inheritable,
            cap_permitted: thread.cap_permitted,
            cap_effective: thread.cap_effective,
            exe_upper_layer: thread.exe_upper_layer,
            exe_lower_layer: thread.exe_lower_layer,
            exe_from_memfd: thread.exe_from_memfd,
            exe_inode: thread.exe_inode,
            exe_ctime: thread.exe_ctime,
            exe_mtime: thread.exe_mtime,
            start_ts: thread.start_ts,
        }
    }

    /// Writes what a capture that begins now has to say before its first event.
    pub fn describe<W: std::io::Write>(&self, writer: &mut scap::CaptureWriter<W>) -> std::io::Result<()> {
        writer.machine(&self.machine)?;
        let entries = self.thread_entries();
        writer.threads(entries.iter().cloned())?;
        for entry in &entries {
            writer.descriptors(entry.tid, self.descriptor_entries(entry.tid).into_iter())?;
        }
        writer.interfaces(self.interfaces.iter())?;
        writer.accounts(self.accounts.users().into_iter(), self.accounts.groups().into_iter())
    }

    /// The descriptors that a thread itself holds: those of its process, if it leads it.
    pub fn descriptor_entries(&self, tid: i64) -> Vec<scap::Descriptor<'_>> {
        let Some(thread) = self.threads.get(&tid) else { return Vec::new() };
        thread.descriptors.iter().map(|(fd, descriptor)| entry(fd, descriptor)).collect()
    }
}

fn entry(fd: i64, descriptor: &Descriptor) -> scap::Descriptor<'_> {
    // Lists of a capture name the machine's own end first.
    let tuple = if descriptor.role == Role::Server { descriptor.tuple.swapped() } else { descriptor.tuple };
    let protocol = descriptor.protocol.number();
    let name = &*descriptor.name;
    let v4 = |address: std::net::IpAddr| match address {
        std::net::IpAddr::V4(address) => address,
        std::net::IpAddr::V6(_) => Ipv4Addr::UNSPECIFIED,
    };
    let v6 = |address: std::net::IpAddr| match address {
        std::net::IpAddr::V4(address) => address.to_ipv6_mapped(),
        std::net::IpAddr::V6(address) => address,
    };
    let detail = match descriptor.kind {
        DescriptorKind::Unknown => DescriptorDetail::Unknown,
        DescriptorKind::File => {
            DescriptorDetail::File { name, open_flags: descriptor.open_flags, device: descriptor.device }
        }
        DescriptorKind::Directory => DescriptorDetail::Directory { name },
        DescriptorKind::Ipv4 => DescriptorDetail::Ipv4 {
            source: v4(tuple.source),
            source_port: tuple.source_port,
            destination: v4(tuple.destination),
            destination_port: tuple.destination_port,
            protocol,
        },
        DescriptorKind::Ipv6 => DescriptorDetail::Ipv6 {
            source: v6(tuple.source),
            source_port: tuple.source_port,
            destination: v6(tuple.destination),
            destination_port: tuple.destination_port,
            protocol,
        },
        DescriptorKind::Ipv4Server => DescriptorDetail::Ipv4Server {
            address: v4(descriptor.tuple.destination),
            port: descriptor.tuple.destination_port,
            protocol,
        },
        DescriptorKind::Ipv6Server => DescriptorDetail::Ipv6Server {
            address: match descriptor.tuple.destination {
                std::net::IpAddr::V6(address) => address,
                std::net::IpAddr::V4(_) => Ipv6Addr::UNSPECIFIED,
            },
            port: descriptor.tuple.destination_port,
            protocol,
        },
        DescriptorKind::Unix => {
            DescriptorDetail::Unix { source: descriptor.unix.0, destination: descriptor.unix.1, name }
        }
        kind => DescriptorDetail::Named { kind: kind.number(), name },
    };
    scap::Descriptor { fd, inode: descriptor.inode, detail }
}
