//! Version orders: which of two versions is newer, as each ecosystem's own tools decide.
//!
//! Every order is total: any two strings compare, without panics, and consistently. What an ecosystem would refuse
//! as a version has a place its module documents. This part must not know advisories or packages; whoever asks says
//! which order applies.

mod alpm;
mod apk;
mod digits;
mod dpkg;
mod ecosystem;
mod generic;
mod pep440;
mod pep440_legacy;
mod rpm;
mod semver;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use ecosystem::RangeType;

/// The order of one family of version numbers. The numbers are stable: databases keep them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Order {
    /// Numbers and words, for versions of unknown making.
    Generic = 0,
    Dpkg = 1,
    Rpm = 2,
    Apk = 3,
    Alpm = 4,
    /// Semantic versions: npm, Cargo, Hex, Julia, Swift, GitHub Actions and others.
    Semver = 5,
    Pep440 = 6,
}

impl Order {
    pub const ALL: [Self; 7] =
        [Self::Generic, Self::Dpkg, Self::Rpm, Self::Apk, Self::Alpm, Self::Semver, Self::Pep440];

    /// Stable name, as evidence shows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::Dpkg => "dpkg",
            Self::Rpm => "rpm",
            Self::Apk => "apk",
            Self::Alpm => "alpm",
            Self::Semver => "semver",
            Self::Pep440 => "pep440",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.name() == name)
    }

    /// Stable number, for databases.
    pub fn code(self) -> u8 {
        self as u8
    }

    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.code() == code)
    }

    /// Compares two versions; `Equal` where the ecosystem sees no difference (`1.0` and `1.0.0` in Python).
    pub fn compare(self, a: &str, b: &str) -> Ordering {
        match self {
            Self::Generic => generic::compare(a, b),
            Self::Dpkg => dpkg::compare(a, b),
            Self::Rpm => rpm::compare(a, b),
            Self::Apk => apk::compare(a, b),
            Self::Alpm => alpm::compare(a, b),
            Self::Semver => semver::compare(a, b),
            Self::Pep440 => pep440::compare(a, b),
        }
    }

    /// Whether the ecosystem's own tools would take the text for a version.
    pub fn is_valid(self, version: &str) -> bool {
        match self {
            Self::Generic => generic::is_valid(version),
            Self::Dpkg => dpkg::is_valid(version),
            Self::Rpm => rpm::is_valid(version),
            Self::Apk => apk::is_valid(version),
            Self::Alpm => alpm::is_valid(version),
            Self::Semver => semver::is_valid(version),
            Self::Pep440 => pep440::is_valid(version),
        }
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
