//! Regular expressions in linear time: CEL's `matches`, its extension "regex", and Kubernetes' `find` and `findAll`.

use regex::{Regex, RegexBuilder};

use super::{Function, either, global, method, mismatch};
use crate::cel::error::Fault;
use crate::cel::evaluation::Budget;
use crate::cel::value::{Outcome, Value};

/// Largest compiled pattern, in bytes.
const MAX_PATTERN: usize = 1 << 20;

pub static TABLE: &[Function] = &[
    either("matches", 2, |budget, arguments| {
        let (text, pattern) = pair("matches", budget, arguments)?;
        Ok(Value::Bool(pattern.is_match(&text)))
    }),
    method("find", 1, 1, |budget, arguments| {
        let (text, pattern) = pair("find", budget, arguments)?;
        Ok(Value::text(pattern.find(&text).map_or("", |found| found.as_str())))
    }),
    method("findAll", 1, 2, |budget, arguments| {
        let (text, pattern) = pair("findAll", budget, arguments)?;
        let limit = limit("findAll", arguments, 2)?;
        let found = pattern.find_iter(&text).take(limit).map(|found| Value::text(found.as_str()));
        Ok(Value::list(found.collect()))
    }),
    global("regex.extract", 2, 2, |budget, arguments| {
        let (text, pattern) = pair("regex.extract", budget, arguments)?;
        one_group(&pattern)?;
        let Some(found) = pattern.captures(&text) else { return Ok(Value::Optional(None)) };
        let part = found.get(if pattern.captures_len() > 1 { 1 } else { 0 });
        Ok(part.map_or(Value::Optional(None), |part| Value::some(Value::text(part.as_str()))))
    }),
    global("regex.extractAll", 2, 2, |budget, arguments| {
        let (text, pattern) = pair("regex.extractAll", budget, arguments)?;
        one_group(&pattern)?;
        let group = if pattern.captures_len() > 1 { 1 } else { 0 };
        let parts =
            pattern.captures_iter(&text).filter_map(|found| Some(Value::text(found.get(group)?.as_str())));
        Ok(Value::list(parts.collect()))
    }),
    global("regex.replace", 3, 4, replace),
];

/// Compiles a pattern in RE2's syntax, which is that of the `regex` crate but for rare classes.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(pattern).size_limit(MAX_PATTERN).build();
    // The build knows no letter case beyond ASCII: `(?i)` means that of ASCII.
    let built = match built {
        Err(_) if pattern.contains("(?i)") => {
            RegexBuilder::new(&pattern.replace("(?i)", "(?i-u)")).size_limit(MAX_PATTERN).build()
        }
        built => built,
    };
    built.map_err(|error| format!("no regular expression: {}", error.to_string().replace('\n', " ")))
}

fn pair(name: &str, budget: &mut Budget, arguments: &[Value<'_>]) -> Result<(String, Regex), Fault> {
    let (Value::String(text), Value::String(pattern)) = (&arguments[0], &arguments[1]) else {
        return Err(mismatch(name, arguments));
    };
    // A pattern that is made anew each time is dear.
    budget.spend(200 + pattern.as_str().len() * 8 + text.as_str().len() / 8)?;
    Ok((text.as_str().to_owned(), compile(pattern.as_str()).map_err(Fault::error)?))
}

/// How many at most; all where there is no such argument or it is negative.
fn limit(name: &str, arguments: &[Value<'_>], at: usize) -> Result<usize, Fault> {
    match arguments.get(at) {
        None => Ok(usize::MAX),
        Some(Value::Int(limit)) => Ok(usize::try_from(*limit).unwrap_or(usize::MAX)),
        Some(_) => Err(mismatch(name, arguments)),
    }
}

fn one_group(pattern: &Regex) -> Result<(), Fault> {
    if pattern.captures_len() > 2 {
        return Err(Fault::error("the pattern has more than one group"));
    }
    Ok(())
}

fn replace<'a>(budget: &mut Budget, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (text, pattern) = pair("regex.replace", budget, arguments)?;
    let Value::String(with) = &arguments[2] else { return Err(mismatch("regex.replace", arguments)) };
    let limit = limit("regex.replace", arguments, 3)?;
    let template = template(with.as_str(), pattern.captures_len())?;
    let mut replaced = String::new();
    let mut from = 0;
    for found in pattern.captures_iter(&text).take(limit) {
        let Some(whole) = found.get(0) else { continue };
        replaced.push_str(text.get(from..whole.start()).unwrap_or_default());
        for part in &template {
            match part {
                Part::Text(literal) => replaced.push_str(literal),
                Part::Group(group) => replaced.push_str(found.get(*group).map_or("", |part| part.as_str())),
            }
        }
        budget.spend(replaced.len() / 64)?;
        from = whole.end();
    }
    replaced.push_str(text.get(from..).unwrap_or_default());
    Ok(Value::text(replaced))
}

enum Part {
    Text(String),
    Group(usize),
}

/// `\1` is a group, `\\` a backslash.
fn template(text: &str, groups: usize) -> Result<Vec<Part>, Fault> {
    let mut parts = vec![Part::Text(String::new())];
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            if let Some(Part::Text(literal)) = parts.last_mut() {
                literal.push(character);
            } else {
                parts.push(Part::Text(character.to_string()));
            }
            continue;
        }
        match characters.next() {
            Some('\\') => parts.push(Part::Text("\\".to_owned())),
            Some(digit) if digit.is_ascii_digit() => {
                let group = digit as usize - '0' as usize;
                if group >= groups {
                    return Err(Fault::error("a replacement that names a group the pattern has not"));
                }
                parts.push(Part::Group(group));
            }
            _ => return Err(Fault::error("a replacement with a backslash before no digit")),
        }
    }
    Ok(parts)
}
