use std::io::Write;
use std::sync::Arc;

use sha2::Digest as _;
use yagura_model::digest::Algorithm;
use yagura_model::{Digest, Ecosystem, Observation, Package, SkipReason};

use super::*;
use crate::archive::InflateLimits;
use crate::catalogue::{Cataloguer, Facts, Reads, Select};

/// `name version` lines in files named `packages`.
fn read_lines(bytes: &[u8], facts: &mut Facts) {
    for line in String::from_utf8_lossy(bytes).lines() {
        if let Some((name, version)) = line.split_once(' ') {
            facts.packages.push(Package::new(Ecosystem::Generic, name, version));
        }
    }
}

fn stream_package(name: &str, size: u64, facts: &mut Facts) {
    facts.packages.push(Package::new(Ecosystem::Generic, name, size.to_string()));
}

static CATALOGUERS: [Cataloguer; 6] = [
    Cataloguer {
        name: "database",
        selects: &[Select::Path("var/db/list")],
        max_bytes: 1 << 20,
        reads: Reads::Whole(|_, bytes, facts| read_lines(bytes, facts)),
    },
    Cataloguer {
        name: "lines",
        selects: &[Select::Name("packages")],
        max_bytes: 1 << 20,
        reads: Reads::Whole(|_, bytes, facts| read_lines(bytes, facts)),
    },
    Cataloguer {
        name: "streams-to-the-end",
        selects: &[Select::Magic(b"STREAM")],
        max_bytes: 0,
        reads: Reads::Stream(|_, stream, facts| {
            let mut sum = 0u64;
            let mut bytes = [0; 1000];
            while let Ok(count @ 1..) = stream.read(&mut bytes) {
                sum += bytes[..count].iter().map(|byte| u64::from(*byte)).sum::<u64>();
            }
            stream_package("sum", sum, facts);
        }),
    },
    Cataloguer {
        name: "streams-a-little",
        selects: &[Select::Magic(b"STREAM"), Select::Suffix(".little")],
        max_bytes: 0,
        reads: Reads::Stream(|_, stream, facts| {
            let mut start = [0; 6];
            if stream.read_exact(&mut start).is_ok() {
                stream_package("start", u64::from(start[0]), facts);
            }
        }),
    },
    Cataloguer {
        name: "small",
        selects: &[Select::Suffix(".small")],
        max_bytes: 3,
        reads: Reads::Whole(|_, _, facts| stream_package("small", 0, facts)),
    },
    Cataloguer {
        name: "panics",
        selects: &[Select::Suffix(".panic")],
        max_bytes: 1 << 20,
        reads: Reads::Whole(|_, _, _| panic!("as a test")),
    },
];

fn options() -> ScanOptions {
    ScanOptions { selection: Arc::new(Selection::of(&CATALOGUERS)), ..ScanOptions::default() }
}

/// Builds tars with the tar crate; names that it refuses are written into the header as they are.
struct Tar(tar::Builder<Vec<u8>>);

impl Tar {
    fn new() -> Self {
        Self(tar::Builder::new(Vec::new()))
    }

    fn entry(mut self, name: &[u8], kind: tar::EntryType, link: &str, content: &[u8]) -> Self {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(0o755);
        header.set_size(content.len() as u64);
        header.set_cksum();
        self.0.append(&header, content).unwrap();
        self
    }

    fn file(self, name: &str, content: &[u8]) -> Self {
        self.entry(name.as_bytes(), tar::EntryType::Regular, "", content)
    }

    fn directory(self, name: &str) -> Self {
        self.entry(name.as_bytes(), tar::EntryType::Directory, "", b"")
    }

    fn bytes(self) -> Vec<u8> {
        self.0.into_inner().unwrap()
    }
}

