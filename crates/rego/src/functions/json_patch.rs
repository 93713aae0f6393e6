//! `json.patch`: RFC 6902 over values, whose paths may be lists as well and may reach into sets.

use anyhow::{Result, bail};
use regorus::Value;

use super::results::get;

/// Most operations of one patch.
const MAX_OPERATIONS: usize = 10_000;

pub fn patch(arguments: &[Value]) -> Result<Value> {
    let [target, operations] = arguments else { bail!("json.patch takes a value and operations") };
    let operations = operations.as_array()?;
    if operations.len() > MAX_OPERATIONS {
        bail!("json.patch of more than {MAX_OPERATIONS} operations");
    }
    let mut value = target.clone();
    for operation in operations {
        let Some(Value::String(name)) = get(operation, "op") else {
            bail!("an operation of json.patch needs `op`")
        };
        let path = keys(get(operation, "path"))?;
        let from = || keys(get(operation, "from"));
        let given = || {
            get(operation, "value").cloned().ok_or_else(|| anyhow::anyhow!("json.patch: `value` is missing"))
        };
        match name.as_ref() {
            "add" => set(&mut value, &path, given()?, true)?,
            "replace" => {
                find(&value, &path)?;
                set(&mut value, &path, given()?, false)?;
            }
            "remove" => drop(remove(&mut value, &path)?),
            "copy" => {
                let copied = find(&value, &from()?)?.clone();
                set(&mut value, &path, copied, true)?;
            }
            "move" => {
                let moved = remove(&mut value, &from()?)?;
                set(&mut value, &path, moved, true)?;
            }
            "test" if *find(&value, &path)? == given()? => {}
            "test" => bail!("json.patch: a test fails"),
            other => bail!("json.patch: unknown operation `{other}`"),
        }
    }
    Ok(value)
}

fn keys(path: Option<&Value>) -> Result<Vec<Value>> {
    match path {
        Some(Value::String(text)) => {
            let text = text.trim_start_matches('/');
            if text.is_empty() {
                return Ok(Vec::new());
            }
            Ok(text.split('/').map(|key| Value::from(key.replace("~1", "/").replace("~0", "~"))).collect())
        }
        Some(Value::Array(keys)) => Ok(keys.to_vec()),
        _ => bail!("json.patch: a path is a text or a list"),
    }
}

/// The place of a key in a list; `length` where it may stand after the last.
fn index(key: &Value, length: usize) -> Result<usize> {
    match key {
        Value::String(text) if text.as_ref() == "-" => Ok(length),
        Value::String(text) => Ok(text.parse()?),
        other => Ok(usize::try_from(other.as_u64()?)?),
    }
}

fn find<'v>(value: &'v Value, path: &[Value]) -> Result<&'v Value> {
    path.iter().try_fold(value, |value, key| {
        let found = match value {
            Value::Object(object) => object.get(key),
            Value::Array(items) => items.get(index(key, items.len())?),
            Value::Set(items) => items.get(key),
            _ => None,
        };
        found.ok_or_else(|| anyhow::anyhow!("json.patch: no such path"))
    })
}

fn set(value: &mut Value, path: &[Value], new: Value, insert: bool) -> Result<()> {
    let Some((key, rest)) = path.split_first() else {
        *value = new;
        return Ok(());
    };
    if let Value::Set(_) = value {
        let items = value.as_set_mut()?;
        if !rest.is_empty() {
            let Some(mut inner) = items.take(key) else { bail!("json.patch: no such path") };
            set(&mut inner, rest, new, insert)?;
            items.insert(inner);
        } else {
            items.insert(new);
        }
        return Ok(());
    }
    if let Value::Array(_) = value {
        let items = value.as_array_mut()?;
        let at = index(key, items.len())?;
        if rest.is_empty() && insert {
            if at > items.len() {
                bail!("json.patch: no such path");
            }
            items.insert(at, new);
            return Ok(());
        }
        let Some(inner) = items.get_mut(at) else { bail!("json.patch: no such path") };
        return set(inner, rest, new, insert);
    }
    let object = value.as_object_mut()?;
    if rest.is_empty() {
        object.insert(key.clone(), new);
        return Ok(());
    }
    let Some(inner) = object.get_mut(key) else { bail!("json.patch: no such path") };
    set(inner, rest, new, insert)
}

fn remove(value: &mut Value, path: &[Value]) -> Result<Value> {
    let Some((key, rest)) = path.split_first() else { bail!("json.patch: the whole cannot be removed") };
    let missing = || anyhow::anyhow!("json.patch: no such path");
    match value {
        Value::Array(_) => {
            let items = value.as_array_mut()?;
            let at = index(key, items.len())?;
            match items.get_mut(at) {
                Some(_) if rest.is_empty() => Ok(items.remove(at)),
                Some(inner) => remove(inner, rest),
                None => Err(missing()),
            }
        }
        Value::Set(_) => {
            let items = value.as_set_mut()?;
            let mut taken = items.take(key).ok_or_else(missing)?;
            if rest.is_empty() {
                return Ok(taken);
            }
            let removed = remove(&mut taken, rest);
            items.insert(taken);
            removed
        }
        _ => {
            let object = value.as_object_mut()?;
            if rest.is_empty() {
                return object.remove(key).ok_or_else(missing);
            }
            remove(object.get_mut(key).ok_or_else(missing)?, rest)
        }
    }
}
