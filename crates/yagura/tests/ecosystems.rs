//! Images whose content real package managers put there, judged end to end.

mod bed;

use std::fs;
use std::path::Path;

use bed::{has, oci_layout, run, scan, text};
use serde_json::Value;

fn write(root: &Path, path: &str, content: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn findings_of<'a>(report: &'a Value, package: &str) -> Vec<&'a str> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings.filter(|f| f["package"]["name"] == package).map(|f| f["rule"].as_str().unwrap()).collect()
}

#[test]
fn an_rpm_database_is_judged_by_its_distribution() {
    if !has(&["rpm", "rpmbuild"]) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let root = work.path().join("root");
    write(&root, "etc/os-release", "ID=\"almalinux\"\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"9.4\"\n");
    let spec = "Name: bind-libs\nEpoch: 32\nVersion: 9.16.23\nRelease: 1.el9\nSummary: s\nLicense: MPL-2.0\n\
                %description\nd\n%files\n";
    write(work.path(), "bind-libs.spec", spec);
    let top = format!("_topdir {}", text(&work.path().join("rpmbuild")));
    run("rpmbuild", &["-bb", "--quiet", "--define", &top, text(&work.path().join("bind-libs.spec"))]);
    let package = work.path().join("rpmbuild/RPMS/x86_64/bind-libs-9.16.23-1.el9.x86_64.rpm");
    run("rpm", &["--root", text(&root), "--dbpath", "/var/lib/rpm", "--nodeps", "-i", text(&package)]);

    let report = scan(work.path(), &[&format!("dir:{}", text(&root))]);
    let found = findings_of(&report, "bind-libs");
    assert!(found.contains(&"CVE-2023-50387"), "a flaw AlmaLinux 9 fixed in bind: {found:?}");
    let package = &report["targets"][0]["inventory"]["packages"][0];
    assert_eq!(package["version"], "32:9.16.23-1.el9");
}

/// Alpine writes its advisories for origins; `apk` keeps them beside each package. Its feed is not among the embedded
/// ones, so the test brings one in the layout of OSV's bucket.
#[test]
fn alpine_is_judged_by_the_origin_of_each_package() {
    if !has(&["python3"]) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let root = work.path().join("root");
    write(&root, "etc/os-release", "ID=alpine\nVERSION_ID=3.18.4\n");
    write(&root, "etc/alpine-release", "3.18.4\n");
    let package = |name: &str, version: &str, origin: &str| {
        format!(
            "C:Q1eVpkasfqZAukAXFYbgwt4xAMZWU=\nP:{name}\nV:{version}\nA:x86_64\nL:Apache-2.0\no:{origin}\n\n"
        )
    };
    let installed = [
        package("libcrypto3", "3.1.3-r0", "openssl"),
        package("libssl3", "3.1.4-r1", "openssl"),
        package("musl", "1.2.4-r1", "musl"),
    ];
    write(&root, "lib/apk/db/installed", &installed.concat());
    let advisory = serde_json::json!({
        "schema_version": "1.6.0", "id": "ALPINE-CVE-2023-5363", "modified": "2026-01-01T00:00:00Z",
        "upstream": ["CVE-2023-5363"],
        "affected": [
            {"package": {"ecosystem": "Alpine:v3.18", "name": "openssl"},
             "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.1.4-r0"}]}]},
            {"package": {"ecosystem": "Alpine:v3.17", "name": "musl"},
             "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "9.9-r0"}]}]},
        ],
    });
    write(work.path(), "osv/Alpine/ALPINE-CVE-2023-5363.json", &advisory.to_string());
    let feed = work.path().join("osv/Alpine");
    let (record, zip) = (feed.join("ALPINE-CVE-2023-5363.json"), feed.join("all.zip"));
    run("python3", &["-m", "zipfile", "-c", text(&zip), text(&record)]);
    let database = work.path().join("alpine.ygdb");
    let built = bed::yagura(work.path())
        .args(["db", "build", "--osv", text(&work.path().join("osv")), "-o", text(&database)])
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));

    let report = scan(work.path(), &[&format!("dir:{}", text(&root)), "--db", text(&database)]);
    assert_eq!(findings_of(&report, "libcrypto3"), ["CVE-2023-5363"], "judged by its origin");
    let finding = &report["findings"][0];
    assert_eq!(finding["fixedVersion"], "3.1.4-r0");
    assert_eq!(finding["evidence"]["matchedName"], "openssl");
    assert!(findings_of(&report, "libssl3").is_empty(), "a fixed version");
    assert!(findings_of(&report, "musl").is_empty(), "another release's advisory");
}

