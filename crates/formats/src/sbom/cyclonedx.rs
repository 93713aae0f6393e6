//! CycloneDX JSON, 1.2 to 1.7: <https://cyclonedx.org/specification/overview/>.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::Value;
use yagura_model::image::{Image, Layer};
use yagura_model::inventory::RelationKind;
use yagura_model::package::{Scope, SourcePackage};
use yagura_model::report::TargetKind;
use yagura_model::sbom::{self as name, PREFIX};
use yagura_model::{Ecosystem, Location, OperatingSystem, Package, SkipReason};

use super::builder::Builder;
use super::lenient::{Lenient, List, Text};
use super::property::{self, Pairs};
use super::purl::{ForeignPurl, package_of};
use super::{MALFORMED, NotAnSbom, Sbom, parse};

const TRIVY: &str = "aquasecurity:trivy:";
/// Licences and locations kept of one component.
const MAX_LICENSES: usize = 1000;
const MAX_LOCATIONS: usize = 1000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    #[serde(default)]
    metadata: Option<Lenient<Metadata>>,
    #[serde(default)]
    components: List<Lenient<Component>>,
    #[serde(default)]
    dependencies: List<Lenient<Dependency>>,
}

#[derive(Deserialize)]
struct Metadata {
    component: Option<Component>,
    #[serde(default)]
    properties: List<Property>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Component {
    #[serde(rename = "bom-ref", default)]
    reference: Text,
    #[serde(rename = "type", default)]
    kind: Text,
    #[serde(default)]
    group: Text,
    #[serde(default)]
    name: Text,
    #[serde(default)]
    version: Text,
    #[serde(default)]
    description: Text,
    #[serde(default)]
    purl: Text,
    #[serde(default)]
    cpe: Text,
    #[serde(default)]
    scope: Text,
    #[serde(default)]
    publisher: Text,
    #[serde(default)]
    author: Text,
    #[serde(default)]
    supplier: Value,
    #[serde(default)]
    hashes: List<Hash>,
    #[serde(default)]
    licenses: Value,
    #[serde(default)]
    evidence: Value,
    #[serde(default)]
    properties: List<Property>,
    #[serde(default)]
    components: List<Lenient<Component>>,
}

#[derive(Deserialize)]
struct Property {
    #[serde(default)]
    name: Text,
    #[serde(default)]
    value: Text,
}

#[derive(Deserialize)]
struct Hash {
    #[serde(default)]
    alg: Text,
    #[serde(default)]
    content: Text,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dependency {
    #[serde(rename = "ref", default)]
    reference: Text,
    #[serde(default)]
    depends_on: List<Text>,
}

pub(super) fn read(bytes: &[u8], version: &str) -> Result<Sbom, NotAnSbom> {
    let document: Document = parse(bytes)?;
    let mut reader = Reader { builder: Builder::default(), evidence_of: HashMap::new() };
    let mut subject = String::new();
    match document.metadata {
        Some(Lenient::Read(metadata)) => {
            let own = ours(&metadata.properties);
            property::target(&own, &mut reader.builder);
            if let Some(mut component) = metadata.component {
                subject = component.name.0.clone();
                let nested = std::mem::take(&mut component.components);
                reader.subject(component);
                reader.components(nested);
            }
        }
        Some(Lenient::Broken(error)) => reader.builder.problem("metadata", MALFORMED, error),
        None => {}
    }
    reader.components(document.components);
    for dependency in document.dependencies.0 {
        match dependency {
            Lenient::Read(dependency) => reader.dependency(&dependency),
            Lenient::Broken(error) => reader.builder.problem("dependencies", MALFORMED, error),
        }
    }
    Ok(reader.builder.finish(format!("CycloneDX {version}"), subject))
}

struct Reader {
    builder: Builder,
    /// Elements that stand for a file which proves the packages they need (Trivy's lockfiles), with its path.
    evidence_of: HashMap<String, String>,
}

/// Our own properties, without their prefix.
fn ours(properties: &List<Property>) -> Pairs {
    let own = |property: &Property| {
        Some((property.name.strip_prefix(PREFIX)?.to_owned(), property.value.0.clone()))
    };
    properties.0.iter().filter_map(own).collect()
}

impl Component {
    fn property(&self, wanted: &str) -> Option<&str> {
        self.properties.0.iter().find(|property| &*property.name == wanted).map(|property| &*property.value)
    }

    fn trivy(&self, wanted: &str) -> Option<&str> {
        self.properties
            .0
            .iter()
            .find(|property| property.name.strip_prefix(TRIVY) == Some(wanted))
            .map(|property| &*property.value)
    }
}

impl Reader {
    fn components(&mut self, components: List<Lenient<Component>>) {
        // serde_json's own limit on nesting (128) bounds this recursion.
        for component in components.0 {
            match component {
                Lenient::Read(mut component) => {
                    let nested = std::mem::take(&mut component.components);
                    self.component(component);
                    self.components(nested);
                }
                Lenient::Broken(error) => self.builder.problem("components", MALFORMED, error),
            }
        }
    }

