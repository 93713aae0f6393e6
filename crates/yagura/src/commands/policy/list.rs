//! `yagura policy list`: which rules there are.

use std::fmt::Write as _;

use anyhow::Result;
use serde_json::json;
use yagura_rego::Pack;
use yagura_report::terminal::escape;

use super::Outcome;
use crate::arguments::Everywhere;
use crate::arguments::policies::PolicyList;
use crate::{output, policies};

pub fn run(arguments: &PolicyList, everywhere: &Everywhere) -> Result<Outcome> {
    let policies = policies::chosen(&arguments.choice, everywhere)?;
    let mut rules = policies.rules.all()?;
    rules.sort_by(|a, b| a.rule.id.cmp(&b.rule.id));
    let checks = policies.pack.as_ref().map(Pack::checks).unwrap_or_default();
    let mut text = String::new();
    if arguments.json {
        let mut shown: Vec<_> = rules
            .iter()
            .map(|rule| {
                let rule = &rule.rule;
                json!({"id": rule.id, "title": rule.title.by_tag(policies.language), "severity": rule.severity,
                    "kind": rule.kind, "applies": rule.applies, "controls": rule.control_ids(), "path": rule.path})
            })
            .collect();
        shown.extend(checks.iter().map(|check| {
            let applies: Vec<&str> = check.selectors.iter().map(|selector| selector.kind.as_str()).collect();
            json!({"id": check.id, "title": check.title, "severity": check.severity, "kind": "misconfiguration",
                "applies": applies, "controls": check.controls, "path": check.path,
                "rule": format!("data.{}.{}", check.package_name(), check.rule)})
        }));
        writeln!(text, "{}", serde_json::to_string_pretty(&shown)?)?;
    } else {
        let ids = rules.iter().map(|rule| &rule.rule.id).chain(checks.iter().map(|check| &check.id));
        let widest = ids.map(String::len).max().unwrap_or(0);
        for rule in &rules {
            let rule = &rule.rule;
            let title = rule.title.by_tag(policies.language);
            writeln!(text, "{:widest$}  {:10}  {title}", rule.id, rule.severity)?;
        }
        for check in checks {
            let title = if check.title.is_empty() { &check.description } else { &check.title };
            let (id, title) = (escape(&check.id), escape(title.lines().next().unwrap_or_default()));
            writeln!(text, "{id:widest$}  {:10}  {title}", check.severity)?;
        }
        writeln!(text, "{} rules", rules.len() + checks.len())?;
    }
    output::print(&text)?;
    Ok(Outcome::Fine)
}
