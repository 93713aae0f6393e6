//! Which pods have to be told apart.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::kubernetes::network_policy::{AdminPolicy, NetworkPolicy, Peer};
use crate::kubernetes::workload::Workload;
use crate::kubernetes::{Cluster, Labels, Selector};

/// An index into [`super::Connectivity::ends`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EndIndex(pub usize);

/// Pods of one workload that no selector tells apart.
#[derive(Clone, Debug)]
pub struct End<'c> {
    pub workload: &'c Workload,
    /// `namespace/name[Kind]`; of the pod, where pods of the workload differ.
    pub title: String,
    pub labels: &'c Labels,
    /// Index of the namespace.
    pub(super) namespace: usize,
    /// Those that select it.
    pub(super) policies: Vec<&'c NetworkPolicy>,
    pub(super) admin_policies: Vec<&'c AdminPolicy>,
    pub(super) baseline: Option<&'c AdminPolicy>,
}

impl End<'_> {
    pub(super) fn order(&self) -> (&str, &str, &str) {
        super::workload_order(self.workload)
    }
}

/// The ends of a cluster in the order of its workloads, and the names of their namespaces.
pub(super) fn of(cluster: &Cluster) -> (Vec<End<'_>>, Vec<&str>) {
    let mut by_namespace: HashMap<&str, Vec<&NetworkPolicy>> = HashMap::new();
    for policy in &cluster.policies {
        by_namespace.entry(&policy.namespace).or_default().push(policy);
    }
    let selectors = Selectors::of(cluster);
    let mut namespaces: Vec<&str> = Vec::new();
    let mut ends = Vec::new();
    for workload in &cluster.workloads {
        if namespaces.last() != Some(&workload.namespace.as_str()) {
            namespaces.push(&workload.namespace);
        }
        let namespace = namespaces.len().saturating_sub(1);
        let namespace_labels = cluster.namespace_labels(&workload.namespace);
        let kinds = selectors.kinds_of_pods(workload);
        let several = kinds.len() > 1;
        for (name, labels) in kinds {
            let own = by_namespace.get(workload.namespace.as_str()).map(Vec::as_slice).unwrap_or_default();
            let selects = |policy: &&AdminPolicy| {
                policy.namespaces.matches(&namespace_labels) && policy.pods.matches(labels)
            };
            ends.push(End {
                workload,
                title: match name {
                    Some(pod) if several => format!("{}/{pod}[Pod]", workload.namespace),
                    _ => workload.title(),
                },
                labels,
                namespace,
                policies: own.iter().copied().filter(|policy| policy.pods.matches(labels)).collect(),
                admin_policies: cluster.admin_policies.iter().filter(selects).collect(),
                baseline: cluster.baseline.as_ref().filter(selects),
            });
        }
    }
    (ends, namespaces)
}

/// Every selector of pods in a cluster, by the keys they look at.
struct Selectors<'c> {
    keys: HashSet<&'c str>,
    selectors: Vec<&'c Selector>,
}

impl<'c> Selectors<'c> {
    fn of(cluster: &'c Cluster) -> Self {
        let mut selectors: HashSet<&Selector> = HashSet::new();
        let mut of_peers = |peers: &'c [Peer]| {
            for peer in peers {
                if let Peer::Pods { pods, .. } = peer {
                    selectors.insert(pods);
                }
            }
        };
        for policy in &cluster.policies {
            policy.ingress.iter().chain(&policy.egress).flatten().for_each(|rule| of_peers(&rule.peers));
        }
        for policy in cluster.admin_policies.iter().chain(&cluster.baseline) {
            policy.ingress.iter().chain(&policy.egress).for_each(|rule| of_peers(&rule.peers));
        }
        selectors.extend(cluster.policies.iter().map(|policy| &policy.pods));
        selectors.extend(cluster.admin_policies.iter().chain(&cluster.baseline).map(|policy| &policy.pods));
        selectors.extend(cluster.services.iter().filter_map(|service| service.selector.as_ref()));
        let selectors: Vec<&Selector> = selectors.into_iter().filter(|one| !one.is_empty()).collect();
        Self { keys: selectors.iter().flat_map(|selector| selector.keys()).collect(), selectors }
    }

    /// One pod (its name, its labels) of each kind that the selectors tell apart; the template where no pod was seen.
    fn kinds_of_pods<'w>(&self, workload: &'w Workload) -> Vec<(Option<&'w str>, &'w Labels)> {
        if workload.pods.is_empty() {
            return vec![(None, &workload.labels)];
        }
        let mut by_labels: BTreeMap<Vec<(&str, &str)>, (&str, &Labels)> = BTreeMap::new();
        for pod in &workload.pods {
            let seen = pod.labels.iter().filter(|(key, _)| self.keys.contains(key)).collect();
            by_labels.entry(seen).or_insert((&pod.name, &pod.labels));
        }
        let mut kinds = BTreeSet::new();
        let mut pods = Vec::new();
        for (name, labels) in by_labels.into_values() {
            let alone = pods.is_empty();
            let matched: Vec<bool> = self.selectors.iter().map(|selector| selector.matches(labels)).collect();
            if kinds.insert(matched) || alone {
                pods.push((Some(name), labels));
            }
        }
        pods
    }
}
