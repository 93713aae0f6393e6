use std::ops::ControlFlow;

use yagura_model::field::{
    EventType, FieldCatalogue, FieldError, FieldType, FieldValue, Fields, Multiplicity,
};

use super::*;
use crate::inspect::Inspector;
use crate::scap::Item;
use crate::table::{EventEncoder, table};

/// A shell in a container, started by `dockerd`.
fn inspector() -> Inspector {
    let mut inspector = Inspector::default();
    inspector.seed(Item::Section { major: 1, minor: 2 });
    for (tid, parent, comm) in [(1i64, 0i64, &b"systemd"[..]), (5, 1, b"dockerd"), (10, 5, b"sh")] {
        inspector.seed(Item::Thread(crate::scap::Thread {
            tid,
            pid: tid,
            parent,
            comm,
            exe: comm,
            exe_path: b"/bin/x",
            args: if tid == 10 { b"-c\0ls\0" } else { b"" },
            env: b"HTTP_PROXY=http://p\0A=b\0",
            cwd: b"/root",
            virtual_tid: tid,
            virtual_pid: tid,
            session: 1,
            cap_effective: (1 << 21) | 1,
            uid: 1000,
            cgroups: if tid == 10 {
                b"cpu=/docker/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\0"
            } else {
                b""
            },
            ..crate::scap::Thread::default()
        }));
    }
    inspector.seed(Item::User(crate::scap::User { uid: 1000, name: "me".into(), ..Default::default() }));
    inspector.state.containers.add(
        crate::state::Container::from_json(
            br#"{"container":{"id":"0123456789ab","type":0,"name":"web","imagerepo":"nginx","privileged":true,
            "Mounts":[{"Source":"/var/run/docker.sock","Destination":"/run/d.sock","Mode":"rw","RW":true}]}}"#,
        )
        .unwrap(),
    );
    inspector
}

fn text(view: &EventView<'_>, catalogue: &SyscallCatalogue, name: &str) -> Option<String> {
    let (name, argument) = match name.split_once('[') {
        Some((name, argument)) => (name, Some(argument.trim_end_matches(']'))),
        None => (name, None),
    };
    let field = catalogue.resolve(name, argument).unwrap_or_else(|error| panic!("{name}: {error}"));
    Some(match view.value(&field)? {
        FieldValue::Text(text) => String::from_utf8_lossy(&text).into_owned(),
        FieldValue::Boolean(value) => value.to_string(),
        FieldValue::Signed(value) => value.to_string(),
        FieldValue::Unsigned(value) => value.to_string(),
        FieldValue::Address(address) => address.to_string(),
        other => format!("{other:?}"),
    })
}

#[test]
fn an_opened_file_answers() {
    let mut inspector = inspector();
    let mut encoder = EventEncoder::default();
    let code = table().code("SYSCALL_OPENAT_2_X").unwrap();
    encoder
        .start(7_000_000_000, 10, 2, code)
        .i64(3)
        .i64(-100)
        .text(b"../etc//shadow")
        .u32(6)
        .u32(0o755)
        .u32(0x803);
    encoder.u64(99);
    let view = inspector.event(encoder.event()).unwrap();
    let catalogue = SyscallCatalogue::new();
    for (field, expected) in [
        ("evt.num", "1"),
        ("evt.type", "openat"),
        ("evt.dir", "<"),
        ("evt.res", "SUCCESS"),
        ("evt.rawres", "3"),
        ("evt.arg.flags", "O_CREAT|O_WRONLY"),
        ("evt.arg.name", "/etc/shadow"),
        ("evt.rawarg.name", "../etc//shadow"),
        ("evt.arg[0]", "<f>/etc/shadow"),
        ("evt.is_open_write", "true"),
        ("evt.is_open_read", "false"),
        ("evt.is_open_exec", "true"),
        ("fd.name", "/etc/shadow"),
        ("fd.nameraw", "../etc/shadow"),
        ("fd.directory", "/etc"),
        ("fd.filename", "shadow"),
        ("fd.typechar", "f"),
        ("fd.num", "3"),
        ("fd.ino", "99"),
        ("fd.dev.major", "8"),
        ("fs.path.name", "/etc/shadow"),
        ("proc.name", "sh"),
        ("proc.cmdline", "sh -c ls"),
        ("proc.args[1]", "ls"),
        ("proc.env[HTTP_PROXY]", "http://p"),
        ("proc.pname", "dockerd"),
        ("proc.aname[2]", "systemd"),
        ("proc.cwd", "/root/"),
        ("proc.sname", "systemd"),
        ("thread.cap_effective", "CAP_CHOWN CAP_SYS_ADMIN"),
        ("user.uid", "1000"),
        ("user.loginuid", "-1"),
        ("container.id", "0123456789ab"),
        ("container.name", "web"),
        ("container.image.repository", "nginx"),
        ("container.privileged", "true"),
        ("container.mounts", "/var/run/docker.sock:/run/d.sock:rw:true:"),
        ("container.mount.dest[/var/run/*]", "/run/d.sock"),
        ("container.healthcheck", "NONE"),
    ] {
        assert_eq!(text(&view, &catalogue, field).as_deref(), Some(expected), "{field}");
    }
    for missing in
        ["fd.cip", "fd.sport", "user.loginname", "proc.aname[4]", "container.mount.dest[/x]", "k8s.ns.name"]
    {
        assert_eq!(text(&view, &catalogue, missing), None, "{missing}");
    }
    let args = text(&view, &catalogue, "evt.args").unwrap();
    assert_eq!(
        args,
        "fd=3(<f>/etc/shadow) dirfd=-100(AT_FDCWD) name=../etc//shadow(/etc/shadow) flags=6(O_CREAT|O_WRONLY) \
         mode=0755 dev=803 ino=99 "
    );
}

