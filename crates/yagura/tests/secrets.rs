//! Secrets found by the program itself: in trees, in images where they were deleted, in histories.

mod bed;

use std::fs;
use std::path::Path;
use std::process::Command;

use bed::{has, run, scan, text, yagura};
use serde_json::Value;

/// A GitHub token with a right checksum, put together here so that no scanner takes it for one.
fn token() -> String {
    ["gh", "p_wWPw5k4aXcaT4fNP0UcnZ", "wJUVFk6LO0pINUx"].concat()
}

fn secrets(report: &Value) -> Vec<&Value> {
    report["findings"].as_array().unwrap().iter().filter(|finding| finding["kind"] == "secret").collect()
}

/// Whether a file below the directory holds the bytes.
fn holds(directory: &Path, bytes: &[u8]) -> bool {
    fs::read_dir(directory).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            holds(&path, bytes)
        } else {
            fs::read(&path).unwrap().windows(bytes.len()).any(|w| w == bytes)
        }
    })
}

#[test]
fn a_tree_is_searched_and_a_baseline_keeps_only_what_is_new() {
    let work = tempfile::tempdir().unwrap();
    let (cache, tree) = (work.path().join("cache"), work.path().join("tree"));
    fs::create_dir_all(tree.join("deploy")).unwrap();
    fs::write(tree.join("deploy/run.sh"), format!("#!/bin/sh\nexport TOKEN={}\n", token())).unwrap();
    fs::write(tree.join("README"), "nothing here\n").unwrap();
    let target = format!("dir:{}", text(&tree));

    let report = scan(&cache, &[&target, "--only", "secret"]);
    let found = secrets(&report);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["rule"], "YGR-SECRET-github-personal-token");
    assert_eq!(found[0]["location"]["startLine"], 2);
    assert_eq!(found[0]["severity"], "critical");
    assert_eq!(found[0]["evidence"]["excerpt"], "ghp_****");

    let baseline = work.path().join("baseline.json");
    scan(&cache, &[&target, "--only", "secret", "--write-baseline", text(&baseline)]);
    fs::write(tree.join(".env"), "DB_PASSWORD=k3Q9!zT7xW\n").unwrap();
    let report = scan(&cache, &[&target, "--only", "secret", "--baseline", text(&baseline)]);
    let rules: Vec<_> = secrets(&report).iter().map(|finding| finding["rule"].as_str().unwrap()).collect();
    assert_eq!(rules, ["YGR-SECRET-generic-password"]);
    assert_eq!(report["suppressed"][0]["by"], "baseline");

    for format in ["table", "json", "sarif", "html", "markdown", "junit"] {
        let output =
            yagura(&cache).args(["scan", &target, "-o", format, "--fail-on", "critical"]).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{format}");
        let shown = String::from_utf8_lossy(&output.stdout);
        // A table cuts long ids.
        let named = if format == "table" {
            "GitHub personal access token"
        } else {
            "YGR-SECRET-github-personal-token"
        };
        assert!(shown.contains(named), "{format}: {shown}");
        assert!(!shown.contains(&token()) && !shown.contains("k3Q9!zT7xW"), "{format}");
    }
    assert!(!holds(&cache, token().as_bytes()));
    let only = scan(&cache, &[&target, "--only", "vulnerability"]);
    assert!(secrets(&only).is_empty());
}

#[test]
fn a_rule_is_explained() {
    let work = tempfile::tempdir().unwrap();
    let output = yagura(work.path()).args(["explain", "ygr-secret-github-personal-token"]).output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && shown.contains("GitHub personal access token"), "{shown}");
}

#[test]
fn what_a_later_layer_deletes_is_still_found() {
    if !has(&["umoci"]) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let (layout, root) = (work.path().join("layout"), work.path().join("root"));
    fs::create_dir_all(root.join("app")).unwrap();
    fs::write(root.join("app/.env"), format!("TOKEN={}\n", token())).unwrap();
    bed::oci_layout(&layout, &[&root]);
    let image = format!("{}:latest", text(&layout));
    run("umoci", &["insert", "--image", &image, "--whiteout", "/app/.env"]);
    let secret_environment = format!("NPM_TOKEN={}", token());
    run("umoci", &["config", "--image", &image, "--config.env", &secret_environment]);

    let cache = work.path().join("cache");
    // The second time the facts come from the cache.
    for _ in 0..2 {
        let report = scan(&cache, &[&format!("oci-dir:{image}")]);
        let found = secrets(&report);
        assert_eq!(found.len(), 2, "{found:?}");
        let file = found.iter().find(|finding| finding["location"]["path"] == "app/.env").unwrap();
        let notes = file["evidence"]["notes"].to_string();
        assert!(notes.contains("deleted in layer 2"), "{notes}");
        assert!(!report.to_string().contains(&token()));
    }
    assert!(!holds(&cache, token().as_bytes()));
    // Nor does anything repeat them that was not asked for secrets.
    for arguments in [&["sbom"][..], &["scan", "--only", "vulnerability"]] {
        let target = format!("oci-dir:{image}");
        let output =
            bed::yagura(&cache).args(arguments).args([target.as_str(), "-o", "json"]).output().unwrap();
        let report = String::from_utf8(output.stdout).unwrap();
        assert!(report.contains("NPM_TOKEN=****") && !report.contains(&token()), "{arguments:?}: {report}");
    }
}

#[test]
fn a_history_is_searched_packed_or_loose() {
    if !has(&["git"]) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let repository = work.path().join("repository");
    fs::create_dir_all(&repository).unwrap();
    let git = |arguments: &[&str]| {
        let done = Command::new("git")
            .arg("-C")
            .arg(&repository)
            .args(["-c", "user.name=Aki", "-c", "user.email=aki@team.invalid"])
            .args(arguments)
            .env("GIT_AUTHOR_DATE", "2024-05-01T10:00:00Z")
            .output()
            .unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    };
    git(&["init", "-q", "-b", "main"]);
    let long = "a line that stays the same in every version\n".repeat(400);
    fs::write(repository.join("settings.py"), format!("{long}TOKEN = '{}'\n", token())).unwrap();
    git(&["add", "."]);
    git(&["commit", "-q", "-m", "first"]);
    for version in 0..5 {
        fs::write(repository.join("settings.py"), format!("{long}VERSION = {version}\n")).unwrap();
        git(&["commit", "-q", "-a", "-m", "next"]);
    }
    let target = format!("git:{}", text(&repository));
    for packed in [false, true] {
        if packed {
            git(&["gc", "-q", "--aggressive", "--prune=now"]);
        }
        let report = scan(work.path(), &[&target, "--only", "secret"]);
        let found = secrets(&report);
        assert_eq!(found.len(), 1, "packed {packed}: {report}");
        assert_eq!(found[0]["location"]["path"], "settings.py");
        assert_eq!(found[0]["location"]["startLine"], 401);
        let notes = found[0]["evidence"]["notes"].to_string();
        assert!(notes.contains("by Aki <aki@team.invalid> on 2024-05-01"), "{notes}");
        assert!(notes.contains("still in the history"), "{notes}");
        assert_eq!(report["skipped"], Value::Array(Vec::new()));
    }
}
