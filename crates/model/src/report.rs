//! The result of one run over all its targets: the shape of `-o json`.

use serde::{Deserialize, Serialize};

use crate::image::Image;
pub use crate::risk::{Change, Risk};
use crate::{Finding, Inventory, Location, Skipped};

/// Version of the JSON shape; raised when a field changes its meaning or goes.
pub const SCHEMA_VERSION: &str = "1.0";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    pub schema_version: String,
    pub tool: Tool,
    /// RFC 3339 time of the run.
    pub created: String,
    /// The advisory database that judged; none when only an inventory was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<Database>,
    pub targets: Vec<Target>,
    /// Most severe first, then by target, package and rule.
    pub findings: Vec<Finding>,
    /// Findings read in context, the most urgent first.
    #[serde(default)]
    pub risks: Vec<Risk>,
    /// The edits that end most of them, the one that ends most first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    pub skipped: Vec<Skipped>,
    /// Findings an ignore entry or a VEX statement took out, with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suppressed: Vec<Suppressed>,
    /// What the user should know about the run itself: expired ignore entries, unused VEX statements, an old database.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<String>,
    /// Checks whose verdict hangs on values that cannot be known, or that met what they did not expect: no findings,
    /// and no all-clear either.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undecided: Vec<Undecided>,
}

/// The verdicts of one rule on one target that could not be reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Undecided {
    pub target: String,
    pub rule: String,
    pub count: u64,
    /// Where the first of them is.
    pub first: Location,
    /// What the rule met, where it was an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What made the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tool {
    pub name: String,
    pub version: String,
    /// How the parsers were confined, such as `landlock v4, seccomp`; `none` and the reason where they were not.
    pub sandbox: String,
}

/// The advisory database a report was judged with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Database {
    /// `embedded`, or the file's path.
    pub source: String,
    /// Newest change in it, RFC 3339.
    pub updated: String,
    pub advisories: u64,
    pub sha256: String,
}

/// One thing that was scanned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// As given, without credentials.
    pub name: String,
    pub kind: TargetKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
    pub inventory: Inventory,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetKind {
    Image,
    Directory,
    File,
    Sbom,
    Host,
}

/// A finding that was taken out, and by what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Suppressed {
    pub finding: Finding,
    /// `ignore-file`, `vex`, `evidence` or `baseline`.
    pub by: String,
    /// File and line, or the statement's id.
    pub source: String,
    pub reason: String,
}