    /// What the document is about.
    fn subject(&mut self, component: Component) {
        let own = ours(&component.properties);
        self.builder.kind = match &*component.kind {
            "container" => Some(TargetKind::Image),
            "file" => Some(TargetKind::File),
            "device" => Some(TargetKind::Host),
            _ => None,
        };
        if &*component.kind == "container" {
            self.builder.image = Some(foreign_image(&component));
        }
        property::target(&own, &mut self.builder);
        // A library or application that is a package itself is part of what it describes.
        if own.is_empty() && !component.purl.is_empty() && &*component.kind != "container" {
            self.component(component);
        }
    }

    fn component(&mut self, component: Component) {
        let own = ours(&component.properties);
        if property::value(&own, name::TARGET_KIND).is_some() {
            property::target(&own, &mut self.builder);
            return;
        }
        match &*component.kind {
            "operating-system" => {
                if self.builder.system.is_none() {
                    self.builder.system = property::system(&own, &mut self.builder)
                        .or_else(|| Some(foreign_system(&component)));
                }
                return;
            }
            "file" if component.purl.is_empty() => {
                if let Some(file) = property::file(&component.name, &own) {
                    let hash = component.hashes.0.first();
                    let digest = hash.and_then(|hash| self.builder.digest(&hash.alg, &hash.content));
                    self.builder.file(file, digest);
                }
                return;
            }
            _ => {}
        }
        if let Some(package) = self.package(&component, &own) {
            self.builder.package(&component.reference, package);
            if let Some(owner) = property::value(&own, name::OWNED_BY) {
                self.builder.relate(owner, &component.reference, RelationKind::Owns);
            }
        }
    }

    fn package(&mut self, component: &Component, own: &Pairs) -> Option<Package> {
        let joined = |separator: &str| format!("{}{separator}{}", &*component.group, &*component.name);
        let mut stated = vec![component.name.0.clone()];
        if !component.group.is_empty() {
            stated = vec![joined("/"), joined(":"), component.name.0.clone()];
        }
        let mut package = if component.purl.is_empty() {
            self.without_purl(component, own)?
        } else {
            let Some(purl) = ForeignPurl::parse(&component.purl) else {
                self.builder.problem(
                    &component.name,
                    MALFORMED,
                    "a package URL that cannot be read".to_owned(),
                );
                return None;
            };
            let Some(package) = package_of(&purl, &stated) else {
                if !matches!(purl.kind.as_str(), "oci" | "docker") {
                    let detail = format!("packages of type {}", purl.kind);
                    self.builder.problem(&component.name, SkipReason::Unsupported, detail);
                }
                return None;
            };
            package
        };
        if package.version.is_empty() {
            package.version = component.version.0.clone();
        }
        package.supplier = supplier(component);
        package.scope = match &*component.scope {
            "optional" => Scope::Optional,
            // What is not part of the thing at run time; which of the kinds it is, the standard does not say.
            "excluded" => Scope::Development,
            _ => Scope::Runtime,
        };
        package.digests = component
            .hashes
            .0
            .iter()
            .filter_map(|hash| self.builder.digest(&hash.alg, &hash.content))
            .collect();
        package.licenses = licenses(&component.licenses);
        package.locations = locations(component);
        package.found_by = component.property("syft:package:foundBy").unwrap_or("cyclonedx").to_owned();
        if let Some(name) = component.trivy("SrcName") {
            package.source = Some(trivy_source(component, name));
        }
        property::restore(&mut package, own, &mut self.builder);
        Some(package)
    }

    /// A component without a purl is kept by name where it is a piece of software.
    fn without_purl(&mut self, component: &Component, own: &Pairs) -> Option<Package> {
        if let Some(ecosystem) = property::ecosystem(own) {
            let name = match ecosystem {
                Ecosystem::Maven if !component.group.is_empty() => {
                    format!("{}:{}", &*component.group, &*component.name)
                }
                _ => component.name.0.clone(),
            };
            return Some(Package::new(ecosystem, name, &*component.version));
        }
        if let Some(path) = component.trivy("Class").map(|_| component.name.0.clone()) {
            self.evidence_of.insert(component.reference.0.clone(), path);
            return None;
        }
        if !matches!(&*component.kind, "library" | "framework" | "application" | "firmware")
            || component.name.is_empty()
            || component.version.is_empty()
        {
            return None;
        }
        let detail = "no package URL: known by name only, and matched with nothing".to_owned();
        self.builder.problem(&component.name, SkipReason::Unsupported, detail);
        Some(Package::new(Ecosystem::Generic, &*component.name, &*component.version))
    }

