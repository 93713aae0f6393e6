//! Mappings made by us rather than read: what a source knows of a thing, as a node that rules can walk.

use std::borrow::Cow;

use yagura_formats::document::{Entry, Node, Span, Value};

/// A mapping under construction. Every key stands where the whole stands.
#[derive(Clone)]
pub(crate) struct Fields {
    span: Span,
    entries: Vec<Entry<'static>>,
}

impl Fields {
    pub fn at(span: Span) -> Self {
        Self { span, entries: Vec::new() }
    }

    pub fn put(mut self, key: impl Into<Cow<'static, str>>, value: Node<'static>) -> Self {
        self.push(key, value);
        self
    }

    pub fn push(&mut self, key: impl Into<Cow<'static, str>>, value: Node<'static>) {
        let key = Node::new(value.span, Value::String(key.into()));
        self.entries.push(Entry { key, value });
    }

    /// Puts the value where there is one.
    pub fn maybe(self, key: &'static str, value: Option<Node<'static>>) -> Self {
        match value {
            Some(value) => self.put(key, value),
            None => self,
        }
    }

    pub fn text(self, key: &'static str, value: impl Into<String>) -> Self {
        let node = text(value, self.span);
        self.put(key, node)
    }

    pub fn flag(self, key: &'static str, value: bool) -> Self {
        let node = Node::new(self.span, Value::Bool(value));
        self.put(key, node)
    }

    pub fn number(self, key: &'static str, value: usize) -> Self {
        let node = Node::new(self.span, Value::Number(Cow::Owned(value.to_string())));
        self.put(key, node)
    }

    pub fn list(self, key: &'static str, items: Vec<Node<'static>>) -> Self {
        let node = list(items, self.span);
        self.put(key, node)
    }

    pub fn node(self) -> Node<'static> {
        Node::new(self.span, Value::Mapping(self.entries))
    }
}

pub(crate) fn text(value: impl Into<String>, span: Span) -> Node<'static> {
    Node::new(span, Value::String(Cow::Owned(value.into())))
}

/// Text that may be unknowable.
pub(crate) fn perhaps(value: Option<String>, span: Span) -> Node<'static> {
    value.map_or_else(|| Node::new(span, Value::Unknown), |value| text(value, span))
}

pub(crate) fn list(items: Vec<Node<'static>>, span: Span) -> Node<'static> {
    Node::new(span, Value::Sequence(items))
}
