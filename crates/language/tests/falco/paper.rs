//! A source on paper: the fields that the official rules use, and events that are made of what a test writes.

use std::collections::HashMap;
use std::ops::ControlFlow;

use yagura_model::field::{
    ArgumentRule, EventType, Field, FieldCatalogue, FieldDescription, FieldError, FieldType, FieldValue,
    Fields, Multiplicity,
};

use ArgumentRule::{None as Plain, OptionalIndex, OptionalKey, RequiredKey};
use FieldType::{Address, Boolean, Bytes, Duration, Network, Path, Port, Signed, Text, Time, Unsigned};
use Multiplicity::{Any, Ends, List, One};

type Row = (&'static str, FieldType, ArgumentRule, Multiplicity);

const SYSCALL: &[Row] = &[
    ("container.id", Text, Plain, One),
    ("container.name", Text, Plain, One),
    ("container.image.repository", Text, Plain, One),
    ("container.image.tag", Text, Plain, One),
    ("container.image", Text, Plain, One),
    ("container.mount.dest", Text, RequiredKey, One),
    ("container.mounts", Text, Plain, One),
    ("container.privileged", Boolean, Plain, One),
    ("container.start_ts", Time, Plain, One),
    ("evt.args", Text, Plain, One),
    ("evt.buffer", Bytes, Plain, One),
    ("evt.dir", Text, Plain, One),
    ("evt.hostname", Text, Plain, One),
    ("evt.is_open_exec", Boolean, Plain, One),
    ("evt.is_open_read", Boolean, Plain, One),
    ("evt.is_open_write", Boolean, Plain, One),
    ("evt.num", Unsigned, Plain, One),
    ("evt.rawres", Signed, Plain, One),
    ("evt.res", Text, Plain, One),
    ("evt.time", Text, Plain, One),
    ("evt.time.iso8601", Text, Plain, One),
    ("evt.type", Text, Plain, One),
    ("evt.plugininfo", Text, Plain, One),
    ("fd.cip", Address, Plain, One),
    ("fd.cip.name", Text, Plain, One),
    ("fd.cnet", Network, Plain, One),
    ("fd.connected", Boolean, Plain, One),
    ("fd.directory", Text, Plain, One),
    ("fd.filename", Text, Plain, One),
    ("fd.ip", Address, Plain, Ends),
    ("fd.l4proto", Text, Plain, One),
    ("fd.lip.name", Text, Plain, One),
    ("fd.lport", Port, Plain, One),
    ("fd.name", Text, Plain, One),
    ("fd.name_changed", Boolean, Plain, One),
    ("fd.nameraw", Text, Plain, One),
    ("fd.net", Network, Plain, Ends),
    ("fd.num", Signed, Plain, One),
    ("fd.port", Port, Plain, Ends),
    ("fd.rip", Address, Plain, One),
    ("fd.rip.name", Text, Plain, One),
    ("fd.rnet", Network, Plain, One),
    ("fd.rport", Port, Plain, One),
    ("fd.sip", Address, Plain, One),
    ("fd.sip.name", Text, Plain, One),
    ("fd.snet", Network, Plain, One),
    ("fd.sockfamily", Text, Plain, One),
    ("fd.sport", Port, Plain, One),
    ("fd.type", Text, Plain, One),
    ("fd.typechar", Text, Plain, One),
    ("fs.path.name", Path, Plain, One),
    ("group.gid", Unsigned, Plain, One),
    ("group.name", Text, Plain, One),
    ("k8s.ns.name", Text, Plain, One),
    ("k8s.pod.name", Text, Plain, One),
    ("proc.acmdline", Text, OptionalIndex, Any),
    ("proc.aexe", Text, OptionalIndex, Any),
    ("proc.aexepath", Text, OptionalIndex, Any),
    ("proc.aname", Text, OptionalIndex, Any),
    ("proc.apid", Signed, OptionalIndex, Any),
    ("proc.args", Text, Plain, One),
    ("proc.cmdline", Text, Plain, One),
    ("proc.cwd", Text, Plain, One),
    ("proc.duration", Duration, Plain, One),
    ("proc.env", Text, OptionalKey, One),
    ("proc.exe", Text, Plain, One),
    ("proc.exe_ino.ctime", Time, Plain, One),
    ("proc.exe_ino.ctime_duration_proc_start", Duration, Plain, One),
    ("proc.exe_ino.mtime", Time, Plain, One),
    ("proc.exepath", Text, Plain, One),
    ("proc.is_exe_from_memfd", Boolean, Plain, One),
    ("proc.is_exe_upper_layer", Boolean, Plain, One),
    ("proc.is_vpgid_leader", Boolean, Plain, One),
    ("proc.name", Text, Plain, One),
    ("proc.pcmdline", Text, Plain, One),
    ("proc.pexe", Text, Plain, One),
    ("proc.pexepath", Text, Plain, One),
    ("proc.pid", Signed, Plain, One),
    ("proc.pname", Text, Plain, One),
    ("proc.ppid", Signed, Plain, One),
    ("proc.sid", Signed, Plain, One),
    ("proc.sname", Text, Plain, One),
    ("proc.tty", Unsigned, Plain, One),
    ("proc.vpid", Signed, Plain, One),
    ("test.arguments", Text, Plain, List),
    ("test.numbers", Unsigned, Plain, List),
    ("test.ratio", FieldType::Double, Plain, One),
    ("thread.cap_effective", Text, Plain, One),
    ("thread.cap_permitted", Text, Plain, One),
    ("user.loginname", Text, Plain, One),
    ("user.loginuid", Signed, Plain, One),
    ("user.name", Text, Plain, One),
    ("user.uid", Unsigned, Plain, One),
];

const TYPES: &str = "accept accept4 bpf chmod clone close connect creat dup dup2 dup3 execve execveat fchmod fchmodat \
    finit_module init_module io_uring_setup link linkat listen mkdir mkdirat mount open open_by_handle_at openat openat2 \
    ptrace read recvfrom recvmsg recvmmsg rename renameat renameat2 rmdir sendmmsg sendmsg sendto setns setuid socket \
    symlink symlinkat umount unlink unlinkat unshare userfaultfd write writev exit exit_group fork vfork clone3 kill \
    tkill tgkill prctl poll ppoll select epoll_wait futex nanosleep stat lstat fstat";

pub struct Paper {
    source: &'static str,
}

pub const SYSCALLS: Paper = Paper { source: "syscall" };
pub const KUBERNETES: Paper = Paper { source: "k8s_audit" };
pub const CLOUDTRAIL: Paper = Paper { source: "aws_cloudtrail" };

impl FieldCatalogue for Paper {
    fn source(&self) -> &'static str {
        self.source
    }

    fn resolve(&self, name: &str, argument: Option<&str>) -> Result<Field, FieldError> {
        if self.source != "syscall" {
            // Audit sources: whatever looks like theirs.
            let known = ["ka.", "jevt.", "ct.", "s3.", "json."].iter().any(|prefix| name.starts_with(prefix));
            let list = ["ka.req.pod.", "ka.req.role.", "ka.req.binding.subj", "ka.req.service.ports"]
                .iter()
                .any(|prefix| name.starts_with(prefix));
            if known {
                let argument = OptionalKey.read(name, argument)?;
                let multiplicity = if list { List } else { One };
                return Ok(Field { id: hash(name), argument, kind: Text, multiplicity });
            }
            if !name.starts_with("evt.") {
                return Err(FieldError::Unknown(name.to_owned()));
            }
        }
        for prefix in ["evt.arg.", "evt.rawarg."] {
            if let Some(key) = name.strip_prefix(prefix) {
                let argument = RequiredKey.read(name, Some(key))?;
                let kind = if prefix == "evt.arg." { Text } else { Unsigned };
                return Ok(Field { id: hash(prefix), argument, kind, multiplicity: One });
            }
        }
        let row = SYSCALL.iter().find(|row| row.0 == name);
        let (_, kind, rule, mut multiplicity) = *row.ok_or_else(|| FieldError::Unknown(name.to_owned()))?;
        if multiplicity == Any && argument.is_some() {
            multiplicity = One;
        }
        Ok(Field { id: hash(name), argument: rule.read(name, argument)?, kind, multiplicity })
    }

    fn event_type(&self, name: &str) -> Option<EventType> {
        let at = TYPES.split_whitespace().position(|known| known == name)?;
        (self.source == "syscall").then(|| EventType(u16::try_from(at).unwrap()))
    }

    fn event_types(&self) -> u16 {
        if self.source == "syscall" { u16::try_from(TYPES.split_whitespace().count()).unwrap() } else { 0 }
    }

    fn describe(&self) -> Vec<FieldDescription> {
        Vec::new()
    }
}

