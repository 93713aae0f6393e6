//! A template of the user's: the Jinja language over the report's JSON shape.
//!
//! The variables are the members of `-o json` (docs/schema). Templates run in bounded steps and memory; nothing of
//! the system is in reach of them. HTML is not escaped by itself: `{{ value | e }}` does it.

use std::io::{self, Write};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use yagura_model::Report;

use crate::Options;
use crate::json::Document;

/// Steps a template may take: some seconds of work.
const MAX_STEPS: u64 = 100_000_000;
/// Nesting of macros and includes.
const MAX_DEPTH: usize = 100;
/// Bytes a template may write.
const MAX_OUTPUT: u64 = 1 << 30;

pub fn write(report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let Some(template) = &options.template else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "no template was given"));
    };
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_recursion_limit(MAX_DEPTH);
    environment.set_fuel(Some(MAX_STEPS));
    environment.add_filter("json", |value: Value| -> Result<String, minijinja::Error> {
        serde_json::to_string(&value)
            .map_err(|error| minijinja::Error::new(minijinja::ErrorKind::BadSerialization, error.to_string()))
    });
    let invalid = |error: minijinja::Error| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("template {}: {}", template.name, cause(&error)))
    };
    let syntax = SyntaxConfig::builder().keep_trailing_newline(true).build().map_err(invalid)?;
    environment.set_syntax(syntax);
    let compiled = environment.template_from_named_str(&template.name, &template.text).map_err(invalid)?;
    let mut bounded = Bounded { out, left: MAX_OUTPUT };
    compiled.render_captured_to(Value::from(Serde(Document::of(report))), &mut bounded).map_err(invalid)?;
    Ok(())
}

/// The error and its reasons on one line.
fn cause(error: &minijinja::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(reason) = source {
        text = format!("{text}: {reason}");
        source = reason.source();
    }
    text
}

/// A writer that takes so much and no more.
struct Bounded<'a> {
    out: &'a mut dyn Write,
    left: u64,
}

impl Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.left = self
            .left
            .checked_sub(bytes.len() as u64)
            .ok_or_else(|| io::Error::other(format!("it writes more than {} MiB", MAX_OUTPUT >> 20)))?;
        self.out.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
