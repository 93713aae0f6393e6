//! One page that holds everything: a manager reads its top, an engineer searches its table.
//!
//! Nothing is fetched: style, script and data are inside, allowed by their hashes in the page's own content security
//! policy. Text of targets is escaped where it is written here and set as text where the script shows it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use base64::Engine as _;
use sha2::{Digest as _, Sha256};
use yagura_model::report::Target;
use yagura_model::{Finding, Report, Severity};

use self::chart::{Bar, bars};
use crate::Options;
use crate::grouping::{Group, groups};
use crate::markdown::severity_key;
use crate::messages::{Messages, grouped};
use crate::summary::{
    Summary, database_age_days, is_known_exploited, is_past_end_of_life, packages_by_ecosystem,
};

mod chart;
mod data;
mod escape;
mod path;
mod risks;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Bars of a chart, proposed actions, and lines of the closing lists.
const MAX_BARS: usize = 8;
const MAX_ACTIONS: usize = 6;
const MAX_LINES: usize = 500;

pub fn write(report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let words = options.language.messages();
    let page = Page { report, words, summary: Summary::of(&report.findings) };
    let hash = |text: &str| base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text));
    writeln!(
        out,
        r#"<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-{style_hash}'; script-src 'sha256-{script_hash}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{STYLE}</style>
</head>
<body>"#,
        language = options.language.tag(),
        style_hash = hash(STYLE),
        script_hash = hash(SCRIPT),
        title = words.text("html.title"),
    )?;
    page.head(out)?;
    writeln!(out, "<main>")?;
    page.verdict(out)?;
    page.numbers(out)?;
    risks::write(&page, out)?;
    page.actions(out)?;
    page.charts(out)?;
    page.targets(out)?;
    page.lists(out)?;
    page.closing(out)?;
    writeln!(out, "</main>")?;
    page.foot(out)?;
    let json = serde_json::to_string(&data::data(report, words))?;
    writeln!(out, r#"<script type="application/json" id="data">{}</script>"#, escape::json(&json))?;
    writeln!(out, "<script>{SCRIPT}</script>\n</body>\n</html>")
}

struct Page<'a> {
    report: &'a Report,
    words: &'static Messages,
    summary: Summary,
}

/// Text of a target, escaped.
macro_rules! text {
    ($value:expr) => {
        escape::text($value)
    };
}

