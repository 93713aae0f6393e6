//! SPDX JSON, 2.2 and 2.3: <https://spdx.github.io/spdx-spec/v2.3/>. What the JSON and the tag-value notation share
//! is [`Element`] and what becomes of it.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use yagura_model::inventory::RelationKind;
use yagura_model::package::SourcePackage;
use yagura_model::report::TargetKind;
use yagura_model::sbom::{self as name, PREFIX};
use yagura_model::{Ecosystem, Location, OperatingSystem, Package, SkipReason};

use super::builder::Builder;
use super::lenient::{Lenient, List, Text};
use super::property::{self, Pairs};
use super::purl::{ForeignPurl, package_of};
use super::{MALFORMED, NotAnSbom, Sbom, parse};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    #[serde(default)]
    name: Text,
    #[serde(default)]
    packages: List<Lenient<Element>>,
    #[serde(default)]
    relationships: List<Lenient<Relationship>>,
    #[serde(default)]
    has_extracted_licensing_infos: List<Lenient<ExtractedText>>,
}

/// A package element.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Element {
    #[serde(rename = "SPDXID", default)]
    pub id: Text,
    #[serde(default)]
    pub name: Text,
    #[serde(default)]
    pub version_info: Text,
    #[serde(default)]
    pub supplier: Text,
    #[serde(default)]
    pub originator: Text,
    #[serde(default)]
    pub license_declared: Text,
    #[serde(default)]
    pub license_concluded: Text,
    #[serde(default)]
    pub source_info: Text,
    #[serde(default)]
    pub primary_package_purpose: Text,
    #[serde(default)]
    pub checksums: List<Checksum>,
    #[serde(default)]
    pub external_refs: List<ExternalRef>,
    #[serde(default)]
    pub annotations: List<Annotation>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Checksum {
    #[serde(default)]
    pub algorithm: Text,
    #[serde(default)]
    pub checksum_value: Text,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExternalRef {
    #[serde(default)]
    pub reference_type: Text,
    #[serde(default)]
    pub reference_locator: Text,
}

#[derive(Default, Deserialize)]
pub(super) struct Annotation {
    #[serde(default)]
    pub comment: Text,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Relationship {
    #[serde(default)]
    pub spdx_element_id: Text,
    #[serde(default)]
    pub relationship_type: Text,
    #[serde(default)]
    pub related_spdx_element: Text,
    #[serde(default)]
    pub comment: Text,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExtractedText {
    #[serde(default)]
    pub license_id: Text,
    #[serde(default)]
    pub name: Text,
    #[serde(default)]
    pub extracted_text: Text,
}

/// The texts behind `LicenseRef-` names.
pub(super) type Texts = BTreeMap<String, String>;

pub(super) fn read(bytes: &[u8], version: &str) -> Result<Sbom, NotAnSbom> {
    let version = version.trim_start_matches("SPDX-");
    if !version.starts_with("2.") {
        return Err(NotAnSbom::Unsupported(format!("SPDX {}", version.chars().take(20).collect::<String>())));
    }
    let document: Document = parse(bytes)?;
    let mut builder = Builder::default();
    let mut texts = Texts::new();
    for text in document.has_extracted_licensing_infos.0 {
        match text {
            Lenient::Read(text) => add_text(&mut texts, text),
            Lenient::Broken(error) => builder.problem("hasExtractedLicensingInfos", MALFORMED, error),
        }
    }
    let mut relationships = Vec::new();
    for relationship in document.relationships.0 {
        match relationship {
            Lenient::Read(relationship) => relationships.push(relationship),
            Lenient::Broken(error) => builder.problem("relationships", MALFORMED, error),
        }
    }
    let mut described = Described::of(&relationships);
    for element in document.packages.0 {
        match element {
            Lenient::Read(element) => described.element(&element, &texts, &mut builder),
            Lenient::Broken(error) => builder.problem("packages", MALFORMED, error),
        }
    }
    described.relate(&relationships, &mut builder);
    Ok(builder.finish(format!("SPDX {version}"), document.name.0))
}

/// Keeps a text under its reference; its name where that says more than nothing.
pub(super) fn add_text(texts: &mut Texts, text: ExtractedText) {
    let shown = match &*text.name {
        "" | "NOASSERTION" => text.extracted_text.0,
        _ => text.name.0,
    };
    texts.insert(text.license_id.0, shown);
}

/// What the relationships say of elements before the elements are read.
pub(super) struct Described {
    subjects: Vec<String>,
    /// Elements that stand for a lockfile (Trivy), with its path.
    evidence: HashMap<String, String>,
}

impl Described {
    pub fn of(relationships: &[Relationship]) -> Self {
        let subjects = relationships
            .iter()
            .filter_map(|relationship| match &*relationship.relationship_type {
                "DESCRIBES" => Some(relationship.related_spdx_element.0.clone()),
                "DESCRIBED_BY" => Some(relationship.spdx_element_id.0.clone()),
                _ => None,
            })
            .collect();
        Self { subjects, evidence: HashMap::new() }
    }

    pub fn element(&mut self, element: &Element, texts: &Texts, builder: &mut Builder) {
        let own = ours(element, builder);
        if property::value(&own, name::TARGET_KIND).is_some() {
            property::target(&own, builder);
            return;
        }
        let purpose = element.primary_package_purpose.replace('_', "-").to_ascii_uppercase();
        if purpose == "OPERATING-SYSTEM" || property::value(&own, name::SYSTEM).is_some() {
            if builder.system.is_none() {
                builder.system = property::system(&own, builder).or_else(|| {
                    Some(OperatingSystem {
                        id: element.name.0.clone(),
                        version: element.version_info.0.clone(),
                        ..OperatingSystem::default()
                    })
                });
            }
            return;
        }
        if purpose == "FILE"
            && let Some(file) = property::file(&element.name, &own)
        {
            let checksum = element.checksums.0.first();
            let digest = checksum.and_then(|sum| builder.digest(&sum.algorithm, &sum.checksum_value));
            builder.file(file, digest);
            return;
        }
        if purpose == "CONTAINER" && self.subjects.iter().any(|subject| *subject == *element.id) {
            builder.kind = Some(TargetKind::Image);
        }
        if let Some(package) = self.package(element, &own, &purpose, texts, builder) {
            builder.package(&element.id, package);
            if let Some(owner) = property::value(&own, name::OWNED_BY) {
                builder.relate(owner, &element.id, RelationKind::Owns);
            }
        }
    }

    fn package(
        &mut self,
        element: &Element,
        own: &Pairs,
        purpose: &str,
        texts: &Texts,
        builder: &mut Builder,
    ) -> Option<Package> {
        let purl = element
            .external_refs
            .0
            .iter()
            .find(|reference| &*reference.reference_type == "purl")
            .map(|reference| &*reference.reference_locator);
        let mut package = match purl {
            Some(text) => {
                let Some(purl) = ForeignPurl::parse(text) else {
                    let detail = "a package URL that cannot be read".to_owned();
                    builder.problem(&element.name, MALFORMED, detail);
                    return None;
                };
                let Some(package) = package_of(&purl, std::slice::from_ref(&element.name.0)) else {
                    if !matches!(purl.kind.as_str(), "oci" | "docker") {
                        let detail = format!("packages of type {}", purl.kind);
                        builder.problem(&element.name, SkipReason::Unsupported, detail);
                    }
                    return None;
                };
                package
            }
            None => self.without_purl(element, own, purpose, builder)?,
        };
        if package.version.is_empty() {
            package.version = element.version_info.0.clone();
        }
        package.supplier = [&element.supplier, &element.originator]
            .into_iter()
            .map(|text| actor(text))
            .find(|text| !text.is_empty())
            .unwrap_or_default()
            .to_owned();
        package.digests = element
            .checksums
            .0
            .iter()
            .filter_map(|sum| builder.digest(&sum.algorithm, &sum.checksum_value))
            .collect();
        let declared = [&element.license_declared, &element.license_concluded];
        package.licenses =
            declared.into_iter().find_map(|expression| license(expression, texts)).into_iter().collect();
        package.found_by = "spdx".to_owned();
        self.source_info(&element.source_info, &mut package);
        property::restore(&mut package, own, builder);
        Some(package)
    }

    fn without_purl(
        &mut self,
        element: &Element,
        own: &Pairs,
        purpose: &str,
        builder: &mut Builder,
    ) -> Option<Package> {
        if let Some(ecosystem) = property::ecosystem(own) {
            return Some(Package::new(ecosystem, &*element.name, &*element.version_info));
        }
        let is_lockfile = element.annotations.0.iter().any(|note| note.comment.starts_with("Class: "));
        if is_lockfile {
            self.evidence.insert(element.id.0.clone(), element.name.0.clone());
            return None;
        }
        let is_subject = self.subjects.iter().any(|subject| *subject == *element.id);
        let is_software =
            matches!(purpose, "" | "LIBRARY" | "FRAMEWORK" | "APPLICATION" | "FIRMWARE" | "INSTALL");
        if is_subject || !is_software || element.version_info.is_empty() || element.name.is_empty() {
            return None;
        }
        let detail = "no package URL: known by name only, and matched with nothing".to_owned();
        builder.problem(&element.name, SkipReason::Unsupported, detail);
        Some(Package::new(Ecosystem::Generic, &*element.name, &*element.version_info))
    }

    /// Syft and Trivy say in words where a package was found and what it was built from.
    fn source_info(&self, text: &str, package: &mut Package) {
        if let Some(source) = text.strip_prefix("built package from: ") {
            let (name, version) = source.split_once(' ').unwrap_or((source, ""));
            let version = version.strip_prefix("0:").unwrap_or(version);
            package.source = Some(SourcePackage { name: name.to_owned(), version: version.to_owned() });
        } else if let Some(rest) = text.strip_prefix("acquired package info from ") {
            let paths = rest.split_once(": ").map_or("", |(_, paths)| paths);
            package.locations = paths
                .split(", ")
                .filter(|path| path.starts_with('/'))
                .map(|path| Location::file(path.trim_start_matches('/')))
                .collect();
        }
    }

    pub fn relate(&self, relationships: &[Relationship], builder: &mut Builder) {
        for relationship in relationships {
            let (from, to) = (&*relationship.spdx_element_id, &*relationship.related_spdx_element);
            if let Some(path) = self.evidence.get(from) {
                if let Some(package) = builder.package_mut(to)
                    && package.locations.is_empty()
                {
                    package.locations.push(Location::file(path.trim_start_matches('/')));
                }
                continue;
            }
            let kind = relationship.relationship_type.to_ascii_uppercase();
            let overlap = relationship.comment.starts_with("ownership-by-file-overlap");
            let (from, to, kind) = match kind.as_str() {
                "DEPENDS_ON" => (from, to, RelationKind::DependsOn),
                // `A DEPENDENCY_OF B`, in words: B needs A.
                kind if kind.ends_with("DEPENDENCY_OF") => (to, from, RelationKind::DependsOn),
                "OTHER" if overlap => (from, to, RelationKind::Owns),
                "CONTAINS" => (from, to, RelationKind::Owns),
                _ => continue,
            };
            if builder.is_package(from) && builder.is_package(to) {
                builder.relate(from, to, kind);
            }
        }
    }
}

/// Our own properties: one annotation, `yagura:` and a JSON list of pairs.
fn ours(element: &Element, builder: &mut Builder) -> Pairs {
    let json = element.annotations.0.iter().find_map(|annotation| annotation.comment.strip_prefix(PREFIX));
    json.and_then(|json| builder.json("annotation", json)).unwrap_or_default()
}

/// `Organization: NAME` or `Person: NAME`, without the word.
fn actor(text: &str) -> &str {
    let name = text.strip_prefix("Organization: ").or_else(|| text.strip_prefix("Person: ")).unwrap_or(text);
    if name == "NOASSERTION" { "" } else { name }
}

/// A licence expression with its references resolved where it is nothing but one; `None` when nothing is asserted.
fn license(expression: &str, texts: &Texts) -> Option<String> {
    match expression {
        "" | "NOASSERTION" | "NONE" => None,
        _ => Some(texts.get(expression).cloned().unwrap_or_else(|| expression.to_owned())),
    }
}
