//! Lists, maps and objects.

use std::sync::Arc;

use super::{Call, Function, MANY, MAX_ELEMENTS, boolean, partial, row};
use crate::terraform::number::Number;
use crate::terraform::value::{Kind, Map, Outcome, Value, equal};

pub(super) const FUNCTIONS: &[Function] = &[
    partial("alltrue", 1, 1, |call| quantified(call, false)),
    partial("anytrue", 1, 1, |call| quantified(call, true)),
    partial("chunklist", 2, 2, |call| {
        if call.argument(0)?.is_unknown() || call.argument(1)?.is_unknown() {
            return call.unknown();
        }
        let size = usize::try_from(call.integer(1)?).map_err(|_| "the size is negative")?;
        let items = call.list(0)?;
        let size = if size == 0 { items.len().max(1) } else { size };
        call.give_list(items.chunks(size).map(|chunk| Value::list(call.span, chunk.to_vec())).collect())
    }),
    partial("coalesce", 1, MANY, |call| {
        for argument in call.arguments {
            match &argument.kind {
                Kind::Null => {}
                Kind::String(text) if text.is_empty() => {}
                Kind::Unknown(_) => return call.unknown(),
                _ => return Ok(argument.clone()),
            }
        }
        Err("every argument is null or empty".to_owned())
    }),
    partial("coalescelist", 1, MANY, |call| {
        for argument in call.arguments {
            match argument.items() {
                Some([]) => {}
                Some(_) => return Ok(argument.clone()),
                None if argument.is_unknown() => return call.unknown(),
                None if argument.is_null() => {}
                None => return Err("a list is required".to_owned()),
            }
        }
        Err("every list is empty".to_owned())
    }),
    partial("compact", 1, 1, |call| {
        if call.argument(0)?.is_unknown() {
            return call.unknown();
        }
        let empty = |item: &&Value| match &item.kind {
            Kind::Null => true,
            Kind::String(text) => text.is_empty(),
            _ => false,
        };
        call.give_list(call.list(0)?.iter().filter(|item| !empty(item)).cloned().collect())
    }),
    partial("concat", 1, MANY, |call| {
        let mut items = Vec::new();
        for at in 0..call.arguments.len() {
            if call.argument(at)?.is_unknown() {
                return call.unknown();
            }
            items.extend_from_slice(call.list(at)?);
            if items.len() > MAX_ELEMENTS {
                return call.unknown();
            }
        }
        call.give_list(items)
    }),
    partial("contains", 2, 2, |call| {
        if call.argument(0)?.is_unknown() {
            return call.unknown();
        }
        let wanted = call.argument(1)?;
        let mut all_known = true;
        for item in call.list(0)? {
            match equal(item, wanted) {
                Some(true) => return call.give_bool(true),
                Some(false) => {}
                None => all_known = false,
            }
        }
        if all_known { call.give_bool(false) } else { call.unknown() }
    }),
    partial("distinct", 1, 1, |call| {
        if call.argument(0)?.is_unknown() {
            return call.unknown();
        }
        let items = call.list(0)?;
        let mut seen = std::collections::HashSet::new();
        let mut kept: Vec<Value> = Vec::new();
        for item in items {
            // Texts are told apart by a set; anything else is compared.
            let new = match &item.kind {
                Kind::String(text) => seen.insert(text.clone()),
                _ if kept.len() < 1000 => kept.iter().all(|earlier| equal(earlier, item) != Some(true)),
                _ => return call.unknown(),
            };
            if new {
                kept.push(item.clone());
            }
        }
        call.give_list(kept)
    }),
    partial("element", 2, 2, |call| {
        if call.argument(0)?.is_unknown() || call.argument(1)?.is_unknown() {
            return call.unknown();
        }
        let items = call.list(0)?;
        let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let at = call.integer(1)?.checked_rem_euclid(length).ok_or("the list is empty")?;
        items
            .get(usize::try_from(at).unwrap_or_default())
            .cloned()
            .ok_or_else(|| "the list is empty".to_owned())
    }),
    partial("flatten", 1, 1, |call| {
        let mut items = Vec::new();
        match flatten(call.argument(0)?, &mut items) {
            true => call.give_list(items),
            false => call.unknown(),
        }
    }),
    partial("index", 2, 2, |call| {
        if call.argument(0)?.is_unknown() {
            return call.unknown();
        }
        for (at, item) in call.list(0)?.iter().enumerate() {
            match equal(item, call.argument(1)?) {
                Some(true) => return call.give_number(Some(Number::Integer(at as i128))),
                Some(false) => {}
                None => return call.unknown(),
            }
        }
        Err("the list does not hold the value".to_owned())
    }),
    partial("keys", 1, 1, |call| match &call.argument(0)?.kind {
        Kind::Map(entries) => {
            call.give_list(entries.iter().map(|(key, (span, _))| Value::string(*span, key.clone())).collect())
        }
        _ if call.argument(0)?.is_unknown() => call.unknown(),
        _ => Err("a map is required".to_owned()),
    }),
    partial("length", 1, 1, |call| {
        let count = match &call.argument(0)?.kind {
            Kind::List(items) => items.len(),
            // Unknown elements of a set may turn out alike.
            Kind::Set(items) if items.iter().all(Value::is_wholly_known) || items.len() < 2 => items.len(),
            Kind::Map(entries) => entries.len(),
            Kind::String(text) => text.chars().count(),
            Kind::Json(_) | Kind::Unknown(_) | Kind::Set(_) | Kind::Resource(_) | Kind::Module(_) => {
                return call.unknown();
            }
            _ => return Err("a list, a map or a string is required".to_owned()),
        };
        call.give_number(Some(Number::Integer(count as i128)))
    }),
    partial("lookup", 2, 3, |call| {
        let (map, key) = (call.argument(0)?, call.argument(1)?);
        if map.is_unknown() {
            return call.unknown();
        }
        let Some(key) = key.text()? else { return call.unknown() };
        let entries = map.entries().ok_or("a map is required")?;
        match (entries.get(&key), call.arguments.get(2)) {
            (Some((_, value)), _) => Ok(value.clone()),
            (None, Some(default)) => Ok(default.clone()),
            (None, None) => Err("the map has no such key".to_owned()),
        }
    }),
    partial("matchkeys", 3, 3, |call| {
        for at in 0..3 {
            if call.argument(at)?.is_unknown() {
                return call.unknown();
            }
        }
        let (values, keys, wanted) = (call.list(0)?, call.list(1)?, call.list(2)?);
        if values.len() != keys.len() {
            return Err("the lists have different lengths".to_owned());
        }
        if keys.len().saturating_mul(wanted.len()) > MAX_ELEMENTS {
            return call.unknown();
        }
        let mut found = Vec::new();
        for (value, key) in values.iter().zip(keys) {
            let mut verdicts = wanted.iter().map(|wanted| equal(key, wanted));
            if verdicts.clone().any(|verdict| verdict == Some(true)) {
                found.push(value.clone());
            } else if verdicts.any(|verdict| verdict.is_none()) {
                return call.unknown();
            }
        }
        call.give_list(found)
    }),
    partial("merge", 0, MANY, |call| {
        let mut merged = Map::new();
        for argument in call.arguments {
            match &argument.kind {
                Kind::Map(entries) => {
                    merged.extend(entries.iter().map(|(key, value)| (key.clone(), value.clone())));
                }
                Kind::Null => {}
                _ if argument.is_unknown() => return call.unknown(),
                _ => return Err("a map is required".to_owned()),
            }
            if merged.len() > MAX_ELEMENTS {
                return call.unknown();
            }
        }
        Ok(Value::map(call.span, merged))
    }),
    partial("one", 1, 1, |call| {
        let argument = call.argument(0)?;
        if argument.is_unknown() {
            return call.unknown();
        }
        match call.list(0)? {
            [] => Ok(Value::new(call.span, Kind::Null)),
            [only] => Ok(only.clone()),
            _ => Err("the list has more than one element".to_owned()),
        }
    }),
    row("range", 1, 3, range),
    partial("reverse", 1, 1, |call| {
        if call.argument(0)?.is_unknown() {
            return call.unknown();
        }
        call.give_list(call.list(0)?.iter().rev().cloned().collect())
    }),
    partial("slice", 3, 3, |call| {
        if call.arguments.iter().any(Value::is_unknown) {
            return call.unknown();
        }
        let items = call.list(0)?;
        let bound = |at| usize::try_from(call.integer(at)?).map_err(|_| "an index is negative".to_owned());
        let (start, end) = (bound(1)?, bound(2)?);
        let slice = items.get(start..end).ok_or("an index is beyond the list")?;
        call.give_list(slice.to_vec())
    }),
    row("sort", 1, 1, |call| {
        let mut texts = call.texts(call.list(0)?)?;
        texts.sort();
        call.give_list(texts.into_iter().map(|text| Value::string(call.span, text)).collect())
    }),
    partial("transpose", 1, 1, |call| {
        let argument = call.argument(0)?;
        if !argument.is_wholly_known() {
            return call.unknown();
        }
        let mut transposed: std::collections::BTreeMap<Arc<str>, Vec<Value>> = Default::default();
        for (key, (span, values)) in argument.entries().ok_or("a map of lists is required")? {
            for value in values.items().ok_or("a map of lists is required")? {
                let text = value.text()?.unwrap_or_default();
                transposed.entry(text).or_default().push(Value::string(*span, key.clone()));
            }
        }
        let entries = transposed.into_iter();
        Ok(Value::map(
            call.span,
            entries.map(|(key, keys)| (key, (call.span, Value::list(call.span, keys)))).collect(),
        ))
    }),
    partial("values", 1, 1, |call| match &call.argument(0)?.kind {
        Kind::Map(entries) => call.give_list(entries.values().map(|(_, value)| value.clone()).collect()),
        _ if call.argument(0)?.is_unknown() => call.unknown(),
        _ => Err("a map is required".to_owned()),
    }),
    partial("zipmap", 2, 2, |call| {
        if call.argument(0)?.is_unknown() || call.argument(1)?.is_unknown() {
            return call.unknown();
        }
        let (keys, values) = (call.list(0)?, call.list(1)?);
        if keys.len() != values.len() {
            return Err("the lists have different lengths".to_owned());
        }
        let mut entries = Map::new();
        for (key, value) in keys.iter().zip(values) {
            let Some(text) = key.text()? else { return call.unknown() };
            entries.insert(text, (key.span, value.clone()));
        }
        Ok(Value::map(call.span, entries))
    }),
];

