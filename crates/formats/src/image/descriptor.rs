//! Descriptors: what points from one document or layer to another.

use std::collections::BTreeMap;

use serde::Deserialize;
use yagura_model::Digest;

use super::Platform;

/// A content descriptor (OCI image specification, `descriptor.md`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    #[serde(default, deserialize_with = "super::null_as_default")]
    pub media_type: String,
    pub digest: Digest,
    /// Bytes of the content.
    #[serde(default)]
    pub size: u64,
    #[serde(default)]
    pub platform: Option<Platform>,
    #[serde(default, deserialize_with = "super::null_as_default")]
    pub annotations: BTreeMap<String, String>,
    /// Places other than the registry to fetch it from.
    #[serde(default, deserialize_with = "super::null_as_default")]
    pub urls: Vec<String>,
    #[serde(default, deserialize_with = "super::null_as_default")]
    pub artifact_type: String,
}

/// What a layer's media type says of its content. Compression is not part of it: the first bytes tell that better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerForm {
    /// A tar, compressed or not.
    Tar,
    /// A tar that registries need not hold (Windows base layers).
    Foreign,
    /// Encrypted for holders of a key (ocicrypt).
    Encrypted,
    /// No form of layer we know.
    Other,
}

impl Descriptor {
    /// The form of the layer this points to.
    pub fn layer_form(&self) -> LayerForm {
        let media_type = self.media_type.as_str();
        if media_type.ends_with("+encrypted") {
            return LayerForm::Encrypted;
        }
        if media_type.contains(".nondistributable.") || media_type.contains(".rootfs.foreign.") {
            return LayerForm::Foreign;
        }
        let tar = media_type.starts_with("application/vnd.oci.image.layer.")
            || media_type.starts_with("application/vnd.docker.image.rootfs.diff.tar")
            || media_type.starts_with("application/x-tar")
            || media_type == "application/octet-stream"
            || media_type.is_empty();
        if tar { LayerForm::Tar } else { LayerForm::Other }
    }

    /// The image name that OCI layouts keep with a manifest (`org.opencontainers.image.ref.name`).
    pub fn reference_name(&self) -> Option<&str> {
        self.annotations.get("org.opencontainers.image.ref.name").map(String::as_str)
    }

    /// Whether this is a builder's attestation and not an image (BuildKit lists these in the index).
    pub fn is_attestation(&self) -> bool {
        self.annotations.get("vnd.docker.reference.type").is_some_and(|kind| kind == "attestation-manifest")
            || self.platform.as_ref().is_some_and(|p| p.os == "unknown" && p.architecture == "unknown")
    }
}
