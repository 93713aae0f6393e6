//! Packages of a conda environment: `conda-meta/<name>-<version>-<build>.json`.

use yagura_model::digest::{Algorithm, Digest};
use yagura_model::{Ecosystem, Package, SkipReason};

use crate::catalogue::structured::{depend, dependency, json};
use crate::catalogue::{EvidenceFile, Facts, Ownership, license, path};
use crate::document;
use crate::layer::PathKey;

pub(super) fn read(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = document::decode(bytes);
    let Some(root) = json(file, &text, facts) else { return };
    let (Some(name), Some(version)) = (root.text_of("name"), root.text_of("version")) else {
        facts.skip(file.path, SkipReason::Malformed, "conda record without a name and a version");
        return;
    };
    let mut package = Package::new(Ecosystem::Conda, name, version);
    let build = root.text_of("build").or_else(|| root.text_of("build_string"));
    let channel = root.text_of("channel").map(channel_name);
    for (qualifier, value) in [("build", build), ("channel", channel), ("subdir", root.text_of("subdir"))] {
        if let Some(value) = value {
            package.qualifiers.insert(qualifier.to_owned(), value.to_owned());
        }
    }
    package.licenses = license::normalise_all(root.text_of("license"));
    for (algorithm, key) in [(Algorithm::Sha256, "sha256"), (Algorithm::Md5, "md5")] {
        package.digests.extend(root.text_of(key).and_then(|hex| Digest::from_hex(algorithm, hex).ok()));
    }
    for wish in root.get("depends").map(|node| node.items()).unwrap_or_default() {
        if let Some(name) = wish.string().and_then(|wish| wish.split_whitespace().next()) {
            depend(&mut package, dependency(name, None));
        }
    }
    let prefix = path::parent(path::parent(file.path));
    let files: Vec<PathKey> = root
        .get("files")
        .map(|node| node.items())
        .unwrap_or_default()
        .iter()
        .filter_map(|node| path::join(prefix, node.string()?))
        .map(|path| PathKey::of(path.as_bytes()))
        .collect();
    if !files.is_empty() {
        facts.ownership.push(Ownership { ecosystem: Ecosystem::Conda, package: name.to_owned(), files });
    }
    facts.packages.push(package);
}

/// `conda-forge` of `https://conda.anaconda.org/conda-forge/linux-64`.
fn channel_name(channel: &str) -> &str {
    const PLATFORMS: [&str; 7] = ["linux-", "osx-", "win-", "noarch", "emscripten-", "wasi-", "zos-"];
    let trimmed = channel.trim_end_matches('/');
    let without_platform = match trimmed.rsplit_once('/') {
        Some((before, last)) if PLATFORMS.iter().any(|platform| last.starts_with(platform)) => before,
        _ => trimmed,
    };
    without_platform.rsplit('/').next().unwrap_or(without_platform)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_names_build_channel_and_files() {
        let mut facts = Facts::default();
        read(
            EvidenceFile { path: "opt/conda/conda-meta/requests-2.31.0-pyhd8ed1ab_0.json", mode: 0, size: 0 },
            br#"{"name": "requests", "version": "2.31.0", "build": "pyhd8ed1ab_0", "license": "Apache-2.0",
                "channel": "https://conda.anaconda.org/conda-forge/noarch", "subdir": "noarch",
                "depends": ["python >=3.7", "idna >=2.5,<4"], "md5": "a30144e4156cdbb236f99ebb49828f8b",
                "files": ["lib/python3.11/site-packages/requests-2.31.0.dist-info/METADATA"]}"#,
            &mut facts,
        );
        let package = &facts.packages[0];
        assert_eq!(
            package.purl().unwrap().as_str(),
            "pkg:conda/requests@2.31.0?build=pyhd8ed1ab_0&channel=conda-forge&subdir=noarch"
        );
        assert_eq!(package.dependencies.len(), 2);
        assert_eq!(package.digests.len(), 1);
        let owned = PathKey::of(b"opt/conda/lib/python3.11/site-packages/requests-2.31.0.dist-info/METADATA");
        assert_eq!(facts.ownership[0].files, [owned]);
    }

    #[test]
    fn channels_lose_their_host_and_platform() {
        for (channel, name) in [
            ("https://repo.anaconda.com/pkgs/main/linux-64", "main"),
            ("conda-forge", "conda-forge"),
            ("https://conda.anaconda.org/bioconda", "bioconda"),
        ] {
            assert_eq!(channel_name(channel), name);
        }
    }
}
