//! Texts: the specification's functions and CEL's extension "strings". Positions count characters.

use super::{Function, format, global, lists, method, mismatch};
use crate::cel::error::Fault;
use crate::cel::evaluation::Budget;
use crate::cel::value::{Outcome, Value};

pub static TABLE: &[Function] = &[
    method("contains", 1, 1, |budget, a| test("contains", budget, a, |text, part| text.contains(part))),
    method("startsWith", 1, 1, |budget, a| {
        test("startsWith", budget, a, |text, part| text.starts_with(part))
    }),
    method("endsWith", 1, 1, |budget, a| test("endsWith", budget, a, |text, part| text.ends_with(part))),
    method("charAt", 1, 1, char_at),
    method("indexOf", 1, 2, |budget, a| index_of("indexOf", budget, a, false)),
    method("lastIndexOf", 1, 2, |budget, a| index_of("lastIndexOf", budget, a, true)),
    method("join", 0, 1, join),
    method("lowerAscii", 0, 0, |budget, a| {
        Ok(Value::text(text("lowerAscii", budget, a)?.to_ascii_lowercase()))
    }),
    method("upperAscii", 0, 0, |budget, a| {
        Ok(Value::text(text("upperAscii", budget, a)?.to_ascii_uppercase()))
    }),
    method("trim", 0, 0, |budget, a| Ok(Value::text(text("trim", budget, a)?.trim_matches(is_blank)))),
    method("replace", 2, 3, replace),
    method("split", 1, 2, split),
    method("substring", 1, 2, substring),
    method("reverse", 0, 0, |budget, a| match &a[0] {
        Value::List(list) => {
            budget.spend(list.len())?;
            let mut items = list.items()?;
            items.reverse();
            Ok(Value::list(items))
        }
        _ => Ok(Value::text(text("reverse", budget, a)?.chars().rev().collect::<String>())),
    }),
    method("format", 1, 1, format::format),
    global("strings.quote", 1, 1, |budget, a| Ok(Value::text(quote(text("strings.quote", budget, a)?)))),
];

/// White space as Unicode has it, and the byte order mark's neighbours that CEL counts in.
fn is_blank(character: char) -> bool {
    character.is_whitespace()
}

/// The text that a method is called on.
fn text<'v>(name: &str, budget: &mut Budget, arguments: &'v [Value<'_>]) -> Result<&'v str, Fault> {
    match &arguments[0] {
        Value::String(text) => {
            budget.spend(text.as_str().len() / 32)?;
            Ok(text.as_str())
        }
        _ => Err(mismatch(name, arguments)),
    }
}

fn argument<'v>(name: &str, arguments: &'v [Value<'_>], at: usize) -> Result<&'v str, Fault> {
    arguments.get(at).and_then(Value::as_str).ok_or_else(|| mismatch(name, arguments))
}

/// An int among the arguments; none where it was not given.
fn number(name: &str, arguments: &[Value<'_>], at: usize) -> Result<Option<i64>, Fault> {
    match arguments.get(at) {
        None => Ok(None),
        Some(Value::Int(value)) => Ok(Some(*value)),
        Some(_) => Err(mismatch(name, arguments)),
    }
}

fn test<'a>(
    name: &str,
    budget: &mut Budget,
    arguments: &[Value<'a>],
    of: fn(&str, &str) -> bool,
) -> Outcome<'a> {
    Ok(Value::Bool(of(text(name, budget, arguments)?, argument(name, arguments, 1)?)))
}

fn out_of_range() -> Fault {
    Fault::error("index out of range")
}

/// The byte at which a character begins; one past the last is the end.
fn offset(text: &str, character: i64) -> Result<usize, Fault> {
    let character = usize::try_from(character).map_err(|_| out_of_range())?;
    let mut offsets = text.char_indices().map(|(offset, _)| offset).chain([text.len()]);
    offsets.nth(character).ok_or_else(out_of_range)
}

fn char_at<'a>(budget: &mut Budget, arguments: &[Value<'a>]) -> Outcome<'a> {
    let text = text("charAt", budget, arguments)?;
    let at = number("charAt", arguments, 1)?.unwrap_or(0);
    let rest = text.get(offset(text, at)?..).unwrap_or_default();
    Ok(Value::text(rest.chars().next().map(String::from).unwrap_or_default()))
}

