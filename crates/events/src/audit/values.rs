//! Parts of a record, and how they are written as text.

use std::borrow::Cow;
use std::fmt::Write as _;

use yagura_formats::document::{Node, Value};
use yagura_model::field::FieldValue;

/// Follows keys; a number is an index where a list is.
pub(crate) fn follow<'n, 'a>(root: &'n Node<'a>, keys: &[&str]) -> Option<&'n Node<'a>> {
    keys.iter().try_fold(root, |node, key| match &node.value {
        Value::Sequence(items) => items.get(key.parse::<usize>().ok()?),
        _ => node.get(key),
    })
}

/// Follows a JSON pointer (RFC 6901); the slash at its start may lack.
pub(crate) fn point<'n, 'a>(root: &'n Node<'a>, pointer: &str) -> Option<&'n Node<'a>> {
    let pointer = pointer.strip_prefix('/').unwrap_or(pointer);
    pointer.split('/').try_fold(root, |node, key| {
        let key: Cow<'_, str> =
            if key.contains('~') { key.replace("~1", "/").replace("~0", "~").into() } else { key.into() };
        follow(node, &[&key])
    })
}

/// All that keys lead to: through every item of a list on the way, or through the one of an index. An item that leads
/// nowhere is a none.
pub(crate) fn collect<'n, 'a>(
    root: &'n Node<'a>,
    index: Option<u32>,
    keys: &[&str],
) -> Vec<Option<&'n Node<'a>>> {
    let mut found = Vec::new();
    walk(root, index, keys, &mut found);
    found
}

fn walk<'n, 'a>(
    node: &'n Node<'a>,
    index: Option<u32>,
    keys: &[&str],
    found: &mut Vec<Option<&'n Node<'a>>>,
) {
    let Some((key, rest)) = keys.split_first() else {
        found.push(Some(node));
        return;
    };
    match (&node.value, index) {
        (Value::Sequence(items), None) => items.iter().for_each(|item| walk(item, index, keys, found)),
        (Value::Sequence(items), Some(at)) => {
            if let Some(item) = items.get(at as usize) {
                walk(item, index, keys, found);
            }
        }
        _ => match node.get(key) {
            Some(next) => walk(next, index, rest, found),
            None => found.push(None),
        },
    }
}

/// A value as a field gives it: texts as they are, all else as compact JSON.
pub(crate) fn text<'n>(node: &'n Node<'_>) -> FieldValue<'n> {
    match &node.value {
        Value::String(text) => FieldValue::text(text),
        Value::Number(number) => FieldValue::text(number),
        Value::Bool(true) => FieldValue::text("true"),
        Value::Bool(false) => FieldValue::text("false"),
        _ => FieldValue::owned_text(written(node)),
    }
}

/// Compact JSON.
pub(crate) fn written(node: &Node<'_>) -> String {
    let mut text = String::new();
    write(node, &mut text);
    text
}

/// Recursion goes as deep as the parser lets nodes nest.
fn write(node: &Node<'_>, out: &mut String) {
    match &node.value {
        Value::Unknown | Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => out.push_str(number),
        Value::String(text) => quote(text, out),
        Value::Sequence(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                write(item, out);
            }
            out.push(']');
        }
        Value::Mapping(entries) => {
            out.push('{');
            for (at, entry) in entries.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                quote(entry.key.scalar().unwrap_or_default(), out);
                out.push(':');
                write(&entry.value, out);
            }
            out.push('}');
        }
    }
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if u32::from(control) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}
