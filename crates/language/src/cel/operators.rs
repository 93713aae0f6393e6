//! Equality, order and arithmetic (cel-spec, doc/langdef.md, "Equality", "Ordering", "Overflow").

use std::cmp::Ordering;
use std::sync::Arc;

use super::error::Fault;
use super::syntax::Binary;
use super::value::{List, Outcome, Value};

const OVERFLOW: &str = "integer overflow";

/// Whether two values are equal: numbers by value whatever their type, values of different types never. Unknown when
/// it hangs on something that cannot be known.
pub fn equal<'a>(left: &Value<'a>, right: &Value<'a>) -> Result<bool, Fault> {
    Ok(match (left, right) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::String(a), Value::String(b)) => a.as_str() == b.as_str(),
        (Value::Bytes(a), Value::Bytes(b)) => a == b,
        (Value::Timestamp(a), Value::Timestamp(b)) => a == b,
        (Value::Duration(a), Value::Duration(b)) => a == b,
        (Value::Type(a), Value::Type(b)) => a == b,
        (Value::Extension(a), Value::Extension(b)) => a.equal(b),
        (Value::Optional(a), Value::Optional(b)) => match (a, b) {
            (None, None) => true,
            (Some(a), Some(b)) => equal(a, b)?,
            _ => false,
        },
        (Value::List(a), Value::List(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            let pairs = (0..a.len()).filter_map(|at| Some((a.get(at)?, b.get(at)?)));
            all_equal(pairs)?
        }
        (Value::Map(a), Value::Map(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            let mut pairs = Vec::with_capacity(a.len());
            for (key, value) in a.entries() {
                match b.get(&key)? {
                    Some(other) => pairs.push((value, other)),
                    None => return Ok(false),
                }
            }
            all_equal(pairs.into_iter())?
        }
        _ => numbers(left, right) == Some(Ordering::Equal),
    })
}

/// False as soon as one pair differs; otherwise unknown as soon as one cannot be known.
fn all_equal<'a>(pairs: impl Iterator<Item = (Outcome<'a>, Outcome<'a>)>) -> Result<bool, Fault> {
    let mut fault = None;
    for pair in pairs {
        match pair {
            (Ok(a), Ok(b)) => match equal(&a, &b) {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(error) => fault = Some(error),
            },
            (Err(error), _) | (_, Err(error)) => fault = Some(error),
        }
    }
    fault.map_or(Ok(true), Err)
}

/// The order of two numbers; none when one is no number or NaN.
fn numbers(left: &Value<'_>, right: &Value<'_>) -> Option<Ordering> {
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Uint(a), Value::Uint(b)) => Some(a.cmp(b)),
        (Value::Double(a), Value::Double(b)) => a.partial_cmp(b),
        (Value::Int(a), Value::Uint(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        (Value::Uint(a), Value::Int(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        // As the specification's cases want it: the integer becomes a double first.
        (Value::Int(a), Value::Double(b)) => (*a as f64).partial_cmp(b),
        (Value::Uint(a), Value::Double(b)) => (*a as f64).partial_cmp(b),
        (Value::Double(a), Value::Int(b)) => a.partial_cmp(&(*b as f64)),
        (Value::Double(a), Value::Uint(b)) => a.partial_cmp(&(*b as f64)),
        _ => None,
    }
}

/// The order of two values of an ordered type; `Ok(None)` where NaN has none.
pub fn compare(left: &Value<'_>, right: &Value<'_>) -> Result<Option<Ordering>, Fault> {
    let is_number = |value: &Value<'_>| matches!(value, Value::Int(_) | Value::Uint(_) | Value::Double(_));
    Ok(match (left, right) {
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::String(a), Value::String(b)) => Some(a.as_str().cmp(b.as_str())),
        (Value::Bytes(a), Value::Bytes(b)) => Some(a.cmp(b)),
        (Value::Timestamp(a), Value::Timestamp(b)) => Some(a.cmp(b)),
        (Value::Duration(a), Value::Duration(b)) => Some(a.cmp(b)),
        _ if is_number(left) && is_number(right) => numbers(left, right),
        _ => return Err(mismatch("_<_", left, right)),
    })
}

pub fn mismatch(operator: &str, left: &Value<'_>, right: &Value<'_>) -> Fault {
    Fault::no_overload(&format!("{operator} of {} and {}", left.type_of().0, right.type_of().0))
}

/// Any operator whose operands both are needed.
pub fn binary<'a>(operator: Binary, left: &Value<'a>, right: &Value<'a>) -> Outcome<'a> {
    let ordered = |wanted: fn(Ordering) -> bool| -> Outcome<'a> {
        Ok(Value::Bool(compare(left, right)?.is_some_and(wanted)))
    };
    match operator {
        Binary::Equal => equal(left, right).map(Value::Bool),
        Binary::NotEqual => equal(left, right).map(|equal| Value::Bool(!equal)),
        Binary::Less => ordered(Ordering::is_lt),
        Binary::LessEqual => ordered(Ordering::is_le),
        Binary::Greater => ordered(Ordering::is_gt),
        Binary::GreaterEqual => ordered(Ordering::is_ge),
        Binary::In => contained(left, right).map(Value::Bool),
        Binary::Add => add(left, right),
        Binary::Subtract => subtract(left, right),
        Binary::Multiply => match (left, right) {
            (Value::Int(a), Value::Int(b)) => int(a.checked_mul(*b)),
            (Value::Uint(a), Value::Uint(b)) => uint(a.checked_mul(*b)),
            (Value::Double(a), Value::Double(b)) => Ok(Value::Double(a * b)),
            _ => Err(mismatch("_*_", left, right)),
        },
        Binary::Divide => match (left, right) {
            (Value::Int(_), Value::Int(0)) | (Value::Uint(_), Value::Uint(0)) => {
                Err(Fault::error("divide by zero"))
            }
            (Value::Int(a), Value::Int(b)) => int(a.checked_div(*b)),
            (Value::Uint(a), Value::Uint(b)) => uint(a.checked_div(*b)),
            (Value::Double(a), Value::Double(b)) => Ok(Value::Double(a / b)),
            _ => Err(mismatch("_/_", left, right)),
        },
        Binary::Modulo => match (left, right) {
            (Value::Int(_), Value::Int(0)) | (Value::Uint(_), Value::Uint(0)) => {
                Err(Fault::error("modulus by zero"))
            }
            (Value::Int(a), Value::Int(b)) => int(a.checked_rem(*b)),
            (Value::Uint(a), Value::Uint(b)) => uint(a.checked_rem(*b)),
            _ => Err(mismatch("_%_", left, right)),
        },
    }
}

