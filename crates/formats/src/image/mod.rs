//! Image documents to facts: indexes, manifests, configurations and docker-archive tables.
//!
//! Reads the JSON of the OCI image specification 1.1 and of Docker's image manifest v2 schema 2. Pure: it never
//! fetches what a descriptor points to and does not check digests; whoever read the bytes does both.

mod archive;
mod config;
mod descriptor;
mod document;
mod platform;

pub use archive::{ArchivedImage, parse_archive_manifest};
pub use config::{Configuration, History, parse_config};
pub use descriptor::{Descriptor, LayerForm};
pub use document::{Document, Index, Manifest, parse_document, parse_index, parse_manifest};
pub use platform::{InvalidPlatform, Platform};

use serde::{Deserialize, Deserializer};
use yagura_model::Digest;
use yagura_model::image::{BaseEvidence, BaseImage, Image, Layer};

/// Bound for an index, a manifest or a docker-archive table. The distribution specification asks registries to take
/// manifests of up to 4 MiB.
pub const MAX_MANIFEST_BYTES: usize = 4 << 20;
/// Bound for an image configuration. Histories of heredoc-heavy builds are the large part.
pub const MAX_CONFIG_BYTES: usize = 16 << 20;
/// Bound for the layers of one image; overlayfs itself stops at 500.
pub const MAX_LAYERS: usize = 1024;

/// Why a document is not what it should be. Each is one clear line for the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    #[error("the {what} has {size} bytes, more than the {limit} we read")]
    TooLarge { what: &'static str, size: usize, limit: usize },
    #[error("the {what} is not valid: {reason}")]
    Malformed { what: &'static str, reason: String },
    #[error("the image has {0} layers, more than the {MAX_LAYERS} we read")]
    TooManyLayers(usize),
    #[error("image manifests of Docker schema 1 are not supported: push the image again with a current tool")]
    SchemaOne,
    #[error("not a container image but an artifact of type `{0}`")]
    NotAnImage(String),
    #[error("the configuration names {diff_ids} layers and the manifest {layers}")]
    LayerCount { diff_ids: usize, layers: usize },
}

/// Decodes one JSON document within its bound.
fn decode<'a, T: Deserialize<'a>>(
    what: &'static str,
    bytes: &'a [u8],
    limit: usize,
) -> Result<T, ImageError> {
    if bytes.len() > limit {
        return Err(ImageError::TooLarge { what, size: bytes.len(), limit });
    }
    serde_json::from_slice(bytes).map_err(|error| ImageError::Malformed { what, reason: error.to_string() })
}

/// Go programs write `null` for what is empty.
fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// The image as the model describes it. `manifest` is absent in docker archives; its layers, where given, must be as
/// many as the configuration's.
pub fn describe(
    manifest: Option<(&Digest, &Manifest)>,
    config_digest: Option<Digest>,
    configuration: &Configuration,
    tags: Vec<String>,
) -> Result<Image, ImageError> {
    let diff_ids = &configuration.diff_ids;
    if let Some((_, manifest)) = manifest
        && manifest.layers.len() != diff_ids.len()
    {
        return Err(ImageError::LayerCount { diff_ids: diff_ids.len(), layers: manifest.layers.len() });
    }
    let instructions = configuration.instructions();
    let layers = diff_ids.iter().enumerate().map(|(index, diff_id)| {
        let descriptor = manifest.and_then(|(_, manifest)| manifest.layers.get(index));
        Layer {
            diff_id: diff_id.clone(),
            blob_digest: descriptor.map(|d| d.digest.clone()).filter(|digest| digest != diff_id),
            size: descriptor.map_or(0, |d| d.size),
            created_by: instructions.get(index).map(|text| (*text).to_owned()).unwrap_or_default(),
            from_base_image: None,
        }
    });
    let mut image = Image {
        manifest_digest: manifest.map(|(digest, _)| digest.clone()),
        config_digest,
        tags,
        platform: configuration.platform.to_string(),
        created: configuration.created.clone(),
        labels: configuration.labels.clone(),
        config: configuration.config.clone(),
        layers: layers.collect(),
        base: None,
    };
    if let Some(base) = stated_base(&image, manifest.map(|(_, manifest)| manifest)) {
        let lowest = diff_ids.get(..configuration.layers_below_last_command()).unwrap_or_default();
        if !mark_base(&mut image, &base.reference, lowest, BaseEvidence::Label) {
            image.base = Some(base);
        }
    }
    Ok(image)
}

/// The base image that the manifest's annotations or the labels name (OCI annotations,
/// `org.opencontainers.image.base.*`). How many layers are its is not stated there; the history tells, where it is whole.
fn stated_base(image: &Image, manifest: Option<&Manifest>) -> Option<BaseImage> {
    let stated = |key: &str| {
        let annotation = manifest.and_then(|manifest| manifest.annotations.get(key));
        annotation.or_else(|| image.labels.get(key)).filter(|value| !value.is_empty())
    };
    let name = stated("org.opencontainers.image.base.name");
    let digest = stated("org.opencontainers.image.base.digest");
    let reference = match (name, digest) {
        (Some(name), Some(digest)) if !name.contains('@') => format!("{name}@{digest}"),
        (Some(name), _) => name.clone(),
        (None, Some(digest)) => digest.clone(),
        (None, None) => return None,
    };
    Some(BaseImage { reference, layers: 0, known_by: BaseEvidence::Label })
}

/// Records that `image` was built upon the image with these layers, and marks each layer. Returns false, and changes
/// nothing, when they are not the lowest layers of `image` or are all of them.
pub fn mark_base(image: &mut Image, reference: &str, diff_ids: &[Digest], known_by: BaseEvidence) -> bool {
    let below = !diff_ids.is_empty() && diff_ids.len() < image.layers.len();
    if !below || !image.layers.iter().zip(diff_ids).all(|(layer, base)| layer.diff_id == *base) {
        return false;
    }
    for (index, layer) in image.layers.iter_mut().enumerate() {
        layer.from_base_image = Some(index < diff_ids.len());
    }
    image.base = Some(BaseImage { reference: reference.to_owned(), layers: diff_ids.len(), known_by });
    true
}

#[cfg(test)]
mod tests;
