//! Every match for versions drawn from a feed, against an independent one that reads the feed's JSON by itself,
//! evaluates OSV's algorithm as its specification states it, and compares versions with the program that defines the
//! order: rpm, Python's packaging, node-semver, RubyGems.

#![allow(clippy::print_stderr)] // what was skipped and how much was compared is this test's report

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::{BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use yagura_detect::vulnerabilities::{Options, match_inventory};
use yagura_formats::advisories::{Problem, zip};
use yagura_formats::database::{Builder, Database, Feed, FeedState, Verification};
use yagura_model::{Ecosystem, Inventory, OperatingSystem, Package};

/// A feed, and how its packages look when they are installed.
struct Subject {
    /// Directory of the feed.
    feed: &'static str,
    /// The ecosystem as advisories write it.
    ecosystem: &'static str,
    kind: Ecosystem,
    system: Option<(&'static str, &'static str)>,
    /// Program and script that compare versions.
    oracle: &'static [&'static str],
    prefix: &'static str,
    /// One package name in so many is looked at.
    every: usize,
}

macro_rules! script {
    ($name:literal) => {
        concat!(env!("CARGO_MANIFEST_DIR"), "/../formats/tests/version_orders/oracles/", $name)
    };
}

const RPM: &[&str] = &["rpm", "--eval", concat!("%{lua: dofile(\"", script!("rpm.lua"), "\")}")];
const PACKAGING: &[&str] = &["python3", script!("pep440.py")];
const SEMVER: &[&str] = &["node", script!("semver.js"), "versions"];
const GEM: &[&str] = &["ruby", script!("gem.rb")];

const LANGUAGE: Subject = Subject {
    feed: "",
    ecosystem: "",
    kind: Ecosystem::Generic,
    system: None,
    oracle: SEMVER,
    prefix: "",
    every: 1,
};
const ALMALINUX: Subject =
    Subject { feed: "AlmaLinux", kind: Ecosystem::Rpm, oracle: RPM, every: 9, ..LANGUAGE };

/// Versions of one package that are judged.
const VERSIONS: usize = 8;

#[test]
fn almalinux_8() {
    agrees(&Subject { ecosystem: "AlmaLinux:8", system: Some(("almalinux", "8.10")), ..ALMALINUX });
}

#[test]
fn almalinux_9() {
    agrees(&Subject { ecosystem: "AlmaLinux:9", system: Some(("almalinux", "9.6")), ..ALMALINUX });
}

#[test]
fn pypi() {
    agrees(&Subject {
        feed: "PyPI",
        ecosystem: "PyPI",
        kind: Ecosystem::Pypi,
        oracle: PACKAGING,
        every: 2,
        ..LANGUAGE
    });
}

#[test]
fn npm() {
    agrees(&Subject { feed: "npm", ecosystem: "npm", kind: Ecosystem::Npm, ..LANGUAGE });
}

#[test]
fn go() {
    agrees(&Subject { feed: "Go", ecosystem: "Go", kind: Ecosystem::Golang, prefix: "v", ..LANGUAGE });
}

#[test]
fn crates_io() {
    agrees(&Subject { feed: "crates.io", ecosystem: "crates.io", kind: Ecosystem::Cargo, ..LANGUAGE });
}

#[test]
fn rubygems() {
    agrees(&Subject {
        feed: "RubyGems",
        ecosystem: "RubyGems",
        kind: Ecosystem::Gem,
        oracle: GEM,
        ..LANGUAGE
    });
}

/// The shared data, or none with a word about it; under CI it must be there.
fn data() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let path = std::env::var_os("YAGURA_DATA").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    if path.join("osv").exists() {
        return Some(path);
    }
    assert!(std::env::var_os("CI").is_none(), "no data at {}", path.display());
    eprintln!("SKIPPED feeds: no data at {} (set YAGURA_DATA)", path.display());
    None
}

/// What one advisory says of one package.
struct Claim {
    record: String,
    ranges: Vec<Vec<(Event, String)>>,
    versions: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Event {
    Introduced,
    Fixed,
    LastAffected,
}

/// Package → claims, straight from the JSON.
struct Claims<'s> {
    subject: &'s Subject,
    by_package: BTreeMap<String, Vec<Claim>>,
    /// Packages some of whose ranges stand in a form that OSV does not specify.
    special: BTreeSet<String>,
}

