//! Docker archives: what `docker save` writes, from today's back to the layout before `manifest.json` existed.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use yagura_formats::image::{
    ArchivedImage, MAX_CONFIG_BYTES, MAX_LAYERS, MAX_MANIFEST_BYTES, Platform, describe,
    parse_archive_manifest, parse_config,
};
use yagura_model::digest::Algorithm;
use yagura_model::{Digest, image::Image};

use super::layout::not_an_image;
use super::store::{ArchiveStore, Store};
use super::{ImageHandle, LayerPlace, platform};
use crate::error::{Error, ErrorKind, Result};
use crate::hash;
use crate::reference::ImageReference;

pub(super) fn open(
    store: ArchiveStore,
    reference: Option<&str>,
    wanted: Option<&Platform>,
) -> Result<ImageHandle> {
    if !store.contains("manifest.json") {
        return open_legacy(store, reference, wanted);
    }
    let images =
        parse_archive_manifest(&store.read("manifest.json", MAX_MANIFEST_BYTES)?).map_err(not_an_image)?;
    let chosen = select(&images, reference)?;
    let config = store.read(&chosen.config, MAX_CONFIG_BYTES)?;
    let config_digest = match stated_digest(&chosen.config) {
        Some(stated) => {
            hash::verify(&config, &stated)?;
            stated
        }
        None => hash::sha256(&config),
    };
    let configuration = parse_config(&config).map_err(not_an_image)?;
    platform::check(&configuration.platform, wanted)?;
    if configuration.diff_ids.len() != chosen.layers.len() {
        return Err(Error::new(
            ErrorKind::Malformed,
            format!(
                "the configuration names {} layers and manifest.json {}",
                configuration.diff_ids.len(),
                chosen.layers.len()
            ),
        ));
    }
    let image = describe(None, Some(config_digest), &configuration, chosen.repo_tags.clone())
        .map_err(not_an_image)?;
    Ok(handle(store, image, chosen.layers.clone()))
}

/// Sizes come from the members, since a docker archive states none.
fn handle(store: ArchiveStore, mut image: Image, paths: Vec<String>) -> ImageHandle {
    let mut layers = Vec::with_capacity(paths.len());
    for (layer, path) in image.layers.iter_mut().zip(paths) {
        layers.push(match store.open(&path) {
            Ok((_, size)) => {
                layer.size = size;
                LayerPlace::Stored(path)
            }
            Err(error) => LayerPlace::Absent(error.to_string()),
        });
    }
    ImageHandle { image, store: Arc::new(store), layers }
}

/// The image a tag or id names, or the only one.
fn select<'a>(images: &'a [ArchivedImage], reference: Option<&str>) -> Result<&'a ArchivedImage> {
    let tags = || {
        let mut tags: Vec<&str> =
            images.iter().flat_map(|image| image.repo_tags.iter().map(String::as_str)).collect();
        tags.sort_unstable();
        tags.truncate(20);
        tags.join(", ")
    };
    match (reference, images) {
        (_, []) => Err(Error::new(ErrorKind::NotAnImage, "the archive lists no image")),
        (None, [only]) => Ok(only),
        (None, _) => Err(Error::new(ErrorKind::InvalidReference, "the archive holds several images")
            .advise(format!("choose one with docker-archive:PATH:TAG: {}", tags()))),
        (Some(reference), _) => images.iter().find(|image| is_named(image, reference)).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("the archive has no image `{reference}`"))
                .advise(format!("it has {}", tags()))
        }),
    }
}

/// A full reference, a tag alone, or the id (`@sha256:…`) of the configuration.
fn is_named(image: &ArchivedImage, wanted: &str) -> bool {
    if let Ok(id) = wanted.strip_prefix('@').unwrap_or(wanted).parse::<Digest>() {
        return stated_digest(&image.config) == Some(id);
    }
    let full = |text: &str| ImageReference::parse(text).ok();
    image.repo_tags.iter().any(|tag| {
        tag == wanted
            || (full(tag).is_some() && full(tag) == full(wanted))
            || tag.rsplit_once(':').is_some_and(|(_, tag)| tag == wanted)
    })
}

