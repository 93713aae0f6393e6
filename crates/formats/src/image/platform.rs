//! Platforms: operating system, architecture and variant, as image indexes and users name them.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// A platform (OCI image index, `platform`). The architecture is in Go's spelling (`amd64`, `arm64`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(from = "Stated")]
pub struct Platform {
    pub os: String,
    pub architecture: String,
    /// `v7`, `v8`, …; empty where it does not matter.
    pub variant: String,
    /// Windows only; empty elsewhere.
    pub os_version: String,
}

/// The fields as documents spell them.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Stated {
    #[serde(deserialize_with = "super::null_as_default")]
    os: String,
    #[serde(deserialize_with = "super::null_as_default")]
    architecture: String,
    #[serde(deserialize_with = "super::null_as_default")]
    variant: String,
    #[serde(rename = "os.version", deserialize_with = "super::null_as_default")]
    os_version: String,
}

impl From<Stated> for Platform {
    fn from(stated: Stated) -> Self {
        let mut platform = Self::new(&stated.os, &stated.architecture, &stated.variant);
        platform.os_version = stated.os_version;
        platform
    }
}

impl Platform {
    /// A platform with the spellings people use brought to one form: `x86_64` is `amd64`, `aarch64` is `arm64`,
    /// 64-bit Arm is `v8` unless it says otherwise and 32-bit Arm `v7`.
    pub fn new(os: &str, architecture: &str, variant: &str) -> Self {
        let os = os.to_ascii_lowercase();
        let lower = architecture.to_ascii_lowercase();
        let variant = variant.to_ascii_lowercase();
        let (architecture, variant) = match (lower.as_str(), variant.as_str()) {
            ("x86_64" | "x86-64" | "amd64", "v1" | "") => ("amd64", ""),
            ("x86_64" | "x86-64", variant) => ("amd64", variant),
            ("i386" | "i486" | "i586" | "i686" | "x86" | "386", _) => ("386", ""),
            ("aarch64" | "arm64", "8" | "v8" | "") => ("arm64", ""),
            ("aarch64", variant) => ("arm64", variant),
            ("armhf", "") => ("arm", "v7"),
            ("armel", "") => ("arm", "v6"),
            ("arm", "" | "7") => ("arm", "v7"),
            ("arm", "5") => ("arm", "v5"),
            ("arm", "6") => ("arm", "v6"),
            ("arm", "8") => ("arm", "v8"),
            (architecture, variant) => (architecture, variant),
        };
        Self {
            os,
            architecture: architecture.to_owned(),
            variant: variant.to_owned(),
            os_version: String::new(),
        }
    }

    /// Whether an image of `offered` satisfies this wish. A variant that is not asked for does not matter; 32-bit
    /// Arm runs what was built for a lower variant.
    pub fn accepts(&self, offered: &Self) -> bool {
        if self.os != offered.os || self.architecture != offered.architecture {
            return false;
        }
        match self.architecture.as_str() {
            "arm" => arm_version(&offered.variant) <= arm_version(&self.variant),
            _ => self.variant.is_empty() || offered.variant.is_empty() || self.variant == offered.variant,
        }
    }

    /// How well `offered` fits, for choosing among several that are accepted: higher is better.
    pub fn preference(&self, offered: &Self) -> u8 {
        match self.architecture.as_str() {
            _ if self.variant == offered.variant => 255,
            "arm" => arm_version(&offered.variant),
            _ => 0,
        }
    }
}

fn arm_version(variant: &str) -> u8 {
    variant.strip_prefix('v').unwrap_or(variant).parse().unwrap_or(7)
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        if !self.variant.is_empty() {
            write!(f, "/{}", self.variant)?;
        }
        Ok(())
    }
}

/// Why a text names no platform.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a platform: expected os/architecture or os/architecture/variant, such as linux/arm64")]
pub struct InvalidPlatform(String);

impl FromStr for Platform {
    type Err = InvalidPlatform;

    /// `os/architecture[/variant]`, or an architecture alone, which means Linux.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidPlatform(text.chars().take(60).collect());
        let fits = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        };
        let parts: Vec<&str> = text.split('/').collect();
        if !parts.iter().all(|part| fits(part)) {
            return Err(invalid());
        }
        match parts.as_slice() {
            ["linux" | "windows" | "darwin" | "freebsd"] => Err(invalid()),
            [architecture] => Ok(Self::new("linux", architecture, "")),
            [os, architecture] => Ok(Self::new(os, architecture, "")),
            [os, architecture, variant] => Ok(Self::new(os, architecture, variant)),
            _ => Err(invalid()),
        }
    }
}
