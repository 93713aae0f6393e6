//! Whether one entry of the database affects one version, and why (not).

use std::fmt;

use yagura_formats::advisories::FixState;
use yagura_formats::database::{Entry, Interval, order_of};
use yagura_formats::versions::Order;

/// What an entry says of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The version lies in this range.
    Affected(Interval),
    /// The version is on the advisory's list.
    Listed,
    /// The version has this fix, or a later one.
    FixedAlready(String),
    /// The version is outside every range for another reason.
    OutOfRange,
    /// The vendor states that the package is not affected.
    NotAffected,
    /// The vendor has not decided yet.
    UnderInvestigation,
    /// The advisory is about packages of another module stream, or of none.
    OtherModule,
}

impl Verdict {
    pub fn is_affected(&self) -> bool {
        matches!(self, Self::Affected(_) | Self::Listed)
    }

    /// The fix on the version's own branch.
    pub fn fixed_version(&self) -> Option<&str> {
        match self {
            Self::Affected(interval) => interval.fixed(),
            _ => None,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Affected(interval) => write!(f, "affected: {interval}"),
            Self::Listed => f.write_str("affected: listed by version"),
            Self::FixedAlready(fixed) => write!(f, "fixed already, in {fixed}"),
            Self::OutOfRange => f.write_str("outside the affected ranges"),
            Self::NotAffected => f.write_str("not affected, says the vendor"),
            Self::UnderInvestigation => f.write_str("under investigation by the vendor"),
            Self::OtherModule => f.write_str("about another module stream"),
        }
    }
}

/// The version to judge and what is known of its package.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    pub version: &'a str,
    /// rpm modularity label, empty without one.
    pub module: &'a str,
    /// The epoch is to be left out of comparisons with versions that have none.
    pub epochs_left_out: bool,
}

/// Judges a version by an entry of an ecosystem; `record_module` is the stream the record is about, where known.
pub fn judge(entry: &Entry, ecosystem: &str, record_module: &str, candidate: &Candidate<'_>) -> Verdict {
    let order = order_of(ecosystem, entry.semver);
    if order == Order::Rpm && !same_module(entry, record_module, candidate) {
        return Verdict::OtherModule;
    }
    match entry.state {
        FixState::NotAffected => return Verdict::NotAffected,
        FixState::UnderInvestigation => return Verdict::UnderInvestigation,
        FixState::Unstated | FixState::Fixed | FixState::NotFixed | FixState::WillNotFix => {}
    }
    let tagged = entry.tagged.as_ref().filter(|_| is_tagged_release(candidate.version));
    let intervals = tagged.unwrap_or(&entry.intervals);
    let version = |interval: &Interval| {
        let no_epoch = interval.fixed().is_some_and(|fixed| !fixed.contains(':'));
        match candidate.version.split_once(':') {
            Some((_, rest)) if candidate.epochs_left_out && no_epoch => rest,
            _ => candidate.version,
        }
    };
    if let Some(interval) = intervals.iter().find(|interval| interval.contains(order, version(interval))) {
        return Verdict::Affected(interval.clone());
    }
    if entry
        .versions
        .iter()
        .any(|listed| listed == candidate.version || order.compare(listed, candidate.version).is_eq())
    {
        return Verdict::Listed;
    }
    let fixes = intervals.iter().filter_map(|interval| Some((interval.fixed()?, version(interval))));
    let passed = fixes.filter(|(fixed, version)| order.compare(version, fixed).is_ge());
    match passed.map(|(fixed, _)| fixed).max_by(|a, b| order.compare(a, b)) {
        Some(fixed) => Verdict::FixedAlready(fixed.to_owned()),
        None => Verdict::OutOfRange,
    }
}

/// An advisory for a module's build applies to packages of that module alone, and one for an ordinary build to
/// ordinary packages alone: both kinds carry the same names.
fn same_module(entry: &Entry, record_module: &str, candidate: &Candidate<'_>) -> bool {
    let modular_fix =
        entry.intervals.iter().any(|interval| interval.fixed().is_some_and(|v| v.contains(".module")));
    let modular_package = !candidate.module.is_empty() || candidate.version.contains(".module");
    let unfixed = entry.intervals.iter().all(|interval| interval.fixed().is_none());
    if modular_fix != modular_package && !(unfixed && record_module.is_empty()) {
        return false;
    }
    let stream = |label: &str| {
        let mut parts = label.split(':');
        Some((parts.next()?.to_owned(), parts.next()?.to_owned()))
    };
    match (stream(record_module), stream(candidate.module)) {
        (Some(record), Some(package)) => record == package,
        _ => true,
    }
}

/// Whether a Go version is a tag its module's authors set, rather than a commit's pseudo-version
/// (`v0.0.0-20060102150405-abcdefabcdef`).
fn is_tagged_release(version: &str) -> bool {
    let base = version.split('+').next().unwrap_or_default();
    let mut tail = base.rsplit('-');
    let commit = tail.next().unwrap_or_default();
    let time = tail.next().unwrap_or_default();
    let time = time.rsplit('.').next().unwrap_or_default();
    let pseudo = commit.len() == 12
        && commit.bytes().all(|b| b.is_ascii_hexdigit())
        && time.len() == 14
        && time.bytes().all(|b| b.is_ascii_digit());
    !pseudo && version.bytes().any(|b| b.is_ascii_digit())
}
