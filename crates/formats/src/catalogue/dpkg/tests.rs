use yagura_model::Package;
use yagura_model::package::SourcePackage;

use super::super::{EvidenceFile, Facts, Ownership};
use crate::layer::PathKey;

const STATUS: &str = "Package: libssl3
Status: install ok installed
Priority: optional
Maintainer: Debian OpenSSL Team <pkg-openssl-devel@alioth-lists.debian.net>
Architecture: amd64
Multi-Arch: same
Source: openssl
Version: 3.0.11-1~deb12u2
Depends: libc6 (>= 2.34), debconf (>= 0.5) | debconf-2.0
Description: toolkit
 Version: 9.9 (not a field)

Package: removed
Status: deinstall ok config-files
Architecture: amd64
Version: 1.0

Package: marked
Status: deinstall ok installed
Architecture: all
Version: 0:2.0

Package: bash
Status: install ok half-configured
Architecture: amd64
Source: bash (5.2.15-2)
Version: 5.2.15-2+b2
Pre-Depends: libc6 (>= 2.36), libtinfo6 (>= 6)
Depends: base-files (>= 2.1.12), python3:any
Provides: sh-shell (= 5), shell

Package: dpkg
Status: install ok not-installed

Package: nameless-version
Status: install ok installed
";

fn read(function: fn(EvidenceFile<'_>, &[u8], &mut Facts), path: &str, text: &str) -> Facts {
    let mut facts = Facts::default();
    function(EvidenceFile { path, mode: 0o644, size: text.len() as u64 }, text.as_bytes(), &mut facts);
    facts
}

fn names(package: &Package) -> Vec<&str> {
    package.dependencies.iter().map(|d| d.name.as_str()).collect()
}

#[test]
fn what_is_there_is_listed_with_its_source() {
    let facts = read(super::status, "var/lib/dpkg/status", STATUS);
    let listed: Vec<_> = facts
        .packages
        .iter()
        .map(|p| (p.name.as_str(), p.version.as_str(), p.architecture.as_str()))
        .collect();
    assert_eq!(
        listed,
        [
            ("libssl3", "3.0.11-1~deb12u2", "amd64"),
            ("marked", "2.0", "all"),
            ("bash", "5.2.15-2+b2", "amd64")
        ]
    );
    let [ssl, marked, bash] = facts.packages.as_slice() else { panic!("three packages") };
    assert_eq!(
        ssl.source,
        Some(SourcePackage { name: "openssl".into(), version: "3.0.11-1~deb12u2".into() })
    );
    assert_eq!(ssl.supplier, "Debian OpenSSL Team <pkg-openssl-devel@alioth-lists.debian.net>");
    assert_eq!(names(ssl), ["libc6", "debconf", "debconf-2.0"]);
    assert_eq!(marked.source, Some(SourcePackage { name: "marked".into(), version: "2.0".into() }));
    assert_eq!(bash.source, Some(SourcePackage { name: "bash".into(), version: "5.2.15-2".into() }));
    assert_eq!(names(bash), ["libc6", "libtinfo6", "base-files", "python3"]);
    assert_eq!(bash.provides, ["sh-shell", "shell"]);
    assert_eq!((bash.locations[0].start_line, bash.locations[0].end_line), (Some(23), Some(30)));
    assert_eq!(facts.skipped.len(), 1, "the package without a version is reported");
}

#[test]
fn distroless_stanzas_have_no_status() {
    let text = "Package: tzdata\nVersion: 2024a-0+deb12u1\nArchitecture: all\n";
    let facts = read(super::status, "var/lib/dpkg/status.d/tzdata", text);
    assert_eq!(facts.packages[0].name, "tzdata");
    let text = "5cf8b91c5a5f7a8b9d3e5cf8b91c5a5f  usr/share/zoneinfo/UTC\n";
    let facts = read(super::status, "var/lib/dpkg/status.d/tzdata.md5sums", text);
    assert!(facts.packages.is_empty());
    assert_eq!(
        facts.ownership,
        [Ownership {
            ecosystem: yagura_model::Ecosystem::Deb,
            package: "tzdata".into(),
            files: vec![PathKey::of(b"usr/share/zoneinfo/UTC")]
        }]
    );
}

#[test]
fn file_lists_name_their_package() {
    let facts = read(super::list, "var/lib/dpkg/info/libc6:amd64.list", "/.\n/usr\n/usr/bin/ldd\n");
    assert_eq!(facts.ownership[0].package, "libc6");
    assert!(facts.ownership[0].files.contains(&PathKey::of(b"usr/bin/ldd")));
    let facts = read(super::list, "usr/lib/opkg/info/busybox.list", "/bin/busybox\t0100755\n");
    assert!(facts.ownership[0].files.contains(&PathKey::of(b"bin/busybox")));
}

#[test]
fn opkg_control_files_are_stanzas_with_licences() {
    let text = "Package: busybox\nVersion: 1.36.1-1\nDepends: libc\nSource: package/utils/busybox\n\
                License: GPL-2.0\nArchitecture: x86_64\n";
    let facts = read(super::status, "usr/lib/opkg/info/busybox.control", text);
    assert_eq!(facts.packages[0].licenses, ["GPL-2.0-only"]);
    assert_eq!(facts.packages[0].source.as_ref().map(|s| s.name.as_str()), Some("busybox"));
}
