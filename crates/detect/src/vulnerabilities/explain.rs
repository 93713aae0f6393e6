//! Everything the database knows of an id and, given an inventory, why it matched each package or did not.

use std::collections::BTreeMap;

use yagura_formats::database::{Database, DatabaseError, FlawId, RecordId, normalise};
use yagura_model::vulnerability::{ExploitPrediction, KnownExploited};
use yagura_model::{Inventory, Package};

use super::candidates::Candidates;
use super::{Matcher, severity};

/// What is known of one flaw.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Explanation {
    /// The name it is shown under.
    pub name: String,
    /// Every other name, sorted.
    pub aliases: Vec<String>,
    pub severity: yagura_model::Severity,
    pub severity_source: String,
    pub score: Option<f64>,
    pub vectors: Vec<String>,
    pub weaknesses: Vec<u32>,
    pub known_exploited: Option<KnownExploited>,
    pub exploit_prediction: Option<ExploitPrediction>,
    /// Records that are this flaw or answer it.
    pub advisories: Vec<AdvisoryLine>,
    /// What is said of each package, by ecosystem and name.
    pub packages: Vec<PackageLine>,
    /// The packages of the inventory, where one was given: those the flaw could concern.
    pub judgements: Vec<Judgement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdvisoryLine {
    pub id: String,
    pub feed: String,
    pub published: String,
    pub modified: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageLine {
    pub ecosystem: String,
    pub name: String,
    pub advisory: String,
    /// In words; each explicit version counts.
    pub ranges: Vec<String>,
    pub fix_state: &'static str,
}

/// Why a package of the inventory is affected or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    pub package: String,
    pub version: String,
    /// File that proved the package.
    pub location: String,
    pub affected: bool,
    pub advisory: String,
    pub reason: String,
}

/// Explains an id of any kind: a CVE, GHSA, DSA, … A bulletin that answers several flaws gives one explanation for
/// each. Empty when the database does not know the id.
pub fn explain(
    id: &str,
    inventory: Option<&Inventory>,
    database: &Database,
) -> Result<Vec<Explanation>, DatabaseError> {
    let mut explanations = BTreeMap::new();
    for flaw in database.find_flaws(id)? {
        explanations.insert(flaw, Explanation::default());
    }
    if explanations.is_empty() {
        return Ok(Vec::new());
    }
    let mut matcher = Matcher::new(database);
    let mut of_record: BTreeMap<RecordId, Vec<FlawId>> = BTreeMap::new();
    let feed = |source: u16| {
        database.info().sources.get(usize::from(source)).map(|s| s.name.clone()).unwrap_or_default()
    };
    database.each_record(&mut |number, record| {
        for flaw in &record.flaws {
            let Some(explanation) = explanations.get_mut(flaw) else { continue };
            of_record.entry(number).or_default().push(*flaw);
            let day = |day: Option<yagura_formats::advisories::Day>| {
                day.map(|day| day.to_string()).unwrap_or_default()
            };
            explanation.advisories.push(AdvisoryLine {
                id: record.id.clone(),
                feed: feed(record.source),
                published: day(record.published),
                modified: day(record.modified),
            });
        }
    })?;
    let mut failure = None;
    database.each_package(&mut |ecosystem, name, entries| {
        for entry in entries {
            let Some(flaws) = of_record.get(&entry.record) else { continue };
            let advisory = match matcher.record(entry.record) {
                Ok(record) => record.id.clone(),
                Err(error) => {
                    failure = Some(error);
                    return;
                }
            };
            let ranges = entry.intervals.iter().map(ToString::to_string);
            let line = PackageLine {
                ecosystem: database.ecosystem_row(ecosystem).map(|row| row.name.clone()).unwrap_or_default(),
                name: name.to_owned(),
                advisory,
                ranges: ranges.chain(entry.versions.iter().map(|version| format!("= {version}"))).collect(),
                fix_state: entry.state.name(),
            };
            for flaw in flaws {
                if let Some(explanation) = explanations.get_mut(flaw) {
                    explanation.packages.push(line.clone());
                }
            }
        }
    })?;
    if let Some(error) = failure {
        return Err(error);
    }
    for (id, explanation) in &mut explanations {
        fill(&mut matcher, *id, explanation)?;
        if let Some(inventory) = inventory {
            judge(&mut matcher, *id, explanation, inventory, database)?;
        }
    }
    Ok(explanations.into_values().collect())
}

fn fill(matcher: &mut Matcher<'_>, id: FlawId, explanation: &mut Explanation) -> Result<(), DatabaseError> {
    let flaw = matcher.flaw(id)?;
    let rated = severity::rate(std::iter::empty(), &flaw);
    explanation.name.clone_from(&flaw.name);
    explanation.aliases.clone_from(&flaw.other_names);
    for record in &flaw.records {
        explanation.aliases.push(matcher.record(*record)?.id.clone());
    }
    explanation.aliases.retain(|name| *name != flaw.name);
    explanation.aliases.sort();
    explanation.aliases.dedup();
    explanation.severity = rated.severity;
    rated.source.clone_into(&mut explanation.severity_source);
    explanation.score = rated.score;
    explanation.vectors.clone_from(&flaw.vectors);
    explanation.weaknesses.clone_from(&flaw.weaknesses);
    explanation.known_exploited = flaw.exploited.map(super::known_exploited);
    explanation.exploit_prediction = flaw.prediction.map(super::exploit_prediction);
    Ok(())
}

/// Judges every package that the flaw could concern: those looked up under a name it knows, and those that bear
/// such a name and are not looked up at all.
fn judge(
    matcher: &mut Matcher<'_>,
    id: FlawId,
    explanation: &mut Explanation,
    inventory: &Inventory,
    database: &Database,
) -> Result<(), DatabaseError> {
    let candidates = Candidates::of(inventory, database);
    for package in &inventory.packages {
        let mut line = Judgement {
            package: package.name.clone(),
            version: package.version.clone(),
            location: package.locations.first().map(|location| location.path.clone()).unwrap_or_default(),
            affected: false,
            advisory: String::new(),
            reason: String::new(),
        };
        let subjects = match candidates.subjects(package) {
            Ok(subjects) => subjects,
            Err(reason) => {
                if bears_a_name(package, &explanation.packages) {
                    reason.reason().clone_into(&mut line.reason);
                    explanation.judgements.push(line);
                }
                continue;
            }
        };
        let mut spoken = false;
        for claim in matcher.claims(&subjects)? {
            if claim.record.flaws.contains(&id) {
                spoken = true;
                explanation.judgements.push(Judgement {
                    affected: claim.verdict.is_affected(),
                    advisory: claim.record.id.clone(),
                    reason: claim.verdict.to_string(),
                    ..line.clone()
                });
            }
        }
        if !spoken && bears_a_name(package, &explanation.packages) {
            let mut feeds: Vec<&str> = explanation
                .packages
                .iter()
                .filter(|known| is_named(package, known))
                .map(|known| known.ecosystem.as_str())
                .collect();
            feeds.dedup();
            line.reason = format!("the flaw is known for this name in {} only", feeds.join(", "));
            explanation.judgements.push(line);
        }
    }
    Ok(())
}

fn bears_a_name(package: &Package, known: &[PackageLine]) -> bool {
    known.iter().any(|known| is_named(package, known))
}

fn is_named(package: &Package, known: &PackageLine) -> bool {
    let source = package.source.as_ref().map(|source| source.name.as_str());
    source == Some(known.name.as_str()) || normalise(&known.ecosystem, &package.name) == known.name
}
