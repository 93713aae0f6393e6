use std::io::Cursor;

use yagura_model::{Severity, SkipReason};

use super::*;
use crate::advisories::zip::tests::zip_of;
use crate::advisories::{end_of_life, kev};

const DSA: &str = r#"{"id":"DSA-5000-1","upstream":["CVE-2024-1","CVE-2024-2"],"modified":"2024-02-01T00:00:00Z",
    "affected":[{"package":{"ecosystem":"Debian:12","name":"zlib"},
    "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1:1.2-1+deb12u1"}]}]}]}"#;
const PYSEC: &str = r#"{"id":"PYSEC-2024-7","aliases":["CVE-2024-2","GHSA-aaaa"],"modified":"2024-03-01T00:00:00Z",
    "severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
    "affected":[{"package":{"ecosystem":"PyPI","name":"Zlib_Py"},"versions":["1.0","1.1","2.0.post1"],
    "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.2"}]}]}]}"#;
const WITHDRAWN: &str = r#"{"id":"PYSEC-2024-8","withdrawn":"2024-03-02T00:00:00Z","aliases":["CVE-2024-3"],
    "affected":[{"package":{"ecosystem":"PyPI","name":"other"},"versions":["1.0"]}]}"#;
const KEV: &str = r#"{"dateReleased":"2024-04-01","vulnerabilities":[
    {"cveID":"CVE-2024-1","dateAdded":"2024-03-05","dueDate":"2024-03-26"},
    {"cveID":"CVE-1999-5","dateAdded":"2024-03-05"}]}"#;
const END_OF_LIFE: &str = r#"{"debian":[{"releaseCycle":"12","eol":"2026-07-11"}]}"#;

fn built(signing_key: Option<&SigningKey>) -> Built {
    let mut builder = Builder::new();
    let debian = zip_of(&[("DSA-5000-1.json", DSA.as_bytes()), ("broken.json", b"{\"id\":")]);
    let pypi =
        zip_of(&[("PYSEC-2024-7.json", PYSEC.as_bytes()), ("PYSEC-2024-8.json", WITHDRAWN.as_bytes())]);
    for (name, zip) in [("PyPI", pypi), ("Debian", debian)] {
        let feed = Feed { name: name.into(), licence: String::new() };
        builder.osv_zip(&feed, Cursor::new(zip), &FeedState::default());
    }
    builder.exploited("kev.json", kev::parse(KEV.as_bytes()).unwrap());
    builder.predictions("epss.csv", "CVE-2024-2,0.5,0.9\n".as_bytes());
    builder.end_of_life("eol.json", end_of_life::parse(END_OF_LIFE.as_bytes()).unwrap());
    builder.finish(signing_key).unwrap()
}

fn open(bytes: Vec<u8>) -> Database {
    Database::open(Box::new(bytes), &Verification::AsGiven).unwrap()
}

#[test]
fn what_goes_in_comes_out() {
    let built = built(None);
    assert_eq!(built.skipped.len(), 1);
    assert_eq!(
        (built.skipped[0].path.as_str(), built.skipped[0].reason),
        ("Debian/all.zip!/broken.json", SkipReason::Malformed)
    );
    let database = open(built.bytes);
    assert_eq!(database.info().newest.map(|day| day.to_string()).as_deref(), Some("2024-04-01"));
    let debian = database.ecosystem("Debian:12").unwrap();
    let entries = database.lookup(debian, "zlib").unwrap();
    assert_eq!(entries[0].intervals[0].to_string(), ">= 0, < 1:1.2-1+deb12u1");
    let record = database.record(entries[0].record).unwrap();
    assert_eq!(record.id, "DSA-5000-1");
    let names: Vec<String> = record.flaws.iter().map(|id| database.flaw(*id).unwrap().name).collect();
    assert_eq!(names, ["CVE-2024-1", "CVE-2024-2"], "a bulletin speaks of each flaw it answers");

    let flaw = database.flaw(record.flaws[1]).unwrap();
    assert_eq!(flaw.other_names, ["GHSA-aaaa"]);
    assert_eq!(database.record(flaw.records[0]).unwrap().id, "PYSEC-2024-7");
    assert_eq!(flaw.vectors, ["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"]);
    assert_eq!(flaw.prediction, Some(Prediction { probability: 500_000, percentile: 900_000 }));
    assert!(database.flaw(record.flaws[0]).unwrap().exploited.is_some());
    assert_eq!(database.release_cycles("debian").unwrap()[0].name, "12");
}

