//! Lists as sets (CEL's extension "sets").

use super::{Function, global, mismatch};
use crate::cel::error::Fault;
use crate::cel::evaluation::{Budget, holds};
use crate::cel::value::Value;

pub static TABLE: &[Function] = &[
    global("sets.contains", 2, 2, |budget, arguments| {
        let (left, right) = lists("sets.contains", budget, arguments)?;
        all_in(&right, &left).map(Value::Bool)
    }),
    global("sets.equivalent", 2, 2, |budget, arguments| {
        let (left, right) = lists("sets.equivalent", budget, arguments)?;
        Ok(Value::Bool(all_in(&right, &left)? && all_in(&left, &right)?))
    }),
    global("sets.intersects", 2, 2, |budget, arguments| {
        let (left, right) = lists("sets.intersects", budget, arguments)?;
        for item in &left {
            if holds(&right, item)? {
                return Ok(Value::Bool(true));
            }
        }
        Ok(Value::Bool(false))
    }),
];

type Pair<'a> = (Vec<Value<'a>>, Vec<Value<'a>>);

fn lists<'a>(name: &str, budget: &mut Budget, arguments: &[Value<'a>]) -> Result<Pair<'a>, Fault> {
    let (Value::List(left), Value::List(right)) = (&arguments[0], &arguments[1]) else {
        return Err(mismatch(name, arguments));
    };
    budget.spend(left.len().saturating_mul(right.len()))?;
    Ok((left.items()?, right.items()?))
}

fn all_in<'a>(few: &[Value<'a>], many: &[Value<'a>]) -> Result<bool, Fault> {
    for item in few {
        if !holds(many, item)? {
            return Ok(false);
        }
    }
    Ok(true)
}
