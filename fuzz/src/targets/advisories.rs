//! Feeds of advisories and the compiled database.

use std::io::Cursor;

use yagura_formats::advisories::{csaf, cvss, end_of_life, epss, kev, osv};
use yagura_formats::database::{Builder, Database, Feed, FeedState, Verification};

use crate::Target;

pub(super) const TARGETS: &[Target] = &[
    Target { name: "advisories/osv", seeds: osv_seeds, run: run_osv },
    Target { name: "advisories/zip", seeds: zip_seeds, run: run_zip },
    Target { name: "advisories/kev", seeds: kev_seeds, run: |bytes| drop(kev::parse(bytes)) },
    Target { name: "advisories/epss", seeds: epss_seeds, run: |bytes| drop(epss::read(bytes, |_, _| {})) },
    Target { name: "advisories/end-of-life", seeds: eol_seeds, run: |bytes| drop(end_of_life::parse(bytes)) },
    Target { name: "advisories/csaf", seeds: csaf_seeds, run: |bytes| drop(csaf::parse(bytes)) },
    Target { name: "advisories/cvss", seeds: cvss_seeds, run: run_cvss },
    Target { name: "database/open", seeds: database_seeds, run: run_database },
    Target { name: "database/state", seeds: state_seeds, run: |bytes| drop(FeedState::from_bytes(bytes)) },
];

const OSV: &str = r#"{"schema_version":"1.7.0","id":"GHSA-1","modified":"2024-01-01T00:00:00Z","aliases":["CVE-2024-1"],
"upstream":["CVE-2024-2"],"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
"database_specific":{"severity":"HIGH","cwe_ids":["CWE-79"]},"affected":[{"package":{"ecosystem":"npm","name":"a"},
"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.2.3"},{"introduced":"2.0.0"},{"last_affected":"2.1.0"}]}],
"versions":["1.0.0","9.9.9"],"ecosystem_specific":{"custom_ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]}}]}"#;

fn osv_seeds() -> Vec<Vec<u8>> {
    vec![OSV.as_bytes().to_vec()]
}

/// Reads and compiles whatever can be read.
fn run_osv(bytes: &[u8]) {
    if let Ok(parsed) = osv::parse(bytes) {
        let mut builder = Builder::new();
        builder.advisories(&Feed::default(), [("seed".to_owned(), parsed.advisory)]);
        drop(builder.finish(None));
    }
}

/// A zip with one stored member, written out by hand.
fn zip_seeds() -> Vec<Vec<u8>> {
    let content = br#"{"id":"A"}"#;
    let (name, size, crc) = (b"A.json", content.len() as u32, 0x3d02_4f13_u32);
    let mut zip = Vec::new();
    let fixed = |zip: &mut Vec<u8>| {
        zip.extend_from_slice(&[20, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        for number in [crc, size, size] {
            zip.extend_from_slice(&number.to_le_bytes());
        }
        zip.extend_from_slice(&[6, 0, 0, 0]);
    };
    zip.extend_from_slice(b"PK\x03\x04");
    fixed(&mut zip);
    zip.extend_from_slice(name);
    zip.extend_from_slice(content);
    let directory = zip.len() as u32;
    zip.extend_from_slice(b"PK\x01\x02\x14\x00");
    fixed(&mut zip);
    zip.extend_from_slice(&[0; 14]);
    zip.extend_from_slice(name);
    let length = zip.len() as u32 - directory;
    zip.extend_from_slice(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    zip.extend_from_slice(&length.to_le_bytes());
    zip.extend_from_slice(&directory.to_le_bytes());
    zip.extend_from_slice(&[0, 0]);
    vec![zip]
}

fn run_zip(bytes: &[u8]) {
    let feed = Feed { name: "npm".to_owned(), licence: String::new() };
    Builder::new().osv_zip(&feed, Cursor::new(bytes), &FeedState::default());
}

fn kev_seeds() -> Vec<Vec<u8>> {
    vec![
        br#"{"dateReleased":"2024-04-01","vulnerabilities":[{"cveID":"CVE-2024-1","dateAdded":"2024-03-05",
        "dueDate":"2024-03-26","knownRansomwareCampaignUse":"Known","cwes":["CWE-79"]}]}"#
            .to_vec(),
    ]
}

fn epss_seeds() -> Vec<Vec<u8>> {
    vec![
        b"#model_version:v1,score_date:2024-01-01T00:00:00+0000\ncve,epss,percentile\nCVE-2024-1,0.5,0.9\n"
            .to_vec(),
    ]
}

fn eol_seeds() -> Vec<Vec<u8>> {
    vec![br#"{"debian":[{"releaseCycle":"12","codename":"Bookworm","eol":"2026-07-11"},{"cycle":"6","eol":true}]}"#.to_vec()]
}

fn csaf_seeds() -> Vec<Vec<u8>> {
    vec![
        br#"{"document":{"category":"csaf_vex","tracking":{"id":"CVE-2024-1"}},"product_tree":{"branches":[{"branches":[
        {"product":{"product_id":"p","product_identification_helper":{"purl":"pkg:rpm/redhat/zlib@1-1?epoch=2"}}},
        {"product":{"product_id":"o","product_identification_helper":{"cpe":"cpe:/o:redhat:enterprise_linux:9"}}}]}],
        "relationships":[{"product_reference":"p","relates_to_product_reference":"o","full_product_name":{"product_id":"o:p"}}]},
        "vulnerabilities":[{"cve":"CVE-2024-1","product_status":{"fixed":["o:p"]}}]}"#
            .to_vec(),
    ]
}

fn cvss_seeds() -> Vec<Vec<u8>> {
    [
        "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H",
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        "AV:N/AC:L/Au:N/C:C/I:C/A:C",
    ]
    .map(|vector| vector.as_bytes().to_vec())
    .to_vec()
}

fn run_cvss(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        std::hint::black_box(cvss::score(text));
    }
}

fn compiled() -> (Vec<u8>, FeedState) {
    let mut builder = Builder::new();
    let feed = Feed { name: "npm".to_owned(), licence: String::new() };
    let state = builder.osv_zip(&feed, Cursor::new(zip_seeds().concat()), &FeedState::default());
    if let Ok(parsed) = osv::parse(OSV.as_bytes()) {
        builder.advisories(&feed, [("seed".to_owned(), parsed.advisory)]);
    }
    (builder.finish(None).map(|built| built.bytes).unwrap_or_default(), state)
}

fn database_seeds() -> Vec<Vec<u8>> {
    vec![compiled().0]
}

fn state_seeds() -> Vec<Vec<u8>> {
    vec![compiled().1.to_bytes().unwrap_or_default()]
}

fn run_database(bytes: &[u8]) {
    if let Ok(database) = Database::open(Box::new(bytes.to_vec()), &Verification::AsGiven) {
        drop(database.find_flaws("CVE-2024-1"));
        drop(database.packages_named("a", 10));
        if let Some(ecosystem) = database.ecosystem("npm") {
            drop(database.lookup(ecosystem, "a"));
        }
    }
}
