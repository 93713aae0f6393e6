//! The types of nodes and edges.

use serde::{Deserialize, Serialize};

macro_rules! kinds {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// As rules, exports and identities write it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            pub fn of_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.name() == name)
            }
        }
    };
}

kinds! {
    /// What a node is.
    NodeKind {
        /// Everybody outside, who may send anything.
        Internet = "internet",
        /// Somebody of whom it is not known whether they can be reached or reach.
        Unknown = "unknown",
        CloudAccount = "cloud-account",
        Network = "network",
        SecurityGroup = "security-group",
        LoadBalancer = "load-balancer",
        Instance = "instance",
        Function = "function",
        Bucket = "bucket",
        Database = "database",
        /// A user of a cloud or of a cluster, a group, or whoever has logged in elsewhere.
        Identity = "identity",
        /// A role that an identity may take, in a cloud or a cluster.
        Role = "role",
        Key = "key",
        Cluster = "cluster",
        Namespace = "namespace",
        /// A machine of a cluster.
        Node = "node",
        Workload = "workload",
        Pod = "pod",
        Container = "container",
        Service = "service",
        Ingress = "ingress",
        Gateway = "gateway",
        NetworkPolicy = "network-policy",
        ServiceAccount = "service-account",
        RoleBinding = "role-binding",
        Secret = "secret",
        Image = "image",
        Layer = "layer",
        Package = "package",
        File = "file",
        Vulnerability = "vulnerability",
        Host = "host",
        Process = "process",
        Socket = "socket",
        User = "user",
        Repository = "repository",
        Pipeline = "pipeline",
        Registry = "registry",
    }
}

kinds! {
    /// What an edge says: "`from` … `to`".
    EdgeKind {
        /// Lets whoever reaches `from` reach `to` over the network.
        Forwards = "forwards",
        /// Perhaps does, by facts that were not read.
        MayForward = "may-forward",
        /// May open connections to.
        Reaches = "reaches",
        /// Consists of; `to` is part of `from`.
        Contains = "contains",
        /// Executes the content of.
        Runs = "runs",
        RunsOn = "runs-on",
        /// `to`, a flaw, is in `from`.
        Affected = "affected",
        /// Acts as, without having to do anything.
        ActsAs = "acts-as",
        /// Has its rules from.
        Has = "has",
        /// May take the identity of.
        Becomes = "becomes",
        /// May run code in.
        Enters = "enters",
        /// May do everything to.
        Administers = "administers",
        /// Whoever controls `from` breaks out to.
        Escapes = "escapes",
        /// May read what is in.
        Reads = "reads",
        /// May change what is in.
        Writes = "writes",
        /// May make workloads in.
        Deploys = "deploys",
        /// Has within it, for whoever reads it.
        Holds = "holds",
        /// Lets pass or not what goes to.
        Guards = "guards",
        /// Was seen listening on.
        Listens = "listens",
        /// Was seen with a connection to.
        Connected = "connected",
        /// Was seen executing, or with its code in memory.
        Loads = "loads",
    }
}
