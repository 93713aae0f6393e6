//! Findings as people act on them: one group for each thing to change, one row for each flaw in it.
//!
//! Binary packages built from one source share its flaws and its fix, so they form one group; the same flaw in
//! several of them is one row.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use yagura_model::{Finding, FindingKind, Severity};

use crate::summary::{exploit_probability, is_known_exploited};

/// Findings with one remedy.
#[derive(Clone, Debug)]
pub struct Group<'a> {
    pub target: &'a str,
    pub kind: FindingKind,
    /// The source package, package, or file.
    pub name: &'a str,
    /// The installed version; empty for what has none.
    pub version: &'a str,
    /// Most severe first.
    pub rows: Vec<Row<'a>>,
}

/// One flaw, and every finding of it in the group.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    pub finding: &'a Finding,
    pub others: Vec<&'a Finding>,
}

impl<'a> Row<'a> {
    pub fn findings(&self) -> impl Iterator<Item = &'a Finding> {
        std::iter::once(self.finding).chain(self.others.iter().copied())
    }
}

impl<'a> Group<'a> {
    pub fn worst(&self) -> Severity {
        self.rows.iter().map(|row| row.finding.severity).max().unwrap_or_default()
    }

    pub fn findings(&self) -> impl Iterator<Item = &'a Finding> {
        self.rows.iter().flat_map(Row::findings)
    }

    /// The version that ends every flaw of the group, where all of them name the same one.
    pub fn common_fix(&self) -> Option<&'a str> {
        let mut fixes = self.findings().map(|finding| finding.fixed_version.as_deref());
        let first = fixes.next()??;
        fixes.all(|fix| fix == Some(first)).then_some(first)
    }

    /// Names of the packages the group stands for, each once.
    pub fn package_names(&self) -> Vec<&'a str> {
        let mut names: Vec<&str> =
            self.findings().filter_map(|f| f.package.as_ref()).map(|package| package.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    fn rank(&self) -> impl Ord + use<'a> {
        let exploited = self.findings().any(is_known_exploited);
        let probability =
            self.findings().filter_map(exploit_probability).map(per_million).max().unwrap_or_default();
        let worst = self.rows.iter().filter(|row| row.finding.severity == self.worst()).count();
        (
            Reverse(self.worst()),
            Reverse(exploited),
            Reverse(probability),
            Reverse(worst),
            self.name,
            self.version,
            self.target,
        )
    }
}

/// A probability as an integer, so that it can be sorted by.
fn per_million(probability: f64) -> u64 {
    (probability.clamp(0.0, 1.0) * 1e6) as u64
}

/// The groups, what matters most first; the order depends on nothing but the findings.
pub fn groups<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Vec<Group<'a>> {
    let mut groups: BTreeMap<_, BTreeMap<&str, Row<'a>>> = BTreeMap::new();
    for finding in findings {
        let name = thing(finding);
        let version = finding.package.as_ref().map_or("", |package| package.version.as_str());
        groups
            .entry((finding.target.as_str(), finding.kind, ecosystem(finding), name, version))
            .or_default()
            .entry(&finding.rule)
            .and_modify(|row| row.others.push(finding))
            .or_insert_with(|| Row { finding, others: Vec::new() });
    }
    let mut groups: Vec<Group<'a>> = groups
        .into_iter()
        .map(|((target, kind, _, name, version), rows)| {
            let mut rows: Vec<Row<'a>> = rows.into_values().collect();
            rows.sort_by_key(|row| {
                (
                    Reverse(row.finding.severity),
                    Reverse(is_known_exploited(row.finding)),
                    Reverse(exploit_probability(row.finding).map(per_million)),
                    Reverse(row.finding.rule.as_str()),
                )
            });
            Group { target, kind, name, version, rows }
        })
        .collect();
    groups.sort_by_cached_key(Group::rank);
    groups
}

/// What the reader would change: the source package, else the package, else the file, else the thing itself.
fn thing(finding: &Finding) -> &str {
    match &finding.package {
        Some(_) if !finding.evidence.matched_name.is_empty() => &finding.evidence.matched_name,
        Some(package) => &package.name,
        None if finding.location.path.is_empty() => &finding.evidence.resource,
        None => &finding.location.path,
    }
}

fn ecosystem(finding: &Finding) -> &'static str {
    finding
        .package
        .as_ref()
        .and_then(|package| package.purl.as_ref())
        .and_then(|purl| purl.ecosystem())
        .map_or("", |ecosystem| ecosystem.purl_type())
}
