use yagura_formats::advisories::{end_of_life, osv};
use yagura_formats::database::{Builder, Feed, Verification};
use yagura_model::finding::Confidence;
use yagura_model::package::SourcePackage;
use yagura_model::{Ecosystem, OperatingSystem};

use super::*;

/// A database of records given as (feed, JSON).
fn database(records: &[(&str, String)]) -> Database {
    let mut builder = Builder::new();
    for (feed, json) in records {
        let parsed = osv::parse(json.as_bytes()).unwrap_or_else(|problem| panic!("{problem:?} in {json}"));
        assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
        let feed = Feed { name: (*feed).to_owned(), licence: String::new() };
        builder.advisories(&feed, [(parsed.advisory.id.clone(), parsed.advisory)]);
    }
    let cycles = br#"{"debian":[{"releaseCycle":"11","codename":"Bullseye","eol":"2024-08-14"},
        {"releaseCycle":"12","eol":"2026-07-11"}],"alpine-linux":[{"releaseCycle":"3.20","eol":"2026-04-01"}]}"#;
    builder.end_of_life("eol", end_of_life::parse(cycles).unwrap());
    Database::open(Box::new(builder.finish(None).unwrap().bytes), &Verification::AsGiven).unwrap()
}

/// A record about one package: names as `id[=alias…][<answered…]`, events as `+introduced -fixed =last`.
fn record(names: &str, ecosystem: &str, package: &str, events: &str) -> String {
    let (names, upstream) = names.split_once('<').unwrap_or((names, ""));
    let list = |text: &str, separator| {
        let names = text.split(separator).filter(|name| !name.is_empty());
        names.map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(",")
    };
    let (id, aliases) = names.split_once('=').unwrap_or((names, ""));
    let events: Vec<String> = events
        .split_ascii_whitespace()
        .map(|event| {
            let kind = match &event[..1] {
                "+" => "introduced",
                "-" => "fixed",
                _ => "last_affected",
            };
            format!(r#"{{"{kind}":"{}"}}"#, &event[1..])
        })
        .collect();
    format!(
        r#"{{"id":"{id}","aliases":[{}],"upstream":[{}],"modified":"2024-01-01T00:00:00Z","affected":[{{"package":
        {{"ecosystem":"{ecosystem}","name":"{package}"}},"ranges":[{{"type":"ECOSYSTEM","events":[{}]}}]}}]}}"#,
        list(aliases, '='),
        list(upstream, '<'),
        events.join(",")
    )
}

fn system(id: &str, version: &str, id_like: &[&str]) -> OperatingSystem {
    OperatingSystem {
        id: id.to_owned(),
        version: version.to_owned(),
        id_like: id_like.iter().map(|id| (*id).to_owned()).collect(),
        ..OperatingSystem::default()
    }
}

fn inventory(system: Option<OperatingSystem>, packages: Vec<Package>) -> Inventory {
    Inventory { system, packages, ..Inventory::default() }
}

fn deb(name: &str, version: &str, source: &str, source_version: &str) -> Package {
    let mut package = Package::new(Ecosystem::Deb, name, version);
    package.source = Some(SourcePackage { name: source.into(), version: source_version.into() });
    package
}

fn matched(inventory: &Inventory, database: &Database) -> Vec<Finding> {
    match_inventory(inventory, "t", database, Options::default()).unwrap().findings
}

/// Each finding as `flaw package -> fix`.
fn summary(findings: &[Finding]) -> Vec<String> {
    let mut lines: Vec<String> = findings
        .iter()
        .map(|finding| {
            let package = &finding.package.as_ref().unwrap().name;
            format!("{} {package} -> {}", finding.rule, finding.fixed_version.as_deref().unwrap_or("none"))
        })
        .collect();
    lines.sort();
    lines
}

