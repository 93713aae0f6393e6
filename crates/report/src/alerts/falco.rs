//! The two forms in which Falco writes alerts (<https://falco.org/docs/concepts/outputs/formatting/>), key by key, so that
//! what reads Falco's reads ours.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};
use yagura_model::alert::Alert;

use super::{AlertOptions, values};

/// Time, priority and message; control characters, quotes and backslashes escaped as in JSON.
pub(super) fn line(alert: &Alert, options: AlertOptions) -> String {
    let mut quoted = Value::String(output(alert, options)).to_string();
    quoted.pop();
    quoted.remove(0);
    quoted
}

fn output(alert: &Alert, options: AlertOptions) -> String {
    let format = if options.iso_time { "%Y-%m-%dT%H:%M:%S.%9f+0000" } else { "%H:%M:%S.%9f" };
    let mut output = format!("{}: {} {}", values::time(alert.time, format), alert.priority, alert.message);
    if alert.repeats > 0 {
        output.push_str(&format!(" (repeated {} times)", alert.repeats));
    }
    output
}

/// Keys in the order of the alphabet, as Falco writes them.
#[derive(Serialize)]
struct Line<'a> {
    hostname: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    output: String,
    output_fields: Map<String, Value>,
    priority: &'a str,
    rule: &'a str,
    source: &'a str,
    tags: &'a BTreeSet<String>,
    time: String,
}

pub(super) fn json(alert: &Alert, options: AlertOptions) -> String {
    let mut fields: Vec<(String, Value)> =
        alert.fields.iter().map(|(name, value)| (name.clone(), values::json(value))).collect();
    if alert.repeats > 0 {
        fields.push(("yagura.repeats".to_owned(), alert.repeats.into()));
    }
    fields.sort_by(|left, right| left.0.cmp(&right.0));
    let line = Line {
        hostname: &alert.hostname,
        message: options.message.then_some(&alert.message),
        output: output(alert, options),
        output_fields: fields.into_iter().collect(),
        priority: alert.priority.name(),
        rule: &alert.rule,
        source: &alert.source,
        tags: &alert.tags,
        time: values::time(alert.time, "%Y-%m-%dT%H:%M:%S.%9fZ"),
    };
    // Nothing in it can fail to be JSON.
    serde_json::to_string(&line).unwrap_or_default()
}
