//! The function library of Terraform: what its documentation says each function gives.
//!
//! Functions are pure; those that read files are the evaluation's (it knows the files), and those that would give
//! another result each time give unknown values. Adding a function is adding a row.

mod collection;
mod conversion;
mod encoding;
mod format;
mod hash;
pub mod json;
mod network;
mod numeric;
mod sets;
mod text;
mod time;

use std::sync::Arc;

use yagura_formats::document::Span;

pub use conversion::constrain;
pub use network::subnets_of as subnets;

use super::number::Number;
use super::value::{Failed, Kind, Outcome, Value};

/// Most elements or entries that a function gives.
pub const MAX_ELEMENTS: usize = 100_000;
/// Longest text that a function or template gives, in bytes.
pub const MAX_TEXT: usize = 4 << 20;

/// One function.
pub struct Function {
    pub name: &'static str,
    /// Fewest and most arguments.
    arity: (usize, usize),
    /// Whether it takes arguments that are unknown in part; the others give an unknown value for those.
    partial: bool,
    run: fn(&Call<'_>) -> Outcome,
}

/// Any number of arguments.
const MANY: usize = usize::MAX;

/// A call with its arguments evaluated.
pub struct Call<'c> {
    pub span: Span,
    pub arguments: &'c [Value],
}

const fn row(name: &'static str, least: usize, most: usize, run: fn(&Call<'_>) -> Outcome) -> Function {
    Function { name, arity: (least, most), partial: false, run }
}

const fn partial(name: &'static str, least: usize, most: usize, run: fn(&Call<'_>) -> Outcome) -> Function {
    Function { name, arity: (least, most), partial: true, run }
}

/// Functions whose result differs each time, or needs secrets.
const IMPURE: &[&str] = &[
    "timestamp",
    "plantimestamp",
    "uuid",
    "bcrypt",
    "rsadecrypt",
    // Compressed bytes depend on the compressor.
    "base64gzip",
];

static TABLES: &[&[Function]] = &[
    collection::FUNCTIONS,
    conversion::FUNCTIONS,
    encoding::FUNCTIONS,
    format::FUNCTIONS,
    hash::FUNCTIONS,
    network::FUNCTIONS,
    numeric::FUNCTIONS,
    sets::FUNCTIONS,
    text::FUNCTIONS,
    time::FUNCTIONS,
];

/// Every function of the tables.
pub fn all() -> impl Iterator<Item = &'static Function> {
    TABLES.iter().copied().flatten()
}

fn find(name: &str) -> Option<&'static Function> {
    use std::collections::HashMap;
    static INDEX: std::sync::OnceLock<HashMap<&'static str, &'static Function>> = std::sync::OnceLock::new();
    let index = INDEX.get_or_init(|| all().map(|function| (function.name, function)).collect());
    index.get(name).copied()
}

/// Calls a function; none when there is none of that name.
pub fn call(name: &str, span: Span, arguments: &[Value]) -> Option<Outcome> {
    let name = name.strip_prefix("core::").unwrap_or(name);
    let Some(function) = find(name) else {
        let known = IMPURE.contains(&name) || name.starts_with("provider::");
        return known.then(|| Ok(Value::unknown(span)));
    };
    let (least, most) = function.arity;
    if arguments.len() < least || arguments.len() > most {
        return Some(Err(format!("{name}() is called with {} arguments", arguments.len())));
    }
    if !function.partial && !arguments.iter().all(Value::is_wholly_known) {
        return Some(Ok(Value::unknown(span)));
    }
    Some((function.run)(&Call { span, arguments }).map_err(|detail| format!("{name}(): {detail}")))
}

impl Call<'_> {
    fn argument(&self, at: usize) -> Result<&Value, Failed> {
        self.arguments.get(at).ok_or_else(|| "an argument is missing".to_owned())
    }

    fn text(&self, at: usize) -> Result<Arc<str>, Failed> {
        self.argument(at)?.text()?.ok_or_else(|| "a string is required".to_owned())
    }

    fn number(&self, at: usize) -> Result<Number, Failed> {
        number(self.argument(at)?)
    }

    /// A whole number.
    fn integer(&self, at: usize) -> Result<i64, Failed> {
        self.number(at)?.integer().ok_or_else(|| "a whole number is required".to_owned())
    }

    fn list(&self, at: usize) -> Result<&[Value], Failed> {
        let value = self.argument(at)?;
        value.items().ok_or_else(|| format!("a list is required, but the value is {}", value.type_name()))
    }

    /// All arguments from `at` on, as texts.
    fn texts(&self, values: &[Value]) -> Result<Vec<Arc<str>>, Failed> {
        values.iter().map(|value| value.text()?.ok_or_else(|| "a string is required".to_owned())).collect()
    }

    fn unknown(&self) -> Outcome {
        Ok(Value::unknown(self.span))
    }

    fn give_text(&self, text: impl Into<Arc<str>>) -> Outcome {
        let text = text.into();
        if text.len() > MAX_TEXT {
            return self.unknown();
        }
        Ok(Value::string(self.span, text))
    }

    fn give_number(&self, number: Option<Number>) -> Outcome {
        number
            .map(|number| Value::new(self.span, Kind::Number(number)))
            .ok_or_else(|| "the result is no number".to_owned())
    }

    fn give_bool(&self, value: bool) -> Outcome {
        Ok(Value::bool(self.span, value))
    }

    fn give_list(&self, items: Vec<Value>) -> Outcome {
        if items.len() > MAX_ELEMENTS {
            return self.unknown();
        }
        Ok(Value::list(self.span, items))
    }

    fn give_texts(&self, items: impl IntoIterator<Item = String>) -> Outcome {
        self.give_list(items.into_iter().map(|text| Value::string(self.span, text)).collect())
    }
}

/// A value as a number, text that is one included.
pub fn number(value: &Value) -> Result<Number, Failed> {
    match &value.kind {
        Kind::Number(number) => Ok(*number),
        Kind::String(text) => Number::parse(text).ok_or_else(|| "a number is required".to_owned()),
        _ => Err(format!("a number is required, but the value is {}", value.type_name())),
    }
}

/// A value as a boolean, the words included; none when it is unknown.
pub fn boolean(value: &Value) -> Result<Option<bool>, Failed> {
    match &value.kind {
        Kind::Bool(value) => Ok(Some(*value)),
        Kind::String(text) if &**text == "true" => Ok(Some(true)),
        Kind::String(text) if &**text == "false" => Ok(Some(false)),
        _ if value.is_unknown() => Ok(None),
        _ => Err(format!("a bool is required, but the value is {}", value.type_name())),
    }
}

#[cfg(test)]
mod tests;
