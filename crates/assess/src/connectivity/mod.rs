//! What may talk to what: policies evaluated exactly, as sets of connections for each pair.
//!
//! A connection exists when the source's egress and the destination's ingress both let it pass. In each direction
//! AdminNetworkPolicies are asked first, by priority; what none of them decides goes to the NetworkPolicies that select
//! the pod; where none does, the baseline decides, and what it leaves open is allowed. Selectors of pods never match
//! addresses, and address blocks never match pods, as Kubernetes documents both.
//!
//! The word "pods" here means pods that no policy tells apart: a workload's replicas are evaluated once.

pub mod addresses;
pub mod connections;
mod ends;
mod entrances;
pub mod table;

use crate::kubernetes::network_policy::{
    Action, AdminPolicy, AdminRule, Namespaces, NetworkPolicy, Peer, Port, Rule,
};
use crate::kubernetes::workload::Workload;
use crate::kubernetes::{Cluster, Labels, Selector};
use addresses::{AddressRange, AddressSet, Family, divide};
pub use connections::{Connections, Ports};
pub use ends::{End, EndIndex};
pub use entrances::Entry;

/// Into a pod, or out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    Ingress,
    Egress,
}

/// One side of a connection.
#[derive(Clone, Copy, Debug)]
pub enum Side<'a> {
    Pods(EndIndex),
    /// A pod of the cluster of which nothing is known: an ingress controller that was not read.
    AnyPod,
    Addresses(&'a AddressRange),
}

/// The policies of a cluster over its pods.
pub struct Connectivity<'c> {
    pub cluster: &'c Cluster,
    ends: Vec<End<'c>>,
    /// Labels of each namespace that has pods, by [`End::namespace`].
    namespaces: Vec<(&'c str, Labels)>,
    /// Labels of the namespace of a pod of which nothing is known.
    unknown_namespace: Labels,
    no_labels: Labels,
}

