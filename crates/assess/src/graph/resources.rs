//! What configurations say of clouds, to be found by kind and by name.

use std::collections::HashMap;

use yagura_configuration::Resource;
use yagura_formats::document::Node;
use yagura_model::graph::{Builder, NodeId, NodeKind};

/// Cloud resources and the files they were read from.
#[derive(Clone, Debug, Default)]
pub struct Cloud {
    /// By [`yagura_formats::document::Span::source`].
    pub files: Vec<String>,
    pub resources: Vec<Resource<'static>>,
}

/// Resources by name, and where things stand.
pub(super) struct Resources<'a> {
    pub(super) cloud: &'a Cloud,
    by_name: HashMap<&'a str, &'a Resource<'static>>,
}

impl<'a> Resources<'a> {
    pub(super) fn new(cloud: &'a Cloud) -> Self {
        Self { cloud, by_name: cloud.resources.iter().map(|one| (one.name.as_str(), one)).collect() }
    }

    pub(super) fn of(&self, kind: &'static str) -> impl Iterator<Item = &'a Resource<'static>> {
        self.cloud.resources.iter().filter(move |one| one.kind == kind)
    }

    /// The resource that a link names.
    pub(super) fn linked(&self, link: &str) -> Option<&'a Resource<'static>> {
        self.by_name.get(link).copied()
    }

    pub(super) fn place(&self, node: &Node<'_>) -> String {
        let file = usize::try_from(node.span.source).ok().and_then(|at| self.cloud.files.get(at));
        format!("{}:{}", file.map_or("?", String::as_str), node.span.line)
    }
}

/// The texts of a list, or the one text that stands for a list.
pub(super) fn texts<'n>(node: &'n Node<'_>, key: &str) -> Vec<&'n str> {
    match node.get(key) {
        Some(one) if one.scalar().is_some() => one.scalar().into_iter().collect(),
        Some(list) => list.items().iter().filter_map(Node::scalar).collect(),
        None => Vec::new(),
    }
}

/// What people call a resource: its name, else its address.
pub(super) fn label<'r>(resource: &'r Resource<'_>) -> &'r str {
    resource.node.text_of("name").unwrap_or(&resource.name)
}

/// The node of a resource; its key is its address.
pub(super) fn node(builder: &mut Builder, kind: NodeKind, resource: &Resource<'_>) -> NodeId {
    let what = resource.kind.rsplit('/').next().unwrap_or_default();
    builder.node(kind, &resource.name, &format!("{what} {}", label(resource)))
}
