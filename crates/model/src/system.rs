//! The operating system of a target, as os-release(5) states it.

use serde::{Deserialize, Serialize};

/// Fields of os-release(5); empty where the file is silent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OperatingSystem {
    /// `ID`, such as `debian`, `almalinux`, `alpine`.
    pub id: String,
    /// `ID_LIKE`, nearest relative first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub id_like: Vec<String>,
    /// `VERSION_ID`, such as `12`, `9.4`, `3.20.1`; empty on rolling releases.
    pub version: String,
    /// `VERSION_CODENAME`, such as `bookworm`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub codename: String,
    /// `PRETTY_NAME`, for people.
    pub name: String,
    /// `CPE_NAME`, where given.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cpe: String,
    /// Date on which the vendor stops free security updates, `YYYY-MM-DD`, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_of_life: Option<String>,
}

impl OperatingSystem {
    /// The first component of the version (`9` of `9.4`).
    pub fn major(&self) -> &str {
        self.version.split('.').next().unwrap_or_default()
    }

    /// `id-version`, the value of a purl's `distro` qualifier.
    pub fn distro(&self) -> String {
        if self.version.is_empty() { self.id.clone() } else { format!("{}-{}", self.id, self.version) }
    }
}
