//! Affected versions as intervals, computed once from a range's events.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::advisories::{Event, Range};
use crate::versions::Order;

/// Affected from `start` to `end`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Interval {
    /// The first affected version; none: every version before the end.
    pub start: Option<String>,
    pub end: End,
}

/// Where being affected stops.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum End {
    /// Nowhere yet: no fix is known.
    Open,
    /// This version is the fix.
    Fixed(String),
    /// This is the last affected version; the next one is not named.
    LastAffected(String),
    /// The advisory says nothing from this version on.
    Limit(String),
}

impl Interval {
    /// Whether the version lies inside.
    pub fn contains(&self, order: Order, version: &str) -> bool {
        let started = self.start.as_deref().is_none_or(|start| order.compare(version, start).is_ge());
        started
            && match &self.end {
                End::Open => true,
                End::Fixed(end) | End::Limit(end) => order.compare(version, end).is_lt(),
                End::LastAffected(end) => order.compare(version, end).is_le(),
            }
    }

    /// The fix this interval names.
    pub fn fixed(&self) -> Option<&str> {
        match &self.end {
            End::Fixed(version) => Some(version),
            _ => None,
        }
    }
}

impl fmt::Display for Interval {
    /// As evidence shows it: `>= 1.0, < 1.2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ">= {}", self.start.as_deref().unwrap_or("0"))?;
        match &self.end {
            End::Open => Ok(()),
            End::Fixed(end) | End::Limit(end) => write!(f, ", < {end}"),
            End::LastAffected(end) => write!(f, ", <= {end}"),
        }
    }
}

/// The intervals of a range, by the evaluation algorithm of the OSV schema: events sorted by version, each
/// switching the state. The flag says that a part of the range ends before it begins; that part is left out.
pub fn intervals(range: &Range, order: Order) -> (Vec<Interval>, bool) {
    let mut events: Vec<(Option<&str>, &Event)> = Vec::new();
    let mut limits: Vec<&str> = Vec::new();
    for event in &range.events {
        match event {
            Event::Introduced(version) => events.push((start(version), event)),
            Event::Fixed(version) | Event::LastAffected(version) => events.push((Some(version), event)),
            Event::Limit(version) => limits.push(version),
        }
    }
    events.sort_by(|(a, first), (b, second)| {
        by_version(order, *a, *b).then_with(|| {
            // A single affected version is introduced and last affected at once, in whatever order it is written.
            matches!(first, Event::LastAffected(_)).cmp(&matches!(second, Event::LastAffected(_)))
        })
    });
    let backwards = events.first().is_some_and(|(_, event)| !matches!(event, Event::Introduced(_)));
    let mut found = Vec::new();
    let mut open: Option<Option<&str>> = None;
    for (version, event) in events {
        match (event, open) {
            (Event::Introduced(_), None) => open = Some(version),
            (Event::Fixed(end), Some(start)) => {
                if by_version(order, start, version).is_lt() {
                    found.push(interval(start, End::Fixed(end.clone())));
                }
                open = None;
            }
            (Event::LastAffected(end), Some(start)) => {
                found.push(interval(start, End::LastAffected(end.clone())));
                open = None;
            }
            _ => {}
        }
    }
    if let Some(start) = open
        && !backwards
    {
        found.push(interval(start, End::Open));
    }
    let limit = limits.into_iter().max_by(|a, b| order.compare(a, b));
    if let Some(limit) = limit {
        clip(&mut found, limit, order);
    }
    (found, backwards)
}

fn interval(start: Option<&str>, end: End) -> Interval {
    Interval { start: start.map(str::to_owned), end }
}

/// Cuts what lies at or behind the limit.
fn clip(intervals: &mut Vec<Interval>, limit: &str, order: Order) {
    intervals.retain(|i| i.start.as_deref().is_none_or(|start| order.compare(start, limit).is_lt()));
    for interval in intervals {
        let cut = match &interval.end {
            End::Open => true,
            End::Fixed(end) | End::Limit(end) => order.compare(end, limit).is_gt(),
            End::LastAffected(end) => order.compare(end, limit).is_ge(),
        };
        if cut {
            interval.end = End::Limit(limit.to_owned());
        }
    }
}

/// `0` is before every version; RustSec writes the lowest semantic version for it.
fn start(version: &str) -> Option<&str> {
    (version != "0" && version != "0.0.0-0").then_some(version)
}

fn by_version(order: Order, a: Option<&str>, b: Option<&str>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => order.compare(a, b),
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> Range {
        let events = text
            .split_ascii_whitespace()
            .map(|event| {
                let version = event[1..].to_owned();
                match event.as_bytes()[0] {
                    b'+' => Event::Introduced(version),
                    b'-' => Event::Fixed(version),
                    b'=' => Event::LastAffected(version),
                    _ => Event::Limit(version),
                }
            })
            .collect();
        Range { semver: true, events }
    }

    #[test]
    fn follows_the_schemas_algorithm() {
        for (events, expected) in [
            ("+0 -1.2.0", ">= 0, < 1.2.0"),
            ("+0", ">= 0"),
            ("+0.0.0-0 -1.0.0", ">= 0, < 1.0.0"),
            ("-2.0.0 +1.0.0", ">= 1.0.0, < 2.0.0"),
            ("+1.0.0 -1.5.0 +2.0.0 -2.1.0 +3.0.0", ">= 1.0.0, < 1.5.0 | >= 2.0.0, < 2.1.0 | >= 3.0.0"),
            ("+0 -1.0.0 -1.1.0 -1.2.0", ">= 0, < 1.0.0"),
            ("+0 +1.0.0 -2.0.0", ">= 0, < 2.0.0"),
            ("+1.0.0 -1.0.0", ""),
            ("+0 -2.0.0 +2.0.0", ">= 0, < 2.0.0 | >= 2.0.0"),
            ("=1.5.0 +1.5.0", ">= 1.5.0, <= 1.5.0"),
            ("+0 =1.9.0 +3.0.0 -3.1.0", ">= 0, <= 1.9.0 | >= 3.0.0, < 3.1.0"),
            ("+1.0.0 *2.0.0", ">= 1.0.0, < 2.0.0"),
            ("+0 -3.0.0 *1.0.0 *2.0.0", ">= 0, < 2.0.0"),
        ] {
            let (found, backwards) = intervals(&range(events), Order::Semver);
            let text: Vec<String> = found.iter().map(Interval::to_string).collect();
            assert_eq!(text.join(" | "), expected, "{events}");
            assert!(!backwards, "{events}");
        }
    }

    #[test]
    fn a_range_that_ends_before_it_begins_is_left_out() {
        let (found, backwards) = intervals(&range("+5.0.0 -3.0.0"), Order::Semver);
        assert_eq!((found.len(), backwards), (0, true));
    }

    #[test]
    fn ends_belong_where_the_schema_puts_them() {
        let (found, _) = intervals(&range("+1.0.0 -2.0.0"), Order::Semver);
        let inside = |version| found[0].contains(Order::Semver, version);
        assert!(inside("1.0.0") && inside("1.9.9") && !inside("2.0.0") && !inside("0.9.9"));
        assert!(inside("2.0.0-rc.1"), "a pre-release of the fix is before the fix");
        let (found, _) = intervals(&range("+0 =2.0.0"), Order::Semver);
        assert!(found[0].contains(Order::Semver, "2.0.0") && !found[0].contains(Order::Semver, "2.0.1"));
    }
}
