//! Conversions between types, and what a type is (cel-spec, "List of Standard Definitions").

use std::sync::Arc;

use super::{Function, either, global, mismatch};
use crate::cel::error::Fault;
use crate::cel::evaluation::Budget;
use crate::cel::extension::Extension;
use crate::cel::time::{Duration, Timestamp};
use crate::cel::value::{Outcome, Value};

pub static TABLE: &[Function] = &[
    global("int", 1, 1, int),
    global("uint", 1, 1, uint),
    global("double", 1, 1, double),
    global("string", 1, 1, string),
    global("bytes", 1, 1, bytes),
    global("bool", 1, 1, boolean),
    global("dyn", 1, 1, |_, arguments| Ok(arguments[0].clone())),
    global("type", 1, 1, |_, arguments| Ok(Value::Type(arguments[0].type_of()))),
    global("timestamp", 1, 1, timestamp),
    global("duration", 1, 1, duration),
    either("size", 1, size),
];

fn out_of_range() -> Fault {
    Fault::error("a number that is out of range")
}

/// 2^63, which a double can say and an int cannot.
const TWO_63: f64 = 9_223_372_036_854_775_808.0;

fn int<'a>(_: &mut Budget, arguments: &[Value<'a>]) -> Outcome<'a> {
    match &arguments[0] {
        Value::Int(value) => Ok(Value::Int(*value)),
        Value::Uint(value) => i64::try_from(*value).map(Value::Int).map_err(|_| out_of_range()),
        Value::Double(value) if *value > -TWO_63 && *value < TWO_63 => Ok(Value::Int(*value as i64)),
        Value::Double(_) => Err(out_of_range()),
        Value::String(text) => {
            text.as_str().parse().map(Value::Int).map_err(|_| Fault::error("a text that is no int"))
        }
        Value::Timestamp(time) => Ok(Value::Int(time.seconds)),
        _ => Err(mismatch("int", arguments)),
    }
}

fn uint<'a>(_: &mut Budget, arguments: &[Value<'a>]) -> Outcome<'a> {
    match &arguments[0] {
        Value::Uint(value) => Ok(Value::Uint(*value)),
        Value::Int(value) => u64::try_from(*value).map(Value::Uint).map_err(|_| out_of_range()),
        Value::Double(value) if *value > -1.0 && *value < 2.0 * TWO_63 => Ok(Value::Uint(*value as u64)),
        Value::Double(_) => Err(out_of_range()),
        Value::String(text) => {
            text.as_str().parse().map(Value::Uint).map_err(|_| Fault::error("a text that is no uint"))
        }
        _ => Err(mismatch("uint", arguments)),
    }
}

fn double<'a>(_: &mut Budget, arguments: &[Value<'a>]) -> Outcome<'a> {
    match &arguments[0] {
        Value::Double(value) => Ok(Value::Double(*value)),
        Value::Int(value) => Ok(Value::Double(*value as f64)),
        Value::Uint(value) => Ok(Value::Double(*value as f64)),
        Value::String(text) => {
            text.as_str().parse().map(Value::Double).map_err(|_| Fault::error("a text that is no double"))
        }
        _ => Err(mismatch("double", arguments)),
    }
}

fn string<'a>(_: &mut Budget, arguments: &[Value<'a>]) -> Outcome<'a> {
    let text = match &arguments[0] {
        Value::String(_) => return Ok(arguments[0].clone()),
        Value::Int(value) => value.to_string(),
        Value::Uint(value) => value.to_string(),
        Value::Double(value) => double_text(*value),
        Value::Bool(value) => value.to_string(),
        Value::Bytes(bytes) => {
            let text = std::str::from_utf8(bytes);
            text.map_err(|_| Fault::error("bytes that are not UTF-8"))?.to_owned()
        }
        Value::Timestamp(time) => time.text(),
        Value::Duration(span) => span.text(),
        Value::Extension(extension) => match &**extension {
            Extension::Address(address) => address.text(),
            Extension::Network(network) => network.text(),
            Extension::Url(url) => url.text().to_owned(),
            _ => return Err(mismatch("string", arguments)),
        },
        _ => return Err(mismatch("string", arguments)),
    };
    Ok(Value::text(text))
}

/// The shortest decimal that reads back as the same; an exponent where that is shorter, as `%g` has it.
pub(super) fn double_text(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let magnitude = value.abs();
    if value != 0.0 && !(1e-4..1e21).contains(&magnitude) {
        let text = format!("{value:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
        return format!("{mantissa}e{sign}{digits:0>2}");
    }
    value.to_string()
}

fn bytes<'a>(_: &mut Budget, arguments: &[Value<'a>]) -> Outcome<'a> {
    match &arguments[0] {
        Value::Bytes(_) => Ok(arguments[0].clone()),
        Value::String(text) => Ok(Value::Bytes(Arc::from(text.as_str().as_bytes()))),
        _ => Err(mismatch("bytes", arguments)),
    }
}

fn boolean<'a>(_: &mut Budget, arguments: &[Value<'a>]) -> Outcome<'a> {
    match &arguments[0] {
        Value::Bool(value) => Ok(Value::Bool(*value)),
        Value::String(text) => match text.as_str() {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(Value::Bool(true)),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(Value::Bool(false)),
            _ => Err(Fault::error("a text that is no bool")),
        },
        _ => Err(mismatch("bool", arguments)),
    }
}

fn timestamp<'a>(_: &mut Budget, arguments: &[Value<'a>]) -> Outcome<'a> {
    let time = match &arguments[0] {
        Value::Timestamp(time) => Some(*time),
        Value::Int(seconds) => Timestamp::new(*seconds, 0),
        Value::String(text) => Timestamp::parse(text.as_str()),
        _ => return Err(mismatch("timestamp", arguments)),
    };
    time.map(Value::Timestamp)
        .ok_or_else(|| Fault::error("no time of the years 1 to 9999 as RFC 3339 writes them"))
}

fn duration<'a>(_: &mut Budget, arguments: &[Value<'a>]) -> Outcome<'a> {
    let span = match &arguments[0] {
        Value::Duration(span) => Some(*span),
        Value::String(text) => Duration::parse(text.as_str()),
        Value::Int(seconds) => seconds.checked_mul(1_000_000_000).map(Duration),
        _ => return Err(mismatch("duration", arguments)),
    };
    span.map(Value::Duration)
        .ok_or_else(|| Fault::error("no duration such as 1h30m, or one that is out of range"))
}

fn size<'a>(budget: &mut Budget, arguments: &[Value<'a>]) -> Outcome<'a> {
    let size = match &arguments[0] {
        Value::String(text) => {
            budget.spend(text.as_str().len() / 64)?;
            text.as_str().chars().count()
        }
        Value::Bytes(bytes) => bytes.len(),
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        _ => return Err(mismatch("size", arguments)),
    };
    Ok(Value::Int(i64::try_from(size).unwrap_or(i64::MAX)))
}
