//! Patches one after the other, each judged before it stays.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use yagura_configuration::{Reach, source};
use yagura_detect::policies::{Checked, Checker, Proposal, Settings};

use super::Made;

/// Most patches tried in one file or set of files.
const MAX_PATCHES: usize = 2_000;

/// What came of it.
pub struct Settled {
    /// Every file with its new text.
    pub files: BTreeMap<String, String>,
    pub made: Vec<Made>,
    pub refused: Vec<(Proposal, String)>,
    /// Findings that are still there.
    pub left: usize,
}

/// Applies every wanted patch that holds.
pub fn settle(
    files: &BTreeMap<String, String>,
    settings: &Settings<'_>,
    wanted: &dyn Fn(&Proposal) -> bool,
) -> Settled {
    let whole = check(files, settings);
    let mut settled =
        Settled { files: files.clone(), made: Vec::new(), refused: Vec::new(), left: whole.findings.len() };
    let open: BTreeSet<String> = whole
        .proposals
        .iter()
        .filter(|proposal| wanted(proposal))
        .map(|proposal| proposal.finding.clone())
        .collect();
    // Files that mean the same wherever they lie are settled one by one, the others by source.
    let mut groups: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for proposal in whole.proposals.iter().filter(|proposal| wanted(proposal)) {
        let of = source::named(&proposal.source).filter(|of| of.reach == Reach::Tree);
        match of {
            None => {
                groups.entry(format!("file {}", proposal.path)).or_default().extend([proposal.path.clone()])
            }
            Some(of) => {
                let of_source =
                    files.iter().filter(|(path, text)| (of.wants)(path) && (of.recognises)(path, text));
                groups
                    .entry(format!("source {}", of.name))
                    .or_default()
                    .extend(of_source.map(|(path, _)| path.clone()));
            }
        }
    }
    for paths in groups.into_values() {
        let mut group: BTreeMap<String, String> =
            paths.iter().filter_map(|path| Some((path.clone(), settled.files.get(path)?.clone()))).collect();
        one(&mut group, settings, &open, wanted, &mut settled);
        settled.files.extend(group);
    }
    settled.left = settled.left.saturating_sub(settled.made.len());
    settled
}

fn one(
    files: &mut BTreeMap<String, String>,
    settings: &Settings<'_>,
    open: &BTreeSet<String>,
    wanted: &dyn Fn(&Proposal) -> bool,
    settled: &mut Settled,
) {
    let mut tried: BTreeSet<String> = BTreeSet::new();
    let mut checked = check(files, settings);
    for _ in 0..MAX_PATCHES {
        let next = checked.proposals.iter().find(|proposal| {
            wanted(proposal) && open.contains(&proposal.finding) && !tried.contains(&proposal.finding)
        });
        let Some(proposal) = next.cloned() else { return };
        let Some(text) = files.get(&proposal.path).cloned() else {
            tried.insert(proposal.finding);
            continue;
        };
        let count =
            |checked: &Checked| checked.findings.iter().filter(|of| of.id == proposal.finding).count();
        let before = count(&checked);
        let refused = match yagura_respond::apply(&text, &proposal) {
            Err(reason) => Some(reason.to_string()),
            Ok(new) if new == text => Some("the patch changes nothing".to_owned()),
            Ok(new) => {
                files.insert(proposal.path.clone(), new);
                let after = check(files, settings);
                if count(&after) < before {
                    let finding = checked.findings.iter().find(|finding| finding.id == proposal.finding);
                    let title = finding.map(|finding| finding.title.clone()).unwrap_or_default();
                    settled.made.push(Made { proposal: proposal.clone(), title });
                    checked = after;
                    None
                } else {
                    files.insert(proposal.path.clone(), text);
                    Some("the finding would still be there after the patch".to_owned())
                }
            }
        };
        if let Some(reason) = refused {
            tried.insert(proposal.finding.clone());
            settled.refused.push((proposal, reason));
        }
    }
}

fn check(files: &BTreeMap<String, String>, settings: &Settings<'_>) -> Checked {
    let mut checker = Checker::new(settings, &Arc::new(settings.rules.crossing()));
    for (path, text) in files {
        checker.file(path, text);
    }
    checker.finish()
}