fn sha256(bytes: &[u8]) -> Digest {
    Digest::from_bytes(Algorithm::Sha256, &sha2::Sha256::digest(bytes)).unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn scan(tar: &[u8]) -> LayerFacts {
    scan_layer(tar, &LayerDigests::default(), &options())
}

/// `path name version` of every package, in order.
fn packages(facts: &LayerFacts) -> Vec<String> {
    let mut all = Vec::new();
    for evidence in &facts.evidence {
        for package in &evidence.facts.packages {
            assert_eq!(package.found_by, evidence.cataloguer);
            all.push(format!("{} {} {}", package.locations[0].path, package.name, package.version));
        }
    }
    all
}

fn reasons(facts: &LayerFacts) -> Vec<(&str, SkipReason)> {
    facts.skipped.iter().map(|skipped| (skipped.path.as_str(), skipped.reason)).collect()
}

#[test]
fn verifies_every_form_of_a_layer_in_the_pass_that_reads_it() {
    let tar = Tar::new().file("app/packages", b"a 1\n").bytes();
    // Bytes behind the end mark belong to the digest.
    let tar = [tar, vec![0; 20_480]].concat();
    let forms = [tar.clone(), gzip(&tar), zstd::stream::encode_all(&tar[..], 3).unwrap()];
    for blob in forms {
        let right = LayerDigests { blob: Some(sha256(&blob)), diff_id: Some(sha256(&tar)) };
        let facts = scan_layer(&blob[..], &right, &options());
        assert_eq!((packages(&facts), reasons(&facts)), (vec!["app/packages a 1".to_owned()], vec![]));
        assert_eq!(facts.diff_id, right.diff_id);

        for wrong in [
            LayerDigests { blob: Some(sha256(b"other")), ..right.clone() },
            LayerDigests { diff_id: Some(sha256(b"other")), ..right.clone() },
        ] {
            let facts = scan_layer(&blob[..], &wrong, &options());
            assert_eq!(reasons(&facts), [("", SkipReason::DigestMismatch)]);
            assert!(facts.evidence.is_empty() && facts.non_directories.is_empty() && facts.diff_id.is_none());
        }
        let weak = LayerDigests {
            blob: Some(Digest::from_hex(Algorithm::Md5, &"0".repeat(32)).unwrap()),
            diff_id: None,
        };
        assert_eq!(reasons(&scan_layer(&blob[..], &weak, &options())), [("", SkipReason::Unsupported)]);
    }
    let sha512 = Digest::from_bytes(Algorithm::Sha512, &sha2::Sha512::digest(&tar)).unwrap();
    let expected = LayerDigests { blob: Some(sha512), diff_id: Some(sha256(&tar)) };
    assert_eq!(scan_layer(&tar[..], &expected, &options()).skipped, []);
}

#[test]
fn a_truncated_blob_is_not_used_but_a_broken_one_of_the_author_is_read_as_far_as_it_goes() {
    let noise: Vec<u8> = (0..200_000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let tar = Tar::new().file("packages", b"a 1\n").file("noise", &noise).bytes();
    let blob = gzip(&tar);
    let cut = &blob[..blob.len() / 2];
    let registry = LayerDigests { blob: Some(sha256(&blob)), diff_id: Some(sha256(&tar)) };
    let facts = scan_layer(cut, &registry, &options());
    assert_eq!(reasons(&facts), [("", SkipReason::Truncated), ("", SkipReason::DigestMismatch)]);
    assert!(facts.evidence.is_empty());

    let author = LayerDigests { blob: Some(sha256(cut)), diff_id: Some(sha256(&tar)) };
    let facts = scan_layer(cut, &author, &options());
    assert_eq!(reasons(&facts), [("", SkipReason::Truncated)]);
    assert_eq!(packages(&facts), ["packages a 1"]);

    let only_diff_id = LayerDigests { blob: None, diff_id: Some(sha256(&tar)) };
    let facts = scan_layer(&tar[..tar.len() / 2], &only_diff_id, &options());
    assert!(facts.evidence.is_empty());
    assert_eq!(reasons(&facts), [("", SkipReason::Truncated), ("", SkipReason::DigestMismatch)]);
}

#[test]
fn a_bomb_is_stopped_and_what_stood_before_it_stays() {
    let tar = Tar::new().file("packages", b"a 1\n").file("zeros", &vec![0; 32 << 20]).bytes();
    let inflate = InflateLimits { max_bytes: 1 << 30, free_bytes: 1 << 20, max_ratio: 100 };
    for blob in [gzip(&tar), zstd::stream::encode_all(&tar[..], 3).unwrap()] {
        let expected = LayerDigests { blob: Some(sha256(&blob)), diff_id: Some(sha256(&tar)) };
        let facts = scan_layer(&blob[..], &expected, &ScanOptions { inflate, ..options() });
        assert_eq!(reasons(&facts), [("", SkipReason::Ratio)]);
        assert_eq!(packages(&facts), ["packages a 1"]);
        assert!(facts.counts.inflated_bytes < 4 << 20, "{:?}", facts.counts);
    }
}

#[test]
fn keeps_whiteouts_and_what_hides_lower_layers() {
    let facts = scan(
        &Tar::new()
            .directory("etc/")
            .file("etc/.wh.gone", b"")
            .file("opt/app/.wh..wh..opq", b"")
            .file(".wh..wh.plnk", b"")
            .file(".wh.", b"")
            .entry(b"lib", tar::EntryType::Symlink, "usr/lib", b"")
            .bytes(),
    );
    assert_eq!(facts.whiteouts, [PathKey::of(b"etc/gone")]);
    assert_eq!(facts.opaque, [PathKey::of(b"opt/app")]);
    assert_eq!(facts.directories, [PathKey::of(b"etc")]);
    let mut others = vec![PathKey::of(b"lib"), PathKey::of(b".wh.")];
    others.sort();
    assert_eq!(facts.non_directories, others);
    assert_eq!(facts.symlinks, [Symlink { path: "lib".into(), target: "usr/lib".into() }]);
    assert_eq!(facts.counts.entries, 6);
}

#[test]
fn the_last_of_duplicate_entries_counts() {
    let tar = Tar::new()
        .file("./a/packages", b"old 1\n")
        .file("a/packages", b"new 2\n")
        .file("b/packages", b"b 1\n");
    let tar = tar.file("/b/packages", b"").bytes();
    assert_eq!(packages(&scan(&tar)), ["a/packages new 2"]);
}

#[test]
fn hard_links_share_what_their_first_name_said() {
    let tar = Tar::new()
        .file("store/packages", b"a 1\n")
        .file("store/plain", b"x 1\n")
        .entry(b"app/packages", tar::EntryType::Link, "./store/packages", b"")
        .entry(b"late/packages", tar::EntryType::Link, "store/plain", b"")
        .entry(b"evil/packages", tar::EntryType::Link, "../../etc/packages", b"")
        .bytes();
    let facts = scan(&tar);
    assert_eq!(packages(&facts), ["app/packages a 1", "store/packages a 1"]);
    assert_eq!(reasons(&facts), [("evil/packages", SkipReason::UnsafePath)]);
    assert_eq!(facts.unread_links.len(), 1);
}

#[test]
fn what_a_later_name_makes_evidence_is_read_in_a_second_pass() {
    let tar = Tar::new()
        .file("store/0a1b", b"x 1\n")
        .file("store/gone", b"y 1\n")
        .entry(b"one/packages", tar::EntryType::Link, "store/0a1b", b"")
        .entry(b"two/packages", tar::EntryType::Link, "store/0a1b", b"")
        .entry(b"three/packages", tar::EntryType::Link, "store/gone", b"")
        .file("three/packages", b"z 1\n")
        .file("opt/lists/list", b"d 1\n")
        .entry(b"var/db", tar::EntryType::Symlink, "../opt/lists", b"")
        .bytes();
    let mut facts = scan(&tar);
    assert_eq!(packages(&facts), ["three/packages z 1"]);
    let options = options();
    scan_links(&tar[..], &LayerDigests::default(), &options, &mut facts);
    let expected = ["one/packages x 1", "three/packages z 1", "two/packages x 1", "var/db/list d 1"];
    assert_eq!(packages(&facts), expected);
    assert!(facts.unread_links.is_empty() && facts.skipped.is_empty(), "{:?}", facts.skipped);
}

#[test]
fn hostile_names_and_types_are_reported_and_nothing_ends() {
    let tar = Tar::new()
        .file("../../var/packages", b"outside 1\n")
        .file("/absolute/packages", b"absolute 1\n")
        .file("a/../b/packages", b"inside 1\n")
        .entry(b"bad\xff\xfe/packages", tar::EntryType::Regular, "", b"bytes 1\n")
        .entry(b"dev/packages", tar::EntryType::Char, "", b"")
        .entry(b"volume", tar::EntryType::new(b'V'), "", b"")
        .entry(b"loop/a", tar::EntryType::Symlink, "b", b"")
        .entry(b"loop/b", tar::EntryType::Symlink, "a", b"")
        .file("x.panic", b"!")
        .file("x.small", b"four")
        .file("last/packages", b"last 1\n")
        .bytes();
    let facts = scan(&tar);
    assert_eq!(
        packages(&facts),
        [
            "absolute/packages absolute 1",
            "b/packages inside 1",
            "bad\u{fffd}\u{fffd}/packages bytes 1",
            "last/packages last 1"
        ]
    );
    assert_eq!(
        reasons(&facts),
        [
            ("../../var/packages", SkipReason::UnsafePath),
            ("volume", SkipReason::Unsupported),
            ("x.panic", SkipReason::Malformed),
            ("x.small", SkipReason::TooLarge)
        ]
    );
}

/// Observes how many bytes each file has; fails on files named `.panic`.
#[derive(Debug)]
struct Measurer;

struct Measuring {
    count: usize,
    fails: bool,
}

impl Analyser for Measurer {
    fn name(&self) -> &'static str {
        "measurer"
    }

    fn version(&self) -> String {
        "1".into()
    }

    fn begin(&self) -> Box<dyn FileConsumer + '_> {
        Box::new(Measuring { count: 0, fails: false })
    }
}

