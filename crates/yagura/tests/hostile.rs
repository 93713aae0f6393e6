//! Configuration that means harm: bounded, told, and no reason to end a scan.

mod bed;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Far above what any of these takes, far below what running wild would.
const PATIENCE: Duration = Duration::from_secs(120);

/// `path reason` of all that was skipped.
fn skipped(directory: &Path) -> Vec<String> {
    let target = format!("dir:{}", directory.display());
    let begun = Instant::now();
    let arguments = ["scan", &target, "--only", "misconfiguration,permission", "-o", "json"];
    let output = bed::yagura(directory).args(arguments).output().expect("the binary runs");
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{told}");
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {told}"));
    let skipped = report["skipped"].as_array().cloned().unwrap_or_default();
    let shown = skipped.iter().map(|one| {
        let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
        format!("{} {} {}", text("path"), text("reason"), text("detail"))
    });
    shown.collect()
}

fn assert_told(skipped: &[String], start: &str, part: &str) {
    let told = skipped.iter().any(|one| one.starts_with(start) && one.contains(part));
    assert!(told, "{start} … {part} is missing in {skipped:#?}");
}

#[test]
fn files_of_100_megabytes_are_told() {
    const BYTES: usize = 100 << 20;
    let work = tempfile::tempdir().unwrap();
    let fill = |name: &str, head: &str, line: &str| {
        let text = format!("{head}{}", line.repeat(BYTES / line.len() + 1));
        fs::write(work.path().join(name), text).unwrap();
    };
    let long = "v".repeat(4000);
    fill("a.yaml", "apiVersion: v1\nkind: ConfigMap\ndata:\n", &format!("  k: {long}\n"));
    fill("a.json", "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"x\":[", &format!("\"{long}\",\n"));
    fill("main.tf", "", &format!("locals {{ a = \"{long}\" }}\n"));
    fill("Dockerfile", "FROM a\n", &format!("RUN echo {long}\n"));
    let skipped = skipped(work.path());
    for name in ["a.yaml", "a.json", "main.tf", "Dockerfile"] {
        assert_told(&skipped, name, "too-large");
    }
}

#[test]
fn laughing_and_deep_texts_are_told() {
    let work = tempfile::tempdir().unwrap();
    let mut laugh =
        String::from("apiVersion: v1\nkind: ConfigMap\na0: &a0 [lol,lol,lol,lol,lol,lol,lol,lol,lol]\n");
    for level in 1..12 {
        let before = format!("*a{},", level - 1).repeat(9);
        let _ = writeln!(laugh, "a{level}: &a{level} [{before}]");
    }
    fs::write(work.path().join("laugh.yaml"), laugh).unwrap();
    let deep = |name: &str, head: &str, open: &str| {
        fs::write(work.path().join(name), format!("{head}{}", open.repeat(100_000))).unwrap();
    };
    deep("deep.yaml", "apiVersion: v1\nkind: Pod\nx: ", "[");
    deep("deep.json", "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"x\":", "[");
    deep("main.tf", "locals { a = ", "(");
    deep("Dockerfile", "FROM a\nRUN ", "$(");
    let skipped = skipped(work.path());
    assert_told(&skipped, "laugh.yaml", "too-many");
    assert_told(&skipped, "deep.yaml", "");
    assert_told(&skipped, "deep.json", "too-deep");
    assert_told(&skipped, "main.tf", "too-deep");
    assert_told(&skipped, "Dockerfile", "too-many");
}

#[test]
fn circles_of_terraform_are_told() {
    let work = tempfile::tempdir().unwrap();
    fs::create_dir(work.path().join("m")).unwrap();
    let root = "module \"a\" { source = \"./m\" }\nlocals {\n  x = local.y\n  y = local.x\n}\nresource \"aws_s3_bucket\" \"b\" { bucket = local.x }\nresource \"aws_instance\" \"i\" { count = 1000000000 }\n";
    fs::write(work.path().join("main.tf"), root).unwrap();
    fs::write(work.path().join("m/main.tf"), "module \"b\" { source = \"../\" }\n").unwrap();
    let skipped = skipped(work.path());
    assert_told(&skipped, "m/main.tf", "calls itself");
    assert_told(&skipped, "main.tf", "depends on itself");
    assert_told(&skipped, "main.tf", "1000000000 instances");
}
