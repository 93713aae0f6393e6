//! `object.subset`: whether one value holds another.

use anyhow::{Result, bail};
use regorus::Value;

pub fn subset(arguments: &[Value]) -> Result<Value> {
    let [whole, part] = arguments else { bail!("object.subset takes two values") };
    Ok(Value::from(match (whole, part) {
        (Value::Object(_), Value::Object(_)) => holds(whole, part),
        (Value::Set(whole), Value::Set(part)) => part.is_subset(whole),
        // In any order for a set, one after the other for a list.
        (Value::Array(whole), Value::Set(part)) => part.iter().all(|item| whole.contains(item)),
        (Value::Array(_), Value::Array(part)) if part.is_empty() => true,
        (Value::Array(whole), Value::Array(part)) => {
            whole.windows(part.len()).any(|window| window == part.as_slice())
        }
        _ => bail!("object.subset takes objects, sets or lists"),
    }))
}

fn holds(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(key, value)| whole.get(key).is_some_and(|held| holds(held, value)))
        }
        (Value::Set(whole), Value::Set(part)) => part.is_subset(whole),
        _ => whole == part,
    }
}
