//! What can go wrong with an expression, before and while it is evaluated.

use std::borrow::Cow;

/// Text that is no expression, or names what does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at character {offset}: {message}")]
pub struct SyntaxError {
    /// Byte offset in the text.
    pub offset: u32,
    pub message: String,
}

impl SyntaxError {
    pub(crate) fn new(offset: usize, message: impl Into<String>) -> Self {
        Self { offset: u32::try_from(offset).unwrap_or(u32::MAX), message: message.into() }
    }

    pub(crate) fn moved(mut self, by: usize) -> Self {
        self.offset = self.offset.saturating_add(u32::try_from(by).unwrap_or(u32::MAX));
        self
    }

    /// Line and column of it in the text, both from 1.
    pub fn place(&self, text: &str) -> (u32, u32) {
        let before = text.get(..self.offset as usize).unwrap_or(text);
        let line = before.matches('\n').count() as u32 + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() as u32 + 1;
        (line, column)
    }
}

/// Why an evaluation has no value.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// It needs a value that cannot be known.
    Unknown,
    Error(Box<EvaluationError>),
}

/// An error in CEL's sense: `false && error` is false.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EvaluationError {
    pub message: Cow<'static, str>,
    /// The evaluation was ended by its budget, and no operator may hide that.
    pub is_final: bool,
}

impl Fault {
    /// An error that a host tells.
    pub fn of(message: impl Into<Cow<'static, str>>) -> Self {
        Self::error(message)
    }

    pub(crate) fn error(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Error(Box::new(EvaluationError { message: message.into(), is_final: false }))
    }

    pub(crate) fn exhausted() -> Self {
        let message = Cow::Borrowed("the expression takes too many steps");
        Self::Error(Box::new(EvaluationError { message, is_final: true }))
    }

    pub(crate) fn no_overload(what: &str) -> Self {
        Self::error(format!("no such overload: {what}"))
    }

    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Error(error) if error.is_final)
    }

    /// Of two operands that both have none: unknown before error, the first before the second.
    pub(crate) fn joined(self, other: Self) -> Self {
        match (&self, &other) {
            _ if self.is_final() => self,
            _ if other.is_final() => other,
            (Self::Error(_), Self::Unknown) => other,
            _ => self,
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown => f.write_str("a value cannot be known"),
            Self::Error(error) => error.fmt(f),
        }
    }
}