impl FileConsumer for Measuring {
    fn wants(&mut self, file: &PassingFile<'_>) -> bool {
        self.count = 0;
        self.fails = file.path.ends_with(".panic");
        !file.path.ends_with("unwanted")
    }

    fn bytes(&mut self, bytes: &[u8]) {
        assert!(!self.fails);
        self.count += bytes.len();
    }

    fn end(&mut self, whole: bool) -> Observed {
        let observations = vec![Observation::new(format!("{} {whole}", self.count), None)];
        Observed { observations, skipped: Vec::new() }
    }
}

fn observed(facts: &LayerFacts) -> Vec<(&str, &str)> {
    facts.observations.iter().map(|seen| (seen.location.path.as_str(), seen.rule.as_str())).collect()
}

#[test]
fn large_files_reach_every_reader_in_one_pass() {
    let mut large = b"STREAM".to_vec();
    large.resize(9 << 20, 1);
    let sum: u64 = large.iter().map(|byte| u64::from(*byte)).sum();
    let mut small = b"STREAM".to_vec();
    small.resize(100, 2);
    let tar = Tar::new().file("bin/large", &large).file("bin/small", &small).file("x.little", &large[6..]);
    let tar = tar.file("unwanted", b"").file("empty", b"").bytes();

    let analysers: Vec<Arc<dyn Analyser>> = vec![Arc::new(Measurer)];
    let with_digests = ScanOptions { executable_digests: true, analysers, ..options() };
    let facts = scan_layer(&tar[..], &LayerDigests::default(), &with_digests);
    let expected = [
        format!("bin/large start {}", b'S'),
        format!("bin/large sum {sum}"),
        format!("bin/small start {}", b'S'),
        format!("bin/small sum {}", small.iter().map(|byte| u64::from(*byte)).sum::<u64>()),
        "x.little start 1".to_owned(),
    ];
    assert_eq!(packages(&facts), expected);
    assert_eq!(facts.skipped, []);
    assert_eq!(
        observed(&facts),
        [
            ("bin/large", "9437184 true"),
            ("bin/small", "100 true"),
            ("empty", "0 true"),
            ("x.little", "9437178 true"),
        ]
    );
    assert!(facts.observations.iter().all(|seen| seen.analyser == "measurer"));
    let digests: Vec<_> = facts.file_digests.iter().map(|d| (d.path.as_str(), d.digest.clone())).collect();
    let hashed = [("bin/large", &large[..]), ("bin/small", &small), ("x.little", &large[6..])];
    assert_eq!(digests, hashed.map(|(path, content)| (path, sha256(content))));

    // Without consumers a single reader takes the stream directly.
    assert_eq!(packages(&scan(&tar)), expected);
}

