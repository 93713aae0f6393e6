//! Who reaches whom over the network, as edges whose number stays near that of workloads and rules.
//!
//! Workloads that no policy keeps from anybody are not joined pair by pair but through nodes that stand for "everybody
//! in the cluster" and "everybody in a namespace", one for each set of connections that a source may open. Peers that
//! policies choose by selectors are evaluated pair by pair.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use yagura_model::graph::{Builder, EdgeKind, NodeId, NodeKind};

use super::{Cloud, INTERNET, OUTSIDE, UNPROTECTED, namespaced, workload_key};
use crate::connectivity::addresses::{AddressRange, Family};
use crate::connectivity::{Connections, Connectivity, Direction, EndIndex, Ports, Side};
use crate::kubernetes::network_policy::{Namespaces, Peer};
use crate::kubernetes::service::{Exposure, Service};
use crate::profiles::Listening;

/// Most pairs that are evaluated one by one where admin policies leave no other way.
const MAX_PAIRS: usize = 4_000_000;

pub(super) fn add(
    connectivity: &Connectivity<'_>,
    listening: &HashMap<usize, Listening>,
    cloud: &Cloud,
    builder: &mut Builder,
    notices: &mut Vec<String>,
) {
    let mut network = Network::new(connectivity, listening, cloud, builder);
    network.entrances();
    network.services();
    network.host_ports();
    network.within(notices);
    notices.append(&mut network.silent.into_iter().collect());
}

struct Network<'a, 'c> {
    connectivity: &'a Connectivity<'c>,
    builder: &'a mut Builder,
    /// The node of each end's workload.
    nodes: Vec<NodeId>,
    outside: Vec<AddressRange>,
    /// Names of the security groups that were read.
    groups: HashSet<String>,
    /// Where each end was seen listening.
    listening: Vec<Option<&'a Listening>>,
    /// What policies let through and nobody listens on.
    silent: BTreeSet<String>,
}

impl<'a, 'c> Network<'a, 'c> {
    fn new(
        connectivity: &'a Connectivity<'c>,
        listening: &'a HashMap<usize, Listening>,
        cloud: &Cloud,
        builder: &'a mut Builder,
    ) -> Self {
        let mut of_ends = vec![None; connectivity.ends().len()];
        for (at, ports) in listening {
            let workload = connectivity.cluster.workloads.get(*at);
            for end in workload.into_iter().flat_map(|workload| connectivity.ends_of(workload)) {
                if let Some(of_end) = of_ends.get_mut(end.0) {
                    *of_end = Some(ports);
                }
            }
        }
        let nodes = connectivity
            .ends()
            .iter()
            .map(|end| builder.node(NodeKind::Workload, &workload_key(end.workload), &end.workload.title()))
            .collect();
        let outside = connectivity.address_ranges(Direction::Ingress, Family::V4);
        let groups = cloud.resources.iter().filter(|one| one.kind == "aws/security-group");
        let groups = groups.filter_map(|one| one.node.text_of("name")).map(str::to_owned).collect();
        Self { connectivity, builder, nodes, outside, groups, listening: of_ends, silent: BTreeSet::new() }
    }

    fn node(&self, end: EndIndex) -> Option<NodeId> {
        self.nodes.get(end.0).copied()
    }

    fn show(&self, place: crate::kubernetes::Place) -> String {
        self.connectivity.cluster.show(place)
    }

    /// What of these connections somebody listens for. Where all is lost by it, that is told.
    fn heard(&mut self, end: EndIndex, connections: Connections) -> Connections {
        let Some(Some(listening)) = self.listening.get(end.0) else { return connections };
        let heard = connections.intersection(&listening.ports);
        if heard.is_none() && !connections.is_none() && !connections.is_all() {
            let title = self.connectivity.end(end).map(|end| end.title.clone()).unwrap_or_default();
            self.silent.insert(format!(
                "{title}: {connections} is open and nothing listened on it while {} was taken; no path leads over it",
                listening.place
            ));
        }
        heard
    }

