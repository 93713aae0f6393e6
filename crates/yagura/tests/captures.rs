//! Captures of system events replayed by the program: formats, filters, copies, profiles, and captures that break off.

mod bed;

use std::path::{Path, PathBuf};
use std::process::Command;

use assert_cmd::cargo::CommandCargoExt;

/// A capture of the public data.
fn capture() -> Option<PathBuf> {
    bed::data("scap/curl_google.scap")
}

fn replay(arguments: &[&str], file: &Path) -> (String, String) {
    let output =
        Command::cargo_bin("yagura").unwrap().arg("replay").arg(file).args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {errors}");
    (String::from_utf8_lossy(&output.stdout).into_owned(), errors)
}

#[test]
fn a_copy_holds_what_was_heeded_and_means_the_same() {
    let Some(capture) = capture() else { return };
    let directory = tempfile::tempdir().unwrap();
    let condition = "evt.type in (connect, open)";
    let format = "*%evt.rawtime %evt.type %evt.dir %proc.name %fd.name %evt.args";
    let (before, _) = replay(&["-p", format, "--filter", condition], &capture);
    assert_eq!(before.lines().count(), 104);
    for name in ["copy.scap", "copy.scap.gz"] {
        let copy = directory.path().join(name);
        replay(&["--filter", condition, "-w", copy.to_str().unwrap()], &capture);
        assert_eq!(replay(&["-p", format], &copy).0, before);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "nothing unfinished is left");
        if let Ok(theirs) = Command::new("sysdig").arg("-r").arg(&copy).args(["-p", "*%evt.num"]).output() {
            assert_eq!(String::from_utf8_lossy(&theirs.stdout).lines().count(), 104, "sysdig reads it");
        }
        std::fs::remove_file(copy).unwrap();
    }
}

#[test]
fn a_profile_says_what_was_used() {
    let Some(capture) = capture() else { return };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("profile.json");
    replay(&["--profile", path.to_str().unwrap()], &capture);
    let profile: yagura_model::profile::Profile =
        serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let host = &profile.subjects["host"];
    assert!(host.runs("/lib/x86_64-linux-gnu/libc.so.6"), "a library that was mapped");
    assert!(host.files["/etc/hosts"].read > 0 && !host.runs("/etc/hosts"));
    let ends: Vec<_> = host.connects.iter().map(|end| (end.protocol.as_str(), end.port)).collect();
    assert_eq!(ends, [("udp", 53), ("tcp", 80)]);
}

#[test]
fn a_capture_that_breaks_off_gives_what_it_had() {
    let Some(capture) = capture() else { return };
    let directory = tempfile::tempdir().unwrap();
    let cut = directory.path().join("cut.scap");
    let mut plain = Vec::new();
    let file = std::fs::File::open(&capture).unwrap();
    let mut inflater = yagura_formats::archive::compression::Inflater::new(file, Default::default()).unwrap();
    std::io::Read::read_to_end(&mut inflater, &mut plain).unwrap();
    std::fs::write(&cut, &plain[..plain.len() - 10]).unwrap();
    let (whole, _) = replay(&["-p", "%evt.num %evt.type"], &capture);
    let (read, errors) = replay(&["-p", "%evt.num %evt.type"], &cut);
    assert!(errors.contains("it was cut off"), "{errors}");
    assert!(whole.starts_with(&read) && whole.lines().count() - read.lines().count() <= 1);
    let (summary, _) = replay(&["--summary"], &capture);
    assert!(summary.contains("1221 events") && summary.contains("curl"), "{summary}");
}
