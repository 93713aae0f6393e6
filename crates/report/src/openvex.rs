//! OpenVEX 0.2.0: what this report says of each flaw, for others to read or for people to carry on.
//!
//! A finding is under investigation until somebody has said otherwise; a scanner that found a version does not know
//! whether the flaw can be reached. What VEX statements or the kind of a package excused is not affected (or fixed), with
//! its justification. An entry of an ignore file is a decision, not a fact about the product, and stays under
//! investigation with the reason as a note. A finding whose package has no package URL has no name others would know, and
//! is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use yagura_model::image::Image;
use yagura_model::report::{Suppressed, Target};
use yagura_model::vex::VexStatus;
use yagura_model::{Finding, FindingKind, Purl, Report};

use crate::Options;

const CONTEXT: &str = "https://openvex.dev/ns/v0.2.0";
/// The namespace OpenVEX gives to documents that have no home of their own.
const NAMESPACE: &str = "https://openvex.dev/docs/public/vex-";
/// The labels a justification may be (OPENVEX-SPEC.md, "Status Justifications").
const JUSTIFICATIONS: [&str; 5] = [
    "component_not_present",
    "vulnerable_code_not_present",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "inline_mitigations_already_exist",
];

pub fn write(report: &Report, _options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let statements = statements(report);
    let body = serde_json::to_vec(&statements)?;
    let mut hash = Sha256::new();
    hash.update(report.created.as_bytes());
    hash.update(&body);
    let id: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let document = Document {
        context: CONTEXT,
        id: format!("{NAMESPACE}{id}"),
        author: &report.tool.name,
        role: "Document Creator",
        timestamp: &report.created,
        version: 1,
        tooling: format!("{} {}", report.tool.name, report.tool.version),
        statements,
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    out.write_all(b"\n")
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "@context")]
    context: &'static str,
    #[serde(rename = "@id")]
    id: String,
    author: &'a str,
    role: &'static str,
    timestamp: &'a str,
    /// The document's revision.
    version: u32,
    tooling: String,
    statements: Vec<Statement>,
}

#[derive(Serialize)]
struct Statement {
    vulnerability: Vulnerability,
    products: Vec<Product>,
    status: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    status_notes: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    justification: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    impact_statement: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    action_statement: String,
}

#[derive(Serialize)]
struct Vulnerability {
    name: String,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    aliases: BTreeSet<String>,
}

#[derive(Serialize)]
struct Product {
    #[serde(flatten)]
    component: Component,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    subcomponents: Vec<Component>,
}

#[derive(Clone, Serialize)]
struct Component {
    #[serde(rename = "@id")]
    id: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    identifiers: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    hashes: BTreeMap<&'static str, String>,
}

/// What is said; everything said alike of one flaw is one statement.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Verdict {
    status: VexStatus,
    notes: String,
    justification: String,
    impact: String,
    action: String,
}

impl Verdict {
    fn of_finding(finding: &Finding) -> Self {
        let mut verdict = Self::new(VexStatus::UnderInvestigation);
        // A VEX statement that confirmed the finding left a note.
        if finding.evidence.notes.iter().any(|note| note.starts_with("vex: affected")) {
            verdict.status = VexStatus::Affected;
            verdict.action = match (&finding.fixed_version, finding.fix.as_str()) {
                (_, fix) if !fix.is_empty() => fix.to_owned(),
                (Some(version), _) => format!("Update to {version} or later."),
                (None, _) => "No fixed version is known.".to_owned(),
            };
        }
        verdict
    }

    fn of_suppressed(suppressed: &Suppressed) -> Self {
        match suppressed.by.as_str() {
            "vex" => {
                let mut parts = suppressed.reason.splitn(3, ": ");
                let status =
                    parts.next().and_then(|word| word.split(' ').next()).and_then(|word| word.parse().ok());
                let mut verdict = Self::new(status.unwrap_or(VexStatus::NotAffected));
                let rest: Vec<&str> = parts.collect();
                let label = rest.first().and_then(|word| word.split(' ').next()).unwrap_or_default();
                if JUSTIFICATIONS.contains(&label) {
                    verdict.justification = label.to_owned();
                    verdict.impact = rest.get(1).copied().unwrap_or_default().to_owned();
                } else {
                    verdict.impact = rest.join(": ");
                }
                verdict.notes = format!("stated in {}", suppressed.source);
                if verdict.status != VexStatus::NotAffected {
                    verdict.justification.clear();
                    verdict.impact.clear();
                } else if verdict.justification.is_empty() && verdict.impact.is_empty() {
                    // The format asks for one of the two.
                    verdict.impact = suppressed.reason.clone();
                }
                verdict
            }
            "evidence" => Self {
                justification: "vulnerable_code_not_present".to_owned(),
                impact: suppressed.reason.clone(),
                ..Self::new(VexStatus::NotAffected)
            },
            by => Self {
                notes: format!("ignored ({by}, {}): {}", suppressed.source, suppressed.reason),
                ..Self::new(VexStatus::UnderInvestigation)
            },
        }
    }

