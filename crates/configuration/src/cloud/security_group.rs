//! Ports and protocols of security group rules, in one spelling.

use std::borrow::Cow;

use yagura_formats::document::{Node, Span, Value};

use super::policy::entry;

/// Rules for every protocol reach every port, whatever ports they state.
pub(super) fn tidy(node: &mut Node<'static>) {
    let Value::Mapping(entries) = &mut node.value else { return };
    for field in entries.iter_mut().filter(|entry| entry.key.string() == Some("rules")) {
        let Value::Sequence(rules) = &mut field.value.value else { continue };
        rules.iter_mut().for_each(rule);
    }
}

fn rule(node: &mut Node<'static>) {
    let span = node.span;
    let Value::Mapping(entries) = &mut node.value else { return };
    let protocol = entries.iter_mut().find(|entry| entry.key.string() == Some("protocol"));
    let Some(protocol) = protocol.map(|entry| &mut entry.value) else { return };
    let name = match protocol.scalar().map(str::to_ascii_lowercase).as_deref() {
        Some("-1" | "all") => "all",
        Some("6" | "tcp") => "tcp",
        Some("17" | "udp") => "udp",
        Some("1" | "icmp") => "icmp",
        Some("58" | "icmpv6") => "icmpv6",
        _ => return,
    };
    let at = protocol.span;
    *protocol = Node::new(at, Value::String(Cow::Borrowed(name)));
    if matches!(name, "all" | "icmp" | "icmpv6") {
        // The numbers of ICMP are types and codes, no ports.
        entries.retain(|entry| !matches!(entry.key.string(), Some("fromPort" | "toPort")));
        if name == "all" {
            entries.push(entry("fromPort", port(span, "0")));
            entries.push(entry("toPort", port(span, "65535")));
        }
    }
}

fn port(span: Span, number: &'static str) -> Node<'static> {
    Node::new(span, Value::Number(Cow::Borrowed(number)))
}
