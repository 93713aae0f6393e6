//! Whoever wants the bytes of files as they pass, cataloguers aside.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};
use yagura_model::digest::Algorithm;
use yagura_model::inventory::FileDigest;
use yagura_model::{Digest, Observation, Skipped};

/// A regular file about to pass.
#[derive(Clone, Copy, Debug)]
pub struct PassingFile<'a> {
    /// In normal form: relative to the root; bytes that are not UTF-8 are U+FFFD.
    pub path: &'a str,
    pub mode: u32,
    pub size: u64,
    /// The raw `security.capability` attribute; empty when there is none.
    pub capability: &'a [u8],
    /// The first bytes, up to [`HEAD_BYTES`].
    pub head: &'a [u8],
}

/// Bytes of a file's beginning that are shown before it is chosen.
pub const HEAD_BYTES: usize = 64;

/// What a consumer has to say of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    pub observations: Vec<Observation>,
    /// What it could not look into.
    pub skipped: Vec<Skipped>,
}

impl Observed {
    pub(super) fn append(&mut self, other: Self) {
        self.observations.extend(other.observations);
        self.skipped.extend(other.skipped);
    }
}

/// Is shown every regular file once, in the order of the layer, and takes the bytes of those it wants.
pub trait FileConsumer {
    /// Whether the bytes of this file shall be given to [`FileConsumer::bytes`]. When they are,
    /// [`FileConsumer::end`] follows.
    fn wants(&mut self, file: &PassingFile<'_>) -> bool;

    /// The next bytes of the file that was wanted last, from its first to its last byte.
    fn bytes(&mut self, bytes: &[u8]);

    /// The file is over; `whole` is false when it was cut (broken off, or larger than the scan's bound). Paths left empty
    /// in what is returned are filled in.
    fn end(&mut self, whole: bool) -> Observed;
}

/// Bound for the files whose digests are kept, one layer.
const MAX_FILES: usize = 200_000;

/// Digests of executables: files with an execute bit, and ELF files whatever their mode (shared libraries).
#[derive(Default)]
pub struct ExecutableDigests {
    digests: HashMap<String, FileDigest>,
    current: Option<(FileDigestHeader, Sha256)>,
    /// Files beyond the bound.
    uncounted: u64,
}

struct FileDigestHeader {
    path: String,
    size: u64,
    mode: u32,
}

impl ExecutableDigests {
    /// The digests sorted by path, and how many files were left out by the bound.
    pub fn finish(self) -> (Vec<FileDigest>, u64) {
        let mut digests: Vec<FileDigest> = self.digests.into_values().collect();
        digests.sort_by(|a, b| a.path.cmp(&b.path));
        (digests, self.uncounted)
    }

    /// `path` is another name (a hard link) of the file at `target`, which passed before.
    pub fn link(&mut self, path: &str, target: &str) {
        if let Some(digest) = self.digests.get(target) {
            let linked = FileDigest { path: path.to_owned(), ..digest.clone() };
            self.keep(linked);
        }
    }

    fn keep(&mut self, digest: FileDigest) {
        if self.digests.len() < MAX_FILES || self.digests.contains_key(&digest.path) {
            self.digests.insert(digest.path.clone(), digest);
        } else {
            self.uncounted += 1;
        }
    }
}

impl FileConsumer for ExecutableDigests {
    fn wants(&mut self, file: &PassingFile<'_>) -> bool {
        // The same path may come twice; what it held before does not count.
        self.digests.remove(file.path);
        let wanted = file.size > 0 && (file.mode & 0o111 != 0 || file.head.starts_with(b"\x7fELF"));
        self.current = wanted.then(|| {
            let header = FileDigestHeader { path: file.path.to_owned(), size: file.size, mode: file.mode };
            (header, Sha256::new())
        });
        wanted
    }

    fn bytes(&mut self, bytes: &[u8]) {
        if let Some((_, hasher)) = &mut self.current {
            hasher.update(bytes);
        }
    }

    fn end(&mut self, whole: bool) -> Observed {
        let Some((FileDigestHeader { path, size, mode }, hasher)) = self.current.take() else {
            return Observed::default();
        };
        if let Some(digest) = Digest::from_bytes(Algorithm::Sha256, &hasher.finalize()).filter(|_| whole) {
            self.keep(FileDigest { path, digest, size, mode, owner: None, layer: None });
        }
        Observed::default()
    }
}