#[test]
fn debian_is_judged_by_source_name_and_source_version() {
    let database = database(&[(
        "Debian",
        record("DSA-5417-1<CVE-2023-0464<CVE-2023-0465", "Debian:12", "openssl", "+0 -3.0.9-1"),
    )]);
    let debian = || Some(system("debian", "12", &[]));
    let affected = inventory(debian(), vec![deb("libssl3", "3.0.8-1+b1", "openssl", "3.0.8-1")]);
    let findings = matched(&affected, &database);
    assert_eq!(summary(&findings), ["CVE-2023-0464 libssl3 -> 3.0.9-1", "CVE-2023-0465 libssl3 -> 3.0.9-1"]);
    let finding = &findings[0];
    assert_eq!(finding.aliases, ["DSA-5417-1"]);
    assert_eq!(finding.title, "CVE-2023-0464 in libssl3 3.0.8-1+b1: fixed in 3.0.9-1");
    let evidence = &finding.evidence;
    assert_eq!(
        (evidence.advisory.as_str(), evidence.feed.as_str(), evidence.matched_name.as_str()),
        ("DSA-5417-1", "Debian:12", "openssl")
    );
    assert_eq!((evidence.matched_version.as_str(), evidence.range.as_str()), ("3.0.8-1", ">= 0, < 3.0.9-1"));
    assert_eq!((evidence.order.as_str(), evidence.fix_state.as_str()), ("dpkg", "fixed"));
    assert_eq!(evidence.confidence, Some(Confidence::OsOwned));

    for (system, version) in
        [(debian(), "3.0.9-1"), (debian(), "1:1.0-1"), (Some(system("debian", "11", &[])), "3.0.8-1")]
    {
        let fixed = inventory(system, vec![deb("libssl3", version, "openssl", version)]);
        assert!(matched(&fixed, &database).is_empty(), "{version}");
    }
}

#[test]
fn finding_ids_depend_on_the_flaw_the_package_and_the_place_alone() {
    let database = database(&[("PyPI", record("PYSEC-1=CVE-2024-1", "PyPI", "a", "+0 -2"))]);
    let mut package = Package::new(Ecosystem::Pypi, "a", "1");
    package.locations = vec![yagura_model::Location::file("usr/lib/a")];
    let first = inventory(None, vec![package.clone()]);
    let id = |target: &str, inventory: &Inventory| {
        match_inventory(inventory, target, &database, Options::default()).unwrap().findings[0].id.clone()
    };
    assert_eq!(id("x", &first), id("y", &first));
    package.locations = vec![yagura_model::Location::file("opt/a")];
    assert_ne!(id("x", &first), id("x", &inventory(None, vec![package])));
}

#[test]
fn one_flaw_under_many_names_is_one_finding() {
    let database = database(&[
        ("npm", record("GHSA-1=CVE-2024-1", "npm", "a", "+0 -1.2.0")),
        ("npm", record("RETIRE-1=GHSA-1", "npm", "a", "+0 -1.3.0")),
        ("PyPI", record("PYSEC-1=CVE-2024-1", "PyPI", "a", "+0 -9")),
    ]);
    let findings = matched(&inventory(None, vec![Package::new(Ecosystem::Npm, "a", "1.0.0")]), &database);
    assert_eq!(summary(&findings), ["CVE-2024-1 a -> 1.3.0"], "free of it by every record");
    assert_eq!(findings[0].aliases, ["GHSA-1", "PYSEC-1", "RETIRE-1"]);
}

#[test]
fn the_fix_is_the_one_of_the_packages_own_branch() {
    let database =
        database(&[("npm", record("GHSA-1", "npm", "a", "+0 -1.2.0 +2.0.0 -2.1.0 +3.0.0 =3.5.0 +4.0.0"))]);
    for (version, expected) in [
        ("1.0.0", Some("1.2.0")),
        ("2.0.5", Some("2.1.0")),
        ("1.2.0", None),
        ("2.1.0", None),
        ("3.5.0", Some("none")),
        ("3.5.1", None),
        ("4.0.0", Some("none")),
    ] {
        let findings = matched(&inventory(None, vec![Package::new(Ecosystem::Npm, "a", version)]), &database);
        let expected: Vec<String> = expected.iter().map(|fix| format!("GHSA-1 a -> {fix}")).collect();
        assert_eq!(summary(&findings), expected, "{version}");
    }
}

#[test]
fn what_the_operating_system_owns_is_judged_once() {
    let database = database(&[
        ("PyPI", record("PYSEC-1=CVE-2024-1", "PyPI", "requests", "+0 -9")),
        ("Debian", record("DSA-1<CVE-2024-1", "Debian:12", "requests", "+0 -2.28.1-2")),
    ]);
    let mut python = Package::new(Ecosystem::Pypi, "requests", "2.28.1");
    python.owner = Some("python3-requests".into());
    let packages = vec![deb("python3-requests", "2.28.1-2", "requests", "2.28.1-2"), python];
    let debian = inventory(Some(system("debian", "12", &[])), packages.clone());
    assert!(matched(&debian, &database).is_empty(), "Debian has fixed it without changing the version");
    let unknown = inventory(Some(system("homemade", "1", &[])), packages);
    assert_eq!(
        summary(&matched(&unknown, &database)),
        ["CVE-2024-1 requests -> 9"],
        "nobody else speaks for it"
    );
}

