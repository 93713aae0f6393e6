//! Parameters as text.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::symbols;
use super::view::EventView;
use crate::state::{Descriptor, DescriptorKind, L4};
use crate::table::{Detail, Format, Parameter, ParameterType, RawEvent, signed, table, unsigned, until_nul};

/// Bytes of data that are shown with all arguments.
const MAX_SHOWN_BYTES: usize = 80;
/// The working directory in the place of a descriptor.
const AT_FDCWD: i64 = -100;

/// A parameter as text: as it is, and as it is understood where that is something else.
pub(super) struct Rendered<'a> {
    pub plain: Cow<'a, [u8]>,
    pub resolved: Option<Cow<'a, [u8]>>,
}

impl<'a> Rendered<'a> {
    fn plain(text: impl Into<Cow<'a, [u8]>>) -> Self {
        Self { plain: text.into(), resolved: None }
    }

    fn number(number: impl ToString) -> Self {
        Self { plain: number.to_string().into_bytes().into(), resolved: None }
    }

    fn or(mut self, resolved: Option<impl Into<Cow<'a, [u8]>>>) -> Self {
        self.resolved = resolved.map(Into::into).filter(|resolved: &Cow<'a, [u8]>| !resolved.is_empty());
        self
    }

    /// The understood text, or else the plain one.
    pub fn best(self) -> Cow<'a, [u8]> {
        self.resolved.unwrap_or(self.plain)
    }
}

fn text(name: &str) -> Vec<u8> {
    name.as_bytes().to_vec()
}

