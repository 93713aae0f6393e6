//! `sprintf` as Go formats (<https://pkg.go.dev/fmt>), over the values of Rego.

use std::iter::Peekable;
use std::str::Chars;

use anyhow::{Result, bail};
use regorus::Value;

use super::{Bound, text};

/// Widest field, and longest text that is made.
const MAX_WIDTH: usize = 4096;
const MAX_BYTES: usize = 4 << 20;

/// What stands between `%` and its verb.
#[derive(Default)]
struct Directive {
    minus: bool,
    plus: bool,
    alternate: bool,
    space: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
}

pub fn sprintf(arguments: &[Value]) -> Result<Value> {
    let format = text(arguments, 0, "sprintf")?;
    let Some(Value::Array(values)) = arguments.get(1) else { bail!("argument 2 of sprintf must be a list") };
    let mut made = String::with_capacity(format.len() + 16);
    let mut characters = format.chars().peekable();
    let mut next = 0;
    while let Some(character) = characters.next() {
        if character != '%' {
            made.push(character);
            continue;
        }
        let mut directive = Directive::default();
        while let Some(flag) = characters.next_if(|c| matches!(c, '-' | '+' | '#' | ' ' | '0')) {
            match flag {
                '-' => directive.minus = true,
                '+' => directive.plus = true,
                '#' => directive.alternate = true,
                ' ' => directive.space = true,
                _ => directive.zero = true,
            }
        }
        directive.width = number(&mut characters).unwrap_or(0);
        if characters.next_if_eq(&'.').is_some() {
            directive.precision = Some(number(&mut characters).unwrap_or(0));
        }
        match characters.next() {
            Some('%') => made.push('%'),
            Some(verb) => {
                let field = match values.get(next) {
                    Some(value) => one(&directive, verb, value),
                    None => format!("%!{verb}(MISSING)"),
                };
                next += 1;
                pad(&mut made, &directive, &field);
            }
            None => made.push_str("%!(NOVERB)"),
        }
        if made.len() > MAX_BYTES {
            return Err(Bound(format!("sprintf makes more than {} MiB", MAX_BYTES >> 20)).into());
        }
    }
    Ok(Value::from(made))
}

/// The digits that stand next.
fn number(characters: &mut Peekable<Chars<'_>>) -> Option<usize> {
    let mut number = None;
    while let Some(digit) = characters.next_if(char::is_ascii_digit) {
        let digit = digit.to_digit(10).unwrap_or(0) as usize;
        number = Some((number.unwrap_or(0) * 10 + digit).min(MAX_WIDTH));
    }
    number
}

fn pad(made: &mut String, directive: &Directive, field: &str) {
    let missing = directive.width.saturating_sub(field.chars().count());
    let is_number = field.trim_start_matches(['-', '+']).starts_with(|c: char| c.is_ascii_digit());
    if directive.minus {
        made.push_str(field);
        made.extend(std::iter::repeat_n(' ', missing));
    } else if directive.zero && is_number {
        let sign = field.len() - field.trim_start_matches(['-', '+']).len();
        let (sign, digits) = field.split_at(sign);
        made.push_str(sign);
        made.extend(std::iter::repeat_n('0', missing));
        made.push_str(digits);
    } else {
        made.extend(std::iter::repeat_n(' ', missing));
        made.push_str(field);
    }
}

fn one(directive: &Directive, verb: char, value: &Value) -> String {
    let cut = |text: String| match directive.precision {
        Some(precision) => text.chars().take(precision).collect(),
        None => text,
    };
    let signed = |text: String| {
        if directive.plus && !text.starts_with('-') {
            format!("+{text}")
        } else if directive.space && !text.starts_with('-') {
            format!(" {text}")
        } else {
            text
        }
    };
    match (verb, value) {
        ('v', Value::String(text)) => text.as_ref().to_owned(),
        ('v', Value::Number(_)) => signed(written(value)),
        ('v', _) => written(value),
        ('s', Value::String(text)) => cut(text.as_ref().to_owned()),
        ('s', _) => cut(written(value)),
        ('q', Value::String(text)) if directive.alternate && !text.contains('`') => format!("`{text}`"),
        ('q', Value::String(_)) => written(value),
        ('q', _) => serde_json::to_string(&written(value)).unwrap_or_default(),
        ('x', Value::String(text)) => text.bytes().map(|byte| format!("{byte:02x}")).collect(),
        ('X', Value::String(text)) => text.bytes().map(|byte| format!("{byte:02X}")).collect(),
        ('t', Value::Bool(value)) => value.to_string(),
        ('T', _) => kind(value).to_owned(),
        ('d' | 'x' | 'X' | 'o' | 'b' | 'c', Value::Number(_)) => match value.as_i64() {
            Ok(number) => {
                let prefix = |text: &'static str| if directive.alternate { text } else { "" };
                let sign = if number < 0 { "-" } else { "" };
                let magnitude = number.unsigned_abs();
                match verb {
                    'd' => signed(number.to_string()),
                    'x' => format!("{sign}{}{magnitude:x}", prefix("0x")),
                    'X' => format!("{sign}{}{magnitude:X}", prefix("0X")),
                    'o' => format!("{sign}{}{magnitude:o}", prefix("0")),
                    'b' => format!("{sign}{}{magnitude:b}", prefix("0b")),
                    _ => u32::try_from(number)
                        .ok()
                        .and_then(char::from_u32)
                        .map(String::from)
                        .unwrap_or_default(),
                }
            }
            // Go calls it a wrong verb; the number says more.
            Err(_) => signed(written(value)),
        },
        ('f' | 'F', Value::Number(_)) => match value.as_f64() {
            Ok(number) => signed(format!("{number:.*}", directive.precision.unwrap_or(6))),
            Err(_) => written(value),
        },
        ('e' | 'E', Value::Number(_)) => match value.as_f64() {
            Ok(number) => signed(exponent(number, directive.precision.unwrap_or(6), verb)),
            Err(_) => written(value),
        },
        ('g' | 'G', Value::Number(_)) => signed(written(value)),
        (verb, value) => format!("%!{verb}({}={})", kind(value), written(value)),
    }
}

/// `1.500000e+03`, with two digits of exponent at least.
fn exponent(number: f64, precision: usize, verb: char) -> String {
    let text = format!("{number:.precision$e}");
    let Some((mantissa, exponent)) = text.split_once('e') else { return text };
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    format!("{mantissa}{verb}{sign}{digits:0>2}")
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nil",
        Value::Bool(_) => "bool",
        Value::Number(_) if value.as_i64().is_ok() => "int",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Set(_) => "set",
        Value::Object(_) => "object",
        Value::Undefined => "undefined",
    }
}

/// A value as Rego writes it: `["a", 1]`, `{"a": 1}`, `{"a", "b"}`, `set()`.
fn written(value: &Value) -> String {
    let list = |items: &mut dyn Iterator<Item = &Value>| items.map(written).collect::<Vec<_>>().join(", ");
    match value {
        Value::Array(items) => format!("[{}]", list(&mut items.iter())),
        Value::Set(items) if items.is_empty() => "set()".to_owned(),
        Value::Set(items) => format!("{{{}}}", list(&mut items.iter())),
        Value::Object(fields) => {
            let pairs =
                fields.iter_sorted().map(|(key, value)| format!("{}: {}", written(key), written(value)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}
