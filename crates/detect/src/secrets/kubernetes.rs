//! Secrets in manifests of Kubernetes: their values are base64, and secret by declaration.

use yagura_formats::document::{Node, json, yaml};
use yagura_model::finding::Confidence;

use super::allow;
use super::check;

/// Most values of one file.
const MAX_VALUES: usize = 1_000;
/// Longest manifest that is parsed, in bytes.
const MAX_MANIFEST: usize = 4 << 20;

/// One value of a Secret.
pub(super) struct SecretValue {
    pub(super) name: String,
    pub(super) value: Vec<u8>,
    /// From 1.
    pub(super) line: u32,
    pub(super) confidence: Confidence,
}

/// Whether a text may be a manifest with a Secret in it.
pub(super) fn may_have_secrets(name: &str, text: &[u8]) -> bool {
    let named = [".yaml", ".yml", ".json"].iter().any(|end| name.ends_with(end));
    let has = |word: &[u8]| memchr::memmem::find(text, word).is_some();
    named
        && text.len() <= MAX_MANIFEST
        && has(b"kind")
        && has(b"Secret")
        && (has(b"data:") || has(b"Data:") || has(b"ata\""))
}

/// The values of all Secrets of a manifest, decoded.
pub(super) fn values(name: &str, text: &[u8]) -> Vec<SecretValue> {
    let text = String::from_utf8_lossy(text);
    let tree =
        if name.ends_with(".json") { json::parse(&text, json::Dialect::Json) } else { yaml::parse(&text) };
    let mut values = Vec::new();
    for document in &tree.documents {
        object(document, &mut values);
        for item in document.get("items").map_or(&[][..], Node::items) {
            object(item, &mut values);
        }
    }
    values
}

fn object(node: &Node<'_>, values: &mut Vec<SecretValue>) {
    if node.text_of("kind") != Some("Secret") {
        return;
    }
    for (key, encoded) in [("data", true), ("stringData", false)] {
        for entry in node.get(key).map_or(&[][..], Node::entries) {
            let (Some(name), Some(text)) = (entry.key.scalar(), entry.value.scalar()) else { continue };
            let compact: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
            let value = if encoded { check::base64(&compact) } else { Some(text.as_bytes().to_vec()) };
            let Some(value) = value.filter(|value| value.len() >= 4 && values.len() < MAX_VALUES) else {
                continue;
            };
            if allow::is_placeholder(text.as_bytes()) || allow::is_placeholder(value.trim_ascii()) {
                continue;
            }
            let confidence =
                if allow::is_harmless_name(name.as_bytes()) { Confidence::Low } else { Confidence::Medium };
            values.push(SecretValue {
                name: name.to_owned(),
                value,
                line: entry.value.span.line,
                confidence,
            });
        }
    }
}
