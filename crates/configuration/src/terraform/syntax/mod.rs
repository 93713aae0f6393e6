//! The configuration language of Terraform as a syntax tree whose every part knows where it stands.
//!
//! Our own parser for the native syntax (HCL, as its specification states it) and the reader of the JSON syntax give
//! the same tree. What breaks the grammar becomes a [`Problem`]; blocks before and after it are kept. This module
//! must not know what a block or a name means.

mod body;
mod cursor;
mod expression;
mod heredoc;
mod json;
mod template;

use std::borrow::Cow;

use yagura_formats::document::{MAX_DEPTH, MAX_NODES, Problem, Span};
use yagura_model::SkipReason;

pub use json::parse as parse_json;

/// A file, or what stands between the braces of a block.
#[derive(Debug, Default)]
pub struct Body<'a> {
    pub attributes: Vec<Attribute<'a>>,
    pub blocks: Vec<Block<'a>>,
}

#[derive(Debug)]
pub struct Attribute<'a> {
    pub name: Cow<'a, str>,
    /// Of the name.
    pub span: Span,
    pub value: Expression<'a>,
}

#[derive(Debug)]
pub struct Block<'a> {
    pub kind: Cow<'a, str>,
    pub labels: Vec<Cow<'a, str>>,
    pub body: Body<'a>,
    /// From the first byte of the kind to the closing brace.
    pub span: Span,
}

#[derive(Debug)]
pub struct Expression<'a> {
    pub span: Span,
    pub kind: Kind<'a>,
    /// Levels below this one; bounds every recursion over the tree.
    height: u16,
}