#[test]
fn versions_inside_the_ranges_are_not_kept_twice() {
    let database = open(built(None).bytes);
    let pypi = database.ecosystem("PyPI").unwrap();
    let entries = database.lookup(pypi, &normalise("PyPI", "zlib.py")).unwrap();
    assert_eq!(entries[0].versions, ["2.0.post1"]);
    assert!(database.lookup(pypi, "other").unwrap().is_empty(), "withdrawn");
    assert!(database.lookup(pypi, "zlib").unwrap().is_empty());
    assert!(database.ecosystem("Debian:13").is_none());
}

#[test]
fn finds_a_flaw_by_any_of_its_names() {
    let database = open(built(None).bytes);
    for name in ["CVE-2024-2", "GHSA-aaaa", "PYSEC-2024-7"] {
        let found = database.find_flaws(name).unwrap();
        assert_eq!(found.len(), 1, "{name}");
        assert_eq!(database.flaw(found[0]).unwrap().name, "CVE-2024-2");
    }
    assert_eq!(database.find_flaws("DSA-5000-1").unwrap().len(), 2);
    assert_eq!(database.find_flaws("CVE-1999-5").unwrap().len(), 1, "known exploited, in no advisory");
    assert!(database.find_flaws("CVE-2024-9").unwrap().is_empty());
    let named: Vec<_> = database.packages_named("ZLIB", 9).unwrap().into_iter().map(|p| p.name).collect();
    assert_eq!(named, ["zlib", "zlib-py"]);
    assert_eq!(database.packages_named("zlib", 1).unwrap().len(), 1);
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    assert_eq!(built(None).bytes, built(None).bytes);
}

#[test]
fn signatures_are_asked_for_and_checked() {
    let key = SigningKey::from_bytes(&[7; 32]);
    let other = SigningKey::from_bytes(&[8; 32]).verifying_key();
    let signed = built(Some(&key)).bytes;
    let trusted = Verification::SignedBy(vec![other, key.verifying_key()]);
    assert!(Database::open(Box::new(signed.clone()), &trusted).is_ok());
    assert!(matches!(
        Database::open(Box::new(signed.clone()), &Verification::SignedBy(vec![other])),
        Err(DatabaseError::UnknownSigner(_))
    ));
    assert!(matches!(Database::open(Box::new(built(None).bytes), &trusted), Err(DatabaseError::Unsigned)));
    let mut forged = signed;
    forged[100] ^= 1;
    assert!(matches!(
        Database::open(Box::new(forged), &Verification::AsGiven),
        Err(DatabaseError::BadSignature)
    ));
}

#[test]
fn every_changed_byte_is_noticed_before_it_is_believed() {
    let good = built(None).bytes;
    for at in (0..good.len()).step_by(7) {
        if (49..145).contains(&at) {
            continue; // room for a signature in an unsigned file
        }
        let mut bad = good.clone();
        bad[at] ^= 0x40;
        let read = Database::open(Box::new(bad), &Verification::AsGiven).and_then(|database| {
            database.each_record(&mut |_, _| {})?;
            database.each_flaw(&mut |_, _| {})?;
            database.each_package(&mut |_, _, _| {})?;
            database.release_cycles("debian")
        });
        assert!(read.is_err(), "byte {at}");
    }
    for length in [0, 7, 144, 145, 200, good.len() - 1] {
        let cut = good[..length].to_vec();
        let read = Database::open(Box::new(cut), &Verification::AsGiven)
            .and_then(|database| database.release_cycles("debian"));
        assert!(read.is_err(), "cut to {length}");
    }
}

