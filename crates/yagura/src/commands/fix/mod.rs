//! `yagura fix`: the smallest patches that make findings go away, shown, written, or committed on a branch of their own.
//! A patch is kept only when the patched file was judged again and the finding is gone.

mod branch;
mod settle;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail};
use yagura_detect::policies::{Proposal, Settings};
use yagura_respond::unified;

use super::Outcome;
use crate::arguments::Everywhere;
use crate::arguments::policies::Fix;
use crate::scan::{self, Policies};
use crate::{output, policies, progress};

/// A patch that was made and held.
struct Made {
    proposal: Proposal,
    title: String,
}

pub fn run(arguments: &Fix, everywhere: &Everywhere) -> Result<Outcome> {
    let policies = policies::chosen(&arguments.choice, everywhere)?;
    let root = arguments.path.as_path();
    let files = scan::configuration_files(root)?;
    let review = arguments.review || !(arguments.in_place || arguments.branch.is_some());
    let rules: BTreeSet<String> = arguments.rule.iter().map(|id| id.to_ascii_uppercase()).collect();
    let wanted = |proposal: &Proposal| {
        (review || !proposal.review)
            && (rules.is_empty() || rules.contains(&proposal.rule.to_ascii_uppercase()))
    };
    let settings = settings(&policies);
    let settled = settle::settle(&files, &settings, &wanted);
    let changed: BTreeMap<&String, &String> =
        settled.files.iter().filter(|(path, text)| files.get(*path) != Some(text)).collect();

    if let Some(name) = &arguments.branch {
        if changed.is_empty() {
            bail!("there is nothing to fix, so there is no branch {name}");
        }
        let commit = branch::commit(root, name, &changed, &message(&settled.made))?;
        output::print(&format!("{name} {commit}\n"))?;
    } else if arguments.in_place {
        for (path, text) in &changed {
            let file = place(root, path);
            std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        }
    } else {
        let mut diff = String::new();
        for (path, text) in &changed {
            let old = files.get(*path).map_or("", String::as_str);
            diff.push_str(&unified(path, old, text));
        }
        output::print(&diff)?;
    }
    if !everywhere.quiet {
        tell(&settled, arguments);
    }
    Ok(Outcome::Fine)
}

fn settings(policies: &Policies) -> Settings<'_> {
    Settings {
        rules: &policies.rules,
        target: "fix",
        language: policies.language,
        today: &policies.today,
        propose: true,
    }
}

/// Where a file of the target lies; the target itself when it is one file.
fn place(root: &Path, path: &str) -> std::path::PathBuf {
    if root.is_dir() { root.join(path) } else { root.to_owned() }
}

/// The commit's message: which rules, where.
fn message(made: &[Made]) -> String {
    let mut rules: BTreeMap<&str, (&str, Vec<String>)> = BTreeMap::new();
    for Made { proposal, title } in made {
        let entry = rules.entry(&proposal.rule).or_insert((title, Vec::new()));
        entry.1.push(format!("{}:{}", proposal.path, proposal.subject.line));
    }
    let ids: Vec<&str> = rules.keys().copied().collect();
    let mut text = format!("Fix {}\n\n", ids.join(", "));
    for (id, (title, places)) in rules {
        text.push_str(&format!("{id}: {title}\n"));
        places.iter().for_each(|place| text.push_str(&format!("  {place}\n")));
    }
    text
}

fn tell(settled: &settle::Settled, arguments: &Fix) {
    for Made { proposal, title } in &settled.made {
        let mark = if proposal.review { "review" } else { "safe" };
        let line = proposal.subject.line;
        progress::complain(&format!("{mark:6}  {}  {}:{line}  {title}", proposal.rule, proposal.path));
    }
    for (proposal, reason) in &settled.refused {
        let line = proposal.subject.line;
        progress::complain(&format!("no fix  {}  {}:{line}  {reason}", proposal.rule, proposal.path));
    }
    progress::complain(&format!("{} fixes; {} findings without one", settled.made.len(), settled.left));
    if (arguments.in_place || arguments.branch.is_some()) && !arguments.review {
        progress::complain("Patches that a person must look at were left out; --review takes them in");
    }
}
