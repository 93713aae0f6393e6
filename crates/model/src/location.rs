//! Where a fact was read.

use serde::{Deserialize, Serialize};

use crate::Digest;

/// A place in a target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Location {
    /// Relative to the target's root, `/`-separated, without a leading slash; `outer.jar!/inner.jar` inside archives.
    /// Bytes that are not UTF-8 are replaced by U+FFFD.
    pub path: String,
    /// First line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_line: Option<u32>,
    /// Column (characters) of the first line at which it begins, from 1; rules know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_column: Option<u32>,
    /// Last line, from 1, inclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_line: Option<u32>,
    /// Diff id of the image layer that holds the file; none outside images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<Digest>,
}

impl Location {
    pub fn file(path: impl Into<String>) -> Self {
        Self { path: path.into(), ..Self::default() }
    }

    /// A single line of a file, from 1.
    pub fn line(path: impl Into<String>, line: u32) -> Self {
        Self { start_line: Some(line), end_line: Some(line), ..Self::file(path) }
    }
}
