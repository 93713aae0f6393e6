//! Images: layers in parallel, each read once ever, then laid over one another.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use yagura_collect::ImageHandle;
use yagura_formats::image::mark_base;
use yagura_formats::layer::{self, LayerDigests, LayerFacts, codec};
use yagura_model::image::{BaseEvidence, Image};
use yagura_model::report::{Target, TargetKind};
use yagura_model::{Digest, SkipReason, Skipped};

use super::Reader;

/// Reads the layers of an image and merges them.
pub fn read(reader: &mut Reader<'_>, name: &str, mut handle: ImageHandle) -> Target {
    find_base(reader, &mut handle);
    let facts = layers(reader, name, &handle);
    let mut image = handle.image;
    reader.progress.stage("merging layers");
    reader.remember_owners(name, &facts);
    let mut inventory = layer::merge(&facts, Some(&image));
    let secrets = reader.redactor.search_image(&mut image);
    if reader.reports_secrets {
        inventory.observations.extend(secrets);
    }
    if !reader.access.no_cache
        && let Err(error) = reader.cache.remember_image(name, &diff_ids(&image))
    {
        reader.progress.note(&error.to_string());
    }
    Target { name: name.to_owned(), kind: TargetKind::Image, image: Some(image), inventory }
}

fn diff_ids(image: &Image) -> Vec<Digest> {
    image.layers.iter().map(|layer| layer.diff_id.clone()).collect()
}

/// Marks the layers of the base image, by the surest evidence there is.
fn find_base(reader: &mut Reader<'_>, handle: &mut ImageHandle) {
    if let Some((name, base)) = &reader.base {
        if mark_base(&mut handle.image, name, &diff_ids(&base.image), BaseEvidence::Given) {
            return;
        }
        reader.notices.push(format!("--base {name}: its layers are not the lowest layers of this image"));
    }
    let diff_ids = diff_ids(&handle.image);
    if let Some(known) = reader.cache.base_of(&diff_ids) {
        let lowest = diff_ids.get(..known.layers).unwrap_or_default();
        mark_base(&mut handle.image, &known.reference, lowest, BaseEvidence::DigestChain);
    }
}

/// The facts of every layer, lowest first; large layers are begun first so that the threads end together.
fn layers(reader: &Reader<'_>, name: &str, handle: &ImageHandle) -> Vec<LayerFacts> {
    let count = handle.layer_count();
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_key(|index| std::cmp::Reverse(handle.image.layers[*index].size));
    reader.progress.steps(format!("reading {name}"), count as u64);

    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<Option<LayerFacts>>> = Mutex::new(vec![None; count]);
    std::thread::scope(|scope| {
        for _ in 0..reader.jobs().min(count) {
            scope.spawn(|| {
                while let Some(&index) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let facts = one_layer(reader, handle, index);
                    done.lock().unwrap_or_else(PoisonError::into_inner)[index] = Some(facts);
                    reader.progress.step();
                }
            });
        }
    });
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.into_iter().map(Option::unwrap_or_default).collect()
}

/// A layer's facts, from the cache or from its bytes.
fn one_layer(reader: &Reader<'_>, handle: &ImageHandle, index: usize) -> LayerFacts {
    let layer = &handle.image.layers[index];
    // The diff id names the content whatever its compression, so images that share a base share its facts.
    let key = format!("{}-{}", layer.diff_id.hex(), reader.tag.hex());
    let keep = !reader.access.no_cache;
    if keep && let Some(facts) = reader.cache.facts(&key).and_then(|bytes| codec::decode(&bytes, &reader.tag))
    {
        return facts;
    }
    match handle.layer(index) {
        Ok(blob) => {
            let digests =
                LayerDigests { blob: layer.blob_digest.clone(), diff_id: Some(layer.diff_id.clone()) };
            let mut facts = layer::scan_layer(blob, &digests, &reader.options);
            if !facts.unread_links.is_empty()
                && let Ok(blob) = handle.layer(index)
            {
                layer::scan_links(blob, &digests, &reader.options, &mut facts);
            }
            if keep && facts.diff_id.as_ref() == Some(&layer.diff_id) {
                keep_facts(reader, &key, &facts);
            }
            facts
        }
        Err(error) => LayerFacts {
            skipped: vec![Skipped::new("", SkipReason::Unreadable, error.to_string())],
            ..LayerFacts::default()
        },
    }
}

/// A cache that cannot be written makes the next scan slower, and this one no worse.
fn keep_facts(reader: &Reader<'_>, key: &str, facts: &LayerFacts) {
    if let Some(bytes) = codec::encode(facts, &reader.tag)
        && let Err(error) = reader.cache.keep_facts(key, &bytes)
    {
        reader.progress.note(&error.to_string());
    }
}
