//! The table of all connections: source, destination, what may flow.

use std::collections::BTreeMap;

use serde::Serialize;

use super::addresses::{AddressRange, Family};
use super::{Connections, Connectivity, Direction, EndIndex, Side};

/// One row. Rows without connections are not in the table, nor are those of pods with themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// `namespace/name[Kind]`, an address range, or `{ingress-controller}`.
    #[serde(rename = "src")]
    pub source: String,
    #[serde(rename = "dst")]
    pub destination: String,
    /// In words; see [`Connections`].
    #[serde(rename = "conn")]
    pub connections: String,
}

/// Every row in the order of source and destination, what comes in through entrances last; `families` chooses the
/// addresses outside. `each` may stop the work by returning an error.
pub fn rows<E>(
    connectivity: &Connectivity<'_>,
    families: &[Family],
    mut each: impl FnMut(Row) -> Result<(), E>,
) -> Result<(), E> {
    let ranges = |direction| -> Vec<AddressRange> {
        families.iter().flat_map(|family| connectivity.address_ranges(direction, *family)).collect()
    };
    let sources = sides(connectivity, &ranges(Direction::Ingress));
    let destinations = sides(connectivity, &ranges(Direction::Egress));
    for (source, from) in &sources {
        for (destination, to) in &destinations {
            let outside = |side: &Outside| matches!(side, Outside::Addresses(_));
            if source == destination || (outside(from) && outside(to)) {
                continue;
            }
            let connections = connectivity.between(from.side(), to.side());
            if !connections.is_none() {
                each(Row {
                    source: source.clone(),
                    destination: destination.clone(),
                    connections: connections.to_string(),
                })?;
            }
        }
    }
    let mut entrances: BTreeMap<(String, String), Connections> = BTreeMap::new();
    for entry in connectivity.entries().0 {
        let Some(end) = connectivity.end(entry.end) else { continue };
        let known = entrances.entry((entry.source(), end.title.clone())).or_default();
        *known = known.union(&entry.allowed);
    }
    for ((source, destination), connections) in entrances {
        if !connections.is_none() {
            each(Row { source, destination, connections: connections.to_string() })?;
        }
    }
    Ok(())
}

/// Something with a name in the table.
enum Outside {
    Pods(EndIndex),
    Addresses(AddressRange),
}

impl Outside {
    fn side(&self) -> Side<'_> {
        match self {
            Self::Pods(index) => Side::Pods(*index),
            Self::Addresses(range) => Side::Addresses(range),
        }
    }
}

/// Pods and ranges by their names, sorted.
fn sides(connectivity: &Connectivity<'_>, ranges: &[AddressRange]) -> Vec<(String, Outside)> {
    let pods = connectivity.ends().iter().enumerate();
    let pods = pods.map(|(index, end)| (end.title.clone(), Outside::Pods(EndIndex(index))));
    let ranges = ranges.iter().map(|range| (range.to_string(), Outside::Addresses(*range)));
    let mut sides: Vec<_> = ranges.chain(pods).collect();
    sides.sort_by(|(a, _), (b, _)| a.cmp(b));
    sides
}
