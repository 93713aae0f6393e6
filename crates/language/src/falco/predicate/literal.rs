//! Right-hand sides as values of the field's type.

use std::cmp::Ordering;
use std::net::IpAddr;
use std::str::FromStr;

use yagura_model::field::{FieldType, FieldValue};

use super::services;

/// A number of any of the types that fields have.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    Signed(i64),
    Unsigned(u64),
    Double(f64),
}

impl Number {
    /// As a rule writes it for a field of this type: decimal or `0x…`; a port also as a service's name.
    pub fn parse(text: &[u8], kind: FieldType) -> Result<Self, String> {
        let shown = || String::from_utf8_lossy(text).into_owned();
        let text = std::str::from_utf8(text).map_err(|_| format!("{} is not a number", shown()))?;
        let wrong = || format!("{text} is not a valid number");
        match kind {
            FieldType::Double => text.parse().map(Self::Double).map_err(|_| wrong()),
            FieldType::Signed => signed(text).map(Self::Signed).ok_or_else(wrong),
            FieldType::Port if text.is_empty() => Ok(Self::Unsigned(0)),
            FieldType::Port if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                text.parse::<u16>().map(|port| Self::Unsigned(port.into())).map_err(|_| wrong())
            }
            FieldType::Port => match services::port(text) {
                Some(port) => Ok(Self::Unsigned(port.into())),
                None => Err(format!("unrecognized protocol {text}")),
            },
            // A negative number wraps, as in Falco: some rules compare unsigned fields with -1.
            _ => match text.strip_prefix('-') {
                Some(_) => signed(text).map(|value| Self::Unsigned(value.cast_unsigned())).ok_or_else(wrong),
                None => unsigned(text).map(Self::Unsigned).ok_or_else(wrong),
            },
        }
    }

    pub fn of(value: &FieldValue<'_>) -> Option<Self> {
        Some(match value {
            FieldValue::Signed(value) => Self::Signed(*value),
            FieldValue::Unsigned(value) => Self::Unsigned(*value),
            FieldValue::Double(value) => Self::Double(*value),
            FieldValue::Time { nanoseconds, .. } => Self::Unsigned(*nanoseconds),
            FieldValue::Boolean(value) => Self::Unsigned((*value).into()),
            FieldValue::Text(_) | FieldValue::Bytes(_) | FieldValue::Address(_) => return None,
        })
    }

    /// None only where one of them is not a number at all.
    pub fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Unsigned(left), Self::Unsigned(right)) => Some(left.cmp(&right)),
            (Self::Signed(left), Self::Signed(right)) => Some(left.cmp(&right)),
            (Self::Double(left), right) => left.partial_cmp(&right.as_double()),
            (left, Self::Double(right)) => left.as_double().partial_cmp(&right),
            (left, right) => Some(left.as_wide().cmp(&right.as_wide())),
        }
    }

    fn as_wide(self) -> i128 {
        match self {
            Self::Signed(value) => value.into(),
            Self::Unsigned(value) => value.into(),
            Self::Double(value) => value as i128,
        }
    }

    fn as_double(self) -> f64 {
        match self {
            Self::Signed(value) => value as f64,
            Self::Unsigned(value) => value as f64,
            Self::Double(value) => value,
        }
    }
}

fn unsigned(text: &str) -> Option<u64> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) if !hex.starts_with(['+', '-']) => u64::from_str_radix(hex, 16).ok(),
        Some(_) => None,
        None => digits.parse().ok(),
    }
}

fn signed(text: &str) -> Option<i64> {
    match text.strip_prefix('-') {
        Some(digits) => 0_i64.checked_sub_unsigned(unsigned(digits)?),
        None => i64::try_from(unsigned(text)?).ok(),
    }
}

/// An address with the number of leading bits that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let shown = String::from_utf8_lossy(text);
        let Some((address, bits)) = shown.split_once('/') else {
            return Err(format!("unrecognized IP network {shown}"));
        };
        let address = IpAddr::from_str(address).map_err(|_| format!("unrecognized IP address {shown}"))?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        match bits.parse::<u8>() {
            Ok(bits) if bits <= most => Ok(Self { address, bits }),
            _ => Err(format!("invalid netmask {bits}")),
        }
    }

    /// A single address, or a network.
    pub fn parse_either(text: &[u8]) -> Result<Self, String> {
        if text.contains(&b'/') {
            return Self::parse(text);
        }
        let shown = String::from_utf8_lossy(text);
        let address = IpAddr::from_str(&shown).map_err(|_| {
            let family = if shown.contains('.') { "IPv4" } else { "IPv6" };
            format!("unrecognized {family} address {shown}")
        })?;
        Ok(Self { address, bits: if address.is_ipv4() { 32 } else { 128 } })
    }

    /// Networks of the other family hold no address of this one.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0);
                network.to_bits() & mask == address.to_bits() & mask
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0);
                network.to_bits() & mask == address.to_bits() & mask
            }
            _ => false,
        }
    }
}

/// Hexadecimal digits as bytes.
pub fn hexadecimal(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| (byte as char).to_digit(16);
    let (pairs, rest) = text.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()).collect()
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::*;

    #[test]
    fn numbers_are_read_as_the_field_has_them() {
        let compare = |text: &str, kind, value: FieldValue<'_>| {
            Number::of(&value).unwrap().compare(Number::parse(text.as_bytes(), kind).unwrap())
        };
        assert_eq!(compare("0x10", FieldType::Unsigned, FieldValue::Unsigned(16)), Some(Ordering::Equal));
        assert_eq!(compare("-1", FieldType::Signed, FieldValue::Signed(-1)), Some(Ordering::Equal));
        assert_eq!(compare("-1", FieldType::Unsigned, FieldValue::Unsigned(u64::MAX)), Some(Ordering::Equal));
        assert_eq!(compare("https", FieldType::Port, FieldValue::Unsigned(443)), Some(Ordering::Equal));
        assert_eq!(compare("1.5", FieldType::Double, FieldValue::Double(2.0)), Some(Ordering::Greater));
        assert_eq!(compare("5", FieldType::Signed, FieldValue::Unsigned(u64::MAX)), Some(Ordering::Greater));
        for (text, kind) in [
            ("x", FieldType::Signed),
            ("1.5", FieldType::Unsigned),
            ("70000", FieldType::Port),
            ("nope", FieldType::Port),
        ] {
            assert!(Number::parse(text.as_bytes(), kind).is_err(), "{text}");
        }
    }

    #[test]
    fn networks_hold_addresses_of_their_family() {
        let within = |network: &str, address: &str| {
            Network::parse_either(network.as_bytes()).unwrap().contains(address.parse().unwrap())
        };
        assert!(within("10.0.0.0/8", "10.255.1.2"));
        assert!(!within("10.0.0.0/8", "11.0.0.1"));
        assert!(within("0.0.0.0/0", "1.2.3.4"));
        assert!(!within("0.0.0.0/0", "::1"));
        assert!(within("fe80::/10", "fe80::1"));
        assert!(within("::1", "::1"));
        assert!(Network::parse(b"10.0.0.1").is_err());
        assert!(Network::parse(b"10.0.0.0/33").is_err());
    }
}
