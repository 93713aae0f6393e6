//! Patches through the program: shown, written, committed; rules listed, written, tested, exported; comments that expire.

mod bed;

use std::fs;
use std::path::Path;
use std::process::Command;

const POD: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}  # kept
spec:
  containers:
  - name: web
    image: registry.example/web:1.2.3
    securityContext:
      privileged: true   # why?
";

fn run(work: &Path, arguments: &[&str]) -> (String, String, Option<i32>) {
    let output = bed::yagura(work).current_dir(work).args(arguments).output().expect("the binary runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

fn stack() -> tempfile::TempDir {
    let work = tempfile::tempdir().unwrap();
    fs::create_dir(work.path().join("app")).unwrap();
    fs::write(work.path().join("app/pod.yaml"), POD).unwrap();
    work
}

#[test]
fn a_patch_is_shown_and_written() {
    let work = stack();
    let (out, err, _) = run(work.path(), &["fix", "app", "--rule", "YGR-K8S-012"]);
    assert!(
        out.contains("-      privileged: true   # why?\n+      privileged: false   # why?\n"),
        "{out}{err}"
    );
    let file = work.path().join("app/pod.yaml");
    assert_eq!(fs::read_to_string(&file).unwrap(), POD, "a diff writes nothing");
    run(work.path(), &["fix", "app", "--rule", "YGR-K8S-012", "--in-place"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), POD, "a person must look at this one");
    run(work.path(), &["fix", "app", "--rule", "YGR-K8S-012", "--in-place", "--review"]);
    let expected = POD.replace("privileged: true", "privileged: false");
    assert_eq!(fs::read_to_string(&file).unwrap(), expected, "nothing else changes");
    let (out, ..) = run(work.path(), &["scan", "app", "--only", "misconfiguration", "-o", "json"]);
    assert!(!out.contains("\"YGR-K8S-012\""), "what is patched is clean");
}

#[test]
fn a_patch_is_committed_on_a_branch() {
    let work = stack();
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.current_dir(work.path().join("app")).args([
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@example.org",
        ]);
        let output = git.args(arguments).output().expect("git runs");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    git(&["init", "-q"]);
    git(&["config", "user.name", "a"]);
    git(&["config", "user.email", "a@example.org"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "first"]);
    let (out, err, _) =
        run(work.path(), &["fix", "app", "--rule", "YGR-K8S-012", "--review", "--branch", "fixes"]);
    assert_eq!(fs::read_to_string(work.path().join("app/pod.yaml")).unwrap(), POD, "{out}{err}");
    let message = git(&["log", "-1", "--format=%B", "fixes"]);
    assert!(message.contains("YGR-K8S-012"), "{message}");
    assert!(git(&["show", "fixes:pod.yaml"]).contains("privileged: false"));
}

#[test]
fn a_new_rule_passes_its_own_examples_and_is_listed() {
    let work = stack();
    let (_, err, status) = run(work.path(), &["policy", "new", "ACME-001", "--directory", "rules"]);
    assert_eq!(status, Some(0), "{err}");
    let (out, _, status) = run(work.path(), &["policy", "test", "rules"]);
    assert_eq!((out.as_str(), status), ("1 rules, 0 failures\n", Some(0)));
    let (out, ..) = run(work.path(), &["policy", "list", "--policy", "rules"]);
    assert!(out.lines().any(|line| line.starts_with("ACME-001")), "{out}");
    let (out, ..) = run(work.path(), &["explain", "YGR-K8S-012"]);
    assert!(out.contains("privileged"), "{out}");
    let (out, err, status) = run(work.path(), &["policy", "export", "vap"]);
    assert_eq!(status, Some(0));
    assert!(
        out.contains("kind: ValidatingAdmissionPolicy\n")
            && out.contains("kind: ValidatingAdmissionPolicyBinding\n")
    );
    assert!(err.contains("YGR-K8S-098: "), "what cannot be held is told with its reason: {err}");
}

#[test]
fn comments_excuse_until_they_expire() {
    let work = stack();
    let with = |comment: &str| {
        let text = POD.replace("# why?", comment);
        fs::write(work.path().join("app/pod.yaml"), text).unwrap();
        run(work.path(), &["scan", "app", "--only", "misconfiguration", "-o", "json"]).0
    };
    let open = |report: &str| {
        let report: serde_json::Value = serde_json::from_str(report).expect("JSON");
        let all = report["findings"].as_array().cloned().unwrap_or_default();
        all.iter().any(|finding| finding["rule"] == "YGR-K8S-012")
    };
    assert!(!open(&with("# yagura:ignore=YGR-K8S-012 reason=devices until=2999-01-01")));
    let expired = with("# yagura:ignore=YGR-K8S-012 reason=devices until=2001-01-01");
    assert!(open(&expired) && expired.contains("2001-01-01"), "it is told");
    let without = with("# yagura:ignore=YGR-K8S-012");
    assert!(open(&without) && without.contains("yagura:ignore=YGR-K8S-012"), "a reason is missing");
}