#[test]
fn ancestors_and_ends_have_several_values() {
    let mut inspector = inspector();
    let catalogue = SyscallCatalogue::new();
    let mut encoder = EventEncoder::default();
    let code = |key| table().code(key).unwrap();
    encoder.start(1, 10, 0, code("SOCKET_SOCKET_X")).i64(4).u32(2).u32(1).u32(6).u32(0);
    inspector.event(encoder.event()).unwrap();
    let tuple = [2, 10, 0, 0, 1, 0x39, 0x30, 93, 184, 216, 34, 0xbb, 0x01];
    encoder.start(2, 10, 0, code("SOCKET_CONNECT_X")).i64(0).bytes(&tuple).i64(4).empty();
    let view = inspector.event(encoder.event()).unwrap();
    let all = |name: &str| {
        let field = catalogue.resolve(name, None).unwrap();
        let mut values = Vec::new();
        view.each(&field, &mut |value| {
            values.push(match value {
                FieldValue::Text(text) => String::from_utf8_lossy(&text).into_owned(),
                FieldValue::Address(address) => address.to_string(),
                FieldValue::Unsigned(number) => number.to_string(),
                other => format!("{other:?}"),
            });
            ControlFlow::Continue(())
        });
        (field.multiplicity, values.join(" "))
    };
    assert_eq!(all("proc.aname"), (Multiplicity::Any, "dockerd systemd".to_owned()));
    assert_eq!(all("fd.ip"), (Multiplicity::Ends, "10.0.0.1 93.184.216.34".to_owned()));
    assert_eq!(all("fd.port"), (Multiplicity::Ends, "12345 443".to_owned()));
    assert_eq!(all("fd.types"), (Multiplicity::List, "ipv4".to_owned()));
    for (field, expected) in [
        ("fd.name", "10.0.0.1:12345->93.184.216.34:443"),
        ("fd.sip", "93.184.216.34"),
        ("fd.l4proto", "tcp"),
        ("fd.sockfamily", "ip"),
        ("fd.connected", "true"),
        ("evt.arg.tuple", "10.0.0.1:12345->93.184.216.34:443"),
    ] {
        assert_eq!(text(&view, &catalogue, field).as_deref(), Some(expected), "{field}");
    }
}

#[test]
fn the_catalogue_knows_what_rules_name() {
    let catalogue = SyscallCatalogue::new();
    assert_eq!(catalogue.resolve("evt.rawarg.res", None).unwrap().kind, FieldType::Signed);
    assert_eq!(catalogue.resolve("proc.aname", Some("2")).unwrap().multiplicity, Multiplicity::One);
    assert!(matches!(catalogue.resolve("proc.nonsense", None), Err(FieldError::Unknown(_))));
    assert!(matches!(catalogue.resolve("evt.arg.nonsense", None), Err(FieldError::InvalidArgument { .. })));
    assert!(matches!(catalogue.resolve("evt.arg", None), Err(FieldError::MissingArgument(_))));
    assert!(matches!(catalogue.resolve("proc.name", Some("1")), Err(FieldError::UnexpectedArgument(_))));
    let openat = catalogue.event_type("openat").unwrap();
    assert_eq!(catalogue.type_name(openat), "openat");
    // A system call that has no event of its own is a type all the same.
    assert!(catalogue.event_type("process_madvise").is_some());
    assert!(catalogue.event_type("nonsense").is_none());
    assert!(openat < EventType(catalogue.event_types()));
    let described = catalogue.describe();
    let mut names: Vec<_> = described.iter().map(|field| field.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), described.len(), "every name once");
    for field in described {
        let argument = match field.argument {
            yagura_model::field::ArgumentRule::RequiredKey => Some("name"),
            _ => None,
        };
        let found = catalogue.resolve(field.name, argument);
        let special = ["evt.type.is", "evt.rawarg"].contains(&field.name);
        assert!(special || found.is_ok(), "{}: {found:?}", field.name);
    }
}

#[test]
fn no_event_and_no_field_panics() {
    let mut inspector = inspector();
    let catalogue = SyscallCatalogue::new();
    let fields: Vec<_> = catalogue
        .describe()
        .iter()
        .filter_map(|field| {
            catalogue
                .resolve(field.name, None)
                .or_else(|_| catalogue.resolve(field.name, Some("0")))
                .or_else(|_| catalogue.resolve(field.name, Some("name")))
                .or_else(|_| catalogue.resolve(field.name, Some("open")))
                .ok()
        })
        .collect();
    assert_eq!(fields.len(), catalogue.describe().len());
    for event in table().events() {
        for fill in [0u8, 2, 0xff] {
            for length in [0usize, 1, 8, 13] {
                let mut encoder = EventEncoder::default();
                encoder.start(5, 10, 0, event.code);
                for _ in 0..event.parameters.len() {
                    encoder.bytes(&vec![fill; length]);
                }
                if let Some(view) = inspector.event(encoder.event()) {
                    for field in &fields {
                        let _ = view.value(field);
                        view.each(field, &mut |_| ControlFlow::Continue(()));
                    }
                }
            }
        }
    }
}