    /// What anybody outside may open to pods: whatever some address may, addresses that nobody routes left out.
    fn open_to_outside(&self, end: EndIndex) -> Connections {
        let mut all = Connections::none();
        for range in self.outside.iter().filter(|range| is_public(range)) {
            all = all.union(&self.connectivity.between(Side::Addresses(range), Side::Pods(end)));
        }
        all
    }

    /// Ingresses, Routes and Gateways: from the internet, unless their class or an annotation keeps them inside.
    fn entrances(&mut self) {
        let internet = self.builder.node(INTERNET.0, INTERNET.1, "");
        for entry in self.connectivity.entries().0 {
            let allowed = self.heard(entry.end, entry.allowed.clone());
            if allowed.is_none() {
                continue;
            }
            let Some(target) = self.node(entry.end) else { continue };
            let entrance = entry.entrance;
            let place = self.show(entrance.place);
            let kind = NodeKind::Ingress;
            let key = format!("{}/{}/{}", entrance.namespace, entrance.kind, entrance.name);
            let door = self.builder.node(kind, &key, &entrance.title());
            let hosts =
                if entrance.hosts.is_empty() { "every host".to_owned() } else { entrance.hosts.join(", ") };
            let fact = format!("{} serves {hosts}", entrance.title());
            match entry.gateway {
                Some(gateway) => {
                    let key = namespaced(&gateway.namespace, &gateway.name);
                    let way = self.builder.node(NodeKind::Gateway, &key, &format!("gateway {key}"));
                    let where_read = self.show(gateway.place);
                    self.builder.edge(
                        internet,
                        EdgeKind::Forwards,
                        way,
                        "listens for everybody",
                        &where_read,
                    );
                    self.builder.edge(way, EdgeKind::Forwards, door, &fact, &place);
                }
                None if entrance.is_internal() => {
                    let outside = self.builder.node(OUTSIDE.0, OUTSIDE.1, "");
                    let fact = format!("{fact}, inside the provider's network");
                    self.builder.edge(outside, EdgeKind::Forwards, door, &fact, &place);
                }
                None => {
                    for source in self.sources_of(&entrance.security_groups, internet) {
                        self.builder.edge(source, EdgeKind::Forwards, door, &fact, &place);
                    }
                }
            }
            let service = self.service_node(entry.service);
            let where_read = self.show(entry.service.place);
            let fact = format!("sends requests to service {}", entry.service.name);
            self.builder.edge(door, EdgeKind::Forwards, service, &fact, &place);
            let fact = format!("service {} selects it on {allowed}", entry.service.name);
            self.builder.edge(service, EdgeKind::Forwards, target, &fact, &where_read);
        }
    }

    /// Whether a load balancer of the cloud sends to it.
    fn is_bound(&self, service: &Service) -> bool {
        let bindings = &self.connectivity.cluster.target_group_bindings;
        bindings.iter().any(|one| one.namespace == service.namespace && one.service == service.name)
    }

    /// From where a load balancer is reached: through its security groups, where it names some.
    fn sources_of(&mut self, groups: &[String], source: NodeId) -> Vec<NodeId> {
        if groups.is_empty() {
            return vec![source];
        }
        let node = |name: &String| {
            let group = self.builder.node(NodeKind::SecurityGroup, name, &format!("security group {name}"));
            // A group that was not read: whether it lets anybody in is not known.
            if !self.groups.contains(name) {
                let outside = self.builder.node(OUTSIDE.0, OUTSIDE.1, "");
                let fact = format!("security group {name} was not read");
                self.builder.edge(outside, EdgeKind::Forwards, group, &fact, "");
            }
            group
        };
        groups.iter().map(node).collect()
    }

    fn service_node(&mut self, service: &Service) -> NodeId {
        let key = namespaced(&service.namespace, &service.name);
        self.builder.node(NodeKind::Service, &key, &format!("service {key}"))
    }

