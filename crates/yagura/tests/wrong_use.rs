//! Every error a user can cause is one clear line that says what to do, and exit status 2.

mod bed;

use std::fs;

#[test]
fn each_mistake_gets_one_clear_line() {
    let work = tempfile::tempdir().unwrap();
    let path = |name: &str| work.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("text.tar"), "this is no archive").unwrap();
    fs::write(path("broken.json"), "{\"bomFormat\": \"CycloneDX\",").unwrap();
    fs::create_dir(path("empty")).unwrap();
    fs::create_dir(path("layout")).unwrap();
    fs::write(path("layout/oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    fs::write(path("layout/index.json"), r#"{"schemaVersion":2,"manifests":[]}"#).unwrap();

    let missing = format!("docker-archive:{}", path("missing.tar"));
    let no_archive = format!("docker-archive:{}", path("text.tar"));
    let no_layout = format!("oci-dir:{}", path("empty"));
    let no_image = format!("oci-dir:{}", path("layout"));
    let broken = format!("sbom:{}", path("broken.json"));
    let cases: [(&[&str], &str); 15] = [
        (&["scan"], "TARGET"),
        (&["scan", "dir:/no/such/directory"], "/no/such/directory"),
        (&["scan", &missing], "missing.tar"),
        (&["scan", &no_archive], "text.tar"),
        (&["scan", &no_layout], "index.json"),
        (&["scan", &no_image], "layout"),
        (&["scan", &broken], "broken.json"),
        (&["scan", "registry:UPPER CASE"], "reference"),
        (&["scan", "registry:127.0.0.1:1/nobody/home:latest", "--platform", "linux/amd64"], "127.0.0.1:1"),
        (&["scan", "dir:.", "--severity", "dreadful"], "dreadful"),
        (&["scan", "dir:.", "-o", "cuneiform"], "cuneiform"),
        (&["scan", "dir:.", "--db", "/no/such/database"], "/no/such/database"),
        (&["scan", "dir:.", "--ignore-file", "/no/such/list"], "/no/such/list"),
        (&["scan", "dir:.", "--vex", "/no/such/vex"], "/no/such/vex"),
        (&["conquer"], "conquer"),
    ];
    for (arguments, names) in cases {
        let output = bed::yagura(work.path()).args(arguments).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {errors}");
        assert!(errors.contains(names), "{arguments:?} must name {names}: {errors}");
        assert!(errors.trim_end().lines().count() <= 8, "{arguments:?} is wordy: {errors}");
        assert!(!errors.contains("panicked"), "{arguments:?}: {errors}");
        assert!(output.stdout.is_empty(), "{arguments:?} printed a result");
    }
}
