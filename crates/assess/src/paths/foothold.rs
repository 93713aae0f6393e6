//! Where an attacker starts, by the names that people give it.

use yagura_model::graph::{EdgeKind, Graph, NodeId, NodeKind};

use crate::graph::INTERNET;

/// The nodes that a name means: `internet`, a node's identity (`kind:key`), a workload as `NAMESPACE/NAME`, or whatever is
/// called so; for an image, the workloads that run it. None where nothing is called so.
pub fn nodes(graph: &Graph, name: &str) -> Vec<NodeId> {
    if name == INTERNET.1 {
        return graph.find(INTERNET.0, INTERNET.1).into_iter().collect();
    }
    let exact = name.split_once(':').and_then(|(kind, key)| graph.find(NodeKind::of_name(kind)?, key));
    let named: Vec<NodeId> = match exact {
        Some(node) => vec![node],
        None => graph.nodes().filter(|node| is_called(graph, *node, name)).collect(),
    };
    let runs = |image: NodeId| {
        let edges = graph.incoming(image).filter(|edge| graph.edge_kind(*edge) == Some(EdgeKind::Runs));
        edges.map(|edge| graph.from(edge)).collect::<Vec<_>>()
    };
    let mut starts: Vec<NodeId> = named
        .into_iter()
        .flat_map(|node| if graph.kind(node) == NodeKind::Image { runs(node) } else { vec![node] })
        .collect();
    starts.sort_unstable();
    starts.dedup();
    starts
}

fn is_called(graph: &Graph, node: NodeId, name: &str) -> bool {
    if graph.label(node) == name || graph.key(node) == name {
        return true;
    }
    // namespace/kind/name
    let mut parts = graph.key(node).splitn(3, '/');
    graph.kind(node) == NodeKind::Workload
        && matches!((parts.next(), parts.next(), parts.next()), (Some(namespace), _, Some(own))
            if name.strip_prefix(namespace).and_then(|rest| rest.strip_prefix('/')) == Some(own))
}
