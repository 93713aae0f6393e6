//! What was seen running: containers of workloads, their programs, the sockets these listen on and the packages they
//! loaded.

use std::collections::{BTreeSet, HashMap};

use yagura_model::graph::{Builder, EdgeKind, NodeId, NodeKind};
use yagura_model::profile::Endpoint;

use super::{Sources, workload_key};
use crate::kubernetes::Cluster;
use crate::kubernetes::workload::Workload;
use crate::profiles::{PackageUse, Watched};

/// Most ends of connections and programs that become nodes, one container.
const MAX_ENDS: usize = 256;
const MAX_PROGRAMS: usize = 256;

pub(super) fn add(sources: &Sources<'_>, all: &[Watched<'_>], builder: &mut Builder) {
    let addresses = addresses(sources.cluster);
    for watched in all {
        container(sources, watched, &addresses, builder);
    }
}

/// The workloads behind the addresses of pods.
fn addresses(cluster: &Cluster) -> HashMap<&str, &Workload> {
    let pods = cluster.workloads.iter().flat_map(|one| one.pods.iter().map(move |pod| (pod, one)));
    let known = pods.filter(|(pod, _)| !pod.address.is_empty());
    known.map(|(pod, workload)| (pod.address.as_str(), workload)).collect()
}

fn workload(builder: &mut Builder, of: &Workload) -> NodeId {
    builder.node(NodeKind::Workload, &workload_key(of), &of.title())
}

fn container(
    sources: &Sources<'_>,
    watched: &Watched<'_>,
    addresses: &HashMap<&str, &Workload>,
    builder: &mut Builder,
) {
    let (place, key) = (watched.place(), watched.key());
    let kind = if watched.is_host() { NodeKind::Host } else { NodeKind::Container };
    let node = builder.node(kind, key, &format!("{} {}", kind.name(), watched.title()));
    for of in watched.workloads.iter().filter_map(|at| sources.cluster.workloads.get(*at)) {
        let owner = workload(builder, of);
        builder.edge(owner, EdgeKind::Contains, node, "was seen running as a container of it", &place);
    }
    let subject = watched.subject;
    let mut programs: BTreeSet<&str> = BTreeSet::new();
    programs
        .extend(subject.files.iter().filter(|(_, used)| used.executed > 0).map(|(path, _)| path.as_str()));
    let ends = subject.listens.iter().chain(&subject.connects).chain(&subject.accepts);
    programs.extend(ends.map(|end| end.program.as_str()));
    for program in programs.into_iter().take(MAX_PROGRAMS) {
        let running = process(builder, key, program);
        builder.edge(node, EdgeKind::Contains, running, "was seen running in it", &place);
    }
    for end in subject.listens.iter().take(MAX_ENDS) {
        let running = process(builder, key, &end.program);
        let socket = socket(builder, key, end);
        let fact = format!("listens on {} {} port {}", end.protocol, end.address, end.port);
        builder.edge(running, EdgeKind::Listens, socket, &fact, &place);
    }
    for end in subject.connects.iter().take(MAX_ENDS) {
        let running = process(builder, key, &end.program);
        let to = match addresses.get(end.address.as_str()) {
            Some(of) => workload(builder, of),
            None => socket(builder, "", end),
        };
        let fact =
            format!("connected to {} {} port {}, {} times", end.protocol, end.address, end.port, end.count);
        builder.edge(running, EdgeKind::Connected, to, &fact, &place);
    }
}

fn process(builder: &mut Builder, container: &str, program: &str) -> NodeId {
    builder.node(NodeKind::Process, &format!("{container}#{program}"), program)
}

fn socket(builder: &mut Builder, container: &str, end: &Endpoint) -> NodeId {
    let name = format!("{}:{}/{}", end.address, end.port, end.protocol);
    builder.node(NodeKind::Socket, &format!("{container}#{name}"), &name)
}

/// States which program was seen with a package that has flaws.
pub(super) fn loaded(seen: &PackageUse, package: NodeId, builder: &mut Builder) {
    if !seen.program.is_empty() {
        let running = process(builder, &seen.container, &seen.program);
        builder.edge(running, EdgeKind::Loads, package, &seen.fact, &seen.place);
    }
}
