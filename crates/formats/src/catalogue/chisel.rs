//! Ubuntu's chiselled images: the manifest that Chisel leaves instead of dpkg's database.
//!
//! Format: Chisel's "manifest.wall", a zstd stream of JSON lines ("jsonwall" 1.0) whose first line is a header;
//! `kind` tells packages, slices, paths and contents apart.

use std::collections::BTreeMap;
use std::io::Read as _;

use yagura_model::{Digest, Ecosystem, Location, Package, SkipReason};

use super::{Cataloguer, EvidenceFile, Facts, Reads, Select, ownership};
use serde::Deserialize;

/// Largest manifest, compressed and not, in bytes.
const MAX_PACKED: u64 = 16 << 20;
const MAX_UNPACKED: u64 = 128 << 20;

/// Largest window a frame may ask for, as a power of two.
const MAX_WINDOW_LOG: u32 = 23;

pub(super) const CATALOGUERS: &[Cataloguer] = &[Cataloguer {
    name: "chisel",
    selects: &[Select::Name("manifest.wall")],
    max_bytes: MAX_PACKED,
    reads: Reads::Whole(read),
}];

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Line {
    Package {
        name: String,
        version: String,
        #[serde(default)]
        sha256: String,
        #[serde(default)]
        arch: String,
    },
    Path {
        path: String,
        /// `PACKAGE_SLICE`.
        #[serde(default)]
        slices: Vec<String>,
    },
    #[serde(other)]
    Other,
}

fn read(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = match unpack(bytes) {
        Ok(text) => text,
        Err((reason, detail)) => {
            facts.skip(file.path, reason, detail);
            return;
        }
    };
    let mut lines = (1_u32..).zip(text.lines());
    if !lines.next().is_some_and(|(_, header)| header.contains("\"jsonwall\"")) {
        facts.skip(file.path, SkipReason::Malformed, "not a manifest of Chisel");
        return;
    }
    let mut broken = 0_usize;
    let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (number, line) in lines {
        match serde_json::from_str(line) {
            Ok(Line::Package { name, version, sha256, arch }) => {
                let mut package = Package::new(Ecosystem::Deb, name, version);
                package.architecture = arch;
                package.digests.extend(format!("sha256:{sha256}").parse::<Digest>().ok());
                package.locations.push(Location::line(file.path, number));
                facts.packages.push(package);
            }
            Ok(Line::Path { path, slices }) => {
                for package in slices.iter().filter_map(|slice| slice.split('_').next()) {
                    files.entry(package.to_owned()).or_default().push(path.clone());
                }
            }
            Ok(Line::Other) => {}
            Err(_) => broken += 1,
        }
    }
    for (package, paths) in files {
        facts.ownership.push(ownership::of(Ecosystem::Deb, &package, paths.iter()));
    }
    if broken > 0 {
        facts.skip(file.path, SkipReason::Malformed, format!("{broken} lines that are no records"));
    }
}

fn unpack(bytes: &[u8]) -> Result<String, (SkipReason, String)> {
    let malformed = |error: std::io::Error| (SkipReason::Malformed, error.to_string());
    let mut decoder = zstd::Decoder::with_buffer(bytes).map_err(malformed)?;
    decoder.window_log_max(MAX_WINDOW_LOG).map_err(malformed)?;
    let mut unpacked = Vec::new();
    decoder.take(MAX_UNPACKED + 1).read_to_end(&mut unpacked).map_err(malformed)?;
    if unpacked.len() as u64 > MAX_UNPACKED {
        return Err((SkipReason::TooLarge, format!("more than {MAX_UNPACKED} bytes uncompressed")));
    }
    Ok(String::from_utf8_lossy(&unpacked).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::PathKey;

    fn find(bytes: &[u8]) -> Facts {
        let mut facts = Facts::default();
        let file =
            EvidenceFile { path: "var/lib/chisel/manifest.wall", mode: 0o644, size: bytes.len() as u64 };
        read(file, bytes, &mut facts);
        facts
    }

    #[test]
    fn packages_and_their_paths() {
        let text = r#"{"jsonwall":"1.0","schema":"1.0","count":5}
{"kind":"content","slice":"libc6_libs","path":"/usr/lib/x"}
{"kind":"package","name":"libc6","version":"2.39-0ubuntu8.3","sha256":"","arch":"amd64"}
{"kind":"path","path":"/usr/lib/libc.so.6","mode":"0644","slices":["libc6_libs"]}
{"kind":"slice","name":"libc6_libs"}
broken
"#;
        let facts = find(&zstd::encode_all(text.as_bytes(), 1).unwrap());
        let listed: Vec<_> = facts.packages.iter().map(|p| (p.name.as_str(), p.version.as_str())).collect();
        assert_eq!(listed, [("libc6", "2.39-0ubuntu8.3")]);
        assert_eq!(facts.packages[0].locations[0].start_line, Some(3));
        assert_eq!(facts.ownership[0].files, [PathKey::of(b"usr/lib/libc.so.6")]);
        assert_eq!(facts.skipped.len(), 1);
    }

    #[test]
    fn other_walls_and_bombs_are_reported() {
        assert_eq!(find(b"plain text").skipped[0].reason, SkipReason::Malformed);
        assert_eq!(find(&zstd::encode_all(b"{}".as_slice(), 1).unwrap()).skipped.len(), 1);
        let bomb = zstd::encode_all(std::io::repeat(b' ').take(MAX_UNPACKED + 2), 1).unwrap();
        assert_eq!(find(&bomb).skipped[0].reason, SkipReason::TooLarge);
    }
}
