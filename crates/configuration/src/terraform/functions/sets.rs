//! Sets.

use super::{Call, Function, MANY, MAX_ELEMENTS, partial, row};
use crate::terraform::value::{Outcome, Value, equal};

pub(super) const FUNCTIONS: &[Function] = &[
    row("setintersection", 1, MANY, |call| {
        let mut kept = call.list(0)?.to_vec();
        for at in 1..call.arguments.len() {
            let other = Members::of(call.list(at)?);
            kept.retain(|item| other.hold(item));
        }
        Ok(Value::set(call.span, kept))
    }),
    partial("setproduct", 1, MANY, product),
    row("setsubtract", 2, 2, |call| {
        let other = Members::of(call.list(1)?);
        let kept = call.list(0)?.iter().filter(|item| !other.hold(item)).cloned().collect();
        Ok(Value::set(call.span, kept))
    }),
    partial("setunion", 1, MANY, |call| {
        let mut items = Vec::new();
        for at in 0..call.arguments.len() {
            if call.argument(at)?.is_unknown() {
                return call.unknown();
            }
            items.extend_from_slice(call.list(at)?);
        }
        if items.len() > MAX_ELEMENTS {
            return call.unknown();
        }
        Ok(Value::set(call.span, items))
    }),
];

/// The elements of a set, looked up by text where they have one.
struct Members<'v> {
    texts: std::collections::HashSet<std::sync::Arc<str>>,
    others: Vec<&'v Value>,
}

impl<'v> Members<'v> {
    fn of(items: &'v [Value]) -> Self {
        let mut members = Self { texts: Default::default(), others: Vec::new() };
        for item in items {
            match item.text() {
                Ok(Some(text)) => {
                    members.texts.insert(text);
                }
                _ => members.others.push(item),
            }
        }
        members
    }

    fn hold(&self, item: &Value) -> bool {
        match item.text() {
            Ok(Some(text)) => self.texts.contains(&text),
            _ => self.others.iter().any(|other| equal(other, item) == Some(true)),
        }
    }
}

/// Every combination, the last argument's elements changing fastest.
fn product(call: &Call<'_>) -> Outcome {
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for at in 0..call.arguments.len() {
        if call.argument(at)?.is_unknown() {
            return call.unknown();
        }
        let items = call.list(at)?;
        let grown = rows.len().saturating_mul(items.len()).saturating_mul(at + 1);
        if grown > MAX_ELEMENTS {
            return call.unknown();
        }
        rows = rows
            .iter()
            .flat_map(|row| {
                items.iter().map(move |item| [row.as_slice(), std::slice::from_ref(item)].concat())
            })
            .collect();
    }
    call.give_list(rows.into_iter().map(|row| Value::list(call.span, row)).collect())
}
