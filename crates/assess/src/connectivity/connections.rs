//! Sets of connections: for each protocol, which ports.

use std::fmt;

use crate::kubernetes::Protocol;

/// Ports of one protocol, 1 to 65535.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Ports {
    #[default]
    None,
    All,
    /// Sorted ranges, both ends included, that do not touch; neither empty nor all.
    Some(Box<[(u16, u16)]>),
}

impl Ports {
    /// The ports from `start` to `end`; none where the end comes first.
    pub fn range(start: u16, end: u16) -> Self {
        Self::normal(vec![(start.max(1), end)])
    }

    /// Sorts, joins and names the extremes.
    fn normal(mut ranges: Vec<(u16, u16)>) -> Self {
        ranges.retain(|(start, end)| start <= end);
        ranges.sort_unstable();
        let mut joined: Vec<(u16, u16)> = Vec::with_capacity(ranges.len());
        for (start, end) in ranges {
            match joined.last_mut() {
                Some((_, last)) if start <= last.saturating_add(1) => *last = (*last).max(end),
                _ => joined.push((start, end)),
            }
        }
        match joined.as_slice() {
            [] => Self::None,
            [(1, u16::MAX)] => Self::All,
            _ => Self::Some(joined.into()),
        }
    }

    fn ranges(&self) -> &[(u16, u16)] {
        match self {
            Self::None => &[],
            Self::All => &[(1, u16::MAX)],
            Self::Some(ranges) => ranges,
        }
    }

    fn union(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::All, _) | (_, Self::All) => Self::All,
            (Self::None, one) | (one, Self::None) => one.clone(),
            _ => Self::normal(self.ranges().iter().chain(other.ranges()).copied().collect()),
        }
    }

    fn intersection(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::None, _) | (_, Self::None) => Self::None,
            (Self::All, one) | (one, Self::All) => one.clone(),
            _ => {
                let of = |(start, end): &(u16, u16)| {
                    let (start, end) = (*start, *end);
                    other.ranges().iter().map(move |(first, last)| (start.max(*first), end.min(*last)))
                };
                Self::normal(self.ranges().iter().flat_map(of).collect())
            }
        }
    }

    fn complement(&self) -> Self {
        let mut free = Vec::new();
        let mut next = 1u16;
        for (start, end) in self.ranges() {
            if next < *start {
                free.push((next, start - 1));
            }
            let Some(after) = end.checked_add(1) else { return Self::normal(free) };
            next = after;
        }
        free.push((next, u16::MAX));
        Self::normal(free)
    }

    pub fn contains(&self, port: u16) -> bool {
        self.ranges().iter().any(|(start, end)| (*start..=*end).contains(&port))
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (start, end)) in self.ranges().iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            if start == end { write!(f, "{comma}{start}")? } else { write!(f, "{comma}{start}-{end}")? }
        }
        Ok(())
    }
}

/// What may flow from one end to another. In words: `All Connections`, `No Connections`, or `TCP 80,443,UDP 53`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Connections {
    /// In the order of [`Protocol::ALL`].
    ports: [Ports; 3],
}

impl Connections {
    pub fn none() -> Self {
        Self::default()
    }

    pub fn all() -> Self {
        Self { ports: [Ports::All, Ports::All, Ports::All] }
    }

    pub fn of(protocol: Protocol, ports: Ports) -> Self {
        let mut connections = Self::none();
        *connections.slot(protocol) = ports;
        connections
    }

    fn slot(&mut self, protocol: Protocol) -> &mut Ports {
        let [sctp, tcp, udp] = &mut self.ports;
        match protocol {
            Protocol::Sctp => sctp,
            Protocol::Tcp => tcp,
            Protocol::Udp => udp,
        }
    }

    pub fn ports(&self, protocol: Protocol) -> &Ports {
        let [sctp, tcp, udp] = &self.ports;
        match protocol {
            Protocol::Sctp => sctp,
            Protocol::Tcp => tcp,
            Protocol::Udp => udp,
        }
    }

    pub fn is_none(&self) -> bool {
        self.ports.iter().all(|ports| *ports == Ports::None)
    }

    pub fn is_all(&self) -> bool {
        self.ports.iter().all(|ports| *ports == Ports::All)
    }

    pub fn union(&self, other: &Self) -> Self {
        self.with(other, Ports::union)
    }

    pub fn intersection(&self, other: &Self) -> Self {
        self.with(other, Ports::intersection)
    }

    /// What is in this set and not in the other.
    pub fn without(&self, other: &Self) -> Self {
        self.with(other, |own, taken| own.intersection(&taken.complement()))
    }

    fn with(&self, other: &Self, combine: impl Fn(&Ports, &Ports) -> Ports) -> Self {
        let [a, b, c] = &self.ports;
        let [x, y, z] = &other.ports;
        Self { ports: [combine(a, x), combine(b, y), combine(c, z)] }
    }
}

impl fmt::Display for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_all() {
            return f.write_str("All Connections");
        }
        if self.is_none() {
            return f.write_str("No Connections");
        }
        let mut comma = "";
        for protocol in Protocol::ALL {
            let ports = self.ports(protocol);
            if *ports != Ports::None {
                write!(f, "{comma}{} {ports}", protocol.name())?;
                comma = ",";
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Connections, Ports};
    use crate::kubernetes::Protocol;

    fn tcp(ranges: &[(u16, u16)]) -> Connections {
        ranges.iter().fold(Connections::none(), |all, (start, end)| {
            all.union(&Connections::of(Protocol::Tcp, Ports::range(*start, *end)))
        })
    }

    #[test]
    fn sets_obey_the_laws_of_sets() {
        let web = tcp(&[(80, 80), (443, 443), (81, 90)]);
        assert_eq!(web.to_string(), "TCP 80-90,443");
        assert_eq!(web.intersection(&tcp(&[(85, 500)])).to_string(), "TCP 85-90,443");
        assert_eq!(
            Connections::all().without(&web).to_string(),
            "SCTP 1-65535,TCP 1-79,91-442,444-65535,UDP 1-65535"
        );
        assert!(web.without(&web).is_none());
        assert!(Connections::all().without(&web).union(&web).is_all());
        assert_eq!(tcp(&[(1, 65535)]).without(&tcp(&[(65535, 65535)])).to_string(), "TCP 1-65534");
        assert_eq!(Connections::none().to_string(), "No Connections");
        assert_eq!(tcp(&[(9, 8)]), Connections::none());
    }
}
