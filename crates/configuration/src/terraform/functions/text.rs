//! Strings.

use std::sync::Arc;

use regex::Regex;
use yagura_formats::document::Span;

use super::{Call, Function, MANY, MAX_TEXT, partial, row};
use crate::terraform::value::{Failed, Kind, Map, Outcome, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    row("chomp", 1, 1, |call| call.give_text(call.text(0)?.trim_end_matches(['\n', '\r']))),
    row("endswith", 2, 2, |call| call.give_bool(call.text(0)?.ends_with(&*call.text(1)?))),
    row("indent", 2, 2, |call| {
        let spaces = usize::try_from(call.integer(0)?).unwrap_or_default().min(1000);
        call.give_text(call.text(1)?.replace('\n', &format!("\n{}", " ".repeat(spaces))))
    }),
    partial("join", 2, MANY, join),
    partial("lower", 1, 1, |call| cased(call, str::to_lowercase)),
    row("regex", 2, 2, |call| {
        let regex = compiled(&call.text(0)?)?;
        let text = call.text(1)?;
        let found = regex.captures(&text).ok_or("the pattern does not match the string")?;
        Ok(captured(call.span, &regex, &found))
    }),
    row("regexall", 2, 2, |call| {
        let regex = compiled(&call.text(0)?)?;
        let text = call.text(1)?;
        call.give_list(regex.captures_iter(&text).map(|found| captured(call.span, &regex, &found)).collect())
    }),
    row("replace", 3, 3, replace),
    row("split", 2, 2, |call| {
        let (separator, text) = (call.text(0)?, call.text(1)?);
        match (separator.is_empty(), text.is_empty()) {
            (true, _) => call.give_texts(text.chars().map(String::from)),
            (false, true) => call.give_list(Vec::new()),
            (false, false) => call.give_texts(text.split(&*separator).map(str::to_owned)),
        }
    }),
    row("startswith", 2, 2, |call| call.give_bool(call.text(0)?.starts_with(&*call.text(1)?))),
    row("strcontains", 2, 2, |call| call.give_bool(call.text(0)?.contains(&*call.text(1)?))),
    row("strrev", 1, 1, |call| call.give_text(call.text(0)?.chars().rev().collect::<String>())),
    row("substr", 3, 3, substr),
    row("title", 1, 1, title),
    row("trim", 2, 2, |call| {
        let cutset: Vec<char> = call.text(1)?.chars().collect();
        call.give_text(call.text(0)?.trim_matches(cutset.as_slice()))
    }),
    row("trimprefix", 2, 2, |call| {
        let text = call.text(0)?;
        call.give_text(text.strip_prefix(&*call.text(1)?).unwrap_or(&text))
    }),
    row("trimsuffix", 2, 2, |call| {
        let text = call.text(0)?;
        call.give_text(text.strip_suffix(&*call.text(1)?).unwrap_or(&text))
    }),
    row("trimspace", 1, 1, |call| call.give_text(call.text(0)?.trim())),
    partial("upper", 1, 1, |call| cased(call, str::to_uppercase)),
];

/// The text if all of it is known.
fn cased(call: &Call<'_>, change: fn(&str) -> String) -> Outcome {
    match call.argument(0)?.text()? {
        Some(text) => call.give_text(change(&text)),
        None => call.unknown(),
    }
}

/// What is unknown in a list leaves its reference in the text.
fn join(call: &Call<'_>) -> Outcome {
    let Some(separator) = call.argument(0)?.text()? else { return call.unknown() };
    let mut text = String::new();
    let mut known = true;
    let mut first = true;
    for argument in call.arguments.iter().skip(1) {
        if argument.is_unknown() {
            return call.unknown();
        }
        let items = argument.items().ok_or("a list is required")?;
        for item in items {
            if !std::mem::take(&mut first) {
                text.push_str(&separator);
            }
            match item.text()? {
                Some(item) => text.push_str(&item),
                None => {
                    known = false;
                    text.push_str(&item.symbolic());
                }
            }
            if text.len() > MAX_TEXT {
                return call.unknown();
            }
        }
    }
    match known {
        true => call.give_text(text),
        false => Ok(Value::new(call.span, Kind::Unknown(Some(text.into())))),
    }
}

fn compiled(pattern: &str) -> Result<Regex, Failed> {
    /// Largest automaton of a pattern, in bytes.
    const MAX_AUTOMATON: usize = 1 << 20;
    regex::RegexBuilder::new(pattern)
        .size_limit(MAX_AUTOMATON)
        .build()
        .map_err(|_| "the pattern is no regular expression of the RE2 syntax".to_owned())
}

/// The whole match, a list of its groups, or an object of its named groups.
fn captured(span: Span, regex: &Regex, found: &regex::Captures<'_>) -> Value {
    let group = |group: Option<regex::Match<'_>>| match group {
        Some(group) => Value::string(span, group.as_str()),
        None => Value::new(span, Kind::Null),
    };
    let names: Vec<&str> = regex.capture_names().flatten().collect();
    if !names.is_empty() {
        let entries: Map =
            names.into_iter().map(|name| (Arc::from(name), (span, group(found.name(name))))).collect();
        return Value::map(span, entries);
    }
    match found.len() {
        1 => group(found.get(0)),
        groups => Value::list(span, (1..groups).map(|at| group(found.get(at))).collect()),
    }
}

/// A pattern between slashes is a regular expression.
fn replace(call: &Call<'_>) -> Outcome {
    let (text, from, to) = (call.text(0)?, call.text(1)?, call.text(2)?);
    let pattern = from.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
    let replaced = match pattern {
        Some(pattern) => compiled(pattern)?.replace_all(&text, &*to).into_owned(),
        None => {
            let grown = text.matches(&*from).count().saturating_mul(to.len());
            if grown > MAX_TEXT {
                return call.unknown();
            }
            text.replace(&*from, &to)
        }
    };
    call.give_text(replaced)
}

fn substr(call: &Call<'_>) -> Outcome {
    let text = call.text(0)?;
    let count = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    let (offset, length) = (call.integer(1)?, call.integer(2)?);
    let start = if offset < 0 { count.saturating_add(offset).max(0) } else { offset.min(count) };
    let taken = if length < 0 { count } else { length };
    let as_usize = |value: i64| usize::try_from(value).unwrap_or_default();
    call.give_text(text.chars().skip(as_usize(start)).take(as_usize(taken)).collect::<String>())
}

fn title(call: &Call<'_>) -> Outcome {
    let mut result = String::new();
    let mut inside = false;
    for character in call.text(0)?.chars() {
        match inside {
            true => result.push(character),
            false => result.extend(character.to_uppercase()),
        }
        inside = character.is_alphanumeric() || matches!(character, '_' | '\'');
    }
    call.give_text(result)
}
