//! npm version ranges, as node-semver reads them (node-semver README, "Ranges"): `^1.2.3`, `~1.2`, `1.x || >=2 <3`,
//! `1.2 - 1.4`.
//!
//! Versions are compared in the semver order. A pre-release is in a range only if a bound of the same comparator set
//! is a pre-release of the same three numbers, unless the caller asks for all pre-releases.

use std::cmp::Ordering;

use super::semver::{self, Parts};

/// More alternatives or comparators than this make a range unreadable.
const MAX_COMPARATORS: usize = 512;
/// A range longer than this is not read; node-semver stops at 256 bytes a version.
const MAX_RANGE_BYTES: usize = 64 * 1024;
/// Numbers beyond JavaScript's safe integers are no versions.
const MAX_NUMBER: u64 = 9_007_199_254_740_991;

/// A set of alternatives, each a set of bounds that must all hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    alternatives: Vec<Vec<Bound>>,
}

/// Why a text is no npm range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an npm version range")]
pub struct InvalidRange(String);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Bound {
    operator: Operator,
    version: Version,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Version {
    numbers: [u64; 3],
    pre: String,
}

impl Range {
    /// Reads a range; the empty range is every release.
    pub fn parse(text: &str) -> Result<Self, InvalidRange> {
        let invalid = || InvalidRange(text.chars().take(200).collect());
        if text.len() > MAX_RANGE_BYTES {
            return Err(invalid());
        }
        let mut alternatives = Vec::new();
        let mut comparators = 0;
        for alternative in text.split("||") {
            // An alternative that cannot be read is left out, as node-semver does, unless none is left.
            if let Some(bounds) = alternative_bounds(alternative.trim()) {
                comparators += 1 + bounds.len();
                alternatives.push(bounds);
            }
            if comparators > MAX_COMPARATORS {
                return Err(invalid());
            }
        }
        // One alternative that takes every release makes the others pointless, pre-releases they name included.
        if alternatives.iter().any(|bounds| bounds.iter().all(Bound::takes_every_release)) {
            alternatives = vec![Vec::new()];
        }
        if alternatives.is_empty() { Err(invalid()) } else { Ok(Self { alternatives }) }
    }

    /// Whether the version is in the range; a text that is no version is in none.
    pub fn contains(&self, version: &str) -> bool {
        self.matches(version, false)
    }

    /// The same, with pre-releases taken like any other version.
    pub fn contains_with_pre_releases(&self, version: &str) -> bool {
        self.matches(version, true)
    }

    fn matches(&self, version: &str, all_pre_releases: bool) -> bool {
        let Some(version) = semver::parse(version).and_then(|parts| Version::exact(&parts)) else {
            return false;
        };
        self.alternatives.iter().any(|bounds| {
            bounds.iter().all(|bound| bound.holds(&version))
                && (all_pre_releases
                    || version.pre.is_empty()
                    || bounds.iter().any(|bound| {
                        !bound.version.pre.is_empty() && bound.version.numbers == version.numbers
                    }))
        })
    }
}

impl Bound {
    fn new(operator: Operator, numbers: [u64; 3], pre: &str) -> Self {
        Self { operator, version: Version { numbers, pre: pre.to_owned() } }
    }

    fn takes_every_release(&self) -> bool {
        self.operator == Operator::GreaterOrEqual
            && self.version.numbers == [0; 3]
            && self.version.pre.is_empty()
    }

    fn holds(&self, version: &Version) -> bool {
        let order = version.compare(&self.version);
        match self.operator {
            Operator::Less => order.is_lt(),
            Operator::LessOrEqual => order.is_le(),
            Operator::Greater => order.is_gt(),
            Operator::GreaterOrEqual => order.is_ge(),
            Operator::Equal => order.is_eq(),
        }
    }
}

impl Version {
    /// Three numbers, nothing left open.
    fn exact(parts: &Parts<'_>) -> Option<Self> {
        match Partial::new(parts)? {
            Partial { major: Some(major), minor: Some(minor), patch: Some(patch), pre } => {
                Some(Self { numbers: [major, minor, patch], pre: pre.to_owned() })
            }
            _ => None,
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| semver::compare_pre_releases(&self.pre, &other.pre))
    }
}

/// A version in a range: `1`, `1.2`, `1.x`, `*`; what is left open is `None`.
#[derive(Clone, Copy)]
struct Partial<'a> {
    major: Option<u64>,
    minor: Option<u64>,
    patch: Option<u64>,
    pre: &'a str,
}

impl<'a> Partial<'a> {
    fn new(parts: &Parts<'a>) -> Option<Self> {
        let mut numbers = parts.numbers.split('.');
        let mut number = || match numbers.next() {
            None => Some(None),
            Some(digits) => digits.parse().ok().filter(|number| *number <= MAX_NUMBER).map(Some),
        };
        let (major, minor, patch) = (number()?, number()?, number()?);
        if numbers.next().is_some() {
            return None;
        }
        Some(Self { major, minor, patch, pre: parts.pre })
    }

