//! The test bed: real root file systems, images and registries, made once and shared by all tests.
//!
//! What takes long is kept in `target/test-bed` and made under a lock, since every test is its own process.
// Each test takes what it needs; a test that cannot run says so on standard error.
#![allow(dead_code, clippy::print_stderr)]

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use serde_json::Value;

/// Whether every tool is there; says so where not. In CI a missing tool is a failure.
pub fn has(tools: &[&str]) -> bool {
    let found = |tool: &str| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|directory| directory.join(tool).is_file())
    };
    let missing: Vec<&str> = tools.iter().copied().filter(|tool| !found(tool)).collect();
    if missing.is_empty() {
        return true;
    }
    let name = std::thread::current().name().unwrap_or("test").to_owned();
    assert!(std::env::var_os("CI").is_none(), "{name} needs {missing:?}: run .ci/install");
    eprintln!("SKIPPED {name}: needs {missing:?}");
    false
}

/// A part of the public data, where it is: `YAGURA_DATA` names the whole. In CI it must be there.
pub fn data(part: &str) -> Option<PathBuf> {
    let beside = || workspace().join("../shared/data");
    let path = std::env::var_os("YAGURA_DATA").map_or_else(beside, PathBuf::from).join(part);
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var_os("CI").is_none(), "the public data has no {}", path.display());
    let name = std::thread::current().name().unwrap_or("test").to_owned();
    eprintln!("SKIPPED {name}: no {}", path.display());
    None
}

/// Starts a `yagura watch` and waits until its sensor sees; what it goes on to say is in the second. None where the
/// kernel does not let it, which CI's must.
pub fn watching(command: &mut Command) -> Option<(Child, BufReader<ChildStderr>)> {
    let mut child = command.stderr(Stdio::piped()).spawn().expect("yagura starts");
    let mut errors = BufReader::new(child.stderr.take().expect("piped"));
    let mut said = String::new();
    while !said.contains("event types") && errors.read_line(&mut said).expect("readable") > 0 {}
    if said.contains("the kernel refused the sensor") || said.contains("types cannot be read") {
        let _ = child.wait();
        assert!(std::env::var_os("CI").is_none(), "in CI the sensor must start: {said}");
        eprintln!("SKIPPED bpf-tp_btf: {said}");
        return None;
    }
    Some((child, errors))
}

/// Root of the workspace.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("crates/yagura is two below")
        .to_path_buf()
}

/// `target/test-bed/NAME`, made by `make` (given an empty directory) if it is not there yet.
pub fn made_once(name: &str, make: impl FnOnce(&Path)) -> PathBuf {
    let bed = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| workspace().join("target"), PathBuf::from)
        .join("test-bed");
    fs::create_dir_all(&bed).expect("creating the test bed");
    let lock = File::create(bed.join(format!("{name}.lock"))).expect("creating the lock");
    lock.lock().expect("locking");
    let done = bed.join(name);
    if !done.exists() {
        let making = bed.join(format!("{name}.making"));
        let _ = fs::remove_dir_all(&making);
        fs::create_dir_all(&making).expect("creating a directory of the test bed");
        make(&making);
        fs::rename(&making, &done).expect("keeping what was made");
    }
    done
}

/// Runs a program that must succeed.
pub fn run(program: &str, arguments: &[&str]) -> Output {
    let output = Command::new(program).args(arguments).output().unwrap_or_else(|e| panic!("{program}: {e}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {}\n{errors}", output.status);
    output
}

/// The path as text; the bed's own paths always are.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("a path of the bed is UTF-8")
}

/// A Debian bullseye root as first released, without security updates.
pub fn bullseye() -> PathBuf {
    made_once("bullseye", |root| {
        run("debootstrap", &["--variant=minbase", "bullseye", text(root)]);
    })
}

/// The same with every update of bullseye-security.
pub fn bullseye_updated() -> PathBuf {
    made_once("bullseye-updated", |root| {
        run("mmdebstrap", &["--variant=minbase", "bullseye", text(root)]);
    })
}

/// An OCI layout `LAYOUT:latest` with one layer for each root given, made by umoci.
pub fn oci_layout(layout: &Path, roots: &[&Path]) {
    let image = format!("{}:latest", text(layout));
    run("umoci", &["init", "--layout", text(layout)]);
    run("umoci", &["new", "--image", &image]);
    for root in roots {
        run("umoci", &["insert", "--image", &image, text(root), "/"]);
    }
}

/// `yagura` with its own empty cache and no settings from outside.
pub fn yagura(cache: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_yagura"));
    command
        .env("YAGURA_CACHE_DIR", cache)
        .env_remove("YAGURA_DB")
        .env("NO_COLOR", "1")
        .env("LANG", "C.UTF-8");
    command
}

/// The JSON report of a scan that must work.
pub fn scan(cache: &Path, arguments: &[&str]) -> Value {
    let output =
        yagura(cache).arg("scan").args(arguments).args(["-o", "json"]).output().expect("yagura starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "scan {arguments:?}: {}\n{errors}", output.status);
    serde_json::from_slice(&output.stdout).expect("the report is JSON")
}

/// `rule package version` of every finding, sorted: what must agree between two ways to the same image.
pub fn verdicts(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().expect("findings are a list");
    let mut verdicts: Vec<String> = findings
        .iter()
        .map(|f| {
            let part = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            format!("{} {} {}", part(&f["rule"]), part(&f["package"]["name"]), part(&f["package"]["version"]))
        })
        .collect();
    verdicts.sort();
    verdicts
}
