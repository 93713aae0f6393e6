//! Known flaws of the packages of an inventory.
//!
//! Who owns a package decides which feed speaks for it: a package of the operating system is judged by its
//! distributor's feed alone, a language package that the operating system installed is not judged a second time, and
//! everything else is judged by its registry's feed. One flaw in one package is one finding, under all its names.

mod affected;
mod candidates;
mod distributions;
mod end_of_life;
mod explain;
mod languages;
mod severity;
#[cfg(test)]
mod tests;
mod verdict;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use sha2::{Digest, Sha256};
use yagura_formats::advisories::{AdvisoryKind, FixState};
use yagura_formats::database::{
    Database, DatabaseError, EcosystemId, Entry, Exploited, Flaw, FlawId, Prediction, Record, RecordId,
    order_of,
};
use yagura_model::finding::{Evidence, PackageReference};
use yagura_model::vulnerability::{ExploitPrediction, KnownExploited, Vulnerability};
use yagura_model::{Finding, FindingKind, Inventory, Package, Severity};

pub use affected::{Affected, IndexError, SbomId, SbomIndex, SbomIndexBuilder, changed_records};
pub use candidates::{NotJudged, Subject};
pub use end_of_life::fill_end_of_life;
pub use explain::{Explanation, explain};
pub use verdict::Verdict;

use candidates::Candidates;
use verdict::Candidate;

/// What to leave out.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Whether notices that a package is unmaintained count as findings (of negligible severity).
    pub informational: bool,
    /// Whether flaws that the vendor will not fix are shown.
    pub will_not_fix: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { informational: true, will_not_fix: true }
    }
}

/// What came of matching an inventory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matches {
    /// Most severe first, then by package and flaw.
    pub findings: Vec<Finding>,
    /// What the user should know: no feed for this system, packages that could not be judged.
    pub notices: Vec<String>,
}

/// Judges every package of an inventory. `target` is the name findings carry.
pub fn match_inventory(
    inventory: &Inventory,
    target: &str,
    database: &Database,
    options: Options,
) -> Result<Matches, DatabaseError> {
    let mut matcher = Matcher::new(database);
    let candidates = Candidates::of(inventory, database);
    let mut matches = Matches { notices: candidates.notices(), ..Matches::default() };
    let mut not_judged: BTreeMap<NotJudged, usize> = BTreeMap::new();
    for package in &inventory.packages {
        let subjects = match candidates.subjects(package) {
            Ok(subjects) => subjects,
            Err(reason) => {
                *not_judged.entry(reason).or_default() += 1;
                continue;
            }
        };
        for hit in matcher.hits(&subjects, options)? {
            matches.findings.push(finding(package, target, &hit));
        }
    }
    matches.notices.extend(not_judged.iter().filter_map(|(reason, count)| reason.notice(*count)));
    matches.findings.sort_by(|a, b| {
        let name = |finding: &Finding| finding.package.as_ref().map(|p| (p.name.clone(), p.version.clone()));
        b.severity
            .cmp(&a.severity)
            .then_with(|| name(a).cmp(&name(b)))
            .then_with(|| a.rule.cmp(&b.rule))
            .then_with(|| a.location.path.cmp(&b.location.path))
            .then_with(|| a.id.cmp(&b.id))
    });
    Ok(matches)
}

/// Reads the database and remembers what it has read: flaws and records come up again and again.
pub(crate) struct Matcher<'a> {
    database: &'a Database,
    records: BTreeMap<RecordId, Rc<Record>>,
    flaws: BTreeMap<FlawId, Rc<Flaw>>,
}

/// One flaw in one package, with every record that says so.
pub(crate) struct Hit<'s> {
    pub flaw: Rc<Flaw>,
    pub claims: Vec<Claim<'s>>,
    /// Names of the flaw that are records of the database.
    pub record_names: Vec<String>,
    /// First known publication of any record of the flaw, newest change.
    pub published: String,
    pub modified: String,
}

/// One record's statement about one subject.
pub(crate) struct Claim<'s> {
    pub subject: &'s Subject,
    pub ecosystem: String,
    pub record: Rc<Record>,
    pub entry: Entry,
    pub verdict: Verdict,
}

impl<'a> Matcher<'a> {
    pub fn new(database: &'a Database) -> Self {
        Self { database, records: BTreeMap::new(), flaws: BTreeMap::new() }
    }

