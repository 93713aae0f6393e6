//! What came of loading a file: errors and warnings with Falco's codes, where they are, and their two forms.
//!
//! As JSON a result is what `falco -V FILE -o json_output=true` prints (lines and columns from 0, as there); as text,
//! for people, lines and columns start at 1 as in every editor.

use std::fmt::Write as _;

use serde::Serialize;
use serde::ser::{SerializeMap, SerializeStruct, Serializer};
use yagura_formats::document::Span;

/// Characters of a line shown around a place.
const SNIPPET_WIDTH: usize = 160;
/// Most warnings kept for one file.
const MAX_WARNINGS: usize = 10_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ErrorCode {
    FileRead,
    YamlParse,
    YamlValidate,
    CompileCondition,
    CompileOutput,
    Validate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WarningCode {
    UnknownSource,
    UnsafeNaCheck,
    NoEventType,
    UnknownFilter,
    UnusedMacro,
    UnusedList,
    UnknownItem,
    DeprecatedItem,
    AppendNoValues,
    ExceptionNameNotUnique,
    InvalidMacroName,
    InvalidListName,
    CompileCondition,
    UnknownKey,
}

impl ErrorCode {
    pub fn code(self) -> &'static str {
        match self {
            Self::FileRead => "LOAD_ERR_FILE_READ",
            Self::YamlParse => "LOAD_ERR_YAML_PARSE",
            Self::YamlValidate => "LOAD_ERR_YAML_VALIDATE",
            Self::CompileCondition => "LOAD_ERR_COMPILE_CONDITION",
            Self::CompileOutput => "LOAD_ERR_COMPILE_OUTPUT",
            Self::Validate => "LOAD_ERR_VALIDATE",
        }
    }

    pub fn description(self) -> &'static str {
        match self {
            Self::FileRead => "File read error",
            Self::YamlParse => "YAML parse error",
            Self::YamlValidate => "Error validating internal structure of YAML file",
            Self::CompileCondition => "Error compiling condition",
            Self::CompileOutput => "Error compiling output",
            Self::Validate => "Error validating rule/macro/list/exception objects",
        }
    }
}

impl WarningCode {
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownSource => "LOAD_UNKNOWN_SOURCE",
            Self::UnsafeNaCheck => "LOAD_UNSAFE_NA_CHECK",
            Self::NoEventType => "LOAD_NO_EVTTYPE",
            Self::UnknownFilter => "LOAD_UNKNOWN_FILTER",
            Self::UnusedMacro => "LOAD_UNUSED_MACRO",
            Self::UnusedList => "LOAD_UNUSED_LIST",
            Self::UnknownItem => "LOAD_UNKNOWN_ITEM",
            Self::DeprecatedItem => "LOAD_DEPRECATED_ITEM",
            Self::AppendNoValues => "LOAD_APPEND_NO_VALUES",
            Self::ExceptionNameNotUnique => "LOAD_EXCEPTION_NAME_NOT_UNIQUE",
            Self::InvalidMacroName => "LOAD_INVALID_MACRO_NAME",
            Self::InvalidListName => "LOAD_INVALID_LIST_NAME",
            Self::CompileCondition => "LOAD_COMPILE_CONDITION",
            Self::UnknownKey => "LOAD_UNKNOWN_KEY",
        }
    }

    pub fn description(self) -> &'static str {
        match self {
            Self::UnknownSource => "Unknown event source",
            Self::UnsafeNaCheck => "Unsafe <NA> comparison in condition",
            Self::NoEventType => "Condition has no event-type restriction",
            Self::UnknownFilter => "Unknown field or event-type in condition or output",
            Self::UnusedMacro => "Unused macro",
            Self::UnusedList => "Unused list",
            Self::UnknownItem => "Unknown rules file item",
            Self::DeprecatedItem => "Used deprecated item",
            Self::AppendNoValues => "Overriding/appending with no values",
            Self::ExceptionNameNotUnique => "Multiple exceptions defined with the same name",
            Self::InvalidMacroName => "Invalid macro name",
            Self::InvalidListName => "Invalid list name",
            Self::CompileCondition => "Warning in rule condition",
            Self::UnknownKey => "Unknown key in item definition",
        }
    }
}

/// One step of the way to a place: the file, the item, the value in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The file, or the beginning of the condition.
    pub name: String,
    /// Such as `rule` or `macro condition`.
    pub item_type: &'static str,
    pub item_name: String,
    /// From 0.
    pub line: u32,
    /// From 0.
    pub column: u32,
    pub offset: u32,
}

/// The way to a place, from the file inwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    locations: Vec<Location>,
    /// The condition that the last location speaks of, lists written out.
    condition: Option<String>,
}

