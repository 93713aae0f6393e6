//! Versions of the engine and of plugins, as rule files require them.

use std::fmt;

/// The version of Falco's engine whose language this is.
pub const ENGINE_VERSION: Version = Version { major: 0, minor: 57, patch: 0 };

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    pub major: u64,
    pub minor: u64,
    pub patch: u64,
}

impl Version {
    /// `x.y.z`; what follows a `-` or `+` does not count.
    pub fn parse(text: &str) -> Option<Self> {
        let core = text.split(['-', '+']).next()?;
        let mut parts = core.split('.').map(|part| {
            let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            if digits { part.parse().ok() } else { None }
        });
        let version = Self { major: parts.next()??, minor: parts.next()??, patch: parts.next()?? };
        parts.next().is_none().then_some(version)
    }

    /// Whether what has this version serves whoever requires the other.
    pub fn serves(self, required: Self) -> bool {
        self.major == required.major && self >= required
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn versions_serve_older_ones_of_their_major() {
        let version = |text| Version::parse(text).unwrap();
        assert!(version("0.57.0").serves(version("0.15.0")));
        assert!(!version("0.57.0").serves(version("0.58.0")));
        assert!(!version("1.0.0").serves(version("0.1.0")));
        for text in ["1", "1.2", "1.2.x", "1.2.3.4", "", "a.b.c", "1.2.+3"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
        assert_eq!(version("0.18.0-rc1"), version("0.18.0"));
    }
}
