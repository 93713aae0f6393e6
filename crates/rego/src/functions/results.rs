//! `result.new`: a message and the place of its cause.

use anyhow::{Result, bail};
use regorus::Value;

use super::text;

/// Where placed documents keep the lines of a mapping.
pub const PLACE: &str = "__defsec_metadata";

/// Deepest chain of `parent`s of a cause.
const MAX_PARENTS: u32 = 16;

/// A field of a result, the names it has in a cause, and what it is without one.
type Field = (&'static str, &'static [&'static str], fn() -> Value);

const FIELDS: [Field; 7] = [
    ("startline", &["StartLine", "startline"], || Value::from(0_i64)),
    ("endline", &["EndLine", "endline"], || Value::from(0_i64)),
    ("filepath", &["Path", "filepath"], || Value::from("")),
    ("sourceprefix", &["sourceprefix"], || Value::from("")),
    ("explicit", &["explicit"], || Value::from(false)),
    ("managed", &["managed"], || Value::from(true)),
    ("resource", &["resource"], || Value::from("")),
];

pub fn new(arguments: &[Value]) -> Result<Value> {
    let message = text(arguments, 0, "result.new")?;
    let Some(cause) = arguments.get(1) else { bail!("result.new takes a message and a cause") };
    let mut result = place(cause, MAX_PARENTS);
    result.as_object_mut()?.insert(Value::from("msg"), Value::from(message));
    Ok(result)
}

pub fn is_managed(arguments: &[Value]) -> Result<Value> {
    let Some(of) = arguments.first() else { bail!("isManaged takes a resource") };
    let place = place(of, 0);
    Ok(get(&place, "managed").cloned().unwrap_or(Value::from(true)))
}

fn place(cause: &Value, parents: u32) -> Value {
    let of = get(cause, PLACE).unwrap_or(cause);
    let mut result = Value::new_object();
    if let Ok(object) = result.as_object_mut() {
        for (field, names, without) in FIELDS {
            let value = names.iter().find_map(|name| get(of, name)).cloned();
            object.insert(Value::from(field), value.unwrap_or_else(without));
        }
        let parent = get(of, "parent").filter(|parent| parents > 0 && parent.as_object().is_ok());
        object.insert(Value::from("fskey"), get(of, "fskey").cloned().unwrap_or(Value::from("")));
        object.insert(Value::from("parent"), parent.map_or(Value::Null, |parent| place(parent, parents - 1)));
    }
    result
}

/// A field of an object.
pub fn get<'v>(of: &'v Value, name: &str) -> Option<&'v Value> {
    of.as_object().ok()?.get(&Value::from(name))
}
