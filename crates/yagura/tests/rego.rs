//! Policies in Rego through the program: beside rules in YAML, listed, explained, tested, refused.

mod bed;

use std::fs;
use std::path::Path;

use serde_json::Value;

const POLICY: &str = r#"package main

import rego.v1

# METADATA
# title: Deployments name their team
# description: Nobody knows whom to ask otherwise.
# custom: {id: ACME-TEAM, severity: medium, recommended_action: Add the label.}
deny_team contains msg if {
    input.kind == "Deployment"
    not input.metadata.labels.team
    msg := sprintf("%s names no team", [input.metadata.name])
}

warn contains "slow" if {
    input.metadata.name == "slow"
    some a in numbers.range(1, 100000)
    some b in numbers.range(1, 100000)
    a * b < 0
}
"#;

const TESTS: &str = r#"package main

import rego.v1

test_team if { count(deny_team) == 0 with input as {"kind": "Deployment", "metadata": {"labels": {"team": "a"}}} }

test_wrong if { count(deny_team) == 0 with input as {"kind": "Deployment", "metadata": {"name": "a"}} }
"#;

fn deployment(name: &str) -> String {
    format!("apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec: {{}}\n")
}

fn stack() -> tempfile::TempDir {
    let work = tempfile::tempdir().unwrap();
    for directory in ["policy", "app"] {
        fs::create_dir(work.path().join(directory)).unwrap();
    }
    fs::write(work.path().join("policy/team.rego"), POLICY).unwrap();
    fs::write(work.path().join("app/web.yaml"), format!("---\n{}", deployment("web"))).unwrap();
    fs::write(work.path().join("app/slow.yaml"), deployment("slow")).unwrap();
    let excused = format!("# yagura:ignore=ACME-TEAM reason=shared\n{}", deployment("shared"));
    fs::write(work.path().join("app/shared.yaml"), excused).unwrap();
    work
}

fn run(work: &Path, arguments: &[&str]) -> (String, String, Option<i32>) {
    let output = bed::yagura(work).current_dir(work).args(arguments).output().expect("the binary runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

#[test]
fn findings_stand_beside_those_of_the_program() {
    let work = stack();
    let arguments = [
        "scan",
        "app",
        "--policy",
        "policy",
        "--only",
        "misconfiguration",
        "-o",
        "json",
        "--fail-on",
        "medium",
    ];
    let (out, err, status) = run(work.path(), &arguments);
    let report: Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {err}"));
    assert_eq!(status, Some(1));
    let all = report["findings"].as_array().expect("a list");
    let ours: Vec<_> = all.iter().filter(|finding| finding["rule"] == "ACME-TEAM").collect();
    let web = ours.iter().find(|finding| finding["location"]["path"] == "web.yaml").expect("it is found");
    assert_eq!(web["location"]["startLine"], 2);
    assert_eq!(web["severity"], "medium");
    assert_eq!(web["title"], "Deployments name their team");
    assert_eq!(web["fix"], "Add the label.");
    assert_eq!(web["evidence"]["resource"], "Deployment web");
    assert_eq!(web["evidence"]["notes"][0], "web names no team");
    assert_eq!(ours.len(), 2, "{ours:?}");
    assert_eq!(report["suppressed"][0]["finding"]["rule"], "ACME-TEAM");
    // A policy that takes too long is told, and all the rest is judged.
    let undecided = report["undecided"].as_array().expect("a list");
    let slow = undecided.iter().find(|undecided| undecided["rule"] == "main.warn").expect("it is told");
    assert!(slow["error"].as_str().is_some_and(|error| error.contains("took longer")), "{slow}");
}

#[test]
fn policies_are_listed_explained_and_tested() {
    let work = stack();
    let (out, ..) = run(work.path(), &["policy", "list", "--policy", "policy"]);
    assert!(out.lines().any(|line| line.starts_with("ACME-TEAM") && line.contains("medium")), "{out}");
    let (out, ..) = run(work.path(), &["explain", "acme-team", "--policy", "policy"]);
    for told in ["Nobody knows whom to ask", "policy/team.rego:9", "deny_team contains msg if {"] {
        assert!(out.contains(told), "{told} is missing in {out}");
    }
    let (out, _, status) = run(work.path(), &["policy", "test", "policy"]);
    assert_eq!(
        (out.as_str(), status),
        ("1 modules, 2 checks, 0 tests: 0 passed, 0 failed, 0 skipped\n", Some(0))
    );
    fs::write(work.path().join("policy/team_test.rego"), TESTS).unwrap();
    let (out, _, status) = run(work.path(), &["policy", "test", "policy"]);
    assert_eq!(status, Some(1));
    assert!(out.contains("policy/team_test.rego:7: data.main.test_wrong fails\n"), "{out}");
    assert!(out.ends_with("2 tests: 1 passed, 1 failed, 0 skipped\n"), "{out}");
}

#[test]
fn the_network_is_refused_before_any_work() {
    let work = stack();
    let policy = "package main\nimport rego.v1\ndeny contains \"a\" if {\n  http.send({\"method\": \"get\", \"url\": \"http://127.0.0.1\"})\n}\n";
    fs::write(work.path().join("policy/net.rego"), policy).unwrap();
    let (_, err, status) = run(work.path(), &["scan", "app", "--policy", "policy"]);
    assert_eq!(status, Some(2));
    assert!(err.contains("policy/net.rego:4:3: `http.send` is refused: policies have no network"), "{err}");
}
