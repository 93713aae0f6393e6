//! A cluster as typed values, from manifests and dumps alike.
//!
//! [`Cluster::read`] takes file after file; what several files say of the same object is kept once, and what a
//! running cluster reported is believed before what a manifest intends. Nothing is judged here.

pub mod access;
pub mod entrance;
pub mod labels;
pub mod network_policy;
pub mod service;
pub mod workload;

use std::collections::{BTreeMap, HashMap, HashSet};

use yagura_configuration::kubernetes::{Object, objects};
use yagura_formats::document::{Node, Tree};
use yagura_model::{SkipReason, Skipped};

use access::{Binding, Role, ServiceAccount};
use entrance::{Entrance, Gateway, ReferenceGrant};
pub use labels::{Labels, Selector};
use network_policy::{AdminPolicy, NetworkPolicy};
use service::{Endpoints, Service};
pub use workload::Protocol;
use workload::Workload;

/// Where an object lands that names no namespace.
pub const DEFAULT_NAMESPACE: &str = "default";
/// The label every namespace has, its name.
const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";
/// Longest chain of owners followed from a pod.
const MAX_OWNERS: usize = 8;
/// Most problems kept.
const MAX_PROBLEMS: usize = 10_000;

/// Objects that decide about connections, too, and that we do not read.
const DECIDES_TOO: [(&str, &str); 10] = [
    ("cilium.io", "CiliumNetworkPolicy"),
    ("cilium.io", "CiliumClusterwideNetworkPolicy"),
    ("projectcalico.org", "NetworkPolicy"),
    ("projectcalico.org", "GlobalNetworkPolicy"),
    ("crd.projectcalico.org", "NetworkPolicy"),
    ("crd.projectcalico.org", "GlobalNetworkPolicy"),
    ("k8s.cni.cncf.io", "NetworkAttachmentDefinition"),
    ("k8s.cni.cncf.io", "MultiNetworkPolicy"),
    ("k8s.ovn.org", "UserDefinedNetwork"),
    ("k8s.ovn.org", "ClusterUserDefinedNetwork"),
];

/// Where an object or a part of it was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Index into [`Cluster::files`].
    pub file: u32,
    /// From 1.
    pub line: u32,
}

impl Place {
    /// A node of the same file.
    pub fn at(self, node: &Node<'_>) -> Self {
        Self { line: node.span.line, ..self }
    }
}

/// Everything that was read of one cluster.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    /// Names of what was read.
    pub files: Vec<String>,
    /// Labels and place of each namespace that was stated.
    pub namespaces: BTreeMap<String, Namespace>,
    pub workloads: Vec<Workload>,
    pub services: Vec<Service>,
    pub endpoints: Vec<Endpoints>,
    pub entrances: Vec<Entrance>,
    pub gateways: Vec<Gateway>,
    pub grants: Vec<ReferenceGrant>,
    pub policies: Vec<NetworkPolicy>,
    /// By priority; the baseline is apart.
    pub admin_policies: Vec<AdminPolicy>,
    pub baseline: Option<AdminPolicy>,
    pub nodes: Vec<ClusterNode>,
    pub roles: Vec<Role>,
    pub bindings: Vec<Binding>,
    pub service_accounts: Vec<ServiceAccount>,
    pub secrets: Vec<Secret>,
    pub target_group_bindings: Vec<TargetGroupBinding>,
    /// What could not be read, or would be refused by the API server.
    pub skipped: Vec<Skipped>,
    seen: HashMap<Identity, Seen>,
    /// Manifests of objects that a cluster reported later.
    replaced: HashSet<Place>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Namespace {
    pub labels: Labels,
    pub place: Place,
}

/// A machine of the cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterNode {
    pub name: String,
    pub labels: Labels,
    pub place: Place,
    /// Internal and external addresses.
    pub addresses: Vec<String>,
    /// `aws:///zone/i-…` and the like.
    pub provider_id: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    pub namespace: String,
    pub name: String,
    pub kind: String,
    pub place: Place,
}

/// A target group of an AWS load balancer that sends to a service (`elbv2.k8s.aws`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetGroupBinding {
    pub namespace: String,
    pub service: String,
    /// Its ARN or its name.
    pub target_group: String,
    pub place: Place,
}

/// What makes two texts speak of one object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Identity {
    group: String,
    kind: String,
    namespace: String,
    name: String,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    place: Place,
    live: bool,
}

impl Cluster {
    /// Takes in every Kubernetes object of a file; other documents are passed over.
    pub fn read(&mut self, file: &str, tree: &Tree<'_>) {
        let objects = objects(tree);
        if objects.is_empty() {
            return;
        }
        // What comes in pieces is one file.
        if self.files.last().is_none_or(|last| last != file) {
            self.files.push(file.to_owned());
        }
        let Some(Ok(index)) = self.files.len().checked_sub(1).map(u32::try_from) else { return };
        for object in objects {
            self.take(&object, Place { file: index, line: object.node.span.line });
        }
    }

