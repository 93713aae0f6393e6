//! Strict reading of rule files: every key is known, every mistake has its place.

use yagura_formats::document::{Node, Value};

/// Longest text in a rule file, in bytes.
const MAX_TEXT: usize = 16 << 10;

/// A mistake in a rule file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}:{line}:{column}: {message}")]
pub struct InvalidRule {
    pub path: String,
    pub line: u32,
    pub column: u32,
    pub message: String,
}

/// A mistake before the file's name is known.
#[derive(Debug)]
pub(super) struct Mistake {
    pub line: u32,
    pub column: u32,
    pub message: String,
}

pub(super) type Read<T> = Result<T, Mistake>;

impl Mistake {
    pub fn at(node: &Node<'_>, message: impl Into<String>) -> Self {
        Self { line: node.span.line.max(1), column: node.span.column.max(1), message: message.into() }
    }

    pub fn in_file(self, path: &str) -> InvalidRule {
        InvalidRule { path: path.to_owned(), line: self.line, column: self.column, message: self.message }
    }
}

/// Text for people, by language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    pub en: String,
    /// Empty where nobody wrote it: English is shown.
    pub ja: String,
}

impl Words {
    /// By BCP 47 tag; English where the language has none.
    pub fn by_tag(&self, tag: &str) -> &str {
        if tag == "ja" && !self.ja.is_empty() { &self.ja } else { &self.en }
    }
}

/// A mapping all of whose keys are known.
pub(super) struct Fields<'n, 'a> {
    node: &'n Node<'a>,
    what: &'static str,
}

impl<'n, 'a> Fields<'n, 'a> {
    pub fn of(node: &'n Node<'a>, what: &'static str, known: &[&str]) -> Read<Self> {
        if !matches!(node.value, Value::Mapping(_)) {
            return Err(Mistake::at(node, format!("{what} is a mapping with {}", known.join(", "))));
        }
        for (index, entry) in node.entries().iter().enumerate() {
            let key = entry.key.scalar().unwrap_or_default();
            let shown: String = key.chars().take(60).collect();
            if !known.contains(&key) {
                let known = known.join(", ");
                return Err(Mistake::at(&entry.key, format!("unknown key `{shown}`; {what} has {known}")));
            }
            if node.entries().iter().take(index).any(|earlier| earlier.key.scalar() == Some(key)) {
                return Err(Mistake::at(&entry.key, format!("key `{shown}` is given twice")));
            }
        }
        Ok(Self { node, what })
    }

    pub fn get(&self, key: &str) -> Option<&'n Node<'a>> {
        self.node.get(key).filter(|node| !node.is_null())
    }

    pub fn need(&self, key: &str) -> Read<&'n Node<'a>> {
        self.get(key).ok_or_else(|| Mistake::at(self.node, format!("{} needs `{key}`", self.what)))
    }
}

/// A text that says something.
pub(super) fn text(node: &Node<'_>, what: &str) -> Read<String> {
    let text = node.scalar().map(str::trim).filter(|text| !text.is_empty());
    match text {
        Some(text) if text.len() <= MAX_TEXT => Ok(text.to_owned()),
        Some(_) => Err(Mistake::at(node, format!("{what} is longer than {} KiB", MAX_TEXT >> 10))),
        None => Err(Mistake::at(node, format!("{what} must be a text that is not empty"))),
    }
}

/// `{en, ja}`, or plain text.
pub(super) fn words(node: &Node<'_>, what: &'static str) -> Read<Words> {
    if node.scalar().is_some() {
        return Ok(Words { en: text(node, what)?, ja: String::new() });
    }
    let fields = Fields::of(node, what, &["en", "ja"])?;
    let ja = fields.get("ja").map_or(Ok(String::new()), |node| text(node, what))?;
    Ok(Words { en: text(fields.need("en")?, what)?, ja })
}

/// A text, or a list of them.
pub(super) fn texts(node: &Node<'_>, what: &str) -> Read<Vec<String>> {
    match node.value {
        Value::Sequence(_) => node.items().iter().map(|item| text(item, what)).collect(),
        _ => Ok(vec![text(node, what)?]),
    }
}

pub(super) fn flag(node: &Node<'_>, what: &str) -> Read<bool> {
    node.boolean().ok_or_else(|| Mistake::at(node, format!("{what} is true or false")))
}