    /// Every record's statement about the subjects, affected or not.
    pub fn claims<'s>(&mut self, subjects: &'s [Subject]) -> Result<Vec<Claim<'s>>, DatabaseError> {
        let mut claims = Vec::new();
        for subject in subjects {
            let entries = self.database.lookup(subject.ecosystem, &subject.name)?;
            let Some(row) = self.database.ecosystem_row(subject.ecosystem) else { continue };
            for entry in entries {
                let record = self.record(entry.record)?;
                let candidate = Candidate {
                    version: &subject.version,
                    module: &subject.module,
                    epochs_left_out: subject.epochs_left_out,
                };
                let verdict = verdict::judge(&entry, &row.name, &record.module, &candidate);
                claims.push(Claim { subject, ecosystem: row.name.clone(), record, entry, verdict });
            }
        }
        Ok(claims)
    }

    /// The flaws that affect a package, given everything that speaks for it.
    pub fn hits<'s>(
        &mut self,
        subjects: &'s [Subject],
        options: Options,
    ) -> Result<Vec<Hit<'s>>, DatabaseError> {
        let mut claims = self.claims(subjects)?;
        if claims.iter().all(|claim| !claim.verdict.is_affected()) {
            return Ok(Vec::new());
        }
        drop_met_alternatives(&mut claims);
        let mut by_flaw: BTreeMap<FlawId, Vec<Claim<'s>>> = BTreeMap::new();
        for claim in claims {
            let wanted = claim.verdict.is_affected()
                && (options.informational || !is_informational(claim.record.kind))
                && (options.will_not_fix || claim.entry.state != FixState::WillNotFix);
            if !wanted {
                continue;
            }
            let Claim { subject, ecosystem, record, entry, verdict } = claim;
            for flaw in &record.flaws {
                by_flaw.entry(*flaw).or_default().push(Claim {
                    subject,
                    ecosystem: ecosystem.clone(),
                    record: Rc::clone(&record),
                    entry: entry.clone(),
                    verdict: verdict.clone(),
                });
            }
        }
        let mut hits = Vec::with_capacity(by_flaw.len());
        for (id, claims) in by_flaw {
            let flaw = self.flaw(id)?;
            let mut records: Vec<Rc<Record>> =
                flaw.records.iter().map(|id| self.record(*id)).collect::<Result<_, _>>()?;
            let record_names = records.iter().map(|record| record.id.clone()).collect();
            if records.is_empty() {
                records = claims.iter().map(|claim| Rc::clone(&claim.record)).collect();
            }
            let day = |day: yagura_formats::advisories::Day| day.to_string();
            hits.push(Hit {
                published: records.iter().filter_map(|r| r.published).min().map(day).unwrap_or_default(),
                modified: records.iter().filter_map(|r| r.modified).max().map(day).unwrap_or_default(),
                flaw,
                claims,
                record_names,
            });
        }
        Ok(hits)
    }

    pub fn record(&mut self, id: RecordId) -> Result<Rc<Record>, DatabaseError> {
        if let Some(record) = self.records.get(&id) {
            return Ok(Rc::clone(record));
        }
        let record = Rc::new(self.database.record(id)?);
        self.records.insert(id, Rc::clone(&record));
        Ok(record)
    }

    pub fn flaw(&mut self, id: FlawId) -> Result<Rc<Flaw>, DatabaseError> {
        if let Some(flaw) = self.flaws.get(&id) {
            return Ok(Rc::clone(flaw));
        }
        let flaw = Rc::new(self.database.flaw(id)?);
        self.flaws.insert(id, Rc::clone(&flaw));
        Ok(flaw)
    }
}

