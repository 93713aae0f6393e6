//! SPDX 3.0 JSON-LD: <https://spdx.github.io/spdx-spec/v3.0.1/>. Read as the flat `@graph` every writer produces;
//! names are taken as the published context abbreviates them.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use super::builder::Builder;
use super::lenient::{Lenient, List, Text};
use super::spdx::{Checksum, Described, Element, ExternalRef, Relationship, Texts};
use super::{MALFORMED, NotAnSbom, Sbom, parse};

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "@graph", default)]
    graph: List<Lenient<Node>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    #[serde(rename = "type", alias = "@type", default)]
    kind: Text,
    #[serde(rename = "spdxId", alias = "@id", default)]
    id: Text,
    #[serde(default)]
    name: Text,
    #[serde(rename = "software_packageVersion", default)]
    version: Text,
    #[serde(rename = "software_packageUrl", default)]
    purl: Text,
    #[serde(rename = "software_primaryPurpose", default)]
    purpose: Text,
    #[serde(default)]
    external_identifier: List<Value>,
    #[serde(default)]
    verified_using: List<Value>,
    #[serde(default)]
    from: Text,
    #[serde(default)]
    to: Value,
    #[serde(default)]
    relationship_type: Text,
    #[serde(default)]
    root_element: Value,
    #[serde(rename = "simplelicensing_licenseExpression", default)]
    expression: Text,
}

pub(super) fn read(bytes: &[u8]) -> Result<Sbom, NotAnSbom> {
    let document: Document = parse(bytes)?;
    let mut builder = Builder::default();
    let mut packages = Vec::new();
    let mut relationships = Vec::new();
    let mut expressions: HashMap<String, String> = HashMap::new();
    let mut licences: HashMap<String, String> = HashMap::new();
    let mut subject = String::new();
    for node in document.graph.0 {
        let node = match node {
            Lenient::Read(node) => node,
            Lenient::Broken(error) => {
                builder.problem("@graph", MALFORMED, error);
                continue;
            }
        };
        match &*node.kind {
            "software_Package" => packages.push(node),
            "Relationship" | "LifecycleScopedRelationship" => relationships.push(node),
            "SpdxDocument" => {
                subject = node.name.0.clone();
                relationships
                    .push(Node { relationship_type: Text("describes".to_owned()), ..described(node) });
            }
            "simplelicensing_LicenseExpression" => {
                expressions.insert(node.id.0, node.expression.0);
            }
            _ => {}
        }
    }
    let mut related = Vec::new();
    for node in relationships {
        let kind = match &*node.relationship_type {
            "dependsOn" => "DEPENDS_ON",
            "contains" => "CONTAINS",
            "describes" => "DESCRIBES",
            "hasDeclaredLicense" => {
                if let Some(expression) = ends(&node.to).find_map(|to| expressions.get(to)) {
                    licences.insert(node.from.0, expression.clone());
                }
                continue;
            }
            _ => continue,
        };
        related.extend(ends(&node.to).map(|to| Relationship {
            spdx_element_id: node.from.clone(),
            relationship_type: Text(kind.to_owned()),
            related_spdx_element: Text(to.to_owned()),
            ..Relationship::default()
        }));
    }
    let mut described = Described::of(&related);
    for node in packages {
        let licence = licences.remove(&*node.id).unwrap_or_default();
        described.element(&element(node, licence), &Texts::new(), &mut builder);
    }
    described.relate(&related, &mut builder);
    Ok(builder.finish("SPDX 3.0".to_owned(), subject))
}

/// A document's roots as the ends of a relationship from it.
fn described(node: Node) -> Node {
    Node { from: node.id.clone(), to: node.root_element.clone(), ..node }
}

/// One end or a list of ends.
fn ends(value: &Value) -> impl Iterator<Item = &str> {
    let one = value.as_str().into_iter();
    one.chain(value.as_array().into_iter().flatten().filter_map(Value::as_str))
}

fn element(node: Node, licence: String) -> Element {
    let text = |value: &Value, key: &str| {
        Text(value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned())
    };
    let mut purls: Vec<ExternalRef> = node
        .external_identifier
        .0
        .iter()
        .filter(|identifier| {
            identifier.get("externalIdentifierType").is_some_and(|kind| kind == "packageUrl")
        })
        .map(|identifier| ExternalRef {
            reference_type: Text("purl".to_owned()),
            reference_locator: text(identifier, "identifier"),
        })
        .collect();
    if !node.purl.is_empty() {
        purls
            .insert(0, ExternalRef { reference_type: Text("purl".to_owned()), reference_locator: node.purl });
    }
    // `operatingSystem` here, `OPERATING-SYSTEM` in the second version.
    let purpose = match &*node.purpose {
        "operatingSystem" => "OPERATING-SYSTEM".to_owned(),
        purpose => purpose.to_ascii_uppercase(),
    };
    Element {
        id: node.id,
        name: node.name,
        version_info: node.version,
        license_declared: Text(licence),
        primary_package_purpose: Text(purpose),
        checksums: List(
            node.verified_using
                .0
                .iter()
                .map(|hash| Checksum {
                    algorithm: text(hash, "algorithm"),
                    checksum_value: text(hash, "hashValue"),
                })
                .collect(),
        ),
        external_refs: List(purls),
        ..Element::default()
    }
}