#[test]
fn rpm_builds_of_modules_and_of_the_base_do_not_meet() {
    let modular = record("ALSA-1<CVE-2024-1", "AlmaLinux:8", "nodejs", "+0 -1:18.2-1.module_el8.9.0+1");
    let modular = modular.replacen("\"id\"", "\"summary\":\"Low: nodejs:18 security update\",\"id\"", 1);
    let plain = record("ALSA-2<CVE-2024-2", "AlmaLinux:8", "perl", "+0 -4:5.26.3-420.el8");
    let database = database(&[("AlmaLinux", modular), ("AlmaLinux", plain)]);
    let rpm = |name: &str, version: &str, module: &str| {
        let mut package = Package::new(Ecosystem::Rpm, name, version);
        package.module = module.to_owned();
        package
    };
    for (package, expected) in [
        (rpm("nodejs", "1:18.1-1.module_el8.9.0+1", "nodejs:18:1:2"), 1),
        (rpm("nodejs", "1:16.1-1.module_el8.9.0+1", "nodejs:16:1:2"), 0),
        (rpm("nodejs", "1:18.1-1.module_el8.9.0+1", ""), 1),
        (rpm("nodejs", "1:10.1-1.el8", ""), 0),
        (rpm("perl", "4:5.26.3-419.el8", ""), 1),
        (rpm("perl", "4:5.24.4-404.module_el8", "perl:5.24:1:2"), 0),
        (rpm("perl", "3:5.30.1-1.el8", ""), 1),
        (rpm("perl", "5.26.3-500.el8", ""), 1),
    ] {
        let alma = inventory(Some(system("almalinux", "8.9", &[])), vec![package.clone()]);
        assert_eq!(matched(&alma, &database).len(), expected, "{} {}", package.version, package.module);
    }
    let alma =
        inventory(Some(system("almalinux", "8.9", &[])), vec![rpm("nodejs", "1:18.1-1.module_el8", "")]);
    assert_eq!(matched(&alma, &database)[0].severity, Severity::Low);
}

#[test]
fn one_met_alternative_of_an_rpm_bulletin_is_enough() {
    let builds = ["-1.0-1.el8", "-1.0-1.el8.alma"];
    let json = record("ALSA-1<CVE-2024-1", "AlmaLinux:8", "a", &format!("+0 {}", builds[0]));
    let other = record("X", "AlmaLinux:8", "a", &format!("+0 {}", builds[1]));
    let second = other.split_once("\"affected\":[").unwrap().1.strip_suffix("]}").unwrap();
    let json = format!("{},{second}]}}", json.strip_suffix("]}").unwrap());
    let database = database(&[("AlmaLinux", json)]);
    for (version, expected) in
        [("1.0-1.el8", ""), ("1.0-1.el8.alma", ""), ("1.0-0.el8", "CVE-2024-1 a -> 1.0-1.el8")]
    {
        let alma = inventory(
            Some(system("almalinux", "8.9", &[])),
            vec![Package::new(Ecosystem::Rpm, "a", version)],
        );
        assert_eq!(summary(&matched(&alma, &database)).join(""), expected, "{version}");
    }
}