    /// Reads one version of a range, `None` if it is none.
    fn parse(text: &'a str) -> Option<Self> {
        const ANY: Partial<'static> = Partial { major: None, minor: None, patch: None, pre: "" };
        let text = text.trim_start_matches(['v', '=', ' ']);
        let is_wildcard = |part: &str| matches!(part, "x" | "X" | "*");
        let first = text.split(['.', '-', '+']).next().unwrap_or_default();
        if text.is_empty() || is_wildcard(first) {
            return Some(ANY);
        }
        // `1.x` and `1.2.*`: the numbers before the wildcard.
        let (core, _) = text.split_once('+').unwrap_or((text, ""));
        let mut end = 0_usize;
        for (count, part) in core.split('.').enumerate() {
            if count < 3 && is_wildcard(part.split('-').next().unwrap_or_default()) {
                let numbers = core.get(..end.saturating_sub(1)).unwrap_or_default();
                return Self::new(&Parts { numbers, pre: "", build: None });
            }
            end += part.len() + 1;
        }
        let parts = semver::parse(text)?;
        let partial = Self::new(&parts)?;
        // A pre-release needs all three numbers.
        (partial.patch.is_some() || partial.pre.is_empty()).then_some(partial)
    }

    /// The numbers, zeros where open.
    fn floor(&self) -> [u64; 3] {
        [self.major.unwrap_or(0), self.minor.unwrap_or(0), self.patch.unwrap_or(0)]
    }

    /// The first numbers behind everything the partial version stands for.
    fn next(&self) -> Option<[u64; 3]> {
        match (self.major, self.minor) {
            (None, _) => None,
            (Some(major), None) => Some([major + 1, 0, 0]),
            (Some(major), Some(minor)) => Some([major, minor + 1, 0]),
        }
    }

    fn is_exact(&self) -> bool {
        self.patch.is_some()
    }
}

/// The pre-release before every other, so that `<2.0.0-0` leaves out the pre-releases of 2.0.0.
const LOWEST: &str = "0";

fn alternative_bounds(text: &str) -> Option<Vec<Bound>> {
    if let Some((from, to)) = hyphen_range(text) {
        return hyphen_bounds(Partial::parse(from)?, Partial::parse(to)?);
    }
    let mut bounds = Vec::new();
    let mut rest = text;
    while !rest.trim_start().is_empty() {
        rest = rest.trim_start();
        let (operator, after) = take_operator(rest);
        let after = after.trim_start();
        let end = after.find(|c: char| c.is_whitespace()).unwrap_or(after.len());
        let (version, after) = after.split_at(end);
        comparator_bounds(operator, Partial::parse(version)?, &mut bounds);
        if bounds.len() > MAX_COMPARATORS {
            return None;
        }
        rest = after;
    }
    Some(bounds)
}

/// `A - B` with spaces around the hyphen.
fn hyphen_range(text: &str) -> Option<(&str, &str)> {
    let (from, to) = text.split_once(" - ")?;
    let single = |part: &str| !part.is_empty() && !part.contains(char::is_whitespace);
    (single(from.trim()) && single(to.trim())).then_some((from.trim(), to.trim()))
}

fn hyphen_bounds(from: Partial<'_>, to: Partial<'_>) -> Option<Vec<Bound>> {
    let mut bounds = Vec::new();
    if from.major.is_some() {
        bounds.push(Bound::new(Operator::GreaterOrEqual, from.floor(), from.pre));
    }
    if to.is_exact() {
        bounds.push(Bound::new(Operator::LessOrEqual, to.floor(), to.pre));
    } else if let Some(next) = to.next() {
        bounds.push(Bound::new(Operator::Less, next, LOWEST));
    }
    Some(bounds)
}

const OPERATORS: [&str; 9] = ["<=", ">=", "~>", "^", "~", "<", ">", "=", "v"];

fn take_operator(text: &str) -> (&str, &str) {
    OPERATORS
        .iter()
        .find_map(|operator| text.strip_prefix(operator).map(|rest| (*operator, rest)))
        .unwrap_or(("", text))
}

/// The bounds one comparator stands for (node-semver README, "Advanced Range Syntax").
fn comparator_bounds(operator: &str, version: Partial<'_>, bounds: &mut Vec<Bound>) {
    let floor = version.floor();
    let [major, minor, patch] = floor;
    let mut push = |operator, numbers, pre| bounds.push(Bound::new(operator, numbers, pre));
    match operator {
        "^" | "~" | "~>" => {
            if version.major.is_none() {
                return;
            }
            push(Operator::GreaterOrEqual, floor, version.pre);
            let next = match (operator, version.minor, version.patch) {
                ("^", Some(_), Some(_)) if major == 0 && minor == 0 => [0, 0, patch + 1],
                ("^", Some(_), _) if major == 0 => [0, minor + 1, 0],
                ("^", _, _) | (_, None, _) => [major + 1, 0, 0],
                _ => [major, minor + 1, 0],
            };
            push(Operator::Less, next, LOWEST);
        }
        "" | "=" | "v" => {
            if version.is_exact() {
                push(Operator::Equal, floor, version.pre);
            } else if let Some(next) = version.next() {
                push(Operator::GreaterOrEqual, floor, "");
                push(Operator::Less, next, LOWEST);
            }
        }
        // Nothing is below or above everything.
        "<" | ">" if version.major.is_none() => push(Operator::Less, [0, 0, 0], LOWEST),
        ">" => match version.next() {
            Some(next) if !version.is_exact() => push(Operator::GreaterOrEqual, next, ""),
            _ => push(Operator::Greater, floor, version.pre),
        },
        ">=" => {
            if version.major.is_some() {
                push(Operator::GreaterOrEqual, floor, version.pre);
            }
        }
        "<" => {
            let pre = if version.is_exact() { version.pre } else { LOWEST };
            push(Operator::Less, floor, pre);
        }
        _ => match version.next() {
            Some(next) if !version.is_exact() => push(Operator::Less, next, LOWEST),
            Some(_) => push(Operator::LessOrEqual, floor, version.pre),
            None => {}
        },
    }
}
