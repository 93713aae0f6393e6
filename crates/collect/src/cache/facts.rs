//! Opaque results by key, such as the facts of a layer by its digest.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use super::{Cache, touch};
use crate::error::Result;
use crate::hash;

/// Largest entry kept, in bytes.
const MAX_ENTRY: usize = 256 << 20;
/// Length of the digest before the bytes.
const CHECK: usize = 64;

impl Cache {
    /// What was kept under the key; `None` when nothing was, or when it is damaged.
    pub fn facts(&self, key: &str) -> Option<Vec<u8>> {
        let path = self.facts_path(key);
        let mut stored = Vec::new();
        File::open(&path).ok()?.take((MAX_ENTRY + CHECK + 1) as u64).read_to_end(&mut stored).ok()?;
        let (check, bytes) = stored.split_at_checked(CHECK)?;
        if hash::sha256(bytes).hex().as_bytes() != check {
            return None;
        }
        touch(&path);
        stored.drain(..CHECK);
        Some(stored)
    }

    /// Keeps bytes under a key, replacing what was there. Larger than 256 MiB is not kept.
    pub fn keep_facts(&self, key: &str, bytes: &[u8]) -> Result<()> {
        if bytes.len() > MAX_ENTRY {
            return Ok(());
        }
        let mut stored = Vec::with_capacity(bytes.len() + CHECK);
        stored.extend_from_slice(hash::sha256(bytes).hex().as_bytes());
        stored.extend_from_slice(bytes);
        self.write(&self.facts_path(key), &stored)
    }

    /// Keys come in any form; their digest is a safe file name.
    fn facts_path(&self, key: &str) -> PathBuf {
        let digest = hash::sha256(key.as_bytes());
        self.root.join("facts").join(&digest.hex()[..2]).join(digest.hex())
    }
}