#[test]
fn each_distributions_release_is_found_under_its_feeds_name() {
    let named = |id: &str, version: &str, name: &str| {
        let mut system = system(id, version, &[]);
        system.name = name.to_owned();
        system
    };
    for (ecosystem, system) in [
        ("Debian:12", system("debian", "12", &[])),
        ("Debian:12", system("debian", "12.5", &[])),
        ("Ubuntu:22.04:LTS", system("ubuntu", "22.04", &[])),
        ("Ubuntu:23.10", system("ubuntu", "23.10", &[])),
        ("Ubuntu:Pro:18.04:LTS", system("ubuntu", "18.04", &[])),
        ("Alpine:v3.20", system("alpine", "3.20.1", &[])),
        ("Alpine:edge", system("alpine", "3.23.0_alpha20250612", &[])),
        ("AlmaLinux:9", system("almalinux", "9.4", &[])),
        ("Rocky Linux:8", system("rocky", "8.10", &[])),
        ("Red Hat:enterprise_linux:9::baseos", system("rhel", "9.4", &[])),
        ("SUSE:Linux Enterprise Server 15 SP5", system("sles", "15.5", &[])),
        ("SUSE:Linux Enterprise Module for Basesystem 15 SP5", system("sles", "15.5", &[])),
        ("openSUSE:Leap 15.5", system("opensuse-leap", "15.5", &[])),
        ("openSUSE:Tumbleweed", system("opensuse-tumbleweed", "20240101", &[])),
        ("Amazon Linux:2023", system("amzn", "2023", &[])),
        ("Photon OS:4.0", system("photon", "4.0", &[])),
        ("Azure Linux:3", system("azurelinux", "3.0", &[])),
        ("openEuler:24.03-LTS-SP1", named("openEuler", "24.03", "openEuler 24.03 (LTS-SP1)")),
        ("Wolfi", system("wolfi", "20230201", &[])),
        ("Chainguard", system("chainguard", "20230214", &[])),
        ("MinimOS", system("minimos", "20240101", &[])),
        ("Debian:12", system("raspbian", "12", &["debian"])),
        ("AlmaLinux:9", system("ol", "9.4", &["fedora"])),
    ] {
        let database = database(&[("F", record("X-1<CVE-2024-1", ecosystem, "a", "+0"))]);
        assert_eq!(distributions::feeds(&system, &database).len(), 1, "{ecosystem} {}", system.distro());
        let other = OperatingSystem { version: "99.99".into(), name: String::new(), ..system.clone() };
        let rolling = ["Wolfi", "Chainguard", "MinimOS", "openSUSE:Tumbleweed"].contains(&ecosystem);
        assert_eq!(distributions::feeds(&other, &database).len(), usize::from(rolling), "{ecosystem} 99.99");
    }
    let neighbours =
        database(&[("F", record("X-1<CVE-2024-1", "SUSE:Linux Enterprise Server 15 SP5", "a", "+0"))]);
    for version in ["15.6", "15", "5", "15.50"] {
        assert!(distributions::feeds(&system("sles", version, &[]), &neighbours).is_empty(), "{version}");
    }
}

#[test]
fn derivatives_are_judged_by_codename_and_by_name_only() {
    let database = database(&[("Debian", record("DSA-1<CVE-2024-1", "Debian:12", "zlib", "+0 -2"))]);
    let mut derivative = system("homemade", "7", &["debian"]);
    derivative.codename = "bookworm".into();
    let packages = vec![deb("zlib1g", "1", "zlib", "1")];
    let result =
        match_inventory(&inventory(Some(derivative), packages.clone()), "t", &database, Options::default())
            .unwrap();
    assert_eq!(result.findings[0].evidence.confidence, Some(Confidence::NameOnly));
    assert_eq!(result.notices.len(), 1);
    let unknown = inventory(Some(system("homemade", "7", &["debian"])), packages);
    let result = match_inventory(&unknown, "t", &database, Options::default()).unwrap();
    assert!(result.findings.is_empty());
    assert!(result.notices[0].contains("not judged"), "{:?}", result.notices);
}

#[test]
fn ubuntu_pro_fixes_are_marked_and_pro_builds_judged_by_pro() {
    let database = database(&[
        ("Ubuntu", record("UBUNTU-CVE-2024-1<CVE-2024-1", "Ubuntu:18.04:LTS", "a", "+0")),
        ("Ubuntu", record("USN-1<CVE-2024-1", "Ubuntu:Pro:18.04:LTS", "a", "+0 -1.0-1ubuntu1+esm1")),
    ]);
    let ubuntu = |version: &str| {
        inventory(Some(system("ubuntu", "18.04", &["debian"])), vec![deb("a", version, "a", version)])
    };
    let findings = matched(&ubuntu("1.0-1ubuntu1"), &database);
    assert_eq!(summary(&findings), ["CVE-2024-1 a -> 1.0-1ubuntu1+esm1"]);
    assert!(matched(&ubuntu("1.0-1ubuntu1+esm1"), &database).is_empty());
}

