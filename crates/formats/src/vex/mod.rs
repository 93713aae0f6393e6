//! VEX documents: OpenVEX, CSAF 2.0 and CycloneDX to one kind of statement.
//!
//! A document is recognised by what it holds, not by its name. What cannot be read in it becomes a skipped entry and
//! the other statements stand. This part must not know findings: what a statement applies to is decided elsewhere.

mod csaf;
mod cyclonedx;
mod openvex;
#[cfg(test)]
mod tests;

use jiff::{Timestamp, Unit};
use serde_json::Value;
use yagura_model::digest::Algorithm;
use yagura_model::vex::{VexComponent, VexStatement};
use yagura_model::{Digest, Purl, SkipReason, Skipped};

/// Larger documents are not read. Red Hat's CSAF files reach some tens of megabytes.
pub const MAX_DOCUMENT_BYTES: usize = 128 << 20;
/// Statements of one document; more are cut and reported.
pub const MAX_STATEMENTS: usize = 1_000_000;
/// Products of one statement; more are cut and reported.
const MAX_PRODUCTS: usize = 200_000;
/// Bytes of a text that is kept (names, explanations); more is cut.
const MAX_TEXT_BYTES: usize = 16 << 10;

/// The statements of one document, and what could not be read of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VexDocument {
    pub statements: Vec<VexStatement>,
    pub skipped: Vec<Skipped>,
}

/// Reads a VEX document of any known format; `file` names it in statements and skipped entries.
pub fn read(file: &str, bytes: &[u8]) -> VexDocument {
    let mut document = VexDocument::default();
    if bytes.len() > MAX_DOCUMENT_BYTES {
        let detail = format!("{} bytes, at most {MAX_DOCUMENT_BYTES} are read", bytes.len());
        document.skipped.push(Skipped::new(file, SkipReason::TooLarge, detail));
        return document;
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match serde_json::from_slice::<Value>(bytes) {
        Ok(value) => read_value(file, &unwrap_attestation(value), &mut document),
        Err(error) => {
            document.skipped.push(Skipped::new(file, SkipReason::Malformed, format!("not JSON: {error}")));
        }
    }
    document
}

fn read_value(file: &str, value: &Value, document: &mut VexDocument) {
    let mut reader = Reader { file, document };
    let context = text(value, "@context");
    if context.contains("openvex") {
        openvex::read(value, &mut reader);
    } else if value.get("document").is_some_and(|inner| inner.get("csaf_version").is_some()) {
        csaf::read(value, &mut reader);
    } else if text(value, "bomFormat") == "CycloneDX" {
        cyclonedx::read(value, &mut reader);
    } else {
        reader.skip(SkipReason::Unsupported, "neither OpenVEX, CSAF 2.0 nor CycloneDX");
    }
}

/// The predicate of an in-toto statement, in which documents attached to images are wrapped.
fn unwrap_attestation(value: Value) -> Value {
    match value {
        Value::Object(mut object) if object.contains_key("predicateType") => {
            object.remove("predicate").unwrap_or(Value::Null)
        }
        value => value,
    }
}

/// Where a format's reader puts what it finds.
struct Reader<'a> {
    file: &'a str,
    document: &'a mut VexDocument,
}

impl Reader<'_> {
    fn skip(&mut self, reason: SkipReason, detail: impl Into<String>) {
        self.document.skipped.push(Skipped::new(self.file, reason, detail));
    }

    /// Adds a statement; `false` once there are too many.
    fn push(&mut self, mut statement: VexStatement) -> bool {
        if self.document.statements.len() >= MAX_STATEMENTS {
            self.skip(SkipReason::TooMany, format!("more than {MAX_STATEMENTS} statements"));
            return false;
        }
        if statement.products.len() > MAX_PRODUCTS {
            let detail = format!(
                "{} products of {}, {MAX_PRODUCTS} are kept",
                statement.products.len(),
                statement.vulnerability
            );
            self.skip(SkipReason::TooMany, detail);
            statement.products.truncate(MAX_PRODUCTS);
        }
        self.document.statements.push(statement);
        true
    }
}

/// A member that is a string, cut to what is kept; empty otherwise.
fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).map(shorten).unwrap_or_default()
}

fn shorten(text: &str) -> String {
    let mut end = text.len().min(MAX_TEXT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}

/// The members of an array; none if it is not one.
fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn strings(value: &Value, key: &str) -> Vec<String> {
    list(value, key).iter().filter_map(Value::as_str).map(shorten).collect()
}

/// An RFC 3339 time in UTC to the second; empty where it cannot be read.
fn utc(time: &str) -> String {
    let to_second = |time: Timestamp| time.round(Unit::Second).ok();
    time.parse::<Timestamp>().ok().and_then(to_second).map(|time| time.to_string()).unwrap_or_default()
}

/// Sorts one identifier into the kind it is.
fn identify(component: &mut VexComponent, identifier: &str) {
    if identifier.is_empty() {
        return;
    }
    if identifier.starts_with("cpe:") {
        component.cpes.push(shorten(identifier));
    } else if let Ok(digest) = identifier.parse::<Digest>() {
        component.digests.push(digest);
    } else {
        match identifier.starts_with("pkg:").then(|| identifier.parse::<Purl>()) {
            Some(Ok(purl)) if !component.purls.contains(&purl) => component.purls.push(purl),
            Some(Ok(_)) => {}
            _ if component.name.is_empty() => component.name = shorten(identifier),
            _ => {}
        }
    }
}

/// A hash under the name its format gives the algorithm (`SHA-256`, `sha-256`, `sha256`); weak ones are left out,
/// for they prove nothing.
fn identify_hash(component: &mut VexComponent, algorithm: &str, hex: &str) {
    let algorithm = match algorithm.to_ascii_lowercase().replace(['-', '_'], "").as_str() {
        "sha256" => Algorithm::Sha256,
        "sha384" => Algorithm::Sha384,
        "sha512" => Algorithm::Sha512,
        _ => return,
    };
    if let Ok(digest) = Digest::from_hex(algorithm, hex) {
        component.digests.push(digest);
    }
}
