//! Advisory feeds: OSV records, the KEV catalogue, EPSS scores, end-of-life dates and vendors' CSAF documents.
//!
//! Each format has its own module that turns bytes into the values below and reports what it had to leave out.
//! This part must not know how advisories are stored ([`crate::database`]) or matched against packages, and it
//! keeps facts only: identifiers, ranges, dates, scores. The feeds' prose is read past and dropped.

pub mod csaf;
pub mod cvss;
pub mod end_of_life;
pub mod epss;
mod json;
pub mod kev;
pub mod osv;
pub mod zip;

use serde::{Deserialize, Serialize};
use yagura_model::{Severity, SkipReason};

/// Longest identifier, package name, ecosystem name or version that is kept, in bytes. The longest seen in the
/// public feeds is a little over 200 (Go pseudo-paths).
pub const MAX_NAME_BYTES: usize = 512;
/// Other names one record may give itself. The longest list in the public feeds has 849 (a kernel bulletin).
pub const MAX_ALIASES: usize = 8_192;
/// Packages one record may speak of. Kernel bulletins of rpm distributions reach a few thousand.
pub const MAX_AFFECTED: usize = 65_536;
/// Ranges of one package in one record.
pub const MAX_RANGES: usize = 4_096;
/// Events of one range.
pub const MAX_EVENTS: usize = 4_096;
/// Explicit versions of one package in one record.
pub const MAX_VERSIONS: usize = 65_536;

/// One record of a feed, reduced to facts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Advisory {
    pub id: String,
    /// Day of publication; none where absent or unreadable.
    pub published: Option<Day>,
    pub modified: Option<Day>,
    pub withdrawn: bool,
    /// Other names of the same flaw.
    pub aliases: Vec<String>,
    /// Flaws this record is a distributor's answer to.
    pub upstream: Vec<String>,
    /// Names that some distributors put where `upstream` belongs.
    pub related: Vec<String>,
    pub kind: AdvisoryKind,
    pub rating: Rating,
    /// Numbers of the Common Weakness Enumeration.
    pub weaknesses: Vec<u32>,
    pub affected: Vec<Affected>,
    /// `name:stream` of the rpm module this record is about, where it is about one.
    pub module: String,
}

/// What a record is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AdvisoryKind {
    #[default]
    Vulnerability,
    /// The package itself is an attack (OSV `MAL-`).
    Malicious,
    /// Nobody looks after the package any more (RustSec `informational`).
    Unmaintained,
    /// Sound programs can misuse it into undefined behaviour (RustSec `informational`).
    Unsound,
    /// Something to know, not a flaw (RustSec `informational`).
    Notice,
}

/// How bad a record says its subject is. Which of these wins is for the matcher to say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rating {
    /// The distributor's own word for its own package.
    pub vendor: Option<Severity>,
    /// CVSS vectors, any version, as stated.
    pub vectors: Vec<String>,
    /// The word (or a score without a vector) of a database that collects other people's flaws.
    pub database: Option<Severity>,
}

impl Rating {
    pub fn is_empty(&self) -> bool {
        self.vendor.is_none() && self.vectors.is_empty() && self.database.is_none()
    }
}

/// What one record says of one package.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Affected {
    /// As OSV spells it, release included: `Debian:12`, `PyPI`.
    pub ecosystem: String,
    /// As the feed spells it.
    pub name: String,
    pub ranges: Vec<Range>,
    /// Versions affected whatever the ranges say.
    pub versions: Vec<String>,
    pub state: FixState,
    pub rating: Rating,
    /// Ranges that hold for tagged releases only, where the ranges above had to cover everything else (Go's
    /// `custom_ranges`, for modules whose release numbers are not Go's).
    pub tagged: Vec<Range>,
}

/// The vendor's word on the fix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum FixState {
    /// Nothing beyond what the ranges say.
    #[default]
    Unstated,
    Fixed,
    NotFixed,
    WillNotFix,
    /// Being looked into: not known to be affected.
    UnderInvestigation,
    NotAffected,
}

impl FixState {
    /// The stable word in reports; empty when unstated.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unstated => "",
            Self::Fixed => "fixed",
            Self::NotFixed => "not-fixed",
            Self::WillNotFix => "will-not-fix",
            Self::UnderInvestigation => "under-investigation",
            Self::NotAffected => "not-affected",
        }
    }
}

/// The events of one OSV range, in the feed's order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// Whether versions compare as Semantic Versioning 2.0 says, not as the ecosystem does.
    pub semver: bool,
    pub events: Vec<Event>,
}

/// A point at which being affected starts or ends (OSV schema, "affected[].ranges[].events").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// Affected from here on; `0` is before every version.
    Introduced(String),
    /// Not affected from here on.
    Fixed(String),
    /// Affected up to and with this one.
    LastAffected(String),
    /// Nothing at or after this one is meant.
    Limit(String),
}

/// Days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Day(pub u32);

impl Day {
    /// Reads the date at the start of an RFC 3339 time or a plain `YYYY-MM-DD`; none for other text and for days
    /// before 1970 (feeds write year 1 for "unknown").
    pub fn parse(text: &str) -> Option<Self> {
        let date: jiff::civil::Date = text.get(..10)?.parse().ok()?;
        let days = jiff::civil::date(1970, 1, 1).until((jiff::Unit::Day, date)).ok()?.get_days();
        u32::try_from(days).ok().map(Self)
    }
}

impl std::fmt::Display for Day {
    /// `YYYY-MM-DD`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let span = i64::from(self.0.min(3_000_000));
        let date =
            jiff::Span::new().try_days(span).and_then(|span| jiff::civil::date(1970, 1, 1).checked_add(span));
        match date {
            Ok(date) => write!(f, "{date}"),
            Err(_) => f.write_str("9999-12-31"),
        }
    }
}

/// Why (a part of) a record was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub reason: SkipReason,
    pub detail: String,
}

impl Problem {
    pub fn new(reason: SkipReason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }

    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(SkipReason::Malformed, detail)
    }
}

#[cfg(test)]
mod tests {
    use super::Day;

    #[test]
    fn days_read_and_write_back() {
        assert_eq!(Day::parse("1970-01-02T00:00:00Z"), Some(Day(1)));
        assert_eq!(Day::parse("2024-09-02").unwrap().to_string(), "2024-09-02");
        for text in ["0001-01-01T00:00:00Z", "", "yesterday", "2024-13-01", "2024-9-2", "é2024-09-02"] {
            assert_eq!(Day::parse(text), None, "{text}");
        }
        assert!(Day(u32::MAX).to_string().len() >= 10);
    }
}
