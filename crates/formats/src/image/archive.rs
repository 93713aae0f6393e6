//! The table of a docker archive (`docker save`): `manifest.json`.

use serde::Deserialize;

use super::{ImageError, MAX_LAYERS, MAX_MANIFEST_BYTES, decode, null_as_default};

/// One image of a docker archive; the paths are those of members of the archive.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ArchivedImage {
    /// Path of the image configuration.
    pub config: String,
    #[serde(default, deserialize_with = "null_as_default")]
    pub repo_tags: Vec<String>,
    /// Paths of the layers, lowest first. Members may be links to one another.
    #[serde(default, deserialize_with = "null_as_default")]
    pub layers: Vec<String>,
}

/// Reads `manifest.json` of a docker archive. An archive may hold several images.
pub fn parse_archive_manifest(bytes: &[u8]) -> Result<Vec<ArchivedImage>, ImageError> {
    let images: Vec<ArchivedImage> = decode("docker archive's manifest.json", bytes, MAX_MANIFEST_BYTES)?;
    match images.iter().map(|image| image.layers.len()).find(|count| *count > MAX_LAYERS) {
        Some(count) => Err(ImageError::TooManyLayers(count)),
        None => Ok(images),
    }
}
