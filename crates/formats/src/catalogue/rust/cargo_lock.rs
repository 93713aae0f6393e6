//! `Cargo.lock`, versions 1 to 4 (the Cargo book, "Cargo.lock"; `cargo::core::resolver::encode`).

use std::collections::HashMap;

use serde::Deserialize;
use yagura_model::digest::Algorithm;
use yagura_model::package::{Dependency, Presence};
use yagura_model::{Digest, Ecosystem, Location, Package, SkipReason};

use super::super::{EvidenceFile, Facts};

const MAX_PACKAGES: usize = 50_000;

#[derive(Deserialize)]
struct Lockfile {
    #[serde(default)]
    package: Vec<LockedPackage>,
    /// Version 1 keeps checksums apart: `"checksum NAME VERSION (SOURCE)" = "HEX"`.
    #[serde(default)]
    metadata: HashMap<String, String>,
}

#[derive(Deserialize)]
struct LockedPackage {
    name: String,
    version: String,
    source: Option<String>,
    checksum: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
}

pub(super) fn catalogue(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let lockfile: Result<Lockfile, String> = std::str::from_utf8(bytes)
        .map_err(|error| error.to_string())
        .and_then(|text| toml::from_str(text).map_err(|error| error.message().to_owned()));
    let lockfile = match lockfile {
        Ok(lockfile) => lockfile,
        Err(error) => return facts.skip(file.path, SkipReason::Malformed, error),
    };
    if lockfile.package.len() > MAX_PACKAGES {
        facts.skip(file.path, SkipReason::TooMany, format!("more than {MAX_PACKAGES} packages"));
    }
    // Names locked at one version only: dependencies on these are written without it.
    let mut versions: HashMap<String, Option<String>> = HashMap::new();
    for package in &lockfile.package {
        versions
            .entry(package.name.clone())
            .and_modify(|version| *version = None)
            .or_insert_with(|| Some(package.version.clone()));
    }
    let lines = package_lines(bytes);
    for (index, locked) in lockfile.package.into_iter().take(MAX_PACKAGES).enumerate() {
        let mut package = Package::new(Ecosystem::Cargo, locked.name, locked.version);
        let source = locked.source.as_deref().unwrap_or_default();
        let checksum = locked.checksum.or_else(|| {
            lockfile
                .metadata
                .get(&format!("checksum {} {} ({source})", package.name, package.version))
                .cloned()
        });
        package.digests =
            checksum.iter().filter_map(|hex| Digest::from_hex(Algorithm::Sha256, hex).ok()).collect();
        add_source(&mut package, source);
        package.presence = Presence::Declared;
        package.dependencies = locked
            .dependencies
            .iter()
            .filter_map(|wish| {
                // `name`, `name version` or `name version (source)`.
                let mut words = wish.split(' ');
                let name = words.next().filter(|name| !name.is_empty())?;
                let version =
                    words.next().map(str::to_owned).or_else(|| versions.get(name).cloned().flatten());
                Some(Dependency { name: name.to_owned(), version })
            })
            .collect();
        package.locations = vec![match lines.get(index) {
            Some(line) => Location::line(file.path, *line),
            None => Location::file(file.path),
        }];
        facts.packages.push(package);
    }
}

/// Says where a package comes from, when it is not the default registry.
fn add_source(package: &mut Package, source: &str) {
    if let Some(repository) = source.strip_prefix("git+") {
        // `git+URL?branch=…#commit`: purl writes the commit after `@`.
        let (url, commit) = repository.split_once('#').unwrap_or((repository, ""));
        let url = url.split('?').next().unwrap_or(url);
        let at = if commit.is_empty() { String::new() } else { format!("@{commit}") };
        package.qualifiers.insert("vcs_url".into(), format!("git+{url}{at}"));
    } else if let Some(registry) = source.strip_prefix("registry+").or_else(|| source.strip_prefix("sparse+"))
    {
        let default =
            registry.contains("github.com/rust-lang/crates.io-index") || registry.contains("index.crates.io");
        if !default {
            package.qualifiers.insert("repository_url".into(), registry.to_owned());
        }
    }
}

/// The line of each `[[package]]` header, in order.
fn package_lines(bytes: &[u8]) -> Vec<u32> {
    (1_u32..)
        .zip(bytes.split(|byte| *byte == b'\n'))
        .filter(|(_, line)| line.trim_ascii() == b"[[package]]")
        .map(|(number, _)| number)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Facts {
        let mut facts = Facts::default();
        let file = EvidenceFile { path: "app/Cargo.lock", mode: 0o644, size: text.len() as u64 };
        catalogue(file, text.as_bytes(), &mut facts);
        facts
    }

    #[test]
    fn reads_the_current_form() {
        let checksum = "ab".repeat(32);
        let facts = read(&format!(
            "# This file is automatically @generated by Cargo.\nversion = 4\n\n\
             [[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n \"log\",\n \"rand 0.8.5\",\n]\n\n\
             [[package]]\nname = \"log\"\nversion = \"0.4.20\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"{checksum}\"\n\n\
             [[package]]\nname = \"rand\"\nversion = \"0.8.5\"\nsource = \"git+https://example.org/rand.git?branch=main#0123abcd\"\n\n\
             [[package]]\nname = \"rand\"\nversion = \"0.7.3\"\nsource = \"sparse+https://crates.example.org/index/\"\n"
        ));
        let purls: Vec<_> = facts.packages.iter().filter_map(Package::purl).map(|p| p.to_string()).collect();
        assert_eq!(
            purls,
            [
                "pkg:cargo/app@0.1.0",
                "pkg:cargo/log@0.4.20",
                "pkg:cargo/rand@0.8.5?vcs_url=git%2Bhttps:%2F%2Fexample.org%2Frand.git%400123abcd",
                "pkg:cargo/rand@0.7.3?repository_url=https:%2F%2Fcrates.example.org%2Findex%2F",
            ]
        );
        let wishes: Vec<_> =
            facts.packages[0].dependencies.iter().map(|d| (d.name.as_str(), d.version.as_deref())).collect();
        assert_eq!(wishes, [("log", Some("0.4.20")), ("rand", Some("0.8.5"))]);
        assert_eq!(facts.packages[1].digests[0].hex(), checksum);
        assert_eq!(facts.packages[1].locations[0].start_line, Some(12));
    }

    #[test]
    fn reads_checksums_of_version_one() {
        let checksum = "cd".repeat(32);
        let facts = read(&format!(
            "[[package]]\nname = \"libc\"\nversion = \"0.2.40\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n\n\
             [metadata]\n\"checksum libc 0.2.40 (registry+https://github.com/rust-lang/crates.io-index)\" = \"{checksum}\"\n"
        ));
        assert_eq!(facts.packages[0].digests[0].hex(), checksum);
    }

    #[test]
    fn says_when_it_cannot_be_read() {
        assert_eq!(read("[[package]\n").skipped[0].reason, SkipReason::Malformed);
        assert_eq!(read("[[package]]\nname = \"x\"\n").skipped.len(), 1);
    }
}
