//! All versions that the OSV files mention.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::PathBuf;

use serde_json::Value;

/// The ecosystems of the advisory data.
pub const ECOSYSTEMS: [&str; 9] =
    ["AlmaLinux", "Bitnami", "Debian", "Go", "Packagist", "PyPI", "RubyGems", "crates.io", "npm"];

fn directory() -> PathBuf {
    std::env::var_os("YAGURA_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")),
        PathBuf::from,
    )
}

/// Sorted, each once; `None` where the data is not on this machine.
pub fn versions(ecosystem: &str) -> Option<Vec<String>> {
    let path = directory().join("osv").join(ecosystem).join("all.zip");
    let Ok(bytes) = std::fs::read(&path) else {
        assert!(std::env::var_os("CI").is_none(), "{} is missing, and this is CI", path.display());
        return None;
    };
    let archive = rawzip::ZipArchive::from_slice(&bytes).unwrap();
    let mut versions = BTreeSet::new();
    for entry in archive.entries() {
        let entry = entry.unwrap();
        let compressed = archive.get_entry(entry.wayfinder()).unwrap();
        let mut json = Vec::new();
        match entry.compression_method() {
            rawzip::CompressionMethod::STORE => json.extend_from_slice(compressed.data()),
            _ => drop(flate2::read::DeflateDecoder::new(compressed.data()).read_to_end(&mut json).unwrap()),
        }
        if let Ok(advisory) = serde_json::from_slice::<Value>(&json) {
            collect(&advisory, &mut versions);
        }
    }
    Some(versions.into_iter().collect())
}

fn collect(advisory: &Value, versions: &mut BTreeSet<String>) {
    let list =
        |value: &Value, key: &str| value.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    for affected in list(advisory, "affected") {
        let mut found = list(&affected, "versions");
        for range in list(&affected, "ranges") {
            if range.get("type").and_then(Value::as_str) == Some("GIT") {
                continue;
            }
            for event in list(&range, "events") {
                found.extend(event.as_object().into_iter().flat_map(|event| event.values().cloned()));
            }
        }
        let texts = found.iter().filter_map(Value::as_str);
        versions.extend(texts.filter(|text| !text.contains(['\t', '\n'])).map(str::to_owned));
    }
}
