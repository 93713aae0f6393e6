//! Markdown for a comment on a pull request: bounded, the worst first.
//!
//! GitHub cuts comments at 65,536 characters; ours end well before, and say what they left out.

use std::io::{self, Write};

use yagura_model::{Report, Severity};

use crate::Options;
use crate::grouping::{Group, groups};
use crate::messages::{Messages, grouped};
use crate::summary::{
    Summary, database_age_days, exploit_probability, is_known_exploited, packages_by_ecosystem,
};
use crate::terminal;

/// Rows of the table, and characters of a title; together they keep a comment under GitHub's bound.
const MAX_ROWS: usize = 100;
const MAX_TITLE: usize = 120;
const MAX_NAME: usize = 100;
/// Lines of the lists of targets, skipped items and notices.
const MAX_LINES: usize = 20;

pub fn write(report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let words = options.language.messages();
    let summary = Summary::of(&report.findings);
    writeln!(out, "## {}\n", words.text("markdown.title"))?;
    if summary.total == 0 {
        let key = if report.database.is_none() { "table.not-judged" } else { "table.clean" };
        writeln!(out, "{}\n", words.text(key))?;
    } else {
        writeln!(out, "{}\n", counts(&summary, words))?;
    }
    targets(report, words, out)?;
    findings(report, words, out)?;
    let skipped = report.skipped.iter().chain(report.targets.iter().flat_map(|t| &t.inventory.skipped));
    let skipped: Vec<String> = skipped
        .map(|skipped| format!("`{}`: {}", code(&skipped.path), escape(&cut(&skipped.detail, MAX_TITLE))))
        .collect();
    section(words.text("table.skipped"), &skipped, words, out)?;
    let notices: Vec<String> =
        report.notices.iter().map(|notice| escape(&cut(notice, MAX_TITLE * 2))).collect();
    section(words.text("table.notices"), &notices, words, out)?;
    write!(out, "<sub>{} {}", escape(&report.tool.name), escape(&report.tool.version))?;
    if let Some(days) = database_age_days(report) {
        write!(out, " · {}", words.count("table.days-old", usize::try_from(days).unwrap_or_default()))?;
    }
    writeln!(out, "</sub>")
}

fn counts(summary: &Summary, words: &Messages) -> String {
    let mut parts: Vec<String> = Severity::ALL
        .into_iter()
        .filter(|severity| summary.severity(*severity) > 0)
        .map(|severity| {
            let count = grouped(summary.severity(severity) as u64);
            format!("{} **{count}** {}", mark(severity), words.text(severity_key(severity)))
        })
        .collect();
    parts.push(words.fill("table.fixable", &[("n", &grouped(summary.fixable as u64))]));
    if summary.known_exploited > 0 {
        let n = grouped(summary.known_exploited as u64);
        parts.push(format!("**{}**", words.fill("table.exploited", &[("n", &n)])));
    }
    parts.join(" · ")
}

fn targets(report: &Report, words: &Messages, out: &mut dyn Write) -> io::Result<()> {
    for target in report.targets.iter().take(MAX_LINES) {
        let kinds: Vec<String> = packages_by_ecosystem(target)
            .into_iter()
            .map(|(name, count)| format!("{} {name}", grouped(count as u64)))
            .collect();
        let packages = words.count("table.packages", target.inventory.packages.len());
        let system = target.inventory.system.as_ref().map_or("", |system| &system.name);
        let about = [escape(system), packages, kinds.join(", ")];
        let about: Vec<&str> = about.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
        writeln!(out, "- `{}`: {}", code(&target.name), about.join(" · "))?;
    }
    if let Some(more) = report.targets.len().checked_sub(MAX_LINES).filter(|more| *more > 0) {
        writeln!(out, "- … {}", words.fill("table.more-names", &[("n", &more)]))?;
    }
    writeln!(out)
}

