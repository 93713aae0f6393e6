//! What the README shows first must work, and each output must be whole.

mod bed;

use std::fs;

use serde_json::Value;

fn example() -> String {
    format!("oci-dir:{}:1.0", bed::text(&bed::workspace().join("examples/notes/image")))
}

#[test]
fn the_example_has_the_flaws_it_is_known_for() {
    let cache = tempfile::tempdir().unwrap();
    let report = bed::scan(cache.path(), &[&example()]);
    let has = |rule: &str, package: &str| {
        report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .any(|f| f["rule"] == rule && f["package"]["name"] == package)
    };
    assert!(
        has("CVE-2021-3918", "json-schema")
            || has("CVE-2020-28168", "axios")
            || has("CVE-2021-3749", "axios")
    );
    assert!(has("CVE-2021-45115", "django"), "a flaw of Django 3.2.0");
    assert!(has("CVE-2024-0727", "libssl1.1"), "a flaw of Debian's openssl");
    let target = &report["targets"][0];
    assert_eq!(target["image"]["layers"].as_array().unwrap().len(), 2);
    let django =
        report["findings"].as_array().unwrap().iter().find(|f| f["package"]["name"] == "django").unwrap();
    assert_eq!(django["createdBy"], "COPY srv /srv", "a finding names the instruction of its layer");
    assert!(report["tool"]["sandbox"].as_str().unwrap().contains("seccomp"), "{}", report["tool"]["sandbox"]);
}

#[test]
fn a_second_scan_reads_the_cache_and_says_the_same() {
    let cache = tempfile::tempdir().unwrap();
    let first = bed::scan(cache.path(), &[&example()]);
    let second = bed::scan(cache.path(), &[&example()]);
    assert!(fs::read_dir(cache.path().join("facts")).unwrap().count() > 0, "facts are kept");
    assert_eq!(first["findings"], second["findings"]);
    assert_eq!(first["targets"], second["targets"]);
}

#[test]
fn an_sbom_of_it_is_judged_as_the_image_is() {
    let work = tempfile::tempdir().unwrap();
    let from_image = bed::verdicts(&bed::scan(work.path(), &[&example()]));
    for format in ["cyclonedx-json", "spdx-json"] {
        let sbom = work.path().join(format!("{format}.json"));
        let output = bed::yagura(work.path())
            .args(["sbom", &example(), "-o", &format!("{format}={}", bed::text(&sbom))])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let from_sbom = bed::verdicts(&bed::scan(work.path(), &[&format!("sbom:{}", bed::text(&sbom))]));
        assert_eq!(from_image, from_sbom, "{format}");
    }
}

#[test]
fn the_threshold_decides_the_exit_status_and_several_outputs_go_to_files() {
    let work = tempfile::tempdir().unwrap();
    let (sarif, html) = (work.path().join("report.sarif"), work.path().join("report.html"));
    let output = bed::yagura(work.path())
        .args(["scan", &example(), "--fail-on", "low", "--all", "-o", "table"])
        .args(["-o", &format!("sarif={}", bed::text(&sarif)), "-o", &format!("html={}", bed::text(&html))])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("CVE-2021-45115"));
    let sarif: Value = serde_json::from_slice(&fs::read(&sarif).unwrap()).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    assert!(fs::read_to_string(&html).unwrap().contains("</html>"));
}

#[test]
fn ignored_and_excused_findings_stay_in_sight() {
    let work = tempfile::tempdir().unwrap();
    let ignore = work.path().join("ignore.yaml");
    fs::write(
        &ignore,
        "ignore:\n  - id: CVE-2021-45115\n    reason: the password validators are not in use\n    until: 2099-01-01\n  \
         - id: CVE-2021-44420\n    reason: too old an excuse\n    until: 2022-01-01\n",
    )
    .unwrap();
    let report = bed::scan(work.path(), &[&example(), "--ignore-file", bed::text(&ignore)]);
    let rules =
        |list: &Value| list.as_array().unwrap().iter().map(|f| f["rule"].to_string()).collect::<Vec<_>>();
    assert!(!rules(&report["findings"]).contains(&"\"CVE-2021-45115\"".to_owned()));
    assert!(
        rules(&report["findings"]).contains(&"\"CVE-2021-44420\"".to_owned()),
        "an expired entry does not apply"
    );
    assert_eq!(report["suppressed"][0]["finding"]["rule"], "CVE-2021-45115");
    let notices = report["notices"].to_string();
    assert!(notices.contains("2022-01-01"), "an expired entry is told: {notices}");
}

#[test]
fn the_database_can_be_shown_searched_and_explained_offline() {
    let cache = tempfile::tempdir().unwrap();
    for (arguments, expected) in [
        (vec!["db", "status"], "embedded"),
        (vec!["db", "search", "django"], "PyPI"),
        (vec!["db", "search", "CVE-2021-45115"], "CVE-2021-45115"),
        (vec!["explain", "CVE-2021-45115"], "django"),
        (vec!["explain", "CVE-2021-45115", &example()], "AFFECTED"),
    ] {
        let output = bed::yagura(cache.path()).args(&arguments).arg("--offline").output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(text.contains(expected), "{arguments:?}: {text}");
    }
}
