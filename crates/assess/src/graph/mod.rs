//! The graph of a stack, built from what every source says.
//!
//! A source is a function that states nodes and edges in a [`Builder`]; it need not know the others, since a node is the
//! same wherever its key is. What a cloud says (networks, load balancers, identities) comes in the same way:
//! `Internet` forwards to load balancers, these to the services, instances and functions behind them; identities act
//! as, become, administer, read.

pub mod aws;
mod azure;
mod cloud_roles;
mod cluster;
mod gcp;
mod images;
mod network;
mod powers;
mod resources;
mod runtime;

use yagura_model::Finding;
use yagura_model::graph::{Builder, Graph, NodeId, NodeKind};
use yagura_model::report::Target;

use crate::access::powers::Power;
use crate::connectivity::{Connectivity, Direction, EndIndex};
use crate::kubernetes::Cluster;
use crate::profiles::{self, Runtime};
pub use images::Flaw;
pub(crate) use images::{bare, normal as normal_image};
pub use resources::Cloud;
use resources::Resources;

/// Everything that is known of a stack.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    pub cluster: &'a Cluster,
    /// Kubernetes' own roles: [`crate::access::defaults`].
    pub default_roles: &'a Cluster,
    pub powers: &'a [Power],
    pub cloud: &'a Cloud,
    pub targets: &'a [Target],
    pub findings: &'a [Finding],
    /// What was seen running.
    pub runtime: &'a Runtime,
    /// Where the attacker starts; the internet where nothing is named. See [`crate::paths::foothold`].
    pub from: &'a [String],
}

/// The graph with what is known of its flaws.
pub struct StackGraph {
    pub graph: Graph,
    /// In the order of the findings they are of.
    pub flaws: Vec<Flaw>,
    /// Whether anything says where targets run.
    pub knows_workloads: bool,
    /// What was not known and had to be assumed.
    pub notices: Vec<String>,
}

/// The node that stands for everybody outside.
pub(crate) const INTERNET: (NodeKind, &str) = (NodeKind::Internet, "internet");
/// Somebody outside the cluster whose way in was not read.
pub(crate) const OUTSIDE: (NodeKind, &str) = (NodeKind::Unknown, "outside");
/// How the fact begins that a workload takes what comes from anybody.
pub(crate) const UNPROTECTED: &str = "no policy protects";
pub(crate) const CLUSTER: (NodeKind, &str) = (NodeKind::Cluster, "cluster");

impl StackGraph {
    pub fn new(sources: &Sources<'_>) -> Self {
        let mut builder = Builder::default();
        let mut notices = Vec::new();
        builder.node(INTERNET.0, INTERNET.1, "the internet");
        builder.node(OUTSIDE.0, OUTSIDE.1, "somebody outside the cluster");
        let connectivity = Connectivity::new(sources.cluster);
        let cloud = Resources::new(sources.cloud);
        let watched = sources.runtime.watched(sources.targets, sources.cluster);
        if !sources.cluster.workloads.is_empty() {
            cluster::add(sources.cluster, &cloud, &mut builder);
            let listening = profiles::listening(&watched);
            network::add(&connectivity, &listening, sources.cloud, &mut builder, &mut notices);
            powers::add(sources, &mut builder);
        }
        let pods = pods_that_open(&connectivity, &mut builder);
        aws::add(&cloud, sources, &pods, &mut builder, &mut notices);
        azure::add(&cloud, sources, &mut builder, &mut notices);
        gcp::add(&cloud, sources, &mut builder, &mut notices);
        runtime::add(sources, &watched, &mut builder);
        let flaws = images::add(sources, &watched, &mut builder);
        Self {
            graph: builder.finish(),
            flaws,
            knows_workloads: !sources.cluster.workloads.is_empty() || !sources.cloud.resources.is_empty(),
            notices,
        }
    }
}

/// Workloads that no policy keeps from opening connections, to wherever.
fn pods_that_open(connectivity: &Connectivity<'_>, builder: &mut Builder) -> Vec<(NodeId, String)> {
    let ends = connectivity.ends().iter().enumerate();
    let free =
        ends.filter(|(at, _)| connectivity.policies(EndIndex(*at), Direction::Egress).next().is_none());
    free.map(|(_, end)| {
        let title = end.workload.title();
        (builder.node(NodeKind::Workload, &workload_key(end.workload), &title), title)
    })
    .collect()
}

/// The key of a workload, the same whatever file it was read from.
pub(crate) fn workload_key(workload: &crate::kubernetes::workload::Workload) -> String {
    format!("{}/{}/{}", workload.namespace, workload.kind, workload.name)
}

fn namespaced(namespace: &str, name: &str) -> String {
    format!("{namespace}/{name}")
}

/// The node of a machine whose name is not known.
pub(crate) fn any_node(builder: &mut Builder) -> NodeId {
    builder.node(NodeKind::Node, "(any)", "a node of the cluster")
}
