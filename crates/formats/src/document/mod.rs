//! Structured text as a tree whose every node knows where it stands.
//!
//! YAML, JSON and TOML give the same tree, so whoever reads a lockfile or judges a configuration need not know which it
//! was, and can point at the line that says so. The parsers take any bytes: what breaks a bound or the grammar
//! becomes a [`Problem`], and what was read before it stays. This module must not know what a document means.

pub mod json;
mod lines;
mod text;
pub mod toml;
pub mod yaml;

use std::borrow::Cow;

use yagura_model::SkipReason;

pub use lines::Lines;
pub use text::Text;

/// Deepest nesting of sequences and mappings, aliases expanded.
pub const MAX_DEPTH: u32 = 128;
/// Most nodes of one text, all documents and expanded aliases together.
pub const MAX_NODES: usize = 1_000_000;
/// Most problems kept for one text.
const MAX_PROBLEMS: usize = 100;

/// What a text holds: one document for JSON and TOML, any number for YAML.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree<'a> {
    pub documents: Vec<Node<'a>>,
    pub problems: Vec<Problem>,
}

/// A place where a text breaks its grammar or a bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// None when nothing is lost by it: a key given twice, of which the last one counts.
    pub reason: Option<SkipReason>,
    /// From 1.
    pub line: u32,
    pub detail: String,
}

