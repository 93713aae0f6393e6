//! `format` and `formatlist`, with the verbs of printf as Terraform documents them.

use super::{Call, Function, MANY, MAX_TEXT, partial};
use crate::terraform::number::Number;
use crate::terraform::value::{Failed, Kind, Outcome, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    partial("format", 1, MANY, |call| {
        let Some(specification) = call.argument(0)?.text()? else { return call.unknown() };
        formatted(call, &specification, &call.arguments.iter().skip(1).collect::<Vec<_>>())
    }),
    partial("formatlist", 1, MANY, formatlist),
];

fn formatlist(call: &Call<'_>) -> Outcome {
    let Some(specification) = call.argument(0)?.text()? else { return call.unknown() };
    let arguments = call.arguments.get(1..).unwrap_or_default();
    let mut length = None;
    for argument in arguments {
        if argument.is_unknown() {
            return call.unknown();
        }
        if let Some(items) = argument.items() {
            if length.is_some_and(|length| length != items.len()) {
                return Err("the lists have different lengths".to_owned());
            }
            length = Some(items.len());
        }
    }
    let mut results = Vec::new();
    for at in 0..length.unwrap_or(1) {
        let row: Vec<&Value> = arguments
            .iter()
            .map(|argument| argument.items().map_or(Some(argument), |items| items.get(at)))
            .collect::<Option<_>>()
            .unwrap_or_default();
        results.push(formatted(call, &specification, &row)?);
    }
    call.give_list(results)
}