impl<'a> EventView<'a> {
    /// One parameter of an event; nothing if it is not there or empty.
    pub(super) fn render(
        &self,
        event: &RawEvent<'a>,
        parameter: &Parameter,
        index: usize,
    ) -> Option<Rendered<'a>> {
        let bytes = event.parameter(index)?;
        let (mut kind, mut format, mut value) = (parameter.kind, parameter.format, bytes);
        if let Detail::Dynamic(number) = parameter.detail
            && let Some((first, rest)) = bytes.split_first()
            && let Some((inner, _)) = table().dynamic(number, *first)
        {
            (kind, format, value) = (inner, parameter.format, rest);
        }
        if kind.width() != 0 && value.len() < kind.width() {
            return None;
        }
        self.render_value(event, parameter, kind, format, value)
    }

    fn render_value(
        &self,
        event: &RawEvent<'a>,
        parameter: &Parameter,
        kind: ParameterType,
        format: Format,
        value: &'a [u8],
    ) -> Option<Rendered<'a>> {
        use ParameterType as P;
        Some(match kind {
            P::Int8 | P::Int16 | P::Int32 | P::Int64 => {
                let number = signed(value)?;
                match format {
                    Format::Hexadecimal | Format::Octal => {
                        let mask = u64::MAX
                            .checked_shr(64 - 8 * u32::try_from(value.len()).unwrap_or(8))
                            .unwrap_or(0);
                        Rendered::plain(formatted(number.cast_unsigned() & mask, format))
                    }
                    _ => Rendered::number(number),
                }
            }
            P::Uint8
            | P::Uint16
            | P::Uint32
            | P::Uint64
            | P::Port
            | P::L4Protocol
            | P::SocketFamily
            | P::SignalSet => Rendered::plain(formatted(unsigned(value)?, format)),
            P::Bool => Rendered::plain(text(if unsigned(value)? != 0 { "true" } else { "false" })),
            P::Double => Rendered::number(f64::from_bits(unsigned(value)?)),
            P::Errno => {
                let number = signed(value)?;
                let name = if number < 0 { symbols::error(number.saturating_neg()) } else { None };
                // Addresses are results, too.
                let plain = match (format, u64::try_from(number)) {
                    (Format::Hexadecimal, Ok(address)) => Rendered::plain(formatted(address, format)),
                    _ => Rendered::number(number),
                };
                plain.or(name.map(text))
            }
            P::Fd | P::Fd32 => {
                let number = signed(value)?;
                Rendered::number(number).or(self.render_descriptor(number))
            }
            P::Pid | P::Pid32 => {
                let number = signed(value)?;
                let name = self.state.thread(number).map(|thread| thread.comm.to_vec());
                Rendered::number(number).or(name)
            }
            P::Text => Rendered::plain(until_nul(value)),
            P::Path | P::RelativePath => self.render_path(event, parameter, value),
            P::Bytes => Rendered::plain(dots(value)),
            P::SocketAddress => Rendered::plain(socket_address(value)),
            P::SocketTuple => Rendered::plain(socket_tuple(value)),
            P::FdList => Rendered::plain(self.render_list(value)),
            P::SyscallId => {
                let number = unsigned(value)?;
                let name = u16::try_from(number).ok().and_then(|number| table().syscall(number));
                match name {
                    Some(name) => Rendered::number(number).or(Some(text(name))),
                    None => Rendered::plain(text("<unknown syscall>")),
                }
            }
            P::Signal => {
                let number = unsigned(value)?;
                let name = u8::try_from(number).ok().and_then(symbols::signal);
                Rendered::number(number).or(name.map(text))
            }
            P::RelativeTime => match unsigned(value)? {
                u64::MAX => Rendered::plain(text("none")),
                number => Rendered::number(number)
                    .or(Some(format!("{}s", general(number as f64 / 1e9)).into_bytes())),
            },
            P::AbsoluteTime => Rendered::number(unsigned(value)?),
            P::Flags8 | P::Flags16 | P::Flags32 | P::Enum8 | P::Enum16 | P::Enum32 | P::Mode => {
                let number = unsigned(value)? as u32;
                let exact = matches!(kind, P::Enum8 | P::Enum16 | P::Enum32);
                let plain = if kind == P::Mode {
                    formatted(number.into(), format)
                } else {
                    text(&number.to_string())
                };
                Rendered::plain(plain).or(flags(parameter.detail, number, exact))
            }
            P::Uid | P::Gid => {
                let number = unsigned(value)? as u32;
                if number == u32::MAX {
                    Rendered::plain(text("-1")).or(Some(text("<NONE>")))
                } else {
                    let name = self.account_name(number, kind == P::Uid).unwrap_or("<NA>");
                    Rendered::number(number).or(Some(text(name)))
                }
            }
            P::Ipv4Address | P::Ipv6Address | P::IpAddress => {
                let address = address(value)?;
                Rendered::number(address)
            }
            P::TextArray => {
                let joined: Vec<&[u8]> =
                    value.split(|byte| *byte == 0).filter(|part| !part.is_empty()).collect();
                Rendered::plain(joined.join(&b'.'))
            }
            P::None | P::Dynamic | P::TextPairArray | P::Ipv4Network | P::Ipv6Network | P::IpNetwork => {
                Rendered::plain(text("INVALID DYNAMIC PARAMETER"))
            }
        })
    }

    pub(super) fn account_name(&self, id: u32, user: bool) -> Option<&'a str> {
        let accounts = &self.state.accounts;
        let container = self.thread().and_then(|thread| thread.container.as_ref());
        let known = |container| {
            if user {
                accounts.user(container, id).map(|user| user.name.as_str())
            } else {
                accounts.group(container, id).map(|group| group.name.as_str())
            }
        };
        // Whoever has id 0 is root, whether a list says so or not.
        known(container).or_else(|| (id == 0).then_some("root"))
    }

    /// `<f>/path`, `<4t>ends`: the kind and the name of a descriptor, or the name of an error.
    fn render_descriptor(&self, fd: i64) -> Option<Vec<u8>> {
        self.thread()?;
        if fd >= 0 {
            let descriptor = self.descriptor_numbered(fd)?;
            let mut shown = vec![b'<'];
            shown.extend_from_slice(descriptor.kind.letter().as_bytes());
            if let Some(letter) = protocol_letter(descriptor) {
                shown.push(letter);
            }
            shown.push(b'>');
            shown.extend(printable(&descriptor.name));
            return Some(shown);
        }
        if fd == AT_FDCWD {
            return Some(text("AT_FDCWD"));
        }
        symbols::error(fd.saturating_neg()).map(text)
    }

    /// A path as it was given and, if it is relative, as it is meant.
    fn render_path(&self, event: &RawEvent<'a>, parameter: &Parameter, value: &'a [u8]) -> Rendered<'a> {
        let path = until_nul(value);
        let plain = Rendered::plain(printable(path).collect::<Vec<u8>>());
        if path.is_empty() || path.starts_with(b"/") || path.starts_with(b"<NA>") {
            return plain;
        }
        let Some(thread) = self.thread() else { return plain };
        let fd = super::catalogue::directory_of(parameter.detail)
            .map_or(Some(AT_FDCWD), |index| event.signed(index));
        let resolved = self.state.resolve(thread, fd.unwrap_or(AT_FDCWD), path);
        plain.or(Some(resolved))
    }

    fn render_list(&self, value: &[u8]) -> Vec<u8> {
        let mut parts = Vec::new();
        for (fd, flags) in descriptors(value) {
            let letter = self.descriptor_numbered(fd).map_or("?", |descriptor| descriptor.kind.letter());
            parts.push(format!("{fd}:{letter}{flags:x}"));
        }
        parts.join(" ").into_bytes()
    }

    /// All arguments, each as `name=value ` or `name=value(what it means) `.
    pub(super) fn render_all(&self, event: &RawEvent<'a>, parameters: &[Parameter]) -> Vec<u8> {
        let mut line = Vec::new();
        for (index, parameter) in parameters.iter().enumerate().take(event.count()) {
            line.extend_from_slice(parameter.name.as_bytes());
            line.push(b'=');
            if let Some(rendered) = self.render(event, parameter, index) {
                let plain = rendered.plain.as_ref();
                match plain.get(..MAX_SHOWN_BYTES - 3) {
                    Some(start)
                        if parameter.kind == ParameterType::Bytes && plain.len() > MAX_SHOWN_BYTES =>
                    {
                        line.extend_from_slice(start);
                        line.extend_from_slice(b"...");
                    }
                    _ => line.extend_from_slice(plain),
                }
                if let Some(resolved) = rendered.resolved {
                    line.push(b'(');
                    line.extend_from_slice(&resolved);
                    line.push(b')');
                }
            } else if matches!(parameter.kind, ParameterType::SocketTuple | ParameterType::SocketAddress) {
                line.extend_from_slice(b"NULL");
            }
            line.push(b' ');
        }
        line
    }
}