#[test]
fn an_analyser_that_fails_costs_one_file_and_links_share_what_was_seen() {
    let tar = Tar::new()
        .file("a.panic", b"x")
        .file("b", b"xx")
        .entry(b"c", tar::EntryType::Link, "./b", b"")
        .bytes();
    let with = ScanOptions { analysers: vec![Arc::new(Measurer)], ..options() };
    let facts = scan_layer(&tar[..], &LayerDigests::default(), &with);
    assert_eq!(observed(&facts), [("b", "2 true"), ("c", "2 true")]);
    assert!(reasons(&facts).contains(&("a.panic", SkipReason::Malformed)));

    let bounded = ScanOptions { max_observations: 1, ..with };
    let facts = scan_layer(&tar[..], &LayerDigests::default(), &bounded);
    assert_eq!(observed(&facts), [("b", "2 true")]);
    assert!(reasons(&facts).contains(&("c", SkipReason::TooMany)));
}

#[test]
fn a_sparse_file_of_four_gigabytes_costs_no_four_gigabytes() {
    let mut header = tar::Header::new_gnu();
    header.set_path("huge").unwrap();
    header.set_entry_type(tar::EntryType::GNUSparse);
    header.set_size(6);
    let gnu = header.as_gnu_mut().unwrap();
    gnu.sparse[0].offset.copy_from_slice(b"00000000000\0");
    gnu.sparse[0].numbytes.copy_from_slice(b"00000000006\0");
    gnu.realsize.copy_from_slice(b"40000000000\0");
    header.set_cksum();
    let mut tar = tar::Builder::new(Vec::new());
    tar.append(&header, &b"STREAM"[..]).unwrap();
    let tar = tar.into_inner().unwrap();
    let bounded = ScanOptions { max_stream_bytes: 10 << 20, ..options() };
    let facts = scan_layer(&tar[..], &LayerDigests::default(), &bounded);
    assert_eq!(reasons(&facts), [("huge", SkipReason::TooLarge)]);
    let sum: u64 = b"STREAM".iter().map(|byte| u64::from(*byte)).sum();
    assert_eq!(packages(&facts), [format!("huge start {}", b'S'), format!("huge sum {sum}")]);
}