fn findings(report: &Report, words: &Messages, out: &mut dyn Write) -> io::Result<()> {
    let groups = groups(&report.findings);
    if groups.is_empty() {
        return Ok(());
    }
    let headings = ["severity", "id", "package", "fix", "title"].map(|column| match column {
        "severity" => words.text("markdown.severity"),
        "id" => words.text("markdown.id"),
        "package" => words.text("markdown.package"),
        "fix" => words.text("markdown.fix"),
        _ => words.text("markdown.what"),
    });
    writeln!(out, "| {} |\n|---|---|---|---|---|", headings.join(" | "))?;
    let total: usize = groups.iter().map(|group| group.rows.len()).sum();
    let rows = groups.iter().flat_map(|group| group.rows.iter().map(move |row| (group, row)));
    for (group, row) in rows.take(MAX_ROWS) {
        let finding = row.finding;
        let mut marks = String::new();
        if is_known_exploited(finding) {
            marks = format!(" **{}**", words.text("table.kev"));
        }
        if let Some(probability) = exploit_probability(finding).filter(|probability| *probability >= 0.1) {
            marks = format!("{marks} EPSS {:.0}%", probability * 100.0);
        }
        let fix = finding.fixed_version.as_deref().map_or(String::new(), |fix| format!("`{}`", code(fix)));
        writeln!(
            out,
            "| {} {} | {}{marks} | {} | {fix} | {} |",
            mark(finding.severity),
            words.text(severity_key(finding.severity)),
            escape(&cut(&finding.rule, MAX_NAME)),
            thing(group),
            escape(&cut(&finding.title, MAX_TITLE)),
        )?;
    }
    if total > MAX_ROWS {
        let n = grouped((total - MAX_ROWS) as u64);
        writeln!(out, "\n… {}", words.fill("table.more-names", &[("n", &n)]))?;
    }
    writeln!(out)
}

fn thing(group: &Group<'_>) -> String {
    let name = format!("`{}`", code(&cut(group.name, MAX_NAME)));
    if group.version.is_empty() { name } else { format!("{name} {}", escape(&cut(group.version, MAX_NAME))) }
}

fn section(title: &str, lines: &[String], words: &Messages, out: &mut dyn Write) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "<details><summary>{title} ({})</summary>\n", grouped(lines.len() as u64))?;
    for line in lines.iter().take(MAX_LINES) {
        writeln!(out, "- {line}")?;
    }
    if let Some(more) = lines.len().checked_sub(MAX_LINES).filter(|more| *more > 0) {
        writeln!(out, "- … {}", words.fill("table.more-names", &[("n", &more)]))?;
    }
    writeln!(out, "\n</details>\n")
}

fn mark(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "🟥",
        Severity::High => "🟧",
        Severity::Medium => "🟨",
        Severity::Low => "🟦",
        Severity::Negligible | Severity::Unknown => "⬜",
    }
}

pub fn severity_key(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "severity.critical",
        Severity::High => "severity.high",
        Severity::Medium => "severity.medium",
        Severity::Low => "severity.low",
        Severity::Negligible => "severity.negligible",
        Severity::Unknown => "severity.unknown",
    }
}

fn cut(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Text that means nothing to Markdown or HTML, on one line: no markup, no links, no mentions of people.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in terminal::escape(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '@' => escaped.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '!' | '|' | '~' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(c),
        }
    }
    // A scheme followed by `//` becomes a link by itself.
    escaped.replace("://", ":&#47;/").replace("www.", "www&#46;")
}

/// Text for inside a code span in a table.
fn code(text: &str) -> String {
    cut(&terminal::escape(text), MAX_NAME * 2).replace('`', "'").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        assert_eq!(escape("[x](https://e.org)"), "\\[x\\]\\(https:&#47;/e.org\\)");
        assert_eq!(escape("<img src=x> @team | a\nb"), "&lt;img src=x&gt; &#64;team \\| a\\\\nb");
        assert_eq!(code("a`b|c"), "a'b\\|c");
    }
}
