//! RPM packages: the three databases rpm has had, and the manifests of images without one.
//!
//! Every database holds the same headers ([`header`]); they differ in how they keep them: SQLite since rpm 4.16
//! ([`sqlite`]), ndb on SUSE ([`ndb`]), Berkeley DB before ([`berkeley`]). The readers are our own: they read a file
//! in memory, follow no link twice as far as the file is long, and have no code but Rust between them and the bytes.

mod berkeley;
mod bytes;
mod header;
mod manifest;
mod ndb;
mod package;
mod sqlite;

use yagura_model::SkipReason;

use super::{Cataloguer, EvidenceFile, Facts, Reads, Select};

/// Largest database, in bytes; 3,000 packages take about 150 MB.
const MAX_DATABASE: u64 = 512 << 20;

/// Most packages of one database.
const MAX_PACKAGES: usize = 100_000;

pub(super) const CATALOGUERS: &[Cataloguer] = &[
    Cataloguer {
        name: "rpm-sqlite",
        selects: &[
            Select::Path("var/lib/rpm/rpmdb.sqlite"),
            Select::Path("usr/lib/sysimage/rpm/rpmdb.sqlite"),
            Select::Path("usr/share/rpm/rpmdb.sqlite"),
        ],
        max_bytes: MAX_DATABASE,
        reads: Reads::Whole(|file, bytes, facts| database(file, bytes, facts, sqlite::blobs)),
    },
    Cataloguer {
        name: "rpm-sqlite-wal",
        selects: &[
            Select::Path("var/lib/rpm/rpmdb.sqlite-wal"),
            Select::Path("usr/lib/sysimage/rpm/rpmdb.sqlite-wal"),
            Select::Path("usr/share/rpm/rpmdb.sqlite-wal"),
        ],
        max_bytes: 0,
        reads: Reads::Stream(write_ahead_log),
    },
    Cataloguer {
        name: "rpm-ndb",
        selects: &[
            Select::Path("var/lib/rpm/Packages.db"),
            Select::Path("usr/lib/sysimage/rpm/Packages.db"),
            Select::Path("usr/share/rpm/Packages.db"),
        ],
        max_bytes: MAX_DATABASE,
        reads: Reads::Whole(|file, bytes, facts| database(file, bytes, facts, ndb::blobs)),
    },
    Cataloguer {
        name: "rpm-berkeley-db",
        selects: &[
            Select::Path("var/lib/rpm/Packages"),
            Select::Path("usr/lib/sysimage/rpm/Packages"),
            Select::Path("usr/share/rpm/Packages"),
        ],
        max_bytes: MAX_DATABASE,
        reads: Reads::Whole(|file, bytes, facts| database(file, bytes, facts, berkeley::blobs)),
    },
    Cataloguer {
        name: "rpm-manifest",
        selects: &[Select::Path("var/lib/rpmmanifest/container-manifest-2")],
        max_bytes: manifest::MAX_BYTES,
        reads: Reads::Whole(manifest::read),
    },
];

/// Why a database, or one record of it, cannot be read.
type Broken = &'static str;

/// Takes a record, or why it is broken, and returns whether it wants more.
type Each<'e> = &'e mut dyn FnMut(Result<&[u8], Broken>) -> bool;

/// Hands over each record of a database; an error when the database itself is broken.
type Blobs = fn(&[u8], Each<'_>) -> Result<(), Broken>;

fn database(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts, blobs: Blobs) {
    // rpm leaves the files of other back ends behind, empty.
    if bytes.is_empty() {
        return;
    }
    let mut broken: Vec<(Broken, usize)> = Vec::new();
    let mut count_broken = |reason| match broken.iter_mut().find(|(known, _)| *known == reason) {
        Some((_, count)) => *count += 1,
        None => broken.push((reason, 1)),
    };
    let mut paths = package::PathBudget::default();
    let mut too_many = false;
    let whole = blobs(bytes, &mut |blob| {
        too_many = facts.packages.len() >= MAX_PACKAGES;
        if too_many {
            return false;
        }
        match blob.and_then(header::Header::parse).and_then(|header| package::add(&header, facts, &mut paths))
        {
            Ok(()) => {}
            Err(reason) => count_broken(reason),
        }
        true
    });
    for (reason, count) in broken {
        facts.skip(file.path, SkipReason::Malformed, format!("{count} records: {reason}"));
    }
    if let Err(reason) = whole {
        facts.skip(file.path, SkipReason::Malformed, reason);
    }
    if too_many {
        facts.skip(file.path, SkipReason::TooMany, format!("more than {MAX_PACKAGES} packages"));
    }
    if paths.is_spent() {
        facts.skip(
            file.path,
            SkipReason::TooMany,
            "owned files left out: their paths are longer than the bound",
        );
    }
}

/// rpm merges its log into the database when it ends; what is still in it, a crash or a snapshot left there.
fn write_ahead_log(file: EvidenceFile<'_>, _: &mut dyn std::io::Read, facts: &mut Facts) {
    if file.size > sqlite::EMPTY_LOG {
        let detail =
            "changes not yet written to rpmdb.sqlite are not read; run `rpm --rebuilddb` to merge them";
        facts.skip(file.path, SkipReason::Unsupported, detail);
    }
}

#[cfg(test)]
mod tests;
