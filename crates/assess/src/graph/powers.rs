//! What service accounts may do to the cluster, as edges.

use std::collections::HashMap;

use yagura_model::graph::{Builder, EdgeKind, NodeId, NodeKind};

use super::{CLUSTER, Sources, any_node, namespaced};
use crate::access::powers::{Gives, Held, held};
use crate::access::{Access, Grant};
use crate::kubernetes::access::Subject;
use crate::kubernetes::{Cluster, Labels};

/// The label by which pod security is enforced in a namespace, and the levels that keep pods from their node.
const POD_SECURITY: &str = "pod-security.kubernetes.io/enforce";
const KEEPS_IN: [&str; 2] = ["baseline", "restricted"];

pub(super) fn add(sources: &Sources<'_>, builder: &mut Builder) {
    let access = Access::new(sources.cluster, sources.default_roles);
    let mut namespaces: Vec<&str> =
        sources.cluster.workloads.iter().map(|one| one.namespace.as_str()).collect();
    namespaces.extend(sources.cluster.namespaces.keys().map(String::as_str));
    namespaces.extend(sources.cluster.service_accounts.iter().map(|account| account.namespace.as_str()));
    namespaces.sort_unstable();
    namespaces.dedup();
    let mut workloads: HashMap<&str, Vec<NodeId>> = HashMap::new();
    for workload in &sources.cluster.workloads {
        let node = builder.node(NodeKind::Workload, &super::workload_key(workload), "");
        workloads.entry(&workload.namespace).or_default().push(node);
    }
    for namespace in &namespaces {
        escapes_of_new_pods(sources.cluster, namespace, builder);
    }
    let mut edges = Edges { sources, builder, namespaces, workloads };
    for subject in subjects(sources.cluster, &access) {
        let grants = access.grants(&subject);
        let node = match &subject {
            Subject::ServiceAccount { namespace, name } => {
                let key = namespaced(namespace, name);
                edges.builder.node(NodeKind::ServiceAccount, &key, &format!("service account {key}"))
            }
            other => edges.builder.node(NodeKind::Identity, &other.to_string(), &other.to_string()),
        };
        for held in held(sources.powers, &grants) {
            edges.add(node, &subject, &held);
        }
    }
}

/// Everybody that bindings name, and the accounts that have rights by their groups alone.
fn subjects(cluster: &Cluster, access: &Access<'_>) -> Vec<Subject> {
    let mut all: Vec<Subject> = access.subjects().cloned().collect();
    let group_rights = all
        .iter()
        .any(|subject| matches!(subject, Subject::Group(name) if name.starts_with("system:serviceaccounts")));
    if group_rights {
        let of_workloads = cluster
            .workloads
            .iter()
            .map(|workload| (workload.namespace.clone(), workload.spec.service_account.clone()));
        all.extend(of_workloads.map(|(namespace, name)| Subject::ServiceAccount { namespace, name }));
    }
    all.sort();
    all.dedup();
    all
}

/// Whoever may make pods in a namespace has a node, unless pod security forbids the ways.
fn escapes_of_new_pods(cluster: &Cluster, namespace: &str, builder: &mut Builder) {
    let labels: Labels = cluster.namespace_labels(namespace);
    if labels.get(POD_SECURITY).is_some_and(|level| KEEPS_IN.contains(&level)) {
        return;
    }
    let node = builder.node(NodeKind::Namespace, namespace, namespace);
    let machine = any_node(builder);
    let place =
        cluster.namespaces.get(namespace).map(|stated| cluster.show(stated.place)).unwrap_or_default();
    let fact = format!("pod security does not forbid privileged pods in namespace {namespace}");
    builder.edge(node, EdgeKind::Escapes, machine, &fact, &place);
}

struct Edges<'a, 'b> {
    sources: &'a Sources<'a>,
    builder: &'b mut Builder,
    namespaces: Vec<&'a str>,
    workloads: HashMap<&'a str, Vec<NodeId>>,
}