    fn dependency(&mut self, dependency: &Dependency) {
        let path = self.evidence_of.get(&*dependency.reference).cloned();
        for to in &dependency.depends_on.0 {
            if let Some(path) = &path {
                if let Some(package) = self.builder.package_mut(to)
                    && package.locations.is_empty()
                {
                    package.locations.push(Location::file(path.trim_start_matches('/')));
                }
            } else if self.builder.is_package(&dependency.reference) {
                self.builder.relate(&dependency.reference, to, RelationKind::DependsOn);
            }
        }
    }
}

fn supplier(component: &Component) -> String {
    let name = component.supplier.get("name").and_then(Value::as_str).unwrap_or_default();
    [name, &*component.publisher, &*component.author]
        .into_iter()
        .find(|text| !text.is_empty())
        .unwrap_or_default()
        .to_owned()
}

/// `[{license: {id | name}} | {expression}]`.
fn licenses(value: &Value) -> Vec<String> {
    let text = |entry: &Value| {
        let license = entry.get("license");
        let of = |key| license.and_then(|license| license.get(key));
        [entry.get("expression"), of("id"), of("name")]
            .into_iter()
            .flatten()
            .find_map(Value::as_str)
            .map(str::to_owned)
    };
    value.as_array().into_iter().flatten().filter_map(text).take(MAX_LICENSES).collect()
}

/// Evidence occurrences, else where Syft and Trivy put paths and layers.
fn locations(component: &Component) -> Vec<Location> {
    let mut locations: Vec<Location> = Vec::new();
    let occurrences = component.evidence.get("occurrences").and_then(Value::as_array);
    for occurrence in occurrences.into_iter().flatten().take(MAX_LOCATIONS) {
        let Some(path) = occurrence.get("location").and_then(Value::as_str) else { continue };
        let line = occurrence.get("line").and_then(Value::as_u64).and_then(|line| u32::try_from(line).ok());
        locations.push(Location { start_line: line, ..Location::file(path.trim_start_matches('/')) });
    }
    if locations.is_empty() {
        locations = syft_locations(component);
    }
    let layer = component.trivy("LayerDiffID").and_then(|layer| layer.parse().ok());
    if locations.is_empty()
        && let Some(path) = component.trivy("FilePath").or(layer.as_ref().map(|_| ""))
    {
        locations.push(Location { layer, ..Location::file(path.trim_start_matches('/')) });
    }
    locations
}

/// Syft numbers its locations: `syft:location:0:path`, `syft:location:0:layerID`.
fn syft_locations(component: &Component) -> Vec<Location> {
    let mut locations: BTreeMap<usize, Location> = BTreeMap::new();
    for property in &component.properties.0 {
        let Some(rest) = property.name.strip_prefix("syft:location:") else { continue };
        let Some((at, field)) = rest.split_once(':') else { continue };
        let Some(at) = at.parse().ok().filter(|at: &usize| *at < MAX_LOCATIONS) else { continue };
        let location = locations.entry(at).or_default();
        match field {
            "path" => location.path = property.value.trim_start_matches('/').to_owned(),
            "layerID" => location.layer = property.value.parse().ok(),
            _ => {}
        }
    }
    locations.into_values().filter(|location| !location.path.is_empty()).collect()
}

/// Trivy has the source package in four properties.
fn trivy_source(component: &Component, name: &str) -> SourcePackage {
    let mut version = component.trivy("SrcVersion").unwrap_or_default().to_owned();
    if let Some(release) = component.trivy("SrcRelease").filter(|release| !release.is_empty()) {
        version = format!("{version}-{release}");
    }
    if let Some(epoch) = component.trivy("SrcEpoch").filter(|epoch| !matches!(*epoch, "" | "0")) {
        version = format!("{epoch}:{version}");
    }
    SourcePackage { name: name.to_owned(), version }
}

fn foreign_system(component: &Component) -> OperatingSystem {
    OperatingSystem {
        id: component.property("syft:distro:id").unwrap_or(&component.name).to_owned(),
        version: component.property("syft:distro:versionID").unwrap_or(&component.version).to_owned(),
        codename: component.property("syft:distro:versionCodename").unwrap_or_default().to_owned(),
        name: component.property("syft:distro:prettyName").unwrap_or(&component.description).to_owned(),
        cpe: component.cpe.0.clone(),
        ..OperatingSystem::default()
    }
}

/// An image as Syft (its version is the manifest's digest) and Trivy (properties) describe it.
fn foreign_image(component: &Component) -> Image {
    let mut image = Image {
        manifest_digest: component.version.parse().ok(),
        tags: vec![component.name.0.clone()],
        ..Image::default()
    };
    for property in &component.properties.0 {
        let value = &*property.value;
        if let Some(label) = property.name.strip_prefix("syft:image:labels:") {
            image.labels.insert(label.to_owned(), value.to_owned());
        }
        match property.name.strip_prefix(TRIVY) {
            Some("ImageID") => image.config_digest = value.parse().ok(),
            Some("DiffID") => image.layers.extend(value.parse().ok().map(|diff_id| Layer {
                diff_id,
                blob_digest: None,
                size: 0,
                created_by: String::new(),
                from_base_image: None,
            })),
            Some("RepoDigest") => {
                let digest = value.rsplit_once('@').and_then(|(_, digest)| digest.parse().ok());
                image.manifest_digest = digest.or(image.manifest_digest.take());
            }
            Some("RepoTag") if !image.tags.iter().any(|tag| tag == value) => {
                image.tags.push(value.to_owned())
            }
            Some(key) => {
                if let Some(label) = key.strip_prefix("Labels:") {
                    image.labels.insert(label.to_owned(), value.to_owned());
                }
            }
            None => {}
        }
    }
    image
}