fn int<'a>(value: Option<i64>) -> Outcome<'a> {
    value.map(Value::Int).ok_or_else(|| Fault::error(OVERFLOW))
}

fn uint<'a>(value: Option<u64>) -> Outcome<'a> {
    value.map(Value::Uint).ok_or_else(|| Fault::error(OVERFLOW))
}

fn add<'a>(left: &Value<'a>, right: &Value<'a>) -> Outcome<'a> {
    let out_of_range = || Fault::error("a time that is out of range");
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => int(a.checked_add(*b)),
        (Value::Uint(a), Value::Uint(b)) => uint(a.checked_add(*b)),
        (Value::Double(a), Value::Double(b)) => Ok(Value::Double(a + b)),
        (Value::String(a), Value::String(b)) => Ok(Value::text([a.as_str(), b.as_str()].concat())),
        (Value::Bytes(a), Value::Bytes(b)) => Ok(Value::Bytes(Arc::from([&a[..], &b[..]].concat()))),
        (Value::List(a), Value::List(b)) => concatenate(a, b),
        (Value::Timestamp(time), Value::Duration(span)) | (Value::Duration(span), Value::Timestamp(time)) => {
            time.plus(*span).map(Value::Timestamp).ok_or_else(out_of_range)
        }
        (Value::Duration(a), Value::Duration(b)) => {
            let sum = a.0.checked_add(b.0).ok_or_else(out_of_range)?;
            Ok(Value::Duration(super::time::Duration(sum)))
        }
        _ => Err(mismatch("_+_", left, right)),
    }
}

fn concatenate<'a>(left: &List<'a>, right: &List<'a>) -> Outcome<'a> {
    // Nodes stay nodes, so that what cannot be known in them stays so, too, and positions are kept.
    let nodes = |list: &List<'a>| (0..list.len()).map(|at| list.node(at)).collect::<Option<Vec<_>>>();
    if let (false, Some(mut nodes_left), Some(nodes_right)) =
        (left.is_empty() && right.is_empty(), nodes(left), nodes(right))
    {
        nodes_left.extend(nodes_right);
        return Ok(Value::List(List::Nodes(nodes_left.into())));
    }
    let mut items = left.items()?;
    items.extend(right.items()?);
    Ok(Value::list(items))
}

fn subtract<'a>(left: &Value<'a>, right: &Value<'a>) -> Outcome<'a> {
    let out_of_range = || Fault::error("a time that is out of range");
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => int(a.checked_sub(*b)),
        (Value::Uint(a), Value::Uint(b)) => uint(a.checked_sub(*b)),
        (Value::Double(a), Value::Double(b)) => Ok(Value::Double(a - b)),
        (Value::Timestamp(a), Value::Timestamp(b)) => {
            a.minus(*b).map(Value::Duration).ok_or_else(out_of_range)
        }
        (Value::Timestamp(time), Value::Duration(span)) => {
            let back = span.0.checked_neg().map(super::time::Duration).ok_or_else(out_of_range)?;
            time.plus(back).map(Value::Timestamp).ok_or_else(out_of_range)
        }
        (Value::Duration(a), Value::Duration(b)) => {
            let rest = a.0.checked_sub(b.0).ok_or_else(out_of_range)?;
            Ok(Value::Duration(super::time::Duration(rest)))
        }
        _ => Err(mismatch("_-_", left, right)),
    }
}

/// `value in list`, `key in map`.
pub fn contained<'a>(value: &Value<'a>, within: &Value<'a>) -> Result<bool, Fault> {
    match within {
        Value::List(list) => {
            let mut fault = None;
            for item in (0..list.len()).filter_map(|at| list.get(at)) {
                match item.and_then(|item| equal(value, &item)) {
                    Ok(true) => return Ok(true),
                    Ok(false) => {}
                    Err(error) => fault = Some(error),
                }
            }
            fault.map_or(Ok(false), Err)
        }
        Value::Map(map) => match value {
            Value::Bool(_) | Value::Int(_) | Value::Uint(_) | Value::Double(_) | Value::String(_) => {
                Ok(map.get(value)?.is_some())
            }
            _ => Ok(false),
        },
        _ => Err(mismatch("_in_", value, within)),
    }
}
