//! `-o openvex`: what is written is what our own reader understands, and says no more than is known.

use yagura_formats::vex;
use yagura_model::report::Suppressed;
use yagura_model::vex::{VexStatement, VexStatus};
use yagura_model::{FindingKind, Report};
use yagura_report::{Format, Options};

mod sample;

/// The sample with its first flaw thrice more: excused by VEX, by evidence and by an ignore file.
fn report() -> Report {
    let mut report = sample::report();
    let finding = report.findings.iter().find(|finding| finding.package.is_some()).unwrap().clone();
    report.suppressed = [
        ("CVE-1", "vex", "not_affected: vulnerable_code_not_present: built without it (says Example)"),
        ("CVE-2", "vex", "fixed (says Example)"),
        ("CVE-3", "evidence", "kernel headers: no kernel"),
        ("CVE-4", "ignore-file", "accepted until May"),
        ("CVE-5", "vex", "not_affected"),
    ]
    .map(|(rule, by, reason)| {
        let mut finding = finding.clone();
        finding.rule = rule.into();
        Suppressed { finding, by: by.into(), source: "there".into(), reason: reason.into() }
    })
    .to_vec();
    let mut confirmed = finding;
    confirmed.rule = "CVE-6".into();
    confirmed.fix.clear();
    confirmed.fixed_version = Some("9.9".into());
    confirmed.evidence.notes.push("vex: affected: update (there)".into());
    report.findings.push(confirmed);
    report
}

fn written(report: &Report) -> Vec<VexStatement> {
    let text = sample::text(Format::OpenVex, report, &Options::default());
    let document = vex::read("report", text.as_bytes());
    assert_eq!(document.skipped, []);
    document.statements
}

#[test]
fn our_own_reader_understands_every_statement() {
    let report = report();
    let statements = written(&report);
    let flaws: std::collections::BTreeSet<_> = report
        .findings
        .iter()
        .chain(report.suppressed.iter().map(|suppressed| &suppressed.finding))
        .filter(|finding| finding.kind == FindingKind::Vulnerability)
        .filter(|finding| finding.package.as_ref().is_some_and(|package| package.purl.is_some()))
        .map(|finding| finding.rule.as_str())
        .collect();
    let stated: std::collections::BTreeSet<_> = statements.iter().map(|s| s.vulnerability.as_str()).collect();
    assert_eq!(stated, flaws);
    for statement in &statements {
        assert_eq!(statement.author, report.tool.name);
        assert!(!statement.timestamp.is_empty());
        for product in &statement.products {
            assert_eq!(product.component.purls.len(), 1, "{product:?}");
            let image = product.component.purls[0].as_str().starts_with("pkg:oci/");
            assert_eq!(image, !product.subcomponents.is_empty(), "{product:?}");
        }
    }
}

#[test]
fn a_status_claims_no_more_than_is_known() {
    let statements = written(&report());
    let of = |flaw: &str| statements.iter().find(|statement| statement.vulnerability == flaw).unwrap();
    let parts = |flaw: &str| {
        let statement = of(flaw);
        (statement.status, statement.justification.as_str(), statement.impact.as_str())
    };
    assert_eq!(
        parts("CVE-1"),
        (VexStatus::NotAffected, "vulnerable_code_not_present", "built without it (says Example)")
    );
    assert_eq!(parts("CVE-2"), (VexStatus::Fixed, "", ""));
    assert_eq!(
        parts("CVE-3"),
        (VexStatus::NotAffected, "vulnerable_code_not_present", "kernel headers: no kernel")
    );
    assert_eq!(parts("CVE-4"), (VexStatus::UnderInvestigation, "", ""));
    assert_eq!(parts("CVE-5"), (VexStatus::NotAffected, "", "not_affected"));
    assert_eq!(
        (of("CVE-6").status, of("CVE-6").action.as_str()),
        (VexStatus::Affected, "Update to 9.9 or later.")
    );
    let standing =
        statements.iter().filter(|s| !s.vulnerability.starts_with("CVE-") || s.vulnerability.len() > 5);
    assert!(standing.into_iter().all(|statement| statement.status == VexStatus::UnderInvestigation));
}

#[test]
fn the_same_report_is_the_same_document_and_nothing_is_an_empty_one() {
    let text = |report: &Report| sample::text(Format::OpenVex, report, &Options::default());
    assert_eq!(text(&report()), text(&report()));
    let empty: serde_json::Value = serde_json::from_str(&text(&sample::empty())).unwrap();
    assert_eq!(empty["@context"], "https://openvex.dev/ns/v0.2.0");
    assert_eq!(empty["statements"], serde_json::json!([]));
    assert_ne!(text(&sample::empty()), text(&report()));
}
