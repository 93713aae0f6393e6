//! Manifests, Dockerfiles and compose files scanned as their writers would: the right rule at the right line.

mod bed;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

const POD: &str = "\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: store, namespace: shop}
spec:
  template:
    spec:
      hostPID: true
      containers:
      - name: store
        image: registry.example/store
        securityContext:
          privileged: true
";
const DOCKERFILE: &str = "\
ARG BASE=debian
FROM ${BASE}:latest AS build
RUN curl -sk https://example.org/install | \\
    # the installer
    bash
FROM scratch
COPY --from=build /x /x
USER 0
CMD run
";
const COMPOSE: &str = "\
services:
  base: {image: 'docker.io/library/redis:7', privileged: '${P:-true}'}
  store:
    extends: base
    volumes:
    - /var/run/docker.sock:/s
";

/// `rule path:line` of every finding.
fn scan(directory: &Path, arguments: &[&str]) -> (BTreeSet<String>, Value, Option<i32>) {
    let target = format!("dir:{}", directory.display());
    let output = bed::yagura(directory)
        .args(["scan", &target, "-o", "json"])
        .args(arguments)
        .output()
        .expect("the binary runs");
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let findings = report["findings"].as_array().into_iter().flatten();
    let shown = findings.filter(|finding| finding["kind"] != "vulnerability").map(|finding| {
        let place = &finding["location"];
        format!(
            "{} {}:{}",
            finding["rule"].as_str().unwrap_or("?"),
            place["path"].as_str().unwrap_or("?"),
            place["startLine"]
        )
    });
    (shown.collect(), report.clone(), output.status.code())
}

fn stack() -> tempfile::TempDir {
    let work = tempfile::tempdir().unwrap();
    fs::create_dir(work.path().join("deploy")).unwrap();
    fs::write(work.path().join("deploy/store.yaml"), POD).unwrap();
    fs::write(work.path().join("Dockerfile"), DOCKERFILE).unwrap();
    fs::write(work.path().join("compose.yaml"), COMPOSE).unwrap();
    work
}

#[test]
fn each_source_is_found_and_judged_at_its_lines() {
    let work = stack();
    let (found, report, status) = scan(work.path(), &["--fail-on", "critical"]);
    for expected in [
        "YGR-K8S-002 deploy/store.yaml:7",
        "YGR-K8S-012 deploy/store.yaml:12",
        "YGR-K8S-036 deploy/store.yaml:10",
        "YGR-DOCKERFILE-010 Dockerfile:2",
        "YGR-DOCKERFILE-020 Dockerfile:5",
        "YGR-DOCKERFILE-021 Dockerfile:3",
        "YGR-DOCKERFILE-002 Dockerfile:8",
        "YGR-DOCKERFILE-071 Dockerfile:9",
        "YGR-COMPOSE-001 compose.yaml:2",
        "YGR-COMPOSE-002 compose.yaml:6",
    ] {
        assert!(found.contains(expected), "{expected} is missing in {found:#?}");
    }
    // The socket is critical.
    assert_eq!(status, Some(1), "{report:#}");
}

#[test]
fn a_framework_gives_the_standards_verdict() {
    let work = stack();
    let (found, _, _) = scan(work.path(), &["--framework", "pss-baseline"]);
    let rules: BTreeSet<&str> = found.iter().filter_map(|shown| shown.split(' ').next()).collect();
    assert_eq!(rules, BTreeSet::from(["YGR-K8S-002", "YGR-K8S-012"]));
    fs::remove_file(work.path().join("deploy/store.yaml")).unwrap();
    let (found, _, status) = scan(work.path(), &["--framework", "pss-baseline", "--fail-on", "negligible"]);
    assert_eq!((found.len(), status), (0, Some(0)));
}

#[test]
fn what_cannot_be_read_is_told_and_ends_nothing() {
    let work = stack();
    fs::write(
        work.path().join("deploy/chart.yaml"),
        "apiVersion: v1\nkind: Pod\n{{- if .Values.x }}\nspec: {}\n{{- end }}\n",
    )
    .unwrap();
    fs::write(work.path().join("api.Dockerfile"), "FROM debian:12\nFLY away\nUSER root\n").unwrap();
    let bomb: String =
        (1..12).map(|n| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(", "))).collect();
    let bomb = format!("apiVersion: v1\nkind: ConfigMap\na0: &a0 x\n{bomb}");
    fs::write(work.path().join("bomb.yaml"), bomb).unwrap();
    let (found, report, status) = scan(work.path(), &[]);
    assert_eq!(status, Some(0));
    assert!(found.contains("YGR-DOCKERFILE-002 api.Dockerfile:3"), "{found:#?}");
    let skipped: Vec<String> = report["skipped"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|skipped| {
            format!(
                "{} {}",
                skipped["path"].as_str().unwrap_or("?"),
                skipped["reason"].as_str().unwrap_or("?")
            )
        })
        .collect();
    for expected in ["deploy/chart.yaml unsupported", "api.Dockerfile malformed", "bomb.yaml too-many"] {
        assert!(skipped.iter().any(|shown| shown == expected), "{expected} is missing in {skipped:?}");
    }
}
