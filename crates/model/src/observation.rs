//! What an analyser saw inside a file: the fact that a finding of a secret, of malware or of a licence is made from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Digest, Location};

/// One thing seen in one file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observation {
    /// The analyser, such as `secrets`.
    pub analyser: String,
    /// The analyser's rule that matched.
    pub rule: String,
    pub location: Location,
    /// What the analyser needs to judge later, under names of its own. Never a secret itself.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
    /// The OS package that owns the file, where one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What later layers did to the file.
    #[serde(default)]
    pub fate: Fate,
}

impl Observation {
    /// Of a rule, at a line (from 1) of the file at hand; the scanner fills in which file and whose observation it is.
    pub fn new(rule: impl Into<String>, line: Option<u32>) -> Self {
        let location = Location { start_line: line, end_line: line, ..Location::default() };
        Self { rule: rule.into(), location, ..Self::default() }
    }
}

/// What became of a file of one layer in the layers above it. Whatever the answer, its bytes are still in the image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// A container sees it.
    #[default]
    Present,
    /// Another file took its place, in the layer of this diff id.
    Replaced(Option<Digest>),
    /// It was deleted, or a directory above it was.
    Removed(Option<Digest>),
}
