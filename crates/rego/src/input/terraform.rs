//! HCL as JSON, as `hcl2json` writes it: blocks are lists below their labels, what is no literal stands as `${…}`.

use std::collections::BTreeMap;

use regorus::Value;
use yagura_configuration::terraform::syntax::{Block, Body, Expression, Kind, Part};

/// A body with its attributes and blocks.
pub fn value(body: &Body<'_>, text: &str) -> Value {
    let mut fields: BTreeMap<Value, Value> = BTreeMap::new();
    for attribute in &body.attributes {
        fields.insert(Value::from(attribute.name.as_ref()), expression(&attribute.value, text));
    }
    let mut whole = Value::from(fields);
    for block in &body.blocks {
        place(&mut whole, block, text);
    }
    whole
}

/// Puts a block below its kind and its labels; where one of the same name stands, beside it.
fn place(whole: &mut Value, block: &Block<'_>, text: &str) {
    let path = std::iter::once(block.kind.as_ref()).chain(block.labels.iter().map(AsRef::as_ref));
    let path: Vec<&str> = path.collect();
    let Some((last, parents)) = path.split_last() else { return };
    let mut at = whole;
    for key in parents {
        let Ok(object) = at.as_object_mut() else { return };
        let key = Value::from(*key);
        if !object.contains_key(&key) {
            object.insert(key.clone(), Value::new_object());
        }
        let Some(inner) = object.get_mut(&key) else { return };
        // A block of this kind without labels came before: it is a list then, and this one joins it.
        if let Value::Array(_) = inner {
            if let Ok(items) = inner.as_array_mut() {
                items.push(value(&block.body, text));
            }
            return;
        }
        at = inner;
    }
    let Ok(object) = at.as_object_mut() else { return };
    let key = Value::from(*last);
    let body = value(&block.body, text);
    match object.get_mut(&key) {
        Some(existing @ Value::Array(_)) => {
            if let Ok(items) = existing.as_array_mut() {
                items.push(body);
            }
        }
        _ => drop(object.insert(key, Value::from(vec![body]))),
    }
}

fn expression(of: &Expression<'_>, text: &str) -> Value {
    match &of.kind {
        Kind::Null => Value::Null,
        Kind::Bool(value) => Value::from(*value),
        Kind::Number(number) => Value::from_json_str(number)
            .or_else(|_| number.parse::<f64>().map(Value::from))
            .unwrap_or_else(|_| Value::from(number.as_ref())),
        Kind::String(value) => Value::from(value.as_ref()),
        Kind::Template(parts) => {
            Value::from(parts.iter().map(|part| template(part, text)).collect::<String>())
        }
        Kind::Tuple(items) => {
            Value::from(items.iter().map(|item| expression(item, text)).collect::<Vec<_>>())
        }
        Kind::Object(entries) => {
            let fields = entries.iter().map(|(key, value)| (key_of(key, text), expression(value, text)));
            Value::from(fields.collect::<BTreeMap<_, _>>())
        }
        _ => Value::from(wrapped(of, text)),
    }
}

fn key_of(key: &Expression<'_>, text: &str) -> Value {
    match (&key.kind, key.word()) {
        (_, Some(word)) => Value::from(word),
        (Kind::Number(number), _) => Value::from(number.as_ref()),
        (Kind::Template(_), _) => expression(key, text),
        _ => Value::from(wrapped(key, text)),
    }
}

fn wrapped(of: &Expression<'_>, text: &str) -> String {
    let source = text.get(of.span.start as usize..of.span.end as usize).unwrap_or_default();
    format!("${{{}}}", source.trim())
}

fn template(part: &Part<'_>, text: &str) -> String {
    match part {
        Part::Text(text) => text.to_string(),
        Part::Interpolation(of) => match &of.kind {
            Kind::String(value) => value.to_string(),
            Kind::Number(value) => value.to_string(),
            Kind::Bool(value) => value.to_string(),
            _ => wrapped(of, text),
        },
        Part::If { condition, then, otherwise } => {
            let all = |parts: &[Part<'_>]| parts.iter().map(|part| template(part, text)).collect::<String>();
            let condition = inner(condition, text);
            let otherwise =
                if otherwise.is_empty() { String::new() } else { format!("%{{else}}{}", all(otherwise)) };
            format!("%{{if {condition}}}{}{otherwise}%{{endif}}", all(then))
        }
        Part::For { key, value, collection, body } => {
            let names = key.iter().map(|key| format!("{key}, ")).collect::<String>();
            let body: String = body.iter().map(|part| template(part, text)).collect();
            format!("%{{for {names}{value} in {}}}{body}%{{endfor}}", inner(collection, text))
        }
    }
}

fn inner<'t>(of: &Expression<'_>, text: &'t str) -> &'t str {
    text.get(of.span.start as usize..of.span.end as usize).unwrap_or_default().trim()
}
