//! Numbers.

use super::{Call, Function, MANY, row};
use crate::terraform::number::Number;
use crate::terraform::value::{Failed, Kind, Outcome};

pub(super) const FUNCTIONS: &[Function] = &[
    row("abs", 1, 1, |call| {
        let number = call.number(0)?;
        call.give_number(Some(if number.float() < 0.0 { number.negate() } else { number }))
    }),
    row("ceil", 1, 1, |call| call.give_number(rounded(call.number(0)?, f64::ceil))),
    row("floor", 1, 1, |call| call.give_number(rounded(call.number(0)?, f64::floor))),
    row("log", 2, 2, |call| {
        call.give_number(Number::of(call.number(0)?.float().ln() / call.number(1)?.float().ln()))
    }),
    row("max", 1, MANY, |call| extreme(call, |new, best| new > best)),
    row("min", 1, MANY, |call| extreme(call, |new, best| new < best)),
    row("parseint", 2, 2, parseint),
    row("pow", 2, 2, |call| {
        let (base, exponent) = (call.number(0)?, call.number(1)?);
        let exact = match (base, exponent.integer().map(u32::try_from)) {
            (Number::Integer(base), Some(Ok(exponent))) => base.checked_pow(exponent).map(Number::Integer),
            _ => None,
        };
        call.give_number(exact.or_else(|| Number::of(base.float().powf(exponent.float()))))
    }),
    row("signum", 1, 1, |call| {
        let sign = call.number(0)?.partial_cmp(&Number::Integer(0));
        call.give_number(sign.map(|sign| Number::Integer(sign as i128)))
    }),
    row("sum", 1, 1, |call| {
        let items = call.list(0)?;
        if items.is_empty() {
            return Err("the list is empty".to_owned());
        }
        let mut sum = Some(Number::Integer(0));
        for item in items {
            let number = super::number(item)?;
            sum = sum.and_then(|sum| sum.add(number));
        }
        call.give_number(sum)
    }),
];

fn rounded(number: Number, round: fn(f64) -> f64) -> Option<Number> {
    match number {
        Number::Integer(_) => Some(number),
        Number::Float(value) => Number::of(round(value)),
    }
}

fn extreme(call: &Call<'_>, better: fn(Number, Number) -> bool) -> Outcome {
    let mut best: Option<Number> = None;
    for argument in call.arguments {
        let number = super::number(argument)?;
        if best.is_none_or(|best| better(number, best)) {
            best = Some(number);
        }
    }
    call.give_number(best)
}

fn parseint(call: &Call<'_>) -> Outcome {
    if !matches!(call.argument(0)?.kind, Kind::String(_)) {
        return Err("the first argument must be a string".to_owned());
    }
    let text = call.text(0)?;
    let base = u32::try_from(call.integer(1)?).unwrap_or_default();
    // Digits above 36 tell capitals from small letters, which the standard library does not read.
    let valid: Result<i128, Failed> = match base {
        2..=36 => i128::from_str_radix(&text, base).map_err(|_| format!("not a number of base {base}")),
        37..=62 => parse_large_base(&text, base).ok_or_else(|| format!("not a number of base {base}")),
        _ => Err("the base must be between 2 and 62".to_owned()),
    };
    call.give_number(Some(Number::Integer(valid?)))
}

/// Digits, small letters, capitals.
fn parse_large_base(text: &str, base: u32) -> Option<i128> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    if digits.is_empty() {
        return None;
    }
    let mut value: i128 = 0;
    for byte in digits.bytes() {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'z' => byte - b'a' + 10,
            b'A'..=b'Z' => byte - b'A' + 36,
            _ => return None,
        };
        if u32::from(digit) >= base {
            return None;
        }
        value = value.checked_mul(i128::from(base))?.checked_add(i128::from(digit))?;
    }
    Some(if negative { -value } else { value })
}
