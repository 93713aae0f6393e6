//! Roles of Azure and Google Cloud: what they give at a scope, by `rules/access/cloud-roles.yaml`.

use yagura_formats::document::{Node, yaml};
use yagura_model::graph::{Builder, EdgeKind, NodeId, NodeKind};

/// What roles of one cloud give.
pub(super) struct CloudRoles {
    roles: Vec<(String, Vec<String>)>,
}

impl CloudRoles {
    pub fn of(cloud: &str) -> Self {
        let mut roles = Vec::new();
        for file in yagura_rules::family("access").iter().filter(|file| file.path == "cloud-roles.yaml") {
            let tree = yaml::parse(file.text);
            for one in tree.root().and_then(|root| root.get(cloud)).map(Node::items).unwrap_or_default() {
                let gives = one.get("gives").map(Node::items).unwrap_or_default();
                let gives = gives.iter().filter_map(Node::scalar).map(str::to_owned).collect();
                roles.extend(one.text_of("role").map(|role| (role.to_owned(), gives)));
            }
        }
        Self { roles }
    }

    /// None for a role that is not listed.
    pub fn gives(&self, role: &str) -> Option<&[String]> {
        self.roles
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(role))
            .map(|(_, gives)| gives.as_slice())
    }
}

/// Everything of one cloud that a scope may hold.
#[derive(Default)]
pub(super) struct Scope {
    pub account: Option<NodeId>,
    /// Each with what it is called among the things that roles give.
    pub things: Vec<(&'static str, NodeId)>,
}

impl Scope {
    /// States what somebody has who holds a role here.
    pub fn grant(&self, who: NodeId, gives: &[String], fact: &str, place: &str, builder: &mut Builder) {
        let all = gives.iter().any(|one| one == "account");
        if let Some(account) = self.account.filter(|_| all) {
            builder.edge(who, EdgeKind::Administers, account, fact, place);
        }
        for (name, thing) in &self.things {
            if *thing == who || !(all || gives.iter().any(|one| one == name)) {
                continue;
            }
            let kind = match *name {
                "identity" => EdgeKind::Becomes,
                "instance" | "function" => EdgeKind::Enters,
                "cluster" => EdgeKind::Administers,
                _ => EdgeKind::Reads,
            };
            builder.edge(who, kind, *thing, fact, place);
        }
    }
}

/// The node kind of what roles give.
pub(super) fn kind_of(name: &str) -> NodeKind {
    match name {
        "identity" => NodeKind::Role,
        "bucket" => NodeKind::Bucket,
        "database" => NodeKind::Database,
        "secret" => NodeKind::Secret,
        "key" => NodeKind::Key,
        "instance" => NodeKind::Instance,
        "function" => NodeKind::Function,
        _ => NodeKind::Cluster,
    }
}
