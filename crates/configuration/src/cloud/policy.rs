//! Policy documents of AWS as statements whose every part is a list.
//!
//! `{statements: [{sid, effect, actions, notActions, resources, notResources, principals: [{type, id}],
//! notPrincipals, conditions: [{operator, key, values}]}]}`

use std::borrow::Cow;

use yagura_formats::document::{Entry, Node, Span, Value};

/// A policy in its own grammar, in ours; anything else as it is.
pub fn document(node: Node<'static>) -> Node<'static> {
    let Value::Mapping(_) = node.value else {
        // Text that is no JSON says nothing about the policy.
        return Node::new(node.span, Value::Unknown);
    };
    let span = node.span;
    let statements = match node.get("Statement") {
        Some(list) => match &list.value {
            Value::Sequence(items) => Value::Sequence(items.iter().map(statement).collect()),
            Value::Mapping(_) => Value::Sequence(vec![statement(list)]),
            _ => Value::Unknown,
        },
        None => Value::Sequence(Vec::new()),
    };
    let at = node.get("Statement").map_or(span, |list| list.span);
    let mut entries = vec![entry("statements", Node::new(at, statements))];
    if let Some(version) = node.get("Version") {
        entries.push(entry("version", version.clone()));
    }
    Node::new(span, Value::Mapping(entries))
}

pub(super) fn entry(name: &'static str, value: Node<'static>) -> Entry<'static> {
    Entry { key: Node::new(value.span, Value::String(Cow::Borrowed(name))), value }
}

fn statement(node: &Node<'static>) -> Node<'static> {
    if !matches!(node.value, Value::Mapping(_)) {
        return Node::new(node.span, Value::Unknown);
    }
    let mut entries = Vec::new();
    for (name, from) in [("sid", "Sid"), ("effect", "Effect")] {
        entries.extend(node.get(from).map(|value| entry(name, value.clone())));
    }
    let lists = [
        ("actions", "Action"),
        ("notActions", "NotAction"),
        ("resources", "Resource"),
        ("notResources", "NotResource"),
    ];
    for (name, from) in lists {
        let value = node.get(from).filter(|value| !value.is_null());
        entries.push(entry(name, value.map_or_else(|| list(node.span, Vec::new()), as_list)));
    }
    for (name, from) in [("principals", "Principal"), ("notPrincipals", "NotPrincipal")] {
        entries.push(entry(name, node.get(from).map_or_else(|| list(node.span, Vec::new()), principals)));
    }
    entries.push(entry(
        "conditions",
        node.get("Condition").map_or_else(|| list(node.span, Vec::new()), conditions),
    ));
    Node::new(node.span, Value::Mapping(entries))
}

fn list(span: Span, items: Vec<Node<'static>>) -> Node<'static> {
    Node::new(span, Value::Sequence(items))
}

/// A list as it is, one value as a list of it. An unknown one may be either, so it stays unknown unless it is one value
/// for certain.
fn as_list(node: &Node<'static>) -> Node<'static> {
    match &node.value {
        Value::Sequence(items) => list(node.span, items.clone()),
        Value::Unknown if !is_one(node) => node.clone(),
        _ => list(node.span, vec![node.clone()]),
    }
}

/// Whether an unknown value is one text and no list: text stands around its reference, or it is an attribute that is
/// text for every resource.
pub(super) fn is_one(node: &Node<'_>) -> bool {
    let Some(tag) = node.tag.as_deref() else { return false };
    let whole = tag.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    match whole.filter(|reference| !reference.contains("${")) {
        None => !tag.is_empty(),
        Some(reference) => {
            ["arn", "Arn", "id", "name", "bucket", "GroupId"]
                .iter()
                .any(|end| reference.strip_suffix(end).is_some_and(|rest| rest.ends_with('.')))
                && !reference.starts_with("var.")
        }
    }
}

/// `"*"`, `{AWS: …}` as kinds and identifiers.
fn principals(node: &Node<'static>) -> Node<'static> {
    let one = |kind: Node<'static>, id: Node<'static>| {
        let span = id.span;
        Node::new(span, Value::Mapping(vec![entry("type", kind), entry("id", id)]))
    };
    let text = |span: Span, text: &'static str| Node::new(span, Value::String(Cow::Borrowed(text)));
    let mut found = Vec::new();
    match &node.value {
        Value::String(_) => found.push(one(text(node.span, "*"), node.clone())),
        Value::Mapping(kinds) => {
            for kind in kinds {
                let single = std::slice::from_ref(&kind.value);
                let ids = match &kind.value.value {
                    Value::Sequence(items) => items.as_slice(),
                    _ => single,
                };
                found.extend(ids.iter().map(|id| one(kind.key.clone(), id.clone())));
            }
        }
        _ => return Node::new(node.span, Value::Unknown),
    }
    list(node.span, found)
}

fn conditions(node: &Node<'static>) -> Node<'static> {
    let Value::Mapping(operators) = &node.value else { return Node::new(node.span, Value::Unknown) };
    let mut found = Vec::new();
    for operator in operators {
        let Value::Mapping(keys) = &operator.value.value else {
            found.push(Node::new(operator.value.span, Value::Unknown));
            continue;
        };
        for key in keys {
            let entries = vec![
                entry("operator", operator.key.clone()),
                entry("key", key.key.clone()),
                entry("values", as_list(&key.value)),
            ];
            found.push(Node::new(key.value.span, Value::Mapping(entries)));
        }
    }
    list(node.span, found)
}