    /// `file:line`.
    pub fn show(&self, place: Place) -> String {
        let file = usize::try_from(place.file).ok().and_then(|file| self.files.get(file));
        format!("{}:{}", file.map_or("?", String::as_str), place.line)
    }

    /// The labels of a namespace: those it states, and its name.
    pub fn namespace_labels(&self, name: &str) -> Labels {
        let stated = self.namespaces.get(name).map(|namespace| namespace.labels.clone());
        stated.unwrap_or_default().with_default(NAMESPACE_NAME, name)
    }

    fn take(&mut self, object: &Object<'_, '_>, place: Place) {
        if self.is_known(object, place) {
            return;
        }
        if let Some(workload) = Workload::read(object, place) {
            self.workloads.push(workload);
            return;
        }
        if let Some(entrance) = Entrance::read(object, place) {
            self.entrances.push(entrance);
            return;
        }
        match (object.group(), object.kind) {
            ("", "Namespace") | ("project.openshift.io", "Project") => {
                let labels = Labels::read(object.node.at(&["metadata", "labels"]));
                self.namespaces.insert(object.name.to_owned(), Namespace { labels, place });
            }
            ("", "Node") => self.nodes.push(ClusterNode::read(object, place)),
            ("", "Service") => self.services.extend(Service::read(object, place)),
            ("", "Endpoints") | ("discovery.k8s.io", "EndpointSlice") => {
                self.endpoints.extend(Endpoints::read(object));
            }
            ("", "ServiceAccount") => self.service_accounts.push(ServiceAccount::read(object, place)),
            ("", "Secret") => self.secrets.push(Secret {
                namespace: object.namespace.unwrap_or(DEFAULT_NAMESPACE).to_owned(),
                name: object.name.to_owned(),
                kind: object.node.text_of("type").unwrap_or("Opaque").to_owned(),
                place,
            }),
            ("gateway.networking.k8s.io", "Gateway") => self.gateways.extend(Gateway::read(object, place)),
            ("gateway.networking.k8s.io", "ReferenceGrant") => {
                self.grants.extend(ReferenceGrant::read(object))
            }
            ("networking.k8s.io" | "extensions", "NetworkPolicy") => {
                match NetworkPolicy::read(object, place) {
                    Ok(policy) => self.policies.push(policy),
                    Err(error) => self.refused(object, place, &error),
                }
            }
            ("policy.networking.k8s.io", "AdminNetworkPolicy" | "BaselineAdminNetworkPolicy") => {
                match AdminPolicy::read(object, place) {
                    Ok(policy) if policy.priority.is_some() => self.admin_policies.push(policy),
                    Ok(policy) => self.baseline = Some(policy),
                    Err(error) => self.refused(object, place, &error),
                }
            }
            ("elbv2.k8s.aws", "TargetGroupBinding") => {
                let spec = |path: &[&str]| object.node.get("spec").and_then(|spec| spec.at(path)?.scalar());
                let target_group = spec(&["targetGroupARN"]).or_else(|| spec(&["targetGroupName"]));
                if let (Some(service), Some(target_group)) = (spec(&["serviceRef", "name"]), target_group) {
                    self.target_group_bindings.push(TargetGroupBinding {
                        namespace: object.namespace.unwrap_or(DEFAULT_NAMESPACE).to_owned(),
                        service: service.to_owned(),
                        target_group: target_group.to_owned(),
                        place,
                    });
                }
            }
            ("rbac.authorization.k8s.io", "Role" | "ClusterRole") => {
                self.roles.push(Role::read(object, place))
            }
            ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => {
                self.bindings.extend(Binding::read(object, place));
            }
            (group, kind) if DECIDES_TOO.contains(&(group, kind)) => {
                let detail =
                    format!("{kind} {} is not evaluated: what may talk may differ by it", object.name);
                self.skip(place, SkipReason::Unsupported, detail);
            }
            _ => {}
        }
    }

    /// Whether the object was taken in before. What a cluster reported replaces what a manifest intends.
    fn is_known(&mut self, object: &Object<'_, '_>, place: Place) -> bool {
        if object.name.is_empty() {
            return false;
        }
        let identity = Identity {
            group: object.group().to_owned(),
            kind: object.kind.to_owned(),
            namespace: object.namespace.unwrap_or_default().to_owned(),
            name: object.name.to_owned(),
        };
        let live = object.node.at(&["metadata", "uid"]).is_some();
        let Some(earlier) = self.seen.get(&identity).copied() else {
            self.seen.insert(identity, Seen { place, live });
            return false;
        };
        let kept = if live && !earlier.live { place } else { earlier.place };
        if live == earlier.live {
            let detail = format!(
                "{} {} is stated twice; what {} says counts",
                object.kind,
                object.name,
                self.show(kept)
            );
            self.skip(place, SkipReason::Malformed, detail);
        }
        if kept == earlier.place {
            return true;
        }
        self.replaced.insert(earlier.place);
        self.seen.insert(identity, Seen { place, live });
        false
    }