/// A bulletin of an rpm distribution names one package once for each build that has the fix (minor releases, module
/// contexts, the distributor's own respin). Whoever has one of them has the fix, so a package that meets one
/// alternative is not affected by the others; of those it does not meet the lowest is the fix to ask for.
fn drop_met_alternatives(claims: &mut Vec<Claim<'_>>) {
    let mut met: BTreeSet<(RecordId, EcosystemId)> = BTreeSet::new();
    let mut lowest: BTreeMap<(RecordId, EcosystemId), String> = BTreeMap::new();
    for claim in &*claims {
        let order = order_of(&claim.ecosystem, claim.entry.semver);
        if order != yagura_formats::versions::Order::Rpm {
            continue;
        }
        let key = (claim.entry.record, claim.subject.ecosystem);
        match &claim.verdict {
            Verdict::FixedAlready(_) => {
                met.insert(key);
            }
            Verdict::Affected(interval) => {
                let Some(fixed) = interval.fixed() else { continue };
                let held = lowest.entry(key).or_insert_with(|| fixed.to_owned());
                if order.compare(fixed, held).is_lt() {
                    *held = fixed.to_owned();
                }
            }
            _ => {}
        }
    }
    claims.retain(|claim| {
        let key = (claim.entry.record, claim.subject.ecosystem);
        let higher = match (lowest.get(&key), claim.verdict.fixed_version()) {
            (Some(lowest), Some(fixed)) => lowest != fixed,
            _ => false,
        };
        !claim.verdict.is_affected() || !(met.contains(&key) || higher)
    });
}

fn is_informational(kind: AdvisoryKind) -> bool {
    matches!(kind, AdvisoryKind::Unmaintained | AdvisoryKind::Notice)
}

/// The claim to show: the surest, then one that is free of charge, then one that names a fix.
fn surest_claim<'h, 's>(hit: &'h Hit<'s>) -> Option<&'h Claim<'s>> {
    hit.claims.iter().max_by_key(|claim| {
        (claim.subject.confidence, !claim.subject.subscription, claim.verdict.fixed_version().is_some())
    })
}

fn finding(package: &Package, target: &str, hit: &Hit<'_>) -> Finding {
    let flaw = &hit.flaw;
    let shown = surest_claim(hit);
    let kind = match hit.claims.iter().any(|claim| claim.record.kind == AdvisoryKind::Malicious)
        || names(hit).any(|name| name.starts_with("MAL-"))
    {
        true => FindingKind::Malware,
        false => FindingKind::Vulnerability,
    };
    let mut rated =
        severity::rate(hit.claims.iter().map(|claim| (&claim.entry, claim.record.as_ref())), flaw);
    let informational = hit.claims.iter().all(|claim| is_informational(claim.record.kind));
    if informational {
        rated.severity = Severity::Negligible;
    } else if kind == FindingKind::Malware && rated.source.is_empty() {
        rated.severity = Severity::Critical;
    }
    let fixed_version = fixed_version(hit);
    let mut aliases: Vec<String> = names(hit).filter(|name| *name != flaw.name).map(str::to_owned).collect();
    aliases.sort();
    aliases.dedup();
    let location = package.locations.first().cloned().unwrap_or_default();
    let purl = package.purl();
    let mut finding = Finding {
        id: String::new(),
        rule: flaw.name.clone(),
        kind,
        severity: rated.severity,
        title: title(package, hit, kind, fixed_version.as_deref()),
        target: target.to_owned(),
        location,
        package: Some(PackageReference {
            name: package.name.clone(),
            version: package.version.clone(),
            purl,
            scope: package.scope,
        }),
        aliases: aliases.clone(),
        controls: Vec::new(),
        vulnerability: Some(Vulnerability {
            id: flaw.name.clone(),
            aliases,
            severity: rated.severity,
            severity_source: rated.source.to_owned(),
            score: rated.score,
            vector: rated.vector,
            weaknesses: flaw.weaknesses.iter().map(|number| format!("CWE-{number}")).collect(),
            published: hit.published.clone(),
            modified: hit.modified.clone(),
            known_exploited: flaw.exploited.map(known_exploited),
            exploit_prediction: flaw.prediction.map(exploit_prediction),
        }),
        evidence: shown.map(|claim| evidence(package, claim, hit)).unwrap_or_default(),
        fix: fixed_version
            .as_ref()
            .map(|fixed| format!("Update {} to {fixed} or later.", package.name))
            .unwrap_or_default(),
        fixed_version,
        created_by: String::new(),
        from_base_image: package.from_base_image,
    };
    finding.id = finding_id(&finding);
    finding
}

fn known_exploited(known: Exploited) -> KnownExploited {
    KnownExploited {
        date_added: known.added.to_string(),
        due_date: known.due.map(|day| day.to_string()).unwrap_or_default(),
        ransomware: known.ransomware,
    }
}

fn exploit_prediction(prediction: Prediction) -> ExploitPrediction {
    ExploitPrediction {
        probability: f64::from(prediction.probability) / 1e6,
        percentile: f64::from(prediction.percentile) / 1e6,
    }
}

