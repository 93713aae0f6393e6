//! Where the files of an image lie: a directory, or the members of a tar.

use std::fs::File;
use std::io::{BufReader, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use yagura_model::Digest;

use super::tar_index::{Section, TarIndex};
use crate::error::{Error, ErrorKind, Result};
use crate::hash;
use crate::target::ArchiveFormat;

/// Bytes read at once from a store.
const READ_BUFFER: usize = 128 << 10;

/// Named files, opened any number of times and from any thread.
pub(crate) trait Store: Send + Sync {
    /// The content and its size in bytes.
    fn open(&self, path: &str) -> Result<(Box<dyn Read + Send>, u64)>;

    /// A whole small file; longer ones than `bound` are refused.
    fn read(&self, path: &str, bound: usize) -> Result<Vec<u8>> {
        let (reader, size) = self.open(path)?;
        let bound = bound as u64;
        let mut bytes = Vec::new();
        reader
            .take(bound + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| Error::new(ErrorKind::Io, format!("{path}: {error}")))?;
        if bytes.len() as u64 > bound {
            return Err(Error::new(
                ErrorKind::TooLarge,
                format!("{path} has {size} bytes, more than the {bound} we read"),
            ));
        }
        Ok(bytes)
    }

    /// A whole small blob, verified.
    fn read_blob(&self, digest: &Digest, bound: usize) -> Result<Vec<u8>> {
        let bytes = self.read(&blob_path(digest), bound)?;
        hash::verify(&bytes, digest)?;
        Ok(bytes)
    }
}

/// Path of a blob in an OCI layout.
pub(crate) fn blob_path(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm().name(), digest.hex())
}

/// A directory in the OCI image layout. Blobs may be symbolic links (build tools write such layouts): what they lead
/// to is verified by digest like anything else.
pub(crate) struct DirectoryStore {
    root: PathBuf,
}

impl DirectoryStore {
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }
}

/// Most blobs looked at for links.
const MAX_LINKED: usize = 10_000;

/// What symbolic links among the blobs of a layout lead to.
pub(crate) fn linked_blobs(layout: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(layout.join("blobs/sha256"));
    entries
        .into_iter()
        .flatten()
        .flatten()
        .take(MAX_LINKED)
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_symlink()))
        .filter_map(|entry| entry.path().canonicalize().ok())
        .collect()
}

impl Store for DirectoryStore {
    fn open(&self, path: &str) -> Result<(Box<dyn Read + Send>, u64)> {
        let whole = self.root.join(path);
        // Without O_NONBLOCK a FIFO in the place of a blob would hang us.
        let nonblocking = rustix::fs::OFlags::NONBLOCK.bits() as i32;
        let file =
            File::options().read(true).custom_flags(nonblocking).open(&whole).map_err(|error| match error
                .kind()
            {
                std::io::ErrorKind::NotFound => {
                    Error::new(ErrorKind::NotFound, format!("{path} is missing from the layout"))
                }
                _ => Error::io(&whole, &error),
            })?;
        let metadata = file.metadata().map_err(|error| Error::io(&whole, &error))?;
        if !metadata.is_file() {
            return Err(Error::new(ErrorKind::Malformed, format!("{path} is not a regular file")));
        }
        Ok((Box::new(BufReader::with_capacity(READ_BUFFER, file)), metadata.len()))
    }
}

/// A tar file, its members read by position.
pub(crate) struct ArchiveStore {
    file: Arc<File>,
    index: TarIndex,
}

impl ArchiveStore {
    pub(crate) fn new(file: File) -> Result<Self> {
        let index = TarIndex::read(&file)?;
        Ok(Self { file: Arc::new(file), index })
    }

    pub(crate) fn format(&self) -> Option<ArchiveFormat> {
        self.index.image_format()
    }

    pub(crate) fn is_oci_layout(&self) -> bool {
        self.index.contains("index.json")
    }

    pub(crate) fn contains(&self, path: &str) -> bool {
        self.index.contains(path)
    }
}

impl Store for ArchiveStore {
    fn open(&self, path: &str) -> Result<(Box<dyn Read + Send>, u64)> {
        let Some((offset, size)) = self.index.find(path) else {
            return Err(Error::new(ErrorKind::NotFound, format!("{path} is missing from the archive")));
        };
        let section = Section::new(self.file.clone(), offset, size);
        Ok((Box::new(BufReader::with_capacity(READ_BUFFER, section)), size))
    }
}
