//! A report with every field filled, and the formats' outputs as text.
#![allow(dead_code, reason = "each test binary uses its part")]

use yagura_model::Report;
use yagura_report::{Format, Options};

/// The report of `tests/sample.json`.
pub fn report() -> Report {
    serde_json::from_str(include_str!("../sample.json")).unwrap()
}

/// A report of nothing.
pub fn empty() -> Report {
    let mut report = report();
    report.database = None;
    report.targets.clear();
    report.findings.clear();
    report.risks.clear();
    report.skipped.clear();
    report.suppressed.clear();
    report.notices.clear();
    report
}

pub fn text(format: Format, report: &Report, options: &Options) -> String {
    let mut bytes = Vec::new();
    yagura_report::write(format, report, options, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}
