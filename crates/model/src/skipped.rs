//! What a scan could not look at, and why: nothing is lost silently.

use serde::{Deserialize, Serialize};

/// The reason as a stable code; `detail` of [`Skipped`] has the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SkipReason {
    /// Larger than the bound for its kind.
    TooLarge,
    /// Nested deeper than the bound (archives in archives, structures in documents).
    TooDeep,
    /// Inflates to more than the allowed multiple of its compressed size.
    Ratio,
    /// More items than the bound.
    TooMany,
    /// Ends before it should.
    Truncated,
    /// Its bytes do not have the digest that names them.
    DigestMismatch,
    /// Does not follow its format.
    Malformed,
    /// A form we know of and do not read.
    Unsupported,
    /// The system refused to let us read it.
    Unreadable,
    /// A path that would leave its root.
    UnsafePath,
    /// Encrypted content.
    Encrypted,
    /// Took longer than the bound.
    TimedOut,
}

/// One thing a scan passed over.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Skipped {
    /// The target's name; empty until the scan knows it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub target: String,
    /// The file, `archive.jar!/inner/path` inside archives; empty when the whole layer or target is meant.
    pub path: String,
    /// Diff id of the layer, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<crate::Digest>,
    pub reason: SkipReason,
    /// What was found and, where there is one, the bound it broke.
    pub detail: String,
    /// How many alike were folded into this one (1 for a single one).
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub count: u64,
}

fn one() -> u64 {
    1
}

fn is_one(count: &u64) -> bool {
    *count == 1
}

impl Skipped {
    pub fn new(path: impl Into<String>, reason: SkipReason, detail: impl Into<String>) -> Self {
        Self {
            target: String::new(),
            path: path.into(),
            layer: None,
            reason,
            detail: detail.into(),
            count: 1,
        }
    }
}
