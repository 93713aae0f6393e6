//! What one layer (or one tree) says, before layers are laid over one another.

use serde::{Deserialize, Serialize};
use yagura_model::inventory::FileDigest;
use yagura_model::{Digest, Observation, Skipped};

use super::{PathKey, UnreadLink};
use crate::catalogue::Facts;

/// One file that a cataloguer read, and what it says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// In normal form: relative to the root; bytes that are not UTF-8 are U+FFFD.
    pub path: String,
    /// Key of the raw path.
    pub key: PathKey,
    /// Name of the cataloguer.
    pub cataloguer: String,
    pub facts: Facts,
}

/// A symbolic link.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Symlink {
    pub path: String,
    /// As written.
    pub target: String,
}

/// How much passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub entries: u64,
    /// Regular files, hard links included.
    pub files: u64,
    pub directories: u64,
    pub symlinks: u64,
    /// Bytes of the uncompressed layer; 0 for trees.
    pub inflated_bytes: u64,
}

/// Everything one layer says. The key lists are sorted and hold each key once; trees have none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LayerFacts {
    /// Digest of the uncompressed layer as computed; none for trees and for layers that were not read to their end.
    pub diff_id: Option<Digest>,
    /// Sorted by path, then cataloguer.
    #[serde(with = "super::codec::as_json")]
    pub evidence: Vec<Evidence>,
    pub directories: Vec<PathKey>,
    /// Everything else with a name; what was below that name in lower layers is gone.
    pub non_directories: Vec<PathKey>,
    /// Paths that lower layers lose (`.wh.name`).
    pub whiteouts: Vec<PathKey>,
    /// Directories whose content in lower layers is gone (`.wh..wh..opq`).
    pub opaque: Vec<PathKey>,
    pub symlinks: Vec<Symlink>,
    /// Files that hold code, or may: programs, libraries, scripts, sources.
    pub code: Vec<PathKey>,
    /// Sorted by path.
    #[serde(with = "super::codec::as_json")]
    pub file_digests: Vec<FileDigest>,
    /// What the analysers saw, sorted by path, line, analyser and rule.
    #[serde(with = "super::codec::as_json")]
    pub observations: Vec<Observation>,
    pub counts: Counts,
    #[serde(with = "super::codec::as_json")]
    pub skipped: Vec<Skipped>,
    /// What [`super::scan_links`] has still to read; facts are not complete before that.
    #[serde(skip)]
    pub unread_links: Vec<UnreadLink>,
}

impl Evidence {
    /// The memory this takes, roughly: enough to hold what grows with a hostile file within a bound.
    pub(super) fn weight(&self) -> usize {
        let Facts { packages, system: _, ownership, licenses, skipped: _ } = &self.facts;
        let texts =
            |texts: &[String]| texts.iter().map(|text| text.len() + size_of::<String>()).sum::<usize>();
        let packages = packages.iter().map(|package| {
            size_of_val(package)
                + package.name.len()
                + package.version.len()
                + package.supplier.len()
                + texts(&package.licenses)
                + texts(&package.provides)
                + package.dependencies.iter().map(|d| size_of_val(d) + d.name.len()).sum::<usize>()
                + package.locations.iter().map(|l| size_of_val(l) + l.path.len()).sum::<usize>()
        });
        let ownership =
            ownership.iter().map(|owned| size_of_val(owned) + size_of_val(owned.files.as_slice()));
        let licenses = licenses.iter().map(|item| size_of_val(item) + texts(&item.licenses));
        size_of_val(self) + self.path.len() + packages.chain(ownership).chain(licenses).sum::<usize>()
    }
}

impl LayerFacts {
    /// Takes in what another scanner found in other parts of the same tree or layer.
    pub fn absorb(&mut self, other: Self) {
        self.evidence.extend(other.evidence);
        self.directories.extend(other.directories);
        self.non_directories.extend(other.non_directories);
        self.whiteouts.extend(other.whiteouts);
        self.opaque.extend(other.opaque);
        self.symlinks.extend(other.symlinks);
        self.code.extend(other.code);
        self.file_digests.extend(other.file_digests);
        self.observations.extend(other.observations);
        self.skipped.extend(other.skipped);
        self.unread_links.extend(other.unread_links);
        self.counts.entries += other.counts.entries;
        self.counts.files += other.counts.files;
        self.counts.directories += other.counts.directories;
        self.counts.symlinks += other.counts.symlinks;
        self.counts.inflated_bytes += other.counts.inflated_bytes;
        self.sort();
    }

    /// Puts everything in its order.
    pub(super) fn sort(&mut self) {
        self.evidence.sort_by(|a, b| (&a.path, &a.cataloguer).cmp(&(&b.path, &b.cataloguer)));
        for keys in [
            &mut self.directories,
            &mut self.non_directories,
            &mut self.whiteouts,
            &mut self.opaque,
            &mut self.code,
        ] {
            keys.sort_unstable();
            keys.dedup();
        }
        self.symlinks.sort_unstable();
        self.file_digests.sort_by(|a, b| a.path.cmp(&b.path));
        self.observations.sort_by(|a, b| {
            let (of_a, of_b) = ((&a.analyser, &a.rule, &a.facts), (&b.analyser, &b.rule, &b.facts));
            a.location.cmp(&b.location).then_with(|| of_a.cmp(&of_b))
        });
    }
}
