//! Sockets are made, bound, connected; who is at their ends becomes known.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::State;
use super::descriptors::{Descriptor, DescriptorKind, L4, Role, Tuple};
use super::dispatch::Applied;
use super::seed::as_ipv4;
use crate::scap::Interface;
use crate::table::RawEvent;

/// Families, as captures number them.
const AF_UNIX: u8 = 1;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const AF_NETLINK: u8 = 16;
/// Types of sockets without the bits for flags.
const SOCK_STREAM: u64 = 1;
const SOCK_DGRAM: u64 = 2;
const SOCK_RAW: u64 = 3;
const EINPROGRESS: i64 = -115;

/// The ends in a parameter: a family, then addresses and ports of client and server, or kernel addresses and a path.
enum Ends<'a> {
    Ip(DescriptorKind, Tuple),
    Unix { source: u64, destination: u64, path: &'a [u8] },
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => Some(IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?))),
        16 => Some(IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?))),
        _ => None,
    }
}

fn port(bytes: &[u8]) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.try_into().ok()?))
}

/// Reads a tuple parameter.
fn ends(bytes: &[u8]) -> Option<Ends<'_>> {
    let (family, rest) = bytes.split_first()?;
    let width = match *family {
        AF_INET => 4,
        AF_INET6 => 16,
        AF_UNIX => {
            let number = |range| rest.get(range).and_then(crate::table::unsigned);
            return Some(Ends::Unix {
                source: number(0..8)?,
                destination: number(8..16)?,
                path: crate::table::until_nul(rest.get(16..)?),
            });
        }
        _ => return None,
    };
    let tuple = Tuple {
        source: ip(rest.get(..width)?)?,
        source_port: port(rest.get(width..width + 2)?)?,
        destination: ip(rest.get(width + 2..2 * width + 2)?)?,
        destination_port: port(rest.get(2 * width + 2..2 * width + 4)?)?,
    };
    Some(match (tuple.source, tuple.destination) {
        (IpAddr::V6(source), IpAddr::V6(destination)) => match (as_ipv4(source), as_ipv4(destination)) {
            (Some(source), Some(destination)) => Ends::Ip(
                DescriptorKind::Ipv4,
                Tuple { source: source.into(), destination: destination.into(), ..tuple },
            ),
            _ => Ends::Ip(DescriptorKind::Ipv6, tuple),
        },
        _ => Ends::Ip(DescriptorKind::Ipv4, tuple),
    })
}

fn protocol(kind: u64, number: u64) -> L4 {
    let raw = |protocol| if kind == SOCK_RAW { L4::Raw } else { protocol };
    match number {
        6 => raw(L4::Tcp),
        17 => raw(L4::Udp),
        1 => raw(L4::Icmp),
        0 => match kind & 0xff {
            SOCK_STREAM => L4::Tcp,
            SOCK_DGRAM => L4::Udp,
            _ => L4::Unknown,
        },
        255 => L4::Raw,
        _ => L4::Unknown,
    }
}

impl State {
    pub(super) fn made_socket(&mut self, event: &RawEvent<'_>, applied: &mut Applied) {
        applied.fd = None;
        let Some(fd) = event.signed(0).filter(|fd| *fd >= 0) else { return };
        let (Some(domain), Some(kind), Some(number)) =
            (event.unsigned(1), event.unsigned(2), event.unsigned(3))
        else {
            return;
        };
        self.add_socket(event.tid, fd, domain, kind, number, applied);
    }

    fn add_socket(&mut self, tid: i64, fd: i64, domain: u64, kind: u64, number: u64, applied: &mut Applied) {
        let descriptor_kind = match u8::try_from(domain) {
            Ok(AF_UNIX) => DescriptorKind::Unix,
            Ok(AF_INET) => DescriptorKind::Ipv4,
            Ok(AF_INET6) => DescriptorKind::Ipv6,
            Ok(AF_NETLINK) => DescriptorKind::Netlink,
            _ => return,
        };
        let mut descriptor = Descriptor::new(descriptor_kind, (&b""[..]).into());
        if descriptor_kind.is_ip() {
            descriptor.protocol = protocol(kind, number);
            if descriptor_kind == DescriptorKind::Ipv6 {
                let none = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
                (descriptor.tuple.source, descriptor.tuple.destination) = (none, none);
            }
        }
        self.add_descriptor(tid, fd, Arc::new(descriptor), Some(applied));
    }