#[test]
fn distroless_and_language_content_is_judged_where_it_lies() {
    if !has(&["umoci", "python3", "npm", "cargo"]) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let (base, app) = (work.path().join("base"), work.path().join("app"));
    write(&base, "etc/os-release", "ID=debian\nVERSION_ID=\"11\"\nVERSION_CODENAME=bullseye\n");
    write(
        &base,
        "var/lib/dpkg/status.d/libssl1",
        "Package: libssl1.1\nSource: openssl\nVersion: 1.1.1w-0+deb11u1\nArchitecture: amd64\n",
    );
    write(&app, "srv/web/package.json", r#"{"name":"web","version":"1.0.0"}"#);
    let web = app.join("srv/web");
    run(
        "npm",
        &["install", "--prefix", text(&web), "--ignore-scripts", "--no-audit", "--no-fund", "lodash@4.17.20"],
    );
    let api = app.join("srv/api");
    run("python3", &["-m", "pip", "install", "-q", "--no-deps", "--target", text(&api), "django==3.2.0"]);
    write(
        &app,
        "srv/tools/Cargo.lock",
        "version = 3\n\n[[package]]\nname = \"smallvec\"\nversion = \"1.6.0\"\n\
         source = \"registry+https://github.com/rust-lang/crates.io-index\"\n",
    );
    // A wheel that brings jars inside a jar, and a program that Go built.
    run("python3", &["-m", "pip", "install", "-q", "--no-deps", "--target", text(&api), "tabula-py==2.10.0"]);
    run("npm", &["pack", "--silent", "--pack-destination", text(work.path()), "@esbuild/linux-x64@0.17.0"]);
    let program = app.join("opt/build");
    fs::create_dir_all(&program).unwrap();
    let packed = work.path().join("esbuild-linux-x64-0.17.0.tgz");
    run("tar", &["-xzf", text(&packed), "-C", text(&program), "--strip-components=1"]);
    let layout = work.path().join("image");
    oci_layout(&layout, &[&base, &app]);

    let report = scan(work.path(), &[&format!("oci-dir:{}:latest", text(&layout))]);
    let layers = report["targets"][0]["image"]["layers"].as_array().unwrap();
    for (package, flaw, layer) in [
        ("libssl1.1", "CVE-2024-0727", 0),
        ("lodash", "CVE-2021-23337", 1),
        ("django", "CVE-2021-45115", 1),
        ("smallvec", "CVE-2021-25900", 1),
        ("stdlib", "CVE-2023-24538", 1),
    ] {
        assert!(
            findings_of(&report, package).contains(&flaw),
            "{package}: {:?}",
            findings_of(&report, package)
        );
        let findings = report["findings"].as_array().unwrap();
        let finding = findings.iter().find(|f| f["package"]["name"] == package).unwrap();
        assert_eq!(finding["location"]["layer"], layers[layer]["diffId"], "{package}");
    }
    let packages = report["targets"][0]["inventory"]["packages"].as_array().unwrap();
    for (name, version) in [
        ("org.apache.pdfbox:pdfbox", "2.0.24"),
        ("com.google.code.gson:gson", "2.8.7"),
        ("golang.org/x/sys", "v0.0.0-20220715151400-c0bba94af5f8"),
        ("stdlib", "1.19.4"),
    ] {
        let package = packages.iter().find(|package| package["name"] == name);
        assert_eq!(package.unwrap_or_else(|| panic!("{name} is not listed"))["version"], version, "{name}");
    }
    assert_eq!(
        findings_of(&report, "lodash").iter().filter(|f| **f == "CVE-2021-23337").count(),
        1,
        "judged once"
    );
}