/// Where a node stands in the text it was read from; for an expanded alias, where its anchor stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// Byte offset of the first byte.
    pub start: u32,
    /// Byte offset after the last byte.
    pub end: u32,
    /// Line of the first byte, from 1.
    pub line: u32,
    /// Characters before it in that line, plus 1.
    pub column: u32,
    /// Line of the last byte, from 1.
    pub end_line: u32,
    /// Which text of a configuration made of several; 0 for the only one.
    pub source: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Node<'a> {
    pub span: Span,
    /// An explicit YAML tag, such as `!Ref` or `tag:yaml.org,2002:str`.
    pub tag: Option<Box<str>>,
    pub value: Value<'a>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// A value that cannot be known from the text alone: a variable without a default, an attribute the cloud fills in.
    /// No parser makes it; whoever evaluates a configuration does.
    Unknown,
    Null,
    Bool(bool),
    /// As written, so that neither precision nor a version such as `1.10` is lost.
    Number(Cow<'a, str>),
    String(Cow<'a, str>),
    Sequence(Vec<Node<'a>>),
    /// In the order of the text; keys may repeat (see [`Tree::problems`]).
    Mapping(Vec<Entry<'a>>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Entry<'a> {
    pub key: Node<'a>,
    pub value: Node<'a>,
}

impl<'a> Tree<'a> {
    /// The first document.
    pub fn root(&self) -> Option<&Node<'a>> {
        self.documents.first()
    }

    fn problem(&mut self, reason: SkipReason, line: u32, detail: impl Into<String>) {
        // What breaks a text is always told, however many keys repeated before.
        self.problems.push(Problem { reason: Some(reason), line, detail: detail.into() });
    }

    /// Reports each key that a mapping has twice.
    fn note_duplicates(&mut self, entries: &[Entry<'_>]) {
        const FEW: usize = 12;
        if entries.len() <= FEW {
            for (at, entry) in entries.iter().enumerate() {
                let Some(key) = entry.key.scalar() else { continue };
                if entries.iter().take(at).any(|earlier| earlier.key.scalar() == Some(key)) {
                    self.duplicate(key, entry.key.span.line);
                }
            }
        } else {
            let mut seen = std::collections::HashSet::with_capacity(entries.len());
            for entry in entries {
                let Some(key) = entry.key.scalar() else { continue };
                if !seen.insert(key) {
                    self.duplicate(key, entry.key.span.line);
                }
            }
        }
    }

    fn duplicate(&mut self, key: &str, line: u32) {
        if self.problems.len() < MAX_PROBLEMS {
            let shown: String = key.chars().take(80).collect();
            let detail = format!("key `{shown}` is given twice; the last one counts");
            self.problems.push(Problem { reason: None, line, detail });
        }
    }
}

impl<'a> Node<'a> {
    pub fn new(span: Span, value: Value<'a>) -> Self {
        Self { span, tag: None, value }
    }

    /// The same tree with text of its own, to outlive what it was read from.
    pub fn into_owned(self) -> Node<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        let value = match self.value {
            Value::Unknown => Value::Unknown,
            Value::Null => Value::Null,
            Value::Bool(value) => Value::Bool(value),
            Value::Number(text) => Value::Number(own(text)),
            Value::String(text) => Value::String(own(text)),
            Value::Sequence(items) => Value::Sequence(items.into_iter().map(Node::into_owned).collect()),
            Value::Mapping(entries) => Value::Mapping(
                entries
                    .into_iter()
                    .map(|entry| Entry { key: entry.key.into_owned(), value: entry.value.into_owned() })
                    .collect(),
            ),
        };
        Node { span: self.span, tag: self.tag, value }
    }

    /// Makes the tree one of a larger set of files: its sources count from `first`.
    pub fn shift_source(&mut self, first: u32) {
        self.span.source = self.span.source.saturating_add(first);
        match &mut self.value {
            Value::Sequence(items) => items.iter_mut().for_each(|item| item.shift_source(first)),
            Value::Mapping(entries) => entries.iter_mut().for_each(|entry| {
                entry.key.shift_source(first);
                entry.value.shift_source(first);
            }),
            _ => {}
        }
    }

    /// Makes the tree one of a longer text: `lines` stand before its first one.
    pub fn shift_lines(&mut self, lines: u32) {
        self.span.line = self.span.line.saturating_add(lines);
        self.span.end_line = self.span.end_line.saturating_add(lines);
        match &mut self.value {
            Value::Sequence(items) => items.iter_mut().for_each(|item| item.shift_lines(lines)),
            Value::Mapping(entries) => entries.iter_mut().for_each(|entry| {
                entry.key.shift_lines(lines);
                entry.value.shift_lines(lines);
            }),
            _ => {}
        }
    }

    /// The value of a key of a mapping; the last where the key repeats.
    pub fn get(&self, key: &str) -> Option<&Node<'a>> {
        self.entries().iter().rev().find(|entry| entry.key.scalar() == Some(key)).map(|entry| &entry.value)
    }

    /// Follows keys through nested mappings.
    pub fn at(&self, path: &[&str]) -> Option<&Node<'a>> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The entries of a mapping; none for anything else.
    pub fn entries(&self) -> &[Entry<'a>] {
        match &self.value {
            Value::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a sequence; none for anything else.
    pub fn items(&self) -> &[Node<'a>] {
        match &self.value {
            Value::Sequence(items) => items,
            _ => &[],
        }
    }

    /// The text of a string only.
    pub fn string(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The text of a string, number or boolean.
    pub fn scalar(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) | Value::Number(text) => Some(text),
            Value::Bool(true) => Some("true"),
            Value::Bool(false) => Some("false"),
            _ => None,
        }
    }

    pub fn boolean(&self) -> Option<bool> {
        match self.value {
            Value::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// An integer that fits; decimal, or `0x` and `0o` as YAML writes them.
    pub fn integer(&self) -> Option<i64> {
        let Value::Number(text) = &self.value else { return None };
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let magnitude = if let Some(hex) = digits.strip_prefix("0x") {
            i64::from_str_radix(hex, 16).ok()?
        } else if let Some(octal) = digits.strip_prefix("0o") {
            i64::from_str_radix(octal, 8).ok()?
        } else {
            return text.parse().ok();
        };
        Some(if negative { magnitude.checked_neg()? } else { magnitude })
    }

    pub fn is_null(&self) -> bool {
        self.value == Value::Null
    }

    pub fn is_unknown(&self) -> bool {
        self.value == Value::Unknown
    }

    /// The text of the scalar under a key.
    pub fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key)?.scalar()
    }

    /// Whether the key holds `true`.
    pub fn flag(&self, key: &str) -> bool {
        self.get(key).and_then(Node::boolean).unwrap_or(false)
    }
}

/// Bytes as text: UTF-8, or UTF-16 where a byte order mark says so. Bytes that are neither become U+FFFD, so that one
/// of them in a description does not hide all the rest.
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest),
        [0xff, 0xfe, rest @ ..] => Cow::Owned(utf16(rest, u16::from_le_bytes)),
        [0xfe, 0xff, rest @ ..] => Cow::Owned(utf16(rest, u16::from_be_bytes)),
        _ => String::from_utf8_lossy(bytes),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let (pairs, _) = bytes.as_chunks::<2>();
    char::decode_utf16(pairs.iter().map(|pair| unit(*pair)))
        .map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// The column that follows `before`, the text between the start of the line and a node.
fn column_after(before: &str) -> u32 {
    /// Beyond this a line is not read by people, and bytes are counted to stay quick.
    const LONG_LINE: usize = 4096;
    let characters = if before.len() < LONG_LINE { before.chars().count() } else { before.len() };
    u32::try_from(characters).unwrap_or(u32::MAX).saturating_add(1)
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn byte_order_marks_choose_the_encoding() {
        for bytes in [&b"\xef\xbb\xbfa\xc3\xa9"[..], b"\xff\xfea\0\xe9\0", b"\xfe\xff\0a\0\xe9", b"a\xc3\xa9"]
        {
            assert_eq!(decode(bytes), "aé");
        }
        assert_eq!(decode(b"a\xff"), "a\u{fffd}");
    }
}