    pub(super) fn made_socket_pair(&mut self, event: &RawEvent<'_>, applied: &mut Applied) {
        if event.signed(0).is_none_or(|result| result < 0) {
            return;
        }
        let mut descriptor = Descriptor::new(DescriptorKind::Unix, (&b""[..]).into());
        descriptor.unix = (event.unsigned(3).unwrap_or(0), event.unsigned(4).unwrap_or(0));
        let descriptor = Arc::new(descriptor);
        // The event is about the first of the two.
        for index in [2, 1] {
            if let Some(fd) = event.signed(index).filter(|fd| *fd >= 0) {
                self.add_descriptor(event.tid, fd, descriptor.clone(), Some(applied));
            }
        }
    }

    pub(super) fn bound(&mut self, event: &RawEvent<'_>, applied: &mut Applied) {
        let (Some(fd), Some(0..), Some(address)) = (applied.fd, event.signed(0), event.parameter(1)) else {
            return;
        };
        let Some((family, rest)) = address.split_first() else { return };
        let width = match *family {
            AF_INET => 4,
            AF_INET6 => 16,
            AF_UNIX => {
                let path = crate::table::until_nul(rest);
                if let Some(descriptor) = self.change_descriptor(event.tid, fd) {
                    descriptor.name = path.into();
                    applied.name_changed = true;
                }
                return;
            }
            _ => return,
        };
        let (Some(mut address), Some(port)) =
            (rest.get(..width).and_then(ip), rest.get(width..width + 2).and_then(port))
        else {
            return;
        };
        let Some(descriptor) = self.change_descriptor(event.tid, fd) else { return };
        let shown = address;
        if let IpAddr::V6(v6) = address
            && let Some(v4) = as_ipv4(v6)
        {
            address = v4.into();
        }
        if port > 0 {
            descriptor.kind =
                if address.is_ipv4() { DescriptorKind::Ipv4Server } else { DescriptorKind::Ipv6Server };
            descriptor.tuple.destination = address;
            descriptor.tuple.destination_port = port;
            descriptor.role = Role::Server;
        }
        let name = format!("{shown}:{port}").into_bytes();
        applied.name_changed = *descriptor.name != *name;
        descriptor.name = name.into();
    }

    pub(super) fn connected(&mut self, event: &RawEvent<'_>, applied: &mut Applied) {
        let (Some(fd), Some(result)) = (applied.fd, event.signed(0)) else { return };
        if result < 0 && result != EINPROGRESS {
            return;
        }
        // One that takes its time counts as connected until the contrary is known, as it does for Falco.
        if let Some(descriptor) = self.change_descriptor(event.tid, fd) {
            (descriptor.connected, descriptor.pending) = (true, result == EINPROGRESS);
        }
        let Some(ends) = event.parameter(1).and_then(ends) else { return };
        let Some(descriptor) = self.change_descriptor(event.tid, fd) else { return };
        match ends {
            Ends::Ip(kind, tuple) => {
                descriptor.kind = kind;
                let changed = update(descriptor, tuple, false);
                if changed && descriptor.role == Role::Server && descriptor.protocol == L4::Udp {
                    descriptor.tuple = descriptor.tuple.swapped();
                }
                let name = descriptor.socket_name();
                applied.name_changed = *descriptor.name != *name;
                descriptor.name = name.into();
            }
            Ends::Unix { source, destination, path } => {
                descriptor.kind = DescriptorKind::Unix;
                descriptor.unix = (source, destination);
                let name = unix_name(source, destination, path);
                applied.name_changed = *descriptor.name != *name;
                descriptor.name = name.into();
            }
        }
        if descriptor.role == Role::None {
            descriptor.role = Role::Client;
        }
    }

    pub(super) fn accepted(&mut self, event: &RawEvent<'_>, applied: &mut Applied) {
        applied.fd = None;
        let Some(fd) = event.signed(0).filter(|fd| *fd >= 0) else { return };
        let Some(ends) = event.parameter(1).and_then(ends) else { return };
        let mut descriptor = match ends {
            Ends::Ip(kind, tuple) => {
                let mut descriptor = Descriptor::new(kind, (&b""[..]).into());
                (descriptor.tuple, descriptor.protocol) = (tuple, L4::Tcp);
                descriptor.name = descriptor.socket_name().into();
                descriptor
            }
            Ends::Unix { source, destination, path } => {
                let mut descriptor =
                    Descriptor::new(DescriptorKind::Unix, unix_name(source, destination, path).into());
                descriptor.unix = (source, destination);
                descriptor
            }
        };
        (descriptor.role, descriptor.connected) = (Role::Server, true);
        applied.name_changed = true;
        self.add_descriptor(event.tid, fd, Arc::new(descriptor), Some(applied));
    }

