//! Alerts as OCSF Detection Findings, class 2004 (<https://schema.ocsf.io/1.5.0/classes/detection_finding>).

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use yagura_model::alert::{Alert, AlertValue, Priority};

use super::values;

const CLASS: u32 = 2004;
const CATEGORY: u32 = 2;
/// Create: OCSF's activity of a finding that is new.
const CREATE: u32 = 1;

pub(super) fn json(alert: &Alert) -> String {
    let fields: HashMap<&str, &AlertValue> =
        alert.fields.iter().map(|(name, value)| (name.as_str(), value)).collect();
    let field = |name: &str| values::text(fields.get(name).copied());
    let (severity_id, severity) = severity(alert.priority);
    let milliseconds = alert.time / 1_000_000;
    let unmapped: Map<String, Value> =
        alert.fields.iter().map(|(name, value)| (name.clone(), values::json(value))).collect();
    let mut finding = json!({
        "activity_id": CREATE,
        "activity_name": "Create",
        "category_uid": CATEGORY,
        "category_name": "Findings",
        "class_uid": CLASS,
        "class_name": "Detection Finding",
        "type_uid": CLASS * 100 + CREATE,
        "type_name": "Detection Finding: Create",
        "severity_id": severity_id,
        "severity": severity,
        "status_id": 1,
        "status": "New",
        "time": milliseconds,
        "count": alert.repeats.saturating_add(1),
        "message": alert.message,
        "finding_info": {
            "uid": identity(alert),
            "title": &*alert.rule,
            "desc": alert.message,
            "created_time": milliseconds,
            "types": [&*alert.source],
            "analytic": { "name": &*alert.rule, "type": "Rule", "type_id": 1 },
        },
        "metadata": {
            "version": "1.5.0",
            "product": { "name": "Yagura", "vendor_name": "Yagura", "version": env!("CARGO_PKG_VERSION") },
            "log_name": &*alert.source,
            "labels": &*alert.tags,
        },
        "device": { "hostname": &*alert.hostname, "type_id": 1, "type": "Server" },
        "unmapped": unmapped,
    });
    let techniques: Vec<Value> = alert.tags.iter().filter_map(|tag| technique(tag)).collect();
    if let (false, Some(info)) =
        (techniques.is_empty(), finding.get_mut("finding_info").and_then(Value::as_object_mut))
    {
        info.insert("attacks".to_owned(), techniques.into());
    }
    if let Some(evidences) = evidence(&field)
        && let Some(object) = finding.as_object_mut()
    {
        object.insert("evidences".to_owned(), json!([evidences]));
    }
    finding.to_string()
}

fn severity(priority: Priority) -> (u32, &'static str) {
    match priority {
        Priority::Emergency => (6, "Fatal"),
        Priority::Alert | Priority::Critical => (5, "Critical"),
        Priority::Error => (4, "High"),
        Priority::Warning => (3, "Medium"),
        Priority::Notice => (2, "Low"),
        Priority::Informational | Priority::Debug => (1, "Informational"),
    }
}

/// The same alert has the same name wherever it is written.
fn identity(alert: &Alert) -> String {
    let mut hasher = Sha256::new();
    for part in [&*alert.rule, &*alert.source, &*alert.hostname, &alert.message] {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    hasher.update(alert.time.to_le_bytes());
    hasher.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Tags such as `T1059.004`.
fn technique(tag: &str) -> Option<Value> {
    let (technique, sub) = match tag.split_once('.') {
        Some((technique, _)) => (technique, Some(tag)),
        None => (tag, None),
    };
    let digits = technique.strip_prefix('T')?;
    if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut attack = json!({ "technique": { "uid": technique } });
    if let (Some(sub), Some(object)) = (sub, attack.as_object_mut()) {
        object.insert("sub_technique".to_owned(), json!({ "uid": sub }));
    }
    Some(attack)
}

/// Process, file, connection, user and container, as far as the alert names them.
fn evidence(field: &dyn Fn(&str) -> Option<String>) -> Option<Value> {
    let object = |pairs: &[(&str, Option<Value>)]| -> Option<Value> {
        let map: Map<String, Value> =
            pairs.iter().filter_map(|(key, value)| Some(((*key).to_owned(), value.clone()?))).collect();
        (!map.is_empty()).then(|| map.into())
    };
    let text = |name: &str| field(name).map(Value::from);
    let number = |name: &str| field(name)?.parse::<i64>().ok().map(Value::from);
    let parent = object(&[
        ("name", text("proc.pname")),
        ("pid", number("proc.ppid")),
        ("cmd_line", text("proc.pcmdline")),
    ]);
    let executable = object(&[("path", text("proc.exepath")), ("name", text("proc.name"))])
        .filter(|_| field("proc.exepath").is_some());
    let user = object(&[
        ("name", text("user.name").or_else(|| text("ka.user.name")).or_else(|| text("ct.user"))),
        ("uid", text("user.uid").or_else(|| text("ct.user.arn"))),
    ]);
    let container = object(&[
        ("uid", text("container.id").filter(|id| id != "host")),
        ("name", text("container.name")),
        (
            "image",
            object(&[("name", text("container.image.repository")), ("tag", text("container.image.tag"))]),
        ),
    ])
    .filter(|_| field("container.id").is_some_and(|id| id != "host"));
    let process = object(&[
        ("name", text("proc.name")),
        ("pid", number("proc.pid")),
        ("cmd_line", text("proc.cmdline")),
        ("file", executable),
        ("parent_process", parent),
        ("user", user.clone()),
        ("container", container),
    ])
    .filter(|_| field("proc.name").is_some() || field("proc.cmdline").is_some());
    let file_name = field("fd.name").filter(|name| name.starts_with('/'));
    let file = object(&[
        ("path", file_name.clone().map(Value::from)),
        ("name", file_name.and_then(|name| name.rsplit('/').next().map(Value::from))),
        ("type_id", field("fd.name").filter(|name| name.starts_with('/')).map(|_| 1.into())),
    ]);
    let destination =
        object(&[("ip", text("fd.sip").or_else(|| text("fd.rip"))), ("port", number("fd.sport"))]);
    let source = object(&[("ip", text("fd.cip").or_else(|| text("ct.srcip"))), ("port", number("fd.cport"))]);
    let actor = object(&[("process", process.clone()), ("user", user)]);
    object(&[
        ("actor", actor),
        ("process", process),
        ("file", file),
        ("dst_endpoint", destination),
        ("src_endpoint", source),
    ])
}
