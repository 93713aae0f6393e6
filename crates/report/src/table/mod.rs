//! The report for a terminal. The first screen answers: what is wrong, and what do I fix.

use std::borrow::Cow;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use yagura_model::report::{Target, TargetKind};
use yagura_model::{Report, Severity};

use crate::messages::{Messages, grouped};
use crate::summary::{Summary, is_past_end_of_life, packages_by_ecosystem};
use crate::terminal::{escape, fit, wrap};
use crate::{Options, View};

mod closing;
mod findings;
mod inventory;
pub mod risks;

/// Fewer columns than this say nothing.
const MIN_TEXT: usize = 8;

pub fn write(report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page { report, options, words: options.language.messages(), out };
    match options.view {
        View::Findings => {
            risks::write(&mut page)?;
            for target in &report.targets {
                page.target(target)?;
            }
            findings::write(&mut page)?;
        }
        View::Inventory => inventory::write(&mut page)?,
    }
    closing::write(&mut page)
}

/// Where a section writes, and all it may ask.
struct Page<'a> {
    report: &'a Report,
    options: &'a Options,
    words: &'static Messages,
    out: &'a mut dyn Write,
}

impl Page<'_> {
    fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{}", text.trim_end())
    }

    /// A long text over as many lines as it needs, every line indented.
    fn paragraph(&mut self, indent: usize, text: &str) -> io::Result<()> {
        let columns = match self.options.width {
            0 => 0,
            width => width.saturating_sub(indent).max(20),
        };
        for line in wrap(text, columns) {
            writeln!(self.out, "{:indent$}{line}", "")?;
        }
        Ok(())
    }

    /// The text in a style, where colours are wanted.
    fn styled(&self, style: Style, text: &str) -> String {
        if self.options.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    fn heading(&mut self, text: &str) -> io::Result<()> {
        let text = self.styled(Style::new().bold().underline(), text);
        writeln!(self.out, "\n{text}")
    }

    /// Name, kind, system, packages and layers of a target.
    fn target(&mut self, target: &Target) -> io::Result<()> {
        let name = self.styled(Style::new().bold(), &escape(&target.name));
        let mut about = vec![self.words.text(kind_key(target.kind)).to_owned()];
        if let Some(image) = &target.image {
            // An SBOM of an image often says no more than its name.
            if !image.platform.is_empty() {
                about.push(escape(&image.platform).into_owned());
            }
            if let Some(digest) = image.manifest_digest.as_ref().or(image.config_digest.as_ref()) {
                about.push(format!("sha256:{}", digest.short()));
            }
            if target.kind == TargetKind::Image || !image.layers.is_empty() {
                about.push(self.words.count("table.layers", image.layers.len()));
            }
            if let Some(base) = &image.base {
                about.push(
                    self.words
                        .fill("table.base", &[("reference", &escape(&base.reference)), ("n", &base.layers)]),
                );
            }
        }
        self.line(&format!("{name}  {}", about.join(" · ")))?;
        if let Some(system) = &target.inventory.system {
            let shown = if system.name.is_empty() { system.distro() } else { system.name.clone() };
            let mut line = escape(&shown).into_owned();
            if let Some(end) = &system.end_of_life {
                let past = is_past_end_of_life(self.report, end);
                let key = if past { "table.unsupported" } else { "table.supported" };
                let text = self.words.fill(key, &[("date", &escape(end))]);
                let style = if past { AnsiColor::Red.on_default().bold() } else { Style::new().dimmed() };
                line = format!("{line} · {}", self.styled(style, &text));
            }
            self.line(&format!("  {line}"))?;
        }
        let kinds: Vec<String> = packages_by_ecosystem(target)
            .into_iter()
            .map(|(name, count)| format!("{} {name}", grouped(count as u64)))
            .collect();
        let mut line = self.words.count("table.packages", target.inventory.packages.len());
        if !kinds.is_empty() {
            line = format!("{line}: {}", kinds.join(", "));
        }
        line = format!("{line} · {}", self.words.count("table.files", target.inventory.files as usize));
        self.paragraph(2, &line)
    }

    /// The counts by severity, `CRITICAL 2  HIGH 10`.
    fn severities(&self, summary: &Summary) -> String {
        Severity::ALL
            .into_iter()
            .map(|severity| (severity, summary.severity(severity)))
            .filter(|(_, count)| *count > 0)
            .map(|(severity, count)| {
                let word = self.words.text(severity_key(severity));
                self.styled(severity_style(severity), &format!("{word} {}", grouped(count as u64)))
            })
            .collect::<Vec<_>>()
            .join("  ")
    }

    fn dimmed(&self, text: &str) -> String {
        self.styled(Style::new().dimmed(), text)
    }

    /// The text cut to what is left of the line after `used` columns; nothing where that is too little to read.
    fn rest<'t>(&self, used: usize, text: &'t str) -> Cow<'t, str> {
        match self.options.width.checked_sub(used) {
            _ if self.options.width == 0 => text.into(),
            Some(columns) if columns >= MIN_TEXT => fit(text, columns),
            _ => "".into(),
        }
    }
}

fn kind_key(kind: TargetKind) -> &'static str {
    match kind {
        TargetKind::Image => "target.image",
        TargetKind::Directory => "target.directory",
        TargetKind::File => "target.file",
        TargetKind::Sbom => "target.sbom",
        TargetKind::Host => "target.host",
    }
}

fn severity_key(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "severity.critical",
        Severity::High => "severity.high",
        Severity::Medium => "severity.medium",
        Severity::Low => "severity.low",
        Severity::Negligible => "severity.negligible",
        Severity::Unknown => "severity.unknown",
    }
}

fn severity_style(severity: Severity) -> Style {
    match severity {
        Severity::Critical => AnsiColor::White.on(AnsiColor::Red).bold(),
        Severity::High => AnsiColor::Red.on_default().bold(),
        Severity::Medium => AnsiColor::Yellow.on_default(),
        Severity::Low => AnsiColor::Blue.on_default(),
        Severity::Negligible | Severity::Unknown => Style::new().dimmed(),
    }
}
