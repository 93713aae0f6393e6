//! IP networks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Call, Function, MANY, row};
use crate::terraform::value::{Failed, Outcome};

pub(super) const FUNCTIONS: &[Function] = &[
    row("cidrhost", 2, 2, |call| {
        let network = Network::parse(&call.text(0)?)?;
        let host = i128::from(call.integer(1)?);
        let room = network.room(network.bits);
        let beyond = "the network has no such host";
        let offset = match u128::try_from(host) {
            Ok(offset) => offset,
            Err(_) => room.checked_sub(host.unsigned_abs() - 1).ok_or(beyond)?,
        };
        if offset > room {
            return Err(beyond.to_owned());
        }
        call.give_text(network.address(network.base | offset).to_string())
    }),
    row("cidrnetmask", 1, 1, |call| {
        let network = Network::parse(&call.text(0)?)?;
        if network.width != 32 {
            return Err("an IPv4 network is required".to_owned());
        }
        call.give_text(network.address(u128::from(u32::MAX) & !network.room(network.bits)).to_string())
    }),
    row("cidrsubnet", 3, 3, |call| {
        let network = Network::parse(&call.text(0)?)?;
        let number = u128::try_from(call.integer(2)?).map_err(|_| "the number is negative")?;
        call.give_text(network.subnet(bits(call, 1)?, number)?.to_string())
    }),
    row("cidrsubnets", 1, MANY, subnets),
];

/// Consecutive subnets, each at the first place that is large enough.
fn subnets(call: &Call<'_>) -> Outcome {
    let network = Network::parse(&call.text(0)?)?;
    let mut next = Some(network.base);
    let mut found = Vec::new();
    for at in 1..call.arguments.len() {
        let length = network.longer(bits(call, at)?)?;
        let room = network.room(length);
        let full = "the network has no room left";
        let base = next.ok_or(full)?.checked_add(room).ok_or(full)? & !room;
        if base > network.base | network.room(network.bits) {
            return Err(full.to_owned());
        }
        found.push(Network { base, bits: length, ..network }.to_string());
        next = base.checked_add(room).and_then(|last| last.checked_add(1));
    }
    call.give_texts(found)
}

/// `count` consecutive subnets with `host_bits` bits for hosts (8 where none are given), as CloudFormation's `Cidr`.
pub fn subnets_of(block: &str, count: u32, host_bits: Option<u32>) -> Result<Vec<String>, Failed> {
    /// CloudFormation gives no more.
    const MAX_SUBNETS: u32 = 256;
    let network = Network::parse(block)?;
    let length = network.width.checked_sub(host_bits.unwrap_or(8)).ok_or("too many bits")?;
    let more = length.checked_sub(network.bits).ok_or("the network is too small")?;
    (0..count.min(MAX_SUBNETS)).map(|number| Ok(network.subnet(more, number.into())?.to_string())).collect()
}

fn bits(call: &Call<'_>, at: usize) -> Result<u32, Failed> {
    u32::try_from(call.integer(at)?).map_err(|_| "the number of bits is negative".to_owned())
}

#[derive(Clone, Copy)]
struct Network {
    base: u128,
    /// Length of the prefix.
    bits: u32,
    /// 32 or 128.
    width: u32,
}

impl Network {
    fn parse(text: &str) -> Result<Self, Failed> {
        let wrong = || "not a network as 10.0.0.0/8".to_owned();
        let (address, bits) = text.split_once('/').ok_or_else(wrong)?;
        let (address, width) = match address.parse().map_err(|_| wrong())? {
            IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
            IpAddr::V6(address) => (u128::from(address), 128),
        };
        let bits: u32 = bits.parse().map_err(|_| wrong())?;
        if bits > width {
            return Err(wrong());
        }
        let network = Self { base: 0, bits, width };
        Ok(Self { base: address & !network.room(bits), ..network })
    }

    /// The largest host number of a prefix of this length.
    fn room(&self, bits: u32) -> u128 {
        match self.width.saturating_sub(bits) {
            128 => u128::MAX,
            host => (1 << host) - 1,
        }
    }

    fn longer(&self, more: u32) -> Result<u32, Failed> {
        let bits = self.bits.saturating_add(more);
        if bits > self.width { Err("the prefix would be too long".to_owned()) } else { Ok(bits) }
    }

    fn subnet(&self, more: u32, number: u128) -> Result<Self, Failed> {
        let bits = self.longer(more)?;
        let most = if more >= 128 { u128::MAX } else { (1 << more) - 1 };
        if number > most {
            return Err("the network has no such subnet".to_owned());
        }
        let shifted = if number == 0 { 0 } else { number << (self.width - bits) };
        Ok(Self { base: self.base | shifted, bits, width: self.width })
    }

    fn address(&self, bits: u128) -> IpAddr {
        match self.width {
            32 => IpAddr::V4(Ipv4Addr::from(u32::try_from(bits).unwrap_or(u32::MAX))),
            _ => IpAddr::V6(Ipv6Addr::from(bits)),
        }
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address(self.base), self.bits)
    }
}
