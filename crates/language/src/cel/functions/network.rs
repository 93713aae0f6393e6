//! IP addresses and CIDR blocks (Kubernetes' libraries "ip" and "cidr").

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use super::{Function, global, method, mismatch};
use crate::cel::error::Fault;
use crate::cel::extension::Extension;
use crate::cel::value::{Outcome, Value};

/// An address. Those with zones are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address(IpAddr);

/// A block of addresses, with the address it was written with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

pub static TABLE: &[Function] = &[
    global("isIP", 1, 1, |_, a| {
        a[0].as_str()
            .map(|text| Value::Bool(Address::parse(text).is_some()))
            .ok_or_else(|| mismatch("isIP", a))
    }),
    global("ip", 1, 1, |_, a| {
        let text = a[0].as_str().ok_or_else(|| mismatch("ip", a))?;
        Address::parse(text).map(address).ok_or_else(|| Fault::error("a text that is no IP address"))
    }),
    global("ip.isCanonical", 1, 1, |_, a| {
        let text = a[0].as_str().ok_or_else(|| mismatch("ip.isCanonical", a))?;
        let address = Address::parse(text).ok_or_else(|| Fault::error("a text that is no IP address"))?;
        Ok(Value::Bool(address.text() == text))
    }),
    method("family", 0, 0, |_, a| of("family", a, |ip| Value::Int(if ip.is_ipv4() { 4 } else { 6 }))),
    method("isUnspecified", 0, 0, |_, a| of("isUnspecified", a, |ip| Value::Bool(ip.is_unspecified()))),
    method("isLoopback", 0, 0, |_, a| of("isLoopback", a, |ip| Value::Bool(ip.is_loopback()))),
    method("isLinkLocalMulticast", 0, 0, |_, a| {
        of("isLinkLocalMulticast", a, |ip| Value::Bool(is_link_local_multicast(ip)))
    }),
    method("isLinkLocalUnicast", 0, 0, |_, a| {
        of("isLinkLocalUnicast", a, |ip| Value::Bool(is_link_local_unicast(ip)))
    }),
    method("isGlobalUnicast", 0, 0, |_, a| of("isGlobalUnicast", a, |ip| Value::Bool(is_global_unicast(ip)))),
    global("isCIDR", 1, 1, |_, a| {
        a[0].as_str()
            .map(|text| Value::Bool(Network::parse(text).is_some()))
            .ok_or_else(|| mismatch("isCIDR", a))
    }),
    global("cidr", 1, 1, |_, a| {
        let text = a[0].as_str().ok_or_else(|| mismatch("cidr", a))?;
        Network::parse(text).map(network).ok_or_else(|| Fault::error("a text that is no CIDR block"))
    }),
    method("containsIP", 1, 1, |_, a| {
        let within = block("containsIP", a)?;
        let address = match &a[1] {
            Value::String(text) => Address::parse(text.as_str()),
            other => as_address(other),
        };
        let address = address.ok_or_else(|| Fault::error("containsIP() of what is no IP address"))?;
        Ok(Value::Bool(within.contains(address.0)))
    }),
    method("containsCIDR", 1, 1, |_, a| {
        let within = block("containsCIDR", a)?;
        let other = match &a[1] {
            Value::String(text) => Network::parse(text.as_str()),
            Value::Extension(extension) => match **extension {
                Extension::Network(network) => Some(network),
                _ => None,
            },
            _ => None,
        };
        let other = other.ok_or_else(|| Fault::error("containsCIDR() of what is no CIDR block"))?;
        Ok(Value::Bool(within.prefix <= other.prefix && within.contains(other.masked().address)))
    }),
    method("ip", 0, 0, |_, a| Ok(address(Address(block("ip", a)?.address)))),
    method("masked", 0, 0, |_, a| Ok(network(block("masked", a)?.masked()))),
    method("prefixLength", 0, 0, |_, a| Ok(Value::Int(i64::from(block("prefixLength", a)?.prefix)))),
];

fn address<'a>(address: Address) -> Value<'a> {
    Value::Extension(Arc::new(Extension::Address(address)))
}

fn network<'a>(network: Network) -> Value<'a> {
    Value::Extension(Arc::new(Extension::Network(network)))
}

fn as_address(value: &Value<'_>) -> Option<Address> {
    match value {
        Value::Extension(extension) => match **extension {
            Extension::Address(address) => Some(address),
            _ => None,
        },
        _ => None,
    }
}

fn of<'a>(name: &str, arguments: &[Value<'a>], of: fn(IpAddr) -> Value<'static>) -> Outcome<'a> {
    as_address(&arguments[0]).map(|address| of(address.0)).ok_or_else(|| mismatch(name, arguments))
}

fn block(name: &str, arguments: &[Value<'_>]) -> Result<Network, Fault> {
    match &arguments[0] {
        Value::Extension(extension) => match **extension {
            Extension::Network(network) => Ok(network),
            _ => Err(mismatch(name, arguments)),
        },
        _ => Err(mismatch(name, arguments)),
    }
}

fn is_link_local_multicast(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.octets()[..3] == [224, 0, 0],
        IpAddr::V6(ip) => ip.segments()[0] & 0xff0f == 0xff02,
    }
}

fn is_link_local_unicast(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.segments()[0] & 0xffc0 == 0xfe80,
    }
}

/// As Go's net/netip has it: private addresses count.
fn is_global_unicast(ip: IpAddr) -> bool {
    let broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
    !(broadcast || ip.is_unspecified() || ip.is_loopback() || ip.is_multicast() || is_link_local_unicast(ip))
}

impl Address {
    pub fn parse(text: &str) -> Option<Self> {
        let address: IpAddr = text.parse().ok()?;
        match address {
            // Written with dots it could be taken for either; in hexadecimal it is the address it maps.
            IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
                Some(_) if text.contains('.') => None,
                Some(mapped) => Some(Self(IpAddr::V4(mapped))),
                None => Some(Self(address)),
            },
            IpAddr::V4(_) => Some(Self(address)),
        }
    }

    pub fn text(&self) -> String {
        self.0.to_string()
    }
}

impl Network {
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/')?;
        let Address(address) = Address::parse(address)?;
        let plain =
            prefix.bytes().all(|byte| byte.is_ascii_digit()) && (prefix == "0" || !prefix.starts_with('0'));
        let prefix: u8 = if plain { prefix.parse().ok()? } else { return None };
        (prefix <= if address.is_ipv4() { 32 } else { 128 }).then_some(Self { address, prefix })
    }

    pub fn text(&self) -> String {
        format!("{}/{}", self.address, self.prefix)
    }

    fn masked(self) -> Self {
        let address = match self.address {
            IpAddr::V4(ip) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0);
                IpAddr::V4((u32::from(ip) & mask).into())
            }
            IpAddr::V6(ip) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix)).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from(u128::from(ip) & mask))
            }
        };
        Self { address, ..self }
    }

    fn contains(self, address: IpAddr) -> bool {
        address.is_ipv4() == self.address.is_ipv4()
            && Self { address, prefix: self.prefix }.masked().address == self.masked().address
    }
}
