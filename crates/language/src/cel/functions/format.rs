//! `format`: `%s`, `%d`, `%f`, `%e`, `%b`, `%o`, `%x`, `%X` over a list of values (CEL's extension "strings").

use std::fmt::Write as _;

use super::conversions::double_text;
use super::mismatch;
use crate::cel::error::Fault;
use crate::cel::evaluation::Budget;
use crate::cel::value::{Outcome, Value};

/// Digits after the point where the clause does not say.
const PRECISION: usize = 6;
const MAX_PRECISION: usize = 1000;

pub fn format<'a>(budget: &mut Budget, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (Value::String(pattern), Value::List(values)) = (&arguments[0], &arguments[1]) else {
        return Err(mismatch("format", arguments));
    };
    let values = values.items()?;
    let mut values = values.iter();
    let mut out = String::new();
    let mut rest = pattern.as_str();
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        budget.spend(1 + out.len() / 256)?;
        if let Some(after) = after.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let (precision, after) = precision(after)?;
        let mut characters = after.chars();
        let verb = characters.next().ok_or_else(|| Fault::error("format(): a `%` at the end"))?;
        let value = values.next().ok_or_else(|| Fault::error("format(): fewer values than clauses"))?;
        clause(verb, precision, value, &mut out)?;
        rest = characters.as_str();
    }
    out.push_str(rest);
    Ok(Value::text(out))
}

/// `.2` before the verb.
fn precision(text: &str) -> Result<(Option<usize>, &str), Fault> {
    let Some(digits) = text.strip_prefix('.') else { return Ok((None, text)) };
    let length = digits.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = digits.split_at(length);
    let number: Option<usize> = number.parse().ok().filter(|number| *number <= MAX_PRECISION);
    number
        .map(|number| (Some(number), rest))
        .ok_or_else(|| Fault::error("format(): a precision that is none"))
}

fn clause(verb: char, precision: Option<usize>, value: &Value<'_>, out: &mut String) -> Result<(), Fault> {
    let unfit = || Fault::error(format!("format(): %{verb} cannot show a {}", value.type_of().0));
    match (verb, value) {
        ('s', _) => text(value, out)?,
        ('d', Value::Int(value)) => write_to(out, format_args!("{value}")),
        ('d', Value::Uint(value)) => write_to(out, format_args!("{value}")),
        ('d' | 'f' | 'e', Value::Double(value)) if !value.is_finite() => out.push_str(not_finite(*value)),
        ('f', Value::Double(value)) => {
            write_to(out, format_args!("{value:.*}", precision.unwrap_or(PRECISION)))
        }
        ('f', Value::Int(value)) => {
            write_to(out, format_args!("{:.*}", precision.unwrap_or(PRECISION), *value as f64));
        }
        ('f', Value::Uint(value)) => {
            write_to(out, format_args!("{:.*}", precision.unwrap_or(PRECISION), *value as f64));
        }
        ('e', Value::Double(value)) => scientific(*value, precision.unwrap_or(PRECISION), out),
        ('e', Value::Int(value)) => scientific(*value as f64, precision.unwrap_or(PRECISION), out),
        ('e', Value::Uint(value)) => scientific(*value as f64, precision.unwrap_or(PRECISION), out),
        ('f' | 'e', Value::String(text)) if matches!(text.as_str(), "NaN" | "Infinity" | "-Infinity") => {
            out.push_str(text.as_str());
        }
        ('b', Value::Bool(value)) => out.push(if *value { '1' } else { '0' }),
        ('b', Value::Uint(value)) => write_to(out, format_args!("{value:b}")),
        ('o', Value::Uint(value)) => write_to(out, format_args!("{value:o}")),
        ('x', Value::Uint(value)) => write_to(out, format_args!("{value:x}")),
        ('X', Value::Uint(value)) => write_to(out, format_args!("{value:X}")),
        ('b' | 'o' | 'x' | 'X', Value::Int(value)) => {
            if *value < 0 {
                out.push('-');
            }
            let magnitude = value.unsigned_abs();
            match verb {
                'b' => write_to(out, format_args!("{magnitude:b}")),
                'o' => write_to(out, format_args!("{magnitude:o}")),
                'x' => write_to(out, format_args!("{magnitude:x}")),
                _ => write_to(out, format_args!("{magnitude:X}")),
            }
        }
        ('x' | 'X', Value::String(text)) => hex(text.as_str().as_bytes(), verb == 'X', out),
        ('x' | 'X', Value::Bytes(bytes)) => hex(bytes, verb == 'X', out),
        ('d' | 'f' | 'e' | 'b' | 'o' | 'x' | 'X', _) => return Err(unfit()),
        _ => return Err(Fault::error(format!("format(): there is no clause %{verb}"))),
    }
    Ok(())
}

fn write_to(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = out.write_fmt(arguments);
}

fn hex(bytes: &[u8], upper: bool, out: &mut String) {
    for byte in bytes {
        if upper {
            write_to(out, format_args!("{byte:02X}"));
        } else {
            write_to(out, format_args!("{byte:02x}"));
        }
    }
}

fn not_finite(value: f64) -> &'static str {
    match (value.is_nan(), value > 0.0) {
        (true, _) => "NaN",
        (_, true) => "Infinity",
        _ => "-Infinity",
    }
}

/// `1.052033e+03`.
fn scientific(value: f64, precision: usize, out: &mut String) {
    let text = format!("{value:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    write_to(out, format_args!("{mantissa}e{sign}{digits:0>2}"));
}

/// `%s`, which shows any value.
fn text(value: &Value<'_>, out: &mut String) -> Result<(), Fault> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => write_to(out, format_args!("{value}")),
        Value::Int(value) => write_to(out, format_args!("{value}")),
        Value::Uint(value) => write_to(out, format_args!("{value}")),
        Value::Double(value) if !value.is_finite() => out.push_str(not_finite(*value)),
        Value::Double(value) => out.push_str(&double_text(*value)),
        Value::String(text) => out.push_str(text.as_str()),
        Value::Bytes(bytes) => out.push_str(&String::from_utf8_lossy(bytes)),
        Value::Timestamp(time) => out.push_str(&time.text()),
        Value::Duration(span) => out.push_str(&span.text()),
        Value::Type(of) => out.push_str(of.0),
        Value::List(list) => {
            out.push('[');
            for (at, item) in list.items()?.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                text(item, out)?;
            }
            out.push(']');
        }
        Value::Map(map) => {
            let mut shown = Vec::new();
            for (key, value) in map.entries() {
                let mut entry = String::new();
                text(&key, &mut entry)?;
                entry.push_str(": ");
                text(&value?, &mut entry)?;
                shown.push(entry);
            }
            // A map has no order of its own.
            shown.sort();
            write_to(out, format_args!("{{{}}}", shown.join(", ")));
        }
        Value::Optional(_) | Value::Extension(_) => {
            return Err(Fault::error(format!("format(): %s cannot show a {}", value.type_of().0)));
        }
    }
    Ok(())
}