fn index_of<'a>(name: &str, budget: &mut Budget, arguments: &[Value<'a>], last: bool) -> Outcome<'a> {
    if let (Value::List(list), [_, wanted]) = (&arguments[0], arguments) {
        return lists::position(budget, list, wanted, last);
    }
    let text = text(name, budget, arguments)?;
    let part = argument(name, arguments, 1)?;
    let from = number(name, arguments, 2)?;
    let at = match (last, from) {
        (false, from) => {
            let start = offset(text, from.unwrap_or(0))?;
            text.get(start..).and_then(|rest| rest.find(part)).map(|at| at + start)
        }
        (true, None) => text.rfind(part),
        (true, Some(from)) => {
            let start = offset(text, from)?;
            // A match may begin at `from` and reach beyond it.
            let end = start.saturating_add(part.len()).min(text.len());
            let end = (0..=end).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
            text.get(..end).and_then(|before| before.rfind(part))
        }
    };
    let characters = |at: usize| text.get(..at).unwrap_or_default().chars().count();
    Ok(Value::Int(at.map_or(-1, |at| i64::try_from(characters(at)).unwrap_or(i64::MAX))))
}

fn join<'a>(budget: &mut Budget, arguments: &[Value<'a>]) -> Outcome<'a> {
    let Value::List(list) = &arguments[0] else { return Err(mismatch("join", arguments)) };
    let separator = if arguments.len() > 1 { argument("join", arguments, 1)? } else { "" };
    let mut joined = String::new();
    for (at, item) in list.items()?.iter().enumerate() {
        if at > 0 {
            joined.push_str(separator);
        }
        let Some(item) = item.as_str() else { return Err(mismatch("join", arguments)) };
        budget.spend(1 + (item.len() + separator.len()) / 32)?;
        joined.push_str(item);
    }
    Ok(Value::text(joined))
}

fn replace<'a>(budget: &mut Budget, arguments: &[Value<'a>]) -> Outcome<'a> {
    let text = text("replace", budget, arguments)?;
    let (from, to) = (argument("replace", arguments, 1)?, argument("replace", arguments, 2)?);
    let limit = number("replace", arguments, 3)?.unwrap_or(-1);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let matches = text.matches(from).take(limit).count();
    budget.spend(matches.saturating_mul(to.len()) / 32)?;
    Ok(Value::text(text.replacen(from, to, limit)))
}

fn split<'a>(budget: &mut Budget, arguments: &[Value<'a>]) -> Outcome<'a> {
    let text = text("split", budget, arguments)?;
    let separator = argument("split", arguments, 1)?;
    let limit = number("split", arguments, 2)?.unwrap_or(-1);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    budget.spend(text.len() / 4)?;
    if limit == 0 {
        return Ok(Value::list(Vec::new()));
    }
    let parts: Vec<Value<'a>> = if separator.is_empty() {
        let count = text.chars().count();
        let single = limit.min(count).saturating_sub(usize::from(limit <= count));
        let mut characters = text.chars();
        let mut parts: Vec<Value<'a>> =
            characters.by_ref().take(single).map(|c| Value::text(c.to_string())).collect();
        if !characters.as_str().is_empty() {
            parts.push(Value::text(characters.as_str()));
        }
        parts
    } else {
        text.splitn(limit, separator).map(Value::text).collect()
    };
    Ok(Value::list(parts))
}

fn substring<'a>(budget: &mut Budget, arguments: &[Value<'a>]) -> Outcome<'a> {
    let text = text("substring", budget, arguments)?;
    let start = offset(text, number("substring", arguments, 1)?.unwrap_or(0))?;
    let end = match number("substring", arguments, 2)? {
        Some(end) => offset(text, end)?,
        None => text.len(),
    };
    text.get(start..end).map(Value::text).ok_or_else(out_of_range)
}

/// Between double quotes, with the escapes that CEL reads back.
fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{b}' => quoted.push_str("\\v"),
            '\\' => quoted.push_str("\\\\"),
            '"' => quoted.push_str("\\\""),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
