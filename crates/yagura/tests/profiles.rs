//! What runs decides what comes first: a real container is watched, and its image ranked by what it used.

mod bed;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

const RULES: &str = "
- rule: nothing
  desc: Something that never happens, so that only the profile is written.
  condition: evt.type = execve and proc.name = yagura-never-runs
  output: never
  priority: DEBUG
";

/// Listens, answers one client, and waits.
const SERVER: &str = "use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalAddr => '0.0.0.0', LocalPort => 8080, Listen => 5) or die; sleep 4;";

/// An id of the length that Docker gives, in a place where Docker has its groups.
const ID: &str = "d0c5e3f1a2b4968778695a4b3c2d1e0ffedcba9876543210aabbccddeeff0011";

fn run_container(bundle: &Path, root: &Path) -> Child {
    bed::run("runc", &["spec", "--bundle", bed::text(bundle)]);
    let path = bundle.join("config.json");
    let mut config: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    config["process"]["terminal"] = json!(false);
    config["process"]["args"] = json!(["/usr/bin/perl", "-e", SERVER]);
    config["root"] = json!({"path": root, "readonly": true});
    config["linux"]["cgroupsPath"] = json!(format!("/docker/{ID}"));
    fs::write(&path, config.to_string()).unwrap();
    Command::new("runc")
        .args(["run", "--bundle", bed::text(bundle), ID])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn what_a_container_loaded_outranks_what_merely_lies_in_its_image() {
    if !bed::has(&["runc", "debootstrap"]) {
        return;
    }
    let root = bed::bullseye();
    let work = tempfile::tempdir().unwrap();
    let (rules, used) = (work.path().join("rules.yaml"), work.path().join("used.json"));
    fs::write(&rules, RULES).unwrap();
    let mut watch = bed::yagura(work.path());
    watch
        .args(["watch", "--duration", "12", "-r", bed::text(&rules), "--profile", bed::text(&used)])
        .stdout(Stdio::null());
    let Some((mut watching, _errors)) = bed::watching(&mut watch) else { return };
    let bundle = work.path().join("bundle");
    fs::create_dir(&bundle).unwrap();
    thread::sleep(Duration::from_millis(500));
    let mut container = run_container(&bundle, &root);
    assert!(container.wait().unwrap().success());
    assert!(watching.wait().unwrap().success());

    let target = format!("dir:{}", root.display());
    let kinds = ["--only", "vulnerability"];
    let unknown = bed::scan(work.path(), &[&target, kinds[0], kinds[1]]);
    let container = format!("{}={target}", &ID[..12]);
    let with = ["--profile", bed::text(&used), "--container", &container];
    let known = bed::scan(work.path(), &[&target, kinds[0], kinds[1], with[0], with[1], with[2], with[3]]);
    let place = |report: &Value, package: &str| {
        let risks = report["risks"].as_array().unwrap();
        let of = |risk: &Value| {
            risk["title"].as_str().is_some_and(|title| title.contains(&format!(" in {package} ")))
        };
        risks.iter().position(of).unwrap_or_else(|| panic!("no risk in {package}"))
    };
    let in_use = |package: &str| -> String {
        let risk = &known["risks"][place(&known, package)];
        let terms = risk["terms"].as_array().unwrap();
        terms.iter().find(|term| term["name"] == "in-use").unwrap()["fact"].as_str().unwrap().to_owned()
    };
    let perl = in_use("perl-base");
    assert!(perl.starts_with("listening: /usr/bin/perl ran in"), "{perl}");
    assert!(perl.ends_with("listens on TCP 8080"), "{perl}");
    let libc = in_use("libc6");
    assert!(libc.starts_with("listening: /usr/bin/perl loaded ") && libc.contains("libc"), "{libc}");
    let ssl = in_use("libssl1.1");
    assert!(ssl.starts_with("present only: no file of libssl1.1 was used in"), "{ssl}");
    // Before anybody watched, the other order.
    assert!(place(&unknown, "libssl1.1") < place(&unknown, "perl-base"), "before anybody watched");
    assert!(place(&known, "perl-base") < place(&known, "libssl1.1"));

    let explained = bed::yagura(work.path())
        .args(["risk", "explain", known["risks"][0]["id"].as_str().unwrap(), &target])
        .args(with)
        .output()
        .unwrap();
    let text = String::from_utf8(explained.stdout).unwrap();
    assert!(text.contains("listening: /usr/bin/perl "), "{text}");
}
