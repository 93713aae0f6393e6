//! Unknown values that say what they refer to.
//!
//! `${aws_s3_bucket.logs.arn}/*` cannot be known before the cloud has made the bucket, but which bucket it is about is
//! known. Such a value is [`Value::Unknown`] whose tag is that text. While a text is built, references stand between
//! marks, so that a literal `${aws:username}` of a policy is never taken for one.

use yagura_formats::document::{Node, Span, Value};

/// Marks around a reference: private characters that no configuration has a reason to hold.
pub const OPEN: char = '\u{F0001}';
pub const CLOSE: char = '\u{F0002}';

/// A reference between marks.
pub fn mark(reference: &str) -> String {
    format!("{OPEN}{reference}{CLOSE}")
}

/// A node for marked text.
pub fn unknown(span: Span, marked: &str) -> Node<'static> {
    let tag = Some(shown(marked).into_boxed_str());
    Node { span, tag, value: Value::Unknown }
}

/// Marked text as people write it.
pub fn shown(marked: &str) -> String {
    let mut text = String::with_capacity(marked.len());
    for character in marked.chars() {
        match character {
            OPEN => text.push_str("${"),
            CLOSE => text.push('}'),
            other => text.push(other),
        }
    }
    text
}

/// Marked text that is one reference and nothing else.
pub fn single(marked: &str) -> Option<&str> {
    let inner = marked.strip_prefix(OPEN)?.strip_suffix(CLOSE)?;
    (!inner.is_empty() && !inner.contains(OPEN)).then_some(inner)
}

/// The references in an unknown node, in order: `aws_s3_bucket.logs.arn` for the example above.
pub fn references<'n>(node: &'n Node<'_>) -> impl Iterator<Item = &'n str> {
    let text = match node.value {
        Value::Unknown => node.tag.as_deref().unwrap_or_default(),
        _ => "",
    };
    text.split("${").skip(1).filter_map(|rest| rest.split_once('}')).map(|(reference, _)| reference)
}
