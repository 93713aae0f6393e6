//! `yagura risk explain`: one risk in full: its terms, its path with the evidence of every hop, what ends it.

use std::fmt::Write as _;

use anyhow::{Result, bail};
use yagura_model::Report;
use yagura_model::risk::Risk;
use yagura_report::terminal::escape;

use super::{Outcome, scan};
use crate::arguments::{Everywhere, RiskCommand, RiskExplain};
use crate::output;

/// Ids proposed when none fits.
const MAX_PROPOSED: usize = 5;
/// Findings of a risk that are listed.
const MAX_FINDINGS: usize = 20;

pub fn run(command: &RiskCommand, everywhere: &Everywhere) -> Result<Outcome> {
    match command {
        RiskCommand::Explain(arguments) => explain(arguments, everywhere),
    }
}

fn explain(arguments: &RiskExplain, everywhere: &Everywhere) -> Result<Outcome> {
    let (report, _) = scan::read(&arguments.targets, &arguments.judgement, &arguments.malware, everywhere)?;
    let wanted = arguments.id.as_str();
    let fits = |risk: &&Risk| risk.id.eq_ignore_ascii_case(wanted) || is_about(risk, &report, wanted);
    let risks: Vec<&Risk> = report.risks.iter().filter(fits).collect();
    if risks.is_empty() {
        let known: Vec<&str> = report.risks.iter().take(MAX_PROPOSED).map(|risk| risk.id.as_str()).collect();
        match known.as_slice() {
            [] => bail!("nothing that was scanned is a risk"),
            known => {
                bail!("`{wanted}` is no risk of what was scanned; the first ones are {}", known.join(", "))
            }
        }
    }
    let mut text = String::new();
    for risk in risks {
        describe(&mut text, risk, &report);
    }
    output::print(&text)?;
    Ok(Outcome::Fine)
}

/// Whether a risk is made of a flaw of this name.
fn is_about(risk: &Risk, report: &Report, rule: &str) -> bool {
    report
        .findings
        .iter()
        .any(|finding| finding.rule.eq_ignore_ascii_case(rule) && risk.findings.contains(&finding.id))
}

fn describe(text: &mut String, risk: &Risk, report: &Report) {
    let _ = writeln!(text, "{}  {}", escape(&risk.id), escape(&risk.title));
    let _ = writeln!(text, "{}\n", escape(&risk.reason));
    let _ = writeln!(text, "score {:.1} of 100 ({}), the product of", risk.score, risk.urgency.name());
    for term in &risk.terms {
        let known = if term.known { "" } else { " (assumed: not known)" };
        let _ = writeln!(text, "  {:.2}  {:13} {}{known}", term.value, term.name.name(), escape(&term.fact));
    }
    if risk.path.is_empty() {
        text.push_str("\nNobody gets there by anything that was read.\n");
    } else {
        text.push_str("\nthe way\n");
    }
    for (at, hop) in risk.path.iter().enumerate() {
        let _ = writeln!(
            text,
            "{:>3}. {} → {}  {} [{}, {}]",
            at + 1,
            escape(&hop.from.label),
            escape(&hop.to.label),
            escape(&hop.title),
            hop.technique,
            hop.rule
        );
        for proof in &hop.evidence {
            let place =
                if proof.place.is_empty() { String::new() } else { format!("  [{}]", escape(&proof.place)) };
            let _ = writeln!(text, "     · {}{place}", escape(&proof.fact));
        }
    }
    let changes: Vec<_> = report.changes.iter().filter(|change| risk.changes.contains(&change.id)).collect();
    if !changes.is_empty() {
        text.push_str("\nany of these ends it\n");
    }
    for change in changes {
        let place =
            if change.place.is_empty() { String::new() } else { format!("  [{}]", escape(&change.place)) };
        let _ = writeln!(text, "  · {}{place}", escape(&change.title));
        for line in change.patch.lines() {
            let _ = writeln!(text, "      {}", escape(line));
        }
    }
    text.push_str("\nfindings\n");
    for id in risk.findings.iter().take(MAX_FINDINGS) {
        if let Some(finding) = report.findings.iter().find(|finding| finding.id == *id) {
            let fixed = finding.fixed_version.as_deref().map_or(String::new(), |fixed| format!(" → {fixed}"));
            let _ =
                writeln!(text, "  {:8} {}{}", finding.severity.name(), escape(&finding.rule), escape(&fixed));
        }
    }
    if risk.findings.len() > MAX_FINDINGS {
        let _ = writeln!(text, "  … and {} more", risk.findings.len() - MAX_FINDINGS);
    }
    text.push('\n');
}
