//! What the tests with real tools share.

#![allow(dead_code, clippy::print_stdout)]

pub mod server;
pub mod services;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Whether all the tools are installed. A test without them reports itself as skipped, and fails where `CI` is set.
pub fn have(test: &str, tools: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let installed = |tool: &&&str| {
        std::env::split_paths(&path)
            .chain(["/usr/sbin".into(), "/sbin".into()])
            .any(|directory| directory.join(tool).is_file())
    };
    let missing: Vec<_> = tools.iter().filter(|tool| !installed(tool)).collect();
    if missing.is_empty() {
        return true;
    }
    skip(test, &format!("{missing:?} not installed"))
}

/// Says that a test did not run, and why; fails it in CI.
pub fn skip(test: &str, why: &str) -> bool {
    assert!(std::env::var_os("CI").is_none(), "{test}: {why}, and CI is set");
    println!("SKIPPED {test}: {why}");
    false
}

/// Runs a command to its end and demands success.
pub fn run(program: &str, arguments: &[&str]) -> Output {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// Makes an OCI layout with one image of two layers, tagged `v1`; each layer holds one file.
pub fn umoci_layout(root: &Path) -> PathBuf {
    let layout = root.join("layout");
    let image = format!("{}:v1", layout.display());
    run("umoci", &["init", "--layout", &layout.display().to_string()]);
    run("umoci", &["new", "--image", &image]);
    for (name, content) in [("first", "lower layer\n"), ("second", "upper layer\n")] {
        let file = root.join(name);
        std::fs::write(&file, content).unwrap();
        run("umoci", &["insert", "--image", &image, &file.display().to_string(), &format!("/etc/{name}")]);
    }
    run("umoci", &["config", "--image", &image, "--config.user", "1000", "--config.label", "maker=test"]);
    layout
}

/// All the bytes of a layer.
pub fn layer_bytes(image: &yagura_collect::ImageHandle, index: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut image.layer(index).unwrap(), &mut bytes).unwrap();
    bytes
}

/// SHA-256 as `sha256:hex`, by the system's own tool.
pub fn sha256(bytes: &[u8]) -> String {
    use std::io::Write;
    let mut child = Command::new("sha256sum")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let copy = bytes.to_vec();
    let writer = std::thread::spawn(move || input.write_all(&copy).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    format!("sha256:{}", String::from_utf8_lossy(&output.stdout[..64]))
}