#[test]
fn malware_unmaintained_packages_and_go_tags() {
    let unmaintained = record("RUSTSEC-1", "crates.io", "old", "+0").replacen(
        "\"package\"",
        "\"database_specific\":{\"informational\":\"unmaintained\"},\"package\"",
        1,
    );
    let tagged = record("GO-1=CVE-2024-1", "Go", "example.org/m", "+0").replacen(
        "\"package\"",
        "\"ecosystem_specific\":{\"custom_ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[{\"introduced\":\"0\"},\
         {\"fixed\":\"2.0.0\"}]}]},\"package\"",
        1,
    );
    let database = database(&[
        ("npm", record("MAL-2024-1", "npm", "evil", "+0")),
        ("PyPI", record("PYSEC-2=MAL-2024-2", "PyPI", "evil", "+0")),
        ("crates.io", unmaintained),
        ("Go", tagged),
    ]);
    let one = |ecosystem, name: &str, version: &str| {
        matched(&inventory(None, vec![Package::new(ecosystem, name, version)]), &database)
    };
    assert_eq!(one(Ecosystem::Npm, "evil", "1.0.0")[0].kind, FindingKind::Malware);
    assert_eq!(one(Ecosystem::Npm, "evil", "1.0.0")[0].severity, Severity::Critical);
    assert_eq!(one(Ecosystem::Pypi, "Evil", "1.0")[0].kind, FindingKind::Malware);
    assert_eq!(one(Ecosystem::Cargo, "old", "1.0.0")[0].severity, Severity::Negligible);
    let go = |version| summary(&one(Ecosystem::Golang, "example.org/m", version)).join("");
    assert_eq!(go("v1.5.0"), "CVE-2024-1 example.org/m -> 2.0.0");
    assert_eq!(go("v2.0.0"), "");
    assert_eq!(go("v0.0.0-20240101000000-abcdefabcdef"), "CVE-2024-1 example.org/m -> none");
}

