//! VEX statements: what somebody says of a known flaw in a product, whatever format it was said in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Digest, Purl};

/// The four statuses of "Minimum Requirements for VEX" (CISA, 2023).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VexStatus {
    NotAffected,
    Affected,
    Fixed,
    UnderInvestigation,
}

impl VexStatus {
    pub const ALL: [Self; 4] = [Self::NotAffected, Self::Affected, Self::Fixed, Self::UnderInvestigation];

    /// The word OpenVEX uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotAffected => "not_affected",
            Self::Affected => "affected",
            Self::Fixed => "fixed",
            Self::UnderInvestigation => "under_investigation",
        }
    }

    /// Whether a finding with this status need not be acted upon.
    pub fn suppresses(self) -> bool {
        matches!(self, Self::NotAffected | Self::Fixed)
    }
}

impl fmt::Display for VexStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for VexStatus {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|status| status.name() == text).ok_or(())
    }
}

/// One statement about one flaw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VexStatement {
    /// The flaw's name as the statement gives it, and its other names.
    pub vulnerability: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    pub status: VexStatus,
    /// None: the statement is about whatever the reader applies it to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<VexProduct>,
    /// One of OpenVEX's five labels, or the format's own word; empty if not stated.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub justification: String,
    /// Why it is not affected, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub impact: String,
    /// What to do about it, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub action: String,
    /// When it was said: UTC, `YYYY-MM-DDTHH:MM:SSZ`, so that later is greater; empty if not stated.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub timestamp: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub author: String,
    pub source: VexSource,
}

/// Where a statement was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VexSource {
    /// File, or reference of the attached document.
    pub file: String,
    /// Place among the document's statements, from 0.
    pub index: usize,
    /// The statement's or its document's own id, where there is one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
}

impl fmt::Display for VexSource {
    /// `FILE, statement N`, counted from 1 for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, statement {}", self.file, self.index.saturating_add(1))
    }
}

/// A product, and the components of it that are meant; all of it when there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VexProduct {
    #[serde(flatten)]
    pub component: VexComponent,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subcomponents: Vec<VexComponent>,
}

/// A piece of software under every name a statement gives it. Any one of them identifies it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VexComponent {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub purls: Vec<Purl>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub digests: Vec<Digest>,
    /// CPE 2.2 or 2.3 names, as written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cpes: Vec<String>,
    /// What it is called where it has no better name: an IRI, or a title.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
}

impl VexComponent {
    /// The best name for people.
    pub fn label(&self) -> &str {
        match (self.purls.first(), self.cpes.first()) {
            (Some(purl), _) => purl.as_str(),
            (None, Some(cpe)) => cpe,
            (None, None) => &self.name,
        }
    }
}