/// Whether some (or, for `found == false`, not all) elements decide the answer.
fn quantified(call: &Call<'_>, found: bool) -> Outcome {
    if call.argument(0)?.is_unknown() {
        return call.unknown();
    }
    let mut all_known = true;
    for item in call.list(0)? {
        let value = if item.is_null() { Some(false) } else { boolean(item)? };
        match value {
            Some(value) if value == found => return call.give_bool(found),
            Some(_) => {}
            None => all_known = false,
        }
    }
    if all_known { call.give_bool(!found) } else { call.unknown() }
}

/// False where a nested list is unknown, so that the result has an unknown length.
fn flatten(value: &Value, into: &mut Vec<Value>) -> bool {
    let Some(items) = value.items() else { return !value.is_unknown() && into.len() < MAX_ELEMENTS };
    for item in items {
        if item.items().is_some() {
            if !flatten(item, into) {
                return false;
            }
        } else if into.len() >= MAX_ELEMENTS {
            return false;
        } else {
            into.push(item.clone());
        }
    }
    true
}

/// Terraform gives at most 1,024 numbers.
fn range(call: &Call<'_>) -> Outcome {
    const MAX_RANGE: usize = 1024;
    let (start, limit) = match call.arguments.len() {
        1 => (Number::Integer(0), call.number(0)?),
        _ => (call.number(0)?, call.number(1)?),
    };
    let downwards = limit < start;
    let step = match call.arguments.len() {
        3 => call.number(2)?,
        _ => Number::Integer(if downwards { -1 } else { 1 }),
    };
    let zero = Number::Integer(0);
    if step == zero || (step < zero) != downwards && start != limit {
        return Err("the step leads away from the limit".to_owned());
    }
    let mut items = Vec::new();
    let mut at = start;
    while if downwards { at > limit } else { at < limit } {
        if items.len() >= MAX_RANGE {
            return Err(format!("more than {MAX_RANGE} numbers"));
        }
        items.push(Value::new(call.span, Kind::Number(at)));
        at = at.add(step).ok_or("the numbers grow too large")?;
    }
    call.give_list(items)
}
