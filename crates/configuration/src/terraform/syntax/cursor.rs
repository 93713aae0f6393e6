//! A place in a text: what the grammar's rules move along.

use yagura_formats::document::Span;
use yagura_model::SkipReason;

use super::Failure;

#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    pub text: &'a str,
    pub at: usize,
    /// Nothing from here on is read: the end of the text, or of a heredoc within it.
    pub end: usize,
    pub line: u32,
    line_start: usize,
    source: u32,
}

impl<'a> Cursor<'a> {
    pub fn new(text: &'a str, source: u32) -> Self {
        let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Self { text, at, end: text.len(), line: 1, line_start: at, source }
    }

    pub fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..self.end).unwrap_or_default()
    }

    pub fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    pub fn looking_at(&self, word: &str) -> bool {
        self.rest().starts_with(word.as_bytes())
    }

    /// Passes a word that holds no line break.
    pub fn take(&mut self, word: &str) -> bool {
        let found = self.looking_at(word);
        if found {
            self.at += word.len();
        }
        found
    }

    /// Moves on by `length` bytes that may hold line breaks.
    pub fn pass(&mut self, length: usize) {
        let passed = self.rest().get(..length).unwrap_or(self.rest());
        for offset in memchr::memchr_iter(b'\n', passed) {
            self.line = self.line.saturating_add(1);
            self.line_start = self.at + offset + 1;
        }
        self.at += passed.len();
    }

    /// The text of the next `length` bytes.
    pub fn slice(&self, length: usize) -> &'a str {
        let end = self.at.saturating_add(length).min(self.end);
        self.text.get(self.at..end).unwrap_or_default()
    }

    /// Passes spaces, comments and, where they mean nothing, line breaks.
    pub fn blank(&mut self, newlines: bool) -> Result<(), Failure> {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\r') => self.at += 1,
                Some(b'\n') if newlines => self.pass(1),
                Some(b'#') => self.line_comment(),
                Some(b'/') if self.looking_at("//") => self.line_comment(),
                Some(b'/') if self.looking_at("/*") => {
                    let body = self.rest().get(2..).unwrap_or_default();
                    let Some(length) = memchr::memmem::find(body, b"*/") else {
                        let detail = "comment without an end".to_owned();
                        return Err(Failure { reason: SkipReason::Truncated, line: self.line, detail });
                    };
                    self.pass(length + 4);
                }
                _ => return Ok(()),
            }
        }
    }

    /// Passes a comment, but not the line break that ends it.
    fn line_comment(&mut self) {
        self.at += memchr::memchr(b'\n', self.rest()).unwrap_or(self.rest().len());
    }

    /// An identifier: letters, digits, `_` and `-`, not starting with a digit or `-`.
    pub fn identifier(&mut self) -> Option<&'a str> {
        let rest = self.slice(usize::MAX - self.at);
        let mut length = 0;
        for character in rest.chars() {
            let fits = match character {
                '_' | 'a'..='z' | 'A'..='Z' => true,
                '-' | '0'..='9' => length > 0,
                other => !other.is_ascii() && other.is_alphanumeric(),
            };
            if !fits {
                break;
            }
            length += character.len_utf8();
        }
        let name = rest.get(..length).filter(|name| !name.is_empty())?;
        self.at += length;
        Some(name)
    }

    pub fn here(&self) -> Span {
        /// Beyond this a line is not read by people, and bytes are counted to stay quick.
        const LONG_LINE: usize = 4096;
        let before = self.text.get(self.line_start..self.at).unwrap_or_default();
        let characters = if before.len() < LONG_LINE { before.chars().count() } else { before.len() };
        let at = u32::try_from(self.at).unwrap_or(u32::MAX);
        Span {
            start: at,
            end: at,
            line: self.line,
            column: u32::try_from(characters).unwrap_or(u32::MAX).saturating_add(1),
            end_line: self.line,
            source: self.source,
        }
    }

    pub fn until(&self, start: Span) -> Span {
        Span { end: u32::try_from(self.at).unwrap_or(u32::MAX), end_line: self.line, ..start }
    }

    /// Passes on to the next line that starts with a name in its first column, as a block of a formatted file does.
    pub fn skip_to_block(&mut self) -> bool {
        self.end = self.text.len();
        while let Some(offset) = memchr::memchr(b'\n', self.rest()) {
            self.pass(offset + 1);
            if self.peek().is_some_and(|byte| byte.is_ascii_alphabetic()) {
                return true;
            }
        }
        false
    }
}
