//! The OCI image layout (`image-layout.md` of the image specification): from `index.json` to one image.

use std::sync::Arc;

use yagura_formats::image::{
    Descriptor, Document, Index, LayerForm, MAX_CONFIG_BYTES, MAX_MANIFEST_BYTES, Manifest, Platform,
    describe, parse_config, parse_document, parse_index,
};
use yagura_model::Digest;

use super::store::{Store, blob_path};
use super::{ImageHandle, LayerPlace, platform};
use crate::error::{Error, ErrorKind, Result};
use crate::reference::ImageReference;

/// Deepest nesting of indexes followed.
const MAX_INDEX_DEPTH: usize = 4;
/// Most names shown in an error.
const MAX_NAMES_SHOWN: usize = 20;
/// containerd's annotation for the full name of an exported image.
const CONTAINERD_NAME: &str = "io.containerd.image.name";

/// Opens the image that `reference` names; see [`super::open_directory`].
pub(super) fn open(
    store: Arc<dyn Store>,
    reference: Option<&str>,
    wanted: Option<&Platform>,
) -> Result<ImageHandle> {
    let index = parse_index(&store.read("index.json", MAX_MANIFEST_BYTES)?).map_err(not_an_image)?;
    let digest = match reference.map(|text| text.strip_prefix('@').unwrap_or(text).parse::<Digest>()) {
        Some(Ok(digest)) => Some(digest),
        _ => None,
    };
    let (digest, tags) = match digest {
        Some(digest) => (digest, Vec::new()),
        None => {
            let chosen = select(&index, reference, wanted)?;
            (chosen.digest.clone(), names(chosen))
        }
    };
    open_manifest(store, &digest, tags, wanted)
}

/// Opens the image whose manifest (or index) has this digest, in a store with OCI blobs.
pub(crate) fn open_manifest(
    store: Arc<dyn Store>,
    digest: &Digest,
    tags: Vec<String>,
    wanted: Option<&Platform>,
) -> Result<ImageHandle> {
    let (digest, manifest) = resolve(store.as_ref(), digest, wanted)?;
    manifest.check_is_image().map_err(not_an_image)?;
    let config = store.read_blob(&manifest.config.digest, MAX_CONFIG_BYTES)?;
    let configuration = parse_config(&config).map_err(not_an_image)?;
    platform::check(&configuration.platform, wanted)?;
    let image =
        describe(Some((&digest, &manifest)), Some(manifest.config.digest.clone()), &configuration, tags)
            .map_err(not_an_image)?;
    let layers = manifest.layers.iter().map(|layer| place(store.as_ref(), layer)).collect();
    Ok(ImageHandle { image, store, layers })
}

fn place(store: &dyn Store, layer: &Descriptor) -> LayerPlace {
    let path = blob_path(&layer.digest);
    match layer.layer_form() {
        LayerForm::Encrypted => LayerPlace::Absent(format!("the layer {} is encrypted", layer.digest)),
        LayerForm::Foreign if store.open(&path).is_err() => {
            LayerPlace::Absent(format!("the layer {} may not be distributed and is not here", layer.digest))
        }
        _ => LayerPlace::Stored(path),
    }
}

/// From a digest to a manifest, through indexes.
fn resolve(store: &dyn Store, digest: &Digest, wanted: Option<&Platform>) -> Result<(Digest, Box<Manifest>)> {
    let mut digest = digest.clone();
    for _ in 0..MAX_INDEX_DEPTH {
        let bytes = store.read_blob(&digest, MAX_MANIFEST_BYTES)?;
        match parse_document(&bytes).map_err(not_an_image)? {
            Document::Manifest(manifest) => return Ok((digest, manifest)),
            Document::Index(index) => digest = platform::choose(&index, wanted)?.digest.clone(),
        }
    }
    Err(Error::new(ErrorKind::Malformed, format!("indexes are nested deeper than {MAX_INDEX_DEPTH}")))
}

/// The entry of `index.json` that a tag names, or the only one.
fn select<'a>(
    index: &'a Index,
    reference: Option<&str>,
    wanted: Option<&Platform>,
) -> Result<&'a Descriptor> {
    let Some(reference) = reference else {
        let mut seen: Vec<String> = index.images().flat_map(names).collect();
        seen.sort();
        seen.dedup();
        let named = index.images().filter(|entry| !names(entry).is_empty()).count();
        // Entries without names, or all of one name, are the platforms of one image.
        if index.images().count() > 1 && named > 0 && distinct_tags(index) > 1 {
            return Err(Error::new(ErrorKind::InvalidReference, "the layout holds several images")
                .advise(format!("choose one with PATH:TAG: {}", list(&seen))));
        }
        return platform::choose(index, wanted);
    };
    let matching: Vec<Descriptor> =
        index.images().filter(|entry| is_named(entry, reference)).cloned().collect();
    let narrowed = Index {
        media_type: String::new(),
        manifests: matching,
        annotations: std::collections::BTreeMap::new(),
    };
    if narrowed.manifests.is_empty() {
        let mut seen: Vec<String> = index.images().flat_map(names).collect();
        seen.sort();
        seen.dedup();
        let error = Error::new(ErrorKind::NotFound, format!("the layout has no image `{reference}`"));
        return Err(if seen.is_empty() {
            error.advise("its images have no names: leave the tag out or give @sha256:…")
        } else {
            error.advise(format!("it has {}", list(&seen)))
        });
    }
    let chosen = platform::choose(&narrowed, wanted)?.digest.clone();
    index
        .images()
        .find(|entry| entry.digest == chosen && is_named(entry, reference))
        .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("the layout has no image `{reference}`")))
}

fn distinct_tags(index: &Index) -> usize {
    let mut tags: Vec<Vec<String>> = index.images().map(names).collect();
    tags.sort();
    tags.dedup();
    tags.len()
}

/// The names an entry goes by, the fuller first.
fn names(entry: &Descriptor) -> Vec<String> {
    let full = entry.annotations.get(CONTAINERD_NAME).map(String::as_str);
    let mut names: Vec<String> =
        [full, entry.reference_name()].into_iter().flatten().map(str::to_owned).collect();
    names.dedup();
    names
}

/// A name matches as written, as a full reference, or by its tag alone.
fn is_named(entry: &Descriptor, wanted: &str) -> bool {
    let full = |text: &str| ImageReference::parse(text).ok();
    names(entry).iter().any(|name| {
        name == wanted
            || (full(name).is_some() && full(name) == full(wanted))
            || name.rsplit_once(':').is_some_and(|(_, tag)| tag == wanted)
    })
}

fn list(names: &[String]) -> String {
    let mut text = names.iter().take(MAX_NAMES_SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > MAX_NAMES_SHOWN {
        text.push_str(", …");
    }
    text
}

pub(crate) fn not_an_image(error: yagura_formats::image::ImageError) -> Error {
    use yagura_formats::image::ImageError;
    let kind = match &error {
        ImageError::TooLarge { .. } | ImageError::TooManyLayers(_) => ErrorKind::TooLarge,
        ImageError::SchemaOne => ErrorKind::Unsupported,
        ImageError::NotAnImage(_) => ErrorKind::NotAnImage,
        ImageError::Malformed { .. } | ImageError::LayerCount { .. } => ErrorKind::Malformed,
    };
    Error::new(kind, error.to_string())
}
