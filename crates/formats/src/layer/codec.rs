//! Facts of a layer as bytes, for a cache that nobody needs to trust.
//!
//! An entry is a magic number, a tag, a checksum and the compressed facts. The tag is a digest of everything that
//! decides what a scan finds: the build, the cataloguers and analysers and their rules, the bounds. An entry of another tag, or a
//! damaged one, reads as absent. Whoever can write the cache can forge entries, checksum included: it must be as
//! private as the program's own files.

use std::io::{self, Read, Write};

use sha2::{Digest as _, Sha256};

use super::{LayerFacts, ScanOptions};

const MAGIC: &[u8; 8] = b"ygrlayer";
/// Raised when the form of [`LayerFacts`] changes.
const FORM: u32 = 3;
const TAG_BYTES: usize = 32;
const CHECKSUM_BYTES: usize = 32;
/// Bound for the inflated facts of one layer: six million paths take 96 MiB.
const MAX_INFLATED_BYTES: u64 = 512 << 20;
/// Keys do not compress and the rest does easily.
const COMPRESSION_LEVEL: i32 = 1;

/// Names what a scan would find in a layer; layers scanned under another tag must be scanned again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheTag([u8; TAG_BYTES]);

impl CacheTag {
    /// The tag of scans with these options by this build of the program (its version and commit, say).
    pub fn of(options: &ScanOptions, build: &str) -> Self {
        let mut hasher = Sha256::new();
        let mut add = |text: String| {
            hasher.update((text.len() as u64).to_le_bytes());
            hasher.update(text);
        };
        add(format!("{FORM} {} {build}", env!("CARGO_PKG_VERSION")));
        let ScanOptions { selection, analysers, inflate, .. } = options;
        for cataloguer in selection.cataloguers() {
            add(format!("{} {:?} {}", cataloguer.name, cataloguer.selects, cataloguer.max_bytes));
        }
        for analyser in analysers {
            add(format!("{} {}", analyser.name(), analyser.version()));
        }
        let ScanOptions {
            max_entries,
            max_packages,
            max_facts_bytes,
            max_symlinks,
            max_observations,
            max_stream_bytes,
            executable_digests,
            ..
        } = options;
        add(format!(
            "{inflate:?} {max_entries} {max_packages} {max_facts_bytes} {max_symlinks} {max_observations} {max_stream_bytes} {executable_digests}"
        ));
        Self(hasher.finalize().into())
    }

    /// The tag in hexadecimal, for file names.
    pub fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The facts as bytes; `None` when they are too many to be worth keeping.
pub fn encode(facts: &LayerFacts, tag: &CacheTag) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&tag.0);
    bytes.extend_from_slice(&[0; CHECKSUM_BYTES]);
    let start = bytes.len();
    let encoder = zstd::stream::write::Encoder::new(bytes, COMPRESSION_LEVEL).ok()?;
    let counting = Counting { inner: encoder, count: 0 };
    let Counting { inner, count } = postcard::to_io(facts, counting).ok()?;
    if count > MAX_INFLATED_BYTES {
        return None;
    }
    let mut bytes = inner.finish().ok()?;
    let checksum = Sha256::digest(bytes.get(start..)?);
    bytes.get_mut(start - CHECKSUM_BYTES..start)?.copy_from_slice(&checksum);
    Some(bytes)
}

/// Counts what is written through it.
struct Counting<W> {
    inner: W,
    count: u64,
}

impl<W: Write> Write for Counting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.count += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Reads an entry back; `None` when it was written under another tag, or is damaged.
pub fn decode(bytes: &[u8], tag: &CacheTag) -> Option<LayerFacts> {
    let bytes = bytes.strip_prefix(MAGIC)?;
    let bytes = bytes.strip_prefix(tag.0.as_slice())?;
    let (checksum, packed) = bytes.split_at_checked(CHECKSUM_BYTES)?;
    if checksum != Sha256::digest(packed).as_slice() {
        return None;
    }
    let mut plain = Vec::new();
    let decoder = zstd::stream::read::Decoder::new(packed).ok()?;
    decoder.take(MAX_INFLATED_BYTES + 1).read_to_end(&mut plain).ok()?;
    if plain.len() as u64 > MAX_INFLATED_BYTES {
        return None;
    }
    let (facts, rest) = postcard::take_from_bytes::<LayerFacts>(&plain).ok()?;
    rest.is_empty().then_some(facts)
}

/// Serialises a field as JSON text inside: the types of the model leave empty fields out, and formats without field
/// names cannot read that back.
pub(super) mod as_json {
    use serde::de::{DeserializeOwned, Error as _};
    use serde::ser::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<T: Serialize, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::to_string(value).map_err(S::Error::custom)?.serialize(serializer)
    }

    pub fn deserialize<'de, T: DeserializeOwned, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        serde_json::from_str(&text).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use yagura_model::{Digest, Ecosystem, Package, SkipReason, Skipped};

    use super::*;
    use crate::catalogue::{Facts, Ownership};
    use crate::layer::{Evidence, PathKey, Symlink};

    fn facts() -> LayerFacts {
        let digest = Digest::from_bytes(yagura_model::digest::Algorithm::Sha256, &[1; 32]);
        let mut package = Package::new(Ecosystem::Deb, "bash", "5");
        package.locations.push(yagura_model::Location::line("var/lib/dpkg/status", 3));
        let ownership = Ownership {
            ecosystem: Ecosystem::Deb,
            package: "bash".into(),
            files: vec![PathKey::of(b"bin/bash")],
        };
        LayerFacts {
            diff_id: digest.clone(),
            evidence: vec![Evidence {
                path: "var/lib/dpkg/status".into(),
                key: PathKey::of(b"var/lib/dpkg/status"),
                cataloguer: "dpkg".into(),
                facts: Facts { packages: vec![package], ownership: vec![ownership], ..Facts::default() },
            }],
            non_directories: vec![PathKey::of(b"a"), PathKey::of(b"b")],
            symlinks: vec![Symlink { path: "lib".into(), target: "usr/lib".into() }],
            skipped: vec![Skipped::new("x", SkipReason::Malformed, "broken")],
            file_digests: vec![yagura_model::inventory::FileDigest {
                path: "bin/bash".into(),
                digest: digest.unwrap(),
                size: 1,
                mode: 0o755,
                owner: None,
                layer: None,
            }],
            observations: vec![yagura_model::Observation::new("rule", Some(3))],
            ..LayerFacts::default()
        }
    }

    #[test]
    fn facts_come_back_as_they_went() {
        let tag = CacheTag::of(&ScanOptions::default(), "1");
        let bytes = encode(&facts(), &tag).unwrap();
        assert_eq!(decode(&bytes, &tag), Some(facts()));
    }

    #[test]
    fn damaged_and_foreign_entries_are_absent() {
        let tag = CacheTag::of(&ScanOptions::default(), "1");
        let bytes = encode(&facts(), &tag).unwrap();
        for position in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[position] ^= 0x10;
            assert_eq!(decode(&damaged, &tag), None, "byte {position}");
        }
        assert_eq!(decode(&bytes[..bytes.len() - 1], &tag), None);
        assert_eq!(decode(b"", &tag), None);
        assert_eq!(decode(&bytes, &CacheTag::of(&ScanOptions::default(), "2")), None);
        let others = ScanOptions { executable_digests: true, ..ScanOptions::default() };
        assert_eq!(decode(&bytes, &CacheTag::of(&others, "1")), None);
    }
}
