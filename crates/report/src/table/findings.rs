//! The findings of the table: a summary line, then a block for each package or file to change.

use std::io;

use anstyle::{AnsiColor, Style};
use yagura_model::report::Target;
use yagura_model::{Digest, Finding};

use super::{Page, severity_key, severity_style};
use crate::grouping::{Group, Row, groups};
use crate::messages::grouped;
use crate::summary::{Summary, exploit_probability, is_known_exploited};
use crate::terminal::{escape, fit, fit_path, pad, width};

/// Blocks and rows shown before the rest is only counted.
const MAX_GROUPS: usize = 30;
const MAX_ROWS: usize = 6;
/// Names and paths shown before the rest is only counted.
const MAX_NAMES: usize = 4;
/// Columns of the rule's id and the fixed version, on a terminal wide enough.
const MAX_RULE: usize = 24;
const MAX_FIX: usize = 32;
/// EPSS probabilities from here on are marked.
const NOTABLE_PROBABILITY: f64 = 0.1;

pub fn write(page: &mut Page<'_>) -> io::Result<()> {
    let report = page.report;
    let summary = Summary::of(&report.findings);
    page.line("")?;
    if summary.total == 0 {
        let text = match (&report.database, report.targets.is_empty()) {
            (_, true) => page.words.text("table.no-targets"),
            (None, _) => page.words.text("table.not-judged"),
            _ => page.words.text("table.clean"),
        };
        let text = page.styled(Style::new().bold(), text);
        return page.line(&text);
    }
    let severities = page.severities(&summary);
    page.line(&severities)?;
    let mut facts = vec![
        page.words.count("table.findings", summary.total),
        page.words.fill("table.fixable", &[("n", &grouped(summary.fixable as u64))]),
    ];
    if summary.known_exploited > 0 {
        let text = page.words.fill("table.exploited", &[("n", &grouped(summary.known_exploited as u64))]);
        facts.push(page.styled(AnsiColor::Red.on_default().bold(), &text));
    }
    if summary.from_base + summary.yours > 0 {
        facts.push(page.words.fill(
            "table.origins",
            &[("base", &grouped(summary.from_base as u64)), ("yours", &grouped(summary.yours as u64))],
        ));
    }
    page.line(&facts.join(" · "))?;

    let groups = groups(&report.findings);
    let shown = if page.options.all { groups.len() } else { groups.len().min(MAX_GROUPS) };
    let columns = Columns::of(page, groups.iter().take(shown));
    for group in groups.iter().take(shown) {
        block(page, group, &columns)?;
    }
    if let Some(rest) = groups.get(shown..).filter(|rest| !rest.is_empty()) {
        let summary = Summary::of(rest.iter().flat_map(Group::findings));
        let text = page.words.fill(
            "table.more-groups",
            &[("n", &grouped(rest.len() as u64)), ("findings", &grouped(summary.total as u64))],
        );
        let severities = page.severities(&summary);
        page.line("")?;
        page.line(&format!("… {text} ({severities})"))?;
    }
    Ok(())
}

/// Widths the rows of all blocks share.
struct Columns {
    severity: usize,
    rule: usize,
    marks: usize,
    fix: usize,
}

impl Columns {
    fn of<'a>(page: &Page<'_>, groups: impl Iterator<Item = &'a Group<'a>>) -> Self {
        let mut columns = Self { severity: 0, rule: 0, marks: 0, fix: 0 };
        for row in groups.flat_map(|group| shown_rows(page, group)) {
            let finding = row.finding;
            columns.severity = columns.severity.max(width(page.words.text(severity_key(finding.severity))));
            columns.rule = columns.rule.max(width(&escape(&finding.rule)));
            columns.marks = columns.marks.max(width(&marks(page, finding)));
            columns.fix = columns.fix.max(width(&fix(page, finding)));
        }
        let terminal = if page.options.width == 0 { usize::MAX } else { page.options.width };
        columns.rule = columns.rule.min(MAX_RULE).min(terminal / 3);
        columns.fix = columns.fix.min(MAX_FIX).min(terminal / 4);
        // On a narrow terminal the fix gives way: the header of the block often says it already.
        columns.fix =
            columns.fix.min(terminal.saturating_sub(columns.severity + columns.rule + columns.marks + 8));
        columns
    }
}

