//! `yagura rules`: check, list, and the fields that rules may use.

use std::fmt::Write as _;

use anyhow::Result;
use serde_json::json;
use yagura_report::terminal::escape;

use super::Outcome;
use crate::arguments::threats::{ListFormat, Rules, RulesCheck, RulesList};
use crate::output::print;
use crate::threats;

pub fn run(arguments: &Rules) -> Result<Outcome> {
    match arguments {
        Rules::Check(arguments) => check(arguments),
        Rules::List(arguments) => list(arguments),
        Rules::Fields(arguments) => {
            threats::print_fields(arguments.source.as_deref(), arguments.output)?;
            Ok(Outcome::Fine)
        }
    }
}

/// What `falco -V` does.
pub fn check(arguments: &RulesCheck) -> Result<Outcome> {
    let (results, _) = threats::results(&arguments.files, Vec::new())?;
    match arguments.output {
        ListFormat::Json => print(&format!("{}\n", json!({ "falco_load_results": results })))?,
        ListFormat::Text => {
            let mut text = String::new();
            for result in &results {
                let shown = if arguments.verbose || !result.is_successful() {
                    result.details()
                } else {
                    format!("{}\n", result.summary())
                };
                text.push_str(&shown);
            }
            print(&text)?;
        }
    }
    let failed = results.iter().filter(|result| !result.is_successful()).count();
    if failed > 0 {
        let codes: Vec<&str> =
            results.iter().flat_map(|result| &result.errors).map(|error| error.code.code()).collect();
        anyhow::bail!("{}: {failed} of {} files did not load", codes.join(", "), results.len());
    }
    Ok(Outcome::Fine)
}

fn list(arguments: &RulesList) -> Result<Outcome> {
    let (results, rules) = threats::results(&arguments.files, Vec::new())?;
    threats::report_failures(&results)?;
    match arguments.output {
        ListFormat::Json => {
            let rules: Vec<_> = rules.rules().map(|compiled| &*compiled.rule).collect();
            print(&format!("{:#}\n", json!({ "rules": rules })))?;
        }
        ListFormat::Text => {
            let mut text = String::new();
            for compiled in rules.rules() {
                let rule = &compiled.rule;
                let state = if rule.enabled { "" } else { " (off)" };
                let tags: Vec<&str> = rule.tags.iter().map(String::as_str).collect();
                let _ = writeln!(
                    text,
                    "{:13} {:14} {}{state}  [{}]",
                    rule.priority.name(),
                    escape(&rule.source),
                    escape(&rule.name),
                    escape(&tags.join(", "))
                );
            }
            print(&text)?;
        }
    }
    Ok(Outcome::Fine)
}
