use yagura_model::SkipReason;
use yagura_model::package::SourcePackage;

use super::super::{EvidenceFile, Facts};
use super::package::{full_version, source};
use crate::layer::PathKey;

fn read(function: fn(EvidenceFile<'_>, &[u8], &mut Facts), path: &str, bytes: &[u8]) -> Facts {
    let mut facts = Facts::default();
    function(EvidenceFile { path, mode: 0o644, size: bytes.len() as u64 }, bytes, &mut facts);
    facts
}

#[test]
fn versions_and_sources() {
    assert_eq!(full_version(0, "5.1.8", "6.el9"), "5.1.8-6.el9");
    assert_eq!(full_version(32, "9.16.23", "1.el9"), "32:9.16.23-1.el9");
    assert_eq!(
        source("bind-9.16.23-1.el9.src.rpm", "32:9.16.23-1.el9"),
        Some(SourcePackage { name: "bind".into(), version: "32:9.16.23-1.el9".into() })
    );
    assert_eq!(
        source("perl-5.32.1-480.el9.src.rpm", "4:1.26-480.el9").unwrap().version,
        "5.32.1-480.el9",
        "another version has another epoch"
    );
    assert_eq!(source("(none)", "1-1"), None);
}

#[test]
fn manifests_of_images_without_a_database() {
    let text = "filesystem\t1.1-9.cm2\t1653816591\t1653753130\tMicrosoft Corporation\t(none)\t7596\tx86_64\t0\tfilesystem-1.1-9.cm2.src.rpm\n\
                bind\t9.16-1.cm2\t1\t1\t(none)\t32\t7\tx86_64\t32\tbind-9.16-1.cm2.src.rpm\nbroken line\n";
    let facts = read(super::manifest::read, "var/lib/rpmmanifest/container-manifest-2", text.as_bytes());
    let listed: Vec<_> = facts.packages.iter().map(|p| (p.name.as_str(), p.version.as_str())).collect();
    assert_eq!(listed, [("filesystem", "1.1-9.cm2"), ("bind", "32:9.16-1.cm2")]);
    assert_eq!(facts.packages[0].supplier, "Microsoft Corporation");
    assert_eq!(facts.packages[1].supplier, "");
    assert_eq!(facts.skipped[0].reason, SkipReason::Malformed);
}

/// A database written by rpm itself from `tests/fixtures/rpm/sample.spec`.
struct Written {
    path: &'static str,
    packed: &'static [u8],
}

const WRITTEN: [Written; 3] = [
    Written {
        path: "var/lib/rpm/rpmdb.sqlite",
        packed: include_bytes!("../../../tests/fixtures/rpm/rpmdb.sqlite.zst"),
    },
    Written {
        path: "usr/lib/sysimage/rpm/Packages.db",
        packed: include_bytes!("../../../tests/fixtures/rpm/Packages.db.zst"),
    },
    Written {
        path: "var/lib/rpm/Packages",
        packed: include_bytes!("../../../tests/fixtures/rpm/Packages.zst"),
    },
];

impl Written {
    fn bytes(&self) -> Vec<u8> {
        zstd::decode_all(self.packed).unwrap()
    }

    fn read(&self, bytes: &[u8]) -> Facts {
        let takes =
            |cataloguer: &&super::Cataloguer| cataloguer.selects.contains(&super::Select::Path(self.path));
        let cataloguer = super::CATALOGUERS.iter().find(takes).unwrap();
        let super::Reads::Whole(function) = cataloguer.reads else { panic!("reads whole files") };
        read(function, self.path, bytes)
    }
}

#[test]
fn databases_of_all_three_back_ends_say_the_same() {
    for written in &WRITTEN {
        let facts = written.read(&written.bytes());
        assert_eq!(facts.skipped, [], "{}", written.path);
        let mut packages = facts.packages;
        packages.sort_by(|a, b| a.name.cmp(&b.name));
        let listed: Vec<_> = packages
            .iter()
            .map(|p| (p.name.as_str(), p.version.as_str(), p.module.as_str(), p.digests[0].hex()))
            .collect();
        assert_eq!(
            listed,
            [
                ("sample", "2:1.4.0-3.el9", "", "dafba1552aecb40835602cd845a7390c"),
                ("sample-libs", "2:1.4.1-3.el9", "", "21aef5c62800b82f6ecac99315af9737"),
                (
                    "sample-modular",
                    "1.4.0-3.el9",
                    "stream:9:20240101:abcdef",
                    "f421e8c59810628761ee56bef67b6fc2"
                ),
            ],
            "{}; the key among the packages is none",
            written.path
        );
        let [sample, libs, modular] = packages.as_slice() else { panic!("three packages") };
        assert_eq!(sample.architecture, "noarch");
        assert_eq!(sample.supplier, "Sample Vendor");
        assert_eq!(sample.licenses, ["GPL-2.0-or-later AND MIT"]);
        assert_eq!(
            sample.source,
            Some(SourcePackage { name: "sample".into(), version: "2:1.4.0-3.el9".into() })
        );
        assert_eq!(libs.source.as_ref().unwrap().version, "1.4.0-3.el9");
        assert_eq!(modular.source.as_ref().unwrap().version, "1.4.0-3.el9");
        let wanted: Vec<_> = sample.dependencies.iter().map(|d| d.name.as_str()).collect();
        assert_eq!(wanted, ["/bin/sh", "sample-libs"]);
        assert_eq!(sample.provides, ["sample-api"]);
        let files = |name: &str| facts.ownership.iter().find(|o| o.package == name).unwrap().files.clone();
        assert_eq!(files("sample"), [PathKey::of(b"usr/bin/sample")]);
        assert_eq!(files("sample-libs").len(), 1201, "the directory and its files");
        assert!(files("sample-libs").contains(&PathKey::of(b"usr/share/sample/file-number-1200")));
    }
}

#[test]
fn small_pages_make_deep_trees_and_long_chains() {
    let packed = include_bytes!("../../../tests/fixtures/rpm/small.sqlite.zst");
    let facts = WRITTEN[0].read(&zstd::decode_all(packed.as_slice()).unwrap());
    assert_eq!(facts.skipped, []);
    let listed: Vec<_> = facts.packages.iter().map(|p| format!("{}={}", p.name, p.version)).collect();
    assert_eq!(listed, ["p0=3:1.0-1", "p1=3:1.0-1", "p2=3:1.0-1", "p3=3:1.0-1", "p4=3:1.0-1", "p5=3:1.0-1"]);
    let files: Vec<_> = facts.ownership.iter().map(|o| o.files.len()).collect();
    assert_eq!(files, [90, 2, 90, 2, 90, 2]);
}

#[test]
fn a_database_cut_anywhere_is_reported_and_keeps_what_can_be_read() {
    for written in &WRITTEN {
        let whole = written.bytes();
        for parts in 1..16 {
            let facts = written.read(&whole[..whole.len() * parts / 16]);
            assert!(facts.packages.len() <= 3);
            assert!(facts.packages.len() == 3 || !facts.skipped.is_empty(), "{} {parts}/16", written.path);
        }
        let mut wrong = whole.clone();
        wrong[..32].fill(0);
        assert_eq!(written.read(&wrong).skipped.len(), 1);
    }
    assert_eq!(WRITTEN[0].read(b""), Facts::default(), "rpm leaves empty files of other back ends");
}

#[test]
fn a_tree_that_bites_its_own_tail_ends() {
    let mut bytes = WRITTEN[0].bytes();
    // Every page an interior page whose only child is the second page.
    for page in bytes.chunks_exact_mut(4096).skip(1) {
        page.fill(0);
        page[0] = 5;
        page[8..12].copy_from_slice(&2_u32.to_be_bytes());
    }
    let facts = WRITTEN[0].read(&bytes);
    assert_eq!(facts.packages.len(), 0);
    assert!(!facts.skipped.is_empty());
}

#[test]
fn an_unmerged_log_is_reported() {
    let log = |size| {
        let mut facts = Facts::default();
        let file = EvidenceFile { path: "var/lib/rpm/rpmdb.sqlite-wal", mode: 0o644, size };
        super::write_ahead_log(file, &mut std::io::empty(), &mut facts);
        facts.skipped.len()
    };
    assert_eq!((log(0), log(32), log(4152)), (0, 0, 1));
}
