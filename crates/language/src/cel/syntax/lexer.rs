//! Tokens of CEL (cel-spec, doc/langdef.md, "Syntax").

use super::MAX_BYTES;
use super::literal::{self, Quote};
use crate::cel::SyntaxError;

#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// A name, reserved words included.
    Name(String),
    /// A name between backquotes, for fields only.
    Quoted(String),
    Int(i64),
    /// The magnitude of an integer that fits only with a minus sign before it.
    SmallestInt,
    Uint(u64),
    Double(f64),
    String(String),
    Bytes(Vec<u8>),
    /// Punctuation, operators among it.
    Mark(&'static str),
    End,
}

#[derive(Clone, Debug)]
pub struct Lexed {
    pub token: Token,
    pub start: u32,
    pub end: u32,
}

/// Longer marks first, so that `<=` is not read as `<`.
const MARKS: [&str; 26] = [
    "&&", "||", "==", "!=", "<=", ">=", ".?", "[?", "(", ")", "[", "]", "{", "}", ".", ",", "?", ":", "+",
    "-", "*", "/", "%", "<", ">", "!",
];

pub fn tokens(text: &str) -> Result<Vec<Lexed>, SyntaxError> {
    if text.len() > MAX_BYTES {
        return Err(SyntaxError::new(0, format!("the expression is longer than {} KiB", MAX_BYTES >> 10)));
    }
    let mut tokens = Vec::new();
    let mut at = 0;
    loop {
        at = blank(text, at);
        let (token, end) = token(text, at)?;
        let done = token == Token::End;
        tokens.push(Lexed { token, start: at as u32, end: end as u32 });
        at = end;
        if done {
            return Ok(tokens);
        }
    }
}

/// Passes white space and comments.
fn blank(text: &str, mut at: usize) -> usize {
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let trimmed = rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}']);
        at += rest.len() - trimmed.len();
        if !trimmed.starts_with("//") {
            return at;
        }
        at += trimmed.find('\n').unwrap_or(trimmed.len());
    }
}

fn token(text: &str, at: usize) -> Result<(Token, usize), SyntaxError> {
    let rest = text.get(at..).unwrap_or_default();
    let Some(first) = rest.chars().next() else { return Ok((Token::End, at)) };
    if let Some(quote) = Quote::of(rest) {
        let (token, length) = literal::string(rest, quote).map_err(|error| error.moved(at))?;
        return Ok((token, at + length));
    }
    if first.is_ascii_alphabetic() || first == '_' {
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        return Ok((Token::Name(rest[..length].to_owned()), at + length));
    }
    let fraction =
        rest.strip_prefix('.').is_some_and(|after| after.starts_with(|c: char| c.is_ascii_digit()));
    if first.is_ascii_digit() || fraction {
        let (token, length) = literal::number(rest).map_err(|error| error.moved(at))?;
        return Ok((token, at + length));
    }
    if let Some(quoted) = rest.strip_prefix('`') {
        let name = quoted.split_once('`').map(|(name, _)| name);
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '/' | ' ');
        return match name.filter(|name| !name.is_empty() && name.chars().all(fits)) {
            Some(name) => Ok((Token::Quoted(name.to_owned()), at + name.len() + 2)),
            None => {
                Err(SyntaxError::new(at, "a backquoted name is letters, digits, `_`, `.`, `-`, `/`, space"))
            }
        };
    }
    match MARKS.iter().find(|mark| rest.starts_with(**mark)) {
        Some(mark) => Ok((Token::Mark(mark), at + mark.len())),
        None => Err(SyntaxError::new(at, format!("`{}` means nothing here", first.escape_default()))),
    }
}
