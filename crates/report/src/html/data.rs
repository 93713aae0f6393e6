//! What the page's script works on: findings and packages, cut to what a reader asks for, streamed.

use serde::Serialize;
use serde_json::{Value, json};
use yagura_model::finding::Confidence;
use yagura_model::{Digest, Finding, Report};

use crate::messages::Messages;
use crate::sbom::Lazy;
use crate::summary::{exploit_probability, is_known_exploited};
use crate::terminal::escape;

/// Rows kept in a page; more would make a file no browser opens gladly.
pub const MAX_FINDINGS: usize = 50_000;
pub const MAX_PACKAGES: usize = 50_000;

/// The keys of the texts the script shows, and their messages.
const WORDS: [(&str, &str); 28] = [
    ("critical", "severity.critical"),
    ("high", "severity.high"),
    ("medium", "severity.medium"),
    ("low", "severity.low"),
    ("negligible", "severity.negligible"),
    ("unknown", "severity.unknown"),
    ("kev", "table.kev"),
    ("base", "table.from-base"),
    ("yours", "table.yours"),
    ("shown", "html.shown"),
    ("aliases", "html.aliases"),
    ("score", "html.score"),
    ("epss", "html.epss"),
    ("exploited", "html.exploited-since"),
    ("weaknesses", "html.weaknesses"),
    ("where", "html.where"),
    ("layer", "html.layer"),
    ("instruction", "html.instruction"),
    ("target", "html.target"),
    ("advisory", "html.advisory"),
    ("range", "html.range"),
    ("confidence", "html.confidence"),
    ("fix", "html.what-to-do"),
    ("purl", "html.purl"),
    ("found", "html.found-by"),
    ("controls", "html.controls"),
    ("notes", "html.notes"),
    ("published", "html.published"),
];

pub fn data<'a>(report: &'a Report, words: &'a Messages) -> impl Serialize + 'a {
    #[derive(Serialize)]
    struct Data<F, P> {
        words: Value,
        findings: F,
        packages: P,
    }
    Data {
        words: WORDS.iter().map(|(key, message)| (key.to_string(), json!(words.text(message)))).collect(),
        findings: Lazy(move || {
            report.findings.iter().take(MAX_FINDINGS).map(move |f| finding(report, f, words))
        }),
        packages: Lazy(move || {
            let targets = report.targets.iter();
            targets.flat_map(|target| &target.inventory.packages).take(MAX_PACKAGES).map(|package| {
                let path = package.locations.first().map_or("", |location| &location.path);
                [
                    escape(&package.name).into_owned(),
                    escape(&package.version).into_owned(),
                    package.ecosystem.purl_type().to_owned(),
                    escape(path).into_owned(),
                    escape(&package.licenses.join(", ")).into_owned(),
                ]
            })
        }),
    }
}

fn finding(report: &Report, finding: &Finding, words: &Messages) -> Value {
    let package = finding.package.as_ref();
    let fix_note = match (package, finding.evidence.fix_state.as_str()) {
        (None, _) => "",
        (Some(_), "will-not-fix") => words.text("table.will-not-fix"),
        (Some(_), _) => words.text("table.no-fix"),
    };
    let shown = |text: &str| escape(text).into_owned();
    let aliases: Vec<String> = finding.aliases.iter().map(|alias| shown(alias)).collect();
    json!({
        "rule": shown(&finding.rule),
        "severity": finding.severity.name(),
        "title": shown(&finding.title),
        "name": package.map_or(String::new(), |package| shown(&package.name)),
        "version": package.map_or(String::new(), |package| shown(&package.version)),
        "path": shown(&finding.location.path),
        "target": shown(&finding.target),
        "aliases": aliases,
        "fix": finding.fixed_version.as_deref().map(shown),
        "fixNote": fix_note,
        "kev": is_known_exploited(finding),
        "epss": exploit_probability(finding),
        "base": finding.from_base_image,
        "facts": facts(report, finding),
    })
}

/// What a reader finds on opening a row: label and text, without the empty ones.
fn facts(report: &Report, finding: &Finding) -> Vec<(&'static str, String)> {
    let evidence = &finding.evidence;
    let known = finding.vulnerability.as_ref();
    let place = match (finding.location.start_line, finding.location.end_line) {
        (Some(start), Some(end)) if end > start => format!("{}:{start}-{end}", finding.location.path),
        (Some(start), _) => format!("{}:{start}", finding.location.path),
        _ => finding.location.path.clone(),
    };
    let score = known.map_or(String::new(), |known| {
        let score = known.score.map_or(String::new(), |score| format!("{score:.1}"));
        let parts = [score, known.vector.clone(), known.severity_source.clone()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
    });
    let epss = known.and_then(|known| known.exploit_prediction).map_or(String::new(), |prediction| {
        let (probability, percentile) = (prediction.probability * 100.0, prediction.percentile * 100.0);
        format!("{probability:.1}% (P{percentile:.0})")
    });
    let exploited = known.and_then(|known| known.known_exploited.as_ref());
    let range = match (evidence.range.is_empty(), evidence.order.is_empty()) {
        (true, _) => String::new(),
        (false, true) => format!("{} {}", evidence.matched_name, evidence.range),
        (false, false) => format!("{} {} ({})", evidence.matched_name, evidence.range, evidence.order),
    };
    let confidence = evidence.confidence.map_or("", |confidence| match confidence {
        Confidence::NameOnly => "name-only",
        Confidence::OsOwned => "os-owned",
        Confidence::ExactPurl => "exact-purl",
        Confidence::Low => "low",
        Confidence::Medium => "medium",
        Confidence::High => "high",
    });
    let purl = finding.package.as_ref().and_then(|package| package.purl.as_ref());
    let facts = [
        ("fix", finding.fix.clone()),
        ("where", place),
        (
            "layer",
            finding.location.layer.as_ref().map_or(String::new(), |layer| layer_name(report, finding, layer)),
        ),
        ("instruction", finding.created_by.clone()),
        ("target", finding.target.clone()),
        ("purl", purl.map_or(String::new(), ToString::to_string)),
        ("aliases", finding.aliases.join(", ")),
        ("score", score),
        ("epss", epss),
        ("exploited", exploited.map_or(String::new(), |exploited| exploited.date_added.clone())),
        ("weaknesses", known.map_or(String::new(), |known| known.weaknesses.join(", "))),
        ("published", known.map_or(String::new(), |known| known.published.clone())),
        ("advisory", [&evidence.advisory, &evidence.feed].map(String::as_str).join(" ").trim().to_owned()),
        ("range", range),
        ("confidence", confidence.to_owned()),
        ("found", evidence.found_by.clone()),
        ("controls", finding.controls.join(", ")),
        ("notes", evidence.notes.join(" · ")),
    ];
    facts
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(label, text)| (label, escape(&text).into_owned()))
        .collect()
}

/// `2 (sha256:…)`, counted from the lowest.
fn layer_name(report: &Report, finding: &Finding, layer: &Digest) -> String {
    let target = report.targets.iter().find(|target| target.name == finding.target);
    let layers = target.and_then(|target| target.image.as_ref()).map_or(&[][..], |image| &image.layers);
    match layers.iter().position(|candidate| candidate.diff_id == *layer) {
        Some(at) => format!("{} ({layer})", at + 1),
        None => layer.to_string(),
    }
}