/// The digest in `<hex>.json` or `blobs/sha256/<hex>`.
fn stated_digest(path: &str) -> Option<Digest> {
    let name = path.rsplit('/').next()?;
    let name = name.strip_suffix(".json").unwrap_or(name);
    Digest::from_hex(Algorithm::Sha256, name).ok()
}

/// Image JSON of Docker's image specification v1: each layer has one, and names its parent.
#[derive(Deserialize)]
struct LegacyLayer {
    #[serde(default)]
    parent: Option<String>,
    #[serde(default)]
    created: Option<String>,
    #[serde(default)]
    architecture: Option<String>,
    #[serde(default)]
    os: Option<String>,
    #[serde(default)]
    config: Option<serde_json::Value>,
    #[serde(default)]
    container_config: Option<LegacyCommand>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LegacyCommand {
    #[serde(default)]
    cmd: Option<Vec<String>>,
}

/// Archives from before Docker 1.10: `repositories` names the top layer of each tag, and `<id>/{json,layer.tar}`
/// follow by parent. They state no digests, so the layers are hashed here to give them diff ids.
fn open_legacy(
    store: ArchiveStore,
    reference: Option<&str>,
    wanted: Option<&Platform>,
) -> Result<ImageHandle> {
    let malformed = |error: serde_json::Error| {
        Error::new(ErrorKind::Malformed, format!("the docker archive's tables are not valid: {error}"))
    };
    let repositories: BTreeMap<String, BTreeMap<String, String>> =
        serde_json::from_slice(&store.read("repositories", MAX_MANIFEST_BYTES)?).map_err(malformed)?;
    let images: Vec<ArchivedImage> = repositories
        .iter()
        .flat_map(|(name, tags)| tags.iter().map(move |(tag, id)| (format!("{name}:{tag}"), id.clone())))
        .map(|(tag, id)| ArchivedImage { config: id, repo_tags: vec![tag], layers: Vec::new() })
        .collect();
    let chosen = select(&images, reference)?;

    let mut ids = Vec::new();
    let mut top = None;
    let mut history = Vec::new();
    let mut next = Some(chosen.config.clone());
    while let Some(id) = next {
        if ids.len() >= MAX_LAYERS || ids.contains(&id) {
            return Err(Error::new(ErrorKind::Malformed, "the layers' parents go in a circle or too far"));
        }
        let layer: LegacyLayer =
            serde_json::from_slice(&store.read(&format!("{id}/json"), MAX_CONFIG_BYTES)?)
                .map_err(malformed)?;
        let command = layer.container_config.as_ref().and_then(|config| config.cmd.as_ref());
        history.push(serde_json::json!({
            "created": layer.created,
            "created_by": command.map(|words| words.join(" ")).unwrap_or_default(),
        }));
        next = layer.parent.clone().filter(|parent| !parent.is_empty());
        top.get_or_insert(layer);
        ids.push(id);
    }
    ids.reverse();
    history.reverse();
    let paths: Vec<String> = ids.iter().map(|id| format!("{id}/layer.tar")).collect();
    let mut diff_ids = Vec::with_capacity(paths.len());
    for path in &paths {
        let (mut reader, _) = store.open(path)?;
        let digest = hash::sha256_of(&mut reader)
            .map_err(|error| Error::new(ErrorKind::Malformed, format!("{path}: {error}")))?;
        diff_ids.push(digest.to_string());
    }
    let Some(top) = top else {
        return Err(Error::new(ErrorKind::NotAnImage, "the archive lists no image"));
    };
    // The same facts in today's shape, so that there is one reader of configurations.
    let config = serde_json::json!({
        "os": top.os.as_deref().unwrap_or("linux"),
        "architecture": top.architecture,
        "created": top.created,
        "config": top.config,
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": history,
    });
    let configuration = parse_config(config.to_string().as_bytes()).map_err(not_an_image)?;
    platform::check(&configuration.platform, wanted)?;
    let image = describe(None, None, &configuration, chosen.repo_tags.clone()).map_err(not_an_image)?;
    Ok(handle(store, image, paths))
}