impl Page<'_> {
    fn word(&self, key: &'static str) -> &'static str {
        self.words.text(key)
    }

    fn head(&self, out: &mut dyn Write) -> io::Result<()> {
        let names: Vec<&str> = self.report.targets.iter().map(|target| target.name.as_str()).collect();
        let shown = match &names[..] {
            [] => self.word("table.no-targets").to_owned(),
            [first] => (*first).to_owned(),
            [first, rest @ ..] => {
                format!("{first}, {}", self.words.fill("table.more-names", &[("n", &rest.len())]))
            }
        };
        writeln!(
            out,
            r#"<header class="top"><div><h1>{}</h1><div class="soft wrap">{} · <time>{}</time></div></div>
<button id="theme" type="button" hidden aria-pressed="false">{}</button></header>"#,
            self.word("html.title"),
            text!(&shown),
            text!(&self.report.created),
            self.word("html.theme"),
        )
    }

    /// One sentence: is it bad, and what matters most.
    fn verdict(&self, out: &mut dyn Write) -> io::Result<()> {
        let n = |count: usize| grouped(count as u64);
        let urgent = self.summary.severity(Severity::Critical) + self.summary.severity(Severity::High);
        let (class, sentence) = if self.report.database.is_none() && self.summary.total == 0 {
            ("", self.word("table.not-judged").to_owned())
        } else if self.summary.known_exploited > 0 {
            ("bad", self.words.count("html.verdict-exploited", self.summary.known_exploited))
        } else if urgent > 0 {
            ("warn", self.words.count("html.verdict-urgent", urgent))
        } else if self.summary.total > 0 {
            ("", self.words.count("html.verdict-minor", self.summary.total))
        } else {
            ("", self.word("table.clean").to_owned())
        };
        let total = self.words.count("table.findings", self.summary.total);
        let fixable = self.words.fill("table.fixable", &[("n", &n(self.summary.fixable))]);
        writeln!(
            out,
            r#"<section class="card verdict {class}"><strong>{sentence}</strong><div class="soft">{total} · {fixable}</div></section>"#
        )
    }

    fn numbers(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, r#"<ul class="numbers">"#)?;
        for severity in [Severity::Critical, Severity::High, Severity::Medium, Severity::Low] {
            self.number(
                severity.name(),
                self.summary.severity(severity),
                self.word(severity_key(severity)),
                out,
            )?;
        }
        self.number("exploited", self.summary.known_exploited, self.word("html.exploited"), out)?;
        self.number("fixable", self.summary.fixable, self.word("html.fixable"), out)?;
        let packages = self.report.targets.iter().map(|target| target.inventory.packages.len()).sum();
        self.number("packages", packages, self.word("html.packages"), out)?;
        writeln!(out, "</ul>")
    }

    fn number(&self, class: &str, count: usize, label: &str, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, r#"<li class="{class}"><b>{}</b><span>{label}</span></li>"#, grouped(count as u64))
    }

    /// What to do first: the groups that matter most and have a remedy.
    fn actions(&self, out: &mut dyn Write) -> io::Result<()> {
        let groups = groups(&self.report.findings);
        let actions: Vec<&Group<'_>> = groups
            .iter()
            .filter(|group| group.findings().any(|f| f.fixed_version.is_some() || !f.fix.is_empty()))
            .take(MAX_ACTIONS)
            .collect();
        if actions.is_empty() {
            return Ok(());
        }
        writeln!(out, r#"<section class="card"><h2>{}</h2><ol class="actions">"#, self.word("html.first"))?;
        for group in actions {
            let remedy = match (group.common_fix(), group.rows.first()) {
                (Some(fix), _) => format!(
                    r#"<code>{}</code> {} <span class="to">→ {}</span>"#,
                    text!(group.name),
                    text!(group.version),
                    text!(fix)
                ),
                (None, Some(row)) if row.finding.fixed_version.is_none() && !row.finding.fix.is_empty() => {
                    format!("<code>{}</code> {}", text!(group.name), text!(&row.finding.fix))
                }
                _ => format!(
                    r#"<code>{}</code> {} <span class="to">→ {}</span>"#,
                    text!(group.name),
                    text!(group.version),
                    self.word("html.newest")
                ),
            };
            let ended = group
                .rows
                .iter()
                .filter(|row| row.finding.fixed_version.is_some() || !row.finding.fix.is_empty());
            let mut about = vec![self.words.count("html.ends", ended.count())];
            if self.report.targets.len() > 1 {
                about.push(text!(group.target).into_owned());
            }
            let worst = group.worst();
            let exploited = if group.findings().any(is_known_exploited) {
                format!(r#"<span class="badge kev">{}</span> "#, self.word("table.kev"))
            } else {
                String::new()
            };
            writeln!(
                out,
                r#"<li><div class="wrap">{remedy}<div class="soft">{}</div></div><div>{exploited}<span class="badge {}">{}</span></div></li>"#,
                about.join(" · "),
                worst.name(),
                self.word(severity_key(worst)),
            )?;
        }
        writeln!(out, "</ol></section>")
    }

    fn charts(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.summary.total == 0 {
            return Ok(());
        }
        let severities: Vec<Bar> = Severity::ALL
            .into_iter()
            .map(|severity| Bar {
                label: self.word(severity_key(severity)).to_owned(),
                title: self.word(severity_key(severity)).to_owned(),
                pieces: vec![(severity.name(), self.summary.severity(severity))],
            })
            .collect();
        writeln!(out, r#"<div class="two">"#)?;
        self.chart("html.by-severity", &severities, &[], out)?;
        if self.summary.from_base + self.summary.yours > 0 {
            let legend = [("base", "table.from-base"), ("yours", "table.yours")];
            self.chart("html.by-layer", &self.layers(), &legend, out)?;
        }
        if self.report.targets.len() > 1 {
            let bars = self.stacked(|finding| (finding.target.clone(), finding.target.clone()));
            self.chart("html.by-target", &bars, &[], out)?;
        }
        let bars = self.stacked(|finding| {
            let name = match (&finding.package, finding.evidence.matched_name.as_str()) {
                (Some(package), "") => package.name.clone(),
                (Some(_), name) => name.to_owned(),
                (None, _) => finding.location.path.clone(),
            };
            (name.clone(), name)
        });
        self.chart("html.by-package", &bars, &[], out)?;
        writeln!(out, "</div>")
    }

    fn chart(
        &self,
        title: &'static str,
        rows: &[Bar],
        legend: &[(&str, &'static str)],
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let title = self.word(title);
        writeln!(out, r#"<section class="card"><h3>{title}</h3>{}"#, bars(title, rows))?;
        if !legend.is_empty() {
            write!(out, r#"<ul class="legend">"#)?;
            for (class, key) in legend {
                write!(out, r#"<li><span class="dot {class}"></span>{}</li>"#, self.word(key))?;
            }
            write!(out, "</ul>")?;
        }
        writeln!(out, "</section>")
    }

    /// Findings by a key, the fullest bars, pieces by severity.
    fn stacked(&self, key: impl Fn(&Finding) -> (String, String)) -> Vec<Bar> {
        let mut counts: BTreeMap<(String, String), BTreeMap<Severity, usize>> = BTreeMap::new();
        for finding in &self.report.findings {
            *counts.entry(key(finding)).or_default().entry(finding.severity).or_default() += 1;
        }
        let mut bars: Vec<Bar> = counts
            .into_iter()
            .map(|((label, title), by_severity)| Bar {
                label,
                title,
                pieces: by_severity.into_iter().rev().map(|(severity, n)| (severity.name(), n)).collect(),
            })
            .collect();
        bars.sort_by_key(|bar| std::cmp::Reverse(bar.total()));
        bars.truncate(MAX_BARS);
        bars
    }

    /// Findings by the layer that brought them, in the order of layers.
    fn layers(&self) -> Vec<Bar> {
        let mut counts: BTreeMap<(usize, usize), Bar> = BTreeMap::new();
        for finding in &self.report.findings {
            let Some(layer) = &finding.location.layer else { continue };
            let targets = self.report.targets.iter().enumerate();
            let place =
                targets.filter(|(_, target)| target.name == finding.target).find_map(|(at, target)| {
                    let layers = &target.image.as_ref()?.layers;
                    let layer_at = layers.iter().position(|candidate| candidate.diff_id == *layer)?;
                    Some((at, layer_at, layers.get(layer_at)?))
                });
            let Some((target, at, layer)) = place else { continue };
            let class = if finding.from_base_image == Some(true) { "base" } else { "yours" };
            let bar = counts.entry((target, at)).or_insert_with(|| Bar {
                label: format!("{} {}", at + 1, layer.created_by),
                title: format!("{} {}", at + 1, layer.created_by),
                pieces: vec![("base", 0), ("yours", 0)],
            });
            for (name, count) in &mut bar.pieces {
                *count += usize::from(*name == class);
            }
        }
        let mut bars: Vec<((usize, usize), Bar)> = counts.into_iter().collect();
        bars.sort_by_key(|(_, bar)| std::cmp::Reverse(bar.total()));
        bars.truncate(MAX_BARS);
        bars.sort_by_key(|(place, _)| *place);
        bars.into_iter()
            .map(|(_, mut bar)| {
                // The beginning of an instruction says what it does; charts keep the end of a label.
                bar.label = crate::terminal::fit(&bar.label, chart::LABEL_COLUMNS).into_owned();
                bar
            })
            .collect()
    }

    fn targets(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            r#"<section class="card"><h2>{}</h2><div class="scroll"><table><thead><tr>"#,
            self.word("html.targets")
        )?;
        for key in ["html.target", "html.system", "html.packages", "html.layers", "html.findings"] {
            write!(out, r#"<th scope="col">{}</th>"#, self.word(key))?;
        }
        writeln!(out, "</tr></thead><tbody>")?;
        for target in &self.report.targets {
            let findings =
                self.report.findings.iter().filter(|finding| finding.target == target.name).count();
            writeln!(
                out,
                r#"<tr><td class="wrap"><code>{}</code></td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>"#,
                text!(&target.name),
                self.system(target),
                self.packages_of(target),
                target.image.as_ref().map_or(String::new(), |image| image.layers.len().to_string()),
                grouped(findings as u64),
            )?;
        }
        writeln!(out, "</tbody></table></div></section>")
    }

    fn system(&self, target: &Target) -> String {
        let Some(system) = &target.inventory.system else { return String::new() };
        let name = if system.name.is_empty() { system.distro() } else { system.name.clone() };
        let mut shown = text!(&name).into_owned();
        if let Some(end) = &system.end_of_life {
            let past = is_past_end_of_life(self.report, end);
            let key = if past { "table.unsupported" } else { "table.supported" };
            let text = self.words.fill(key, &[("date", &text!(end))]);
            let class = if past { "badge critical" } else { "soft" };
            shown = format!(r#"{shown} <span class="{class}">{text}</span>"#);
        }
        shown
    }

    fn packages_of(&self, target: &Target) -> String {
        let kinds: Vec<String> = packages_by_ecosystem(target)
            .into_iter()
            .map(|(name, count)| format!("{} {name}", grouped(count as u64)))
            .collect();
        format!(
            "{} <span class=\"soft\">{}</span>",
            grouped(target.inventory.packages.len() as u64),
            kinds.join(", ")
        )
    }

    /// The tables the script fills.
    fn lists(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            r#"<section class="card" id="findings-card">
<div class="tabs" role="tablist"><button type="button" role="tab" id="tab-findings" aria-controls="findings" aria-selected="true">{}</button><button type="button" role="tab" id="tab-packages" aria-controls="packages" aria-selected="false">{}</button></div>
<noscript><p>{}</p></noscript>
<div id="findings" role="tabpanel" aria-labelledby="tab-findings">
<div class="tools"><input type="search" id="search" placeholder="{search}" aria-label="{search}">
<select id="target" aria-label="{target}"><option value="">{}</option>"#,
            self.word("html.findings"),
            self.word("html.packages"),
            self.word("html.no-script"),
            self.word("html.all-targets"),
            search = self.word("html.search"),
            target = self.word("html.target"),
        )?;
        for target in &self.report.targets {
            let name = text!(&target.name);
            writeln!(out, r#"<option value="{name}">{name}</option>"#)?;
        }
        writeln!(out, r#"</select></div><div class="tools"><span id="severities" class="tools">"#)?;
        for severity in Severity::ALL.into_iter().filter(|severity| self.summary.severity(*severity) > 0) {
            let label = self.word(severity_key(severity));
            let name = severity.name();
            writeln!(
                out,
                r#"<button type="button" class="chip" aria-pressed="false" data-value="{name}"><span class="dot {name}"></span>{label}</button>"#
            )?;
        }
        writeln!(out, r#"</span><span id="marks" class="tools">"#)?;
        for (value, key) in [
            ("exploited", "html.only-exploited"),
            ("fixable", "html.only-fixable"),
            ("yours", "html.only-yours"),
        ] {
            writeln!(
                out,
                r#"<button type="button" class="chip" aria-pressed="false" data-value="{value}">{}</button>"#,
                self.word(key)
            )?;
        }
        writeln!(out, "</span></div>")?;
        let columns = [
            ("severity", "markdown.severity"),
            ("rule", "markdown.id"),
            ("package", "markdown.package"),
            ("fix", "markdown.fix"),
            ("title", "markdown.what"),
        ];
        self.table(&columns, self.report.findings.len() > data::MAX_FINDINGS, out)?;
        writeln!(
            out,
            r#"</div><div id="packages" role="tabpanel" aria-labelledby="tab-packages" hidden>
<div class="tools"><input type="search" id="package-search" placeholder="{search}" aria-label="{search}"></div>"#,
            search = self.word("html.search-packages"),
        )?;
        let columns = [
            ("name", "html.name"),
            ("version", "html.version"),
            ("type", "html.type"),
            ("licence", "html.licence"),
            ("location", "html.where"),
        ];
        let packages: usize = self.report.targets.iter().map(|t| t.inventory.packages.len()).sum();
        self.table(&columns, packages > data::MAX_PACKAGES, out)?;
        writeln!(out, "</div></section>")
    }

    fn table(&self, columns: &[(&str, &'static str)], cut: bool, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, r#"<p class="status" role="status"></p>"#)?;
        if cut {
            writeln!(out, r#"<p class="soft">{}</p>"#, self.word("html.cut"))?;
        }
        write!(out, r#"<div class="scroll"><table><thead><tr>"#)?;
        for (column, key) in columns {
            write!(
                out,
                r#"<th scope="col" data-column="{column}" aria-sort="none"><button type="button">{}</button></th>"#,
                self.word(key)
            )?;
        }
        writeln!(
            out,
            r#"</tr></thead><tbody></tbody></table></div><p><button type="button" class="show-more" hidden>{}</button></p>"#,
            self.word("html.more")
        )
    }

    /// Suppressed findings, what was not looked at, notices.
    fn closing(&self, out: &mut dyn Write) -> io::Result<()> {
        let report = self.report;
        let suppressed: Vec<String> = report
            .suppressed
            .iter()
            .map(|suppressed| {
                let package = suppressed.finding.package.as_ref().map_or("", |package| &package.name);
                format!(
                    "<code>{}</code> {} – {} <span class=\"soft\">({} {})</span>",
                    text!(&suppressed.finding.rule),
                    text!(package),
                    text!(&suppressed.reason),
                    text!(&suppressed.by),
                    text!(&suppressed.source)
                )
            })
            .collect();
        self.list("html.suppressed", &suppressed, false, out)?;
        let skipped = report.skipped.iter().chain(report.targets.iter().flat_map(|t| &t.inventory.skipped));
        let skipped: Vec<String> = skipped
            .map(|skipped| {
                let times =
                    if skipped.count > 1 { format!(" ×{}", grouped(skipped.count)) } else { String::new() };
                format!("<code>{}</code> {}{times}", text!(&skipped.path), text!(&skipped.detail))
            })
            .collect();
        self.list("table.skipped", &skipped, false, out)?;
        let notices: Vec<String> = report.notices.iter().map(|notice| text!(notice).into_owned()).collect();
        self.list("table.notices", &notices, true, out)
    }

    fn list(&self, key: &'static str, lines: &[String], open: bool, out: &mut dyn Write) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let open = if open { " open" } else { "" };
        let count = grouped(lines.len() as u64);
        writeln!(
            out,
            r#"<section class="card"><details{open}><summary>{} ({count})</summary><ul class="plain">"#,
            self.word(key)
        )?;
        for line in lines.iter().take(MAX_LINES) {
            writeln!(out, "<li>{line}</li>")?;
        }
        if let Some(more) = lines.len().checked_sub(MAX_LINES).filter(|more| *more > 0) {
            writeln!(out, "<li>… {}</li>", self.words.fill("table.more-names", &[("n", &more)]))?;
        }
        writeln!(out, "</ul></details></section>")
    }

    fn foot(&self, out: &mut dyn Write) -> io::Result<()> {
        let tool = &self.report.tool;
        let mut parts = vec![format!("{} {}", text!(&tool.name), text!(&tool.version))];
        if let Some(database) = &self.report.database {
            parts.push(self.words.fill(
                "table.database",
                &[("source", &text!(&database.source)), ("advisories", &grouped(database.advisories))],
            ));
        }
        if let Some(days) = database_age_days(self.report) {
            parts.push(self.words.count("table.days-old", usize::try_from(days).unwrap_or_default()));
        }
        if !tool.sandbox.is_empty() {
            parts.push(self.words.fill("table.sandbox", &[("how", &text!(&tool.sandbox))]));
        }
        writeln!(out, "<footer>{}</footer>", parts.join(" · "))
    }
}