fn shown_rows<'g, 'a>(page: &Page<'_>, group: &'g Group<'a>) -> &'g [Row<'a>] {
    let shown = if page.options.all || group.rows.len() <= MAX_ROWS { group.rows.len() } else { MAX_ROWS };
    group.rows.get(..shown).unwrap_or_default()
}

fn block(page: &mut Page<'_>, group: &Group<'_>, columns: &Columns) -> io::Result<()> {
    page.line("")?;
    header(page, group)?;
    let common_fix = group.common_fix().is_some();
    let shown = shown_rows(page, group);
    for row in shown {
        let finding = row.finding;
        let severity = page.words.text(severity_key(finding.severity));
        let padding = columns.severity.saturating_sub(width(severity));
        let severity = page.styled(severity_style(finding.severity), severity);
        let rule_text = escape(&finding.rule);
        let rule = pad(&fit(&rule_text, columns.rule), columns.rule);
        let marks_text = marks(page, finding);
        let marks = pad(&marks_text, columns.marks);
        let marks = if is_known_exploited(finding) {
            page.styled(AnsiColor::Red.on_default().bold(), &marks)
        } else {
            marks
        };
        let mut line = format!("  {severity}{:padding$}  {rule}", "");
        let mut used = 2 + columns.severity + 2 + columns.rule;
        if columns.marks > 0 {
            line = format!("{line}  {marks}");
            used += 2 + columns.marks;
        }
        if !common_fix && columns.fix > 0 {
            let fix = fix(page, finding);
            line = format!("{line}  {}", pad(&fit(&fix, columns.fix), columns.fix));
            used += 2 + columns.fix;
        }
        let title = title(page, group, row);
        let title = page.rest(used + 2, &title).into_owned();
        let title = page.dimmed(&title);
        page.line(&format!("{line}  {title}"))?;
    }
    if group.rows.len() > shown.len() {
        let rest = group.rows.get(shown.len()..).unwrap_or_default();
        let summary = Summary::of(rest.iter().map(|row| row.finding));
        let severities = page.severities(&summary);
        let text = page.words.fill("table.more-rows", &[("n", &grouped(rest.len() as u64))]);
        page.line(&format!("  … {text} ({severities})"))?;
    }
    Ok(())
}

/// `openssl 3.0.11 → 3.0.14  (libssl3, openssl) · base image · layer 1`
fn header(page: &mut Page<'_>, group: &Group<'_>) -> io::Result<()> {
    let name = page.styled(Style::new().bold(), &escape(group.name));
    let mut line = name;
    if !group.version.is_empty() {
        line = format!("{line} {}", escape(group.version));
    }
    if let Some(fix) = group.common_fix() {
        let text = format!("→ {}", escape(fix));
        line = format!("{line} {}", page.styled(AnsiColor::Green.on_default().bold(), &text));
    }
    page.line(&line)?;

    let mut about = Vec::new();
    let names = group.package_names();
    if names.iter().any(|name| *name != group.name) {
        about.push(page.words.fill("table.in-packages", &[("names", &shortened(page, &names))]));
    }
    let mut origins: Vec<String> = group.findings().map(|finding| origin(page, finding)).collect();
    origins.dedup();
    origins.sort();
    origins.dedup();
    about.extend(origins.into_iter().filter(|origin| !origin.is_empty()).take(MAX_NAMES));
    let paths = paths(page, group);
    if !paths.is_empty() && (group.kind.name() == "vulnerability" || group.kind.name() == "malware") {
        about.push(paths);
    }
    if page.report.targets.len() > 1 {
        about.push(escape(group.target).into_owned());
    }
    if !about.is_empty() {
        let text = page.rest(2, &about.join(" · ")).into_owned();
        let text = page.dimmed(&text);
        page.line(&format!("  {text}"))?;
    }
    Ok(())
}

fn shortened(page: &Page<'_>, names: &[&str]) -> String {
    let mut text = names.iter().take(MAX_NAMES).map(|name| escape(name)).collect::<Vec<_>>().join(", ");
    if let Some(more) = names.len().checked_sub(MAX_NAMES).filter(|more| *more > 0) {
        text = format!("{text}, {}", page.words.fill("table.more-names", &[("n", &more)]));
    }
    text
}

fn paths(page: &Page<'_>, group: &Group<'_>) -> String {
    let mut paths: Vec<&str> = group.findings().map(|finding| finding.location.path.as_str()).collect();
    paths.sort_unstable();
    paths.dedup();
    let Some(first) = paths.first() else { return String::new() };
    let first = fit_path(&escape(first), 60).into_owned();
    match paths.len() {
        1 => first,
        more => format!("{first}, {}", page.words.fill("table.more-names", &[("n", &(more - 1))])),
    }
}

/// `base image, layer 2` where the finding is in an image.
fn origin(page: &Page<'_>, finding: &Finding) -> String {
    let mut parts = Vec::new();
    match finding.from_base_image {
        Some(true) => parts.push(page.words.text("table.from-base").to_owned()),
        Some(false) => parts.push(page.words.text("table.yours").to_owned()),
        None => {}
    }
    let target = page.report.targets.iter().find(|target| target.name == finding.target);
    if let (Some(layer), Some(target)) = (&finding.location.layer, target) {
        parts.push(layer_name(page, target, layer));
    }
    parts.join(", ")
}

fn layer_name(page: &Page<'_>, target: &Target, layer: &Digest) -> String {
    let layers = target.image.as_ref().map_or(&[][..], |image| &image.layers[..]);
    match layers.iter().position(|candidate| candidate.diff_id == *layer) {
        Some(at) => page.words.fill("table.layer", &[("n", &(at + 1))]),
        None => page.words.fill("table.layer", &[("n", &layer.short())]),
    }
}

/// `KEV` for known exploited, `R` added for ransomware, and a notable EPSS probability.
fn marks(page: &Page<'_>, finding: &Finding) -> String {
    let mut marks = Vec::new();
    if is_known_exploited(finding) {
        marks.push(page.words.text("table.kev").to_owned());
    }
    if let Some(probability) = exploit_probability(finding).filter(|p| *p >= NOTABLE_PROBABILITY) {
        marks.push(format!("EPSS {:.0}%", probability * 100.0));
    }
    marks.join(" ")
}

fn fix(page: &Page<'_>, finding: &Finding) -> String {
    match (&finding.fixed_version, finding.evidence.fix_state.as_str()) {
        (Some(version), _) => format!("→ {}", escape(version)),
        (None, "will-not-fix") => page.words.text("table.will-not-fix").to_owned(),
        (None, _) if finding.package.is_some() => page.words.text("table.no-fix").to_owned(),
        (None, _) => String::new(),
    }
}

/// `:11 :21 …`, the lines at which the row's rule found something.
fn lines(row: &Row<'_>) -> String {
    let mut lines: Vec<u32> = row.findings().filter_map(|finding| finding.location.start_line).collect();
    lines.sort_unstable();
    lines.dedup();
    let shown: Vec<String> = lines.iter().take(MAX_NAMES).map(|line| format!(":{line}")).collect();
    format!("{}{}", shown.join(" "), if lines.len() > MAX_NAMES { " …" } else { "" })
}

/// What the row does not say yet: the title, or the advisory's name where the title only repeats the row; and which
/// packages of the group it is in when not all of them are.
fn title(page: &Page<'_>, group: &Group<'_>, row: &Row<'_>) -> String {
    let finding = row.finding;
    let told = match finding.title.strip_prefix(&finding.rule) {
        Some(_) if finding.evidence.advisory == finding.rule => "",
        Some(_) => &finding.evidence.advisory,
        None => &finding.title,
    };
    let mut title = escape(told).into_owned();
    if row.finding.package.is_none() {
        let lines = lines(row);
        title = if lines.is_empty() { title } else { format!("{lines}  {title}") };
        if row.others.is_empty()
            && !finding.evidence.resource.is_empty()
            && finding.location.start_line.is_some()
        {
            title = format!("{title} · {}", escape(&finding.evidence.resource));
        }
    }
    let all = group.package_names();
    let mut names: Vec<&str> =
        row.findings().filter_map(|f| f.package.as_ref()).map(|package| package.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    if names.len() < all.len() {
        title = format!("[{}] {title}", shortened(page, &names));
    }
    title
}
