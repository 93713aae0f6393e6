//! Debian packages: dpkg's status database, distroless `status.d`, opkg's control files.
//!
//! Formats: dpkg(1) (package states), deb-control(5), deb-substvars(5) for `Source`. Licences are in [`copyright`].

mod copyright;

use std::collections::HashSet;

use yagura_model::package::{Dependency, SourcePackage};
use yagura_model::{Ecosystem, Package, SkipReason};

use super::stanza::{Stanza, stanzas};
use super::{Cataloguer, EvidenceFile, Facts, Reads, Select, ownership};

/// Largest status database, in bytes: Debian with every package installed has about 60 MB.
const MAX_STATUS: u64 = 128 << 20;

/// Largest list of one package's files, in bytes.
const MAX_LIST: u64 = 32 << 20;

/// Most packages of one database.
const MAX_PACKAGES: usize = 200_000;

/// States in which a package's files are there, in part at least (dpkg(1), "Package states").
const PRESENT: [&str; 6] =
    ["installed", "unpacked", "half-configured", "half-installed", "triggers-awaited", "triggers-pending"];

pub(super) const CATALOGUERS: &[Cataloguer] = &[
    Cataloguer {
        name: "dpkg",
        selects: &[
            Select::Path("var/lib/dpkg/status"),
            Select::Below("var/lib/dpkg/status.d", ""),
            Select::Below("usr/lib/opkg/info", ".control"),
            Select::Below("var/lib/opkg/info", ".control"),
        ],
        max_bytes: MAX_STATUS,
        reads: Reads::Whole(status),
    },
    Cataloguer {
        name: "dpkg-files",
        selects: &[
            Select::Below("var/lib/dpkg/info", ".list"),
            Select::Below("usr/lib/opkg/info", ".list"),
            Select::Below("var/lib/opkg/info", ".list"),
        ],
        max_bytes: MAX_LIST,
        reads: Reads::Whole(list),
    },
    Cataloguer {
        name: "dpkg-copyright",
        selects: &[Select::Name("copyright")],
        max_bytes: copyright::MAX_BYTES,
        reads: Reads::Whole(copyright::read),
    },
];

fn status(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    if let Some(package) = file.name().strip_suffix(".md5sums") {
        md5sums(package, bytes, facts);
        return;
    }
    let text = String::from_utf8_lossy(bytes);
    let mut broken = 0_usize;
    for stanza in stanzas(&text) {
        if facts.packages.len() >= MAX_PACKAGES {
            facts.skip(file.path, SkipReason::TooMany, format!("more than {MAX_PACKAGES} packages"));
            break;
        }
        match package(&stanza) {
            Read::Present(mut package) => {
                package.locations.push(stanza.location(file.path));
                facts.packages.push(*package);
            }
            Read::Absent => {}
            Read::Broken => broken += 1,
        }
    }
    if broken > 0 {
        let detail = format!("{broken} stanzas without a package name or version");
        facts.skip(file.path, SkipReason::Malformed, detail);
    }
}

enum Read {
    Present(Box<Package>),
    /// Known to dpkg and not on the disk.
    Absent,
    Broken,
}

fn package(stanza: &Stanza<'_>) -> Read {
    let mut package = Package::new(Ecosystem::Deb, "", "");
    let mut source = None;
    let mut state = "installed";
    let (mut pre_depends, mut depends) = ("", "");
    for (field, value) in stanza.fields() {
        match field {
            "Package" => package.name = value.to_owned(),
            "Version" => package.version = without_zero_epoch(value).to_owned(),
            "Architecture" => package.architecture = value.to_owned(),
            "Status" => state = value.split_whitespace().last().unwrap_or_default(),
            "Source" => source = Some(value),
            "Maintainer" => package.supplier = value.to_owned(),
            "Pre-Depends" => pre_depends = value,
            "Depends" => depends = value,
            "Provides" => package.provides.extend(relation_names(value).map(str::to_owned)),
            "License" => package.licenses = super::license::normalise_all([value]),
            _ => {}
        }
    }
    if !PRESENT.contains(&state) {
        return Read::Absent;
    }
    if package.name.is_empty() || package.version.is_empty() {
        return Read::Broken;
    }
    package.source = Some(source_package(source, &package));
    package.dependencies = dependencies([pre_depends, depends]);
    Read::Present(Box::new(package))
}

fn without_zero_epoch(version: &str) -> &str {
    version.strip_prefix("0:").unwrap_or(version)
}

/// `Source` is left out where it is the package itself, and its version where it is the package's.
fn source_package(source: Option<&str>, package: &Package) -> SourcePackage {
    // opkg keeps the path of the build recipe here.
    let source = source.filter(|source| !source.is_empty() && !source.contains('/')).unwrap_or(&package.name);
    let (name, version) = match source.split_once('(') {
        Some((name, version)) => {
            (name.trim(), without_zero_epoch(version.trim().trim_end_matches(')').trim()))
        }
        None => (source.trim(), package.version.as_str()),
    };
    SourcePackage { name: name.to_owned(), version: version.to_owned() }
}

/// Every alternative counts: which of them is there shows when all packages are known.
fn dependencies(fields: [&str; 2]) -> Vec<Dependency> {
    let mut known = HashSet::new();
    fields
        .into_iter()
        .flat_map(relation_names)
        .filter(|name| known.insert(*name))
        .map(|name| Dependency { name: name.to_owned(), version: None })
        .collect()
}

/// The package names of a relation field (deb-control(5)): without versions, architectures and build profiles.
fn relation_names(value: &str) -> impl Iterator<Item = &str> {
    value.split([',', '|']).filter_map(|relation| {
        let name = relation.trim_start().split([' ', '(', '[', '<', ':', '\n']).next()?;
        (!name.is_empty()).then_some(name)
    })
}

/// `info/NAME.list` or `info/NAME:ARCH.list`: one absolute path a line (opkg: with size and mode after a tab).
fn list(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let stem = file.name().strip_suffix(".list").unwrap_or_default();
    let package = stem.split(':').next().unwrap_or_default();
    if package.is_empty() {
        return;
    }
    let paths =
        bytes.split(|b| *b == b'\n').map(|line| line.split(|b| *b == b'\t').next().unwrap_or_default());
    facts.ownership.push(ownership::of(Ecosystem::Deb, package, paths));
}

/// `status.d/NAME.md5sums`: a digest, two blanks, and a path without its leading slash.
fn md5sums(package: &str, bytes: &[u8], facts: &mut Facts) {
    let paths = bytes.split(|b| *b == b'\n').filter_map(|line| {
        let blank = memchr::memchr(b' ', line)?;
        Some(line.get(blank..)?.trim_ascii())
    });
    facts.ownership.push(ownership::of(Ecosystem::Deb, package, paths));
}

#[cfg(test)]
mod tests;
