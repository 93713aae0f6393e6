//! Paths as fixed-size keys, so that millions of them fit in memory.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// The first 16 bytes of the SHA-256 of a path's raw bytes (relative to the root, no leading or trailing `/`).
/// A cryptographic hash because paths are chosen by the image's author: a collision would hide a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathKey([u8; 16]);

impl PathKey {
    /// The key of a path; a leading `/` or `./` and trailing `/` are ignored.
    pub fn of(path: &[u8]) -> Self {
        let mut path = path;
        while let Some(rest) = path.strip_prefix(b"./").or_else(|| path.strip_prefix(b"/")) {
            path = rest;
        }
        while let Some(rest) = path.strip_suffix(b"/") {
            path = rest;
        }
        let hash = Sha256::digest(path);
        let mut key = [0; 16];
        key.copy_from_slice(&hash[..16]);
        Self(key)
    }
}

impl Serialize for PathKey {
    /// As 32 hexadecimal digits in text, as its 16 bytes elsewhere.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return self.0.serialize(serializer);
        }
        serializer.collect_str(&format_args!("{:032x}", u128::from_be_bytes(self.0)))
    }
}

impl<'de> Deserialize<'de> for PathKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return <[u8; 16]>::deserialize(deserializer).map(Self);
        }
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let number = u128::from_str_radix(&text, 16).map_err(D::Error::custom)?;
        Ok(Self(number.to_be_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::PathKey;

    #[test]
    fn spelling_of_the_root_does_not_matter() {
        let key = PathKey::of(b"etc/passwd");
        assert_eq!(key, PathKey::of(b"/etc/passwd"));
        assert_eq!(key, PathKey::of(b"./etc/passwd"));
        assert_ne!(key, PathKey::of(b"etc/passwd2"));
    }
}
