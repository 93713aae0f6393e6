//! Sets of IP addresses, and the division of all addresses into the ranges between which policies tell a difference.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses of one family, first to last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AddressRange {
    pub family: Family,
    pub first: u128,
    pub last: u128,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    V4,
    V6,
}

impl Family {
    fn greatest(self) -> u128 {
        match self {
            Self::V4 => u128::from(u32::MAX),
            Self::V6 => u128::MAX,
        }
    }

    fn bits(self) -> u32 {
        match self {
            Self::V4 => 32,
            Self::V6 => 128,
        }
    }
}

impl AddressRange {
    /// Every address of a family.
    pub fn all(family: Family) -> Self {
        Self { family, first: 0, last: family.greatest() }
    }

    /// `10.0.0.0/8`; bits beyond the prefix are ignored, as Kubernetes does.
    pub fn of_cidr(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no address range in CIDR form");
        let (address, length) = text.split_once('/').ok_or_else(wrong)?;
        let (family, bits) = number(address.parse().map_err(|_| wrong())?);
        let length =
            length.parse::<u32>().ok().filter(|length| *length <= family.bits()).ok_or_else(wrong)?;
        let hosts = family.greatest().checked_shr(length).unwrap_or(0);
        Ok(Self { family, first: bits & !hosts, last: bits | hosts })
    }

    /// One address.
    pub fn of_address(text: &str) -> Option<Self> {
        let (family, first) = number(text.parse().ok()?);
        Some(Self { family, first, last: first })
    }

    fn contains(&self, other: &Self) -> bool {
        self.family == other.family && self.first <= other.first && other.last <= self.last
    }
}

fn number(address: IpAddr) -> (Family, u128) {
    match address {
        IpAddr::V4(address) => (Family::V4, u128::from(u32::from(address))),
        IpAddr::V6(address) => (Family::V6, u128::from(address)),
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = |number: u128| match self.family {
            Family::V4 => IpAddr::V4(Ipv4Addr::from(u32::try_from(number).unwrap_or(u32::MAX))),
            Family::V6 => IpAddr::V6(Ipv6Addr::from(number)),
        };
        write!(f, "{}-{}", address(self.first), address(self.last))
    }
}

/// Addresses as sorted ranges that do not touch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct AddressSet(Vec<AddressRange>);

impl AddressSet {
    pub fn of_cidr(text: &str) -> Result<Self, String> {
        Ok(Self(vec![AddressRange::of_cidr(text)?]))
    }

    pub fn ranges(&self) -> &[AddressRange] {
        &self.0
    }

    /// What is in this set and not in the other.
    pub fn without(&self, other: &Self) -> Self {
        let mut rest = self.0.clone();
        for hole in &other.0 {
            rest = rest.into_iter().flat_map(|range| cut(range, hole)).collect();
        }
        Self(rest)
    }

    /// Whether the whole range is in the set.
    pub fn contains(&self, range: &AddressRange) -> bool {
        self.0.iter().any(|own| own.contains(range))
    }
}

fn cut(range: AddressRange, hole: &AddressRange) -> impl Iterator<Item = AddressRange> {
    let apart = range.family != hole.family || hole.last < range.first || range.last < hole.first;
    let left = (!apart && hole.first > range.first)
        .then(|| AddressRange { last: hole.first.saturating_sub(1), ..range });
    let right = (!apart && hole.last < range.last)
        .then(|| AddressRange { first: hole.last.saturating_add(1), ..range });
    apart.then_some(range).into_iter().chain(left).chain(right)
}

/// Divides all addresses of a family at the edges of the sets: within one part, every set holds all or nothing.
pub fn divide<'a>(family: Family, sets: impl IntoIterator<Item = &'a AddressSet>) -> Vec<AddressRange> {
    let mut starts = vec![0];
    for range in sets.into_iter().flat_map(AddressSet::ranges).filter(|range| range.family == family) {
        starts.push(range.first);
        starts.extend(range.last.checked_add(1).filter(|next| *next <= family.greatest()));
    }
    starts.sort_unstable();
    starts.dedup();
    let ends = starts.iter().skip(1).map(|next| next.saturating_sub(1)).chain([family.greatest()]);
    starts.iter().zip(ends).map(|(first, last)| AddressRange { family, first: *first, last }).collect()
}

#[cfg(test)]
mod tests {
    use super::{AddressRange, AddressSet, Family, divide};

    #[test]
    fn a_hole_leaves_what_is_around_it() {
        let all = AddressSet::of_cidr("10.1.2.3/8").unwrap();
        let rest = all.without(&AddressSet::of_cidr("10.64.0.0/10").unwrap());
        let shown: Vec<String> = rest.ranges().iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["10.0.0.0-10.63.255.255", "10.128.0.0-10.255.255.255"]);
        assert!(rest.contains(&AddressRange::of_address("10.1.1.1").unwrap()));
        assert!(!rest.contains(&AddressRange::of_address("10.65.1.1").unwrap()));
        assert!(all.without(&all).ranges().is_empty());
    }

    #[test]
    fn the_division_covers_everything_once() {
        let sets = ["0.0.0.0/0", "172.16.0.0/12", "255.255.255.255/32"]
            .map(|text| AddressSet::of_cidr(text).unwrap());
        let shown: Vec<String> = divide(Family::V4, &sets).iter().map(ToString::to_string).collect();
        let expected = [
            "0.0.0.0-172.15.255.255",
            "172.16.0.0-172.31.255.255",
            "172.32.0.0-255.255.255.254",
            "255.255.255.255-255.255.255.255",
        ];
        assert_eq!(shown, expected);
        let all = "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
        assert_eq!(divide(Family::V6, &sets).first().unwrap().to_string(), all);
    }

    #[test]
    fn what_is_no_range_is_an_error() {
        for text in ["10.0.0.0", "10.0.0.0/33", "10.0.0/8", "::/129", "a/8", "10.0.0.0/-1"] {
            assert!(AddressRange::of_cidr(text).is_err(), "{text}");
        }
    }
}
