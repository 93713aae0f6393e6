//! Which images were seen, by the chain of their layers, to know a base image again.
//!
//! A chain is named as the OCI image specification's ChainID does (`config.md`), so each prefix of an image's layers is
//! one look-up.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use yagura_model::Digest;

use super::{Cache, touch};
use crate::error::Result;
use crate::hash;

/// Largest entry read, in bytes.
const MAX_ENTRY: u64 = 4096;

/// An image scanned before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownImage {
    pub reference: String,
    /// How many layers it has.
    pub layers: usize,
}

impl Cache {
    /// Remembers an image by its layers' diff ids, lowest first.
    pub fn remember_image(&self, reference: &str, diff_ids: &[Digest]) -> Result<()> {
        let Some(chain) = chains(diff_ids).pop() else { return Ok(()) };
        let known = KnownImage { reference: reference.chars().take(512).collect(), layers: diff_ids.len() };
        let text = serde_json::to_vec(&known).unwrap_or_default();
        self.write(&self.chain_path(&chain), &text)
    }

    /// The largest image seen before whose layers are the lowest ones of these, and not all of them.
    pub fn base_of(&self, diff_ids: &[Digest]) -> Option<KnownImage> {
        let chains = chains(diff_ids);
        let (_, below) = chains.split_last()?;
        below.iter().enumerate().rev().find_map(|(index, chain)| {
            let path = self.chain_path(chain);
            let text = std::fs::metadata(&path)
                .ok()
                .filter(|found| found.len() <= MAX_ENTRY)
                .and_then(|_| std::fs::read(&path).ok())?;
            let known: KnownImage = serde_json::from_slice(&text).ok()?;
            touch(&path);
            (known.layers == index + 1).then_some(known)
        })
    }

    fn chain_path(&self, chain: &Digest) -> PathBuf {
        self.root.join("images").join(chain.hex())
    }
}

/// The chain ids of every prefix, shortest first.
fn chains(diff_ids: &[Digest]) -> Vec<Digest> {
    let mut chains: Vec<Digest> = Vec::with_capacity(diff_ids.len());
    for diff_id in diff_ids {
        chains.push(match chains.last() {
            None => diff_id.clone(),
            Some(below) => hash::sha256(format!("{below} {diff_id}").as_bytes()),
        });
    }
    chains
}