#[test]
fn the_severity_is_the_vendors_then_the_best_cvss() {
    let vectors = r#""severity":[{"type":"CVSS_V2","score":"AV:N/AC:L/Au:N/C:P/I:P/A:P"},
        {"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],"database_specific":{"severity":"LOW"},"id""#;
    let github = record("GHSA-1=CVE-2024-1", "npm", "a", "+0 -2.0.0").replacen("\"id\"", vectors, 1);
    let word = r#""database_specific":{"severity":"MODERATE"},"id""#;
    let worded = record("GHSA-2", "npm", "b", "+0").replacen("\"id\"", word, 1);
    let alma = record("ALSA-1<CVE-2024-1", "AlmaLinux:9", "a", "+0 -2-1.el9").replacen(
        "\"id\"",
        "\"summary\":\"Low: a security update\",\"id\"",
        1,
    );
    let debian = record("DSA-1<CVE-2024-1", "Debian:12", "a", "+0 -2");
    let database = database(&[("npm", github), ("npm", worded), ("AlmaLinux", alma), ("Debian", debian)]);
    let rated = |system: Option<OperatingSystem>, package: Package| {
        let findings = matched(&inventory(system, vec![package]), &database);
        let vulnerability = findings[0].vulnerability.clone().unwrap();
        (vulnerability.severity, vulnerability.severity_source, vulnerability.score)
    };
    let npm = |name| Package::new(Ecosystem::Npm, name, "1.0.0");
    assert_eq!(rated(None, npm("a")), (Severity::Critical, "cvss-v3.1".into(), Some(9.8)));
    assert_eq!(rated(None, npm("b")), (Severity::Medium, "database".into(), None));
    let rpm = Package::new(Ecosystem::Rpm, "a", "1-1.el9");
    assert_eq!(
        rated(Some(system("almalinux", "9.4", &[])), rpm),
        (Severity::Low, "vendor".into(), Some(9.8)),
        "the vendor's word, with the score beside it"
    );
    assert_eq!(
        rated(Some(system("debian", "12", &[])), deb("a", "1", "a", "1")),
        (Severity::Critical, "cvss-v3.1".into(), Some(9.8)),
        "what other feeds know of the CVE"
    );
}

#[test]
fn end_of_life_is_by_release() {
    let database = database(&[]);
    let mut bullseye = system("debian", "11", &[]);
    let notice = fill_end_of_life(&mut bullseye, "2026-08-01", &database).unwrap();
    assert_eq!(bullseye.end_of_life.as_deref(), Some("2024-08-14"));
    assert!(notice.unwrap().contains("2024-08-14"));
    let mut alpine = system("alpine", "3.20.1", &[]);
    assert_eq!(fill_end_of_life(&mut alpine, "2026-03-31", &database).unwrap(), None);
    assert_eq!(alpine.end_of_life.as_deref(), Some("2026-04-01"));
    let mut other = system("alpine", "3.2.0", &[]);
    fill_end_of_life(&mut other, "2026-03-31", &database).unwrap();
    assert_eq!(other.end_of_life, None);
}

#[test]
fn explains_matches_and_near_misses() {
    let database = database(&[
        ("Debian", record("DSA-1<CVE-2024-1", "Debian:12", "requests", "+0 -2.28-2")),
        ("PyPI", record("PYSEC-1=CVE-2024-1", "PyPI", "requests", "+0 -3")),
    ]);
    let mut owned = Package::new(Ecosystem::Pypi, "requests", "2.28");
    owned.owner = Some("python3-requests".into());
    let packages = vec![deb("python3-requests", "2.28-2", "requests", "2.28-2"), owned];
    let inventory = inventory(Some(system("debian", "12", &[])), packages);
    for id in ["CVE-2024-1", "DSA-1", "PYSEC-1"] {
        let explained = explain(id, Some(&inventory), &database).unwrap();
        assert_eq!(explained.len(), 1, "{id}");
        assert_eq!(explained[0].name, "CVE-2024-1");
        assert_eq!(explained[0].advisories.len(), 2);
        let reasons: Vec<&str> = explained[0].judgements.iter().map(|j| j.reason.as_str()).collect();
        assert_eq!(
            reasons,
            [
                "fixed already, in 2.28-2",
                "owned by a package of the operating system, whose feed speaks for it"
            ]
        );
    }
    assert!(explain("CVE-2024-2", None, &database).unwrap().is_empty());
}

#[test]
fn the_index_answers_for_many_inventories_at_once() {
    let old = database(&[("npm", record("GHSA-1=CVE-2024-1", "npm", "a", "+0 -1.2.0"))]);
    let new = database(&[
        ("npm", record("GHSA-1=CVE-2024-1", "npm", "a", "+0 -1.2.0")),
        ("npm", record("GHSA-2", "npm", "b", "+0 -3.0.0")),
        ("Debian", record("DSA-1<CVE-2024-9", "Debian:12", "zlib", "+0 -2")),
    ]);
    let mut builder = SbomIndexBuilder::new();
    let npm = |name, version| Package::new(Ecosystem::Npm, name, version);
    for number in 0..300 {
        let version = if number % 2 == 0 { "2.0.0" } else { "3.0.0" };
        builder.add(format!("sbom-{number}"), &inventory(None, vec![npm("a", "1.0.0"), npm("b", version)]));
    }
    let debian = Some(system("debian", "12", &[]));
    builder.add(
        "debian",
        &inventory(debian, vec![deb("zlib1g", "1", "zlib", "1"), deb("zlib1g", "1", "zlib", "1")]),
    );
    let index = builder.finish();
    assert_eq!((index.len(), index.components()), (301, 4));
    let index = SbomIndex::from_bytes(&index.to_bytes().unwrap()).unwrap();

    let changed = changed_records(&old, &new).unwrap();
    assert_eq!(changed.len(), 2);
    let affected = index.affected(&new, Some(&changed)).unwrap();
    let lines: Vec<String> = affected
        .iter()
        .map(|a| format!("{} {} {} {}", a.flaw, a.package, a.version, a.sboms.len()))
        .collect();
    assert_eq!(lines, ["CVE-2024-9 zlib1g 1 1", "GHSA-2 b 2.0.0 150"]);
    assert_eq!(index.name(affected[1].sboms[149]), "sbom-298");
    assert!(changed_records(&new, &new).unwrap().is_empty());

    let counts = index.count_flaws(&new).unwrap();
    assert_eq!((counts[0], counts[1], counts[300]), (2, 1, 1));
    let mut broken = index.to_bytes().unwrap();
    broken[60] ^= 1;
    assert!(matches!(SbomIndex::from_bytes(&broken), Err(IndexError::Damaged)));
    assert!(matches!(SbomIndex::from_bytes(b"x"), Err(IndexError::NotAnIndex)));
}
