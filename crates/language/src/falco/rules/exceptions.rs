//! Exceptions: what a rule's condition gets as `and not (…)`.

use yagura_model::field::FieldCatalogue;

use super::items::{Entry, Exception};
use super::lists::quote;
use super::read::Done;
use super::result::{Context, ErrorCode, Problem};
use crate::falco::condition::{self, Comparison, Expression, Operator, Term};

fn fail<T>(message: impl Into<String>, context: &Context) -> Done<T> {
    let (code, message, context) = (ErrorCode::Validate, message.into(), context.clone());
    Err(Box::new(Problem { code, message, context }))
}

/// Completes an exception (comparisons are `=` for lists of fields and `in` for single ones, unless given) and checks
/// that its parts fit.
pub(super) fn validate(exception: &mut Exception, source: Option<&dyn FieldCatalogue>) -> Done {
    let context = &exception.context;
    let check_field = |field: &str| {
        if source.is_some_and(|source| !is_field(field, source)) {
            return fail(format!("'{field}' is not a supported filter field"), context);
        }
        Ok(())
    };
    match &exception.fields {
        None => fail("Rule exception item must have fields property with a list of fields", context),
        Some(Entry::List(fields)) => {
            let comparisons = match &exception.comparisons {
                None => vec![Entry::Text("=".to_owned()); fields.len()],
                Some(Entry::List(comparisons)) => comparisons.clone(),
                Some(Entry::Text(_)) => Vec::new(),
            };
            if comparisons.len() != fields.len() {
                return fail("Fields and comps lists must have equal length", context);
            }
            let mut trimmed = Vec::with_capacity(comparisons.len());
            for comparison in &comparisons {
                let text = as_text(comparison).trim().to_owned();
                if operator(&text).is_none() {
                    return fail(format!("'{text}' is not a supported comparison operator"), context);
                }
                trimmed.push(Entry::Text(text));
            }
            for field in fields {
                check_field(as_text(field))?;
            }
            exception.comparisons = Some(Entry::List(trimmed));
            Ok(())
        }
        Some(Entry::Text(field)) => {
            let comparison = match &exception.comparisons {
                None => "in",
                Some(Entry::Text(comparison)) => comparison.trim(),
                Some(Entry::List(_)) => return fail("Fields and comps must both be strings", context),
            };
            let takes_list = operator(comparison).is_some_and(takes_list);
            if !takes_list {
                let message = "When fields is a single value, comps must be one of (in, pmatch, intersects) or a \
                               modifier operator (e.g. startswith oneof)";
                return fail(message, context);
            }
            check_field(field)?;
            exception.comparisons = Some(Entry::Text(comparison.to_owned()));
            Ok(())
        }
    }
}

fn as_text(entry: &Entry) -> &str {
    match entry {
        Entry::Text(text) => text,
        Entry::List(_) => "",
    }
}

/// An operator by its text alone.
fn operator(text: &str) -> Option<Operator> {
    if text == "exists" {
        return Some(Operator { comparison: Comparison::Exists, modifier: None });
    }
    // Whatever right-hand side the operator wants, one of these is it.
    ["1", "(a)"].into_iter().find_map(|right| {
        let Ok(Expression::Check(check)) = condition::parse(&format!("a.b {text} {right}")) else {
            return None;
        };
        let modifier = check.operator.modifier.is_some();
        let words = text.split_whitespace().count();
        (words == 1 + usize::from(modifier)).then_some(check.operator)
    })
}

fn takes_list(operator: Operator) -> bool {
    operator.modifier.is_some()
        || matches!(operator.comparison, Comparison::In | Comparison::Intersects | Comparison::PathMatch)
}

fn is_field(text: &str, source: &dyn FieldCatalogue) -> bool {
    match condition::parse_term(text) {
        Ok((Term::Field { name, argument, .. }, length)) => {
            length == text.len() && source.resolve(&name, argument.as_deref()).is_ok()
        }
        // A transformer over a field; compiling the condition checks the rest.
        Ok((_, length)) => length == text.len(),
        Err(_) => false,
    }
}

/// A rule's condition with its exceptions.
pub(super) fn apply(condition: &str, exceptions: &[Exception]) -> Done<String> {
    if exceptions.is_empty() {
        return Ok(condition.to_owned());
    }
    let mut whole = format!("({condition})");
    for exception in exceptions {
        let text = match (&exception.fields, &exception.comparisons) {
            (Some(Entry::Text(field)), Some(Entry::Text(comparison))) => {
                single(exception, field, comparison)?
            }
            (Some(Entry::List(fields)), Some(Entry::List(comparisons))) => {
                several(exception, fields, comparisons)?
            }
            _ => String::new(),
        };
        if !text.is_empty() {
            whole.push_str(" and not ");
            whole.push_str(&text);
        }
    }
    Ok(whole)
}

fn single(exception: &Exception, field: &str, comparison: &str) -> Done<String> {
    let mut values = Vec::with_capacity(exception.values.len());
    for value in &exception.values {
        match value {
            Entry::Text(text) => values.push(quote(text)),
            Entry::List(_) => {
                return fail("Expected values array to contain a list of strings", &exception.context);
            }
        }
    }
    if values.is_empty() {
        return Ok(String::new());
    }
    Ok(format!("({field} {comparison} ({}))", values.join(", ")))
}

fn several(exception: &Exception, fields: &[Entry], comparisons: &[Entry]) -> Done<String> {
    let mut alternatives = Vec::with_capacity(exception.values.len());
    for values in &exception.values {
        let values = match values {
            Entry::List(values) if values.len() == fields.len() => values,
            _ => return fail("Fields and values lists must have equal length", &exception.context),
        };
        let checks = fields.iter().zip(comparisons).zip(values).map(|((field, comparison), value)| {
            let comparison = as_text(comparison);
            let right = match value {
                Entry::List(items) => {
                    let items: Vec<String> = items.iter().map(|item| quote(as_text(item))).collect();
                    format!("({})", items.join(", "))
                }
                Entry::Text(text) if operator(comparison).is_some_and(takes_list) => {
                    if text.starts_with('(') { text.clone() } else { format!("({text})") }
                }
                Entry::Text(text) => quote(text),
            };
            format!("{} {comparison} {right}", as_text(field))
        });
        alternatives.push(format!("({})", checks.collect::<Vec<_>>().join(" and ")));
    }
    if alternatives.is_empty() {
        return Ok(String::new());
    }
    Ok(format!("({})", alternatives.join(" or ")))
}
