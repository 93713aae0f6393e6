//! The graph: facts of every source as typed nodes and edges, one for the whole stack.
//!
//! A node is known by its kind and a key that is the same in every scan: an image by digest, a pod by uid, a workload
//! by namespace, kind and name, a cloud resource by ARN or address. Two sources that speak of one thing give one
//! node; two that state the same edge give one edge, with the evidence of the first. Texts are stored once; edges lie
//! sorted by where they start, with an index by where they end, so memory and time grow with their number.

mod kind;

use std::collections::HashMap;
use std::ops::Range;

pub use kind::{EdgeKind, NodeKind};

/// A node of one graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(u32);

/// An edge of one graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EdgeId(u32);

/// A text of one graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Text(u32);

#[derive(Clone, Copy, Debug)]
struct Node {
    kind: NodeKind,
    key: Text,
    label: Text,
}

#[derive(Clone, Copy, Debug)]
struct Edge {
    from: NodeId,
    to: NodeId,
    kind: EdgeKind,
    fact: Text,
    place: Text,
}

/// Collects nodes and edges in any order.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    texts: Texts,
    nodes: Vec<Node>,
    by_key: HashMap<(NodeKind, Text), NodeId>,
    edges: Vec<Edge>,
}

/// Nodes and edges, to be walked.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    texts: Texts,
    nodes: Vec<Node>,
    by_key: HashMap<(NodeKind, Text), NodeId>,
    /// Sorted by start, kind and end.
    edges: Vec<Edge>,
    /// For each node, where its edges start in `edges`; one more at the end.
    outgoing: Vec<u32>,
    /// Edges sorted by where they end.
    ending: Vec<EdgeId>,
    /// For each node, where its edges start in `ending`; one more at the end.
    incoming: Vec<u32>,
}

/// Each text once.
#[derive(Clone, Debug, Default)]
struct Texts {
    bytes: String,
    /// Where each text ends.
    ends: Vec<u32>,
    known: HashMap<u64, Vec<Text>>,
}

impl Texts {
    fn intern(&mut self, text: &str) -> Text {
        let hash = hash(text);
        if let Some(known) = self.find(hash, text) {
            return known;
        }
        let Ok(end) = u32::try_from(self.bytes.len().saturating_add(text.len())) else {
            // Four gigabytes of different texts: what comes now has no words.
            return Text(0);
        };
        let id = Text(u32::try_from(self.ends.len()).unwrap_or(u32::MAX));
        self.bytes.push_str(text);
        self.ends.push(end);
        self.known.entry(hash).or_default().push(id);
        id
    }

    fn find(&self, hash: u64, text: &str) -> Option<Text> {
        self.known.get(&hash)?.iter().copied().find(|known| self.get(*known) == text)
    }

    fn get(&self, text: Text) -> &str {
        let at = index(text.0);
        let end = self.ends.get(at).copied().unwrap_or(0);
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.bytes.get(index(start)..index(end)).unwrap_or_default()
    }
}

