//! From a record as its feed states it to what the file keeps of it.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use yagura_model::{Severity, SkipReason};

use super::interval::{End, Interval, intervals};
use super::key::normalise;
use super::stored::{Entry, RecordId, order_of};
use crate::advisories::{Advisory, AdvisoryKind, Affected, Day, FixState, Problem, Range, osv};
use crate::versions::Order;

/// Versions outside every interval that are kept for one package of one record.
const MAX_LOOSE_VERSIONS: usize = 8_192;

/// A record with its ranges evaluated, names normalised and redundant versions dropped.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reduced {
    pub id: String,
    pub kind: AdvisoryKind,
    pub withdrawn: bool,
    pub published: Option<Day>,
    pub modified: Option<Day>,
    pub vendor: Option<Severity>,
    pub database: Option<Severity>,
    pub vectors: Vec<String>,
    pub weaknesses: Vec<u32>,
    pub module: String,
    pub aliases: Vec<String>,
    /// The flaws it answers, where it is a distributor's bulletin.
    pub answers: Vec<String>,
    pub packages: Vec<ReducedPackage>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReducedPackage {
    pub ecosystem: String,
    pub name: String,
    /// Its record number is set when the file is built.
    pub entry: Entry,
}

/// Reduces a record. None for bulletins that name no flaw because they are not about security.
pub fn reduce(advisory: Advisory, problems: &mut Vec<Problem>) -> Option<Reduced> {
    let distribution = advisory.affected.iter().any(|affected| osv::is_distribution(&affected.ecosystem));
    let mut answers = advisory.upstream;
    if distribution && answers.is_empty() {
        // Distributors that predate `upstream` say `related`.
        answers = advisory.related;
    }
    answers.retain(|name| *name != advisory.id);
    answers.sort();
    answers.dedup();
    if answers.is_empty() && advisory.aliases.is_empty() && is_bug_fix_notice(&advisory.id) {
        return None;
    }
    let mut aliases = advisory.aliases;
    aliases.retain(|name| *name != advisory.id);
    aliases.sort();
    aliases.dedup();
    let mut reduced = Reduced {
        id: advisory.id,
        kind: advisory.kind,
        withdrawn: advisory.withdrawn,
        published: advisory.published,
        modified: advisory.modified,
        vendor: advisory.rating.vendor,
        database: advisory.rating.database,
        vectors: advisory.rating.vectors,
        weaknesses: advisory.weaknesses,
        module: String::new(),
        aliases,
        answers,
        packages: Vec::new(),
    };
    if reduced.withdrawn {
        return Some(reduced);
    }
    let mut modular = false;
    for affected in advisory.affected {
        for vector in &affected.rating.vectors {
            if !reduced.vectors.contains(vector) {
                reduced.vectors.push(vector.clone());
            }
        }
        reduced.database = reduced.database.max(affected.rating.database);
        package(affected, &mut reduced.packages, problems);
    }
    for package in &reduced.packages {
        modular |= package.entry.intervals.iter().any(|i| i.fixed().is_some_and(|v| v.contains("module")));
    }
    if modular {
        reduced.module = advisory.module;
    }
    reduced.packages.sort_by(|a, b| {
        (&a.ecosystem, &a.name, &a.entry.intervals).cmp(&(&b.ecosystem, &b.name, &b.entry.intervals))
    });
    reduced.packages.dedup();
    Some(reduced)
}

/// The RHEL family and SUSE publish bug fixes and enhancements beside security bulletins, told apart by their ids.
fn is_bug_fix_notice(id: &str) -> bool {
    [
        "ALBA-", "ALEA-", "RLBA-", "RLEA-", "RHBA-", "RHEA-", "ELBA-", "ELEA-", "SUSE-RU-", "SUSE-FU-",
        "SUSE-OU-",
    ]
    .iter()
    .any(|prefix| id.starts_with(prefix))
}

