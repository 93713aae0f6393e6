//! Image indexes and manifests, in the OCI and the Docker spelling.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Descriptor, ImageError, MAX_LAYERS, MAX_MANIFEST_BYTES, Platform, decode};

/// An OCI image index or a Docker manifest list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    pub media_type: String,
    pub manifests: Vec<Descriptor>,
    pub annotations: BTreeMap<String, String>,
}

/// An OCI image manifest or a Docker image manifest v2 schema 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    pub media_type: String,
    pub config: Descriptor,
    /// Lowest first.
    pub layers: Vec<Descriptor>,
    pub annotations: BTreeMap<String, String>,
    /// What this manifest speaks of, for referrers (signatures, SBOMs).
    pub subject: Option<Descriptor>,
    pub artifact_type: String,
}

/// What a reference may lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    Index(Index),
    Manifest(Box<Manifest>),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stated {
    #[serde(default)]
    schema_version: Option<u64>,
    #[serde(default, deserialize_with = "super::null_as_default")]
    media_type: String,
    #[serde(default)]
    manifests: Option<Vec<Descriptor>>,
    #[serde(default)]
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Option<Vec<Descriptor>>,
    #[serde(default, deserialize_with = "super::null_as_default")]
    annotations: BTreeMap<String, String>,
    #[serde(default)]
    subject: Option<Descriptor>,
    #[serde(default, deserialize_with = "super::null_as_default")]
    artifact_type: String,
}

/// Reads an index or a manifest, told apart by their content. A document that claims to be both is refused: two
/// readers could see two images in it (CVE-2021-41190).
pub fn parse_document(bytes: &[u8]) -> Result<Document, ImageError> {
    let what = "image manifest";
    let stated: Stated = decode(what, bytes, MAX_MANIFEST_BYTES)?;
    if stated.schema_version == Some(1) {
        return Err(ImageError::SchemaOne);
    }
    let malformed = |reason: &str| ImageError::Malformed { what, reason: reason.to_owned() };
    match (stated.manifests, stated.config, stated.layers) {
        (Some(_), Some(_), _) | (Some(_), _, Some(_)) => {
            Err(malformed("it has both `manifests` and `config` or `layers`"))
        }
        (Some(manifests), None, None) => {
            if names_manifest(&stated.media_type) {
                return Err(malformed("its mediaType is that of a manifest, its content that of an index"));
            }
            Ok(Document::Index(Index {
                media_type: stated.media_type,
                manifests,
                annotations: stated.annotations,
            }))
        }
        (None, Some(config), layers) => {
            if names_index(&stated.media_type) {
                return Err(malformed("its mediaType is that of an index, its content that of a manifest"));
            }
            let layers = layers.unwrap_or_default();
            if layers.len() > MAX_LAYERS {
                return Err(ImageError::TooManyLayers(layers.len()));
            }
            Ok(Document::Manifest(Box::new(Manifest {
                media_type: stated.media_type,
                config,
                layers,
                annotations: stated.annotations,
                subject: stated.subject,
                artifact_type: stated.artifact_type,
            })))
        }
        (None, None, _) => Err(malformed("it has neither `manifests` nor `config`")),
    }
}

fn names_index(media_type: &str) -> bool {
    media_type.starts_with("application/vnd.oci.image.index.")
        || media_type.starts_with("application/vnd.docker.distribution.manifest.list.")
}

fn names_manifest(media_type: &str) -> bool {
    media_type.starts_with("application/vnd.oci.image.manifest.")
        || media_type.starts_with("application/vnd.docker.distribution.manifest.v2")
}

/// Reads an index; an error when it is a manifest.
pub fn parse_index(bytes: &[u8]) -> Result<Index, ImageError> {
    match parse_document(bytes)? {
        Document::Index(index) => Ok(index),
        Document::Manifest(_) => Err(ImageError::Malformed {
            what: "image index",
            reason: "it is the manifest of a single image".to_owned(),
        }),
    }
}

/// Reads a manifest; an error when it is an index.
pub fn parse_manifest(bytes: &[u8]) -> Result<Manifest, ImageError> {
    match parse_document(bytes)? {
        Document::Manifest(manifest) => Ok(*manifest),
        Document::Index(_) => Err(ImageError::Malformed {
            what: "image manifest",
            reason: "it is an index of several manifests".to_owned(),
        }),
    }
}

impl Index {
    /// The manifests that are images, without builders' attestations.
    pub fn images(&self) -> impl Iterator<Item = &Descriptor> {
        self.manifests.iter().filter(|descriptor| !descriptor.is_attestation())
    }

    /// The manifest that fits `wanted` best; an entry that states no platform fits when it is the only image.
    pub fn choose(&self, wanted: &Platform) -> Option<&Descriptor> {
        let fitting = self.images().filter_map(|descriptor| {
            let offered = descriptor.platform.as_ref().filter(|offered| wanted.accepts(offered))?;
            Some((wanted.preference(offered), descriptor))
        });
        // Of equals the first counts, as the order of an index is its author's preference.
        let best = fitting.reduce(|best, other| if other.0 > best.0 { other } else { best });
        let mut images = self.images();
        let only = images.next().filter(|only| only.platform.is_none() && images.next().is_none());
        best.map(|(_, descriptor)| descriptor).or(only)
    }
}

impl Manifest {
    /// An error that names what this is, when it is no container image (a Helm chart, a signature, an SBOM).
    pub fn check_is_image(&self) -> Result<(), ImageError> {
        let kind = if self.artifact_type.is_empty() { &self.config.media_type } else { &self.artifact_type };
        let image = self.config.media_type.starts_with("application/vnd.oci.image.config.")
            || self.config.media_type.starts_with("application/vnd.docker.container.image.")
            || self.config.media_type == "application/octet-stream"
            || self.config.media_type.is_empty();
        if image { Ok(()) } else { Err(ImageError::NotAnImage(kind.chars().take(120).collect())) }
    }
}