impl Context {
    /// A whole file.
    pub fn file(name: &str) -> Self {
        let location = Location {
            name: name.to_owned(),
            item_type: "rules content",
            item_name: String::new(),
            line: 0,
            column: 0,
            offset: 0,
        };
        Self { locations: vec![location], condition: None }
    }

    pub(super) fn within(&self, item_type: &'static str, item_name: &str, span: Span) -> Self {
        let mut locations = self.locations.clone();
        locations.push(Location {
            name: self.file_name().to_owned(),
            item_type,
            item_name: item_name.to_owned(),
            line: span.line.saturating_sub(1),
            column: span.column.saturating_sub(1),
            offset: span.start,
        });
        Self { locations, condition: None }
    }

    /// A place in a condition, whose own text this context shows.
    pub(super) fn in_condition(&self, condition: &str, at: crate::falco::condition::Position) -> Self {
        const SHOWN: usize = 20;
        let mut name = String::from("\"");
        if condition.len() > SHOWN {
            name.extend(condition.chars().take(SHOWN - 3));
            name.push_str("...");
        } else {
            name.push_str(condition);
        }
        name.push('"');
        let base = self.locations.last().map_or((0, 0, 0), |last| (last.line, last.column, last.offset));
        let mut locations = self.locations.clone();
        locations.push(Location {
            name: name.replace(['\n', '\r'], " "),
            item_type: "condition expression",
            item_name: String::new(),
            line: base.0.saturating_add(at.line),
            column: base.1.saturating_add(at.column),
            offset: base.2.saturating_add(at.offset),
        });
        Self { locations, condition: Some(condition.to_owned()) }
    }

    pub fn locations(&self) -> &[Location] {
        &self.locations
    }

    pub fn file_name(&self) -> &str {
        self.locations.first().map_or("", |location| &location.name)
    }

    /// The innermost place in the file itself: line and column from 1.
    pub fn place(&self) -> (u32, u32) {
        let location =
            self.locations.iter().rev().find(|location| location.item_type != "condition expression");
        location
            .map_or((1, 1), |location| (location.line.saturating_add(1), location.column.saturating_add(1)))
    }

    /// The line that the context speaks of, with a mark below the place. `content` is the file's text.
    pub fn snippet(&self, content: &str) -> String {
        let (text, offset) = match (&self.condition, self.locations.as_slice()) {
            (Some(condition), [.., parent, last]) => {
                (condition.as_str(), last.offset.saturating_sub(parent.offset) as usize)
            }
            (None, [.., last]) => (content, last.offset as usize),
            _ => return "<No context available>\n".to_owned(),
        };
        let text = text.trim_end_matches('\n');
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let (before, after) = text.split_at(offset);
        let line_before = before.rsplit('\n').next().unwrap_or_default();
        let line_after = after.split('\n').next().unwrap_or_default();
        let half = SNIPPET_WIDTH / 2;
        let left: Vec<char> = line_before.chars().rev().take(half).collect();
        let mut shown: String = left.iter().rev().collect();
        if line_before.chars().count() > half {
            shown = format!("...{}", shown.chars().skip(3).collect::<String>());
        }
        let column = shown.chars().count();
        shown.extend(line_after.chars().take(half));
        if line_after.chars().count() > half {
            shown.truncate(shown.char_indices().rev().nth(2).map_or(0, |(at, _)| at));
            shown.push_str("...");
        }
        format!("{shown}\n{}^\n", " ".repeat(column))
    }

    fn write(&self, text: &mut String) {
        for (at, location) in self.locations.iter().enumerate() {
            text.push_str(if at == 0 { "In " } else { "    " });
            text.push_str(location.item_type);
            if !location.item_name.is_empty() {
                let _ = write!(text, " '{}'", location.item_name);
            }
            let (line, column) = (location.line.saturating_add(1), location.column.saturating_add(1));
            let _ = writeln!(text, ": ({}:{line}:{column})", location.name);
        }
    }
}

/// An error or a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem<Code> {
    pub code: Code,
    pub message: String,
    pub context: Context,
}

/// What came of one file.
#[derive(Clone, Debug)]
pub struct LoadResult {
    /// The file.
    pub name: String,
    pub errors: Vec<Problem<ErrorCode>>,
    pub warnings: Vec<Problem<WarningCode>>,
    content: String,
}

impl LoadResult {
    pub fn new(name: &str, content: &str) -> Self {
        Self { name: name.to_owned(), errors: Vec::new(), warnings: Vec::new(), content: content.to_owned() }
    }

