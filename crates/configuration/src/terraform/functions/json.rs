//! JSON as `jsonencode` writes it: compact, keys in order, `<`, `>` and `&` escaped.

use std::fmt::Write as _;

use super::MAX_TEXT;
use crate::terraform::value::{Kind, Value};

/// The JSON of a value; none where something in it is unknown, or it grows too long.
pub fn text_of(value: &Value) -> Option<String> {
    let mut text = String::new();
    write(value, &mut text, false).then_some(text)
}

/// The JSON of a value that is unknown in part, with marked references in its strings.
pub fn symbolic_text_of(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text, true);
    text
}

fn write(value: &Value, text: &mut String, symbolic: bool) -> bool {
    if text.len() > MAX_TEXT {
        return false;
    }
    match &value.kind {
        Kind::Unknown(_) | Kind::Resource(_) | Kind::Module(_) if symbolic => push(&value.symbolic(), text),
        Kind::Unknown(_) | Kind::Resource(_) | Kind::Module(_) => return false,
        Kind::Null => text.push_str("null"),
        Kind::Bool(value) => {
            let _ = write!(text, "{value}");
        }
        Kind::Number(number) => {
            let _ = write!(text, "{number}");
        }
        Kind::String(string) => push(string, text),
        Kind::Json(inner) => {
            let inner = if symbolic { Some(symbolic_text_of(inner)) } else { text_of(inner) };
            match inner {
                Some(inner) => push(&inner, text),
                None => return false,
            }
        }
        Kind::List(items) | Kind::Set(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                if !write(item, text, symbolic) {
                    return false;
                }
            }
            text.push(']');
        }
        Kind::Map(entries) => {
            text.push('{');
            for (at, (key, (_, item))) in entries.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                push(key, text);
                text.push(':');
                if !write(item, text, symbolic) {
                    return false;
                }
            }
            text.push('}');
        }
    }
    true
}

/// A string in quotes.
pub fn quoted(string: &str) -> String {
    let mut text = String::with_capacity(string.len() + 2);
    push(string, &mut text);
    text
}

fn push(string: &str, text: &mut String) {
    text.push('"');
    for character in string.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                let _ = write!(text, "\\u{:04x}", character as u32);
            }
            other => text.push(other),
        }
    }
    text.push('"');
}