    fn new(status: VexStatus) -> Self {
        Self {
            status,
            notes: String::new(),
            justification: String::new(),
            impact: String::new(),
            action: String::new(),
        }
    }
}

/// Aliases of the flaw, and by product the packages meant.
#[derive(Default)]
struct Said<'a> {
    aliases: BTreeSet<String>,
    products: BTreeMap<&'a str, BTreeSet<String>>,
}

fn statements(report: &Report) -> Vec<Statement> {
    let standing = report.findings.iter().map(|finding| (finding, Verdict::of_finding(finding)));
    let excused =
        report.suppressed.iter().map(|suppressed| (&suppressed.finding, Verdict::of_suppressed(suppressed)));
    let mut said: BTreeMap<(String, Verdict), Said<'_>> = BTreeMap::new();
    for (finding, verdict) in standing.chain(excused) {
        if finding.kind != FindingKind::Vulnerability {
            continue;
        }
        let Some(purl) = finding.package.as_ref().and_then(|package| package.purl.as_ref()) else { continue };
        let entry = said.entry((finding.rule.clone(), verdict)).or_default();
        let flaw = finding.vulnerability.iter().flat_map(|flaw| flaw.aliases.iter().chain([&flaw.id]));
        entry
            .aliases
            .extend(finding.aliases.iter().chain(flaw).filter(|name| **name != finding.rule).cloned());
        entry.products.entry(&finding.target).or_default().insert(purl.to_string());
    }
    said.into_iter()
        .map(|((name, verdict), said)| Statement {
            vulnerability: Vulnerability { name, aliases: said.aliases },
            products: said
                .products
                .into_iter()
                .flat_map(|(target, purls)| products(report, target, purls))
                .collect(),
            status: verdict.status.name(),
            status_notes: verdict.notes,
            justification: verdict.justification,
            impact_statement: verdict.impact,
            action_statement: verdict.action,
        })
        .collect()
}

/// The image with the packages as its subcomponents; the packages themselves where there is no image.
fn products(report: &Report, target: &str, purls: BTreeSet<String>) -> Vec<Product> {
    let packages = purls.into_iter().map(|purl| Component {
        identifiers: BTreeMap::from([("purl", purl.clone())]),
        id: purl,
        hashes: BTreeMap::new(),
    });
    let found = report.targets.iter().find(|candidate| candidate.name == target);
    match found.and_then(|target| image_component(target, target.image.as_ref()?)) {
        Some(component) => vec![Product { component, subcomponents: packages.collect() }],
        None => packages.map(|component| Product { component, subcomponents: Vec::new() }).collect(),
    }
}

/// The image by `pkg:oci`, with its digests.
fn image_component(target: &Target, image: &Image) -> Option<Component> {
    let digest = image.manifest_digest.as_ref().or(image.config_digest.as_ref());
    let reference = image.tags.first().map_or(target.name.as_str(), String::as_str);
    let reference = reference.split('@').next().unwrap_or_default();
    let (repository, tag) = match reference.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository, tag),
        _ => (reference, ""),
    };
    let is_reference = !image.tags.is_empty();
    let name = repository.rsplit('/').next().unwrap_or_default().to_lowercase();
    let mut text =
        if is_reference && !name.is_empty() { format!("pkg:oci/{name}") } else { "pkg:oci/image".to_owned() };
    if let Some(digest) = &image.manifest_digest {
        text.push_str(&format!("@{digest}"));
    }
    if is_reference {
        text.push_str(&format!("?repository_url={repository}"));
        if !tag.is_empty() {
            text.push_str(&format!("&tag={tag}"));
        }
    }
    let purl: Purl = text.parse().ok()?;
    let hashes = digest.map(|digest| ("sha-256", digest.hex().to_owned()));
    Some(Component {
        identifiers: BTreeMap::from([("purl", purl.to_string())]),
        id: purl.to_string(),
        hashes: hashes.into_iter().collect(),
    })
}
