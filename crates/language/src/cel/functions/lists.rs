//! Lists: CEL's extension "lists" and those of Kubernetes.

use std::cmp::Ordering;

use super::{Function, global, method, mismatch};
use crate::cel::error::Fault;
use crate::cel::evaluation::{Budget, holds};
use crate::cel::operators::{binary, compare, equal};
use crate::cel::syntax::Binary;
use crate::cel::value::{List, Outcome, Value};

/// Most items `lists.range` makes.
const MAX_RANGE: i64 = 100_000;

pub static TABLE: &[Function] = &[
    global("lists.range", 1, 1, |budget, arguments| {
        let Value::Int(end) = arguments[0] else { return Err(mismatch("lists.range", arguments)) };
        if end > MAX_RANGE {
            return Err(Fault::error("lists.range() of more than 100,000"));
        }
        budget.spend(usize::try_from(end).unwrap_or(0))?;
        Ok(Value::list((0..end.max(0)).map(Value::Int).collect()))
    }),
    method("slice", 2, 2, |budget, arguments| {
        let items = items("slice", budget, arguments)?;
        let (Value::Int(start), Value::Int(end)) = (&arguments[1], &arguments[2]) else {
            return Err(mismatch("slice", arguments));
        };
        let range = usize::try_from(*start).ok().zip(usize::try_from(*end).ok());
        let slice = range.and_then(|(start, end)| items.get(start..end));
        slice.map(|slice| Value::list(slice.to_vec())).ok_or_else(|| Fault::error("slice() out of range"))
    }),
    method("flatten", 0, 1, |budget, arguments| {
        let items = items("flatten", budget, arguments)?;
        let depth = match arguments.get(1) {
            None => 1,
            Some(Value::Int(depth)) if *depth >= 0 => *depth,
            Some(Value::Int(_)) => return Err(Fault::error("flatten() to a depth below zero")),
            Some(_) => return Err(mismatch("flatten", arguments)),
        };
        let mut flat = Vec::new();
        flatten(budget, items, depth.min(64), &mut flat)?;
        Ok(Value::list(flat))
    }),
    method("sort", 0, 0, |budget, arguments| {
        let mut items = items("sort", budget, arguments)?;
        check_order(&items)?;
        items.sort_by(order);
        Ok(Value::list(items))
    }),
    method("distinct", 0, 0, |budget, arguments| {
        let mut kept: Vec<Value<'_>> = Vec::new();
        for item in items("distinct", budget, arguments)? {
            budget.spend(kept.len())?;
            if !holds(&kept, &item)? {
                kept.push(item);
            }
        }
        Ok(Value::list(kept))
    }),
    method("first", 0, 0, |budget, arguments| {
        Ok(Value::Optional(items("first", budget, arguments)?.into_iter().next().map(Into::into)))
    }),
    method("last", 0, 0, |budget, arguments| {
        Ok(Value::Optional(items("last", budget, arguments)?.into_iter().next_back().map(Into::into)))
    }),
    method("isSorted", 0, 0, |budget, arguments| {
        let items = items("isSorted", budget, arguments)?;
        check_order(&items)?;
        Ok(Value::Bool(items.is_sorted_by(|a, b| order(a, b) != Ordering::Greater)))
    }),
    method("sum", 0, 0, |budget, arguments| {
        let items = items("sum", budget, arguments)?;
        let mut sum = items.first().cloned().unwrap_or(Value::Int(0));
        for item in items.iter().skip(1) {
            sum = binary(Binary::Add, &sum, item)?;
        }
        Ok(sum)
    }),
    method("min", 0, 0, |budget, arguments| extreme("min", budget, arguments, Ordering::Less)),
    method("max", 0, 0, |budget, arguments| extreme("max", budget, arguments, Ordering::Greater)),
];

/// Every item of the list that a method is called on.
fn items<'a>(name: &str, budget: &mut Budget, arguments: &[Value<'a>]) -> Result<Vec<Value<'a>>, Fault> {
    match &arguments[0] {
        Value::List(list) => {
            budget.spend(list.len())?;
            list.items()
        }
        _ => Err(mismatch(name, arguments)),
    }
}

fn flatten<'a>(
    budget: &mut Budget,
    items: Vec<Value<'a>>,
    depth: i64,
    flat: &mut Vec<Value<'a>>,
) -> Result<(), Fault> {
    for item in items {
        budget.spend(1)?;
        match item {
            Value::List(list) if depth > 0 => flatten(budget, list.items()?, depth - 1, flat)?,
            other => flat.push(other),
        }
    }
    Ok(())
}

/// Whether all items are of one ordered type.
fn check_order(items: &[Value<'_>]) -> Result<(), Fault> {
    for pair in items.windows(2) {
        if let [a, b] = pair {
            compare(a, b)?;
            if a.type_of() != b.type_of() {
                return Err(Fault::no_overload("an order of different types"));
            }
        }
    }
    match items {
        [single] => compare(single, single).map(|_| ()),
        _ => Ok(()),
    }
}

fn order(a: &Value<'_>, b: &Value<'_>) -> Ordering {
    compare(a, b).ok().flatten().unwrap_or(Ordering::Equal)
}

fn extreme<'a>(name: &str, budget: &mut Budget, arguments: &[Value<'a>], wanted: Ordering) -> Outcome<'a> {
    let items = items(name, budget, arguments)?;
    check_order(&items)?;
    let mut best = items.first().ok_or_else(|| Fault::error("the extreme of an empty list"))?;
    for item in &items {
        if order(item, best) == wanted {
            best = item;
        }
    }
    Ok(best.clone())
}

/// `indexOf` and `lastIndexOf` of a list.
pub(super) fn position<'a>(
    budget: &mut Budget,
    list: &List<'a>,
    wanted: &Value<'a>,
    last: bool,
) -> Outcome<'a> {
    budget.spend(list.len())?;
    let mut found = -1;
    for (at, item) in list.items()?.iter().enumerate() {
        if equal(item, wanted)? {
            found = i64::try_from(at).unwrap_or(i64::MAX);
            if !last {
                break;
            }
        }
    }
    Ok(Value::Int(found))
}