    fn refused(&mut self, object: &Object<'_, '_>, place: Place, error: &str) {
        let detail = format!(
            "{} {} is not applied, the API server would refuse it: {error}",
            object.kind, object.name
        );
        self.skip(place, SkipReason::Malformed, detail);
    }

    fn skip(&mut self, place: Place, reason: SkipReason, detail: String) {
        if self.skipped.len() < MAX_PROBLEMS {
            let path = self.show(place);
            self.skipped.push(Skipped::new(path, reason, detail));
        }
    }

    /// Joins what belongs together once all is read: pods with their controllers, policies by priority. Call it once.
    pub fn finish(&mut self) {
        self.seen = HashMap::new();
        self.drop_replaced();
        self.join_pods();
        self.admin_policies.sort_by(|a, b| (a.priority, &a.name).cmp(&(b.priority, &b.name)));
        let clashes: Vec<(Place, String)> = self
            .admin_policies
            .windows(2)
            .filter_map(|pair| match pair {
                [first, second] if first.priority == second.priority => Some((
                    second.place,
                    format!(
                        "AdminNetworkPolicies {} and {} share a priority: which comes first is undefined, the \
                         order of names is taken",
                        first.name, second.name
                    ),
                )),
                _ => None,
            })
            .collect();
        for (place, detail) in clashes {
            self.skip(place, SkipReason::Malformed, detail);
        }
    }

    fn drop_replaced(&mut self) {
        let replaced = std::mem::take(&mut self.replaced);
        if replaced.is_empty() {
            return;
        }
        self.workloads.retain(|one| !replaced.contains(&one.place));
        self.entrances.retain(|one| !replaced.contains(&one.place));
        self.services.retain(|one| !replaced.contains(&one.place));
        self.gateways.retain(|one| !replaced.contains(&one.place));
        self.policies.retain(|one| !replaced.contains(&one.place));
        self.admin_policies.retain(|one| !replaced.contains(&one.place));
        self.nodes.retain(|one| !replaced.contains(&one.place));
        self.roles.retain(|one| !replaced.contains(&one.place));
        self.bindings.retain(|one| !replaced.contains(&one.place));
        self.service_accounts.retain(|one| !replaced.contains(&one.place));
        self.secrets.retain(|one| !replaced.contains(&one.place));
    }

    /// Gives each pod to the workload at the top of its owners, as far as they are known.
    fn join_pods(&mut self) {
        type Key = (String, String, String);
        let key = |namespace: &str, kind: &str, name: &str| -> Key {
            (namespace.to_owned(), kind.to_owned(), name.to_owned())
        };
        let workloads = std::mem::take(&mut self.workloads);
        let owners: HashMap<Key, Option<Key>> = workloads
            .iter()
            .map(|one| {
                let owner = one.owner.as_ref().map(|owner| key(&one.namespace, &owner.kind, &owner.name));
                (key(&one.namespace, &one.kind, &one.name), owner)
            })
            .collect();
        let top = |start: Key| {
            let mut at = start;
            for _ in 0..MAX_OWNERS {
                match owners.get(&at) {
                    Some(Some(owner)) => at = owner.clone(),
                    _ => break,
                }
            }
            at
        };
        let mut places: HashMap<Key, usize> = HashMap::new();
        let mut owned = Vec::new();
        for workload in workloads {
            let own = key(&workload.namespace, &workload.kind, &workload.name);
            let mut above = top(own.clone());
            if above == own {
                places.insert(own, self.workloads.len());
                self.workloads.push(workload);
            } else {
                // A machine's pods are shown as the machine.
                if above.1 == "VirtualMachineInstance" {
                    "VirtualMachine".clone_into(&mut above.1);
                }
                owned.push((above, workload));
            }
        }
        for (above, workload) in owned {
            let (namespace, kind, name) = above.clone();
            match places.get(&above).and_then(|at| self.workloads.get_mut(*at)) {
                Some(known) => known.pods.extend(workload.pods),
                None => {
                    places.insert(above, self.workloads.len());
                    self.workloads.push(Workload { namespace, kind, name, ..workload });
                }
            }
        }
        self.workloads
            .sort_by(|a, b| (&a.namespace, &a.name, &a.kind).cmp(&(&b.namespace, &b.name, &b.kind)));
    }
}

impl ClusterNode {
    fn read(object: &Object<'_, '_>, place: Place) -> Self {
        let addresses = object.node.at(&["status", "addresses"]).map(Node::items).unwrap_or_default();
        let is_address = |node: &&Node<'_>| node.text_of("type").is_some_and(|kind| kind.ends_with("IP"));
        Self {
            name: object.name.to_owned(),
            labels: Labels::read(object.node.at(&["metadata", "labels"])),
            place,
            addresses: addresses
                .iter()
                .filter(is_address)
                .filter_map(|address| address.text_of("address"))
                .map(str::to_owned)
                .collect(),
            provider_id: object
                .node
                .at(&["spec", "providerID"])
                .and_then(Node::scalar)
                .unwrap_or_default()
                .to_owned(),
        }
    }
}