#[test]
fn entries_and_packages_are_bounded() {
    let tar = Tar::new().file("a/packages", b"a 1\nb 1\nc 1\n").file("b/packages", b"d 1\n").file("c", b"");
    let tar = tar.bytes();
    let bounded = ScanOptions { max_packages: 2, ..options() };
    let facts = scan_layer(&tar[..], &LayerDigests::default(), &bounded);
    assert_eq!(packages(&facts).len(), 2);
    assert_eq!(reasons(&facts), [("a/packages", SkipReason::TooMany), ("b/packages", SkipReason::TooMany)]);

    let bounded = ScanOptions { max_facts_bytes: 1500, ..options() };
    let facts = scan_layer(&tar[..], &LayerDigests::default(), &bounded);
    assert_eq!(packages(&facts), ["b/packages d 1"]);
    assert_eq!(reasons(&facts), [("a/packages", SkipReason::TooMany)]);

    let bounded = ScanOptions { max_entries: 1, ..options() };
    let facts = scan_layer(&tar[..], &LayerDigests::default(), &bounded);
    assert_eq!(facts.non_directories.len(), 1);
    assert_eq!(reasons(&facts), [("", SkipReason::TooMany)]);
}

#[test]
fn trees_can_be_scanned_in_parts() {
    let options = options();
    let file = |path: &'static str, content: &'static [u8]| {
        let mut scanner = LayerScanner::new(&options);
        scanner.entry(EntryHeader::file(path.as_bytes(), content.len() as u64), &mut { content });
        scanner.finish()
    };
    let mut facts = file("b/packages", b"b 1\n");
    facts.absorb(file("a/packages", b"a 1\n"));
    facts.absorb(file("a/.wh.x", b""));
    assert_eq!(packages(&facts), ["a/packages a 1", "b/packages b 1"]);
    assert!(facts.whiteouts.is_empty() && facts.non_directories.is_empty());
    assert_eq!(facts.counts.files, 3);
}

#[test]
fn a_file_that_cannot_be_read_is_reported_whatever_its_name() {
    struct Refused;
    impl std::io::Read for Refused {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::PermissionDenied.into())
        }
    }
    let options = options();
    let mut scanner = LayerScanner::new(&options);
    scanner.entry(EntryHeader::file(b"usr/bin/secret", 10), &mut Refused);
    assert_eq!(reasons(&scanner.finish()), [("usr/bin/secret", SkipReason::Unreadable)]);
}

#[test]
fn what_is_not_a_tar_is_said_to_be_none() {
    for bytes in [&b"{\"not\": \"a tar\"}"[..], &[1; 2048], &gzip(&[2; 4096])] {
        let facts = scan(bytes);
        assert_eq!(facts.skipped.len(), 1, "{facts:?}");
        assert!(matches!(facts.skipped[0].reason, SkipReason::Malformed | SkipReason::Truncated));
    }
    assert_eq!(scan(b"").skipped, [], "an empty layer is empty");
}