#[test]
fn a_newer_format_is_named() {
    let mut bytes = built(None).bytes;
    bytes[8] = 99;
    let error = Database::open(Box::new(bytes), &Verification::AsGiven).err().unwrap();
    assert!(error.to_string().contains("newer"), "{error}");
}

#[test]
fn an_update_reads_only_what_changed() {
    let feed = Feed { name: "PyPI".into(), licence: String::new() };
    let first =
        zip_of(&[("PYSEC-2024-7.json", PYSEC.as_bytes()), ("PYSEC-2024-8.json", WITHDRAWN.as_bytes())]);
    let changed = PYSEC.replace("\"1.2\"", "\"1.3\"");
    let second =
        zip_of(&[("PYSEC-2024-7.json", changed.as_bytes()), ("PYSEC-2024-8.json", WITHDRAWN.as_bytes())]);
    let mut builder = Builder::new();
    let state = builder.osv_zip(&feed, Cursor::new(first), &FeedState::default());
    let kept = FeedState::from_bytes(&state.to_bytes().unwrap());
    assert_eq!(kept, state);
    let build = |known: &FeedState| {
        let mut builder = Builder::new();
        builder.osv_zip(&feed, Cursor::new(&second), known);
        builder.finish(None).unwrap().bytes
    };
    assert_eq!(build(&kept), build(&FeedState::default()), "an update equals a full build");
    assert!(FeedState::from_bytes(b"old or broken").is_empty());
}

#[test]
fn of_duplicate_ids_the_newest_stands_and_the_other_is_reported() {
    let older = PYSEC.replace("2024-03-01", "2023-03-01").replace("\"1.2\"", "\"9.9\"");
    let zip = zip_of(&[("a/PYSEC-2024-7.json", older.as_bytes()), ("PYSEC-2024-7.json", PYSEC.as_bytes())]);
    let mut builder = Builder::new();
    let feed = Feed { name: "PyPI".into(), licence: String::new() };
    builder.osv_zip(&feed, Cursor::new(zip), &FeedState::default());
    let built = builder.finish(None).unwrap();
    assert!(built.skipped.iter().any(|s| s.detail.contains("more than once")), "{:?}", built.skipped);
    let database = open(built.bytes);
    let entries = database.lookup(database.ecosystem("PyPI").unwrap(), "zlib-py").unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].intervals[0].fixed(), Some("1.2"));
}

#[test]
fn vendors_ratings_stay_with_their_records() {
    let json = r#"{"id":"ALSA-1","summary":"Important: x security update","related":["CVE-2024-1","CVE-2024-5"],
        "affected":[{"package":{"ecosystem":"AlmaLinux:9","name":"x"},
        "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1-1.el9"}]}]}]}"#;
    let notice = r#"{"id":"ALBA-1","summary":"x bug fix update","related":[],
        "affected":[{"package":{"ecosystem":"AlmaLinux:9","name":"y"},
        "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1-1.el9"}]}]}]}"#;
    let mut builder = Builder::new();
    let feed = Feed { name: "AlmaLinux".into(), licence: String::new() };
    let zip = zip_of(&[("ALSA-1.json", json.as_bytes()), ("ALBA-1.json", notice.as_bytes())]);
    builder.osv_zip(&feed, Cursor::new(zip), &FeedState::default());
    let built = builder.finish(None).unwrap();
    assert_eq!((built.info.records, built.info.sources[0].not_security), (1, 1));
    let database = open(built.bytes);
    let record = database.record(RecordId(0)).unwrap();
    assert_eq!(record.vendor, Some(Severity::High));
    assert_eq!(record.flaws.len(), 2);
}

#[test]
fn a_small_cache_only_costs_time() {
    let bytes = built(None).bytes;
    let database = Database::open_with_cache(Box::new(bytes), &Verification::AsGiven, 1).unwrap();
    for _ in 0..3 {
        let debian = database.ecosystem("Debian:12").unwrap();
        let entries = database.lookup(debian, "zlib").unwrap();
        database.record(entries[0].record).unwrap();
    }
    let held = database.cache.slots.iter().filter(|slot| slot.lock().unwrap().is_some()).count();
    assert_eq!(held, 1);
}
