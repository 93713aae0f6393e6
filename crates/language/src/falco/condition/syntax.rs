//! The syntax tree of a condition.

use std::fmt;
use std::sync::Arc;

/// A place in the text of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// In bytes, from 0.
    pub offset: u32,
    /// From 1.
    pub line: u32,
    /// In bytes, from 1.
    pub column: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    And(Vec<Expression>),
    Or(Vec<Expression>),
    Not(Box<Expression>),
    Check(Check),
    /// A macro's name that nobody has resolved yet.
    Macro(Arc<str>, Position),
    /// What a macro's name was resolved to; shared by all its uses.
    Shared(Arc<Expression>),
}

/// A comparison: the leaf of a condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    pub left: Term,
    pub operator: Operator,
    pub right: Right,
    pub at: Position,
}

/// Something that has a value for an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Term {
    Field { name: String, argument: Option<String>, at: Position },
    Transformer { name: TransformerName, arguments: Vec<Term>, argument: Option<String>, at: Position },
    Value(Vec<u8>, Position),
    List(Vec<Term>, Position),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Right {
    /// For `exists`.
    None,
    Value(Vec<u8>),
    List(Vec<Vec<u8>>),
    Term(Term),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Operator {
    pub comparison: Comparison,
    pub modifier: Option<Modifier>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    Exists,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Contains,
    ContainsIgnoringCase,
    /// `bcontains`: the right-hand side is hexadecimal.
    ContainsBytes,
    StartsWith,
    StartsWithBytes,
    EndsWith,
    Glob,
    GlobIgnoringCase,
    Regex,
    In,
    Intersects,
    PathMatch,
}

/// What an operator with a list of right-hand sides asks of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Modifier {
    OneOf,
    AnyOf,
    AllOf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransformerName {
    /// Only marks a field on the right-hand side.
    Value,
    ToLower,
    ToUpper,
    Base64,
    Basename,
    Length,
    Join,
    Concat,
    GetOption,
}

impl TransformerName {
    pub const ALL: [Self; 9] = [
        Self::Value,
        Self::ToLower,
        Self::ToUpper,
        Self::Base64,
        Self::Basename,
        Self::Length,
        Self::Join,
        Self::Concat,
        Self::GetOption,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Value => "val",
            Self::ToLower => "tolower",
            Self::ToUpper => "toupper",
            Self::Base64 => "b64",
            Self::Basename => "basename",
            Self::Length => "len",
            Self::Join => "join",
            Self::Concat => "concat",
            Self::GetOption => "getopt",
        }
    }
}

impl Comparison {
    pub fn name(self) -> &'static str {
        match self {
            Self::Exists => "exists",
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Contains => "contains",
            Self::ContainsIgnoringCase => "icontains",
            Self::ContainsBytes => "bcontains",
            Self::StartsWith => "startswith",
            Self::StartsWithBytes => "bstartswith",
            Self::EndsWith => "endswith",
            Self::Glob => "glob",
            Self::GlobIgnoringCase => "iglob",
            Self::Regex => "regex",
            Self::In => "in",
            Self::Intersects => "intersects",
            Self::PathMatch => "pmatch",
        }
    }
}

impl Modifier {
    pub fn name(self) -> &'static str {
        match self {
            Self::OneOf => "oneof",
            Self::AnyOf => "anyof",
            Self::AllOf => "allof",
        }
    }
}

impl Term {
    pub fn at(&self) -> Position {
        match self {
            Self::Field { at, .. }
            | Self::Transformer { at, .. }
            | Self::Value(_, at)
            | Self::List(_, at) => *at,
        }
    }

    /// Calls `visit` with the name and argument of every field in it.
    pub fn fields<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Option<&'a str>)) {
        match self {
            Self::Field { name, argument, .. } => visit(name, argument.as_deref()),
            Self::Transformer { arguments: terms, .. } | Self::List(terms, _) => {
                for term in terms {
                    term.fields(visit);
                }
            }
            Self::Value(..) => {}
        }
    }
}

/// As it is written, so that it names the field in JSON output.
impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let terms = |terms: &[Term], f: &mut fmt::Formatter<'_>| {
            for (at, term) in terms.iter().enumerate() {
                f.write_str(if at == 0 { "" } else { ", " })?;
                term.fmt(f)?;
            }
            f.write_str(")")
        };
        let argument = match self {
            Self::Field { name, argument, .. } => {
                f.write_str(name)?;
                argument
            }
            Self::Transformer { name, arguments, argument, .. } => {
                write!(f, "{}(", name.name())?;
                terms(arguments, f)?;
                argument
            }
            Self::Value(value, _) => return write!(f, "{}", String::from_utf8_lossy(value)),
            Self::List(items, _) => {
                f.write_str("(")?;
                return terms(items, f);
            }
        };
        match argument {
            Some(argument) => write!(f, "[{argument}]"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}
