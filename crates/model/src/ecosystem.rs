//! The package ecosystems, named once.

use serde::{Deserialize, Serialize};

/// Who names and versions a package. One per purl type we produce.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ecosystem {
    Alpm,
    Apk,
    Bitnami,
    Cargo,
    Composer,
    Conan,
    Conda,
    Cran,
    Deb,
    Gem,
    /// Programs known by their own version strings, and everything without a registry.
    Generic,
    Github,
    Golang,
    Hackage,
    Hex,
    Julia,
    /// A Linux kernel and its modules on a host.
    Kernel,
    Maven,
    Npm,
    Nuget,
    Otp,
    Pub,
    Pypi,
    Rpm,
    Swift,
    Cocoapods,
}

impl Ecosystem {
    pub const ALL: [Self; 26] = [
        Self::Alpm,
        Self::Apk,
        Self::Bitnami,
        Self::Cargo,
        Self::Composer,
        Self::Conan,
        Self::Conda,
        Self::Cran,
        Self::Deb,
        Self::Gem,
        Self::Generic,
        Self::Github,
        Self::Golang,
        Self::Hackage,
        Self::Hex,
        Self::Julia,
        Self::Kernel,
        Self::Maven,
        Self::Npm,
        Self::Nuget,
        Self::Otp,
        Self::Pub,
        Self::Pypi,
        Self::Rpm,
        Self::Swift,
        Self::Cocoapods,
    ];

    /// The type in a package URL (purl-spec, PURL-TYPES).
    pub fn purl_type(self) -> &'static str {
        match self {
            Self::Alpm => "alpm",
            Self::Apk => "apk",
            Self::Bitnami => "bitnami",
            Self::Cargo => "cargo",
            Self::Composer => "composer",
            Self::Conan => "conan",
            Self::Conda => "conda",
            Self::Cran => "cran",
            Self::Deb => "deb",
            Self::Gem => "gem",
            Self::Generic | Self::Kernel => "generic",
            Self::Github => "github",
            Self::Golang => "golang",
            Self::Hackage => "hackage",
            Self::Hex => "hex",
            Self::Julia => "julia",
            Self::Maven => "maven",
            Self::Npm => "npm",
            Self::Nuget => "nuget",
            Self::Otp => "otp",
            Self::Pub => "pub",
            Self::Pypi => "pypi",
            Self::Rpm => "rpm",
            Self::Swift => "swift",
            Self::Cocoapods => "cocoapods",
        }
    }

    /// The ecosystem of a purl type; `None` for types we do not know.
    pub fn from_purl_type(purl_type: &str) -> Option<Self> {
        Self::ALL.into_iter().filter(|e| *e != Self::Kernel).find(|e| e.purl_type() == purl_type)
    }

    /// Whether packages of this kind are installed by the operating system's own package manager.
    pub fn is_operating_system(self) -> bool {
        matches!(self, Self::Alpm | Self::Apk | Self::Deb | Self::Rpm)
    }
}
