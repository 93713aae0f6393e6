//! What a rule's value means: nothing, a message, messages, or objects with a message.

use regorus::Value;
use yagura_model::Severity;

use crate::check;
use crate::functions::get;

/// Most results of one check for one document.
const MAX_RESULTS: usize = 10_000;
/// Longest message, in characters.
const MAX_MESSAGE: usize = 2_000;
/// Most further facts of one result, and longest of them, in characters.
const MAX_FACTS: usize = 20;
const MAX_FACT: usize = 300;

/// One thing that a check says is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Said {
    /// Empty where the check only says that something is wrong.
    pub message: String,
    pub severity: Option<Severity>,
    /// First and last line, where the check knows them.
    pub lines: Option<(u32, u32)>,
    /// What else stands in the result, `name: value`.
    pub facts: Vec<String>,
}

/// Reads a check's value.
pub fn read(value: &Value) -> Vec<Said> {
    let mut said = Vec::new();
    match value {
        Value::Array(items) => items.iter().take(MAX_RESULTS).for_each(|item| said.extend(one(item))),
        Value::Set(items) => items.iter().take(MAX_RESULTS).for_each(|item| said.extend(one(item))),
        Value::Object(fields) if get(value, "msg").is_none() => {
            // `deny[msg] if …` makes an object of what is meant as a set.
            let set = fields.iter().take(MAX_RESULTS).filter(|(_, held)| **held == Value::from(true));
            said.extend(set.filter_map(|(key, _)| one(key)));
        }
        Value::Bool(true) => said.push(Said::default()),
        other => said.extend(one(other)),
    }
    said
}

fn one(value: &Value) -> Option<Said> {
    match value {
        Value::String(text) => Some(Said { message: message(text), ..Said::default() }),
        // `[message, {…place…}]`
        Value::Array(items) => {
            let mut said = Said::default();
            for item in items.iter() {
                match item {
                    Value::String(text) => said.message = message(text),
                    Value::Object(_) => {
                        let of = object(item);
                        said.lines = of.lines.or(said.lines);
                        if said.message.is_empty() {
                            said.message = of.message;
                        }
                    }
                    _ => {}
                }
            }
            Some(said)
        }
        Value::Object(_) => Some(object(value)),
        Value::Bool(true) => Some(Said::default()),
        _ => None,
    }
}

fn object(value: &Value) -> Said {
    /// What places say, and what is read otherwise.
    const OWN: [&str; 13] = [
        "msg",
        "severity",
        "_loc",
        "startline",
        "endline",
        "filepath",
        "sourceprefix",
        "explicit",
        "managed",
        "fskey",
        "resource",
        "parent",
        "details",
    ];
    let text = |name: &str| match get(value, name) {
        Some(Value::String(text)) => message(text),
        _ => String::new(),
    };
    let line = |of: &Value, name: &str| -> Option<u32> {
        let line = match get(of, name)? {
            Value::String(text) => text.parse().ok()?,
            other => other.as_u32().ok()?,
        };
        (line > 0).then_some(line)
    };
    let place = get(value, "_loc").and_then(|place| line(place, "line")).map(|line| (line, line));
    let first = line(value, "startline");
    let lines = first.map(|first| (first, line(value, "endline").unwrap_or(first).max(first)));
    let mut facts = Vec::new();
    let details = get(value, "details").into_iter().filter_map(|details| details.as_object().ok());
    for fields in value.as_object().into_iter().chain(details) {
        for (key, held) in fields.iter() {
            let (Value::String(key), Some(held)) = (key, scalar(held)) else { continue };
            if facts.len() < MAX_FACTS && !OWN.contains(&key.as_ref()) && !held.is_empty() {
                facts.push(format!("{key}: {held}").chars().take(MAX_FACT).collect());
            }
        }
    }
    Said { message: text("msg"), severity: check::severity(&text("severity")), lines: lines.or(place), facts }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.as_ref().to_owned()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

fn message(text: &str) -> String {
    text.trim().chars().take(MAX_MESSAGE).collect()
}