pub(super) fn protocol_letter(descriptor: &Descriptor) -> Option<u8> {
    let known = match descriptor.kind {
        DescriptorKind::Ipv4 | DescriptorKind::Ipv6 => {
            descriptor.role != crate::state::Role::None || descriptor.protocol == L4::Raw
        }
        DescriptorKind::Ipv4Server | DescriptorKind::Ipv6Server => true,
        _ => false,
    };
    match descriptor.protocol {
        L4::Tcp if known => Some(b't'),
        L4::Udp if known => Some(b'u'),
        L4::Icmp if known => Some(b'i'),
        L4::Raw if known => Some(b'r'),
        _ => None,
    }
}

/// Descriptors of a list parameter, with their flags.
pub(super) fn descriptors(value: &[u8]) -> impl Iterator<Item = (i64, u32)> {
    let (count, rest) = value
        .split_first_chunk::<2>()
        .map_or((0, &[][..]), |(count, rest)| (usize::from(u16::from_le_bytes(*count)), rest));
    rest.chunks_exact(10).take(count).map(|entry| {
        let fd = entry.get(..8).and_then(signed).unwrap_or(-1);
        let flags = entry.get(8..).and_then(signed).unwrap_or(0);
        (fd, flags as u32)
    })
}

pub(super) fn formatted(number: u64, format: Format) -> Vec<u8> {
    match format {
        Format::Hexadecimal => format!("{number:X}"),
        Format::Octal if number == 0 => "0".to_owned(),
        Format::Octal => format!("0{number:o}"),
        Format::PaddedDecimal => format!("{number:09}"),
        _ => number.to_string(),
    }
    .into_bytes()
}

