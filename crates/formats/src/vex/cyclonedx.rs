//! CycloneDX VEX: the `vulnerabilities` of a BOM that carry an `analysis` (CycloneDX 1.4 and later, JSON).
//!
//! What is affected is named by `bom-ref`, by BOM-Link, or by a package URL in its place.

use std::collections::HashMap;

use serde_json::Value;
use yagura_model::SkipReason;
use yagura_model::vex::{VexComponent, VexProduct, VexSource, VexStatement, VexStatus};

use super::{Reader, identify, identify_hash, list, strings, text, utc};

/// Components of one BOM whose references are resolved; more are cut and reported.
const MAX_COMPONENTS: usize = 2_000_000;

pub(super) fn read(bom: &Value, reader: &mut Reader<'_>) {
    let metadata = bom.get("metadata").unwrap_or(&Value::Null);
    let components = components(bom, metadata, reader);
    let subject = metadata.get("component").map(component).filter(is_image);
    let document_time = utc(&text(metadata, "timestamp"));
    let author = author(metadata);
    for (index, vulnerability) in list(bom, "vulnerabilities").iter().enumerate() {
        let Some(analysis) = vulnerability.get("analysis") else { continue };
        let name = text(vulnerability, "id");
        let Some(status) = status(&text(analysis, "state")) else {
            reader.skip(SkipReason::Malformed, format!("{name}: no known analysis state"));
            continue;
        };
        if name.is_empty() {
            reader.skip(SkipReason::Malformed, format!("vulnerability {}: no id", index.saturating_add(1)));
            continue;
        }
        let mut products = Vec::new();
        for affected in list(vulnerability, "affects") {
            let reference = text(affected, "ref");
            match resolve(&reference, &components) {
                Some(component) => products.extend(product(component, affected, subject.as_ref())),
                None => reader.skip(
                    SkipReason::Malformed,
                    format!("{name}: no component has the reference {reference}"),
                ),
            }
        }
        if products.is_empty() {
            reader.skip(SkipReason::Malformed, format!("{name}: affects nothing that is known"));
            continue;
        }
        let times = [
            utc(&text(analysis, "lastUpdated")),
            utc(&text(analysis, "firstIssued")),
            utc(&text(vulnerability, "updated")),
            document_time.clone(),
        ];
        let detail = text(analysis, "detail");
        let suppresses = status.suppresses();
        let pushed = reader.push(VexStatement {
            vulnerability: name,
            aliases: list(vulnerability, "references")
                .iter()
                .map(|reference| text(reference, "id"))
                .collect(),
            status,
            products,
            justification: justification(&text(analysis, "justification")),
            impact: if suppresses { detail.clone() } else { String::new() },
            action: match strings(analysis, "response") {
                _ if suppresses => String::new(),
                response if response.is_empty() => detail,
                response => response.join(", "),
            },
            timestamp: times.into_iter().find(|time| !time.is_empty()).unwrap_or_default(),
            author: author.clone(),
            source: VexSource { file: reader.file.to_owned(), index, id: text(bom, "serialNumber") },
        });
        if !pushed {
            return;
        }
    }
}

/// Analysis states (CycloneDX, `impactAnalysisState`). A false positive is not the component the flaw is in.
fn status(state: &str) -> Option<VexStatus> {
    match state {
        "not_affected" | "false_positive" => Some(VexStatus::NotAffected),
        "resolved" | "resolved_with_pedigree" => Some(VexStatus::Fixed),
        "exploitable" => Some(VexStatus::Affected),
        "in_triage" => Some(VexStatus::UnderInvestigation),
        _ => None,
    }
}

/// The label of OpenVEX that means the same; CycloneDX's own word where there is none.
fn justification(label: &str) -> String {
    match label {
        "code_not_present" => "vulnerable_code_not_present",
        "code_not_reachable" => "vulnerable_code_not_in_execute_path",
        "protected_by_mitigating_control"
        | "protected_at_runtime"
        | "protected_at_perimeter"
        | "protected_by_compiler" => "inline_mitigations_already_exist",
        other => other,
    }
    .to_owned()
}