fn package(affected: Affected, packages: &mut Vec<ReducedPackage>, problems: &mut Vec<Problem>) {
    let name = normalise(&affected.ecosystem, &affected.name).into_owned();
    let tagged = (!affected.tagged.is_empty()).then(|| {
        let ranges: Vec<&Range> = affected.tagged.iter().collect();
        evaluate(&affected.ecosystem, &name, &ranges, true, problems)
    });
    let (semver, own): (Vec<&Range>, Vec<&Range>) = affected.ranges.iter().partition(|range| range.semver);
    let mut versions = affected.versions;
    let mut entries = Vec::new();
    for (ranges, semver) in [(semver, true), (own, false)] {
        if ranges.is_empty() {
            continue;
        }
        let intervals = evaluate(&affected.ecosystem, &name, &ranges, semver, problems);
        let order = order_of(&affected.ecosystem, semver);
        versions.retain(|version| !intervals.iter().any(|interval| interval.contains(order, version)));
        entries.push((intervals, semver));
    }
    versions.sort();
    versions.dedup();
    if versions.len() > MAX_LOOSE_VERSIONS {
        problems.push(Problem::new(
            SkipReason::TooMany,
            format!("{name}: {} versions outside its ranges, {MAX_LOOSE_VERSIONS} are kept", versions.len()),
        ));
        versions.truncate(MAX_LOOSE_VERSIONS);
    }
    if entries.is_empty() {
        entries.push((Vec::new(), false));
    }
    for (intervals, semver) in entries {
        let versions = std::mem::take(&mut versions);
        if intervals.is_empty() && versions.is_empty() && affected.state == FixState::Unstated {
            continue;
        }
        packages.push(ReducedPackage {
            ecosystem: affected.ecosystem.clone(),
            name: name.clone(),
            entry: Entry {
                record: RecordId(0),
                semver,
                intervals,
                versions,
                tagged: tagged.clone(),
                state: affected.state,
                vendor: affected.rating.vendor,
            },
        });
    }
}

fn evaluate(
    ecosystem: &str,
    name: &str,
    ranges: &[&Range],
    semver: bool,
    problems: &mut Vec<Problem>,
) -> Vec<Interval> {
    let order = order_of(ecosystem, semver);
    let mut all = Vec::new();
    for range in ranges {
        let (found, backwards) = intervals(range, order);
        if backwards {
            problems.push(Problem::malformed(format!("{name}: a range ends before it begins")));
        }
        all.extend(found);
    }
    all.sort_by(|a, b| match (&a.start, &b.start) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (Some(a), Some(b)) => order.compare(a, b),
    });
    join_adjacent(&mut all, order);
    all
}

/// Joins intervals that overlap or touch (Packagist's `< 8.1.0`, `>= 8.1.0, < 8.2.0`): a "fix" inside another
/// interval is affected itself. The intervals come sorted by where they start.
fn join_adjacent(intervals: &mut Vec<Interval>, order: Order) {
    let mut joined: Vec<Interval> = Vec::with_capacity(intervals.len());
    for interval in intervals.drain(..) {
        match joined.last_mut() {
            Some(last) if reaches(&last.end, interval.start.as_deref(), order) => {
                if later(&interval.end, &last.end, order) {
                    last.end = interval.end;
                }
            }
            _ => joined.push(interval),
        }
    }
    *intervals = joined;
}

fn end_version(end: &End) -> Option<&str> {
    match end {
        End::Open => None,
        End::Fixed(version) | End::LastAffected(version) | End::Limit(version) => Some(version),
    }
}

/// Whether an interval with this end goes on at least to where another starts.
fn reaches(end: &End, start: Option<&str>, order: Order) -> bool {
    match (end_version(end), start) {
        (None, _) | (_, None) => true,
        (Some(end), Some(start)) => order.compare(start, end).is_le(),
    }
}

/// Whether the first end lies behind the second.
fn later(a: &End, b: &End, order: Order) -> bool {
    match (end_version(a), end_version(b)) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(first), Some(second)) => match order.compare(first, second) {
            Ordering::Equal => matches!(a, End::LastAffected(_)) && !matches!(b, End::LastAffected(_)),
            unequal => unequal.is_gt(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_intervals_are_one() {
        let interval = |start: &str, end: &str| Interval {
            start: (!start.is_empty()).then(|| start.to_owned()),
            end: match end.split_at_checked(1) {
                Some(("<", version)) => End::Fixed(version.to_owned()),
                Some((_, version)) => End::LastAffected(version.to_owned()),
                None => End::Open,
            },
        };
        for (given, expected) in [
            (vec![interval("", "<2"), interval("2", "<3"), interval("4", "<5")], ">= 0, < 3 | >= 4, < 5"),
            (vec![interval("1", "<1.5"), interval("1.2", "<2")], ">= 1, < 2"),
            (vec![interval("", "<9"), interval("1", "<2")], ">= 0, < 9"),
            (vec![interval("1", ""), interval("2", "<3")], ">= 1"),
            (vec![interval("1", "<2"), interval("1", "=2")], ">= 1, <= 2"),
            (vec![interval("1", "=2"), interval("2.1", "<3")], ">= 1, <= 2 | >= 2.1, < 3"),
        ] {
            let mut intervals = given;
            join_adjacent(&mut intervals, Order::Pep440);
            let text: Vec<String> = intervals.iter().map(Interval::to_string).collect();
            assert_eq!(text.join(" | "), expected);
        }
    }
}