/// Names to numbers that are unlikely to meet in a test.
fn hash(name: &str) -> u16 {
    name.bytes().fold(7_u16, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()))
}

/// An event whose fields are what a test says they are.
#[derive(Default)]
pub struct Event {
    event_type: Option<EventType>,
    values: HashMap<(u16, yagura_model::field::Argument), Vec<FieldValue<'static>>>,
}

impl Event {
    pub fn of(event_type: &str) -> Self {
        let mut event = Self { event_type: SYSCALLS.event_type(event_type), ..Self::default() };
        event.put("evt.type", FieldValue::owned_text(event_type.to_owned()));
        event.put("evt.num", FieldValue::Unsigned(1));
        event
    }

    pub fn put(&mut self, field: &str, value: FieldValue<'static>) {
        self.put_all(field, vec![value]);
    }

    pub fn put_all(&mut self, field: &str, values: Vec<FieldValue<'static>>) {
        let (name, argument) = match field.strip_suffix(']').and_then(|field| field.split_once('[')) {
            Some((name, argument)) => (name, Some(argument)),
            None => (field, None),
        };
        let field = SYSCALLS.resolve(name, argument).unwrap();
        self.values.insert((field.id, field.argument), values);
    }

    /// `name=value name=value`, each of the field's type.
    pub fn with(mut self, fields: &[(&str, &str)]) -> Self {
        for (name, value) in fields {
            let plain = name.split('[').next().unwrap();
            let argument = name.split_once('[').map(|(_, rest)| rest.trim_end_matches(']'));
            let values = value.split('|').filter(|value| !value.is_empty()).map(|value| {
                match SYSCALLS.resolve(plain, argument).unwrap().kind {
                    Boolean => FieldValue::Boolean(value == "true"),
                    Signed => FieldValue::Signed(value.parse().unwrap()),
                    Unsigned | Duration | Time | Port => FieldValue::Unsigned(value.parse().unwrap()),
                    FieldType::Double => FieldValue::Double(value.parse().unwrap()),
                    Address | Network => FieldValue::Address(value.parse().unwrap()),
                    Bytes => FieldValue::Bytes(value.as_bytes().to_vec().into()),
                    Text | Path => FieldValue::owned_text(value.to_owned()),
                }
            });
            let mut values: Vec<_> = values.collect();
            if values.is_empty() {
                values.push(FieldValue::text(""));
            }
            self.put_all(name, values);
        }
        self
    }
}

impl Fields for Event {
    fn event_type(&self) -> Option<EventType> {
        self.event_type
    }

    fn time(&self) -> u64 {
        1_700_000_000_123_456_789
    }

    fn value(&self, field: &Field) -> Option<FieldValue<'_>> {
        self.values.get(&(field.id, field.argument.clone()))?.first().cloned()
    }

    fn each(&self, field: &Field, visit: &mut dyn FnMut(FieldValue<'_>) -> ControlFlow<()>) {
        let values = self.values.get(&(field.id, field.argument.clone()));
        let _ = values.into_iter().flatten().cloned().try_for_each(visit);
    }
}
