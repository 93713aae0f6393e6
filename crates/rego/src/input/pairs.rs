//! Formats of names and values: `.env`, `.ini`, `.properties`.

use std::collections::BTreeMap;

use regorus::Value;

fn map(pairs: BTreeMap<String, Value>) -> Value {
    Value::from(pairs.into_iter().map(|(key, value)| (Value::from(key), value)).collect::<BTreeMap<_, _>>())
}

fn unquoted(value: &str) -> &str {
    let value = value.trim();
    ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote)).unwrap_or(value)
}

/// `NAME=value` lines, `export` allowed, comments after ` #`.
pub fn environment(text: &str) -> Value {
    let mut pairs = BTreeMap::new();
    for line in text.lines() {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line);
        if line.starts_with('#') {
            continue;
        }
        let Some((name, value)) = line.split_once('=') else { continue };
        let plain = value.trim();
        let value =
            if plain.starts_with(['"', '\'']) { plain } else { plain.split(" #").next().unwrap_or(plain) };
        pairs.insert(name.trim().to_owned(), Value::from(unquoted(value)));
    }
    map(pairs)
}

/// Sections of `name = value`; numbers and booleans are such. What stands before the first section is at the top.
pub fn sections(text: &str) -> Value {
    let mut sections: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    let mut top = BTreeMap::new();
    let mut section: Option<String> = None;
    for line in text.lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with([';', '#']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            sections.entry(name.trim().to_owned()).or_default();
            section = Some(name.trim().to_owned());
            continue;
        }
        let (name, value) = line.split_once(['=', ':']).unwrap_or((line, "true"));
        let value = scalar(unquoted(value));
        match &section {
            Some(section) => {
                drop(sections.entry(section.clone()).or_default().insert(name.trim().to_owned(), value))
            }
            None => drop(top.insert(name.trim().to_owned(), value)),
        }
    }
    top.extend(sections.into_iter().map(|(name, pairs)| (name, map(pairs))));
    map(top)
}

fn scalar(text: &str) -> Value {
    match text {
        "true" => Value::from(true),
        "false" => Value::from(false),
        _ if text.len() < 32 => text
            .parse::<i64>()
            .map(Value::from)
            .or_else(|_| {
                text.parse::<f64>()
                    .map(|number| if number.is_finite() { Value::from(number) } else { Value::from(text) })
            })
            .unwrap_or_else(|_| Value::from(text)),
        _ => Value::from(text),
    }
}

/// Java's properties: `name=value`, `name: value` or `name value`; a backslash at the end continues the line.
pub fn properties(text: &str) -> Value {
    let mut pairs = BTreeMap::new();
    let mut whole = String::new();
    for line in text.lines() {
        let line = line.trim_start();
        if whole.is_empty() && (line.is_empty() || line.starts_with(['#', '!'])) {
            continue;
        }
        if let Some(continued) = line.strip_suffix('\\') {
            whole.push_str(continued);
            continue;
        }
        whole.push_str(line);
        let end = whole.find(['=', ':']).or_else(|| whole.find(char::is_whitespace)).unwrap_or(whole.len());
        let name = whole.get(..end).unwrap_or_default().trim();
        let value = whole.get(end..).unwrap_or_default().trim_start_matches(['=', ':', ' ', '\t']);
        pairs.insert(name.to_owned(), Value::from(value.trim()));
        whole.clear();
    }
    map(pairs)
}
