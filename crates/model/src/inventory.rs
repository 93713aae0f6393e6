//! Everything found in one target.

use serde::{Deserialize, Serialize};

use crate::{Digest, Observation, OperatingSystem, Package, Skipped};

/// Packages and what binds them, after all layers are merged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Inventory {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<OperatingSystem>,
    /// Sorted by ecosystem, name, version, first location.
    pub packages: Vec<Package>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relations: Vec<Relation>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<Skipped>,
    /// Regular files seen, all layers together.
    pub files: u64,
    /// Executable files with their content digests, when they were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub file_digests: Vec<FileDigest>,
    /// What analysers saw inside files, in every layer, sorted by path and line. Findings are made from them; reports
    /// do not repeat them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observations: Vec<Observation>,
}

/// One package needs or contains another; both are indices into [`Inventory::packages`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Relation {
    pub from: usize,
    pub to: usize,
    pub kind: RelationKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RelationKind {
    /// `from` needs `to`.
    DependsOn,
    /// `from` (an OS package) installed the files that prove `to`.
    Owns,
}

/// The content of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileDigest {
    pub path: String,
    pub digest: Digest,
    pub size: u64,
    /// Permission bits (`chmod(2)`).
    pub mode: u32,
    /// The OS package that owns it, where one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<Digest>,
}
