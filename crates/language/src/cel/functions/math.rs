//! Numbers (CEL's extension "math").

use std::cmp::Ordering;

use super::{Function, global, mismatch};
use crate::cel::error::Fault;
use crate::cel::evaluation::Budget;
use crate::cel::operators::compare;
use crate::cel::value::{Outcome, Value};

/// Most arguments of `math.greatest` and `math.least`.
const MANY: usize = 64;

pub static TABLE: &[Function] = &[
    global("math.greatest", 1, MANY, |budget, a| extreme("math.greatest", budget, a, Ordering::Greater)),
    global("math.least", 1, MANY, |budget, a| extreme("math.least", budget, a, Ordering::Less)),
    global("math.ceil", 1, 1, |_, a| double("math.ceil", a, f64::ceil)),
    global("math.floor", 1, 1, |_, a| double("math.floor", a, f64::floor)),
    global("math.round", 1, 1, |_, a| double("math.round", a, f64::round)),
    global("math.trunc", 1, 1, |_, a| double("math.trunc", a, f64::trunc)),
    global("math.sqrt", 1, 1, |_, a| match a[0] {
        Value::Int(value) => Ok(Value::Double((value as f64).sqrt())),
        Value::Uint(value) => Ok(Value::Double((value as f64).sqrt())),
        _ => double("math.sqrt", a, f64::sqrt),
    }),
    global("math.isNaN", 1, 1, |_, a| is("math.isNaN", a, f64::is_nan)),
    global("math.isInf", 1, 1, |_, a| is("math.isInf", a, f64::is_infinite)),
    global("math.isFinite", 1, 1, |_, a| is("math.isFinite", a, f64::is_finite)),
    global("math.abs", 1, 1, |_, a| match a[0] {
        Value::Int(value) => {
            value.checked_abs().map(Value::Int).ok_or_else(|| Fault::error("integer overflow"))
        }
        Value::Uint(value) => Ok(Value::Uint(value)),
        Value::Double(value) => Ok(Value::Double(value.abs())),
        _ => Err(mismatch("math.abs", a)),
    }),
    global("math.sign", 1, 1, |_, a| match a[0] {
        Value::Int(value) => Ok(Value::Int(value.signum())),
        Value::Uint(value) => Ok(Value::Uint(value.min(1))),
        Value::Double(value) if value == 0.0 || value.is_nan() => Ok(Value::Double(value)),
        Value::Double(value) => Ok(Value::Double(value.signum())),
        _ => Err(mismatch("math.sign", a)),
    }),
    global("math.bitAnd", 2, 2, |_, a| bits("math.bitAnd", a, |x, y| x & y)),
    global("math.bitOr", 2, 2, |_, a| bits("math.bitOr", a, |x, y| x | y)),
    global("math.bitXor", 2, 2, |_, a| bits("math.bitXor", a, |x, y| x ^ y)),
    global("math.bitNot", 1, 1, |_, a| match a[0] {
        Value::Int(value) => Ok(Value::Int(!value)),
        Value::Uint(value) => Ok(Value::Uint(!value)),
        _ => Err(mismatch("math.bitNot", a)),
    }),
    global("math.bitShiftLeft", 2, 2, |_, a| shift("math.bitShiftLeft", a, |x, by| x.checked_shl(by))),
    global("math.bitShiftRight", 2, 2, |_, a| shift("math.bitShiftRight", a, |x, by| x.checked_shr(by))),
];

fn double<'a>(name: &str, arguments: &[Value<'a>], of: fn(f64) -> f64) -> Outcome<'a> {
    match arguments[0] {
        Value::Double(value) => Ok(Value::Double(of(value))),
        _ => Err(mismatch(name, arguments)),
    }
}

fn is<'a>(name: &str, arguments: &[Value<'a>], of: fn(f64) -> bool) -> Outcome<'a> {
    match arguments[0] {
        Value::Double(value) => Ok(Value::Bool(of(value))),
        _ => Err(mismatch(name, arguments)),
    }
}

fn bits<'a>(name: &str, arguments: &[Value<'a>], of: fn(u64, u64) -> u64) -> Outcome<'a> {
    match (&arguments[0], &arguments[1]) {
        (Value::Int(a), Value::Int(b)) => Ok(Value::Int(of(*a as u64, *b as u64) as i64)),
        (Value::Uint(a), Value::Uint(b)) => Ok(Value::Uint(of(*a, *b))),
        _ => Err(mismatch(name, arguments)),
    }
}

fn shift<'a>(name: &str, arguments: &[Value<'a>], of: fn(u64, u32) -> Option<u64>) -> Outcome<'a> {
    let by = match arguments[1] {
        Value::Int(by) if by < 0 => return Err(Fault::error("a shift by less than zero")),
        Value::Int(by) => u32::try_from(by).unwrap_or(u32::MAX),
        _ => return Err(mismatch(name, arguments)),
    };
    match arguments[0] {
        // The sign bit moves as any other.
        Value::Int(value) => Ok(Value::Int(of(value as u64, by).unwrap_or(0) as i64)),
        Value::Uint(value) => Ok(Value::Uint(of(value, by).unwrap_or(0))),
        _ => Err(mismatch(name, arguments)),
    }
}

/// Of the arguments, or of the items of the one argument that is a list.
fn extreme<'a>(name: &str, budget: &mut Budget, arguments: &[Value<'a>], wanted: Ordering) -> Outcome<'a> {
    let items = match arguments {
        [Value::List(list)] => {
            budget.spend(list.len())?;
            list.items()?
        }
        _ => arguments.to_vec(),
    };
    let number = |value: &Value<'_>| matches!(value, Value::Int(_) | Value::Uint(_) | Value::Double(_));
    if items.is_empty() || !items.iter().all(number) {
        return Err(mismatch(name, arguments));
    }
    let mut best = items[0].clone();
    for item in items.iter().skip(1) {
        if compare(item, &best)? == Some(wanted) {
            best = item.clone();
        }
    }
    Ok(best)
}
