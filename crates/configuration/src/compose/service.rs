//! One notation for what Compose lets people write in several.

use std::borrow::Cow;

use yagura_formats::document::{Entry, Node, Span, Value};

use super::interpolation::fill;
use crate::reference;

/// A service: variables filled in, `x-…` keys gone, `environment`, `labels`, `sysctls`, `extra_hosts` and `ulimits` as
/// mappings, `ports`, `volumes`, `configs`, `secrets`, `env_file` and `depends_on` in their long form, `networks` as
/// names, and beside `image` an `image_reference` with its parts.
pub(super) fn normalised<'a>(mut service: Node<'a>, name: &Node<'a>) -> Node<'a> {
    interpolate(&mut service);
    let span = service.span;
    let Value::Mapping(entries) = service.value else {
        let entry = Entry { key: key("name", name.span), value: name.clone() };
        return Node::new(name.span, Value::Mapping(vec![entry]));
    };
    let mut out = vec![Entry { key: key("name", name.span), value: name.clone() }];
    for Entry { key: written, value } in entries {
        let Some(name) = written.scalar().map(str::to_owned) else { continue };
        if name.starts_with("x-") {
            continue;
        }
        if name == "image" {
            let parts = match value.string() {
                Some(image) => reference::node(image, value.span),
                None => Node::new(value.span, Value::Unknown),
            };
            out.push(Entry { key: key("image_reference", value.span), value: parts });
        }
        let value = match name.as_str() {
            "environment" | "labels" | "annotations" | "sysctls" | "extra_hosts" | "driver_opts" => {
                pairs(value)
            }
            "ports" => each(value, port),
            "volumes" => each(value, volume),
            "secrets" | "configs" => each(value, |item| named(item, "source")),
            "env_file" => each(listed(value), |item| named(item, "path")),
            "networks" | "depends_on" => names(value),
            "privileged" | "read_only" | "init" | "tty" | "stdin_open" => truth(value),
            "cap_add" | "cap_drop" | "security_opt" | "devices" | "dns" | "tmpfs" | "group_add" => {
                listed(value)
            }
            _ => value,
        };
        out.push(Entry { key: written, value });
    }
    Node::new(Span { ..span }, Value::Mapping(out))
}

fn key<'a>(name: &'static str, span: Span) -> Node<'a> {
    Node::new(span, Value::String(Cow::Borrowed(name)))
}

fn text<'a>(value: impl Into<String>, span: Span) -> Node<'a> {
    Node::new(span, Value::String(Cow::Owned(value.into())))
}

fn interpolate(node: &mut Node<'_>) {
    match &mut node.value {
        Value::String(value) if value.contains('$') => {
            node.value = fill(value).map_or(Value::Unknown, |filled| Value::String(Cow::Owned(filled)));
        }
        Value::Sequence(items) => items.iter_mut().for_each(interpolate),
        Value::Mapping(entries) => entries.iter_mut().for_each(|entry| interpolate(&mut entry.value)),
        _ => {}
    }
}

fn each<'a>(mut node: Node<'a>, change: impl Fn(Node<'a>) -> Node<'a>) -> Node<'a> {
    if let Value::Sequence(items) = node.value {
        node.value = Value::Sequence(items.into_iter().map(change).collect());
    }
    node
}

