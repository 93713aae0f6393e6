//! From what was seen to what is reported.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};
use yagura_model::finding::{Confidence, Evidence};
use yagura_model::observation::Fate;
use yagura_model::report::{Suppressed, Target};
use yagura_model::{Finding, FindingKind, Observation, Severity};

use super::{NAME, RuleSet, fact};

/// Findings, and those that are none for a reason.
#[derive(Debug, Default)]
pub struct Judged {
    pub findings: Vec<Finding>,
    pub suppressed: Vec<Suppressed>,
}

/// Takes the observations of secrets from a target's inventory and judges them.
pub fn judge(target: &mut Target, rules: &RuleSet) -> Judged {
    let (mine, others) = std::mem::take(&mut target.inventory.observations)
        .into_iter()
        .partition(|seen: &Observation| seen.analyser == NAME);
    target.inventory.observations = others;
    let mut judged = Judged::default();
    for seen in once_each(mine) {
        let Some(finding) = finding(&seen, target, rules) else { continue };
        let excuse = match public_package(&seen) {
            Some(package) => {
                Some((package, format!("comes with the package {package}, which anybody can download")))
            }
            None if is_an_example(&seen, rules) => Some((
                "a place of tests, examples or documentation",
                "of a kind that examples are made of".to_owned(),
            )),
            None => None,
        };
        match excuse {
            Some((source, reason)) => {
                let (by, source) = ("evidence".to_owned(), source.to_owned());
                judged.suppressed.push(Suppressed { finding, by, source, reason });
            }
            None => judged.findings.push(finding),
        }
    }
    judged
}

/// The same secret at the same place in several layers is one; the lowest layer brought it, and it is there as long as
/// any layer shows it.
fn once_each(seen: Vec<Observation>) -> Vec<Observation> {
    let mut kept: Vec<Observation> = Vec::new();
    let mut places: BTreeMap<(String, String, String), usize> = BTreeMap::new();
    for seen in seen {
        let fingerprint = seen.facts.get(fact::FINGERPRINT).cloned().unwrap_or_default();
        let key = (seen.rule.clone(), seen.location.path.clone(), fingerprint);
        match places.get(&key).and_then(|at| kept.get_mut(*at)) {
            Some(first) if seen.fate == Fate::Present => first.fate = Fate::Present,
            Some(_) => {}
            None => {
                places.insert(key, kept.len());
                kept.push(seen);
            }
        }
    }
    kept
}

/// The OS package a file came with. What its administrators change after that lies in `/etc` and is theirs.
fn public_package(seen: &Observation) -> Option<&str> {
    let configuration = seen.location.path.starts_with("etc/");
    seen.owner.as_deref().filter(|_| !configuration)
}

/// Whether it is of a kind that is easily made up, in a place where examples are.
fn is_an_example(seen: &Observation, rules: &RuleSet) -> bool {
    let telling = rules.get(&seen.rule).is_some_and(|rule| rule.confidence == Confidence::High);
    seen.facts.contains_key(fact::PLACE) && !telling
}

fn finding(seen: &Observation, target: &Target, rules: &RuleSet) -> Option<Finding> {
    let rule = rules.get(&seen.rule)?;
    let fact = |name: &str| seen.facts.get(name).cloned().unwrap_or_default();
    let confidence = match fact(fact::CONFIDENCE).as_str() {
        "high" => Confidence::High,
        "medium" => Confidence::Medium,
        _ => Confidence::Low,
    };
    let severity =
        if confidence == Confidence::Low { rule.severity.min(Severity::Low) } else { rule.severity };
    let mut notes = vec![rule.opens.clone()];
    notes.extend(fact(fact::NOTES).lines().map(str::to_owned));
    if let Some(commit) = seen.facts.get("commit") {
        notes.push(format!("came with commit {commit} by {} on {}", fact("author"), fact("date")));
    }
    let mut fix = rule.revoke.clone();
    let layer = |digest: &Option<yagura_model::Digest>| match digest
        .as_ref()
        .and_then(|digest| layer_number(target, digest))
    {
        Some(number) => format!("in layer {number}"),
        None => "later".to_owned(),
    };
    let still = "is still in the image for whoever pulls it: rebuild without it";
    match &seen.fate {
        Fate::Present => {}
        Fate::Removed(by) if target.image.is_some() => {
            notes.push(format!("deleted {}, and {still}", layer(by)));
            fix = format!(
                "{fix} Deleting it in a later layer does not take it out; mount it as a build secret."
            );
        }
        Fate::Replaced(by) if target.image.is_some() => {
            notes.push(format!("replaced {}, and {still}", layer(by)));
            fix = format!(
                "{fix} Replacing it in a later layer does not take it out; mount it as a build secret."
            );
        }
        Fate::Removed(_) | Fate::Replaced(_) => {
            notes.push("no longer in the newest commit, and still in the history".into())
        }
    }
    Some(Finding {
        id: identity(&[
            &rule.id,
            &target.name,
            &seen.location.path,
            &format!("{:?}", seen.location.start_line),
        ]),
        rule: rule.id.clone(),
        kind: FindingKind::Secret,
        severity,
        title: rule.title.clone(),
        target: target.name.clone(),
        location: seen.location.clone(),
        package: None,
        fixed_version: None,
        aliases: Vec::new(),
        controls: Vec::new(),
        vulnerability: None,
        evidence: Evidence {
            found_by: NAME.to_owned(),
            confidence: Some(confidence),
            excerpt: fact(fact::EXCERPT),
            fingerprint: fact(fact::FINGERPRINT),
            notes,
            ..Evidence::default()
        },
        fix,
        created_by: String::new(),
        from_base_image: None,
    })
}

/// The place of a layer in its image, from 1.
fn layer_number(target: &Target, digest: &yagura_model::Digest) -> Option<usize> {
    let layers = &target.image.as_ref()?.layers;
    layers.iter().position(|layer| layer.diff_id == *digest).map(|at| at + 1)
}

fn identity(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
