//! What VEX statements make of findings.
//!
//! A statement speaks of a finding when it names the flaw and one of its products is the package, or is (or holds) the
//! target with a subcomponent that is the package. Of all statements that speak of a finding the latest wins, and of
//! those with the same time the one read last (OpenVEX specification, "Status Transitions" by time). Statements that
//! speak of nothing are explained by what comes nearest, so that a mistyped product does not go unnoticed.

mod nearest;
mod product;
mod purl;
mod scanned;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use yagura_model::Finding;
use yagura_model::report::{Suppressed, Target};
use yagura_model::vex::{VexSource, VexStatement};

use nearest::Nearest;
use scanned::Scanned;

/// Statements without effect that are explained one by one; the rest is counted.
pub const MAX_EXPLAINED: usize = 200;

/// What the statements did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Applied {
    /// Findings that stand; those a statement confirms say so in their evidence.
    pub findings: Vec<Finding>,
    /// Findings that are not affected, or fixed.
    pub suppressed: Vec<Suppressed>,
    pub unused: Vec<Unused>,
    /// Statements without effect beyond those in `unused`.
    pub unexplained: usize,
}

impl Applied {
    /// The statements without effect, in words for the report.
    pub fn notices(&self) -> Vec<String> {
        let mut notices: Vec<String> = self.unused.iter().map(Unused::to_string).collect();
        if self.unexplained > 0 {
            notices.push(format!("{} further VEX statements matched nothing", self.unexplained));
        }
        notices
    }
}

/// A statement that spoke of no finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unused {
    pub source: VexSource,
    pub vulnerability: String,
    /// The finding or package that comes nearest, and why it is not meant.
    pub nearest: String,
}

impl std::fmt::Display for Unused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "VEX statement on {} matched nothing ({}): {}",
            self.vulnerability, self.source, self.nearest
        )
    }
}

/// Applies statements to the findings of all targets of a report.
pub fn apply(findings: Vec<Finding>, targets: &[Target], statements: &[VexStatement]) -> Applied {
    if statements.is_empty() {
        return Applied { findings, ..Applied::default() };
    }
    let scanned: BTreeMap<&str, Scanned<'_>> =
        targets.iter().map(|target| (target.name.as_str(), Scanned::of(target))).collect();
    let by_flaw = index(statements);
    let mut used = vec![false; statements.len()];
    let mut nearest: HashMap<usize, Nearest> = HashMap::new();
    let mut applied = Applied::default();
    for mut finding in findings {
        let candidates: BTreeSet<usize> = names(&finding)
            .filter_map(|name| by_flaw.get(&name.to_ascii_lowercase()))
            .flatten()
            .copied()
            .collect();
        let target = scanned.get(finding.target.as_str());
        let mut latest: Option<&VexStatement> = None;
        for place in candidates {
            let Some(statement) = statements.get(place) else { continue };
            match product::any_matches(statement, &finding, target) {
                Ok(()) => {
                    if let Some(used) = used.get_mut(place) {
                        *used = true;
                    }
                    if latest.is_none_or(|latest| statement.timestamp >= latest.timestamp) {
                        latest = Some(statement);
                    }
                }
                Err(miss) => nearest.entry(place).or_default().offer(&finding, miss),
            }
        }
        match latest {
            Some(statement) if statement.status.suppresses() => {
                applied.suppressed.push(Suppressed {
                    finding,
                    by: "vex".to_owned(),
                    source: source(statement),
                    reason: reason(statement),
                });
            }
            Some(statement) => {
                finding.evidence.notes.push(format!("vex: {} ({})", reason(statement), source(statement)));
                applied.findings.push(finding);
            }
            None => applied.findings.push(finding),
        }
    }
    for (place, statement) in
        statements.iter().enumerate().filter(|(place, _)| used.get(*place) == Some(&false))
    {
        if applied.unused.len() >= MAX_EXPLAINED {
            applied.unexplained += 1;
            continue;
        }
        let nearest = match nearest.remove(&place) {
            Some(nearest) => nearest.into_words(),
            None => nearest::among_packages(statement, scanned.values()),
        };
        applied.unused.push(Unused {
            source: statement.source.clone(),
            vulnerability: statement.vulnerability.clone(),
            nearest,
        });
    }
    applied
}

/// Statements by every name of their flaw, in lower case.
fn index(statements: &[VexStatement]) -> HashMap<String, Vec<usize>> {
    let mut by_flaw: HashMap<String, Vec<usize>> = HashMap::new();
    for (place, statement) in statements.iter().enumerate() {
        for name in std::iter::once(&statement.vulnerability).chain(&statement.aliases) {
            if !name.is_empty() {
                by_flaw.entry(name.to_ascii_lowercase()).or_default().push(place);
            }
        }
    }
    by_flaw
}

/// Every name of the flaw a finding is about.
fn names(finding: &Finding) -> impl Iterator<Item = &str> {
    let flaw = finding.vulnerability.iter();
    let of_flaw = flaw.flat_map(|flaw| std::iter::once(&flaw.id).chain(&flaw.aliases));
    std::iter::once(&finding.rule).chain(&finding.aliases).chain(of_flaw).map(String::as_str)
}

fn source(statement: &VexStatement) -> String {
    match statement.source.id.as_str() {
        "" => statement.source.to_string(),
        id => format!("{}, {id}", statement.source),
    }
}

/// `not_affected: vulnerable_code_not_present: built without it`
fn reason(statement: &VexStatement) -> String {
    let explanation = if statement.status.suppresses() { &statement.impact } else { &statement.action };
    let mut reason = statement.status.name().to_owned();
    for part in [&statement.justification, explanation] {
        if !part.is_empty() {
            reason.push_str(": ");
            reason.push_str(part);
        }
    }
    if !statement.author.is_empty() {
        reason.push_str(&format!(" (says {})", statement.author));
    }
    reason
}
