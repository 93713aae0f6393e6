//! A database of one's own: built from feeds, signed, believed only when signed by the right key.

mod bed;

use std::fs;
use std::process::Output;

const KEV: &str = "kev/known_exploited_vulnerabilities.json";

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_signed_database_is_built_the_same_twice_and_believed_by_its_key_alone() {
    let (Some(osv), Some(kev)) = (bed::data("osv"), bed::data(KEV)) else { return };
    let work = tempfile::tempdir().unwrap();
    let path = |name: &str| work.path().join(name).to_str().unwrap().to_owned();
    fs::create_dir_all(path("osv")).unwrap();
    for ecosystem in ["npm", "crates.io"] {
        std::os::unix::fs::symlink(osv.join(ecosystem), path(&format!("osv/{ecosystem}"))).unwrap();
    }
    fs::write(
        path("epss.csv"),
        "#model_version:v1,score_date:2026-08-01\ncve,epss,percentile\nCVE-2021-23337,0.5,0.9\n",
    )
    .unwrap();
    fs::write(path("key"), [7; 32]).unwrap();
    let build = |output: &str| {
        let output = bed::yagura(work.path())
            .args(["db", "build", "--osv", &path("osv"), "--epss", &path("epss.csv"), "--sign", &path("key")])
            .args(["--kev", bed::text(&kev), "-o", output])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", text(&output));
    };
    build(&path("one.ygdb"));
    build(&path("two.ygdb"));
    assert_eq!(fs::read(path("one.ygdb")).unwrap(), fs::read(path("two.ygdb")).unwrap());

    let status = bed::yagura(work.path()).args(["db", "status", "--db", &path("one.ygdb")]).output().unwrap();
    let shown = text(&status);
    let key = shown.lines().find_map(|line| line.strip_prefix("signed by")).unwrap().trim().to_owned();
    assert!(shown.contains("1 scores"), "{shown}");
    let with = |key: &str| {
        bed::yagura(work.path())
            .args(["db", "status", "--db", &path("one.ygdb"), "--db-key", key])
            .output()
            .unwrap()
    };
    assert!(with(&key).status.success(), "{}", text(&with(&key)));
    let stranger = with(&"58".repeat(32));
    assert_eq!(stranger.status.code(), Some(2), "{}", text(&stranger));

    let mut damaged = fs::read(path("one.ygdb")).unwrap();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    fs::write(path("damaged.ygdb"), damaged).unwrap();
    let search = bed::yagura(work.path())
        .args(["db", "search", "lodash", "--db", &path("damaged.ygdb")])
        .output()
        .unwrap();
    assert_eq!(search.status.code(), Some(2), "a damaged block is not believed: {}", text(&search));
}

#[test]
fn an_update_that_fails_leaves_the_old_database_in_use_and_says_its_age() {
    let work = tempfile::tempdir().unwrap();
    let output = bed::yagura(work.path())
        .args(["db", "update", "--osv", "http://127.0.0.1:1/", "--kev", "http://127.0.0.1:1/kev", "--epss"])
        .arg("http://127.0.0.1:1/epss")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("stays in use"), "{}", text(&output));
    assert!(bed::yagura(work.path()).args(["db", "status"]).output().unwrap().status.success());
}

#[test]
fn an_update_from_a_directory_is_compiled_used_and_repeated_without_change() {
    let (Some(osv), Some(kev)) = (bed::data("osv"), bed::data(KEV)) else { return };
    let work = tempfile::tempdir().unwrap();
    let update = || {
        let output = bed::yagura(work.path())
            .args(["db", "update", "--osv", bed::text(&osv), "--ecosystem", "npm"])
            .args(["--kev", bed::text(&kev)])
            .args(["--epss", "/no/such/scores"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", text(&output));
        text(&output)
    };
    assert!(update().contains("new"));
    let again = update();
    assert!(again.contains("unchanged"), "{again}");
    assert!(again.contains("FAILED"), "a feed that fails is told: {again}");
    let affected = bed::yagura(work.path())
        .args(["sbom", &format!("oci-dir:{}:1.0", bed::text(&bed::workspace().join("examples/notes/image")))])
        .args(["-o", &format!("cyclonedx-json={}", bed::text(&work.path().join("sbom.json")))])
        .output()
        .unwrap();
    assert!(affected.status.success(), "{}", text(&affected));
    let affected = |sbom: &str| {
        let sbom = work.path().join(sbom);
        let index = work.path().join("kept.index");
        let output = bed::yagura(work.path())
            .args(["db", "affected", "--sboms", bed::text(&sbom), "--index", bed::text(&index)])
            .output()
            .unwrap();
        (text(&output), std::fs::read(&index).unwrap_or_default())
    };
    let (first, kept) = affected("sbom.json");
    assert!(first.contains("CVE-2021-23337"), "{first}");
    // The second time the index answers; another SBOM makes it anew.
    assert_eq!(affected("sbom.json"), (first, kept.clone()));
    let empty = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[]}"#;
    std::fs::write(work.path().join("empty.json"), empty).unwrap();
    let (none, remade) = affected("empty.json");
    assert!(none.contains("0 findings in 1 SBOMs") && remade != kept, "{none}");
    // What is no index is not written over.
    std::fs::write(work.path().join("kept.index"), "notes").unwrap();
    let (refused, notes) = affected("empty.json");
    assert!(refused.contains("--index") && notes == b"notes", "{refused}");
}