impl Edges<'_, '_> {
    fn add(&mut self, node: NodeId, subject: &Subject, held: &Held<'_>) {
        let scope = held.scope.map_or(String::new(), |scope| format!(" in namespace {scope}"));
        let binding = held.grants.first().map(|grant| grant.binding.name.as_str()).unwrap_or_default();
        let fact = format!("{subject} {}{scope} (by binding {binding})", held.power.title);
        let place = held.grants.first().map(|grant| self.place(grant)).unwrap_or_default();
        match (held.power.gives, held.scope) {
            (Gives::ClusterAdmin | Gives::AnyIdentity, _) | (Gives::ScopeAdmin, None) => {
                let whole = self.builder.node(CLUSTER.0, CLUSTER.1, "the cluster");
                self.builder.edge(node, EdgeKind::Administers, whole, &fact, &place);
            }
            (Gives::Nodes, _) => {
                let machine = any_node(self.builder);
                self.builder.edge(node, EdgeKind::Enters, machine, &fact, &place);
                for known in &self.sources.cluster.nodes {
                    let machine = self.builder.node(NodeKind::Node, &known.name, &known.name);
                    self.builder.edge(node, EdgeKind::Enters, machine, &fact, &place);
                }
            }
            (Gives::ScopeAdmin | Gives::NewPods, Some(scope)) => {
                let namespace = self.builder.node(NodeKind::Namespace, scope, scope);
                self.builder.edge(node, EdgeKind::Deploys, namespace, &fact, &place);
            }
            (Gives::NewPods, None) => self.in_each(node, EdgeKind::Deploys, &fact, &place),
            (Gives::Secrets, scope) => {
                self.objects(node, EdgeKind::Reads, NodeKind::Secret, scope, held, &fact, &place)
            }
            (Gives::ServiceAccounts, scope) => {
                self.objects(node, EdgeKind::Becomes, NodeKind::ServiceAccount, scope, held, &fact, &place);
            }
            (Gives::Pods, scope) => {
                let inside: Vec<NodeId> = match scope {
                    Some(scope) => self.workloads.get(scope).cloned().unwrap_or_default(),
                    None => self.workloads.values().flatten().copied().collect(),
                };
                for workload in inside {
                    self.builder.edge(node, EdgeKind::Enters, workload, &fact, &place);
                }
            }
        }
    }

    fn in_each(&mut self, node: NodeId, kind: EdgeKind, fact: &str, place: &str) {
        for name in self.namespaces.clone() {
            let namespace = self.builder.node(NodeKind::Namespace, name, name);
            self.builder.edge(node, kind, namespace, fact, place);
        }
    }

    /// An edge to the namespaces whose objects are meant, or to the objects that a rule names.
    #[expect(clippy::too_many_arguments, reason = "one edge's parts")]
    fn objects(
        &mut self,
        node: NodeId,
        kind: EdgeKind,
        of: NodeKind,
        scope: Option<&str>,
        held: &Held<'_>,
        fact: &str,
        place: &str,
    ) {
        let scopes: Vec<String> = match scope {
            Some(scope) => vec![scope.to_owned()],
            None => self.namespaces.iter().map(|name| (*name).to_owned()).collect(),
        };
        for scope in scopes {
            if held.names.is_empty() {
                let namespace = self.builder.node(NodeKind::Namespace, &scope, &scope);
                self.builder.edge(node, kind, namespace, fact, place);
            }
            for name in &held.names {
                // Only what exists: a name says nothing of the kind of cluster it is read in.
                if let Some(object) = self.builder.find(of, &namespaced(&scope, name)) {
                    self.builder.edge(node, kind, object, fact, place);
                }
            }
        }
    }

    fn place(&self, grant: &Grant<'_>) -> String {
        let own = self.sources.cluster.bindings.as_ptr_range().contains(&std::ptr::from_ref(grant.binding));
        if own { self.sources.cluster } else { self.sources.default_roles }.show(grant.binding.place)
    }
}