    /// Data came or went: a socket without a connection is at new ends with each message.
    pub(super) fn transferred(
        &mut self,
        event: &RawEvent<'_>,
        tuple: usize,
        incoming: bool,
        applied: &mut Applied,
    ) {
        let (Some(fd), Some(0..)) = (applied.fd, event.signed(0)) else { return };
        let Some(told) = event.parameter(tuple).and_then(ends) else {
            if let Some(descriptor) = self.change_ip(event.tid, fd) {
                descriptor.connected = true;
            }
            return;
        };
        if !incoming {
            self.infer_socket(event, tuple, applied);
        }
        let Some(descriptor) = self.change_descriptor(event.tid, fd) else { return };
        if descriptor.kind.is_connection() {
            descriptor.connected = true;
        }
        if !descriptor.name.is_empty() && descriptor.protocol == L4::Tcp {
            return;
        }
        let before = descriptor.name.clone();
        match told {
            Ends::Ip(kind, tuple) => {
                if kind == DescriptorKind::Ipv4 {
                    descriptor.kind = kind;
                }
                if !update(descriptor, tuple, true) {
                    return;
                }
                if descriptor.protocol == L4::Unknown {
                    descriptor.protocol = L4::Udp;
                }
                self.complete_address(event.tid, fd);
                self.guess_role(event.tid, fd, incoming);
                let Some(descriptor) = self.change_descriptor(event.tid, fd) else { return };
                // Received messages come from the other end, sent ones from this one.
                let other = if incoming { Role::Client } else { Role::Server };
                if descriptor.role == other {
                    descriptor.tuple = descriptor.tuple.swapped();
                }
                let name = descriptor.socket_name();
                applied.name_changed = *before != *name;
                descriptor.name = name.into();
            }
            Ends::Unix { source, destination, path } => {
                descriptor.kind = DescriptorKind::Unix;
                descriptor.unix = (source, destination);
                let name = unix_name(source, destination, path);
                applied.name_changed = *before != *name;
                descriptor.name = name.into();
            }
        }
    }

    /// A message over a socket whose making was not seen tells what it is.
    pub(super) fn infer_socket(&mut self, event: &RawEvent<'_>, tuple: usize, applied: &mut Applied) {
        let (Some(fd), Some(thread)) = (applied.fd, self.threads.get(&event.tid)) else { return };
        if !applied.complete || self.descriptor(thread, fd).is_some() {
            return;
        }
        if let Some(Ends::Ip(kind, _)) = event.parameter(tuple).and_then(ends) {
            let domain = if kind == DescriptorKind::Ipv4 { AF_INET } else { AF_INET6 };
            self.add_socket(event.tid, fd, u64::from(domain), SOCK_DGRAM, 17, applied);
        }
    }

    fn change_ip(&mut self, tid: i64, fd: i64) -> Option<&mut Descriptor> {
        let thread = self.threads.get(&tid)?;
        let descriptor = self.descriptor(thread, fd)?;
        if !descriptor.kind.is_connection() || descriptor.connected {
            return None;
        }
        self.change_descriptor(tid, fd)
    }

    /// Fills in the address of this machine where an end is not told.
    fn complete_address(&mut self, tid: i64, fd: i64) {
        let interfaces = std::mem::take(&mut self.interfaces);
        if let Some(descriptor) = self.change_descriptor(tid, fd) {
            let Tuple { source, source_port, destination, destination_port } = descriptor.tuple;
            let (missing_source, missing_destination) =
                (source.is_unspecified(), destination.is_unspecified());
            if missing_source {
                if let Some(address) = local_address(&interfaces, destination)
                    && !(address == destination && source_port == destination_port)
                {
                    descriptor.tuple.source = address;
                }
            } else if missing_destination
                && let Some(address) = local_address(&interfaces, source)
                && !(address == source && source_port == destination_port)
            {
                descriptor.tuple.destination = address;
            }
        }
        self.interfaces = interfaces;
    }

