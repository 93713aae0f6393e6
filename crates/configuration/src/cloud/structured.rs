//! JSON in strings, such as policies, as the documents they are.

use yagura_formats::document::json::{self, Dialect};
use yagura_formats::document::{Node, Span, Value};

use super::symbol;

/// The tag of a document that a string states.
const TAG: &str = "json";

/// Marks a document as one that a string states.
pub fn tagged(mut node: Node<'static>) -> Node<'static> {
    if node.value != Value::Unknown {
        node.tag = Some(TAG.into());
    }
    node
}

/// What a string states, where it is a JSON object or list; what a document is, where it is one already.
pub fn stated(node: Node<'static>) -> Node<'static> {
    let Value::String(text) = &node.value else { return node };
    parse(text, node.span).unwrap_or(node)
}

/// What a text with marks states: JSON whose strings may be unknown.
pub fn marked(text: &str, span: Span) -> Option<Node<'static>> {
    if !looks_structured(text) {
        return None;
    }
    parse(&quote_bare_references(text), span)
}

fn looks_structured(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
}

fn parse(text: &str, span: Span) -> Option<Node<'static>> {
    if !looks_structured(text) {
        return None;
    }
    let node = json::parse(text, Dialect::Json).documents.into_iter().next()?;
    Some(tagged(place(node, span)))
}

/// Gives each value its line where the string has lines of its own (a heredoc starts below its `<<`), and turns strings
/// with references into unknown values.
fn place(node: Node<'_>, outer: Span) -> Node<'static> {
    let span = if outer.end_line > outer.line {
        let line = outer.line.saturating_add(node.span.line).min(outer.end_line);
        let end_line = outer.line.saturating_add(node.span.end_line).min(outer.end_line);
        Span { line, end_line, column: node.span.column, ..outer }
    } else {
        outer
    };
    let value = match node.value {
        Value::String(text) if text.contains(symbol::OPEN) => return symbol::unknown(span, &text),
        Value::Sequence(items) => Value::Sequence(items.into_iter().map(|item| place(item, outer)).collect()),
        Value::Mapping(entries) => Value::Mapping(
            entries
                .into_iter()
                .map(|entry| yagura_formats::document::Entry {
                    key: place_key(entry.key, outer),
                    value: place(entry.value, outer),
                })
                .collect(),
        ),
        other => return Node::new(span, Node::new(span, other).into_owned().value),
    };
    Node::new(span, value)
}

fn place_key(key: Node<'_>, outer: Span) -> Node<'static> {
    let text = match &key.value {
        Value::String(text) => symbol::shown(text),
        _ => String::new(),
    };
    let span = place(Node::new(key.span, Value::Null), outer).span;
    Node::new(span, Value::String(text.into()))
}

/// Puts quotes around references that stand outside of strings, as in `"Port": ${var.port}`.
fn quote_bare_references(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 16);
    let (mut in_string, mut escaped) = (false, false);
    for character in text.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            symbol::OPEN if !in_string => quoted.push('"'),
            _ => {}
        }
        quoted.push(character);
        if character == symbol::CLOSE && !in_string {
            quoted.push('"');
        }
    }
    quoted
}
