//! What was known before the first event.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use super::descriptors::{Descriptor, DescriptorKind, L4, Role, Tuple};
use super::threads::{Program, Thread, Unknown, clone_flag, environment};
use super::{Ended, State};
use crate::hashing::NumberMap;
use crate::scap::{self, DescriptorDetail, Item};

impl State {
    /// Takes what a capture, or a look at `/proc`, says; events are not for here.
    pub fn seed(&mut self, item: Item<'_>) {
        match item {
            Item::Section { .. } => self.start_over(),
            Item::Machine(machine) => self.machine = machine,
            Item::Thread(thread) => self.seed_thread(&thread),
            Item::ThreadDetails(details) => self.seed_details(&details),
            Item::Descriptor(tid, descriptor) => self.seed_descriptor(tid, &descriptor),
            Item::Interface(interface) => self.interfaces.push(interface),
            Item::User(user) => self.accounts.add_user(None, user),
            Item::Group(group) => self.accounts.add_group(None, group),
            Item::Event(_) => {}
        }
    }

    /// A new section tells everything anew; what is known of containers stays true.
    fn start_over(&mut self) {
        self.threads = NumberMap::default();
        self.accounts = super::Accounts::default();
        self.interfaces.clear();
        self.server_ports.clear();
        self.ended = Ended::default();
    }

    fn seed_thread(&mut self, entry: &scap::Thread<'_>) {
        let unknown = Unknown::default();
        let env = environment(entry.env).into();
        let program = Program::new(entry.exe.into(), entry.exe_path.into(), entry.args.into(), env);
        let cwd = super::path::join_directory(b"", entry.cwd);
        let mut thread = Thread {
            pid: entry.pid,
            parent: entry.parent,
            virtual_tid: entry.virtual_tid,
            virtual_pid: entry.virtual_pid,
            session: entry.session,
            group: entry.group,
            virtual_group: entry.virtual_group,
            comm: entry.comm.into(),
            program: Arc::new(program),
            cwd: cwd.into(),
            root: entry.root.into(),
            cgroups: entry.cgroups.into(),
            uid: entry.uid,
            gid: entry.gid,
            login_uid: entry.login_uid,
            tty: entry.tty,
            flags: entry.flags | clone_flag::NAME_CHANGED,
            fd_limit: entry.fd_limit,
            cap_inheritable: entry.cap_inheritable,
            cap_permitted: entry.cap_permitted,
            cap_effective: entry.cap_effective,
            exe_writable: entry.exe_writable,
            exe_upper_layer: entry.exe_upper_layer,
            exe_lower_layer: entry.exe_lower_layer,
            exe_from_memfd: entry.exe_from_memfd,
            exe_inode: entry.exe_inode,
            exe_ctime: entry.exe_ctime,
            exe_mtime: entry.exe_mtime,
            start_ts: entry.start_ts,
            pid_namespace_start: entry.pid_namespace_start,
            vm_size_kb: entry.vm_size_kb,
            vm_rss_kb: entry.vm_rss_kb,
            vm_swap_kb: entry.vm_swap_kb,
            major_faults: entry.major_faults,
            minor_faults: entry.minor_faults,
            placeholder: false,
            ..Thread::placeholder(entry.tid, &unknown)
        };
        thread.find_container();
        self.insert(thread);
    }

    /// Fields of a thread that the common entry has no place for.
    fn seed_details(&mut self, details: &scap::Thread<'_>) {
        let Some(thread) = self.threads.get_mut(&details.tid) else { return };
        thread.pid_namespace_start = details.pid_namespace_start;
        thread.tty = details.tty;
        thread.exe_upper_layer = details.exe_upper_layer;
        thread.exe_lower_layer = details.exe_lower_layer;
        thread.exe_from_memfd = details.exe_from_memfd;
        thread.exe_inode = details.exe_inode;
        thread.exe_ctime = details.exe_ctime;
        thread.exe_mtime = details.exe_mtime;
        thread.group = details.group;
        thread.start_ts = details.start_ts;
    }

    fn seed_descriptor(&mut self, tid: i64, entry: &scap::Descriptor<'_>) {
        let Some(descriptor) = descriptor(entry) else { return };
        if matches!(descriptor.kind, DescriptorKind::Ipv4Server | DescriptorKind::Ipv6Server) {
            self.server_ports.insert(descriptor.tuple.destination_port);
        }
        let Some(thread) = self.threads.get_mut(&tid) else { return };
        if !thread.descriptors.insert(entry.fd, Arc::new(descriptor)) {
            self.budget.lost += 1;
        }
        self.added();
    }

