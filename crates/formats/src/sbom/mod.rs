//! SBOMs as targets: CycloneDX JSON, SPDX JSON and tag-value, Syft JSON, told apart by content.
//!
//! What was written by us comes back whole ([`yagura_model::sbom`] names what the standards have no field for); what
//! others wrote comes back as the same packages a scan of the same thing would find, so that matching agrees.

use serde::Deserialize;
use serde::de::IgnoredAny;
use yagura_model::image::Image;
use yagura_model::report::TargetKind;
use yagura_model::{Inventory, SkipReason};

mod builder;
mod cyclonedx;
mod lenient;
mod property;
mod purl;
mod spdx;
mod spdx3;
mod syft;
mod tag_value;
#[cfg(test)]
mod tests;

pub use purl::{ForeignPurl, package_of};

/// Largest document read, in bytes; callers should not read more of a file than this and one byte.
pub const MAX_BYTES: usize = 512 << 20;

/// What an SBOM says.
#[derive(Clone, Debug, PartialEq)]
pub struct Sbom {
    /// Format and version, for people: `CycloneDX 1.6`.
    pub format: String,
    /// The name of what was scanned, as the document gives it.
    pub subject: String,
    /// What was scanned, where the document says.
    pub kind: Option<TargetKind>,
    pub image: Option<Image>,
    pub inventory: Inventory,
}

/// Why a file is not read as an SBOM.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnSbom {
    #[error("it is larger than {} MiB, the most that is read of an SBOM", MAX_BYTES >> 20)]
    TooLarge,
    #[error("it is neither CycloneDX JSON, SPDX JSON or tag-value, nor Syft JSON")]
    Unknown,
    #[error("{0} is not read: convert it to CycloneDX 1.2 to 1.7 JSON or SPDX 2.3 JSON")]
    Unsupported(String),
    #[error("it is not valid JSON: {0}")]
    Malformed(String),
}

/// The members that tell the formats apart.
#[derive(Deserialize)]
struct Probe {
    #[serde(rename = "bomFormat")]
    bom_format: Option<String>,
    #[serde(rename = "specVersion")]
    spec_version: Option<String>,
    #[serde(rename = "spdxVersion")]
    spdx_version: Option<String>,
    #[serde(rename = "@graph")]
    graph: Option<IgnoredAny>,
    #[serde(rename = "@context")]
    context: Option<serde_json::Value>,
    artifacts: Option<IgnoredAny>,
    #[serde(rename = "artifactRelationships")]
    artifact_relationships: Option<IgnoredAny>,
}

/// Reads an SBOM of any known format. Parts that cannot be read are in the inventory's `skipped`.
pub fn read(bytes: &[u8]) -> Result<Sbom, NotAnSbom> {
    if bytes.len() > MAX_BYTES {
        return Err(NotAnSbom::TooLarge);
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let start = bytes.trim_ascii_start();
    if start.starts_with(b"<") {
        return Err(match contains(start, b"cyclonedx.org/schema/bom") {
            true => NotAnSbom::Unsupported("CycloneDX XML".to_owned()),
            false => NotAnSbom::Unknown,
        });
    }
    if start.starts_with(b"SPDXVersion:") || (start.starts_with(b"#") && contains(start, b"\nSPDXVersion:")) {
        return Ok(tag_value::read(start));
    }
    if !start.starts_with(b"{") {
        return Err(NotAnSbom::Unknown);
    }
    let probe: Probe = parse(start)?;
    if probe.bom_format.as_deref() == Some("CycloneDX") {
        return cyclonedx::read(start, &probe.spec_version.unwrap_or_default());
    }
    if let Some(version) = probe.spdx_version {
        return spdx::read(start, &version);
    }
    if probe.graph.is_some()
        && probe.context.is_some_and(|context| context.to_string().contains("spdx.org/rdf/3"))
    {
        return spdx3::read(start);
    }
    if probe.artifacts.is_some() && probe.artifact_relationships.is_some() {
        return syft::read(start);
    }
    Err(NotAnSbom::Unknown)
}

fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, NotAnSbom> {
    serde_json::from_slice(bytes).map_err(|error| NotAnSbom::Malformed(error.to_string()))
}

/// Whether the first pages hold a piece of text.
fn contains(bytes: &[u8], piece: &[u8]) -> bool {
    const PAGES: usize = 16 << 10;
    memchr::memmem::find(bytes.get(..PAGES).unwrap_or(bytes), piece).is_some()
}

/// The reason for a part of a document that does not follow its format.
const MALFORMED: SkipReason = SkipReason::Malformed;
