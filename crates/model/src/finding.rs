//! Findings: what a rule or an advisory says of one thing.

use serde::{Deserialize, Serialize};

use crate::vulnerability::Vulnerability;
use crate::{Location, Purl, Severity};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FindingKind {
    Vulnerability,
    Misconfiguration,
    Secret,
    Malware,
    Licence,
    Permission,
    Threat,
    Drift,
}

impl FindingKind {
    pub const ALL: [Self; 8] = [
        Self::Vulnerability,
        Self::Misconfiguration,
        Self::Secret,
        Self::Malware,
        Self::Licence,
        Self::Permission,
        Self::Threat,
        Self::Drift,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Vulnerability => "vulnerability",
            Self::Misconfiguration => "misconfiguration",
            Self::Secret => "secret",
            Self::Malware => "malware",
            Self::Licence => "licence",
            Self::Permission => "permission",
            Self::Threat => "threat",
            Self::Drift => "drift",
        }
    }
}

/// One statement about one node, with exactly one primary location.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Stable across scans: the same flaw in the same package at the same place has the same id.
    pub id: String,
    /// The CVE or advisory, or the rule's id.
    pub rule: String,
    pub kind: FindingKind,
    pub severity: Severity,
    pub title: String,
    /// Name of the target it was found in.
    pub target: String,
    pub location: Location,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<PackageReference>,
    /// The lowest version that is not affected, where one exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed_version: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Framework controls, `framework:control`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub controls: Vec<String>,
    /// What is known of the flaw, for findings of kind vulnerability and malware.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vulnerability: Option<Vulnerability>,
    pub evidence: Evidence,
    /// What to do, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub fix: String,
    /// The build instruction of the layer that holds it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub created_by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_base_image: Option<bool>,
}

/// The package a finding speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PackageReference {
    pub name: String,
    pub version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purl: Option<Purl>,
    /// Development, test, build or optional dependencies are marked.
    #[serde(default)]
    pub scope: crate::package::Scope,
}

/// Why we say so.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// The advisory that matched, such as `DSA-5253-1`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub advisory: String,
    /// The feed it came from, such as `Debian:12`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub feed: String,
    /// The package name the advisory speaks of (a source package, say).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub matched_name: String,
    /// The version that was compared.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub matched_version: String,
    /// The affected range in words, such as `>= 0, < 3.0.11-1~deb12u2`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub range: String,
    /// The version order used, such as `dpkg`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub order: String,
    /// Cataloguer that read the proving file.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub found_by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
    /// The vendor's state of the fix (`fixed`, `not-fixed`, `will-not-fix`), where stated.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub fix_state: String,
    /// The beginning of what a rule found; of a secret a few characters at most.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub excerpt: String,
    /// Names a secret without giving it away: two with the same are the same, where the reports share a key.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub fingerprint: String,
    /// The configured thing a rule speaks of, such as `Deployment shop/web, container nginx`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub resource: String,
    /// Lines and further facts, for rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// How sure a match is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// Only the name fits; the ecosystem had to be assumed.
    NameOnly,
    /// The operating system's own feed speaks of a package its package manager owns.
    OsOwned,
    /// Ecosystem, name and version are exactly those of the advisory.
    ExactPurl,
    /// A rule's guess: it may as well be something else.
    Low,
    /// What was found has the shape that the rule describes.
    Medium,
    /// Only the real thing has this shape, or a checksum proves it.
    High,
}
