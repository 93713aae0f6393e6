//! Macros: calls whose arguments are names and expressions, not values.
//!
//! The specification's (`has`, `all`, `exists`, `exists_one`, `map`, `filter`), their forms with two variables, and those
//! of the extensions for bindings, optional values and lists.

use super::expression::{Expression, Kind, Loop, LoopKind};
use crate::cel::SyntaxError;

/// A call without a target: `has(a.b)`, or a function.
pub fn global(
    name: String,
    mut arguments: Vec<Expression>,
    start: u32,
    end: u32,
) -> Result<Expression, SyntaxError> {
    if name == "has" && arguments.len() == 1 {
        let argument = arguments.remove(0);
        return match argument.kind {
            Kind::Select { operand, field, optional: false } => {
                Ok(Expression::new(Kind::Has { operand, field }, start, end))
            }
            _ => Err(SyntaxError::new(
                argument.start as usize,
                "has() takes the selection of a field, has(a.b)",
            )),
        };
    }
    Ok(Expression::new(Kind::Call { target: None, name, arguments }, start, end))
}

/// A call with a target: a macro where name and number of arguments are those of one.
pub fn member(
    target: Expression,
    name: String,
    mut arguments: Vec<Expression>,
    end: u32,
) -> Result<Expression, SyntaxError> {
    let start = target.start;
    let made = |kind| Ok(Expression::new(kind, start, end));
    let count = arguments.len();
    if name == "bind" && count == 3 && is_name(&target, "cel") {
        let body = Box::new(arguments.remove(2));
        let value = Box::new(arguments.remove(1));
        return made(Kind::Bind { name: variable(&arguments[0])?, value, body });
    }
    if matches!(name.as_str(), "optMap" | "optFlatMap") && count == 2 {
        let body = Box::new(arguments.remove(1));
        let variable = variable(&arguments[0])?;
        let flat = name == "optFlatMap";
        return made(Kind::OptionalMap { operand: Box::new(target), name: variable, body, flat });
    }
    // Kind, names, whether there may be a filter before the body.
    let (kind, names, filtered) = match (name.as_str(), count) {
        ("all", 2) => (LoopKind::All, 1, false),
        ("exists", 2) => (LoopKind::Exists, 1, false),
        ("exists_one" | "existsOne", 2) => (LoopKind::ExistsOne, 1, false),
        ("filter", 2) => (LoopKind::Filter, 1, false),
        ("map", 2) => (LoopKind::Map, 1, false),
        ("map", 3) => (LoopKind::Map, 1, true),
        ("sortBy", 2) => (LoopKind::SortBy, 1, false),
        ("all", 3) => (LoopKind::All, 2, false),
        ("exists", 3) => (LoopKind::Exists, 2, false),
        ("exists_one" | "existsOne", 3) => (LoopKind::ExistsOne, 2, false),
        ("transformList", 3) => (LoopKind::Map, 2, false),
        ("transformList", 4) => (LoopKind::Map, 2, true),
        ("transformMap", 3) => (LoopKind::TransformMap, 2, false),
        ("transformMap", 4) => (LoopKind::TransformMap, 2, true),
        ("transformMapEntry", 3) => (LoopKind::TransformMapEntry, 2, false),
        ("transformMapEntry", 4) => (LoopKind::TransformMapEntry, 2, true),
        _ => return made(Kind::Call { target: Some(Box::new(target)), name, arguments }),
    };
    let body = arguments.remove(count - 1);
    let filter = filtered.then(|| arguments.remove(names));
    let names: Vec<String> = arguments.iter().map(variable).collect::<Result<_, _>>()?;
    if let [first, second] = names.as_slice()
        && first == second
    {
        return Err(SyntaxError::new(start as usize, "the two variables need two names"));
    }
    made(Kind::Loop(Box::new(Loop { kind, range: target, names, filter, body })))
}

fn is_name(expression: &Expression, wanted: &str) -> bool {
    matches!(&expression.kind, Kind::Identifier { name, rooted: false } if name == wanted)
}

fn variable(expression: &Expression) -> Result<String, SyntaxError> {
    match &expression.kind {
        Kind::Identifier { name, rooted: false } => Ok(name.clone()),
        _ => Err(SyntaxError::new(expression.start as usize, "a macro's variable is a simple name")),
    }
}
