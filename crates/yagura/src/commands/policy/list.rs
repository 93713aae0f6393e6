//! `yagura policy list`: which rules there are.

use std::fmt::Write as _;

use anyhow::Result;
use serde_json::json;

use super::Outcome;
use crate::arguments::Everywhere;
use crate::arguments::policies::PolicyList;
use crate::{output, policies};

pub fn run(arguments: &PolicyList, everywhere: &Everywhere) -> Result<Outcome> {
    let policies = policies::chosen(&arguments.choice, everywhere)?;
    let mut rules = policies.rules.all()?;
    rules.sort_by(|a, b| a.rule.id.cmp(&b.rule.id));
    let mut text = String::new();
    if arguments.json {
        let shown: Vec<_> = rules
            .iter()
            .map(|rule| {
                let rule = &rule.rule;
                json!({"id": rule.id, "title": rule.title.by_tag(policies.language), "severity": rule.severity,
                    "kind": rule.kind, "applies": rule.applies, "controls": rule.control_ids(), "path": rule.path})
            })
            .collect();
        writeln!(text, "{}", serde_json::to_string_pretty(&shown)?)?;
    } else {
        let widest = rules.iter().map(|rule| rule.rule.id.len()).max().unwrap_or(0);
        for rule in &rules {
            let rule = &rule.rule;
            let title = rule.title.by_tag(policies.language);
            writeln!(text, "{:widest$}  {:10}  {title}", rule.id, rule.severity)?;
        }
        writeln!(text, "{} rules", rules.len())?;
    }
    output::print(&text)?;
    Ok(Outcome::Fine)
}