    /// A process that is bound to the port is the server, unless it uses the other port as a client, too.
    fn guess_role(&mut self, tid: i64, fd: i64, incoming: bool) {
        let Some(thread) = self.threads.get(&tid) else { return };
        let leader = self.leader(thread).unwrap_or(thread);
        let Some(descriptor) = leader.descriptors.get(fd).filter(|descriptor| descriptor.role == Role::None)
        else {
            return;
        };
        let tuple = descriptor.tuple;
        let (mut bound, mut client) = (false, false);
        for (_, other) in leader.descriptors.iter() {
            match other.kind {
                DescriptorKind::Ipv4 => {
                    bound |=
                        other.tuple.destination_port == tuple.destination_port && other.role == Role::Server;
                    client |= other.tuple.source_port == tuple.source_port && other.role == Role::Client;
                }
                DescriptorKind::Ipv4Server => bound |= other.tuple.destination_port == tuple.destination_port,
                _ => {}
            }
        }
        let role = if !bound {
            Role::Client
        } else if !client || incoming {
            Role::Server
        } else {
            Role::Client
        };
        if let Some(descriptor) = self.change_descriptor(tid, fd) {
            descriptor.role = role;
        }
    }

    /// `getsockopt(SO_ERROR)` tells how a connection that took its time ended.
    pub(super) fn asked_socket(&mut self, event: &RawEvent<'_>, applied: &Applied) {
        /// The level and the option, as captures number them.
        const SOL_SOCKET: u64 = 1;
        const SO_ERROR: u64 = 4;
        let Some(fd) = applied.fd else { return };
        if event.signed(0) != Some(0)
            || event.unsigned(2) != Some(SOL_SOCKET)
            || event.unsigned(3) != Some(SO_ERROR)
        {
            return;
        }
        let error = event.parameter(4).and_then(|value| value.get(1..)).and_then(crate::table::unsigned);
        if let Some(descriptor) = self.change_descriptor(event.tid, fd) {
            descriptor.pending = false;
            descriptor.connected = error == Some(0);
        }
    }
}

/// Sets the ends; says whether they were others before. A tuple that is the same from the other side is the same.
fn update(descriptor: &mut Descriptor, told: Tuple, overwrite: bool) -> bool {
    let known = descriptor.tuple;
    if told == known || told.swapped() == known {
        return false;
    }
    let mut tuple = Tuple { source: told.source, source_port: told.source_port, ..known };
    if overwrite || known.destination.is_unspecified() {
        tuple.destination = told.destination;
    }
    if overwrite || known.destination_port == 0 {
        tuple.destination_port = told.destination_port;
    }
    descriptor.tuple = tuple;
    tuple != known
}

/// Unix sockets are named by the kernel addresses of their ends and by their path.
pub(crate) fn unix_name(source: u64, destination: u64, path: &[u8]) -> Vec<u8> {
    let mut name = format!("{source:x}->{destination:x}").into_bytes();
    if !path.is_empty() {
        name.push(b' ');
        name.extend_from_slice(path);
    }
    name
}

/// The address of this machine by which `other` is reached, as far as the interfaces tell.
fn local_address(interfaces: &[Interface], other: IpAddr) -> Option<IpAddr> {
    match other {
        IpAddr::V4(other) => {
            let all = || {
                interfaces.iter().filter_map(|interface| match interface {
                    Interface::V4 { address, netmask, .. } => Some((*address, *netmask)),
                    Interface::V6 { .. } => None,
                })
            };
            all()
                .find(|(address, _)| *address == other)
                .or_else(|| {
                    all().find(|(address, mask)| {
                        address.to_bits() & mask.to_bits() == other.to_bits() & mask.to_bits()
                    })
                })
                .or_else(|| all().find(|(address, _)| !address.is_loopback()))
                .map(|(address, _)| address.into())
        }
        IpAddr::V6(other) => {
            let all = || {
                interfaces.iter().filter_map(|interface| match interface {
                    Interface::V6 { address, .. } => Some(*address),
                    Interface::V4 { .. } => None,
                })
            };
            // The usual division: 64 bits for the network.
            all()
                .find(|address| *address == other)
                .or_else(|| all().find(|address| address.to_bits() >> 64 == other.to_bits() >> 64))
                .or_else(|| all().find(|address| !address.is_loopback()))
                .map(IpAddr::from)
        }
    }
}
