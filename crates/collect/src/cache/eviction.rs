//! Keeps the cache within its bound: what was used longest ago goes first.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::Cache;
use crate::error::Result;

/// Nothing used within this time is taken away: another process may be about to read it.
const KEEP_AT_LEAST: Duration = Duration::from_secs(15 * 60);
/// Downloads nobody came back to, and leavings of runs that were killed.
const ABANDONED: Duration = Duration::from_secs(3 * 24 * 3600);
/// What a small file costs at least.
const BLOCK: u64 = 4096;

impl Cache {
    /// Takes files away until at most `max_bytes` are left, and returns how many bytes that freed.
    pub fn evict(&self, max_bytes: u64) -> Result<u64> {
        self.evict_at(max_bytes, SystemTime::now())
    }

    pub(super) fn evict_at(&self, max_bytes: u64, now: SystemTime) -> Result<u64> {
        let mut files = Vec::new();
        for part in ["blobs", "facts", "images", "partial", "tmp"] {
            collect(&self.root.join(part), 3, &mut files);
        }
        files.sort_by_key(|file| file.used);
        let mut total: u64 = files.iter().map(|file| file.size).sum();
        let mut freed = 0;
        for file in files {
            let age = now.duration_since(file.used).unwrap_or_default();
            let unfinished =
                !["blobs", "facts", "images"].iter().any(|part| file.path.starts_with(self.root.join(part)));
            let over = total > max_bytes && age > KEEP_AT_LEAST && !unfinished;
            let abandoned = unfinished && age > ABANDONED;
            if (over || abandoned) && fs::remove_file(&file.path).is_ok() {
                total = total.saturating_sub(file.size);
                freed += file.size;
            }
        }
        Ok(freed)
    }
}

struct Kept {
    path: PathBuf,
    size: u64,
    used: SystemTime,
}

fn collect(directory: &Path, depth: usize, files: &mut Vec<Kept>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let Ok(found) = entry.metadata() else { continue };
        if found.is_dir() && depth > 0 {
            collect(&entry.path(), depth - 1, files);
        } else if found.is_file() {
            let used = found.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            files.push(Kept { path: entry.path(), size: found.len().max(BLOCK), used });
        }
    }
}
