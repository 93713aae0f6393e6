//! What was seen running: containers of workloads, their programs, the sockets these listen on and the packages they
//! loaded.

use std::collections::{BTreeMap, BTreeSet};

use yagura_model::graph::{Builder, EdgeKind, NodeId, NodeKind};
use yagura_model::profile::Endpoint;

use super::{Sources, workload_key};
use crate::profiles::{Uses, Watched};

/// Most ends of connections and programs that become nodes, one container.
const MAX_ENDS: usize = 256;
const MAX_PROGRAMS: usize = 256;

pub(super) fn add(sources: &Sources<'_>, builder: &mut Builder) {
    let addresses = addresses(sources);
    for watched in sources.runtime.watched(sources.targets, sources.cluster) {
        container(sources, &watched, &addresses, builder);
    }
}

/// The workloads behind the addresses of pods and services.
fn addresses(sources: &Sources<'_>) -> BTreeMap<String, (NodeKind, String, String)> {
    let mut all = BTreeMap::new();
    for workload in &sources.cluster.workloads {
        for pod in workload.pods.iter().filter(|pod| !pod.address.is_empty()) {
            all.insert(pod.address.clone(), (NodeKind::Workload, workload_key(workload), workload.title()));
        }
    }
    all
}

fn container(
    sources: &Sources<'_>,
    watched: &Watched<'_>,
    addresses: &BTreeMap<String, (NodeKind, String, String)>,
    builder: &mut Builder,
) {
    let place = watched.place();
    let kind = if watched.id == "host" { NodeKind::Host } else { NodeKind::Container };
    let key = if kind == NodeKind::Host { watched.observed.profile.host.as_str() } else { watched.id };
    let node = builder.node(kind, key, &format!("{} {}", kind.name(), watched.title()));
    for workload in watched.workloads.iter().filter_map(|at| sources.cluster.workloads.get(*at)) {
        let owner = builder.node(NodeKind::Workload, &workload_key(workload), &workload.title());
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
        let to = match addresses.get(&end.address) {
            Some((kind, key, label)) => builder.node(*kind, key, label),
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
pub(super) fn loaded(
    sources: &Sources<'_>,
    uses: &Uses,
    key: &(String, String, String),
    package: NodeId,
    builder: &mut Builder,
) {
    let Some(seen) = uses.get(key).filter(|seen| !seen.program.is_empty()) else { return };
    let container = sources
        .runtime
        .profiles
        .iter()
        .find(|observed| seen.container == "host" && observed.profile.subjects.contains_key("host"));
    let container = container.map_or(seen.container.as_str(), |observed| observed.profile.host.as_str());
    let running = process(builder, container, &seen.program);
    builder.edge(running, EdgeKind::Loads, package, &seen.fact, &seen.place);
}
