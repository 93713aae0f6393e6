//! Debian's sysdig, an independent reader of captures, says the same as we do: about every event of captures that
//! others recorded, and about captures that we wrote.

use std::collections::BTreeMap;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;

use yagura_events::fields::SyscallCatalogue;
use yagura_events::inspect::{Inspector, Replay};
use yagura_events::scap::{CaptureReader, CaptureWriter, Group, Interface, Item, Machine, User};
use yagura_events::table::RawEvent;
use yagura_language::falco::condition;
use yagura_language::falco::output::Format;
use yagura_language::falco::predicate::{Compiler, Memory, Program};

/// Between number and value, and after each value: values hold line breaks.
const BETWEEN: char = '\u{2}';
const AFTER: char = '\u{1}';

#[expect(clippy::print_stderr)]
fn skip(what: &str) {
    assert!(std::env::var_os("CI").is_none(), "{what}");
    eprintln!("SKIPPED {what}");
}

/// The captures that come with the public data, if there is a sysdig to compare with.
fn captures(test: &str) -> Vec<PathBuf> {
    if Command::new("sysdig").arg("--version").output().is_err() {
        skip(&format!("{test}: sysdig is not installed"));
        return Vec::new();
    }
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let data = std::env::var_os("YAGURA_DATA").map_or_else(beside, PathBuf::from);
    let mut found: Vec<_> = std::fs::read_dir(data.join("scap"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "scap"))
        .collect();
    found.sort();
    if found.is_empty() {
        skip(&format!("{test}: no public data"));
    }
    found
}

fn split(output: &[u8]) -> BTreeMap<u64, String> {
    let text = String::from_utf8_lossy(output).into_owned();
    text.split(AFTER)
        .filter_map(|record| {
            let (number, value) = record.trim_start_matches('\n').split_once(BETWEEN)?;
            Some((number.parse().ok()?, value.to_owned()))
        })
        .collect()
}

/// What sysdig says of each event that a condition lets through.
fn sysdig(capture: &Path, format: &str, condition: &str) -> BTreeMap<u64, String> {
    let output = Command::new("sysdig")
        .env("TZ", "UTC")
        .arg("-r")
        .arg(capture)
        .args(["-p", &format!("*%evt.num{BETWEEN}{format}{AFTER}"), condition])
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{format} {condition}: {complaint}");
    split(&output.stdout)
}

