//! What exists: the facts Yagura gathers, the findings it draws from them and the report that shows both.
//!
//! Every other crate speaks in these types. This crate must not know how facts are read (bytes, files,
//! sockets), what time it is, or any vendor's API; it holds values and the small laws they obey.

pub mod alert;
pub mod digest;
pub mod ecosystem;
pub mod field;
pub mod finding;
pub mod graph;
pub mod image;
pub mod inventory;
pub mod location;
pub mod observation;
pub mod package;
pub mod profile;
pub mod purl;
pub mod report;
pub mod risk;
pub mod sbom;
pub mod severity;
pub mod skipped;
pub mod system;
pub mod vex;
pub mod vulnerability;

pub use digest::Digest;
pub use ecosystem::Ecosystem;
pub use finding::{Finding, FindingKind};
pub use inventory::Inventory;
pub use location::Location;
pub use observation::Observation;
pub use package::Package;
pub use purl::Purl;
pub use report::Report;
pub use severity::Severity;
pub use skipped::{SkipReason, Skipped};
pub use system::OperatingSystem;
