//! The names under which an SBOM carries what its standard has no field for.
//!
//! Writers (`yagura-report`) and readers (`yagura-formats`) of SBOMs do not know each other; these names are what
//! they agree on. CycloneDX has them as properties `yagura:NAME`, SPDX as one annotation by the tool.

/// Before every name.
pub const PREFIX: &str = "yagura:";

/// [`crate::Ecosystem`] in lower case, where the purl does not say it (no purl, or `kernel`).
pub const ECOSYSTEM: &str = "ecosystem";
pub const ARCHITECTURE: &str = "architecture";
pub const DISTRIBUTION: &str = "distribution";
pub const DISTRO: &str = "distro";
pub const MODULE: &str = "module";
/// `key=value`, one property a qualifier.
pub const QUALIFIER: &str = "qualifier";
pub const SOURCE_NAME: &str = "source-name";
pub const SOURCE_VERSION: &str = "source-version";
/// One property a licence, where the standard's own field would not bring the list back.
pub const LICENSE: &str = "license";
pub const PRESENCE: &str = "presence";
pub const SCOPE: &str = "scope";
/// JSON of a [`crate::Location`], one property a location, the primary one first.
pub const LOCATION: &str = "location";
pub const FOUND_BY: &str = "found-by";
/// Name of the OS package that owns the evidence file.
pub const OWNER: &str = "owner";
/// Id, within the document, of the package that owns this one.
pub const OWNED_BY: &str = "owned-by";
/// `true` or `false`.
pub const FROM_BASE_IMAGE: &str = "from-base-image";

/// JSON of [`crate::image::Image`], on the component or package that stands for the target.
pub const IMAGE: &str = "image";
/// JSON of [`crate::OperatingSystem`].
pub const SYSTEM: &str = "operating-system";
/// [`crate::report::TargetKind`] of the target that was scanned.
pub const TARGET_KIND: &str = "target-kind";
/// Regular files seen.
pub const FILES: &str = "files";
/// JSON of a [`crate::Skipped`], one property each.
pub const SKIPPED: &str = "skipped";

/// Of a file: size in bytes, permission bits in octal, diff id of its layer.
pub const FILE_SIZE: &str = "size";
pub const FILE_MODE: &str = "mode";
pub const FILE_LAYER: &str = "layer";
