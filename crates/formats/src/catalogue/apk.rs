//! Alpine packages: apk's installed database, `lib/apk/db/installed`, in the text form of apk-tools 2 and 3.
//!
//! Format: apk-spec(5), APKINDEX fields, followed by the files: `F:` a directory, `R:` a file in it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use yagura_model::digest::Algorithm;
use yagura_model::package::{Dependency, SourcePackage};
use yagura_model::{Digest, Ecosystem, Location, Package, SkipReason};

use super::{Cataloguer, EvidenceFile, Facts, Reads, Select, license, ownership};

/// Largest database, in bytes: a thousand packages take about 10 MB.
const MAX_DATABASE: u64 = 256 << 20;

/// Most packages of one database.
const MAX_PACKAGES: usize = 100_000;

pub(super) const CATALOGUERS: &[Cataloguer] = &[Cataloguer {
    name: "apk",
    // Newer releases keep it below `usr/`, which this matches too.
    selects: &[Select::Path("lib/apk/db/installed")],
    max_bytes: MAX_DATABASE,
    reads: Reads::Whole(installed),
}];

fn installed(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = String::from_utf8_lossy(bytes);
    let mut record = Record::default();
    let mut broken = 0_usize;
    // The line after the last closes the last record.
    for (number, line) in (1_u32..).zip(text.lines().chain([""])) {
        match line.split_once(':') {
            Some((field, value)) => record.add(number, field, value),
            None if record.is_empty() => {}
            None => {
                if facts.packages.len() >= MAX_PACKAGES {
                    facts.skip(file.path, SkipReason::TooMany, format!("more than {MAX_PACKAGES} packages"));
                    return;
                }
                if !std::mem::take(&mut record).finish(file.path, facts) {
                    broken += 1;
                }
            }
        }
    }
    if broken > 0 {
        let detail = format!("{broken} records without a package name or version");
        facts.skip(file.path, SkipReason::Malformed, detail);
    }
}

/// One package while its lines come in.
#[derive(Default)]
struct Record<'a> {
    lines: Option<(u32, u32)>,
    name: &'a str,
    version: &'a str,
    architecture: &'a str,
    origin: &'a str,
    maintainer: &'a str,
    license: &'a str,
    checksum: &'a str,
    depends: &'a str,
    provides: &'a str,
    directory: &'a str,
    files: Vec<String>,
}

impl<'a> Record<'a> {
    fn is_empty(&self) -> bool {
        self.lines.is_none()
    }

    fn add(&mut self, number: u32, field: &str, value: &'a str) {
        let (first, _) = self.lines.unwrap_or((number, number));
        self.lines = Some((first, number));
        match field {
            "P" => self.name = value,
            "V" => self.version = value,
            "A" => self.architecture = value,
            "o" => self.origin = value,
            "m" => self.maintainer = value,
            "L" => self.license = value,
            "C" => self.checksum = value,
            "D" => self.depends = value,
            "p" => self.provides = value,
            "F" => self.directory = value,
            "R" if self.directory.is_empty() => self.files.push(value.to_owned()),
            "R" => self.files.push(format!("{}/{value}", self.directory)),
            _ => {}
        }
    }

    /// Whether the record names a package.
    fn finish(self, path: &str, facts: &mut Facts) -> bool {
        if self.name.is_empty() || self.version.is_empty() {
            return false;
        }
        let mut package = Package::new(Ecosystem::Apk, self.name, self.version);
        package.architecture = self.architecture.to_owned();
        package.supplier = self.maintainer.to_owned();
        package.licenses = license::normalise_all([self.license]);
        let origin = if self.origin.is_empty() { self.name } else { self.origin };
        package.source = Some(SourcePackage { name: origin.to_owned(), version: self.version.to_owned() });
        package.digests.extend(checksum(self.checksum));
        package.dependencies =
            names(self.depends).map(|name| Dependency { name: name.to_owned(), version: None }).collect();
        package.provides = names(self.provides).map(str::to_owned).collect();
        let (first, last) = self.lines.unzip();
        package.locations.push(Location { start_line: first, end_line: last, ..Location::file(path) });
        facts.packages.push(package);
        if !self.files.is_empty() {
            let paths = self.files.iter().map(String::as_bytes);
            facts.ownership.push(ownership::of(Ecosystem::Apk, self.name, paths));
        }
        true
    }
}

