//! The end of the table: what was taken out, what was not looked at, notices, and what judged.

use std::collections::BTreeMap;
use std::io;

use anstyle::AnsiColor;
use yagura_model::{SkipReason, Skipped};

use super::Page;
use crate::messages::grouped;
use crate::summary::database_age_days;
use crate::terminal::{escape, fit_path};

/// Examples shown for each reason.
const MAX_EXAMPLES: usize = 3;
const MAX_NOTICES: usize = 20;
/// A database older than this is pointed out, in days.
const OLD_DATABASE: i64 = 14;

pub fn write(page: &mut Page<'_>) -> io::Result<()> {
    suppressed(page)?;
    undecided(page)?;
    skipped(page)?;
    notices(page)?;
    judged_by(page)
}

fn suppressed(page: &mut Page<'_>) -> io::Result<()> {
    let mut by: BTreeMap<&str, usize> = BTreeMap::new();
    for suppressed in &page.report.suppressed {
        *by.entry(&suppressed.by).or_default() += 1;
    }
    if by.is_empty() {
        return Ok(());
    }
    let parts: Vec<String> = by.into_iter().map(|(by, n)| format!("{} {n}", escape(by))).collect();
    let count = page.words.count("table.suppressed", page.report.suppressed.len());
    page.line("")?;
    page.paragraph(0, &format!("{count}: {}", parts.join(", ")))
}

/// Checks that came to no verdict: no findings, and no all-clear.
fn undecided(page: &mut Page<'_>) -> io::Result<()> {
    let mut rules: BTreeMap<&str, u64> = BTreeMap::new();
    for undecided in &page.report.undecided {
        *rules.entry(&undecided.rule).or_default() += undecided.count;
    }
    if rules.is_empty() {
        return Ok(());
    }
    let total: u64 = rules.values().sum();
    let cut = if page.options.all { usize::MAX } else { MAX_NOTICES };
    let mut parts: Vec<String> =
        rules.iter().take(cut).map(|(rule, n)| format!("{} {}", escape(rule), grouped(*n))).collect();
    if rules.len() > cut {
        parts.push("…".to_owned());
    }
    let count = page.words.count("table.undecided", usize::try_from(total).unwrap_or(usize::MAX));
    page.line("")?;
    page.paragraph(0, &format!("{count}: {}", parts.join(", ")))
}

fn skipped(page: &mut Page<'_>) -> io::Result<()> {
    let report = page.report;
    let mut reasons: BTreeMap<u8, (SkipReason, u64, Vec<&Skipped>)> = BTreeMap::new();
    for skipped in report.skipped.iter().chain(report.targets.iter().flat_map(|t| &t.inventory.skipped)) {
        let entry = reasons.entry(skipped.reason as u8).or_insert((skipped.reason, 0, Vec::new()));
        entry.1 = entry.1.saturating_add(skipped.count);
        entry.2.push(skipped);
    }
    if reasons.is_empty() {
        return Ok(());
    }
    let heading = page.words.text("table.skipped");
    page.heading(heading)?;
    let cut = if page.options.all { usize::MAX } else { MAX_EXAMPLES };
    for (reason, count, examples) in reasons.into_values() {
        let word = page.words.text(reason_key(reason));
        let count = page.styled(AnsiColor::Yellow.on_default(), &grouped(count));
        page.line(&format!("  {count} {word}"))?;
        for skipped in examples.iter().take(cut) {
            let path = fit_path(&escape(&skipped.path), 70).into_owned();
            let path = if path.is_empty() { escape(&skipped.target).into_owned() } else { path };
            let times =
                if skipped.count > 1 { format!(" (×{})", grouped(skipped.count)) } else { String::new() };
            page.paragraph(4, &format!("{path}: {}{times}", escape(&skipped.detail)))?;
        }
        if examples.len() > cut {
            let more = grouped((examples.len() - cut) as u64);
            let text = page.words.fill("table.more-rows", &[("n", &more)]);
            page.line(&format!("    … {text}"))?;
        }
    }
    Ok(())
}

fn notices(page: &mut Page<'_>) -> io::Result<()> {
    let notices = &page.report.notices;
    if notices.is_empty() {
        return Ok(());
    }
    let heading = page.words.text("table.notices");
    page.heading(heading)?;
    let shown = if page.options.all { notices.len() } else { notices.len().min(MAX_NOTICES) };
    for notice in notices.iter().take(shown) {
        page.paragraph(2, &escape(notice))?;
    }
    if notices.len() > shown {
        let more = grouped((notices.len() - shown) as u64);
        let text = page.words.fill("table.more-rows", &[("n", &more)]);
        page.line(&format!("  … {text}"))?;
    }
    Ok(())
}

/// `Yagura 0.1.0 · database embedded, 38,165 advisories, 3 days old · parsers confined by landlock v4, seccomp`
fn judged_by(page: &mut Page<'_>) -> io::Result<()> {
    let tool = &page.report.tool;
    let mut parts = vec![format!("{} {}", escape(&tool.name), escape(&tool.version))];
    let mut old = None;
    if let Some(database) = &page.report.database {
        parts.push(page.words.fill(
            "table.database",
            &[("source", &escape(&database.source)), ("advisories", &grouped(database.advisories))],
        ));
        if let Some(days) = database_age_days(page.report) {
            parts.push(page.words.count("table.days-old", usize::try_from(days).unwrap_or_default()));
            old = Some(days).filter(|days| *days > OLD_DATABASE);
        }
    }
    if !tool.sandbox.is_empty() {
        parts.push(page.words.fill("table.sandbox", &[("how", &escape(&tool.sandbox))]));
    }
    page.line("")?;
    if let Some(days) = old {
        let text = page.words.fill("table.old-database", &[("n", &days)]);
        let text = page.styled(AnsiColor::Yellow.on_default(), &text);
        page.line(&text)?;
    }
    for line in crate::terminal::wrap(&parts.join(" · "), page.options.width) {
        let line = page.dimmed(&line);
        page.line(&line)?;
    }
    Ok(())
}

fn reason_key(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::TooLarge => "reason.too-large",
        SkipReason::TooDeep => "reason.too-deep",
        SkipReason::Ratio => "reason.ratio",
        SkipReason::TooMany => "reason.too-many",
        SkipReason::Truncated => "reason.truncated",
        SkipReason::DigestMismatch => "reason.digest-mismatch",
        SkipReason::Malformed => "reason.malformed",
        SkipReason::Unsupported => "reason.unsupported",
        SkipReason::Unreadable => "reason.unreadable",
        SkipReason::UnsafePath => "reason.unsafe-path",
        SkipReason::Encrypted => "reason.encrypted",
        SkipReason::TimedOut => "reason.timed-out",
    }
}