fn author(metadata: &Value) -> String {
    let names = list(metadata, "authors").iter().map(|author| text(author, "name"));
    let supplier =
        ["manufacturer", "supplier", "manufacture"].into_iter().filter_map(|key| metadata.get(key));
    names
        .chain(supplier.map(|organisation| text(organisation, "name")))
        .find(|name| !name.is_empty())
        .unwrap_or_default()
}

/// Every component by its `bom-ref`, nested ones and the subject too.
fn components(bom: &Value, metadata: &Value, reader: &mut Reader<'_>) -> HashMap<String, VexComponent> {
    let mut found = HashMap::new();
    let mut open: Vec<&Value> = metadata.get("component").into_iter().collect();
    open.extend(list(bom, "components"));
    while let Some(value) = open.pop() {
        if found.len() >= MAX_COMPONENTS {
            reader.skip(SkipReason::TooMany, format!("more than {MAX_COMPONENTS} components"));
            break;
        }
        let reference = text(value, "bom-ref");
        if !reference.is_empty() {
            found.insert(reference, component(value));
        }
        open.extend(list(value, "components"));
    }
    found
}

fn component(value: &Value) -> VexComponent {
    let mut component = VexComponent::default();
    identify(&mut component, &text(value, "purl"));
    identify(&mut component, &text(value, "cpe"));
    for hash in list(value, "hashes") {
        identify_hash(&mut component, &text(hash, "alg"), &text(hash, "content"));
    }
    component.name = text(value, "name");
    component
}

/// A component of this BOM, of another one through BOM-Link, or a package URL.
fn resolve(reference: &str, components: &HashMap<String, VexComponent>) -> Option<VexComponent> {
    if let Some(known) = components.get(reference) {
        return Some(known.clone());
    }
    let last = match reference.strip_prefix("urn:cdx:") {
        Some(link) => link.split_once('#').map(|(_, fragment)| percent_decoded(fragment))?,
        None => reference.to_owned(),
    };
    if let Some(known) = components.get(&last) {
        return Some(known.clone());
    }
    let mut component = VexComponent::default();
    identify(&mut component, &last);
    (!component.purls.is_empty()).then_some(component)
}

/// The fragment of a BOM-Link, in which a package URL has its signs encoded; its own encoding survives.
fn percent_decoded(fragment: &str) -> String {
    if fragment.starts_with("pkg:") {
        fragment.to_owned()
    } else {
        fragment
            .replace("%3A", ":")
            .replace("%2F", "/")
            .replace("%40", "@")
            .replace("%3F", "?")
            .replace("%3D", "=")
            .replace("%26", "&")
            .replace("%25", "%")
    }
}

/// Only images are told apart by the BOM's subject: any other subject may itself be part of what is scanned.
fn is_image(component: &VexComponent) -> bool {
    component
        .purls
        .iter()
        .any(|purl| ["pkg:oci/", "pkg:docker/"].iter().any(|kind| purl.as_str().starts_with(kind)))
}

/// The component, within the image the BOM describes if it describes one; none if the statement excludes it.
fn product(component: VexComponent, affected: &Value, subject: Option<&VexComponent>) -> Option<VexProduct> {
    let versions = list(affected, "versions");
    // A version list narrows a component that has no version of its own. Ranges are not narrowed down to one.
    let narrowed: Vec<String> = versions
        .iter()
        .map(|version| text(version, "version"))
        .filter(|version| !version.is_empty())
        .collect();
    let mut component = component;
    if !narrowed.is_empty() {
        component.purls = component
            .purls
            .iter()
            .flat_map(|purl| match purl.parse().and_then(|parsed| parsed.version().map(str::to_owned)) {
                Some(_) => vec![purl.clone()],
                None => narrowed
                    .iter()
                    .filter(|_| !purl.as_str().contains(['?', '#']))
                    .filter_map(|version| format!("{purl}@{version}").parse().ok())
                    .collect(),
            })
            .collect();
    } else if versions.iter().any(|version| version.get("range").is_some())
        && component.purls.iter().all(|purl| purl.parse().is_some_and(|parsed| parsed.version().is_none()))
    {
        return None;
    }
    Some(match subject {
        Some(subject) if *subject != component => {
            VexProduct { component: subject.clone(), subcomponents: vec![component] }
        }
        _ => VexProduct { component, subcomponents: Vec::new() },
    })
}