impl zip::Visitor for Claims<'_> {
    fn wants(&mut self, _: &str, _: zip::Fingerprint) -> bool {
        true
    }

    fn member(&mut self, name: &str, _: zip::Fingerprint, content: Result<&[u8], Problem>) {
        let content = content.unwrap_or_else(|problem| panic!("{name}: {problem:?}"));
        let record: Value = serde_json::from_slice(content).unwrap();
        // Bug fixes and enhancements of AlmaLinux say nothing of security.
        let id = record["id"].as_str().unwrap();
        if !record["withdrawn"].is_null() || id.starts_with("ALBA-") || id.starts_with("ALEA-") {
            return;
        }
        for affected in record["affected"].as_array().into_iter().flatten() {
            let package = affected["package"]["name"].as_str().unwrap().to_owned();
            if affected["package"]["ecosystem"] != self.subject.ecosystem {
                continue;
            }
            if !affected["ecosystem_specific"]["custom_ranges"].is_null() {
                self.special.insert(package.clone());
            }
            let claim = Claim {
                record: id.to_owned(),
                ranges: affected["ranges"].as_array().into_iter().flatten().filter_map(range).collect(),
                versions: affected["versions"].as_array().into_iter().flatten().filter_map(text).collect(),
            };
            self.by_package.entry(package).or_default().push(claim);
        }
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn range(range: &Value) -> Option<Vec<(Event, String)>> {
    if range["type"] == "GIT" {
        return None;
    }
    let event = |event: &Value| {
        let of = |name: &str, kind| Some((kind, event[name].as_str()?.to_owned()));
        of("introduced", Event::Introduced)
            .or_else(|| of("fixed", Event::Fixed))
            .or_else(|| of("last_affected", Event::LastAffected))
    };
    Some(range["events"].as_array()?.iter().filter_map(event).collect())
}

/// What the oracle says of pairs.
struct Answers(HashMap<(String, String), Option<Ordering>>);

impl Answers {
    fn ask(oracle: &[&str], pairs: BTreeSet<(String, String)>) -> Option<Self> {
        let command = || {
            let mut command = Command::new(oracle[0]);
            command.args(&oracle[1..]);
            command
        };
        let mut probe = command();
        probe.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if !probe.status().is_ok_and(|status| status.success()) {
            assert!(std::env::var_os("CI").is_none(), "{oracle:?} is missing");
            eprintln!("SKIPPED feeds: {oracle:?} is not on this machine");
            return None;
        }
        let mut child = command().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let lines: String = pairs.iter().flat_map(|(a, b)| [a, "\t", b, "\n"]).collect();
        let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap().unwrap();
        let answers: Vec<_> = String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .filter(|line| !line.is_empty())
            .map(|line| match line.trim() {
                "-1" => Some(Ordering::Less),
                "0" => Some(Ordering::Equal),
                "1" => Some(Ordering::Greater),
                _ => None,
            })
            .collect();
        assert_eq!(answers.len(), pairs.len(), "{oracle:?} did not answer every pair");
        Some(Self(pairs.into_iter().zip(answers).collect()))
    }

    /// None where the oracle refuses one of the two.
    fn compare(&self, a: &str, b: &str) -> Option<Ordering> {
        match (a == b, b == "0") {
            (true, _) => Some(Ordering::Equal),
            (_, true) => Some(Ordering::Greater),
            _ => self.0[&(a.to_owned(), b.to_owned())],
        }
    }

    /// OSV's evaluation: the last event that the version has passed decides.
    fn is_affected(&self, version: &str, claim: &Claim) -> Option<bool> {
        for listed in &claim.versions {
            if self.compare(version, listed)?.is_eq() {
                return Some(true);
            }
        }
        for events in &claim.ranges {
            // A range that ends before it begins is the feed's mistake: read by the letter it would never end.
            if let [(Event::Introduced, introduced), (Event::Fixed, fixed)] = events.as_slice()
                && introduced != "0"
                && self.compare(fixed, introduced)?.is_lt()
            {
                continue;
            }
            let mut last: Option<&(Event, String)> = None;
            for event in events {
                let order = self.compare(version, &event.1)?;
                let passed = if event.0 == Event::LastAffected { order.is_gt() } else { order.is_ge() };
                let later = match last {
                    Some((_, before)) => event.1 != "0" && self.compare(&event.1, before)?.is_ge(),
                    None => true,
                };
                if passed && later {
                    last = Some(event);
                }
            }
            if last.is_some_and(|(event, _)| *event == Event::Introduced) {
                return Some(true);
            }
        }
        Some(false)
    }
}

/// Versions that the claims themselves name, spread over what there is, and one before all of them.
fn drawn(claims: &[Claim]) -> Vec<String> {
    let events = claims.iter().flat_map(|claim| claim.ranges.iter().flatten().map(|(_, version)| version));
    let listed = claims.iter().flat_map(|claim| &claim.versions);
    let all: Vec<&String> =
        events.chain(listed).filter(|version| *version != "0").collect::<BTreeSet<_>>().into_iter().collect();
    let step = all.len().div_ceil(VERSIONS).max(1);
    let mut drawn: Vec<String> = all.into_iter().step_by(step).cloned().collect();
    drawn.push("0.0.1".to_owned());
    drawn
}

fn is_modular(version: &str) -> bool {
    version.contains(".module")
}

/// Whether a claim is made about this version at all, and with which of an advisory's builds of one package: ordinary
/// builds and those of modules carry the same names, and whoever has one of several builds with the fix has the fix.
fn affecting<'c>(
    subject: &Subject,
    version: &str,
    claims: &'c [Claim],
    answers: &Answers,
) -> Option<BTreeSet<&'c str>> {
    let mut by_record: BTreeMap<&str, Vec<&Claim>> = BTreeMap::new();
    for claim in claims {
        let fixes = claim.ranges.iter().flatten().filter(|(event, _)| *event == Event::Fixed);
        let modular = fixes.map(|(_, fixed)| is_modular(fixed)).collect::<BTreeSet<_>>();
        if subject.kind != Ecosystem::Rpm || modular.contains(&is_modular(version)) {
            by_record.entry(&claim.record).or_default().push(claim);
        }
    }
    let mut affecting = BTreeSet::new();
    for (record, claims) in by_record {
        let verdicts: Vec<bool> =
            claims.iter().map(|claim| answers.is_affected(version, claim)).collect::<Option<_>>()?;
        let affected = match subject.kind {
            Ecosystem::Rpm => verdicts.iter().all(|affected| *affected),
            _ => verdicts.iter().any(|affected| *affected),
        };
        if affected {
            affecting.insert(record);
        }
    }
    Some(affecting)
}