    /// Called before the first event: tells servers from clients by the ports on which somebody listens, and counts
    /// threads.
    pub fn seeded(&mut self) {
        let ports = std::mem::take(&mut self.server_ports);
        let mut others: NumberMap<i64, u32> = NumberMap::default();
        for thread in self.threads.values_mut() {
            if !thread.is_leader() {
                *others.entry(thread.pid).or_default() += 1;
            }
            let connections: Vec<i64> = thread
                .descriptors
                .iter()
                .filter(|(_, descriptor)| descriptor.kind == DescriptorKind::Ipv4)
                .map(|(fd, _)| fd)
                .collect();
            for fd in connections {
                let Some(descriptor) = thread.descriptors.change(fd) else { continue };
                if ports.contains(&descriptor.tuple.source_port) {
                    descriptor.tuple = descriptor.tuple.swapped();
                    descriptor.name = descriptor.socket_name().into();
                    descriptor.role = Role::Server;
                } else {
                    descriptor.role = Role::Client;
                }
            }
        }
        for (pid, count) in others {
            if let Some(leader) = self.threads.get_mut(&pid) {
                leader.other_threads = count;
            }
        }
        self.server_ports = ports;
    }
}

fn descriptor(entry: &scap::Descriptor<'_>) -> Option<Descriptor> {
    let connection = |kind, tuple, protocol: u8| {
        let protocol = L4::of(protocol);
        let mut descriptor = Descriptor::new(kind, (&b""[..]).into());
        (descriptor.tuple, descriptor.protocol) = (tuple, protocol);
        descriptor.connected = protocol == L4::Tcp;
        descriptor.name = match protocol {
            // The list of a capture names them by their ports, whatever the protocol.
            L4::Unknown => format!(
                "{}:{}->{}:{}",
                tuple.source, tuple.source_port, tuple.destination, tuple.destination_port
            )
            .into_bytes()
            .into(),
            _ => descriptor.socket_name().into(),
        };
        descriptor
    };
    let mut descriptor = match entry.detail {
        DescriptorDetail::Unknown => return None,
        DescriptorDetail::File { name, open_flags, device } => {
            let mut descriptor = Descriptor::new(DescriptorKind::File, name.into());
            (descriptor.open_flags, descriptor.device) = (open_flags, device);
            descriptor
        }
        DescriptorDetail::Directory { name } => Descriptor::new(DescriptorKind::Directory, name.into()),
        DescriptorDetail::Ipv4 { source, source_port, destination, destination_port, protocol } => {
            let (source, destination) = (source.into(), destination.into());
            connection(
                DescriptorKind::Ipv4,
                Tuple { source, source_port, destination, destination_port },
                protocol,
            )
        }
        DescriptorDetail::Ipv6 { source, source_port, destination, destination_port, protocol } => {
            let (kind, source, destination) = match (as_ipv4(source), as_ipv4(destination)) {
                (Some(source), Some(destination)) => {
                    (DescriptorKind::Ipv4, source.into(), destination.into())
                }
                _ => (DescriptorKind::Ipv6, IpAddr::V6(source), IpAddr::V6(destination)),
            };
            connection(kind, Tuple { source, source_port, destination, destination_port }, protocol)
        }
        DescriptorDetail::Ipv4Server { address, port, protocol } => {
            server(DescriptorKind::Ipv4Server, address.into(), port, protocol)
        }
        DescriptorDetail::Ipv6Server { address, port, protocol } => {
            server(DescriptorKind::Ipv6Server, address.into(), port, protocol)
        }
        DescriptorDetail::Unix { source, destination, name } => {
            let mut descriptor = Descriptor::new(DescriptorKind::Unix, name.into());
            descriptor.unix = (source, destination);
            descriptor.role = if name.is_empty() { Role::Client } else { Role::Server };
            descriptor
        }
        DescriptorDetail::Named { kind, name } => Descriptor::new(DescriptorKind::of(kind), name.into()),
    };
    descriptor.inode = entry.inode;
    descriptor.from_event = false;
    Some(descriptor)
}

fn server(kind: DescriptorKind, address: IpAddr, port: u16, protocol: u8) -> Descriptor {
    let mut descriptor = Descriptor::new(kind, (&b""[..]).into());
    descriptor.tuple.destination = address;
    descriptor.tuple.destination_port = port;
    descriptor.protocol = L4::of(protocol);
    descriptor.name = descriptor.socket_name().into();
    descriptor
}

/// The IPv4 address that an IPv6 one stands for: a mapped one, or none at all.
pub(super) fn as_ipv4(address: std::net::Ipv6Addr) -> Option<Ipv4Addr> {
    address.to_ipv4_mapped().or_else(|| address.is_unspecified().then_some(Ipv4Addr::UNSPECIFIED))
}
