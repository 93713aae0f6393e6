//! Syft's own JSON, schema 3 to 16: `artifacts` with `artifactRelationships`, `distro` and `source`.

use serde::Deserialize;
use serde_json::Value;
use yagura_model::image::{Image, Layer};
use yagura_model::inventory::RelationKind;
use yagura_model::package::Scope;
use yagura_model::report::TargetKind;
use yagura_model::{Location, OperatingSystem, SkipReason};

use super::builder::Builder;
use super::lenient::{Lenient, List, Text};
use super::purl::{ForeignPurl, package_of};
use super::{MALFORMED, NotAnSbom, Sbom, parse};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    #[serde(default)]
    artifacts: List<Lenient<Artifact>>,
    #[serde(default)]
    artifact_relationships: List<Lenient<Relationship>>,
    #[serde(default)]
    distro: Value,
    #[serde(default)]
    source: Value,
    #[serde(default)]
    schema: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Artifact {
    #[serde(default)]
    id: Text,
    #[serde(default)]
    name: Text,
    #[serde(default)]
    version: Text,
    #[serde(rename = "type", default)]
    kind: Text,
    #[serde(default)]
    found_by: Text,
    #[serde(default)]
    locations: List<Place>,
    #[serde(default)]
    licenses: List<Value>,
    #[serde(default)]
    purl: Text,
    #[serde(default)]
    metadata: Value,
}

#[derive(Deserialize)]
struct Place {
    #[serde(default)]
    path: Text,
    #[serde(rename = "layerID", default)]
    layer: Text,
    #[serde(default)]
    annotations: Value,
}

#[derive(Deserialize)]
struct Relationship {
    #[serde(default)]
    parent: Text,
    #[serde(default)]
    child: Text,
    #[serde(rename = "type", default)]
    kind: Text,
}

pub(super) fn read(bytes: &[u8]) -> Result<Sbom, NotAnSbom> {
    let document: Document = parse(bytes)?;
    let mut builder = Builder::default();
    builder.system = system(&document.distro);
    source(&document.source, &mut builder);
    for artifact in document.artifacts.0 {
        match artifact {
            Lenient::Read(artifact) => add(&artifact, &mut builder),
            Lenient::Broken(error) => builder.problem("artifacts", MALFORMED, error),
        }
    }
    for relationship in document.artifact_relationships.0 {
        match relationship {
            Lenient::Read(Relationship { parent, child, kind }) => {
                let (from, to, kind) = match &*kind {
                    // The parent is the dependency of the child.
                    "dependency-of" => (child, parent, RelationKind::DependsOn),
                    "ownership-by-file-overlap" => (parent, child, RelationKind::Owns),
                    _ => continue,
                };
                if builder.is_package(&from) && builder.is_package(&to) {
                    builder.relate(&from, &to, kind);
                }
            }
            Lenient::Broken(error) => builder.problem("artifactRelationships", MALFORMED, error),
        }
    }
    let name = text(&document.source, "name");
    let name = if name.is_empty() {
        text(
            document.source.get("metadata").or(document.source.get("target")).unwrap_or(&Value::Null),
            "userInput",
        )
    } else {
        name
    };
    let version = text(&document.schema, "version");
    Ok(builder.finish(format!("Syft JSON {version}").trim_end().to_owned(), name))
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn system(distro: &Value) -> Option<OperatingSystem> {
    let id = text(distro, "id");
    if id.is_empty() {
        return None;
    }
    let like = distro.get("idLike").and_then(Value::as_array);
    Some(OperatingSystem {
        id,
        id_like: like.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
        version: text(distro, "versionID"),
        codename: text(distro, "versionCodename"),
        name: text(distro, "prettyName"),
        cpe: text(distro, "cpeName"),
        end_of_life: None,
    })
}

fn source(source: &Value, builder: &mut Builder) {
    builder.kind = match text(source, "type").as_str() {
        "image" => Some(TargetKind::Image),
        "directory" => Some(TargetKind::Directory),
        "file" => Some(TargetKind::File),
        _ => None,
    };
    if builder.kind != Some(TargetKind::Image) {
        return;
    }
    let Some(metadata) = source.get("metadata").or(source.get("target")) else { return };
    let list = |key: &str| metadata.get(key).and_then(Value::as_array).into_iter().flatten();
    builder.image = Some(Image {
        manifest_digest: text(metadata, "manifestDigest").parse().ok(),
        config_digest: text(metadata, "imageID").parse().ok(),
        tags: list("tags").filter_map(Value::as_str).map(str::to_owned).collect(),
        platform: format!("{}/{}", text(metadata, "os"), text(metadata, "architecture")),
        labels: metadata
            .get("labels")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
            .collect(),
        // Syft's layer digests are those of the uncompressed tars.
        layers: list("layers")
            .filter_map(|layer| {
                Some(Layer {
                    diff_id: text(layer, "digest").parse().ok()?,
                    blob_digest: None,
                    size: layer.get("size").and_then(Value::as_u64).unwrap_or_default(),
                    created_by: String::new(),
                    from_base_image: None,
                })
            })
            .collect(),
        ..Image::default()
    });
}

fn add(artifact: &Artifact, builder: &mut Builder) {
    let Some(purl) = ForeignPurl::parse(&artifact.purl) else {
        let detail = format!("packages of type {} without a package URL", &*artifact.kind);
        builder.problem(&artifact.name, SkipReason::Unsupported, detail);
        return;
    };
    let stated = [artifact.name.0.clone()];
    let Some(mut package) = package_of(&purl, &stated) else {
        builder.problem(&artifact.name, SkipReason::Unsupported, format!("packages of type {}", purl.kind));
        return;
    };
    if package.version.is_empty() {
        package.version = artifact.version.0.clone();
    }
    package.found_by = artifact.found_by.0.clone();
    // The primary evidence first; the rest as listed.
    let mut places: Vec<&Place> = artifact.locations.0.iter().collect();
    places.sort_by_key(|place| text(&place.annotations, "evidence") == "supporting");
    package.locations = places
        .into_iter()
        .map(|place| Location {
            layer: place.layer.parse().ok(),
            ..Location::file(place.path.trim_start_matches('/'))
        })
        .collect();
    package.licenses = artifact.licenses.0.iter().filter_map(license).collect();
    if let Some(supplier) = ["maintainer", "vendor", "author"]
        .into_iter()
        .map(|key| text(&artifact.metadata, key))
        .find(|text| !text.is_empty())
    {
        package.supplier = supplier;
    }
    if artifact.metadata.get("dev").and_then(Value::as_bool) == Some(true) {
        package.scope = Scope::Development;
    }
    builder.package(&artifact.id, package);
}

/// A licence is a text in old schemas, an object with its expression in new ones.
fn license(value: &Value) -> Option<String> {
    let expression = || Some(text(value, "spdxExpression")).filter(|text| !text.is_empty());
    let raw = || Some(text(value, "value")).filter(|text| !text.is_empty());
    value.as_str().map(str::to_owned).or_else(expression).or_else(raw)
}