fn agrees(subject: &Subject) {
    let Some(data) = data() else { return };
    let file = || BufReader::new(File::open(data.join("osv").join(subject.feed).join("all.zip")).unwrap());
    let mut claims = Claims { subject, by_package: BTreeMap::new(), special: BTreeSet::new() };
    zip::read(file(), &mut claims).unwrap();
    let Claims { by_package, special, .. } = claims;
    let by_package: BTreeMap<_, _> = by_package
        .into_iter()
        .filter(|(package, _)| !special.contains(package))
        .step_by(subject.every)
        .collect();

    let mut pairs = BTreeSet::new();
    for claims in by_package.values() {
        let drawn = drawn(claims);
        for claim in claims {
            let events = || claim.ranges.iter().flatten().map(|(_, version)| version);
            for other in events().chain(&claim.versions) {
                pairs.extend(drawn.iter().map(|version| (version.clone(), other.clone())));
            }
            for range in &claim.ranges {
                for (_, a) in range {
                    pairs.extend(range.iter().map(|(_, b)| (a.clone(), b.clone())));
                }
            }
        }
    }
    pairs.retain(|(a, b)| a != b && b != "0");
    let Some(answers) = Answers::ask(subject.oracle, pairs) else { return };

    let mut builder = Builder::new();
    let feed = Feed { name: subject.feed.into(), licence: String::new() };
    builder.osv_zip(&feed, file(), &FeedState::default());
    let database =
        Database::open(Box::new(builder.finish(None).unwrap().bytes), &Verification::AsGiven).unwrap();

    let (mut judged, mut affected, mut refused) = (0, 0, 0);
    let mut differences = Vec::new();
    for (name, claims) in &by_package {
        for version in drawn(claims) {
            let Some(expected) = affecting(subject, &version, claims, &answers) else {
                refused += 1;
                continue;
            };
            judged += 1;
            affected += expected.len();
            let installed = format!("{}{version}", subject.prefix);
            let inventory = Inventory {
                system: subject.system.map(|(id, version)| OperatingSystem {
                    id: id.into(),
                    version: version.into(),
                    ..OperatingSystem::default()
                }),
                packages: vec![Package::new(subject.kind, name, installed)],
                ..Inventory::default()
            };
            let matches = match_inventory(&inventory, "root", &database, Options::default()).unwrap();
            let found: Vec<BTreeSet<&str>> = matches
                .findings
                .iter()
                .map(|finding| finding.aliases.iter().chain([&finding.rule]).map(String::as_str).collect())
                .collect();
            for record in &expected {
                if !found.iter().any(|names| names.contains(record)) {
                    differences.push(format!("{name} {version}: {record} is missed"));
                }
            }
            for names in &found {
                if expected.is_disjoint(names) {
                    differences.push(format!("{name} {version}: {names:?} is found and does not apply"));
                }
            }
        }
    }
    eprintln!(
        "{}: {} packages, {judged} versions judged, {affected} claims apply, {refused} versions refused by the oracle",
        subject.ecosystem,
        by_package.len()
    );
    assert!(judged > 5 * refused, "the oracle refuses too much");
    assert!(
        differences.is_empty(),
        "{} differ:\n{}",
        differences.len(),
        differences[..differences.len().min(40)].join("\n")
    );
}
