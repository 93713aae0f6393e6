//! OpenVEX 0.2.0 (OPENVEX-SPEC.md), and the plain strings of the versions before it.

use serde_json::Value;
use yagura_model::SkipReason;
use yagura_model::vex::{VexComponent, VexProduct, VexSource, VexStatement};

use super::{Reader, identify, identify_hash, list, shorten, strings, text, utc};

pub(super) fn read(document: &Value, reader: &mut Reader<'_>) {
    let author = text(document, "author");
    let document_time = newest(document);
    let document_id = text(document, "@id");
    for (index, statement) in list(document, "statements").iter().enumerate() {
        let Ok(status) = text(statement, "status").parse() else {
            reader.skip(
                SkipReason::Malformed,
                format!("statement {}: no known status", index.saturating_add(1)),
            );
            continue;
        };
        let (vulnerability, aliases) = vulnerability(statement);
        if vulnerability.is_empty() {
            reader.skip(
                SkipReason::Malformed,
                format!("statement {}: no vulnerability", index.saturating_add(1)),
            );
            continue;
        }
        // Before 0.2 the subcomponents stood beside the products.
        let shared: Vec<VexComponent> = list(statement, "subcomponents").iter().map(component).collect();
        let products: Vec<VexProduct> =
            list(statement, "products").iter().map(|value| product(value, &shared)).collect();
        if products.is_empty() {
            reader.skip(
                SkipReason::Malformed,
                format!("statement {} on {vulnerability}: no product", index.saturating_add(1)),
            );
            continue;
        }
        let time = newest(statement);
        let id = text(statement, "@id");
        let pushed = reader.push(VexStatement {
            vulnerability,
            aliases,
            status,
            products,
            justification: text(statement, "justification"),
            impact: text(statement, "impact_statement"),
            action: text(statement, "action_statement"),
            timestamp: if time.is_empty() { document_time.clone() } else { time },
            author: author.clone(),
            source: VexSource {
                file: reader.file.to_owned(),
                index,
                id: if id.is_empty() { document_id.clone() } else { id },
            },
        });
        if !pushed {
            return;
        }
    }
}

/// `last_updated` where there is one, else `timestamp`.
fn newest(value: &Value) -> String {
    let updated = utc(&text(value, "last_updated"));
    if updated.is_empty() { utc(&text(value, "timestamp")) } else { updated }
}

fn vulnerability(statement: &Value) -> (String, Vec<String>) {
    match statement.get("vulnerability") {
        Some(Value::String(name)) => (shorten(name), Vec::new()),
        Some(object) => {
            let (name, id) = (text(object, "name"), text(object, "@id"));
            // An IRI of the flaw ends with its name.
            let last = id.rsplit('/').next().unwrap_or_default().to_owned();
            let mut aliases = strings(object, "aliases");
            if name.is_empty() {
                return (last, aliases);
            }
            if !last.is_empty() && last != name {
                aliases.push(last);
            }
            (name, aliases)
        }
        None => (String::new(), Vec::new()),
    }
}

fn product(value: &Value, shared: &[VexComponent]) -> VexProduct {
    let own = list(value, "subcomponents").iter().map(component);
    VexProduct { component: component(value), subcomponents: own.chain(shared.iter().cloned()).collect() }
}

fn component(value: &Value) -> VexComponent {
    let mut component = VexComponent::default();
    if let Some(id) = value.as_str() {
        identify(&mut component, id);
        return component;
    }
    identify(&mut component, &text(value, "@id"));
    let members = |key: &str| value.get(key).and_then(Value::as_object).into_iter().flatten();
    for (_, identifier) in members("identifiers") {
        identify(&mut component, identifier.as_str().unwrap_or_default());
    }
    for (algorithm, hash) in members("hashes") {
        identify_hash(&mut component, algorithm, hash.as_str().unwrap_or_default());
    }
    component
}
