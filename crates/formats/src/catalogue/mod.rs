//! Cataloguers: which files prove which packages, one declaration each.
//!
//! A cataloguer names the files it wants by path or by magic bytes, and a pure function that reads one such file.
//! The layer scanner decides which file goes to whom, sees to the bounds, and fills in what every package shares
//! ([`Package::found_by`] and [`Package::locations`] where they are empty); a cataloguer only reads its format.

mod apk;
mod bitnami;
mod chisel;
mod dpkg;
mod kernel;
pub mod license;
pub mod os_release;
mod ownership;
mod pacman;
mod rpm;
mod snap;
mod stanza;

mod executables;
mod golang;
mod java;
mod programs;
mod rust;

mod beam;
mod conan;
mod dart;
mod dotnet;
mod github_actions;
mod haskell;
mod integrity;
mod javascript;
mod julia;
mod path;
mod php;
mod python;
mod r;
mod reach;
mod ruby;
mod structured;
mod swift;

use std::io::Read;

use serde::{Deserialize, Serialize};
use yagura_model::{Ecosystem, OperatingSystem, Package, SkipReason, Skipped};

use crate::layer::PathKey;

/// How a cataloguer chooses its files. Paths are relative to the target's root without a leading `/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Select {
    /// The file's name is exactly this.
    Name(&'static str),
    /// The file's name ends with this, ASCII case ignored (`.jar`).
    Suffix(&'static str),
    /// The file's name starts with the first and ends with the second, ASCII case ignored.
    NameAround(&'static str, &'static str),
    /// The whole path is this, or ends with `/` and this.
    Path(&'static str),
    /// The directory is this (or ends with `/` and this) and the file's name ends with the second.
    Below(&'static str, &'static str),
    /// The content starts with these bytes.
    Magic(&'static [u8]),
}

/// A file as a cataloguer sees it.
#[derive(Clone, Copy, Debug)]
pub struct EvidenceFile<'a> {
    /// Relative to the target's root, `/`-separated, no leading `/`.
    pub path: &'a str,
    /// Permission bits.
    pub mode: u32,
    /// Size of the whole file in bytes.
    pub size: u64,
}

impl EvidenceFile<'_> {
    /// The last component of the path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// The path without its last component; empty at the root.
    pub fn directory(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(directory, _)| directory)
    }
}

/// How a cataloguer takes the bytes.
#[derive(Clone, Copy)]
pub enum Reads {
    /// The whole file in memory; larger files than [`Cataloguer::max_bytes`] are skipped and reported.
    Whole(fn(EvidenceFile<'_>, &[u8], &mut Facts)),
    /// As a stream, in constant memory, whatever its size; need not be read to its end.
    Stream(fn(EvidenceFile<'_>, &mut dyn Read, &mut Facts)),
}

/// A declaration: these files are evidence, and this is how they are read.
#[derive(Clone, Copy)]
pub struct Cataloguer {
    /// Stable name, such as `python-dist-info`; shown as `foundBy`.
    pub name: &'static str,
    pub selects: &'static [Select],
    /// Bound for [`Reads::Whole`], in bytes.
    pub max_bytes: u64,
    pub reads: Reads,
}

/// What one evidence file says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    pub packages: Vec<Package>,
    pub system: Option<OperatingSystem>,
    pub ownership: Vec<Ownership>,
    /// Licences of packages that another file declares.
    pub licenses: Vec<PackageLicenses>,
    pub skipped: Vec<Skipped>,
}

impl Facts {
    /// Notes that (a part of) the file could not be read.
    pub fn skip(&mut self, path: &str, reason: SkipReason, detail: impl Into<String>) {
        self.skipped.push(Skipped::new(path, reason, detail));
    }
}

/// The files a package manager says it installed for a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ownership {
    pub ecosystem: Ecosystem,
    pub package: String,
    pub files: Vec<PathKey>,
}

/// Licences of a package, read apart from the package itself (Debian's copyright files, say).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageLicenses {
    pub ecosystem: Ecosystem,
    pub package: String,
    pub licenses: Vec<String>,
}

/// Every cataloguer, in the order in which they are listed to people.
pub fn all() -> impl Iterator<Item = &'static Cataloguer> {
    GROUPS.iter().flat_map(|group| group.iter())
}

/// One row per family; a new cataloguer joins its family's table, a new family gets a row here.
const GROUPS: &[&[Cataloguer]] = &[
    // Operating systems.
    dpkg::CATALOGUERS,
    apk::CATALOGUERS,
    rpm::CATALOGUERS,
    pacman::CATALOGUERS,
    os_release::CATALOGUERS,
    kernel::CATALOGUERS,
    chisel::CATALOGUERS,
    snap::CATALOGUERS,
    bitnami::CATALOGUERS,
    // Binaries and archives.
    executables::CATALOGUERS,
    golang::CATALOGUERS,
    java::CATALOGUERS,
    programs::CATALOGUERS,
    rust::CATALOGUERS,
    python::CATALOGUERS,
    javascript::CATALOGUERS,
    ruby::CATALOGUERS,
    php::CATALOGUERS,
    dotnet::CATALOGUERS,
    beam::CATALOGUERS,
    dart::CATALOGUERS,
    swift::CATALOGUERS,
    conan::CATALOGUERS,
    julia::CATALOGUERS,
    r::CATALOGUERS,
    haskell::CATALOGUERS,
    github_actions::CATALOGUERS,
];
