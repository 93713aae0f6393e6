//! The graph's readers: clusters and what is evaluated over them.

use yagura_assess::connectivity::Connectivity;
use yagura_assess::connectivity::addresses::Family;
use yagura_assess::connectivity::table::rows;
use yagura_assess::kubernetes::Cluster;
use yagura_formats::document::{self, yaml};

use crate::Target;

/// Rows looked at; a table may have very many.
const MAX_ROWS: usize = 1000;

pub(super) const TARGETS: &[Target] = &[Target {
    name: "assess/cluster",
    seeds: || {
        let text = "\
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Pod, metadata: {name: a, labels: {app: a}}, spec: {containers: [{name: c, ports: [{name: w, containerPort: 80}]}]}}
- {apiVersion: v1, kind: Service, metadata: {name: s}, spec: {selector: {app: a}, ports: [{port: 80, targetPort: w}]}}
- {apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i}, spec: {defaultBackend: {service: {name: s, port: {number: 80}}}}}
- apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata: {name: p}
  spec:
    podSelector: {matchExpressions: [{key: app, operator: In, values: [a, b]}]}
    ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}, {namespaceSelector: {}}], ports: [{port: w}, {port: 1, endPort: 9}]}]
- apiVersion: policy.networking.k8s.io/v1alpha1
  kind: AdminNetworkPolicy
  metadata: {name: q}
  spec: {priority: 5, subject: {namespaces: {}}, egress: [{action: Deny, to: [{networks: ['::/0']}], ports: [{portRange: {start: 1, end: 5}}]}]}
";
        vec![text.as_bytes().to_vec()]
    },
    run: |bytes| {
        let mut cluster = Cluster::default();
        cluster.read("fuzz", &yaml::parse(&document::decode(bytes)));
        cluster.finish();
        let connectivity = Connectivity::new(&cluster);
        let mut left = MAX_ROWS;
        let _: Result<(), &str> = rows(&connectivity, &[Family::V4, Family::V6], |_| {
            left = left.checked_sub(1).ok_or("enough")?;
            Ok(())
        });
    },
}];
