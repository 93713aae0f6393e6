//! `fd.*` and `fdlist.*`.

use std::borrow::Cow;
use std::net::IpAddr;
use std::ops::ControlFlow;

use yagura_model::field::{Argument, FieldValue};

use super::names::FieldId;
use super::render::{descriptors, printable};
use super::view::EventView;
use crate::scap::Interface;
use crate::state::{Descriptor, DescriptorKind, L4, Phase, Role};
use crate::table::{ParameterType, signed};

/// One end of a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Client,
    Server,
    Local,
    Remote,
}

impl<'a> EventView<'a> {
    pub(super) fn descriptor_value(&self, id: FieldId, argument: &Argument) -> Option<FieldValue<'a>> {
        if id as u16 >= FieldId::FdlistNums as u16 {
            return self.list_value(id);
        }
        if id == FieldId::FdTypes {
            let mut first = None;
            self.each_type(argument, &mut |value| {
                first = Some(value.into_owned());
                ControlFlow::Break(())
            });
            return first;
        }
        if !self.is_about_descriptor() {
            return None;
        }
        let thread = self.thread()?;
        if id == FieldId::FdNum {
            return Some(FieldValue::Signed(self.applied.fd.unwrap_or(-1)));
        }
        if id == FieldId::FdUid {
            return Some(FieldValue::owned_text(format!("{}{}", thread.tid, self.applied.fd.unwrap_or(-1))));
        }
        let Some(descriptor) = self.descriptor() else { return self.without_descriptor(id) };
        let address = |end| self.end(descriptor, end).map(|(address, _)| FieldValue::Address(address));
        let port = |end| self.end(descriptor, end).map(|(_, port)| FieldValue::Unsigned(u64::from(port)));
        let service =
            |end| self.end(descriptor, end).map(|(_, port)| FieldValue::owned_text(port.to_string()));
        let truth = |value| Some(FieldValue::Boolean(value));
        match id {
            FieldId::FdType => Some(FieldValue::text(descriptor.kind.name())),
            FieldId::FdTypeChar => Some(FieldValue::text(descriptor.kind.letter())),
            FieldId::FdName => {
                // A connection that failed has no name of its own.
                if self.info.key == "SOCKET_CONNECT_X" && self.result().is_some_and(|result| result < 0) {
                    return self.name_from_event().map(|name| FieldValue::Text(Cow::Owned(name)));
                }
                Some(name(descriptor))
            }
            FieldId::FdContainerName => Some(self.contained(&descriptor.name)),
            FieldId::FdDirectory | FieldId::FdContainerDirectory => {
                let directory = match descriptor.kind {
                    DescriptorKind::File => directory(&descriptor.name),
                    DescriptorKind::Directory => &descriptor.name,
                    _ => return None,
                };
                Some(if id == FieldId::FdDirectory {
                    FieldValue::text_bytes(directory)
                } else {
                    self.contained(directory)
                })
            }
            FieldId::FdFilename => (descriptor.kind == DescriptorKind::File)
                .then(|| FieldValue::text_bytes(file_name(&descriptor.name))),
            FieldId::FdIp | FieldId::FdNet => address(End::Client).or_else(|| address(End::Server)),
            FieldId::FdCip | FieldId::FdCnet => address(End::Client),
            FieldId::FdSip | FieldId::FdSnet => address(End::Server),
            FieldId::FdLip | FieldId::FdLnet => address(End::Local),
            FieldId::FdRip | FieldId::FdRnet => address(End::Remote),
            FieldId::FdPort | FieldId::FdProto => port(End::Client).or_else(|| port(End::Server)),
            FieldId::FdCport => port(End::Client),
            FieldId::FdSport => port(End::Server),
            FieldId::FdLport => port(End::Local),
            FieldId::FdRport => port(End::Remote),
            FieldId::FdCproto => service(End::Client),
            FieldId::FdSproto => service(End::Server),
            FieldId::FdLproto => service(End::Local),
            FieldId::FdRproto => service(End::Remote),
            FieldId::FdL4proto => Some(FieldValue::text(l4(descriptor).name())),
            FieldId::FdSockFamily => match descriptor.kind {
                kind if kind.is_ip() => Some(FieldValue::text("ip")),
                DescriptorKind::Unix => Some(FieldValue::text("unix")),
                _ => None,
            },
            FieldId::FdIsServer => truth(
                matches!(descriptor.kind, DescriptorKind::Ipv4Server | DescriptorKind::Ipv6Server)
                    || descriptor.kind.is_connection() && self.is_local(descriptor.tuple.destination),
            ),
            FieldId::FdConnected => truth(descriptor.connected),
            FieldId::FdNameChanged => truth(self.applied.name_changed),
            // Names of addresses are not looked up: an event says what was, not what a server answers now.
            FieldId::FdCipName | FieldId::FdSipName | FieldId::FdLipName | FieldId::FdRipName => None,
            FieldId::FdDev => Some(FieldValue::Unsigned(u64::from(descriptor.device))),
            FieldId::FdDevMajor => Some(FieldValue::Unsigned(u64::from(descriptor.device >> 8 & 0xfff))),
            FieldId::FdDevMinor => {
                let minor = descriptor.device & 0xff | descriptor.device >> 12 & 0xf_ff00;
                Some(FieldValue::Unsigned(u64::from(minor)))
            }
            FieldId::FdIno => Some(FieldValue::Unsigned(descriptor.inode)),
            FieldId::FdNameRaw => {
                let raw = descriptor.raw_name.as_deref()?;
                Some(match single_slashes(raw) {
                    Some(clean) => FieldValue::Text(Cow::Owned(clean)),
                    None => FieldValue::text_bytes(raw),
                })
            }
            FieldId::FdIsUpperLayer => truth(descriptor.upper_layer),
            FieldId::FdIsLowerLayer => truth(descriptor.lower_layer),
            _ => None,
        }
    }

    /// What the event itself tells of a descriptor that is not there, as after a failed `open`.
    fn without_descriptor(&self, id: FieldId) -> Option<FieldValue<'a>> {
        match id {
            FieldId::FdName => self.name_from_event().map(|name| FieldValue::Text(Cow::Owned(name))),
            FieldId::FdContainerName => self.name_from_event().map(|name| self.contained(&name)),
            FieldId::FdDirectory => {
                self.name_from_event().map(|name| FieldValue::Text(Cow::Owned(directory(&name).to_vec())))
            }
            FieldId::FdContainerDirectory => {
                self.name_from_event().map(|name| self.contained(directory(&name)))
            }
            FieldId::FdNameRaw => {
                let index = self.info.parameter_index("name")?;
                if self.phase == Phase::Enter {
                    return None;
                }
                let raw = self.event.text(index)?;
                Some(match single_slashes(raw) {
                    Some(clean) => FieldValue::Text(Cow::Owned(clean)),
                    None => FieldValue::text_bytes(raw),
                })
            }
            FieldId::FdTypeChar => Some(FieldValue::text(match self.info.name {
                "open" | "openat" | "openat2" | "creat" => "f",
                "socket" | "accept" | "accept4" => "4",
                "pipe" => "p",
                "eventfd" => "e",
                "signalfd" => "s",
                "timerfd_create" => "t",
                "inotify_init" => "i",
                _ => "o",
            })),
            _ => None,
        }
    }

    /// The name that a call gave to a descriptor that it did not get.
    fn name_from_event(&self) -> Option<Vec<u8>> {
        if self.phase == Phase::Enter {
            return None;
        }
        match self.info.key {
            "SYSCALL_OPEN_X" | "SYSCALL_CREAT_X" | "SOCKET_ACCEPT_5_X" | "SOCKET_ACCEPT4_6_X"
            | "SOCKET_CONNECT_X" => {
                let parameter = self.info.parameters.get(1)?;
                let rendered = self.render(&self.event, parameter, 1);
                Some(rendered.map(|rendered| rendered.best().into_owned()).unwrap_or_default())
            }
            "SYSCALL_OPENAT_2_X" | "SYSCALL_OPENAT2_X" => {
                let path = self.event.text(2)?;
                Some(self.state.resolve(self.thread()?, self.event.signed(1).unwrap_or(-100), path))
            }
            "SYSCALL_OPEN_BY_HANDLE_AT_X" => self.event.text(3).map(<[u8]>::to_vec),
            _ => Some(Vec::new()),
        }
    }

    fn contained(&self, name: &[u8]) -> FieldValue<'a> {
        let container = self.thread().and_then(|thread| thread.container.as_deref()).unwrap_or_default();
        let mut text = container.as_bytes().to_vec();
        text.push(b':');
        text.extend(printable(name));
        FieldValue::Text(Cow::Owned(text))
    }

    /// Address and port of one end.
    fn end(&self, descriptor: &Descriptor, end: End) -> Option<(IpAddr, u16)> {
        let tuple = descriptor.tuple;
        let (client, server) =
            ((tuple.source, tuple.source_port), (tuple.destination, tuple.destination_port));
        match descriptor.kind {
            DescriptorKind::Ipv4Server | DescriptorKind::Ipv6Server => (end == End::Server).then_some(server),
            kind if kind.is_connection() && descriptor.role != Role::None => Some(match end {
                End::Client => client,
                End::Server => server,
                End::Local if self.is_local(client.0) => client,
                End::Local => server,
                End::Remote if self.is_local(client.0) => server,
                End::Remote => client,
            }),
            _ => None,
        }
    }

    /// Whether an address is this machine's, or that of the container.
    fn is_local(&self, address: IpAddr) -> bool {
        if let Some(container) = self.container()
            && let Ok(ip) = container.ip.parse::<IpAddr>()
            && ip == address
        {
            return true;
        }
        self.state.interfaces.iter().any(|interface| match (interface, address) {
            (Interface::V4 { address: own, .. }, IpAddr::V4(address)) => *own == address,
            // The usual division: 64 bits for the network.
            (Interface::V6 { address: own, .. }, IpAddr::V6(address)) => {
                own.to_bits() >> 64 == address.to_bits() >> 64
            }
            _ => false,
        })
    }

    /// Both ends, where there are two.
    pub(super) fn each_end(&self, id: FieldId, visit: &mut dyn FnMut(FieldValue<'_>) -> ControlFlow<()>) {
        let Some(descriptor) = self.descriptor() else { return };
        for end in [End::Client, End::Server] {
            let Some((address, port)) = self.end(descriptor, end) else { continue };
            let value = match id {
                FieldId::FdIp | FieldId::FdNet => FieldValue::Address(address),
                _ => FieldValue::Unsigned(u64::from(port)),
            };
            if visit(value).is_break() {
                return;
            }
        }
    }

    /// Kinds of the descriptors among the arguments.
    pub(super) fn each_type(
        &self,
        argument: &Argument,
        visit: &mut dyn FnMut(FieldValue<'_>) -> ControlFlow<()>,
    ) {
        let mut show = |fd: i64| {
            if argument.index().is_some_and(|wanted| i64::from(wanted) != fd) {
                return ControlFlow::Continue(());
            }
            match self.descriptor_numbered(fd) {
                Some(descriptor) => visit(FieldValue::text(descriptor.kind.name())),
                None => ControlFlow::Continue(()),
            }
        };
        for (parameter, value) in self.info.parameters.iter().zip(self.event.parameters()) {
            let flow = match parameter.kind {
                ParameterType::Fd | ParameterType::Fd32 => match signed(value) {
                    Some(fd) => show(fd),
                    None => ControlFlow::Continue(()),
                },
                ParameterType::FdList => descriptors(value).try_for_each(|(fd, _)| show(fd)),
                _ => ControlFlow::Continue(()),
            };
            if flow.is_break() {
                return;
            }
        }
    }

    /// What `poll` and `ppoll` were given, with commas.
    fn list_value(&self, id: FieldId) -> Option<FieldValue<'a>> {
        let index =
            self.info.parameters.iter().position(|parameter| parameter.kind == ParameterType::FdList)?;
        let value = self.event.parameter(index).filter(|value| !value.is_empty())?;
        let mut parts: Vec<String> = Vec::new();
        for (fd, _) in descriptors(value) {
            let descriptor = self.descriptor_numbered(fd);
            let end = |end| descriptor.and_then(|descriptor| self.end(descriptor, end));
            let part = match id {
                FieldId::FdlistNums => Some(fd.to_string()),
                FieldId::FdlistNames => Some(descriptor.map_or_else(
                    || "<NA>".to_owned(),
                    |descriptor| String::from_utf8_lossy(&descriptor.name).into_owned(),
                )),
                FieldId::FdlistCips => end(End::Client).map(|(address, _)| address.to_string()),
                FieldId::FdlistSips => end(End::Server).map(|(address, _)| address.to_string()),
                FieldId::FdlistCports => end(End::Client).map(|(_, port)| port.to_string()),
                _ => end(End::Server).map(|(_, port)| port.to_string()),
            };
            parts.extend(part);
        }
        (!parts.is_empty()).then(|| FieldValue::owned_text(parts.join(",")))
    }
}