/// Names of a dependency or provides line: without versions, repository pins and conflicts.
fn names(line: &str) -> impl Iterator<Item = &str> {
    line.split_ascii_whitespace()
        .filter(|word| !word.starts_with('!'))
        .filter_map(|word| word.split(['=', '<', '>', '~', '@']).next())
        .filter(|name| !name.is_empty())
}

/// `Q1` and a SHA-1, or `Q2` and a SHA-256, in base64: the identity of the package file apk fetched.
fn checksum(text: &str) -> Option<Digest> {
    let (algorithm, encoded) = match (text.strip_prefix("Q1"), text.strip_prefix("Q2")) {
        (Some(sha1), _) => (Algorithm::Sha1, sha1),
        (_, Some(sha256)) => (Algorithm::Sha256, sha256),
        _ => return None,
    };
    Digest::from_bytes(algorithm, &STANDARD.decode(encoded).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::PathKey;

    const INSTALLED: &str = "C:Q1p78yvTLG094tHE1+dToJGbmYzQE=
P:alpine-baselayout
V:3.4.3-r1
A:x86_64
S:8891
L:GPL-2.0-only
o:alpine-baselayout
m:Natanael Copa <ncopa@alpinelinux.org>
D:alpine-baselayout-data=3.4.3-r1 /bin/sh !old-layout
F:dev
F:etc
R:motd
Z:Q1XmduVVNURHQ27TvYp1Lr5TMtFcA=

C:Q1XmduVVNURHQ27TvYp1Lr5TMtFcA=
P:libcrypto3
V:3.1.4-r2
A:x86_64
L:Apache-2.0
o:openssl
D:so:libc.musl-x86_64.so.1
p:so:libcrypto.so.3=3
F:lib
R:libcrypto.so.3
";

    fn read(text: &str) -> Facts {
        let mut facts = Facts::default();
        let file = EvidenceFile { path: "lib/apk/db/installed", mode: 0o644, size: text.len() as u64 };
        installed(file, text.as_bytes(), &mut facts);
        facts
    }

    #[test]
    fn packages_files_and_relations() {
        let facts = read(INSTALLED);
        let [layout, crypto] = facts.packages.as_slice() else { panic!("two packages") };
        assert_eq!((layout.name.as_str(), layout.version.as_str()), ("alpine-baselayout", "3.4.3-r1"));
        assert_eq!(layout.supplier, "Natanael Copa <ncopa@alpinelinux.org>");
        assert_eq!(layout.digests[0].to_string(), "sha1:a7bf32bd32c6d3de2d1c4d7e753a0919b998cd01");
        let wanted: Vec<_> = layout.dependencies.iter().map(|d| d.name.as_str()).collect();
        assert_eq!(wanted, ["alpine-baselayout-data", "/bin/sh"]);
        assert_eq!((layout.locations[0].start_line, layout.locations[0].end_line), (Some(1), Some(13)));
        assert_eq!(crypto.source, Some(SourcePackage { name: "openssl".into(), version: "3.1.4-r2".into() }));
        assert_eq!(crypto.provides, ["so:libcrypto.so.3"]);
        assert_eq!(crypto.licenses, ["Apache-2.0"]);
        assert_eq!(facts.ownership[0].files, [PathKey::of(b"etc/motd")]);
        assert_eq!(facts.ownership[1].files, [PathKey::of(b"lib/libcrypto.so.3")]);
    }

    #[test]
    fn a_cut_database_keeps_what_is_whole_and_reports_the_rest() {
        let facts = read("P:musl\nV:1.2.5-r0\n\nP:cut\n");
        assert_eq!(facts.packages.len(), 1);
        assert_eq!(facts.skipped[0].reason, SkipReason::Malformed);
        assert_eq!(read("").skipped, []);
    }
}
