//! Optional values; `orValue` and `or` are the evaluator's own, as their other side is evaluated only where needed.

use super::{Function, global, method, mismatch};
use crate::cel::error::Fault;
use crate::cel::evaluation::Budget;
use crate::cel::value::{Outcome, Value};

pub static TABLE: &[Function] = &[
    global("optional.of", 1, 1, |_, arguments| Ok(Value::some(arguments[0].clone()))),
    global("optional.none", 0, 0, |_, _| Ok(Value::Optional(None))),
    global("optional.ofNonZeroValue", 1, 1, of_non_zero_value),
    global("optional.unwrap", 1, 1, unwrap),
    method("unwrapOpt", 0, 0, unwrap),
    method("hasValue", 0, 0, |_, arguments| match &arguments[0] {
        Value::Optional(content) => Ok(Value::Bool(content.is_some())),
        _ => Err(mismatch("hasValue", arguments)),
    }),
    method("value", 0, 0, |_, arguments| match &arguments[0] {
        Value::Optional(Some(value)) => Ok((**value).clone()),
        Value::Optional(None) => Err(Fault::error("optional.none() has no value")),
        _ => Err(mismatch("value", arguments)),
    }),
];

fn of_non_zero_value<'a>(_: &mut Budget, arguments: &[Value<'a>]) -> Outcome<'a> {
    let zero = match &arguments[0] {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Int(value) => *value == 0,
        Value::Uint(value) => *value == 0,
        Value::Double(value) => *value == 0.0,
        Value::String(text) => text.as_str().is_empty(),
        Value::Bytes(bytes) => bytes.is_empty(),
        Value::List(list) => list.is_empty(),
        Value::Map(map) => map.is_empty(),
        Value::Timestamp(time) => time.seconds == 0 && time.nanos == 0,
        Value::Duration(span) => span.0 == 0,
        Value::Optional(content) => content.is_none(),
        Value::Type(_) | Value::Extension(_) => false,
    };
    Ok(if zero { Value::Optional(None) } else { Value::some(arguments[0].clone()) })
}

/// The values of a list's items that have one.
fn unwrap<'a>(budget: &mut Budget, arguments: &[Value<'a>]) -> Outcome<'a> {
    let Value::List(list) = &arguments[0] else { return Err(mismatch("optional.unwrap", arguments)) };
    budget.spend(list.len())?;
    let mut values = Vec::new();
    for item in list.items()? {
        match item {
            Value::Optional(content) => values.extend(content.map(|value| (*value).clone())),
            other => return Err(mismatch("optional.unwrap", &[other])),
        }
    }
    Ok(Value::list(values))
}
