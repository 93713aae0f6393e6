//! The machine watched for real: actions are performed, the rules tell of them, and the capture that is kept tells the
//! same again.

mod bed;

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const RULES: &str = r#"
- rule: A marked file is read
  desc: A program other than the trusted one opens a file with our mark.
  condition: evt.type in (open, openat, openat2) and evt.is_open_read=true and fd.name endswith yagura-watch-mark and not proc.name=head
  output: read file=%fd.name by=%proc.name exe=%proc.exepath parent=%proc.pname user=%user.uid
  priority: WARNING
- rule: A marked link is made
  desc: A symbolic link to a file with our mark is made.
  condition: evt.type in (symlink, symlinkat) and evt.arg.target endswith yagura-watch-mark
  output: link target=%evt.arg.target path=%evt.arg.linkpath
  priority: WARNING
- rule: A program runs from shared memory
  desc: A program is started from a place for shared memory.
  condition: evt.type in (execve, execveat) and proc.exepath startswith /dev/shm/yagura-watch
  output: program=%proc.exepath command=%proc.cmdline
  priority: WARNING
"#;

#[test]
fn what_happens_is_told_and_what_was_before_is_kept() {
    let work = tempfile::tempdir().unwrap();
    let rules = work.path().join("rules.yaml");
    fs::write(&rules, RULES).unwrap();
    let mark = work.path().join("yagura-watch-mark");
    fs::write(&mark, "x").unwrap();
    let recorder = work.path().join("kept");
    let yagura = assert_cmd::cargo::cargo_bin!("yagura");

    let mut watch = Command::new(yagura);
    watch
        .args(["watch", "--duration", "20", "--before", "5", "--after", "1", "-o", "json", "-r"])
        .arg(&rules)
        .arg("--recorder")
        .arg(&recorder)
        .stdout(Stdio::piped());
    // What it says is read until the end of the test, so that it can always say more.
    let Some((mut watching, _errors)) = bed::watching(&mut watch) else { return };

    let program = format!("/dev/shm/yagura-watch-{}", std::process::id());
    let script = format!(
        "(exec /yagura-no-such-program) 2>&1; cat {mark}; head {mark}; ln -s {mark} {mark}-link; cp /bin/true {program}; {program} argument; rm {program}",
        mark = mark.display()
    );
    assert!(Command::new("bash").args(["-c", &script]).stdout(Stdio::null()).status().unwrap().success());

    let mut output = BufReader::new(watching.stdout.take().unwrap());
    let mut alerts = Vec::new();
    let end = Instant::now() + Duration::from_secs(15);
    while alerts.len() < 3 && Instant::now() < end {
        let mut line = String::new();
        if output.read_line(&mut line).unwrap() == 0 {
            break;
        }
        alerts.push(serde_json::from_str::<serde_json::Value>(&line).unwrap());
    }
    watching.wait().unwrap();
    let told: Vec<String> = alerts.iter().map(|alert| alert["rule"].as_str().unwrap().to_owned()).collect();
    assert_eq!(told, ["A marked file is read", "A marked link is made", "A program runs from shared memory"]);
    let said = |index: usize| alerts[index]["output"].as_str().unwrap();
    assert!(said(0).contains("by=cat exe=/usr/bin/cat parent=bash user=0"), "{}", said(0));
    assert!(said(2).contains(&format!("program={program}")) && said(2).contains("argument"), "{}", said(2));

    let kept: Vec<_> = fs::read_dir(&recorder)
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "gz"))
        .collect();
    assert_eq!(kept.len(), 3, "{kept:?}");
    let replayed =
        Command::new(yagura).args(["replay", "-o", "json", "-r"]).arg(&rules).arg(&kept[0]).output().unwrap();
    let replayed = String::from_utf8_lossy(&replayed.stdout).into_owned();
    for rule in &told {
        assert!(replayed.contains(rule.as_str()), "{rule} is not in {replayed}");
    }

    // Debian's sysdig reads the same to its end, a program that could not be started included.
    if bed::has(&["sysdig"]) {
        let read = Command::new("sysdig")
            .arg("-r")
            .arg(&kept[0])
            .args(["-p", "%evt.type %evt.args", "evt.type=execve"])
            .output()
            .unwrap();
        let rows = String::from_utf8_lossy(&read.stdout).into_owned();
        assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
        assert!(rows.contains("res=-2(ENOENT) exe=/yagura-no-such-program"), "{rows}");
        assert!(rows.contains(&format!("exe={program}")), "{rows}");
    }
}
