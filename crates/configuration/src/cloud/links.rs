//! Which resource a value refers to.

use std::borrow::Cow;
use std::collections::HashMap;

use yagura_formats::document::{Node, Value};

use super::symbol;

/// What each resource of a configuration is known by.
#[derive(Default)]
pub(super) struct Index {
    /// Names of resources.
    names: HashMap<String, usize>,
    /// Identifiers that a configuration or a state gives them: a bucket's name, an ARN; by kind.
    identifiers: HashMap<(&'static str, String), usize>,
    /// Names that are unknown but stated alike: `${var.bucket}`.
    symbols: HashMap<(&'static str, String), usize>,
}

/// Properties by which others refer to a resource.
const IDENTIFIERS: &[&str] = &["id", "arn", "self_link", "name", "bucket", "identifier", "function_name"];

impl Index {
    pub fn add(
        &mut self,
        at: usize,
        name: &str,
        kind: &'static str,
        stated: Option<&Node<'_>>,
        body: &Node<'_>,
    ) {
        self.names.insert(name.to_owned(), at);
        // References of a plan do not say which instance; any of them is of the same kind.
        if let Some((plain, _)) = name.strip_suffix(']').and_then(|name| name.rsplit_once('[')) {
            self.names.entry(plain.to_owned()).or_insert(at);
        }
        let identifiers = IDENTIFIERS.iter().filter_map(|key| body.get(key)).chain(stated);
        for identifier in identifiers {
            match (&identifier.value, identifier.tag.as_deref()) {
                (Value::String(text), _) => {
                    self.identifiers.entry((kind, text.to_string())).or_insert(at);
                }
                (Value::Unknown, Some(tag)) => {
                    self.symbols.entry((kind, tag.to_owned())).or_insert(at);
                }
                _ => {}
            }
        }
    }

    /// The resource that a node refers to: by reference, by identifier (among `kinds`), or by being stated alike.
    pub fn target(&self, node: &Node<'_>, kinds: &[&'static str]) -> Option<usize> {
        match &node.value {
            Value::String(text) => kinds.iter().find_map(|kind| {
                self.identifiers
                    .get(&(*kind, text.to_string()))
                    .or_else(|| self.by_last_part(kind, text))
                    .copied()
            }),
            Value::Unknown => {
                let by_reference = symbol::references(node).find_map(|reference| self.named(reference));
                let tag = node.tag.as_deref().unwrap_or_default();
                by_reference.or_else(|| {
                    kinds.iter().find_map(|kind| self.symbols.get(&(*kind, tag.to_owned())).copied())
                })
            }
            _ => None,
        }
    }

    /// `arn:aws:s3:::bucket` and `projects/p/topics/t` end with a name.
    fn by_last_part(&self, kind: &'static str, text: &str) -> Option<&usize> {
        let last =
            text.rsplit([':', '/']).next().filter(|last| last.len() < text.len() && !last.is_empty())?;
        self.identifiers.get(&(kind, last.to_owned()))
    }

    /// `aws_s3_bucket.logs.arn`: the longest start that is a resource's name.
    fn named(&self, reference: &str) -> Option<usize> {
        let mut name = reference;
        loop {
            if let Some(at) = self.names.get(name) {
                return Some(*at);
            }
            // An instance of several that stands for them all.
            name = name.get(..name.rfind(['.', '['])?)?;
        }
    }
}

/// A link as rules and graphs read it: the name of the resource where it is one of this configuration.
pub(super) fn resolved(
    node: Node<'static>,
    kinds: &[&'static str],
    index: &Index,
    names: &[String],
) -> Node<'static> {
    if let Value::Sequence(items) = node.value {
        let items = items.into_iter().map(|item| resolved(item, kinds, index, names)).collect();
        return Node { value: Value::Sequence(items), ..node };
    }
    match index.target(&node, kinds).and_then(|at| names.get(at)) {
        Some(name) => Node::new(node.span, Value::String(Cow::Owned(name.clone()))),
        None => node,
    }
}
