//! Paths followed and values converted.

use std::borrow::Cow;

use yagura_formats::document::{Entry, Node, Span, Value};

use super::mapping::{Conversion, Path, Way};
use super::{policy, structured};

/// What a path gives in a body: nothing, or one node. Several parts become one list.
pub(super) fn follow(path: &Path, node: &Node<'static>) -> Option<Node<'static>> {
    for parts in path {
        let mut found: Vec<Node<'static>> = parts.iter().filter_map(|way| step(way, node)).collect();
        match found.len() {
            0 => continue,
            1 if parts.len() == 1 => return found.pop(),
            _ => {}
        }
        let span = found.first().map(|node| node.span).unwrap_or_default();
        let items = found.into_iter().flat_map(|node| match node.value {
            Value::Sequence(items) => items,
            _ => vec![node],
        });
        return Some(Node::new(span, Value::Sequence(items.collect())));
    }
    None
}

fn step(way: &Way, node: &Node<'static>) -> Option<Node<'static>> {
    let keys = match way {
        Way::Constant(text) => {
            return Some(Node::new(node.span, Value::String(Cow::Borrowed(text))));
        }
        Way::Keys(keys) => keys,
    };
    along(keys, node)
}

fn along(keys: &[&str], node: &Node<'static>) -> Option<Node<'static>> {
    let mut at = node;
    for (number, key) in keys.iter().enumerate() {
        // A block that can be there once is a list of one.
        while let Value::Sequence(items) = &at.value {
            at = items.first()?;
        }
        if at.is_unknown() {
            return Some(Node::new(at.span, Value::Unknown));
        }
        let Some(each) = key.strip_suffix("[]") else {
            at = at.get(key)?;
            continue;
        };
        at = at.get(each)?;
        let rest = keys.get(number + 1..).unwrap_or_default();
        if let Value::Sequence(items) = &at.value {
            let found = items.iter().filter_map(|item| along(rest, item));
            let flat = found.flat_map(|found| match found.value {
                Value::Sequence(items) => items,
                _ => vec![found],
            });
            return Some(Node::new(at.span, Value::Sequence(flat.collect())));
        }
    }
    (!at.is_null()).then(|| at.clone())
}

/// Applies one conversion that needs nothing but the value. Links wait until every resource is known.
pub(super) fn convert(conversion: &Conversion, node: Node<'static>) -> Option<Node<'static>> {
    let bool = |span: Span, value: bool| Some(Node::new(span, Value::Bool(value)));
    if node.is_unknown() {
        // What is one value for certain is a list of it all the same.
        let one = *conversion == Conversion::List && policy::is_one(&node);
        return Some(if one { Node::new(node.span, Value::Sequence(vec![node])) } else { node });
    }
    let span = node.span;
    let is_one = |words: &[&str]| {
        node.scalar().is_some_and(|text| words.iter().any(|word| word.eq_ignore_ascii_case(text)))
    };
    match conversion {
        Conversion::Bool => match node.scalar().map(str::to_ascii_lowercase).as_deref() {
            Some("true" | "enabled" | "on" | "yes") => bool(span, true),
            Some("false" | "disabled" | "off" | "no" | "suspended" | "none") => bool(span, false),
            _ => Some(node),
        },
        Conversion::List => match node.value {
            Value::Sequence(_) => Some(node),
            _ => Some(Node::new(span, Value::Sequence(vec![node]))),
        },
        Conversion::Number => match &node.value {
            Value::String(text) if text.parse::<f64>().is_ok() => {
                Some(Node::new(span, Value::Number(Cow::Owned(text.to_string()))))
            }
            _ => Some(node),
        },
        Conversion::Lower => match &node.value {
            Value::String(text) => {
                let lower = text.to_lowercase();
                Some(Node::new(span, Value::String(Cow::Owned(lower))))
            }
            _ => Some(node),
        },
        Conversion::Last => match &node.value {
            Value::String(text) => {
                let last = text.rsplit('/').next().unwrap_or_default().to_owned();
                Some(Node::new(span, Value::String(Cow::Owned(last))))
            }
            _ => Some(node),
        },
        Conversion::Is(words) => bool(span, is_one(words)),
        Conversion::IsNot(words) => bool(span, !is_one(words)),
        Conversion::Has => bool(span, true),
        Conversion::Case(words) => {
            let found = node.scalar().and_then(|text| words.iter().find(|(from, _)| *from == text));
            match found {
                Some((_, to)) => Some(Node::new(span, Value::String(Cow::Borrowed(to)))),
                None => Some(node),
            }
        }
        Conversion::Not => match node.value {
            Value::Bool(value) => bool(span, !value),
            _ => Some(node),
        },
        Conversion::Tags => Some(tags(node)),
        Conversion::Json => Some(structured::stated(node)),
        Conversion::Policy => Some(policy::document(structured::stated(node))),
        Conversion::Link(_) => Some(node),
    }
}

/// `[{Key: a, Value: b}]` as `{a: b}`, which other languages write at once.
fn tags(node: Node<'static>) -> Node<'static> {
    let Value::Sequence(items) = node.value else { return node };
    let mut entries = Vec::new();
    for item in items {
        let part = |names: [&str; 2]| names.iter().find_map(|name| item.get(name)).cloned();
        if let (Some(key), Some(value)) = (part(["Key", "key"]), part(["Value", "value"]))
            && key.scalar().is_some()
        {
            entries.push(Entry { key, value });
        }
    }
    Node::new(node.span, Value::Mapping(entries))
}