#[derive(Debug)]
pub enum Kind<'a> {
    Null,
    Bool(bool),
    Number(Cow<'a, str>),
    String(Cow<'a, str>),
    Template(Vec<Part<'a>>),
    Tuple(Vec<Expression<'a>>),
    Object(Vec<(Expression<'a>, Expression<'a>)>),
    /// The first name of a reference: `var`, `local`, a resource type, an iterator.
    Variable(Cow<'a, str>),
    Attribute(Box<Expression<'a>>, Cow<'a, str>),
    Index(Box<(Expression<'a>, Expression<'a>)>),
    Splat(Box<Expression<'a>>, Vec<Step<'a>>),
    Call {
        name: Cow<'a, str>,
        arguments: Vec<Expression<'a>>,
        /// The last argument is followed by `...` and gives all remaining ones.
        expand: bool,
    },
    Not(Box<Expression<'a>>),
    Negate(Box<Expression<'a>>),
    Binary(Operator, Box<(Expression<'a>, Expression<'a>)>),
    Conditional(Box<[Expression<'a>; 3]>),
    For(Box<For<'a>>),
}

/// What follows a splat, applied to each element.
#[derive(Debug)]
pub enum Step<'a> {
    Attribute(Cow<'a, str>),
    Index(Expression<'a>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}

#[derive(Debug)]
pub struct For<'a> {
    pub key: Option<Cow<'a, str>>,
    pub value: Cow<'a, str>,
    pub collection: Expression<'a>,
    /// Some for `{for …}`.
    pub result_key: Option<Expression<'a>>,
    pub result: Expression<'a>,
    /// `...` after the value of `{for …}`.
    pub group: bool,
    pub condition: Option<Expression<'a>>,
}

#[derive(Debug)]
pub enum Part<'a> {
    Text(Cow<'a, str>),
    Interpolation(Expression<'a>),
    If { condition: Expression<'a>, then: Vec<Part<'a>>, otherwise: Vec<Part<'a>> },
    For { key: Option<Cow<'a, str>>, value: Cow<'a, str>, collection: Expression<'a>, body: Vec<Part<'a>> },
}

/// What a text holds, and where it breaks the grammar.
#[derive(Debug, Default)]
pub struct File<'a> {
    pub body: Body<'a>,
    pub problems: Vec<Problem>,
}

/// Most mistakes told of one text.
const MAX_PROBLEMS: usize = 50;

/// Why a part of a text could not be read.
#[derive(Debug)]
struct Failure {
    reason: SkipReason,
    line: u32,
    detail: String,
}

/// Reads the native syntax. `source` is the index of the file that spans carry.
pub fn parse(text: &str, source: u32) -> File<'_> {
    let mut parser = Parser { cursor: cursor::Cursor::new(text, source), nodes: 0, depth: 0 };
    let mut file = File::default();
    if u32::try_from(text.len()).is_err() {
        let detail = "text of 4 GiB or more".to_owned();
        file.problems.push(Problem { reason: Some(SkipReason::TooLarge), line: 1, detail });
        return file;
    }
    while let Err(failure) = parser.body_items(&mut file.body, false) {
        let fatal = failure.reason == SkipReason::TooMany || file.problems.len() + 1 >= MAX_PROBLEMS;
        let Failure { reason, line, detail } = failure;
        file.problems.push(Problem { reason: Some(reason), line, detail });
        if fatal || !parser.cursor.skip_to_block() {
            break;
        }
        parser.depth = 0;
    }
    file
}

/// Reads a text as a template, as `templatefile` does with a file of its own. Spans count from the text's start.
pub fn parse_template(text: &str, source: u32) -> Result<Expression<'_>, String> {
    let mut parser = Parser { cursor: cursor::Cursor::new(text, source), nodes: 0, depth: 0 };
    parser.whole_template().map_err(|failure| format!("line {}: {}", failure.line, failure.detail))
}

/// Reads a text as one expression, as strings of the JSON syntax hold them where a reference must stand.
pub fn parse_expression(text: &str, source: u32) -> Result<Expression<'_>, String> {
    let mut parser = Parser { cursor: cursor::Cursor::new(text, source), nodes: 0, depth: 0 };
    let whole = |parser: &mut Parser<'_>| parser.cursor.blank(true).is_ok() && parser.cursor.peek().is_none();
    match parser.expression(true) {
        Ok(expression) if whole(&mut parser) => Ok(expression),
        Ok(_) => Err("text after the expression".to_owned()),
        Err(failure) => Err(failure.detail),
    }
}

struct Parser<'a> {
    cursor: cursor::Cursor<'a>,
    nodes: usize,
    depth: u32,
}

impl<'a> Parser<'a> {
    fn fail<T>(&self, detail: impl Into<String>) -> Result<T, Failure> {
        let reason = match self.cursor.peek() {
            None => SkipReason::Truncated,
            Some(_) => SkipReason::Malformed,
        };
        Err(Failure { reason, line: self.cursor.line, detail: detail.into() })
    }

    /// Counts one more level; every recursive rule of the grammar passes here.
    fn deeper<T>(&mut self, rule: impl FnOnce(&mut Self) -> Result<T, Failure>) -> Result<T, Failure> {
        if self.depth >= MAX_DEPTH {
            let detail = format!("nested deeper than {MAX_DEPTH}");
            return Err(Failure { reason: SkipReason::TooDeep, line: self.cursor.line, detail });
        }
        self.depth += 1;
        let result = rule(self);
        self.depth -= 1;
        result
    }

    /// An expression from `start` to here, one level above the highest of its parts.
    fn make(&mut self, start: Span, kind: Kind<'a>) -> Result<Expression<'a>, Failure> {
        self.nodes += 1;
        let too = |reason, detail| Err(Failure { reason, line: start.line, detail });
        if self.nodes > MAX_NODES {
            return too(SkipReason::TooMany, format!("more than {MAX_NODES} values"));
        }
        let height = kind.height().saturating_add(1);
        if u32::from(height) > MAX_DEPTH {
            return too(SkipReason::TooDeep, format!("nested deeper than {MAX_DEPTH}"));
        }
        Ok(Expression { span: self.cursor.until(start), kind, height })
    }
}

impl<'a> Expression<'a> {
    /// An expression that is part of no text, or whose parts were bounded by another parser.
    fn leaf(span: Span, kind: Kind<'a>) -> Self {
        let height = kind.height().saturating_add(1);
        Self { span, kind, height }
    }

    /// Spells out the names of a plain reference: `aws_s3_bucket.logs` gives both. None for anything else.
    pub fn names(&self) -> Option<Vec<&str>> {
        match &self.kind {
            Kind::Variable(name) => Some(vec![name]),
            Kind::Attribute(of, name) => {
                let mut names = of.names()?;
                names.push(name);
                Some(names)
            }
            _ => None,
        }
    }

    /// The text of a string without interpolation, or the single name of a bare word.
    pub fn word(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(text) | Kind::Variable(text) => Some(text),
            _ => None,
        }
    }
}

impl Kind<'_> {
    fn height(&self) -> u16 {
        let max = |parts: &[Expression<'_>]| parts.iter().map(|part| part.height).max().unwrap_or(0);
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) | Self::Variable(_) => 0,
            Self::Template(parts) => Part::height(parts),
            Self::Tuple(items) => max(items),
            Self::Object(items) => {
                items.iter().map(|(key, value)| key.height.max(value.height)).max().unwrap_or(0)
            }
            Self::Attribute(of, _) | Self::Not(of) | Self::Negate(of) => of.height,
            Self::Index(pair) | Self::Binary(_, pair) => pair.0.height.max(pair.1.height),
            Self::Splat(of, steps) => {
                let index = |step: &Step<'_>| match step {
                    Step::Attribute(_) => 0,
                    Step::Index(index) => index.height,
                };
                steps.iter().map(index).max().unwrap_or(0).max(of.height)
            }
            Self::Call { arguments, .. } => max(arguments),
            Self::Conditional(parts) => max(&parts[..]),
            Self::For(of) => {
                let optional = |part: &Option<Expression<'_>>| part.as_ref().map_or(0, |part| part.height);
                of.collection
                    .height
                    .max(of.result.height)
                    .max(optional(&of.result_key))
                    .max(optional(&of.condition))
            }
        }
    }
}

impl Part<'_> {
    fn height(parts: &[Part<'_>]) -> u16 {
        let of = |part: &Part<'_>| match part {
            Part::Text(_) => 0,
            Part::Interpolation(expression) => expression.height,
            Part::If { condition, then, otherwise } => {
                condition.height.max(Part::height(then)).max(Part::height(otherwise)).saturating_add(1)
            }
            Part::For { collection, body, .. } => collection.height.max(Part::height(body)).saturating_add(1),
        };
        parts.iter().map(of).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
