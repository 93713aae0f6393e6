//! Encodings: base64, CSV, JSON, URLs, YAML.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use yagura_formats::document::json::{Dialect, parse as parse_json};
use yagura_formats::document::yaml;

use super::{Call, Function, json, partial, row};
use crate::cloud::symbol;
use crate::terraform::value::{Failed, Kind, Map, Outcome, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    row("base64decode", 1, 1, |call| {
        let bytes = STANDARD.decode(&*call.text(0)?).map_err(|_| "not base64")?;
        call.give_text(String::from_utf8(bytes).map_err(|_| "the decoded bytes are no UTF-8")?)
    }),
    row("base64encode", 1, 1, |call| call.give_text(STANDARD.encode(&*call.text(0)?))),
    row("csvdecode", 1, 1, csvdecode),
    partial("jsondecode", 1, 1, |call| match &call.argument(0)?.kind {
        Kind::Json(value) => Ok((**value).clone()),
        _ if call.argument(0)?.is_unknown() => call.unknown(),
        _ => {
            let text = call.text(0)?;
            let tree = parse_json(&text, Dialect::Json);
            let node = tree.root().ok_or("the text is no JSON")?;
            Ok(Value::from_node(node, Some(call.argument(0)?.span)))
        }
    }),
    partial("jsonencode", 1, 1, |call| {
        let value = call.argument(0)?;
        Ok(match value.kind {
            // Of an unknown value nothing is stated.
            Kind::Unknown(None) => Value::unknown(call.span),
            _ => Value::new(call.span, Kind::Json(Arc::new(value.clone()))),
        })
    }),
    row("textdecodebase64", 2, 2, |call| {
        let bytes = STANDARD.decode(&*call.text(0)?).map_err(|_| "not base64")?;
        let units = |unit: fn([u8; 2]) -> u16| {
            let (pairs, _) = bytes.as_chunks::<2>();
            String::from_utf16(&pairs.iter().map(|pair| unit(*pair)).collect::<Vec<_>>())
        };
        let broken = "the decoded bytes do not have that encoding";
        match call.text(1)?.to_ascii_uppercase().as_str() {
            "UTF-8" => call.give_text(String::from_utf8(bytes).map_err(|_| broken)?),
            "UTF-16LE" => call.give_text(units(u16::from_le_bytes).map_err(|_| broken)?),
            "UTF-16BE" => call.give_text(units(u16::from_be_bytes).map_err(|_| broken)?),
            _ => call.unknown(),
        }
    }),
    row("textencodebase64", 2, 2, |call| {
        let text = call.text(0)?;
        let bytes: Vec<u8> = match call.text(1)?.to_ascii_uppercase().as_str() {
            "UTF-8" => text.bytes().collect(),
            "UTF-16LE" => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            "UTF-16BE" => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            _ => return call.unknown(),
        };
        call.give_text(STANDARD.encode(bytes))
    }),
    row("urlencode", 1, 1, |call| {
        let mut encoded = String::new();
        for byte in call.text(0)?.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    encoded.push(char::from(byte));
                }
                b' ' => encoded.push('+'),
                _ => encoded.push_str(&format!("%{byte:02X}")),
            }
        }
        call.give_text(encoded)
    }),
    row("urldecode", 1, 1, urldecode),
    row("yamldecode", 1, 1, |call| {
        let text = call.text(0)?;
        let tree = yaml::parse(&text);
        let node = match tree.documents.as_slice() {
            [node] => node,
            [] if tree.problems.is_empty() => return Ok(Value::new(call.span, Kind::Null)),
            _ => return Err("the text is no single YAML document".to_owned()),
        };
        Ok(Value::from_node(node, Some(call.argument(0)?.span)))
    }),
    row("yamlencode", 1, 1, |call| {
        let mut text = String::new();
        yaml_block(call.argument(0)?, 0, &mut text);
        call.give_text(text)
    }),
];

fn csvdecode(call: &Call<'_>) -> Outcome {
    let text = call.text(0)?;
    let mut records = csv_records(&text)?.into_iter();
    let header = records.next().ok_or("the header is missing")?;
    let mut rows = Vec::new();
    for record in records {
        if record.len() != header.len() {
            return Err("a row has another number of columns than the header".to_owned());
        }
        let cell = |cell: String| (call.span, Value::string(call.span, cell));
        let row: Map =
            header.iter().map(|name| Arc::from(name.as_str())).zip(record.into_iter().map(cell)).collect();
        rows.push(Value::map(call.span, row));
    }
    call.give_list(rows)
}

/// Records of RFC 4180; empty lines are passed over.
fn csv_records(text: &str) -> Result<Vec<Vec<String>>, Failed> {
    let mut records = Vec::new();
    let mut record: Vec<String> = Vec::new();
    let mut cell = String::new();
    let mut characters = text.chars().peekable();
    let mut quoted = false;
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' if quoted => quoted = false,
            other if quoted => cell.push(other),
            '"' if cell.is_empty() => quoted = true,
            ',' => record.push(std::mem::take(&mut cell)),
            '\r' if characters.peek() == Some(&'\n') => {}
            '\n' => {
                if !cell.is_empty() || !record.is_empty() {
                    record.push(std::mem::take(&mut cell));
                    records.push(std::mem::take(&mut record));
                }
            }
            other => cell.push(other),
        }
    }
    if quoted {
        return Err("a quoted cell has no end".to_owned());
    }
    if !cell.is_empty() || !record.is_empty() {
        record.push(cell);
        records.push(record);
    }
    Ok(records)
}

fn urldecode(call: &Call<'_>) -> Outcome {
    let text = call.text(0)?;
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
                let code = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
                rest = tail.get(2..).unwrap_or_default();
                code.ok_or("`%` without its two digits")?
            }
            other => *other,
        });
    }
    call.give_text(String::from_utf8(bytes).map_err(|_| "the decoded bytes are no UTF-8")?)
}

/// Block style, keys and strings in quotes, lists not indented: as Terraform writes it.
fn yaml_block(value: &Value, indent: usize, text: &mut String) {
    let pad = |text: &mut String| text.push_str(&" ".repeat(indent));
    match &value.kind {
        Kind::Map(entries) if !entries.is_empty() => {
            for (at, (key, (_, item))) in entries.iter().enumerate() {
                if at > 0 {
                    pad(text);
                }
                text.push_str(&json::quoted(key));
                text.push(':');
                yaml_nested(item, indent, indent + 2, text);
            }
        }
        Kind::List(items) | Kind::Set(items) if !items.is_empty() => {
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    pad(text);
                }
                text.push_str("- ");
                yaml_block(item, indent + 2, text);
            }
        }
        _ => {
            text.push_str(&symbol::shown(&yaml_scalar(value)));
            text.push('\n');
        }
    }
}

fn yaml_nested(item: &Value, list_indent: usize, map_indent: usize, text: &mut String) {
    let indent = match &item.kind {
        Kind::Map(entries) if !entries.is_empty() => map_indent,
        Kind::List(items) | Kind::Set(items) if !items.is_empty() => list_indent,
        _ => {
            text.push(' ');
            return yaml_block(item, 0, text);
        }
    };
    text.push('\n');
    text.push_str(&" ".repeat(indent));
    yaml_block(item, indent, text);
}

fn yaml_scalar(value: &Value) -> String {
    match &value.kind {
        Kind::String(text) if text.contains('\n') => json::quoted(text),
        Kind::Map(_) => "{}".to_owned(),
        Kind::List(_) | Kind::Set(_) => "[]".to_owned(),
        _ => json::text_of(value).unwrap_or_default(),
    }
}