    /// Services that are reached from outside: through a load balancer, an external address or a port of every node.
    fn services(&mut self) {
        let internet = self.builder.node(INTERNET.0, INTERNET.1, "");
        let outside = self.builder.node(OUTSIDE.0, OUTSIDE.1, "");
        for service in &self.connectivity.cluster.services {
            let place = self.show(service.place);
            let title = namespaced(&service.namespace, &service.name);
            let (source, fact) = match &service.exposure {
                Exposure::LoadBalancer { internal: false } if !service.is_for_private_sources() => {
                    (internet, format!("service {title} has a load balancer that is open to everybody"))
                }
                Exposure::LoadBalancer { .. } => {
                    (outside, format!("service {title} has a load balancer inside the provider's network"))
                }
                Exposure::Node => (outside, format!("service {title} has a port of every node")),
                _ if !service.external_addresses.is_empty() => {
                    (outside, format!("service {title} has external addresses"))
                }
                _ if self.is_bound(service) => (outside, String::new()),
                _ => continue,
            };
            let node = self.service_node(service);
            let mut leads = false;
            for end in self.connectivity.ends_behind(service) {
                let Some(workload) = self.connectivity.end(end).map(|end| end.workload) else { continue };
                let mut wanted = Connections::none();
                for port in &service.ports {
                    for target in port.targets(workload) {
                        wanted = wanted.union(&Connections::of(port.protocol, Ports::range(target, target)));
                    }
                }
                let open = wanted.intersection(&self.open_to_outside(end));
                let open = self.heard(end, open);
                if let Some(target) = self.node(end).filter(|_| !open.is_none()) {
                    let fact = format!("service {title} selects it on {open}");
                    self.builder.edge(node, EdgeKind::Forwards, target, &fact, &place);
                    leads = true;
                }
            }
            if leads && !fact.is_empty() {
                for source in self.sources_of(&service.security_groups, source) {
                    self.builder.edge(source, EdgeKind::Forwards, node, &fact, &place);
                }
            }
        }
    }

    /// Ports of the node that a pod takes for itself.
    fn host_ports(&mut self) {
        let outside = self.builder.node(OUTSIDE.0, OUTSIDE.1, "");
        for (index, end) in self.connectivity.ends().iter().enumerate() {
            let spec = &end.workload.spec;
            let own = spec.containers.iter().flat_map(|container| &container.ports);
            let taken: Vec<String> = own
                .filter(|port| port.host_port.is_some() || spec.host_network)
                .map(|port| format!("{} {}", port.protocol.name(), port.host_port.unwrap_or(port.number)))
                .collect();
            if let (false, Some(node)) = (taken.is_empty(), self.node(EndIndex(index))) {
                let fact = format!("{} takes {} of its node", end.title, taken.join(", "));
                self.builder.edge(outside, EdgeKind::Forwards, node, &fact, &self.show(end.workload.place));
            }
        }
    }

    /// Connections within the cluster.
    fn within(&mut self, notices: &mut Vec<String>) {
        let ends = self.connectivity.ends();
        let admin = &self.connectivity.cluster.admin_policies;
        if !admin.is_empty() || self.connectivity.cluster.baseline.is_some() {
            if ends.len().saturating_mul(ends.len()) <= MAX_PAIRS {
                return self.every_pair();
            }
            notices.push(format!(
                "admin policies over {} workloads: what these reach of each other is taken from NetworkPolicies alone",
                ends.len()
            ));
        }
        let senders = self.senders();
        self.receivers(&senders);
        self.chosen_destinations();
    }

    fn every_pair(&mut self) {
        for from in 0..self.connectivity.ends().len() {
            for to in 0..self.connectivity.ends().len() {
                if from != to {
                    self.pair(EndIndex(from), EndIndex(to));
                }
            }
        }
    }