/// The protocol, where it is known which end is which.
fn l4(descriptor: &Descriptor) -> L4 {
    match descriptor.kind {
        DescriptorKind::Ipv4Server | DescriptorKind::Ipv6Server => descriptor.protocol,
        kind if kind.is_connection() && (descriptor.protocol == L4::Raw || descriptor.role != Role::None) => {
            descriptor.protocol
        }
        _ => L4::Unknown,
    }
}

fn name(descriptor: &Descriptor) -> FieldValue<'_> {
    if descriptor.name.iter().all(|byte| *byte >= 0x20 && *byte != 0x7f) {
        return FieldValue::text_bytes(&descriptor.name);
    }
    FieldValue::Text(Cow::Owned(printable(&descriptor.name).collect()))
}

/// The directory of a file's path.
fn directory(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(0) | None => b"/",
        Some(at) if at + 1 < path.len() => path.get(..at).unwrap_or_default(),
        Some(_) => path,
    }
}

fn file_name(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|byte| *byte == b'/') {
        None => b"/",
        Some(at) if at + 1 < path.len() => path.get(at + 1..).unwrap_or_default(),
        Some(_) => path,
    }
}

/// The path with single slashes, if it has others.
fn single_slashes(path: &[u8]) -> Option<Vec<u8>> {
    if !path.windows(2).any(|pair| pair == b"//") {
        return None;
    }
    let mut clean = path.to_vec();
    clean.dedup_by(|next, before| *next == b'/' && *before == b'/');
    Some(clean)
}
