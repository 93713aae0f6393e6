//! Running the examples of rules: the same way as files of a target go.

use std::sync::Arc;

use yagura_configuration::source;

use super::check::{Checked, Checker, Settings};
use super::rule::{Example, Rule};
use super::set::RuleSet;

/// Runs every example of a rule; what does not come out as the rule says.
pub fn failures(rule: &Rule, text: &str) -> Vec<String> {
    let mut rules = RuleSet::new();
    rules.add(rule.path.clone(), text.to_owned());
    let settings =
        Settings { rules: &rules, target: "example", language: "en", today: "2000-01-01", propose: false };
    let mut failures = Vec::new();
    let kinds =
        [("bad", &rule.examples.bad), ("good", &rule.examples.good), ("unknown", &rule.examples.unknown)];
    for (kind, examples) in kinds {
        for example in examples {
            let told = run(example, &settings).and_then(|(checked, judged)| verdict(kind, &checked, judged));
            if let Err(problem) = told {
                failures.push(format!("{}:{}: the {kind} example {problem}", rule.path, example.line));
            }
        }
    }
    failures
}

fn verdict(kind: &str, checked: &Checked, judged: bool) -> Result<(), String> {
    if let Some(notice) = checked.notices.first() {
        return Err(notice.clone());
    }
    if let Some(skipped) = checked.skipped.first() {
        return Err(format!("cannot be read: {}: {}", skipped.path, skipped.detail));
    }
    let undecided = checked.undecided.values().next();
    let found = !checked.findings.is_empty();
    match (kind, found, undecided) {
        _ if !judged => Err("holds nothing the rule applies to".to_owned()),
        (_, _, Some(undecided)) if undecided.error.is_some() => {
            let error = undecided.error.as_deref().unwrap_or_default();
            Err(format!("meets an error at line {}: {error}", undecided.first.start_line.unwrap_or(0)))
        }
        ("bad", false, _) => Err("gives no finding".to_owned()),
        ("bad", true, _) => Ok(()),
        (_, true, _) => {
            let place = checked.findings.first().and_then(|finding| finding.location.start_line).unwrap_or(0);
            Err(format!("gives a finding at its line {place}"))
        }
        ("good", _, Some(_)) => Err("cannot be decided".to_owned()),
        ("unknown", _, None) => Err("is decided".to_owned()),
        _ => Ok(()),
    }
}

/// What the rules say of an example, and whether there was anything to judge.
fn run(example: &Example, settings: &Settings<'_>) -> Result<(Checked, bool), String> {
    let source = source::named(&example.source).ok_or_else(|| {
        let names: Vec<&str> = source::SOURCES.iter().map(|source| source.name).collect();
        format!("is of no known source; there are {}", names.join(", "))
    })?;
    for (path, text) in &example.files {
        if !(source.wants)(path) {
            return Err(format!("has the file {path}, which the source {} does not want", source.name));
        }
        if example.files.len() == 1 && !(source.recognises)(path, text) {
            return Err(format!("is not recognised by the source {}", source.name));
        }
    }
    let crossing = Arc::new(settings.rules.crossing());
    let mut checker = Checker::new(settings, &crossing);
    for (path, text) in &example.files {
        checker.file(path, text);
    }
    let checked = checker.finish();
    let judged = checked.judged > 0;
    Ok((checked, judged))
}