/// Keyed at random, so that nobody can choose texts that collide; equality is checked all the same.
fn hash(text: &str) -> u64 {
    use std::hash::{BuildHasher, RandomState};
    use std::sync::OnceLock;
    static STATE: OnceLock<RandomState> = OnceLock::new();
    STATE.get_or_init(RandomState::new).hash_one(text)
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl Builder {
    /// The node of this kind and key, made where it is new. The first label that is not empty stays.
    pub fn node(&mut self, kind: NodeKind, key: &str, label: &str) -> NodeId {
        let key = self.texts.intern(key);
        let label = self.texts.intern(label);
        if let Some(known) = self.by_key.get(&(kind, key)).copied() {
            if let Some(node) = self.nodes.get_mut(index(known.0))
                && self.texts.get(node.label).is_empty()
            {
                node.label = label;
            }
            return known;
        }
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(Node { kind, key, label });
        self.by_key.insert((kind, key), id);
        id
    }

    /// The node of this kind and key, where some source has spoken of it.
    pub fn find(&self, kind: NodeKind, key: &str) -> Option<NodeId> {
        let key = self.texts.find(hash(key), key)?;
        self.by_key.get(&(kind, key)).copied()
    }

    /// States an edge: the fact in words, and where it was read.
    pub fn edge(&mut self, from: NodeId, kind: EdgeKind, to: NodeId, fact: &str, place: &str) {
        let (fact, place) = (self.texts.intern(fact), self.texts.intern(place));
        self.edges.push(Edge { from, to, kind, fact, place });
    }

    /// The kind and the key of a node.
    pub fn identity(&self, node: NodeId) -> Option<(NodeKind, &str)> {
        self.nodes.get(index(node.0)).map(|node| (node.kind, self.texts.get(node.key)))
    }

    pub fn finish(mut self) -> Graph {
        // A stable sort: of edges that are stated twice the first stays.
        self.edges.sort_by_key(|edge| (edge.from, edge.kind, edge.to));
        self.edges.dedup_by_key(|edge| (edge.from, edge.kind, edge.to));
        let starts = |sorted: &mut dyn Iterator<Item = NodeId>| {
            let mut counts = vec![0u32; self.nodes.len().saturating_add(1)];
            for node in sorted {
                if let Some(count) = counts.get_mut(index(node.0).saturating_add(1)) {
                    *count = count.saturating_add(1);
                }
            }
            let mut sum = 0u32;
            for count in &mut counts {
                sum = sum.saturating_add(*count);
                *count = sum;
            }
            counts
        };
        let outgoing = starts(&mut self.edges.iter().map(|edge| edge.from));
        let incoming = starts(&mut self.edges.iter().map(|edge| edge.to));
        let mut ending: Vec<EdgeId> =
            (0..u32::try_from(self.edges.len()).unwrap_or(u32::MAX)).map(EdgeId).collect();
        ending.sort_by_key(|id| self.edges.get(index(id.0)).map(|edge| edge.to));
        Graph {
            texts: self.texts,
            nodes: self.nodes,
            by_key: self.by_key,
            edges: self.edges,
            outgoing,
            ending,
            incoming,
        }
    }
}

impl Graph {
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..u32::try_from(self.nodes.len()).unwrap_or(u32::MAX)).map(NodeId)
    }

    pub fn edges(&self) -> impl Iterator<Item = EdgeId> + use<> {
        (0..u32::try_from(self.edges.len()).unwrap_or(u32::MAX)).map(EdgeId)
    }

    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    pub fn edge_count(&self) -> usize {
        self.edges.len()
    }

    pub fn find(&self, kind: NodeKind, key: &str) -> Option<NodeId> {
        let key = self.texts.find(hash(key), key)?;
        self.by_key.get(&(kind, key)).copied()
    }

    pub fn kind(&self, node: NodeId) -> NodeKind {
        self.nodes.get(index(node.0)).map_or(NodeKind::Unknown, |node| node.kind)
    }

    /// What is the same in every scan, unique within the kind.
    pub fn key(&self, node: NodeId) -> &str {
        self.nodes.get(index(node.0)).map(|node| self.texts.get(node.key)).unwrap_or_default()
    }

    /// `kind:key`.
    pub fn identity(&self, node: NodeId) -> String {
        format!("{}:{}", self.kind(node).name(), self.key(node))
    }

    /// What people call it.
    pub fn label(&self, node: NodeId) -> &str {
        let label = self.nodes.get(index(node.0)).map(|node| self.texts.get(node.label)).unwrap_or_default();
        if label.is_empty() { self.key(node) } else { label }
    }

    /// A small number that is the node's own, from 0.
    pub fn number(&self, node: NodeId) -> usize {
        index(node.0)
    }

    /// The edges that start at a node, sorted by kind.
    pub fn outgoing(&self, node: NodeId) -> impl Iterator<Item = EdgeId> + use<> {
        let range = bounds(&self.outgoing, node);
        range.map(|at| EdgeId(u32::try_from(at).unwrap_or(u32::MAX)))
    }

    /// The edges that end at a node.
    pub fn incoming(&self, node: NodeId) -> impl Iterator<Item = EdgeId> {
        self.ending.get(bounds(&self.incoming, node)).unwrap_or_default().iter().copied()
    }

    fn edge(&self, edge: EdgeId) -> Option<&Edge> {
        self.edges.get(index(edge.0))
    }

    pub fn from(&self, edge: EdgeId) -> NodeId {
        self.edge(edge).map_or(NodeId(0), |edge| edge.from)
    }

    pub fn to(&self, edge: EdgeId) -> NodeId {
        self.edge(edge).map_or(NodeId(0), |edge| edge.to)
    }

    pub fn edge_kind(&self, edge: EdgeId) -> Option<EdgeKind> {
        self.edge(edge).map(|edge| edge.kind)
    }

    /// The fact that proves an edge, in words.
    pub fn fact(&self, edge: EdgeId) -> &str {
        self.edge(edge).map(|edge| self.texts.get(edge.fact)).unwrap_or_default()
    }

    /// Where the fact was read: `file:line`, an image, an API.
    pub fn place(&self, edge: EdgeId) -> &str {
        self.edge(edge).map(|edge| self.texts.get(edge.place)).unwrap_or_default()
    }
}

fn bounds(starts: &[u32], node: NodeId) -> Range<usize> {
    let at = index(node.0);
    let of = |at: usize| starts.get(at).copied().map_or(0, index);
    of(at)..of(at.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::{Builder, EdgeKind, NodeKind};

    #[test]
    fn what_two_sources_say_of_one_thing_is_one() {
        let mut builder = Builder::default();
        let web = builder.node(NodeKind::Workload, "shop/Deployment/web", "");
        let image = builder.node(NodeKind::Image, "sha256:00", "shop/web:1");
        assert_eq!(builder.node(NodeKind::Workload, "shop/Deployment/web", "shop/web"), web);
        let pod = builder.node(NodeKind::Pod, "sha256:00", "another kind, the same key");
        builder.edge(web, EdgeKind::Runs, image, "first", "a.yaml:1");
        builder.edge(pod, EdgeKind::Runs, image, "of the pod", "b.json:2");
        builder.edge(web, EdgeKind::Runs, image, "again", "b.json:1");
        builder.edge(web, EdgeKind::Contains, pod, "part", "b.json:1");
        let graph = builder.finish();
        assert_eq!((graph.node_count(), graph.edge_count()), (3, 3));
        assert_eq!(graph.label(web), "shop/web");
        assert_eq!(graph.identity(image), "image:sha256:00");
        let facts: Vec<&str> = graph.outgoing(web).map(|edge| graph.fact(edge)).collect();
        assert_eq!(facts, ["part", "first"]);
        let mut into: Vec<&str> = graph.incoming(image).map(|edge| graph.place(edge)).collect();
        into.sort_unstable();
        assert_eq!(into, ["a.yaml:1", "b.json:2"]);
        assert_eq!(graph.find(NodeKind::Image, "sha256:00"), Some(image));
        assert_eq!(graph.find(NodeKind::Image, "sha256:01"), None);
    }
}
