//! JUnit XML, as CI systems read it: a suite for each target, a failing case for each finding.
//!
//! There is no standard; this keeps to what Jenkins, GitLab and `xunit` readers share: `testsuites`, `testsuite`,
//! `testcase`, `failure`, `skipped`, `system-out`.

use std::borrow::Cow;
use std::io::{self, Write};

use yagura_model::{Finding, Report};

use crate::Options;

pub fn write(report: &Report, _options: &Options, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    let cases = report.findings.len() + report.suppressed.len();
    writeln!(
        out,
        r#"<testsuites name="{}" tests="{}" failures="{}" skipped="{}" errors="0">"#,
        escape(&report.tool.name),
        cases.max(report.targets.len()),
        report.findings.len(),
        report.suppressed.len(),
    )?;
    for target in &report.targets {
        let findings: Vec<&Finding> = report.findings.iter().filter(|f| f.target == target.name).collect();
        let suppressed: Vec<_> =
            report.suppressed.iter().filter(|s| s.finding.target == target.name).collect();
        let cases = (findings.len() + suppressed.len()).max(1);
        writeln!(
            out,
            r#" <testsuite name="{}" timestamp="{}" tests="{cases}" failures="{}" skipped="{}" errors="0" time="0">"#,
            escape(&target.name),
            escape(report.created.trim_end_matches('Z')),
            findings.len(),
            suppressed.len(),
        )?;
        for finding in &findings {
            open_case(finding, out)?;
            writeln!(
                out,
                r#"   <failure type="{}" message="{}">{}</failure>"#,
                finding.severity,
                escape(&message(finding)),
                escape(&details(finding)),
            )?;
            writeln!(out, "  </testcase>")?;
        }
        for suppressed in suppressed {
            open_case(&suppressed.finding, out)?;
            let reason = format!("{} ({}: {})", suppressed.reason, suppressed.by, suppressed.source);
            writeln!(out, r#"   <skipped message="{}"/>"#, escape(&reason))?;
            writeln!(out, "  </testcase>")?;
        }
        if findings.is_empty() && cases == 1 {
            writeln!(out, r#"  <testcase classname="yagura" name="no findings" time="0"/>"#)?;
        }
        let skipped =
            report.skipped.iter().filter(|s| s.target == target.name).chain(&target.inventory.skipped);
        let skipped: Vec<String> = skipped.map(|s| format!("{}: {}", s.path, s.detail)).collect();
        if !skipped.is_empty() {
            writeln!(out, "  <system-out>{}</system-out>", escape(&skipped.join("\n")))?;
        }
        writeln!(out, " </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

fn open_case(finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let package = finding.package.as_ref();
    let name = match package {
        Some(package) => format!("{} {} {}", finding.rule, package.name, package.version),
        None => finding.rule.clone(),
    };
    writeln!(
        out,
        r#"  <testcase classname="{}" name="{}" file="{}" time="0">"#,
        finding.kind.name(),
        escape(&name),
        escape(&finding.location.path),
    )
}

fn message(finding: &Finding) -> String {
    format!("{}: {}", finding.severity, finding.title)
}

fn details(finding: &Finding) -> String {
    let mut lines = vec![finding.title.clone()];
    if let Some(package) = &finding.package {
        lines.push(format!("package: {} {}", package.name, package.version));
        lines.push(format!(
            "fixed in: {}",
            finding.fixed_version.as_deref().unwrap_or("no fixed version is known")
        ));
    }
    lines.push(format!("location: {}", finding.location.path));
    if !finding.fix.is_empty() {
        lines.push(format!("what to do: {}", finding.fix));
    }
    lines.join("\n")
}

/// Text for XML 1.0, in an attribute or between tags. Characters XML cannot hold become U+FFFD.
fn escape(text: &str) -> Cow<'_, str> {
    let needs = |c: char| matches!(c, '&' | '<' | '>' | '"' | '\'' | '\n' | '\r' | '\t') || !is_xml(c);
    if !text.chars().any(needs) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\n' => escaped.push_str("&#10;"),
            '\r' => escaped.push_str("&#13;"),
            '\t' => escaped.push_str("&#9;"),
            c if is_xml(c) => escaped.push(c),
            _ => escaped.push('\u{fffd}'),
        }
    }
    Cow::Owned(escaped)
}

/// XML 1.0, production 2 (`Char`).
fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}
