//! Types: the `to…` functions, and the type constraints of variables.

use std::sync::Arc;

use super::{Function, boolean, number, partial};
use crate::terraform::syntax::{Expression, Kind as Syntax};
use crate::terraform::value::{Kind, Map, Outcome, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    partial("ephemeralasnull", 1, 1, |call| call.argument(0).cloned()),
    partial("issensitive", 1, 1, |call| call.unknown()),
    partial("nonsensitive", 1, 1, |call| call.argument(0).cloned()),
    partial("sensitive", 1, 1, |call| call.argument(0).cloned()),
    partial("tobool", 1, 1, |call| primitive(call.argument(0)?, "bool")),
    partial("tolist", 1, 1, |call| collection(call.argument(0)?, "list")),
    partial("tomap", 1, 1, |call| collection(call.argument(0)?, "map")),
    partial("tonumber", 1, 1, |call| primitive(call.argument(0)?, "number")),
    partial("toset", 1, 1, |call| collection(call.argument(0)?, "set")),
    partial("tostring", 1, 1, |call| primitive(call.argument(0)?, "string")),
];

fn primitive(value: &Value, wanted: &str) -> Outcome {
    if value.is_null() || value.is_unknown() {
        return Ok(value.clone());
    }
    let kind = match wanted {
        "bool" => boolean(value)?.map_or(Kind::Unknown(None), Kind::Bool),
        "number" => Kind::Number(number(value)?),
        _ => match &value.kind {
            Kind::Json(_) => return Ok(value.clone()),
            _ => value.text()?.map_or(Kind::Unknown(None), Kind::String),
        },
    };
    Ok(Value::new(value.span, kind))
}

fn collection(value: &Value, wanted: &str) -> Outcome {
    if value.is_null() || value.is_unknown() {
        return Ok(value.clone());
    }
    match (wanted, &value.kind) {
        ("map", Kind::Map(_)) | ("list", Kind::List(_)) | ("set", Kind::Set(_)) => Ok(value.clone()),
        ("list", Kind::Set(items)) => Ok(Value::new(value.span, Kind::List(items.clone()))),
        ("set", Kind::List(items)) => Ok(Value::set(value.span, items.to_vec())),
        _ => Err(format!("a {wanted} is required, but the value is {}", value.type_name())),
    }
}

/// The value of a variable under its type constraint, with the defaults of optional attributes. `evaluate` gives the
/// value of such a default. A constraint we do not understand lets everything through.
pub fn constrain<'c, 'a>(
    value: Value,
    constraint: &'c Expression<'a>,
    evaluate: &mut dyn FnMut(&'c Expression<'a>) -> Option<Value>,
) -> Outcome {
    if value.is_null() || value.is_unknown() {
        return Ok(value);
    }
    match &constraint.kind {
        // Old configurations write the names in quotes.
        Syntax::Variable(name) | Syntax::String(name) => match name.as_ref() {
            name @ ("string" | "number" | "bool") => primitive(&value, name),
            name @ ("list" | "map") => collection(&value, name),
            _ => Ok(value),
        },
        Syntax::Call { name, arguments, .. } => {
            let Some(inner) = arguments.first() else { return Ok(value) };
            match name.as_ref() {
                "list" | "set" => {
                    let span = value.span;
                    let value = collection(&value, "list")?;
                    let items = value.items().unwrap_or_default();
                    let items = items
                        .iter()
                        .map(|item| constrain(item.clone(), inner, evaluate))
                        .collect::<Result<Vec<_>, _>>()?;
                    Ok(if name == "set" { Value::set(span, items) } else { Value::list(span, items) })
                }
                "map" => {
                    let mut entries = Map::new();
                    for (key, (span, item)) in value.entries().ok_or("a map is required")? {
                        entries.insert(key.clone(), (*span, constrain(item.clone(), inner, evaluate)?));
                    }
                    Ok(Value::map(value.span, entries))
                }
                "object" => object(value, inner, evaluate),
                "tuple" => {
                    let (Syntax::Tuple(types), Some(items)) = (&inner.kind, value.items()) else {
                        return Ok(value);
                    };
                    let items = items
                        .iter()
                        .zip(types)
                        .map(|(item, inner)| constrain(item.clone(), inner, evaluate))
                        .collect::<Result<Vec<_>, _>>()?;
                    Ok(Value::list(value.span, items))
                }
                "optional" => constrain(value, inner, evaluate),
                _ => Ok(value),
            }
        }
        _ => Ok(value),
    }
}

/// Attributes that the type does not name are dropped; optional ones get their default, or null.
fn object<'c, 'a>(
    value: Value,
    types: &'c Expression<'a>,
    evaluate: &mut dyn FnMut(&'c Expression<'a>) -> Option<Value>,
) -> Outcome {
    let Syntax::Object(types) = &types.kind else { return Ok(value) };
    let given = value.entries().ok_or("an object is required")?;
    let mut entries = Map::new();
    for (name, constraint) in types {
        let Some(name) = name.word() else { continue };
        let default = match &constraint.kind {
            Syntax::Call { name, arguments, .. } if name == "optional" => arguments.get(1),
            _ => None,
        };
        let (span, stated) = match given.get(name) {
            Some((span, stated)) if !stated.is_null() || default.is_none() => (*span, stated.clone()),
            _ => match default.and_then(&mut *evaluate) {
                Some(default) => (value.span, default),
                None => (value.span, Value::new(value.span, Kind::Null)),
            },
        };
        entries.insert(Arc::from(name), (span, constrain(stated, constraint, evaluate)?));
    }
    Ok(Value::map(value.span, entries))
}
