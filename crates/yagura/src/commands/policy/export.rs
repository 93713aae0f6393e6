//! `yagura policy export vap`: rules that the API server can hold by itself, as ValidatingAdmissionPolicies.

use anyhow::{Context, Result};
use yagura_detect::policies::admission::{self, Action};

use super::Outcome;
use crate::arguments::Everywhere;
use crate::arguments::policies::{PolicyAction, PolicyExport};
use crate::{output, policies, progress};

pub fn run(arguments: &PolicyExport, everywhere: &Everywhere) -> Result<Outcome> {
    let PolicyExport::Vap { choice, action, output: file } = arguments;
    let action = match action {
        PolicyAction::Deny => Action::Deny,
        PolicyAction::Warn => Action::Warn,
        PolicyAction::Audit => Action::Audit,
    };
    let policies = policies::chosen(choice, everywhere)?;
    let mut rules = policies.rules.all()?;
    rules.sort_by(|a, b| a.rule.id.cmp(&b.rule.id));
    let (mut documents, mut left_out) = (Vec::new(), Vec::new());
    for rule in &rules {
        match admission::export(&rule.rule, action) {
            Ok(document) => documents.push(document),
            // Rules about other things are nobody's question here.
            Err(_) if !rule.rule.applies.iter().any(|kind| kind.starts_with("kubernetes/")) => {}
            Err(reason) => left_out.push(format!("{}: {reason}", rule.rule.id)),
        }
    }
    let text = documents.join("---\n");
    match file {
        Some(path) => {
            std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?
        }
        None => output::print(&text)?,
    }
    if !everywhere.quiet {
        progress::complain(&format!(
            "{} policies; {} rules cannot be held by the API server",
            documents.len(),
            left_out.len()
        ));
        left_out.iter().for_each(|line| progress::complain(&format!("  {line}")));
    }
    Ok(Outcome::Fine)
}
