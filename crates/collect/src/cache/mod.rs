//! What is kept between runs: blobs by digest, facts by key, and the layer chains of images seen.
//!
//! The directory is laid out so that it is also an OCI blob store (`blobs/<algorithm>/<hex>`). Every file appears by
//! rename, whole; a reader never sees half of one. Contents are opaque here. Losing the cache loses only time.

mod chains;
mod eviction;
mod facts;

use std::fs::{self, DirBuilder, File};
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tempfile::NamedTempFile;
use yagura_model::Digest;

use crate::error::{Error, ErrorKind, Result};

pub use chains::KnownImage;

/// Bound for all that is kept, unless the caller sets another: 10 GiB.
pub const DEFAULT_MAX_BYTES: u64 = 10 << 30;

/// A cache directory. Several processes may share one.
#[derive(Clone, Debug)]
pub struct Cache {
    root: PathBuf,
}

impl Cache {
    /// Opens (and makes) the cache at `root`.
    pub fn open(root: &Path) -> Result<Self> {
        let cache = Self { root: root.to_owned() };
        for part in ["blobs/sha256", "partial", "facts", "images", "tmp"] {
            make_private(&root.join(part))?;
        }
        Ok(cache)
    }

    /// Opens the user's cache: `$XDG_CACHE_HOME/yagura`, else `~/.cache/yagura`.
    pub fn open_default() -> Result<Self> {
        let base = std::env::var_os("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .or_else(|| std::env::home_dir().map(|home| home.join(".cache")));
        match base {
            Some(base) => Self::open(&base.join("yagura")),
            None => Err(Error::new(ErrorKind::NotFound, "there is no home directory for the cache")
                .advise("set XDG_CACHE_HOME")),
        }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// For files that do not outlive the run.
    pub fn temporary_directory(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// Where a blob is or would be.
    pub(crate) fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.root.join("blobs").join(digest.algorithm().name()).join(digest.hex())
    }

    pub(crate) fn partial_path(&self, digest: &Digest) -> PathBuf {
        self.root.join("partial").join(format!("{}-{}", digest.algorithm().name(), digest.hex()))
    }

    /// Whether a blob of this size is here; it then counts as used now.
    pub(crate) fn has_blob(&self, digest: &Digest, size: u64) -> bool {
        let path = self.blob_path(digest);
        let here = fs::metadata(&path).is_ok_and(|found| found.is_file() && found.len() == size);
        if here {
            touch(&path);
        }
        here
    }

    /// Keeps a small blob whose digest the caller has verified.
    pub(crate) fn put_blob(&self, digest: &Digest, bytes: &[u8]) -> Result<()> {
        self.write(&self.blob_path(digest), bytes)
    }

    /// Moves a verified file into its place among the blobs.
    pub(crate) fn adopt_blob(&self, digest: &Digest, from: &Path) -> Result<()> {
        let path = self.blob_path(digest);
        if let Some(directory) = path.parent() {
            make_private(directory)?;
        }
        fs::rename(from, &path).map_err(|error| Error::io(&path, &error))
    }

    /// Writes a file so that it appears whole or not at all.
    fn write(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        if let Some(directory) = path.parent() {
            make_private(directory)?;
        }
        let failed = |error: std::io::Error| Error::io(path, &error);
        let mut file = NamedTempFile::new_in(self.temporary_directory()).map_err(failed)?;
        file.write_all(bytes).map_err(failed)?;
        file.persist(path).map_err(|error| failed(error.error))?;
        Ok(())
    }
}

/// Only the user may look: images and facts can hold secrets.
fn make_private(directory: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(|error| Error::io(directory, &error))
}

/// Marks as used now. Failing costs only the order of eviction.
fn touch(path: &Path) {
    if let Ok(file) = File::options().append(true).open(path) {
        let _ = file.set_modified(SystemTime::now());
    }
}

#[cfg(test)]
mod tests;
