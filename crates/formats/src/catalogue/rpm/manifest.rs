//! `var/lib/rpmmanifest/container-manifest-2`: what Azure Linux and CBL-Mariner leave in images without an rpm database.
//!
//! A line a package, ten fields between tabs, written by `rpm -qa` with the query format NAME, VERSION-RELEASE,
//! INSTALLTIME, BUILDTIME, VENDOR, EPOCH, SIZE, ARCH, EPOCHNUM, SOURCERPM.

use yagura_model::{Ecosystem, Location, Package, SkipReason};

use super::super::{EvidenceFile, Facts};
use super::package::{full_version, source};

/// Largest manifest, in bytes.
pub(super) const MAX_BYTES: u64 = 16 << 20;

pub(super) fn read(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = String::from_utf8_lossy(bytes);
    let mut broken = 0_usize;
    for (number, line) in (1_u32..).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let fields: Vec<&str> = line.split('\t').collect();
        let [name, version, _, _, vendor, _, _, architecture, epoch, source_rpm, ..] = fields.as_slice()
        else {
            broken += 1;
            continue;
        };
        let Some((version, release)) = version.rsplit_once('-').filter(|_| !name.is_empty()) else {
            broken += 1;
            continue;
        };
        if *name == "gpg-pubkey" {
            continue;
        }
        let version = full_version(epoch.parse().unwrap_or_default(), version, release);
        let mut package = Package::new(Ecosystem::Rpm, *name, version);
        package.architecture = stated(architecture);
        package.supplier = stated(vendor);
        package.source = source(source_rpm.trim_end(), &package.version);
        package.locations.push(Location::line(file.path, number));
        facts.packages.push(package);
    }
    if broken > 0 {
        facts.skip(file.path, SkipReason::Malformed, format!("{broken} lines that are no packages"));
    }
}

/// rpm writes `(none)` where a tag is missing.
fn stated(field: &str) -> String {
    if field == "(none)" { String::new() } else { field.to_owned() }
}
