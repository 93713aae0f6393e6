//! The report of a run: the model's shape filled with what this run found.

use jiff::Timestamp;
use yagura_detect::policies::Checked;
use yagura_model::Skipped;
use yagura_model::report::{self, Report, SCHEMA_VERSION, Tool};

use crate::scan::Scanned;

/// A report without findings over what was read.
pub fn report(scanned: Scanned, database: Option<report::Database>) -> Report {
    let mut targets = scanned.targets;
    let skipped =
        targets.iter_mut().flat_map(|target| std::mem::take(&mut target.inventory.skipped)).collect();
    let mut report = Report {
        schema_version: SCHEMA_VERSION.to_owned(),
        tool: Tool {
            name: "yagura".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            sandbox: scanned.sandbox.to_string(),
        },
        created: now(),
        database,
        targets,
        findings: Vec::new(),
        risks: Vec::new(),
        changes: Vec::new(),
        skipped,
        suppressed: Vec::new(),
        notices: scanned.notices,
        undecided: Vec::new(),
    };
    for (target, checked) in scanned.checked {
        take_in(&mut report, &target, checked);
    }
    report
}

/// What the rules say of a target's configuration.
fn take_in(report: &mut Report, target: &str, checked: Checked) {
    if report.findings.is_empty() {
        // Not copied: there may be hundreds of thousands.
        report.findings = checked.findings;
    } else {
        report.findings.extend(checked.findings);
    }
    report.suppressed.extend(checked.suppressed);
    report
        .skipped
        .extend(checked.skipped.into_iter().map(|skipped| Skipped { target: target.to_owned(), ..skipped }));
    report.notices.extend(checked.notices);
    report.undecided.extend(checked.undecided.into_iter().map(|(rule, undecided)| report::Undecided {
        target: target.to_owned(),
        rule,
        count: undecided.count,
        first: undecided.first,
        error: undecided.error,
    }));
}

/// The time of the run in RFC 3339, to the second; SOURCE_DATE_EPOCH makes it reproducible.
fn now() -> String {
    let fixed = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|seconds| seconds.parse().ok());
    let time = fixed.and_then(|seconds| Timestamp::from_second(seconds).ok()).unwrap_or_else(Timestamp::now);
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
