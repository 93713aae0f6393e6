//! Risks, the most urgent first: what to fix today, why, and which edits end most. Shown before everything else when
//! anything is known of where the targets run.

use std::io;

use anstyle::{AnsiColor, Style};
use yagura_model::risk::{Change, Risk, TermName, Urgency};

use super::Page;
use crate::messages::grouped;
use crate::terminal::escape;

/// Risks and changes shown without `--all`.
const MAX_RISKS: usize = 5;
const MAX_CHANGES: usize = 3;
/// Nodes of a path shown on its line.
const MAX_NODES: usize = 9;

/// Whether anything is known beyond the findings themselves.
pub fn are_known(risks: &[Risk]) -> bool {
    risks.iter().any(|risk| !risk.path.is_empty())
}

pub(super) fn write(page: &mut Page<'_>) -> io::Result<()> {
    let report = page.report;
    if !are_known(&report.risks) {
        return Ok(());
    }
    let heading = page.words.text("risk.today");
    page.heading(heading)?;
    let changes_much = |risk: &&Risk| {
        risk.urgency != Urgency::Later || risk.after.is_some_and(|after| (after - risk.score).abs() >= 1.0)
    };
    let pressing = report.risks.iter().filter(changes_much).count().max(1);
    let shown = if page.options.all { report.risks.len() } else { pressing.min(MAX_RISKS) };
    for (at, risk) in report.risks.iter().take(shown).enumerate() {
        one(page, at + 1, risk, &report.changes)?;
    }
    let rest = report.risks.get(shown..).unwrap_or_default();
    if !rest.is_empty() {
        waiting(page, rest)?;
    }
    if !report.changes.is_empty() {
        changes(page)?;
    }
    page.line("")
}

fn one(page: &mut Page<'_>, at: usize, risk: &Risk, changes: &[Change]) -> io::Result<()> {
    let style = match risk.urgency {
        Urgency::Now => AnsiColor::White.on(AnsiColor::Red).bold(),
        Urgency::Soon => AnsiColor::Yellow.on_default().bold(),
        Urgency::Later => Style::new().dimmed(),
    };
    let after = risk.after.map(|after| format!(" → {after:.1}")).unwrap_or_default();
    let score = page.styled(style, &format!("{:5.1}{after}", risk.score));
    let title = page.styled(Style::new().bold(), &escape(&risk.title));
    page.line(&format!("{at:>3} {score}  {title}"))?;
    page.paragraph(11, &escape(&risk.reason))?;
    let nodes = nodes(risk);
    if !nodes.is_empty() {
        page.paragraph(11, &nodes.join(" → "))?;
    }
    let terms: Vec<String> = risk
        .terms
        .iter()
        .map(|term| {
            let name = page.words.text(term_key(term.name));
            let unknown = if term.known { "" } else { "?" };
            format!("{name} {:.2}{unknown}", term.value)
        })
        .collect();
    let terms = page.dimmed(&terms.join(" · "));
    page.line(&format!("{:11}{terms}", ""))?;
    if let Some(change) = risk.changes.first().and_then(|id| changes.iter().find(|change| change.id == *id)) {
        let fix = page.words.text("risk.do");
        page.paragraph(11, &format!("{fix}: {}", instruction(change)))?;
    }
    let explain = page.dimmed(&format!("yagura risk explain {}", escape(&risk.id)));
    page.line(&format!("{:11}{explain}", ""))
}

/// Where the path leads through, as labels.
fn nodes(risk: &Risk) -> Vec<String> {
    let mut labels: Vec<String> = Vec::new();
    let all = risk.path.iter().take(1).map(|hop| &hop.from).chain(risk.path.iter().map(|hop| &hop.to));
    for place in all {
        let label = escape(&place.label).into_owned();
        if labels.last() != Some(&label) {
            labels.push(label);
        }
    }
    if labels.len() > MAX_NODES {
        let tail = labels.split_off(labels.len() - MAX_NODES / 2);
        labels.truncate(MAX_NODES / 2);
        labels.push("…".to_owned());
        labels.extend(tail);
    }
    labels
}

/// What is left, by the reason it can wait.
fn waiting(page: &mut Page<'_>, rest: &[Risk]) -> io::Result<()> {
    let mut reasons: Vec<(String, usize)> = Vec::new();
    for risk in rest {
        let term = risk.terms.iter().min_by(|a, b| a.value.total_cmp(&b.value));
        let reason = match term {
            Some(term) if term.name == TermName::Reachability => "risk.wait-reach",
            Some(term) if term.name == TermName::InUse => "risk.wait-use",
            Some(term) if term.name == TermName::Power => "risk.wait-power",
            _ => "risk.wait-exploitation",
        };
        match reasons.iter_mut().find(|(known, _)| known == reason) {
            Some((_, count)) => *count += 1,
            None => reasons.push((reason.to_owned(), 1)),
        }
    }
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let count = page.words.count("risk.others", rest.len());
    let parts: Vec<String> =
        reasons.iter().map(|(key, count)| page.words.fill(key, &[("n", &grouped(*count as u64))])).collect();
    page.line("")?;
    page.paragraph(2, &format!("{count}: {}", parts.join(", ")))
}

fn changes(page: &mut Page<'_>) -> io::Result<()> {
    let heading = page.words.text("risk.changes");
    page.heading(heading)?;
    let shown = if page.options.all { usize::MAX } else { MAX_CHANGES };
    for change in page.report.changes.iter().take(shown) {
        let relief =
            page.styled(AnsiColor::Green.on_default().bold(), &format!("−{:.0}%", change.relief * 100.0));
        let ends = page.words.count("risk.ends", change.ends.len());
        page.line(&format!("  {relief}  {}  ({ends})", instruction(change)))?;
    }
    Ok(())
}

fn instruction(change: &Change) -> String {
    let place = match change.place.as_str() {
        "" => String::new(),
        place => format!("  [{}]", escape(place)),
    };
    format!("{}{place}", escape(&change.title))
}

pub fn term_key(name: TermName) -> &'static str {
    match name {
        TermName::Exploitation => "risk.exploitation",
        TermName::Reachability => "risk.reachability",
        TermName::InUse => "risk.in-use",
        TermName::Power => "risk.power",
        TermName::Fixability => "risk.fixability",
    }
}