/// A number as C's `%lg` prints it: six significant digits without zeros at the end.
pub(super) fn general(number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let exponent = number.abs().log10().floor() as i32;
    if !(-4..6).contains(&exponent) {
        let mantissa = format!("{:.5}", number / 10f64.powi(exponent));
        let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.').to_owned();
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    let decimals = usize::try_from(5 - exponent).unwrap_or(0);
    let text = format!("{number:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Names of the flags in a number, or of the one value that it is.
pub(super) fn flags(detail: Detail, number: u32, exact: bool) -> Option<Vec<u8>> {
    let Detail::Flags(table_number) = detail else { return None };
    let known = &table().flag_table(table_number)?.flags;
    if let Some(whole) = known.iter().find(|flag| flag.value == number)
        && exact
    {
        return Some(text(whole.name));
    }
    if exact {
        return None;
    }
    let mut names: Vec<&str> = Vec::new();
    let mut left = number;
    for flag in known {
        if flag.value == number {
            names.push(flag.name);
            break;
        }
        if flag.value != 0 && left & flag.value == flag.value && left != 0 {
            names.push(flag.name);
            left &= !flag.value;
        }
    }
    Some(text(&names.join("|")))
}

/// What cannot be printed is a dot.
pub(super) fn dots(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| if (0x20..0x7f).contains(byte) { *byte } else { b'.' }).collect()
}

/// Without what cannot be printed.
pub(super) fn printable(bytes: &[u8]) -> impl Iterator<Item = u8> {
    bytes.iter().copied().filter(|byte| *byte >= 0x20 && *byte != 0x7f)
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => Some(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?).into()),
        16 => Some(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).into()),
        _ => None,
    }
}

fn endpoint(bytes: &[u8]) -> Option<(IpAddr, u64)> {
    let (start, port) = bytes.split_at_checked(bytes.len().checked_sub(2)?)?;
    Some((address(start)?, unsigned(port)?))
}

fn socket_address(value: &[u8]) -> Vec<u8> {
    match value.split_first() {
        None => text("NULL"),
        Some((1, path)) => printable(until_nul(path)).collect(),
        Some((2 | 10, rest)) => match endpoint(rest) {
            Some((address, port)) => text(&format!("{address}:{port}")),
            None => text("INVALID ADDRESS"),
        },
        Some((family, _)) => text(&format!("family {family}")),
    }
}

fn socket_tuple(value: &[u8]) -> Vec<u8> {
    match value.split_first() {
        None => text("NULL"),
        Some((family @ (2 | 10), rest)) => {
            let half = if *family == 2 { 6 } else { 18 };
            let ends = rest.split_at_checked(half).and_then(|(source, destination)| {
                Some((endpoint(source)?, endpoint(destination.get(..half)?)?))
            });
            match ends {
                Some(((source, source_port), (destination, destination_port))) => {
                    let shown = |address: IpAddr| match address {
                        IpAddr::V6(address) => address
                            .to_ipv4_mapped()
                            .filter(|_| is_mapped(source) && is_mapped(destination))
                            .map_or(IpAddr::V6(address), IpAddr::V4),
                        address => address,
                    };
                    let (source, destination) = (shown(source), shown(destination));
                    text(&format!("{source}:{source_port}->{destination}:{destination_port}"))
                }
                None => text("INVALID ADDRESS"),
            }
        }
        Some((1, rest)) => {
            let number = |range| rest.get(range).and_then(unsigned).unwrap_or(0);
            let mut name = format!("{:x}->{:x} ", number(0..8), number(8..16)).into_bytes();
            name.extend(printable(until_nul(rest.get(16..).unwrap_or_default())));
            name
        }
        Some((family, _)) => text(&format!("family {family}")),
    }
}

fn is_mapped(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => true,
        IpAddr::V6(address) => address.to_ipv4_mapped().is_some() || address.is_unspecified(),
    }
}
