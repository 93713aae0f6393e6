//! Format strings: what an alert says, with values of the event in it.
//!
//! `%proc.name`, `%proc.aname[2]`, `%10fd.name` (cut or padded to ten characters), `%toupper(proc.name)`. A leading `*`
//! asks to print `<NA>` for what is missing instead of nothing at all; outputs of rules always have it.

use jiff::Timestamp;
use yagura_model::alert::AlertValue;
use yagura_model::field::{Field, FieldCatalogue, FieldValue, Fields, Multiplicity, TimeStyle};

use super::condition::{Term, parse_term};
use super::predicate::Operand;

/// What stands for a value that is missing.
pub const MISSING: &str = "<NA>";
/// Longest format string.
const MAX_LENGTH: usize = 64 << 10;
/// Widest column of a format.
const MAX_WIDTH: usize = 4096;

#[derive(Clone, Debug)]
pub struct Format {
    parts: Vec<Part>,
    /// Every field that is named, as it is written, in order and each once.
    fields: Vec<(String, Operand)>,
    prints_missing: bool,
}

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Value { operand: Operand, width: usize },
}

impl Format {
    pub fn compile(text: &str, catalogue: &dyn FieldCatalogue) -> Result<Self, String> {
        if text.is_empty() {
            return Err("empty formatting token".to_owned());
        }
        if text.len() > MAX_LENGTH {
            return Err(format!("format is longer than {MAX_LENGTH} bytes"));
        }
        let (prints_missing, mut rest) = match text.strip_prefix('*') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let mut format = Self { parts: Vec::new(), fields: Vec::new(), prints_missing };
        while let Some(percent) = rest.find('%') {
            let (before, after) = rest.split_at_checked(percent).unwrap_or_default();
            if !before.is_empty() {
                format.parts.push(Part::Text(before.to_owned()));
            }
            let after = after.get(1..).unwrap_or_default();
            if after.is_empty() {
                return Err("invalid formatting syntax: formatting cannot end with a %".to_owned());
            }
            let name = after.trim_start_matches(|character: char| character.is_ascii_digit());
            if name.is_empty() {
                return Err("invalid formatting syntax: formatting cannot end with a number".to_owned());
            }
            let digits = after.get(..after.len() - name.len()).unwrap_or_default();
            let width = digits.parse().unwrap_or(0_usize).min(MAX_WIDTH);
            let (term, operand, length) = longest(name, catalogue)?;
            term.fields(&mut |name, argument| format.name_field(name, argument, catalogue));
            format.parts.push(Part::Value { operand, width });
            rest = name.get(length..).unwrap_or_default();
        }
        if !rest.is_empty() {
            format.parts.push(Part::Text(rest.to_owned()));
        }
        Ok(format)
    }

    fn name_field(&mut self, name: &str, argument: Option<&str>, catalogue: &dyn FieldCatalogue) {
        let written = match argument {
            Some(argument) => format!("{name}[{argument}]"),
            None => name.to_owned(),
        };
        if self.fields.iter().any(|(known, _)| *known == written) {
            return;
        }
        let at = super::condition::Position { offset: 0, line: 1, column: 1 };
        let term = Term::Field { name: name.to_owned(), argument: argument.map(str::to_owned), at };
        // It is part of a term that compiled.
        if let Ok(operand) = Operand::compile(&term, catalogue) {
            self.fields.push((written, operand));
        }
    }

    /// The text for an event; none when a value is missing and the format does not print missing ones.
    pub fn text<E: Fields + ?Sized>(&self, event: &E) -> Option<String> {
        let mut line = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => line.push_str(text),
                Part::Value { operand, width } => {
                    let shown = match value(operand, event) {
                        AlertValue::Missing if !self.prints_missing => return None,
                        value => shown(&value),
                    };
                    if *width == 0 {
                        line.push_str(&shown);
                    } else {
                        line.extend(shown.chars().chain(std::iter::repeat(' ')).take(*width));
                    }
                }
            }
        }
        Some(line)
    }

    /// Every field that the format names, with its value for an event.
    pub fn values<'f, E: Fields + ?Sized>(
        &'f self,
        event: &'f E,
    ) -> impl Iterator<Item = (&'f str, AlertValue)> + 'f {
        self.fields.iter().map(move |(name, operand)| (name.as_str(), value(operand, event)))
    }

    /// Every field that the format names.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter_map(|(_, operand)| operand.field())
    }
}