    /// States the edge of one pair, where anything may flow.
    fn pair(&mut self, from: EndIndex, to: EndIndex) {
        let connections = self.connectivity.between(Side::Pods(from), Side::Pods(to));
        let connections = self.heard(to, connections);
        if connections.is_none() {
            return;
        }
        let (Some(source), Some(target)) = (self.node(from), self.node(to)) else { return };
        let policy = self.connectivity.policies(to, Direction::Ingress).next();
        let place = policy.map(|policy| self.show(policy.place)).unwrap_or_default();
        let fact = match policy {
            Some(policy) => format!("policy {} lets in {connections}", policy.name),
            None => format!("no policy keeps it from {connections}"),
        };
        self.builder.edge(source, EdgeKind::Reaches, target, &fact, &place);
    }

    /// Joins each end to the nodes that stand for everybody who may open the same connections to anybody.
    fn senders(&mut self) -> BTreeMap<String, Connections> {
        let mut kinds: BTreeMap<String, Connections> = BTreeMap::new();
        for index in 0..self.connectivity.ends().len() {
            let end = EndIndex(index);
            let open = self.open_to_all(end, Direction::Egress);
            let (Some(node), Some(known)) = (self.node(end), self.connectivity.end(end)) else { continue };
            if open.is_none() {
                continue;
            }
            let words = open.to_string();
            let namespace = &known.workload.namespace;
            let place = self.show(known.workload.place);
            let fact = if open.is_all() {
                "no policy keeps it from opening connections".to_owned()
            } else {
                format!("policies let it open {words} to everybody")
            };
            for (key, label) in hubs(namespace, &words) {
                let hub = self.builder.node(NodeKind::Network, &key, &label);
                self.builder.edge(node, EdgeKind::Reaches, hub, &fact, &place);
            }
            kinds.insert(words, open);
        }
        kinds
    }

    /// Joins those nodes to the ends that take what comes from everybody, in the cluster or in a namespace.
    fn receivers(&mut self, senders: &BTreeMap<String, Connections>) {
        for index in 0..self.connectivity.ends().len() {
            let end = EndIndex(index);
            let (Some(node), Some(known)) = (self.node(end), self.connectivity.end(end)) else { continue };
            let from_all = self.open_to_all(end, Direction::Ingress);
            let unprotected = from_all.is_all();
            let from_all = self.heard(end, from_all);
            let place = match self.connectivity.policies(end, Direction::Ingress).next() {
                Some(policy) => self.show(policy.place),
                None => self.show(known.workload.place),
            };
            let mut namespaces = self.namespaces_let_in(end);
            namespaces.values_mut().for_each(|open| *open = self.heard(end, open.clone()));
            for (words, open) in senders {
                let meet = open.intersection(&from_all);
                if !meet.is_none() {
                    let fact = if unprotected {
                        format!("{UNPROTECTED} {}", known.title)
                    } else {
                        format!("{} takes {meet} from everybody", known.title)
                    };
                    let hub = self.builder.node(NodeKind::Network, &cluster_hub(words), "");
                    self.builder.edge(hub, EdgeKind::Forwards, node, &fact, &place);
                    continue;
                }
                for (namespace, connections) in &namespaces {
                    let meet = open.intersection(connections);
                    if !meet.is_none() {
                        let hub = self.builder.node(NodeKind::Network, &namespace_hub(namespace, words), "");
                        let fact = format!("{} takes {meet} from namespace {namespace}", known.title);
                        self.builder.edge(hub, EdgeKind::Forwards, node, &fact, &place);
                    }
                }
            }
            self.chosen_sources(end);
        }
    }

    /// What an end takes from, or opens to, every pod of the cluster.
    fn open_to_all(&self, end: EndIndex, direction: Direction) -> Connections {
        let mut policies = self.connectivity.policies(end, direction).peekable();
        if policies.peek().is_none() {
            return Connections::all();
        }
        let destination = self.connectivity.end(end).map(|end| end.workload);
        let destination = destination.filter(|_| direction == Direction::Ingress);
        let mut open = Connections::none();
        for rule in
            policies.flat_map(|policy| crate::connectivity::rules(policy, direction).unwrap_or_default())
        {
            let all = |peer: &Peer| match peer {
                Peer::Pods { namespaces: Namespaces::Matching(selector), pods } => {
                    selector.is_empty() && pods.is_empty()
                }
                _ => false,
            };
            if rule.peers.is_empty() || rule.peers.iter().any(all) {
                open = open.union(&crate::connectivity::ports(&rule.ports, destination));
            }
        }
        open
    }

