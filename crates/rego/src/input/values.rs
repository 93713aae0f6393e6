//! Span trees as values of Rego.

use std::collections::BTreeMap;

use regorus::Value;
use yagura_formats::document::{self, Node, Span};

use crate::functions::PLACE;

/// A node as a value. With a path, each mapping says where it stands.
pub fn value(node: &Node<'_>, path: Option<&str>) -> Value {
    match &node.value {
        document::Value::Unknown => Value::Undefined,
        document::Value::Null => Value::Null,
        document::Value::Bool(value) => Value::from(*value),
        document::Value::Number(text) => number(node, text),
        document::Value::String(text) => Value::from(text.as_ref()),
        document::Value::Sequence(items) => {
            Value::from(items.iter().map(|item| value(item, path)).collect::<Vec<_>>())
        }
        document::Value::Mapping(entries) => {
            let mut fields: BTreeMap<Value, Value> = BTreeMap::new();
            for entry in entries {
                let key = entry.key.scalar().unwrap_or(if entry.key.is_null() { "null" } else { "" });
                fields.insert(Value::from(key), value(&entry.value, path));
            }
            if let Some(path) = path {
                fields.insert(Value::from(PLACE), place(node.span, path));
            }
            Value::from(fields)
        }
    }
}

/// The place of a mapping as `result.new` reads it.
fn place(span: Span, path: &str) -> Value {
    let fields = [
        ("startline", Value::from(i64::from(span.line))),
        ("endline", Value::from(i64::from(span.end_line.max(span.line)))),
        ("filepath", Value::from(path)),
        ("offset", Value::from(0_i64)),
    ];
    object(fields)
}

/// A number as it is written; what no JSON number is, such as `.inf`, stays text.
fn number(node: &Node<'_>, text: &str) -> Value {
    /// Longer numbers are no numbers that anybody compares.
    const MAX_DIGITS: usize = 400;
    if let Some(integer) = node.integer() {
        return Value::from(integer);
    }
    let plain = text.strip_prefix('+').unwrap_or(text);
    if plain.len() > MAX_DIGITS {
        return Value::from(text);
    }
    Value::from_json_str(plain)
        .or_else(|_| plain.parse::<f64>().map(Value::from))
        .ok()
        .filter(|value| matches!(value, Value::Number(_)))
        .unwrap_or_else(|| Value::from(text))
}

/// An object of named fields.
pub fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::from(fields.into_iter().map(|(key, value)| (Value::from(key), value)).collect::<BTreeMap<_, _>>())
}

/// A list of texts.
pub fn texts<'s>(texts: impl IntoIterator<Item = &'s str>) -> Value {
    Value::from(texts.into_iter().map(Value::from).collect::<Vec<_>>())
}