/// What a selector is held against.
#[derive(Clone, Copy)]
enum Subject<'a> {
    Pod { namespace: &'a str, namespace_labels: &'a Labels, labels: &'a Labels },
    Addresses(&'a AddressRange),
}

/// A name no namespace can have.
const UNKNOWN_NAMESPACE: &str = "(unknown)";

impl<'c> Connectivity<'c> {
    pub fn new(cluster: &'c Cluster) -> Self {
        let (ends, namespaces) = ends::of(cluster);
        Self {
            cluster,
            ends,
            namespaces: namespaces.into_iter().map(|name| (name, cluster.namespace_labels(name))).collect(),
            unknown_namespace: [("kubernetes.io/metadata.name", UNKNOWN_NAMESPACE)].into_iter().collect(),
            no_labels: Labels::default(),
        }
    }

    pub fn ends(&self) -> &[End<'c>] {
        &self.ends
    }

    pub fn end(&self, index: EndIndex) -> Option<&End<'c>> {
        self.ends.get(index.0)
    }

    /// The ends that pods of a workload are.
    pub fn ends_of(&self, workload: &Workload) -> impl Iterator<Item = EndIndex> {
        // Ends stand in the order of the workloads.
        let start = self.ends.partition_point(|end| end.order() < workload_order(workload));
        let rest = self.ends.iter().enumerate().skip(start);
        rest.take_while(move |(_, end)| std::ptr::eq(end.workload, workload))
            .map(|(index, _)| EndIndex(index))
    }

    /// The parts of the address space between which policies of a direction tell a difference.
    pub fn address_ranges(&self, direction: Direction, family: Family) -> Vec<AddressRange> {
        let of_policies = self.cluster.policies.iter().flat_map(|policy| {
            let rules = match direction {
                Direction::Ingress => &policy.ingress,
                Direction::Egress => &policy.egress,
            };
            rules.iter().flatten().flat_map(|rule| &rule.peers)
        });
        let admin = self.cluster.admin_policies.iter().chain(&self.cluster.baseline);
        let of_admin = admin.flat_map(|policy| rules_of(policy, direction)).flat_map(|rule| &rule.peers);
        let mut sets: Vec<AddressSet> = Vec::new();
        for peer in of_policies.chain(of_admin) {
            match peer {
                Peer::Addresses(set) => sets.push(set.clone()),
                Peer::Nodes(selector) => {
                    let nodes = self.cluster.nodes.iter().filter(|node| selector.matches(&node.labels));
                    let cidrs = nodes.flat_map(|node| &node.addresses).filter_map(|address| host(address));
                    sets.extend(cidrs);
                }
                Peer::Pods { .. } => {}
            }
        }
        divide(family, &sets)
    }

    /// What may flow. Between two address ranges nothing is said: no policy speaks of it.
    pub fn between(&self, source: Side<'_>, destination: Side<'_>) -> Connections {
        let egress = match source {
            Side::Pods(index) => self.allowed(index, destination, destination, Direction::Egress),
            _ => Connections::all(),
        };
        if egress.is_none() {
            return egress;
        }
        match destination {
            Side::Pods(index) => {
                egress.intersection(&self.allowed(index, source, destination, Direction::Ingress))
            }
            _ => egress,
        }
    }

    /// What one side's policies allow. Named ports are those of the destination.
    pub fn allowed(
        &self,
        own: EndIndex,
        other: Side<'_>,
        destination: Side<'_>,
        direction: Direction,
    ) -> Connections {
        let Some(end) = self.end(own) else { return Connections::none() };
        let subject = self.subject(other);
        let destination = match destination {
            Side::Pods(index) => self.end(index).map(|end| end.workload),
            _ => None,
        };
        let mut allowed = Connections::none();
        // What no admin policy has decided yet, and what one of them passed on.
        let mut open = Connections::all();
        let mut passed = Connections::none();
        for policy in &end.admin_policies {
            for rule in rules_of(policy, direction) {
                let meant = self.of_admin_rule(rule, subject, destination).intersection(&open);
                if meant.is_none() {
                    continue;
                }
                open = open.without(&meant);
                match rule.action {
                    Action::Allow => allowed = allowed.union(&meant),
                    Action::Pass => passed = passed.union(&meant),
                    Action::Deny => {}
                }
            }
        }
        let open = open.union(&passed);
        let mut isolated = false;
        let mut by_policies = Connections::none();
        for policy in &end.policies {
            let Some(rules) = rules(policy, direction) else { continue };
            isolated = true;
            for rule in rules {
                by_policies = by_policies.union(&self.of_rule(rule, &policy.namespace, subject, destination));
            }
        }
        if isolated {
            return allowed.union(&by_policies.intersection(&open));
        }
        let mut undecided = open;
        for rule in end.baseline.iter().flat_map(|policy| rules_of(policy, direction)) {
            let meant = self.of_admin_rule(rule, subject, destination).intersection(&undecided);
            undecided = undecided.without(&meant);
            if rule.action == Action::Allow {
                allowed = allowed.union(&meant);
            }
        }
        allowed.union(&undecided)
    }

    /// The policies that a pod is subject to in a direction, admin policies aside.
    pub fn policies(&self, own: EndIndex, direction: Direction) -> impl Iterator<Item = &'c NetworkPolicy> {
        let policies = self.end(own).map(|end| end.policies.as_slice()).unwrap_or_default();
        policies.iter().copied().filter(move |policy| rules(policy, direction).is_some())
    }

    /// Whether any policy speaks of a pod in a direction.
    pub fn is_restricted(&self, own: EndIndex, direction: Direction) -> bool {
        self.policies(own, direction).next().is_some()
            || self.end(own).is_some_and(|end| {
                let admin = end.admin_policies.iter().chain(&end.baseline);
                admin.flat_map(|policy| rules_of(policy, direction)).next().is_some()
            })
    }

    /// The namespaces with pods whose labels a selector matches.
    pub fn namespaces_matching(&self, selector: &Selector) -> impl Iterator<Item = &'c str> {
        self.namespaces.iter().filter(|(_, labels)| selector.matches(labels)).map(|(name, _)| *name)
    }

    /// The pods a peer of a policy means; `own` is the policy's namespace.
    pub fn ends_meant(&self, peer: &Peer, own: &str) -> Vec<EndIndex> {
        let Peer::Pods { namespaces, pods } = peer else { return Vec::new() };
        let of_namespace = |name: &str| {
            let start = self.ends.partition_point(|end| end.workload.namespace.as_str() < name);
            let count = self.ends.partition_point(|end| end.workload.namespace.as_str() <= name) - start;
            let inside = self.ends.iter().enumerate().skip(start).take(count);
            inside
                .filter(|(_, end)| pods.matches(end.labels))
                .map(|(index, _)| EndIndex(index))
                .collect::<Vec<_>>()
        };
        match namespaces {
            Namespaces::Own => of_namespace(own),
            Namespaces::Matching(selector) => {
                self.namespaces_matching(selector).flat_map(of_namespace).collect()
            }
        }
    }

    fn subject<'a>(&'a self, side: Side<'a>) -> Subject<'a> {
        match side {
            Side::Addresses(range) => Subject::Addresses(range),
            Side::Pods(index) => match self.end(index) {
                Some(end) => {
                    let (namespace, namespace_labels) = self
                        .namespaces
                        .get(end.namespace)
                        .map_or((UNKNOWN_NAMESPACE, &self.unknown_namespace), |(name, labels)| {
                            (*name, labels)
                        });
                    Subject::Pod { namespace, namespace_labels, labels: end.labels }
                }
                None => self.any_pod(),
            },
            Side::AnyPod => self.any_pod(),
        }
    }

    fn any_pod(&self) -> Subject<'_> {
        Subject::Pod {
            namespace: UNKNOWN_NAMESPACE,
            namespace_labels: &self.unknown_namespace,
            labels: &self.no_labels,
        }
    }

    fn of_rule(
        &self,
        rule: &Rule,
        namespace: &str,
        subject: Subject<'_>,
        destination: Option<&Workload>,
    ) -> Connections {
        let applies =
            rule.peers.is_empty() || rule.peers.iter().any(|peer| self.is(subject, peer, namespace));
        if applies { ports(&rule.ports, destination) } else { Connections::none() }
    }

    fn of_admin_rule(
        &self,
        rule: &AdminRule,
        subject: Subject<'_>,
        destination: Option<&Workload>,
    ) -> Connections {
        let applies = rule.peers.iter().any(|peer| self.is(subject, peer, UNKNOWN_NAMESPACE));
        if applies { ports(&rule.ports, destination) } else { Connections::none() }
    }

    /// Whether a peer means the subject; `own` is the namespace of the policy.
    fn is(&self, subject: Subject<'_>, peer: &Peer, own: &str) -> bool {
        match (subject, peer) {
            (Subject::Pod { namespace, namespace_labels, labels }, Peer::Pods { namespaces, pods }) => {
                let there = match namespaces {
                    Namespaces::Own => namespace == own,
                    Namespaces::Matching(selector) => selector.matches(namespace_labels),
                };
                there && pods.matches(labels)
            }
            (Subject::Addresses(range), Peer::Addresses(set)) => set.contains(range),
            (Subject::Addresses(range), Peer::Nodes(selector)) => {
                let nodes = self.cluster.nodes.iter().filter(|node| selector.matches(&node.labels));
                nodes
                    .flat_map(|node| &node.addresses)
                    .filter_map(|one| host(one))
                    .any(|set| set.contains(range))
            }
            _ => false,
        }
    }
}