/// The flags, width and precision of one verb.
#[derive(Default)]
struct Verb {
    minus: bool,
    plus: bool,
    space: bool,
    zero: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

fn formatted(call: &Call<'_>, specification: &str, arguments: &[&Value]) -> Outcome {
    let mut text = String::new();
    let mut known = true;
    let mut next = 0;
    let mut used = 0;
    let mut rest = specification;
    while let Some((before, after)) = rest.split_once('%') {
        text.push_str(before);
        let (verb, index, letter, tail) = parse(after)?;
        rest = tail;
        if letter == '%' {
            text.push('%');
            continue;
        }
        let at = index.unwrap_or(next);
        next = at + 1;
        used = used.max(next);
        let argument =
            arguments.get(at).ok_or_else(|| format!("argument {} of the format is missing", at + 1))?;
        if argument.is_wholly_known() {
            text.push_str(&pad(&rendered(&verb, letter, argument)?, &verb, letter));
        } else if matches!(letter, 's' | 'v') {
            known = false;
            text.push_str(&argument.symbolic());
        } else {
            return call.unknown();
        }
        if text.len() > MAX_TEXT {
            return call.unknown();
        }
    }
    text.push_str(rest);
    if used < arguments.len() {
        return Err("more arguments than the format uses".to_owned());
    }
    match known {
        true => call.give_text(text),
        false => Ok(Value::new(call.span, Kind::Unknown(Some(text.into())))),
    }
}

/// What follows a `%`: flags, width, precision, an argument's index (from 0), the verb's letter, and the rest.
fn parse(after: &str) -> Result<(Verb, Option<usize>, char, &str), Failed> {
    /// Wider than this nobody formats; it bounds the growth of a text.
    const MAX_WIDTH: usize = 4096;
    let mut verb = Verb::default();
    let mut index = None;
    let mut rest = after;
    loop {
        let Some(character) = rest.chars().next() else { return Err("the format ends after `%`".to_owned()) };
        let tail = rest.get(character.len_utf8()..).unwrap_or_default();
        match character {
            '-' => verb.minus = true,
            '+' => verb.plus = true,
            ' ' => verb.space = true,
            '0' => verb.zero = true,
            '#' => verb.alternate = true,
            '[' => {
                let (digits, after) = tail.split_once(']').ok_or("`]` is missing in the format")?;
                let number: usize = digits.parse().map_err(|_| "an index of the format is no number")?;
                index = Some(number.checked_sub(1).ok_or("an index of the format is 0")?);
                rest = after;
                continue;
            }
            '1'..='9' => {
                let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
                verb.width =
                    rest.get(..digits).unwrap_or_default().parse().unwrap_or(MAX_WIDTH).min(MAX_WIDTH);
                rest = rest.get(digits..).unwrap_or_default();
                continue;
            }
            '.' => {
                let digits = tail.bytes().take_while(u8::is_ascii_digit).count();
                let precision = tail.get(..digits).unwrap_or_default().parse().unwrap_or(0);
                verb.precision = Some(precision.min(MAX_WIDTH));
                rest = tail.get(digits..).unwrap_or_default();
                continue;
            }
            letter => return Ok((verb, index, letter, tail)),
        }
        rest = tail;
    }
}

fn rendered(verb: &Verb, letter: char, value: &Value) -> Result<String, Failed> {
    let number = || super::number(value);
    let integer = || match number()? {
        Number::Integer(value) => Ok(value),
        Number::Float(_) => Err("a whole number is required".to_owned()),
    };
    let signed = |negative: bool, digits: String| {
        let sign = match (negative, verb.plus, verb.space) {
            (true, ..) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            _ => "",
        };
        format!("{sign}{digits}")
    };
    let radix = |digits: fn(u128) -> String, prefix: &str| {
        let value = integer()?;
        let prefix = if verb.alternate { prefix } else { "" };
        Ok::<_, Failed>(signed(value < 0, format!("{prefix}{}", digits(value.unsigned_abs()))))
    };
    let precision = verb.precision.unwrap_or(6);
    Ok(match letter {
        'v' => match &value.kind {
            Kind::String(text) if verb.alternate => format!("{:?}", &**text),
            Kind::String(_) | Kind::Number(_) | Kind::Bool(_) => {
                value.text()?.unwrap_or_default().to_string()
            }
            Kind::Null => "null".to_owned(),
            _ => super::json::text_of(value).unwrap_or_default(),
        },
        's' => {
            let text = value.text()?.unwrap_or_default();
            match verb.precision {
                Some(most) => text.chars().take(most).collect(),
                None => text.to_string(),
            }
        }
        'q' => super::json::quoted(&value.text()?.unwrap_or_default()),
        't' => super::boolean(value)?.unwrap_or_default().to_string(),
        'd' => radix(|value| value.to_string(), "")?,
        'b' => radix(|value| format!("{value:b}"), "0b")?,
        'o' => radix(|value| format!("{value:o}"), "0")?,
        'x' | 'X' if matches!(value.kind, Kind::String(_)) && number().is_err() => {
            value.text()?.unwrap_or_default().bytes().map(|byte| format!("{byte:02x}")).collect()
        }
        'x' => radix(|value| format!("{value:x}"), "0x")?,
        'X' => radix(|value| format!("{value:X}"), "0X")?,
        'f' | 'F' => {
            let value = number()?.float();
            signed(value < 0.0, format!("{:.precision$}", value.abs()))
        }
        'e' | 'E' => {
            let value = number()?.float();
            let text = exponent(&format!("{:.precision$e}", value.abs()));
            signed(value < 0.0, if letter == 'E' { text.to_uppercase() } else { text })
        }
        'g' | 'G' => {
            let value = number()?.float();
            let magnitude = value.abs();
            let text = match (1e-4..1e21).contains(&magnitude) || magnitude == 0.0 {
                true => magnitude.to_string(),
                false => exponent(&format!("{magnitude:e}")),
            };
            signed(value < 0.0, if letter == 'G' { text.to_uppercase() } else { text })
        }
        _ => return Err(format!("an unknown verb `%{letter}` of the format")),
    })
}

/// `1.5e2` as printf writes it: `1.5e+02`.
fn exponent(text: &str) -> String {
    let Some((digits, exponent)) = text.split_once('e') else { return text.to_owned() };
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
    format!("{digits}e{sign}{exponent:0>2}")
}

fn pad(text: &str, verb: &Verb, letter: char) -> String {
    let missing = verb.width.saturating_sub(text.chars().count());
    if missing == 0 {
        return text.to_owned();
    }
    if verb.minus {
        return format!("{text}{}", " ".repeat(missing));
    }
    if verb.zero && matches!(letter, 'd' | 'b' | 'o' | 'x' | 'X' | 'f' | 'F' | 'e' | 'E' | 'g' | 'G') {
        let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
        return format!("{sign}{}{digits}", "0".repeat(missing));
    }
    let filler = if verb.zero { "0" } else { " " };
    format!("{}{text}", filler.repeat(missing))
}