    /// The namespaces all of whose pods an end takes connections from, and which.
    fn namespaces_let_in(&self, end: EndIndex) -> HashMap<String, Connections> {
        let mut let_in: HashMap<String, Connections> = HashMap::new();
        let Some(known) = self.connectivity.end(end) else { return let_in };
        for policy in self.connectivity.policies(end, Direction::Ingress) {
            for rule in policy.ingress.iter().flatten() {
                let ports = crate::connectivity::ports(&rule.ports, Some(known.workload));
                for peer in &rule.peers {
                    let Peer::Pods { namespaces, pods } = peer else { continue };
                    if !pods.is_empty() {
                        continue;
                    }
                    match namespaces {
                        Namespaces::Own => {
                            let own = let_in.entry(policy.namespace.clone()).or_default();
                            *own = own.union(&ports);
                        }
                        Namespaces::Matching(selector) if !selector.is_empty() => {
                            for name in self.connectivity.namespaces_matching(selector) {
                                let own = let_in.entry(name.to_owned()).or_default();
                                *own = own.union(&ports);
                            }
                        }
                        Namespaces::Matching(_) => {}
                    }
                }
            }
        }
        let_in
    }

    /// Pairs in which the destination's policies choose sources by their labels.
    fn chosen_sources(&mut self, to: EndIndex) {
        let mut chosen = HashSet::new();
        for policy in self.connectivity.policies(to, Direction::Ingress) {
            for peer in policy.ingress.iter().flatten().flat_map(|rule| &rule.peers) {
                if let Peer::Pods { pods, .. } = peer
                    && !pods.is_empty()
                {
                    chosen.extend(self.connectivity.ends_meant(peer, &policy.namespace));
                }
            }
        }
        for from in chosen {
            if from != to {
                self.pair(from, to);
            }
        }
    }

    /// Pairs in which the source's policies choose destinations; what these take is evaluated.
    fn chosen_destinations(&mut self) {
        for index in 0..self.connectivity.ends().len() {
            let from = EndIndex(index);
            let mut chosen = HashSet::new();
            for policy in self.connectivity.policies(from, Direction::Egress) {
                for peer in policy.egress.iter().flatten().flat_map(|rule| &rule.peers) {
                    let everybody = matches!(peer, Peer::Pods { namespaces: Namespaces::Matching(selector), pods }
                        if selector.is_empty() && pods.is_empty());
                    if !everybody {
                        chosen.extend(self.connectivity.ends_meant(peer, &policy.namespace));
                    }
                }
            }
            for to in chosen {
                if from != to {
                    self.pair(from, to);
                }
            }
        }
    }
}

/// Everybody who may open these connections: in the cluster, and in one namespace.
fn hubs(namespace: &str, words: &str) -> [(String, String); 2] {
    [
        (cluster_hub(words), "the cluster's network".to_owned()),
        (namespace_hub(namespace, words), format!("the network of namespace {namespace}")),
    ]
}

fn cluster_hub(words: &str) -> String {
    format!("cluster/{words}")
}

fn namespace_hub(namespace: &str, words: &str) -> String {
    format!("namespace/{namespace}/{words}")
}

/// Whether a range holds addresses that the internet routes.
fn is_public(range: &AddressRange) -> bool {
    /// Private, loopback, link-local and carrier-grade ranges.
    const PRIVATE: [&str; 7] = [
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "100.64.0.0/10",
        "0.0.0.0/8",
    ];
    !PRIVATE.iter().filter_map(|text| AddressRange::of_cidr(text).ok()).any(|private| {
        private.family == range.family && private.first <= range.first && range.last <= private.last
    })
}
