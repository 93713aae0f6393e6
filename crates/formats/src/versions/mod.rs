//! Version orders: which of two versions is newer, as each ecosystem's own tools decide.
//!
//! Every order is total: any two strings compare, without panics, and consistently. What an ecosystem would refuse
//! as a version has a place its module documents. This part must not know advisories or packages; whoever asks says
//! which order applies.

mod alpm;
mod apk;
mod bitnami;
mod composer;
mod conan;
mod conda;
mod dart;
mod digits;
mod dpkg;
mod ecosystem;
mod gem;
mod generic;
mod golang;
mod julia;
mod maven;
pub mod npm;
mod nuget;
mod numeric;
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
    /// Semantic versions: npm, Cargo, Hex, Swift, GitHub Actions and others.
    Semver = 5,
    Pep440 = 6,
    Maven = 7,
    Gem = 8,
    Nuget = 9,
    Composer = 10,
    Go = 11,
    Pub = 12,
    Cran = 13,
    Hackage = 14,
    Conan = 15,
    Bitnami = 16,
    Julia = 17,
    Conda = 18,
}

impl Order {
    pub const ALL: [Self; 19] = [
        Self::Generic,
        Self::Dpkg,
        Self::Rpm,
        Self::Apk,
        Self::Alpm,
        Self::Semver,
        Self::Pep440,
        Self::Maven,
        Self::Gem,
        Self::Nuget,
        Self::Composer,
        Self::Go,
        Self::Pub,
        Self::Cran,
        Self::Hackage,
        Self::Conan,
        Self::Bitnami,
        Self::Julia,
        Self::Conda,
    ];

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
            Self::Maven => "maven",
            Self::Gem => "gem",
            Self::Nuget => "nuget",
            Self::Composer => "composer",
            Self::Go => "go",
            Self::Pub => "pub",
            Self::Cran => "cran",
            Self::Hackage => "hackage",
            Self::Conan => "conan",
            Self::Bitnami => "bitnami",
            Self::Julia => "julia",
            Self::Conda => "conda",
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
    ///
    /// Do not hand this to the standard library's sorts, which may panic on the orders that are not
    /// [transitive](Self::is_transitive): [`Self::sort`] sorts any versions.
    pub fn compare(self, a: &str, b: &str) -> Ordering {
        match self {
            Self::Generic => generic::compare(a, b),
            Self::Dpkg => dpkg::compare(a, b),
            Self::Rpm => rpm::compare(a, b),
            Self::Apk => apk::compare(a, b),
            Self::Alpm => alpm::compare(a, b),
            Self::Semver => semver::compare(a, b),
            Self::Pep440 => pep440::compare(a, b),
            Self::Maven => maven::compare(a, b),
            Self::Gem => gem::compare(a, b),
            Self::Nuget => nuget::compare(a, b),
            Self::Composer => composer::compare(a, b),
            Self::Go => golang::compare(a, b),
            Self::Pub => dart::compare(a, b),
            Self::Cran => numeric::cran::compare(a, b),
            Self::Hackage => numeric::hackage::compare(a, b),
            Self::Conan => conan::compare(a, b),
            Self::Bitnami => bitnami::compare(a, b),
            Self::Julia => julia::compare(a, b),
            Self::Conda => conda::compare(a, b),
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
            Self::Maven => maven::is_valid(version),
            Self::Gem => gem::is_valid(version),
            Self::Nuget => nuget::is_valid(version),
            Self::Composer => composer::is_valid(version),
            Self::Go => golang::is_valid(version),
            Self::Pub => dart::is_valid(version),
            Self::Cran => numeric::cran::is_valid(version),
            Self::Hackage => numeric::hackage::is_valid(version),
            Self::Conan => conan::is_valid(version),
            Self::Bitnami => bitnami::is_valid(version),
            Self::Julia => julia::is_valid(version),
            Self::Conda => conda::is_valid(version),
        }
    }

    /// Whether `a < b` and `b < c` always give `a < c`. Maven and Conan break this law themselves for some versions,
    /// and their orders here follow them version by version rather than be tidy and wrong.
    pub fn is_transitive(self) -> bool {
        !matches!(self, Self::Maven | Self::Conan)
    }

    /// Sorts items by their versions, oldest first, keeping equals in place; never panics, whatever the versions.
    pub fn sort<T>(self, items: &mut [T], version: impl Fn(&T) -> &str) {
        if self.is_transitive() {
            items.sort_by(|a, b| self.compare(version(a), version(b)));
            return;
        }
        for end in 1..items.len() {
            let (sorted, rest) = items.split_at(end);
            let Some(next) = rest.first() else { return };
            let at = sorted.partition_point(|item| self.compare(version(item), version(next)).is_le());
            if let Some(moved) = items.get_mut(at..=end) {
                moved.rotate_right(1);
            }
        }
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
