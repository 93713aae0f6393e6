//! The report of a run: the model's shape filled with what this run found.

use jiff::Timestamp;
use yagura_model::report::{self, Report, SCHEMA_VERSION, Tool};

use crate::scan::Scanned;

/// A report without findings over what was read.
pub fn report(scanned: Scanned, database: Option<report::Database>) -> Report {
    let mut targets = scanned.targets;
    let skipped =
        targets.iter_mut().flat_map(|target| std::mem::take(&mut target.inventory.skipped)).collect();
    Report {
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
    }
}

/// The time of the run in RFC 3339, to the second; SOURCE_DATE_EPOCH makes it reproducible.
fn now() -> String {
    let fixed = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|seconds| seconds.parse().ok());
    let time = fixed.and_then(|seconds| Timestamp::from_second(seconds).ok()).unwrap_or_else(Timestamp::now);
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
