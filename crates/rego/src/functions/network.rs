//! Questions about blocks of addresses.

use std::net::IpAddr;

use anyhow::Result;
use regorus::Value;

use super::text;

/// Blocks that are not reached from the internet: loopback, private, shared and link-local ones.
const PRIVATE: [(&str, u32); 9] = [
    ("127.0.0.0", 8),
    ("10.0.0.0", 8),
    ("172.16.0.0", 12),
    ("192.168.0.0", 16),
    ("169.254.0.0", 16),
    ("100.64.0.0", 10),
    ("::1", 128),
    ("fe80::", 10),
    ("fc00::", 7),
];

/// Names that mean every address.
fn is_everything(block: &str) -> bool {
    block == "*" || block.eq_ignore_ascii_case("internet") || block.eq_ignore_ascii_case("any")
}

fn parse(block: &str) -> Option<(IpAddr, u32)> {
    let (address, length) = match block.split_once('/') {
        Some((address, length)) => (address.parse::<IpAddr>().ok()?, Some(length.parse::<u32>().ok()?)),
        None => (block.parse::<IpAddr>().ok()?, None),
    };
    let most = if address.is_ipv4() { 32 } else { 128 };
    let length = length.unwrap_or(most);
    (length <= most).then_some((address, length))
}

fn within(address: IpAddr, block: (&str, u32)) -> bool {
    let bits = |address: IpAddr| match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)) << 96, 4),
        IpAddr::V6(address) => (u128::from(address), 6),
    };
    let Ok(of) = block.0.parse::<IpAddr>() else { return false };
    let ((one, family), (other, other_family)) = (bits(address), bits(of));
    family == other_family && (one ^ other).leading_zeros() >= block.1
}

pub fn is_public(arguments: &[Value]) -> Result<Value> {
    let block = text(arguments, 0, "cidr.is_public")?;
    let public = is_everything(block)
        || parse(block).is_some_and(|(address, _)| !PRIVATE.iter().any(|private| within(address, *private)));
    Ok(Value::from(public))
}

pub fn count_addresses(arguments: &[Value]) -> Result<Value> {
    let block = text(arguments, 0, "cidr.count_addresses")?;
    if is_everything(block) {
        return Ok(Value::from(u64::MAX));
    }
    let count = parse(block).map_or(0, |(address, length)| {
        let host = if address.is_ipv4() { 32 - length } else { 128 - length };
        1_u64.checked_shl(host).unwrap_or(u64::MAX)
    });
    Ok(Value::from(count))
}