/// Every name of the flaw, and the bulletins that matched.
fn names<'h>(hit: &'h Hit<'_>) -> impl Iterator<Item = &'h str> {
    std::iter::once(hit.flaw.name.as_str())
        .chain(hit.flaw.other_names.iter().map(String::as_str))
        .chain(hit.record_names.iter().map(String::as_str))
        .chain(hit.claims.iter().map(|claim| claim.record.id.as_str()))
}

/// The version that is free of the flaw by every record that names a fix for this package's branch.
fn fixed_version(hit: &Hit<'_>) -> Option<String> {
    let fixes = hit.claims.iter().filter_map(|claim| {
        let order = order_of(&claim.ecosystem, claim.entry.semver);
        Some((claim.verdict.fixed_version()?, order, claim.subject.subscription))
    });
    let free = fixes.clone().any(|(_, _, subscription)| !subscription);
    fixes
        .filter(|(_, _, subscription)| !(free && *subscription))
        .max_by(|(a, order, _), (b, _, _)| order.compare(a, b))
        .map(|(fixed, ..)| fixed.to_owned())
}

fn evidence(package: &Package, claim: &Claim<'_>, hit: &Hit<'_>) -> Evidence {
    let range = match &claim.verdict {
        Verdict::Affected(interval) => interval.to_string(),
        _ => format!("= {}", claim.subject.version),
    };
    let mut notes: Vec<String> = Vec::new();
    let mut others: Vec<&str> =
        hit.claims.iter().map(|c| c.record.id.as_str()).filter(|id| *id != claim.record.id).collect();
    others.sort_unstable();
    others.dedup();
    if !others.is_empty() {
        notes.push(format!("also matched by {}", others.join(", ")));
    }
    if claim.subject.subscription {
        notes.push("the fix needs an Ubuntu Pro subscription".to_owned());
    }
    match claim.record.kind {
        AdvisoryKind::Unmaintained => notes.push("nobody maintains the package any more".to_owned()),
        AdvisoryKind::Unsound => {
            notes.push("sound programs can misuse it into undefined behaviour".to_owned())
        }
        AdvisoryKind::Notice => notes.push("a notice, not a flaw".to_owned()),
        AdvisoryKind::Malicious | AdvisoryKind::Vulnerability => {}
    }
    let state = match (claim.entry.state, claim.verdict.fixed_version()) {
        (FixState::Unstated, Some(_)) => FixState::Fixed.name(),
        (FixState::Unstated, None) => FixState::NotFixed.name(),
        (state, _) => state.name(),
    };
    Evidence {
        advisory: claim.record.id.clone(),
        feed: claim.ecosystem.clone(),
        matched_name: claim.subject.name.clone(),
        matched_version: claim.subject.version.clone(),
        range,
        order: order_of(&claim.ecosystem, claim.entry.semver).name().to_owned(),
        found_by: package.found_by.clone(),
        confidence: Some(claim.subject.confidence),
        fix_state: state.to_owned(),
        resource: String::new(),
        notes,
        ..Evidence::default()
    }
}

fn title(package: &Package, hit: &Hit<'_>, kind: FindingKind, fixed: Option<&str>) -> String {
    let subject = format!("{} in {} {}", hit.flaw.name, package.name, package.version);
    if kind == FindingKind::Malware {
        return format!("{subject}: the package is malicious");
    }
    match (hit.claims.first().map(|claim| claim.record.kind), fixed) {
        (Some(AdvisoryKind::Unmaintained), _) => format!("{subject}: no longer maintained"),
        (Some(AdvisoryKind::Notice), _) => format!("{subject}: a notice about the package"),
        (_, Some(fixed)) => format!("{subject}: fixed in {fixed}"),
        (_, None) if hit.claims.iter().any(|claim| claim.entry.state == FixState::WillNotFix) => {
            format!("{subject}: will not be fixed")
        }
        (_, None) => format!("{subject}: no fix is known"),
    }
}

/// The same flaw in the same package at the same place has the same id, in every scan and every target.
fn finding_id(finding: &Finding) -> String {
    let package = finding.package.as_ref();
    let purl = package.and_then(|p| p.purl.as_ref()).map_or_else(
        || package.map(|p| format!("{}@{}", p.name, p.version)).unwrap_or_default(),
        ToString::to_string,
    );
    let mut hash = Sha256::new();
    for part in [finding.kind.name(), &finding.rule, &purl, &finding.location.path] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}
