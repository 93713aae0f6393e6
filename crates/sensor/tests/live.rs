//! The programs in a real kernel, and real processes that they see.
#![allow(clippy::print_stdout)]

use std::collections::BTreeSet;
use std::process::Command;
use std::time::{Duration, Instant};

use yagura_events::table::table;
use yagura_sensor::{Options, Sensor};

/// One event, rendered for comparison: type, process id, parameters as bytes.
#[derive(Debug)]
struct Seen {
    name: &'static str,
    tid: i64,
    parameters: Vec<Vec<u8>>,
}

impl Seen {
    fn text(&self, index: usize) -> String {
        let bytes = self.parameters.get(index).map(Vec::as_slice).unwrap_or_default();
        String::from_utf8_lossy(bytes.strip_suffix(b"\0").unwrap_or(bytes)).into_owned()
    }
}

fn sensor(wanted: &[&str]) -> Option<Sensor> {
    let wanted: BTreeSet<String> = wanted.iter().map(|name| (*name).to_owned()).collect();
    match Sensor::start(&Options { wanted: Some(wanted), ..Options::default() }) {
        Ok(sensor) => Some(sensor),
        Err(error) => {
            println!("SKIPPED bpf-tp_btf: {error}");
            assert!(std::env::var_os("CI").is_none(), "in CI the sensor must start: {error}");
            None
        }
    }
}

/// Runs `action` and returns every event until `enough` says so, or five seconds have passed.
fn watch(
    sensor: &mut Sensor,
    action: impl FnOnce() -> u32,
    enough: impl Fn(i64, &[Seen]) -> bool,
) -> (i64, Vec<Seen>) {
    let pid = i64::from(action());
    let mut seen = Vec::new();
    let end = Instant::now() + Duration::from_secs(5);
    while Instant::now() < end && !enough(pid, &seen) {
        sensor
            .poll(Duration::from_millis(5), &mut |event| {
                let name = table().event(event.code).map_or("", |info| info.name);
                let parameters = event.parameters().map(<[u8]>::to_vec).collect();
                seen.push(Seen { name, tid: event.tid, parameters });
            })
            .unwrap();
    }
    (pid, seen)
}

fn run(program: &str, arguments: &[&str]) -> u32 {
    let mut child = Command::new(program).args(arguments).spawn().unwrap();
    let pid = child.id();
    child.wait().unwrap();
    pid
}

#[test]
fn a_program_is_seen_from_fork_to_exit_with_all_that_it_opens() {
    let Some(mut sensor) = sensor(&["openat"]) else { return };
    let (pid, seen) = watch(
        &mut sensor,
        || run("/bin/cat", &["/etc/hostname"]),
        |pid, seen| seen.iter().any(|seen| seen.tid == pid && seen.name == "procexit"),
    );
    let of = |name: &str| seen.iter().filter(|seen| seen.tid == pid && seen.name == name).collect::<Vec<_>>();

    let exec = of("execve");
    let exec = exec.first().unwrap_or_else(|| panic!("no execve among {}", seen.len()));
    assert_eq!(exec.text(1), "/bin/cat");
    assert_eq!(exec.text(2), "/etc/hostname");
    assert_eq!(exec.text(13), "cat");
    let cwd = std::env::current_dir().unwrap();
    assert_eq!(exec.text(6), cwd.to_string_lossy());
    assert!(exec.text(15).contains("PATH="), "{}", exec.text(15));
    let exe = std::fs::canonicalize("/bin/cat").unwrap();
    assert_eq!(exec.text(27), exe.to_string_lossy());
    let inode = std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(&exe).unwrap());
    assert_eq!(exec.parameters[23], inode.to_le_bytes());

    assert!(
        of("openat").iter().any(|open| open.text(2) == "/etc/hostname" && open.parameters[3][0] & 1 == 1)
    );
    assert_eq!(of("clone").len(), 1);
    assert_eq!(of("procexit").len(), 1);
    let order: Vec<&str> = seen.iter().filter(|seen| seen.tid == pid).map(|seen| seen.name).collect();
    assert_eq!(order.first(), Some(&"clone"));
    assert_eq!(order.last(), Some(&"procexit"));
    assert_eq!(sensor.loss().total(), 0);
}

#[test]
fn a_connection_has_both_ends() {
    let Some(mut sensor) = sensor(&["connect"]) else { return };
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let script = format!("exec 3<>/dev/tcp/127.0.0.1/{port}");
    let (pid, seen) = watch(
        &mut sensor,
        || run("/bin/bash", &["-c", &script]),
        |pid, seen| {
            seen.iter()
                .any(|seen| seen.tid == pid && seen.name == "connect" && seen.parameters[1].len() == 13)
        },
    );
    let connect = seen
        .iter()
        .find(|seen| seen.tid == pid && seen.name == "connect" && seen.parameters[1].len() == 13)
        .expect("a connect event with a tuple");
    let tuple = &connect.parameters[1];
    assert_eq!(tuple[0], 2);
    assert_eq!(tuple[1..5], [127, 0, 0, 1]);
    assert_eq!(tuple[7..11], [127, 0, 0, 1]);
    assert_eq!(u16::from_le_bytes([tuple[11], tuple[12]]), port);
}

#[test]
fn the_canary_comes_back() {
    let Some(mut sensor) = sensor(&[]) else { return };
    let end = Instant::now() + Duration::from_secs(5);
    while sensor.canaries() == 0 && Instant::now() < end {
        sensor.release_canary();
        sensor.poll(Duration::from_millis(5), &mut |_| {}).unwrap();
    }
    assert!(sensor.canaries() > 0);
}

/// The object in the repository is what the sources make.
#[test]
fn the_committed_object_is_the_compiled_source() {
    let sources = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("bpf");
    let output = std::env::temp_dir().join(format!("sensor-{}.bpf.o", std::process::id()));
    let built = Command::new(sources.join("build")).arg(&output).output();
    match built {
        Ok(built) if built.status.success() => {
            let same =
                std::fs::read(&output).unwrap() == std::fs::read(sources.join("sensor.bpf.o")).unwrap();
            let _ = std::fs::remove_file(&output);
            assert!(same, "run crates/sensor/bpf/build and commit sensor.bpf.o");
        }
        other => {
            println!("SKIPPED bpf-rebuild: {other:?}");
            assert!(std::env::var_os("CI").is_none(), "in CI the programs must compile: {other:?}");
        }
    }
}