fn host(address: &str) -> Option<AddressSet> {
    let length = if address.contains(':') { 128 } else { 32 };
    AddressSet::of_cidr(&format!("{address}/{length}")).ok()
}

fn workload_order(workload: &Workload) -> (&str, &str, &str) {
    (&workload.namespace, &workload.name, &workload.kind)
}

pub(crate) fn rules(policy: &NetworkPolicy, direction: Direction) -> Option<&[Rule]> {
    match direction {
        Direction::Ingress => policy.ingress.as_deref(),
        Direction::Egress => policy.egress.as_deref(),
    }
}

fn rules_of(policy: &AdminPolicy, direction: Direction) -> &[AdminRule] {
    match direction {
        Direction::Ingress => &policy.ingress,
        Direction::Egress => &policy.egress,
    }
}

/// The connections that ports mean; all of them where there are none. A name means the destination's ports of that
/// name, and nothing where the destination has none, or is an address.
pub(crate) fn ports(ports: &[Port], destination: Option<&Workload>) -> Connections {
    if ports.is_empty() {
        return Connections::all();
    }
    let mut meant = Connections::none();
    for port in ports {
        match port {
            Port::Range(protocol, start, end) => {
                meant = meant.union(&Connections::of(*protocol, Ports::range(*start, *end)));
            }
            Port::Named(protocol, name) => {
                for port in destination.iter().flat_map(|workload| workload.named_ports(name, *protocol)) {
                    let one = Connections::of(port.protocol, Ports::range(port.number, port.number));
                    meant = meant.union(&one);
                }
            }
        }
    }
    meant
}