    /// The result of a file that could not be read.
    pub fn unreadable(name: &str, reason: &str) -> Self {
        let mut result = Self::new(name, "");
        let context = Context::file(name);
        result.errors.push(Problem { code: ErrorCode::FileRead, message: reason.to_owned(), context });
        result
    }

    pub fn is_successful(&self) -> bool {
        self.errors.is_empty()
    }

    pub(super) fn warn(&mut self, code: WarningCode, message: impl Into<String>, context: &Context) {
        if self.warnings.len() < MAX_WARNINGS {
            self.warnings.push(Problem { code, message: message.into(), context: context.clone() });
        }
    }

    fn verdict(&self) -> &'static str {
        match (self.errors.is_empty(), self.warnings.is_empty()) {
            (false, _) => "Invalid",
            (true, true) => "Ok",
            (true, false) => "Ok, with warnings",
        }
    }

    /// The codes, in a few lines.
    pub fn summary(&self) -> String {
        let mut text = format!("{}: {}", self.name, self.verdict());
        let mut list = |count: usize, what: &str, codes: Vec<String>| {
            if count > 0 {
                let _ = write!(text, "\n {count} {what}: [{}]", codes.join(" "));
            }
        };
        let errors =
            self.errors.iter().map(|error| format!("{} ({})", error.code.code(), error.code.description()));
        list(self.errors.len(), "errors", errors.collect());
        let warnings = self
            .warnings
            .iter()
            .map(|warning| format!("{} ({})", warning.code.code(), warning.code.description()));
        list(self.warnings.len(), "warnings", warnings.collect());
        text
    }

    /// Everything, with places.
    pub fn details(&self) -> String {
        let mut text = format!("{}: {}\n", self.name, self.verdict());
        let mut section = |title: &str, problems: Vec<(&Context, &str, &str, &str)>| {
            if problems.is_empty() {
                return;
            }
            let _ = writeln!(text, "{} {title}:", problems.len());
            for (context, code, description, message) in problems {
                context.write(&mut text);
                let _ = write!(text, "------\n{}------\n", context.snippet(&self.content));
                let _ = writeln!(text, "{code} ({description}): {message}");
            }
        };
        let row = |problem: &Problem<ErrorCode>| (problem.code.code(), problem.code.description());
        section(
            "Errors",
            self.errors
                .iter()
                .map(|error| (&error.context, row(error).0, row(error).1, error.message.as_str()))
                .collect(),
        );
        section(
            "Warnings",
            self.warnings
                .iter()
                .map(|warning| {
                    (
                        &warning.context,
                        warning.code.code(),
                        warning.code.description(),
                        warning.message.as_str(),
                    )
                })
                .collect(),
        );
        text
    }
}

/// Falco's form.
impl Serialize for LoadResult {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shown = |code: &'static str, description, message, context| Shown {
            code,
            description,
            message,
            context: WithSnippet(context, &self.content),
        };
        let errors: Vec<Shown<'_>> = self
            .errors
            .iter()
            .map(|error| shown(error.code.code(), error.code.description(), &error.message, &error.context))
            .collect();
        let warnings: Vec<Shown<'_>> = self
            .warnings
            .iter()
            .map(|warning| {
                shown(warning.code.code(), warning.code.description(), &warning.message, &warning.context)
            })
            .collect();
        let mut result = serializer.serialize_struct("LoadResult", 4)?;
        result.serialize_field("errors", &errors)?;
        result.serialize_field("name", &self.name)?;
        result.serialize_field("successful", &self.is_successful())?;
        result.serialize_field("warnings", &warnings)?;
        result.end()
    }
}

#[derive(Serialize)]
struct Shown<'a> {
    code: &'static str,
    #[serde(rename = "codedesc")]
    description: &'static str,
    context: WithSnippet<'a>,
    message: &'a str,
}

struct WithSnippet<'a>(&'a Context, &'a str);

impl Serialize for WithSnippet<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Step<'a> {
            item_name: &'a str,
            item_type: &'a str,
            position: Place<'a>,
        }
        #[derive(Serialize)]
        struct Place<'a> {
            column: u32,
            line: u32,
            name: &'a str,
            offset: u32,
        }
        let steps: Vec<Step<'_>> = self
            .0
            .locations
            .iter()
            .map(|location| Step {
                item_name: &location.item_name,
                item_type: location.item_type,
                position: Place {
                    column: location.column,
                    line: location.line,
                    name: &location.name,
                    offset: location.offset,
                },
            })
            .collect();
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("locations", &steps)?;
        map.serialize_entry("snippet", &self.0.snippet(self.1))?;
        map.end()
    }
}