/// A single value as a list of one.
fn listed(node: Node<'_>) -> Node<'_> {
    match node.value {
        Value::Sequence(_) | Value::Unknown | Value::Null => node,
        _ => Node::new(node.span, Value::Sequence(vec![node])),
    }
}

/// `"true"` is what a filled-in variable gives.
fn truth(node: Node<'_>) -> Node<'_> {
    match node.string().map(str::to_ascii_lowercase).as_deref() {
        Some("true" | "yes" | "on" | "1") => Node::new(node.span, Value::Bool(true)),
        Some("false" | "no" | "off" | "0") => Node::new(node.span, Value::Bool(false)),
        _ => node,
    }
}

/// `[A=1, B]` as `{A: 1, B: unknown}`: a name alone takes its value from the environment.
fn pairs(node: Node<'_>) -> Node<'_> {
    let Value::Sequence(items) = node.value else {
        return match node.value {
            Value::Mapping(entries) => {
                let known = |mut entry: Entry<'static>| {
                    if entry.value.is_null() {
                        entry.value.value = Value::Unknown;
                    }
                    entry
                };
                let own = |entry| known(owned(entry));
                Node::new(node.span, Value::Mapping(entries.into_iter().map(own).collect()))
            }
            value => Node { value, ..node },
        };
    };
    let pair = |item: &Node<'_>| -> Option<Entry<'static>> {
        let (name, value) = match item.scalar()?.split_once('=') {
            Some((name, value)) => (name, text(value, item.span)),
            None => (item.scalar()?, Node::new(item.span, Value::Unknown)),
        };
        Some(Entry { key: text(name, item.span), value })
    };
    if items.iter().any(Node::is_unknown) {
        return Node::new(node.span, Value::Unknown);
    }
    Node::new(node.span, Value::Mapping(items.iter().filter_map(pair).collect()))
}

fn owned(entry: Entry<'_>) -> Entry<'static> {
    Entry { key: entry.key.into_owned(), value: entry.value.into_owned() }
}

/// The names of a list, or the keys of a mapping.
fn names(node: Node<'_>) -> Node<'_> {
    match node.value {
        Value::Mapping(entries) => {
            Node::new(node.span, Value::Sequence(entries.into_iter().map(|entry| entry.key).collect()))
        }
        value => Node { value, ..node },
    }
}

/// A name alone as the long form.
fn named<'a>(node: Node<'a>, under: &'static str) -> Node<'a> {
    match node.value {
        Value::String(_) | Value::Number(_) => {
            let span = node.span;
            Node::new(span, Value::Mapping(vec![Entry { key: key(under, span), value: node }]))
        }
        _ => node,
    }
}

fn mapping<'a>(span: Span, values: Vec<(&'static str, Option<String>)>) -> Node<'a> {
    let entries = values
        .into_iter()
        .filter_map(|(name, value)| Some(Entry { key: key(name, span), value: text(value?, span) }));
    Node::new(span, Value::Mapping(entries.collect()))
}

/// `127.0.0.1:8080:80/tcp` as `{host_ip, published, target, protocol}`.
fn port(node: Node<'_>) -> Node<'_> {
    let Some(written) = node.scalar().map(str::to_owned) else { return long_port(node) };
    let (addresses, protocol) = written.split_once('/').unwrap_or((&written, "tcp"));
    let (before, target) = addresses.rsplit_once(':').unwrap_or(("", addresses));
    let (host, published) = match before.rsplit_once(':') {
        Some((host, published)) => (Some(host), Some(published)),
        // `127.0.0.1::80`
        None if before.contains('.') => (Some(before), None),
        None => (None, Some(before)),
    };
    let host = host.map(|host| host.trim_matches(['[', ']']).to_owned());
    let published = published.filter(|published| !published.is_empty()).map(str::to_owned);
    mapping(
        node.span,
        vec![
            ("host_ip", host),
            ("published", published),
            ("target", Some(target.to_owned())),
            ("protocol", Some(protocol.to_owned())),
        ],
    )
}

/// Numbers of the long form as text, like those of the short one.
fn long_port(mut node: Node<'_>) -> Node<'_> {
    if let Value::Mapping(entries) = &mut node.value {
        for entry in entries {
            if let Value::Number(number) = &entry.value.value {
                entry.value.value = Value::String(number.clone());
            }
        }
    }
    node
}

/// `./data:/var/lib/data:ro` as `{type, source, target, mode}`.
fn volume(node: Node<'_>) -> Node<'_> {
    let Some(written) = node.scalar().map(str::to_owned) else { return node };
    // A drive letter's colon separates nothing.
    let bytes = written.as_bytes();
    let drive = bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && bytes.get(1) == Some(&b':')
        && matches!(bytes.get(2), Some(b'\\' | b'/'));
    let (head, rest) = written.split_at(if drive { 2 } else { 0 });
    let mut parts = rest.splitn(3, ':');
    let first = format!("{head}{}", parts.next().unwrap_or_default());
    let Some(target) = parts.next() else {
        return mapping(node.span, vec![("type", Some("volume".to_owned())), ("target", Some(first))]);
    };
    let path = first.starts_with(['.', '/', '~', '\\']) || drive;
    let mode = parts.next().map(str::to_owned);
    mapping(
        node.span,
        vec![
            ("type", Some(if path { "bind" } else { "volume" }.to_owned())),
            ("source", Some(first)),
            ("target", Some(target.to_owned())),
            ("mode", mode),
        ],
    )
}