/// The longest start of a text that is a term of this catalogue.
fn longest(text: &str, catalogue: &dyn FieldCatalogue) -> Result<(Term, Operand, usize), String> {
    let mut end = text.len();
    let mut first_error = None;
    while end > 0 {
        let candidate = text.get(..end).unwrap_or_default();
        match parse_term(candidate) {
            Ok((term, length)) => match Operand::compile(&term, catalogue) {
                Ok(operand) => return Ok((term, operand, length)),
                Err(error) => {
                    first_error.get_or_insert(error.message);
                    // What stands behind the term does not matter.
                    end = length;
                }
            },
            Err(error) => {
                first_error.get_or_insert(error.message);
                // A mistake at its very beginning stays one however short the text gets.
                if error.at.offset == 0 {
                    break;
                }
                end = end.min(error.at.offset as usize);
                if end < candidate.len() {
                    continue;
                }
            }
        }
        end = candidate.get(..end).unwrap_or_default().char_indices().next_back().map_or(0, |(at, _)| at);
    }
    Err(format!("unknown filter: {}", first_error.unwrap_or_default()))
}

fn value<E: Fields + ?Sized>(operand: &Operand, event: &E) -> AlertValue {
    if operand.multiplicity == Multiplicity::List {
        return match operand.values(event) {
            Some(values) => AlertValue::List(values),
            None => AlertValue::Missing,
        };
    }
    match operand.value(event) {
        Some(value) => AlertValue::One(value.into_owned()),
        None => AlertValue::Missing,
    }
}

/// A field's value as people read it.
pub fn shown(value: &AlertValue) -> String {
    match value {
        AlertValue::Missing => MISSING.to_owned(),
        AlertValue::One(value) => text(value),
        AlertValue::List(values) => {
            let all: Vec<String> = values.iter().map(text).collect();
            format!("({})", all.join(","))
        }
    }
}

/// A value as people read it.
pub fn text(value: &FieldValue<'_>) -> String {
    match value {
        FieldValue::Boolean(value) => value.to_string(),
        FieldValue::Signed(value) => value.to_string(),
        FieldValue::Unsigned(value) => value.to_string(),
        FieldValue::Double(value) => format!("{value:.1}"),
        FieldValue::Text(text) => String::from_utf8_lossy(text).into_owned(),
        FieldValue::Bytes(bytes) => {
            let shown = |byte: &u8| if (0x20..0x7f).contains(byte) { *byte as char } else { '.' };
            bytes.iter().map(shown).collect()
        }
        FieldValue::Address(address) => address.to_string(),
        FieldValue::Time { nanoseconds, style } => time(*nanoseconds, *style),
    }
}

/// A point in time in UTC.
pub fn time(nanoseconds: u64, style: TimeStyle) -> String {
    let format = match style {
        TimeStyle::Number => return nanoseconds.to_string(),
        TimeStyle::Padded => return format!("{nanoseconds:09}"),
        TimeStyle::Clock => "%H:%M:%S.%9f",
        TimeStyle::ClockSeconds => "%H:%M:%S",
        TimeStyle::Iso8601 => "%Y-%m-%dT%H:%M:%S.%9f+0000",
        TimeStyle::DateAndTime => "%Y-%m-%d %H:%M:%S.%9f",
        TimeStyle::DateAndSeconds => "%Y-%m-%d %H:%M:%S",
    };
    match Timestamp::from_nanosecond(nanoseconds.into()) {
        Ok(timestamp) => timestamp.strftime(format).to_string(),
        Err(_) => nanoseconds.to_string(),
    }
}
