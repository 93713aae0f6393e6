//! Every match for the packages of a real dpkg database, against an independent one that reads the feed's JSON by
//! itself and compares versions with `dpkg --compare-versions`.
//!
//! By default this machine's packages are judged as if they belonged to each Debian release in turn. With
//! `YAGURA_DPKG_STATUS=FILE` (the `var/lib/dpkg/status` of some root) and `YAGURA_DEBIAN=11` that root is judged as
//! that release, and the test lists what it found.

#![allow(clippy::print_stderr)] // what was skipped and what was found is this test's report

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::process::Command;

use yagura_detect::vulnerabilities::{Options, match_inventory};
use yagura_formats::advisories::{Problem, zip};
use yagura_formats::database::{Builder, Database, Feed, FeedState, Verification};
use yagura_model::package::SourcePackage;
use yagura_model::{Ecosystem, Inventory, OperatingSystem, Package};

/// The shared data, or none with a word about it; under CI it must be there.
fn data() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let path = std::env::var_os("YAGURA_DATA").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    if path.join("osv/Debian/all.zip").exists() {
        return Some(path);
    }
    assert!(std::env::var_os("CI").is_none(), "no data at {}", path.display());
    eprintln!("skipped: no data at {} (set YAGURA_DATA)", path.display());
    None
}

/// The packages of a status file, as `dpkg-query` prints them: no parser of ours is involved.
fn installed(status: Option<&str>) -> Vec<Package> {
    let mut command = Command::new("dpkg-query");
    let copied;
    if let Some(status) = status {
        copied = tempfile::tempdir().unwrap();
        std::fs::copy(status, copied.path().join("status")).unwrap();
        command.arg("--admindir").arg(copied.path());
        command.env("KEEP", copied.keep());
    }
    command.args([
        "-W",
        "-f",
        "${db:Status-Status} ${binary:Package} ${Version} ${source:Package} ${source:Version}\n",
    ]);
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .filter_map(|line| {
            let fields: Vec<&str> = line.split(' ').collect();
            let ["installed", name, version, source, source_version] = fields.as_slice() else { return None };
            let mut package = Package::new(Ecosystem::Deb, *name, *version);
            package.source =
                Some(SourcePackage { name: (*source).to_owned(), version: (*source_version).to_owned() });
            Some(package)
        })
        .collect()
}

/// Release → (source, fix, advisory, CVEs), straight from the JSON.
type Fixes = BTreeMap<String, Vec<(String, String, String, Vec<String>)>>;

struct Collect(Fixes);

impl zip::Visitor for Collect {
    fn wants(&mut self, _: &str, _: zip::Fingerprint) -> bool {
        true
    }

    fn member(&mut self, name: &str, _: zip::Fingerprint, content: Result<&[u8], Problem>) {
        let content = content.unwrap_or_else(|problem| panic!("{name}: {problem:?}"));
        let record: serde_json::Value = serde_json::from_slice(content).unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let mut cves: Vec<String> = record["upstream"].as_array().unwrap().iter().map(text).collect();
        if cves.is_empty() {
            cves.push(text(&record["id"]));
        }
        for affected in record["affected"].as_array().unwrap() {
            let fixed = text(&affected["ranges"][0]["events"][1]["fixed"]);
            let release = text(&affected["package"]["ecosystem"]);
            let row = (text(&affected["package"]["name"]), fixed, text(&record["id"]), cves.clone());
            self.0.entry(release).or_default().push(row);
        }
    }
}

fn is_older(version: &str, fixed: &str) -> bool {
    Command::new("dpkg").args(["--compare-versions", version, "lt", fixed]).status().unwrap().success()
}

#[test]
fn agrees_with_dpkg_match_by_match() {
    let Some(data) = data() else { return };
    if Command::new("dpkg-query").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "dpkg is needed");
        eprintln!("skipped: no dpkg here");
        return;
    }
    let zip_file = || BufReader::new(File::open(data.join("osv/Debian/all.zip")).unwrap());
    let mut collected = Collect(Fixes::new());
    zip::read(zip_file(), &mut collected).unwrap();
    let mut builder = Builder::new();
    builder.osv_zip(
        &Feed { name: "Debian".into(), licence: String::new() },
        zip_file(),
        &FeedState::default(),
    );
    let database =
        Database::open(Box::new(builder.finish(None).unwrap().bytes), &Verification::AsGiven).unwrap();

    let status = std::env::var("YAGURA_DPKG_STATUS").ok();
    let releases = std::env::var("YAGURA_DEBIAN").map_or_else(
        |_| vec!["10".to_owned(), "11".to_owned(), "12".to_owned(), "13".to_owned()],
        |one| vec![one],
    );
    let packages = installed(status.as_deref());
    assert!(packages.len() > 20, "a Debian system has more than {} packages", packages.len());
    for release in releases {
        let mut expected = BTreeSet::new();
        let empty = Vec::new();
        let fixes = collected.0.get(&format!("Debian:{release}")).unwrap_or(&empty);
        for package in &packages {
            let source = package.source.as_ref().unwrap();
            for (_, fixed, _, cves) in fixes.iter().filter(|(name, ..)| *name == source.name) {
                if is_older(&source.version, fixed) {
                    expected.extend(cves.iter().map(|cve| (package.name.clone(), cve.clone())));
                }
            }
        }
        let inventory = Inventory {
            system: Some(OperatingSystem {
                id: "debian".into(),
                version: release.clone(),
                ..OperatingSystem::default()
            }),
            packages: packages.clone(),
            ..Inventory::default()
        };
        let matches = match_inventory(&inventory, "root", &database, Options::default()).unwrap();
        let found: BTreeSet<_> = matches
            .findings
            .iter()
            .map(|finding| (finding.package.as_ref().unwrap().name.clone(), finding.rule.clone()))
            .collect();
        assert_eq!(found.len(), matches.findings.len(), "one finding for one flaw in one package");
        let flaws: BTreeSet<&String> = found.iter().map(|(_, flaw)| flaw).collect();
        eprintln!(
            "Debian {release}: {} packages, {} findings, {} flaws",
            packages.len(),
            found.len(),
            flaws.len()
        );
        assert_eq!(found, expected, "Debian {release}");
    }
}
