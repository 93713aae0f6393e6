//! SPDX tag-value, 2.2 and 2.3: lines of `Tag: value`, `<text>…</text>` over several lines. Read into the same
//! elements as the JSON.

use super::Sbom;
use super::builder::Builder;
use super::lenient::Text;
use super::spdx::{
    Annotation, Checksum, Described, Element, ExternalRef, ExtractedText, Relationship, Texts, add_text,
};

pub(super) fn read(bytes: &[u8]) -> Sbom {
    let text = String::from_utf8_lossy(bytes);
    let mut builder = Builder::default();
    let mut version = String::new();
    let mut name = String::new();
    let mut elements: Vec<Element> = Vec::new();
    let mut extracted: Vec<ExtractedText> = Vec::new();
    let mut relationships: Vec<Relationship> = Vec::new();
    // Whether the tags belong to a package; files, snippets and reviews have tags of the same names.
    let mut in_package = false;

    for (tag, value) in Tags::of(&text) {
        let own = |value: &str| Text(value.to_owned());
        match tag {
            "SPDXVersion" => version = value.trim_start_matches("SPDX-").to_owned(),
            "DocumentName" => name = value.to_owned(),
            "PackageName" => {
                in_package = true;
                elements.push(Element { name: own(value), ..Element::default() });
            }
            "FileName" | "SnippetSPDXID" => in_package = false,
            "LicenseID" => {
                in_package = false;
                extracted.push(ExtractedText { license_id: own(value), ..ExtractedText::default() });
            }
            "LicenseName" => {
                if let Some(text) = extracted.last_mut() {
                    text.name = own(value);
                }
            }
            "ExtractedText" => {
                if let Some(text) = extracted.last_mut() {
                    text.extracted_text = own(value);
                }
            }
            "Relationship" => {
                let mut words = value.split_whitespace();
                let (from, kind, to) = (words.next(), words.next(), words.next());
                relationships.push(Relationship {
                    spdx_element_id: own(from.unwrap_or_default()),
                    relationship_type: own(kind.unwrap_or_default()),
                    related_spdx_element: own(to.unwrap_or_default()),
                    ..Relationship::default()
                });
            }
            "RelationshipComment" => {
                if let Some(relationship) = relationships.last_mut() {
                    relationship.comment = own(value);
                }
            }
            _ if in_package => {
                if let Some(element) = elements.last_mut() {
                    set(element, tag, value);
                }
            }
            _ => {}
        }
    }

    let mut texts = Texts::new();
    extracted.into_iter().for_each(|text| add_text(&mut texts, text));
    let mut described = Described::of(&relationships);
    for element in &elements {
        described.element(element, &texts, &mut builder);
    }
    described.relate(&relationships, &mut builder);
    builder.finish(format!("SPDX {version} tag-value"), name)
}

fn set(element: &mut Element, tag: &str, value: &str) {
    let text = Text(value.to_owned());
    match tag {
        "SPDXID" => element.id = text,
        "PackageVersion" => element.version_info = text,
        "PackageSupplier" => element.supplier = text,
        "PackageOriginator" => element.originator = text,
        "PackageLicenseDeclared" => element.license_declared = text,
        "PackageLicenseConcluded" => element.license_concluded = text,
        "PackageSourceInfo" => element.source_info = text,
        "PrimaryPackagePurpose" => element.primary_package_purpose = text,
        "PackageChecksum" => {
            if let Some((algorithm, hex)) = value.split_once(':') {
                element.checksums.0.push(Checksum {
                    algorithm: Text(algorithm.trim().to_owned()),
                    checksum_value: Text(hex.trim().to_owned()),
                });
            }
        }
        "ExternalRef" => {
            let mut words = value.split_whitespace();
            if let (Some(_), Some(kind), Some(locator)) = (words.next(), words.next(), words.next()) {
                element.external_refs.0.push(ExternalRef {
                    reference_type: Text(kind.to_owned()),
                    reference_locator: Text(locator.to_owned()),
                });
            }
        }
        "AnnotationComment" => element.annotations.0.push(Annotation { comment: text }),
        _ => {}
    }
}

/// The tags of a document and their values.
struct Tags<'a> {
    rest: &'a str,
}

impl<'a> Tags<'a> {
    fn of(text: &'a str) -> Self {
        Self { rest: text }
    }
}

impl<'a> Iterator for Tags<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        const OPEN: &str = "<text>";
        const CLOSE: &str = "</text>";
        loop {
            if self.rest.is_empty() {
                return None;
            }
            let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
            let Some((tag, value)) = line.split_once(':').filter(|_| !line.starts_with('#')) else {
                self.rest = rest;
                continue;
            };
            let tag = tag.trim();
            if let Some(start) = value.trim_start().strip_prefix(OPEN) {
                // From here to the closing mark, over lines; to the end of the document when there is none.
                let from =
                    self.rest.len() - rest.len() - usize::from(line.len() < self.rest.len()) - start.len();
                let text = self.rest.get(from..).unwrap_or_default();
                let (text, after) = text.split_once(CLOSE).unwrap_or((text, ""));
                self.rest = after;
                return Some((tag, text));
            }
            self.rest = rest;
            return Some((tag, value.trim()));
        }
    }
}
