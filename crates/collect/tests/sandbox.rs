//! What a confined process can and cannot do, tried by a child that confines itself.

#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout)]

mod support;

use std::path::PathBuf;
use std::process::Command;

use support::skip;

/// Set in the child: the directory it may use.
const CHILD: &str = "YAGURA_TEST_CONFINED";

#[test]
fn a_confined_process_parses_and_does_nothing_else() {
    if let Some(directory) = std::env::var_os(CHILD) {
        return child(PathBuf::from(directory));
    }
    let scratch = tempfile::tempdir().unwrap();
    let inside = scratch.path().join("inside");
    std::fs::create_dir_all(inside.join("cache")).unwrap();
    std::fs::write(inside.join("image"), "bytes").unwrap();
    std::fs::write(scratch.path().join("outside"), "secret").unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_confined_process_parses_and_does_nothing_else", "--nocapture"])
        .env(CHILD, scratch.path())
        .env("YAGURA_TEST_PORT", listener.local_addr().unwrap().port().to_string())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let tried: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("TRIED ")).collect();
    println!("{}", tried.join("\n"));
    let status = tried.iter().find_map(|line| line.strip_prefix("status ")).unwrap();
    let result = |what: &str| {
        *tried
            .iter()
            .find_map(|line| line.strip_prefix(what))
            .iter()
            .next()
            .unwrap_or_else(|| panic!("{what} was not tried: {text}"))
    };
    if status.contains("seccomp") && !status.contains("seccomp:") {
        for refused in ["tcp", "udp", "unix", "listen", "exec", "kill parent"] {
            assert_eq!(result(refused).trim(), "PermissionDenied", "{refused} ({status})");
        }
    } else {
        skip("a_confined_process_parses_and_does_nothing_else", status);
    }
    if status.contains("landlock v") {
        for refused in ["read outside", "write outside", "write to what is only read"] {
            assert_eq!(result(refused).trim(), "PermissionDenied", "{refused} ({status})");
        }
    } else {
        println!("SKIPPED the Landlock half: {status}");
    }
    for allowed in ["read inside", "write inside", "cache", "thread"] {
        assert_eq!(result(allowed).trim(), "ok", "{allowed} ({status})");
    }
}

fn child(root: PathBuf) {
    let inside = root.join("inside");
    let cache = inside.join("cache");
    let kept = yagura_collect::cache::Cache::open(&cache).unwrap();
    let status = yagura_collect::sandbox::restrict(&[&inside], &[&cache]);
    println!("TRIED status {status}");
    let port = std::env::var("YAGURA_TEST_PORT").unwrap();
    let try_it = |what: &str, outcome: std::io::Result<()>| match outcome {
        Ok(()) => println!("TRIED {what} ok"),
        Err(error) => println!("TRIED {what} {:?}", error.kind()),
    };
    try_it("tcp", std::net::TcpStream::connect(format!("127.0.0.1:{port}")).map(drop));
    try_it("udp", std::net::UdpSocket::bind("127.0.0.1:0").map(drop));
    try_it("unix", std::os::unix::net::UnixStream::connect("/run/docker.sock").map(drop));
    try_it("listen", std::net::TcpListener::bind("127.0.0.1:0").map(drop));
    try_it("exec", Command::new("/bin/true").status().map(drop));
    let parent = rustix::process::getppid().unwrap();
    try_it(
        "kill parent",
        rustix::process::kill_process(parent, rustix::process::Signal::CONT).map_err(Into::into),
    );
    try_it("read outside", std::fs::read(root.join("outside")).map(drop));
    try_it("write outside", std::fs::write(root.join("new"), "x"));
    try_it("write to what is only read", std::fs::write(inside.join("image"), "x"));
    try_it("read inside", std::fs::read(inside.join("image")).map(drop));
    try_it("write inside", std::fs::write(cache.join("new"), "x"));
    let facts = kept.keep_facts("layer", b"facts").is_ok() && kept.facts("layer").is_some();
    try_it("cache", if facts { Ok(()) } else { Err(std::io::ErrorKind::Other.into()) });
    try_it("thread", std::thread::Builder::new().spawn(|| ()).map(|thread| thread.join().unwrap()));
}