fn ours(capture: &Path, format: &str, condition: &str) -> BTreeMap<u64, String> {
    let catalogue = SyscallCatalogue::new();
    let format = Format::compile(&format!("*%evt.num{BETWEEN}{format}{AFTER}"), &catalogue).unwrap();
    let mut program = Program::default();
    let node = (!condition.is_empty()).then(|| {
        let expression = condition::parse(condition).unwrap();
        Compiler::new(&catalogue).condition(&expression, &mut program).unwrap()
    });
    let mut memory = Memory::default();
    let mut output = Vec::new();
    let reader = CaptureReader::new(std::fs::File::open(capture).unwrap()).unwrap();
    Replay::new(reader, Inspector::default())
        .run(|view| {
            memory.next_event();
            if node.is_none_or(|node| program.evaluate(node, view, &mut memory)) {
                writeln!(output, "{}", format.text(view).unwrap()).unwrap();
                view.mark_shown();
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    split(&output)
}

/// Fields that mean the same to both. Left out: what sysdig 0.29 gets wrong (`group.gid`, `fd.cport` and `fd.dev`
/// print memory that was never set) and what Falco changed since (`proc.vpid` of a process whose creation was not seen).
#[rustfmt::skip]
const FIELDS: &[&str] = &[
    "evt.type", "evt.dir", "evt.category", "evt.cpu", "evt.args", "evt.res", "evt.rawres", "evt.failed", "evt.time",
    "evt.time.s", "evt.datetime", "evt.rawtime", "evt.rawtime.s", "evt.rawtime.ns", "evt.reltime", "evt.reltime.s",
    "evt.reltime.ns", "evt.latency", "evt.latency.s", "evt.latency.ns", "evt.deltatime", "evt.is_io",
    "evt.is_io_read", "evt.is_io_write", "evt.io_dir", "evt.is_wait", "evt.wait_latency", "evt.is_syslog",
    "evt.count", "evt.count.error", "evt.count.error.file", "evt.count.error.net", "evt.count.error.memory",
    "evt.count.error.other", "evt.count.exit", "evt.abspath", "evt.buffer", "evt.buflen", "evt.is_open_read",
    "evt.is_open_write", "evt.is_open_exec", "evt.info", "syscall.type", "fd.num", "fd.type", "fd.typechar",
    "fd.name", "fd.directory", "fd.filename", "fd.cip", "fd.sip", "fd.lip", "fd.rip", "fd.sport", "fd.lport",
    "fd.rport", "fd.l4proto", "fd.sockfamily", "fd.is_server", "fd.uid", "fd.containerdirectory", "fd.connected",
    "fd.name_changed", "proc.pid", "proc.exe", "proc.name", "proc.args",
    "proc.env", "proc.cmdline", "proc.exeline", "proc.cwd", "proc.nthreads", "proc.nchilds", "proc.ppid",
    "proc.pname", "proc.pcmdline", "proc.apid[1]", "proc.aname[0]", "proc.aname[1]", "proc.aname[2]",
    "proc.loginshellid", "proc.duration", "proc.fdopencount", "proc.fdlimit", "proc.vmsize", "proc.vmrss",
    "proc.vmswap", "thread.pfmajor", "thread.pfminor", "thread.tid", "thread.ismain", "thread.cgroups", "proc.sid",
    "proc.sname", "proc.tty", "proc.exepath", "proc.vpgid", "proc.is_exe_writable", "thread.vmsize",
    "thread.vmrss", "user.uid", "user.name", "user.homedir", "user.shell", "user.loginname", "group.name",
    "container.id", "container.name", "container.image", "container.type", "container.privileged",
    "container.mounts", "container.image.repository",
];

const CONDITIONS: &[&str] = &[
    "evt.type=open and evt.dir=< and fd.name contains lib",
    "evt.type in (read, write, sendto) and evt.rawres > 100",
    "not fd.name exists",
    "fd.typechar=4 or fd.typechar=6",
    "fd.ip=8.8.8.8 or fd.port=443 or fd.sport=80",
    "proc.aname=sshd and proc.name!=curl",
    "proc.cmdline startswith curl and evt.latency >= 1000",
    "evt.is_open_read=true and fd.directory in (/etc, /lib/x86_64-linux-gnu)",
    "evt.arg.flags contains O_CLOEXEC or evt.arg.res=ENOENT",
    "evt.failed=true and not evt.res=ENOENT",
    "user.name=root and container.id=host and evt.cpu=0",
    "fd.l4proto=tcp and evt.buffer contains HTTP",
    "evt.rawarg.res=0 and (evt.type=close or evt.type=fstat)",
    "fd.name glob /*/ld*cache or fd.filename endswith .so.6",
    "fd.name pmatch (/usr/lib, /etc/ssl)",
    "evt.type!=mmap and evt.type!=switch and thread.ismain=false",
];

#[test]
fn fields_agree_event_by_event() {
    // All fields in one line, each with this after it.
    const END: char = '\u{3}';
    let format: String = FIELDS.iter().map(|field| format!("%{field}{END}")).collect();
    for capture in captures("fields_agree_event_by_event") {
        let (theirs, ours) = (sysdig(&capture, &format, ""), ours(&capture, &format, ""));
        assert!(!theirs.is_empty());
        assert_eq!(theirs.len(), ours.len(), "{}", capture.display());
        let mut differing = Vec::new();
        for (number, line) in &theirs {
            let ours = ours.get(number).map(String::as_str).unwrap_or_default();
            for ((field, theirs), ours) in FIELDS.iter().zip(line.split(END)).zip(ours.split(END)) {
                if theirs != ours {
                    differing.push(format!("{number} {field}: sysdig {theirs:?}, ours {ours:?}"));
                }
            }
        }
        assert!(
            differing.is_empty(),
            "{}: {} {:#?}",
            capture.display(),
            differing.len(),
            differing.get(..20)
        );
    }
}

#[test]
fn conditions_agree_event_by_event() {
    let mut matched = 0;
    for capture in captures("conditions_agree_event_by_event") {
        for condition in CONDITIONS {
            let theirs: Vec<u64> = sysdig(&capture, "%evt.type", condition).into_keys().collect();
            let ours: Vec<u64> = ours(&capture, "%evt.type", condition).into_keys().collect();
            assert_eq!(theirs, ours, "{} {condition}", capture.display());
            matched += theirs.len();
        }
    }
    assert!(matched == 0 || matched > 500, "{matched}");
}

/// What a capture says beside threads and events.
#[derive(Default)]
struct Surroundings {
    machine: Machine,
    interfaces: Vec<Interface>,
    users: Vec<User>,
    groups: Vec<Group>,
}

/// Writes a capture again: its threads as the state has them, its events as they are.
fn rewrite(capture: &Path, to: &Path, compress: bool) {
    let mut inspector = Inspector::default();
    let mut around = Surroundings::default();
    let mut events: Vec<(u16, u32, Vec<u8>)> = Vec::new();
    let mut reader = CaptureReader::new(std::fs::File::open(capture).unwrap()).unwrap();
    while let Some(item) = reader.next_item().unwrap() {
        match item {
            Item::Event(event) => {
                let mut bytes = Vec::new();
                event.encode(&mut bytes);
                events.push((event.cpu, event.flags, bytes));
            }
            Item::Machine(machine) => around.machine = machine,
            Item::Interface(interface) => around.interfaces.push(interface),
            Item::User(user) => around.users.push(user),
            Item::Group(group) => around.groups.push(group),
            other => inspector.seed(other),
        }
    }
    let file = std::fs::File::create(to).unwrap();
    let out: Box<dyn Write> = if compress {
        Box::new(flate2::write::GzEncoder::new(file, flate2::Compression::fast()))
    } else {
        Box::new(file)
    };
    let mut writer = CaptureWriter::new(out).unwrap();
    writer.machine(&around.machine).unwrap();
    let entries = inspector.state.thread_entries();
    writer.threads(entries.iter().cloned()).unwrap();
    for entry in &entries {
        writer.descriptors(entry.tid, inspector.state.descriptor_entries(entry.tid).into_iter()).unwrap();
    }
    writer.interfaces(around.interfaces.iter()).unwrap();
    writer.accounts(around.users.iter(), around.groups.iter()).unwrap();
    for (cpu, flags, bytes) in &events {
        writer.event(&RawEvent::parse(bytes, *cpu, *flags).unwrap()).unwrap();
    }
    writer.finish().unwrap().flush().unwrap();
}

#[test]
fn what_we_write_sysdig_reads_without_loss() {
    let directory = tempfile::tempdir().unwrap();
    let format = "%evt.type %evt.dir %evt.rawtime %evt.cpu %thread.tid %proc.pid %proc.name %proc.cmdline %proc.cwd \
                  %proc.exepath %proc.env %proc.sid %proc.vpgid %proc.pname %proc.aname[2] %proc.sname \
                  %proc.fdopencount %fd.num %fd.type %fd.name %fd.l4proto %fd.cip %fd.sport %fd.lip %user.uid \
                  %user.name %group.name %container.id %thread.cgroups %evt.args";
    for capture in captures("what_we_write_sysdig_reads_without_loss") {
        let before = sysdig(&capture, format, "");
        for name in ["copy.scap", "copy.scap.gz"] {
            let copy = directory.path().join(name);
            rewrite(&capture, &copy, name.ends_with("gz"));
            let after = sysdig(&copy, format, "");
            assert_eq!(before.len(), after.len(), "{}", capture.display());
            for (number, value) in &before {
                assert_eq!(Some(value), after.get(number), "{} event {number}", capture.display());
            }
            // And so do we.
            assert_eq!(before, ours(&copy, format, ""), "{}", capture.display());
        }
    }
}
