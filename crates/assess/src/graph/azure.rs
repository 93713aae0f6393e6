//! What Azure's resources say, from Terraform: network security groups, public addresses and load balancers decide what the
//! internet reaches; role assignments, access policies and federated credentials what an identity may do.

use std::collections::HashSet;

use yagura_configuration::Resource;
use yagura_formats::document::Node;
use yagura_model::graph::{Builder, EdgeKind, NodeId, NodeKind};

use super::cloud_roles::{CloudRoles, Scope, kind_of};
use super::resources::{Resources, label, node, texts};
use super::{CLUSTER, INTERNET, OUTSIDE, Sources, any_node, namespaced};

/// Kinds of resources by what roles give of them.
const THINGS: [(&str, &str); 11] = [
    ("azure/identity", "identity"),
    ("azure/storage-account", "bucket"),
    ("azure/sql-server", "database"),
    ("azure/postgresql-server", "database"),
    ("azure/mysql-server", "database"),
    ("azure/cosmos-account", "database"),
    ("azure/key-vault", "secret"),
    ("azure/secret", "secret"),
    ("azure/key", "key"),
    ("azure/virtual-machine", "instance"),
    ("azure/web-app", "function"),
];

pub(super) fn add(
    cloud: &Resources<'_>,
    sources: &Sources<'_>,
    builder: &mut Builder,
    notices: &mut Vec<String>,
) {
    if !sources.cloud.resources.iter().any(|one| one.kind.starts_with("azure/")) {
        return;
    }
    let mut azure = Azure { cloud, builder, notices };
    let things = azure.things();
    azure.machines();
    azure.load_balancers();
    azure.public_data();
    azure.identities();
    azure.assignments(&things);
    azure.access_policies();
}

struct Azure<'a, 'b> {
    cloud: &'a Resources<'a>,
    builder: &'b mut Builder,
    notices: &'b mut Vec<String>,
}

/// What a network security group says of the internet.
enum Open {
    Yes(String, String),
    No,
    /// No group stands in the way.
    Free,
}

impl Azure<'_, '_> {
    fn thing(&mut self, resource: &Resource<'_>, name: &str) -> NodeId {
        node(self.builder, kind_of(name), resource)
    }

    /// Every thing with its resource's name, for scopes.
    fn things(&mut self) -> Vec<(&'static str, String, NodeId)> {
        let mut all = Vec::new();
        for (kind, name) in THINGS {
            for resource in self.cloud.of(kind) {
                let thing = self.thing(resource, name);
                all.push((name, resource.name.clone(), thing));
            }
        }
        // A vault is its secrets, and those are read with it.
        for secret in self.cloud.of("azure/secret").chain(self.cloud.of("azure/key")) {
            let Some(vault) = secret.node.text_of("vault").and_then(|link| self.cloud.linked(link)) else {
                continue;
            };
            let (vault, inner) = (self.thing(vault, "secret"), self.thing(secret, "secret"));
            self.builder.edge(
                vault,
                EdgeKind::Contains,
                inner,
                "lies in it",
                &self.cloud.place(&secret.node),
            );
        }
        if self.cloud.of("azure/kubernetes-cluster").next().is_some() {
            let whole = self.builder.node(CLUSTER.0, CLUSTER.1, "the cluster");
            for cluster in self.cloud.of("azure/kubernetes-cluster") {
                all.push(("cluster", cluster.name.clone(), whole));
            }
        }
        all
    }

    fn groups_of(
        &self,
        subnet: Option<&str>,
        interface: &str,
    ) -> (Option<&Resource<'static>>, Option<&Resource<'static>>) {
        let all = || self.cloud.of("azure/network-security-group");
        let of_subnet =
            all().find(|group| subnet.is_some_and(|subnet| texts(&group.node, "subnets").contains(&subnet)));
        let of_interface = all().find(|group| texts(&group.node, "interfaces").contains(&interface));
        (of_subnet, of_interface)
    }

    /// Both groups must let the internet in.
    fn open(&self, subnet: Option<&str>, interface: &str) -> Open {
        let (of_subnet, of_interface) = self.groups_of(subnet, interface);
        let mut found = Open::Free;
        for group in [of_subnet, of_interface].into_iter().flatten() {
            match self.by_group(group) {
                Open::No => return Open::No,
                open => found = open,
            }
        }
        found
    }

    /// Rules by priority, the first that speaks of a port decides of it; what none allows is denied.
    fn by_group(&self, group: &Resource<'_>) -> Open {
        let mut rules: Vec<&Node<'_>> =
            group.node.get("rules").map(Node::items).unwrap_or_default().iter().collect();
        rules.retain(|rule| rule.text_of("direction") == Some("ingress"));
        rules.sort_by_key(|rule| rule.get("priority").and_then(Node::integer).unwrap_or(i64::MAX));
        let mut denied: HashSet<String> = HashSet::new();
        for rule in rules {
            let everybody = texts(rule, "sources").into_iter().any(is_everybody);
            if !everybody {
                continue;
            }
            let ports: Vec<&str> = texts(rule, "ports");
            if rule.text_of("action") == Some("deny") {
                if ports.contains(&"*") {
                    return Open::No;
                }
                denied.extend(ports.into_iter().map(str::to_owned));
                continue;
            }
            let open: Vec<&str> = ports.into_iter().filter(|port| !denied.contains(*port)).collect();
            if !open.is_empty() {
                let name = rule.text_of("name").unwrap_or("a rule");
                let fact = format!(
                    "network security group {} lets everybody in on {} ({name})",
                    label(group),
                    open.join(", ")
                );
                return Open::Yes(fact, self.cloud.place(rule));
            }
        }
        Open::No
    }

    fn machines(&mut self) {
        for machine in self.cloud.of("azure/virtual-machine") {
            let to = self.thing(machine, "instance");
            for link in texts(&machine.node, "interfaces") {
                let Some(interface) = self.cloud.linked(link) else { continue };
                for address in interface.node.get("addresses").map(Node::items).unwrap_or_default() {
                    let public = address.get("publicAddress").is_some_and(|public| !public.is_null());
                    if public {
                        let open = self.open(address.text_of("subnet"), &interface.name);
                        self.forwards(
                            to,
                            &format!("{} has a public address", label(machine)),
                            open,
                            &machine.node,
                        );
                    }
                }
            }
        }
    }

    fn forwards(&mut self, to: NodeId, how: &str, open: Open, stated: &Node<'_>) {
        let (fact, place) = match open {
            Open::No => return,
            Open::Yes(fact, place) => (format!("{how}; {fact}"), place),
            // A basic address without any group is open, a standard one closed: which one is not always said.
            Open::Free => {
                let outside = self.builder.node(OUTSIDE.0, OUTSIDE.1, "");
                let fact = format!("{how}; no network security group was read");
                self.builder.edge(outside, EdgeKind::Forwards, to, &fact, &self.cloud.place(stated));
                return;
            }
        };
        let internet = self.builder.node(INTERNET.0, INTERNET.1, "");
        self.builder.edge(internet, EdgeKind::Forwards, to, &fact, &place);
    }

    fn load_balancers(&mut self) {
        let internet = self.builder.node(INTERNET.0, INTERNET.1, "");
        let public = |one: &Resource<'_>| {
            let frontends = one.node.get("frontends").map(Node::items).unwrap_or_default();
            frontends
                .iter()
                .any(|frontend| frontend.get("publicAddress").is_some_and(|address| !address.is_null()))
        };
        for gateway in self.cloud.of("azure/application-gateway").filter(|one| public(one)) {
            let door = node(self.builder, NodeKind::LoadBalancer, gateway);
            let fact = format!("application gateway {} listens on a public address", label(gateway));
            self.builder.edge(internet, EdgeKind::Forwards, door, &fact, &self.cloud.place(&gateway.node));
        }
        for balancer in self.cloud.of("azure/load-balancer") {
            let door = node(self.builder, NodeKind::LoadBalancer, balancer);
            let rules = balancer.node.get("rules").map(Node::items).unwrap_or_default();
            if public(balancer) && !rules.is_empty() {
                let ports: Vec<&str> = rules.iter().filter_map(|rule| rule.text_of("port")).collect();
                let fact = format!(
                    "load balancer {} has a public address and rules for {}",
                    label(balancer),
                    ports.join(", ")
                );
                self.builder.edge(
                    internet,
                    EdgeKind::Forwards,
                    door,
                    &fact,
                    &self.cloud.place(&balancer.node),
                );
            }
            for pool in self
                .cloud
                .of("azure/backend-pool")
                .filter(|pool| pool.node.text_of("loadBalancer") == Some(&balancer.name))
            {
                self.pool(door, balancer, pool);
            }
        }
    }

    /// Machines of a pool keep their clients' addresses: their groups decide, too.
    fn pool(&mut self, door: NodeId, balancer: &Resource<'_>, pool: &Resource<'_>) {
        for link in texts(&pool.node, "interfaces") {
            let Some(interface) = self.cloud.linked(link) else { continue };
            let addresses = interface.node.get("addresses").map(Node::items).unwrap_or_default();
            let subnet = addresses.first().and_then(|address| address.text_of("subnet"));
            if matches!(self.open(subnet, &interface.name), Open::No) {
                continue;
            }
            let machines = self
                .cloud
                .of("azure/virtual-machine")
                .filter(|one| texts(&one.node, "interfaces").contains(&link));
            for machine in machines {
                let to = self.thing(machine, "instance");
                let fact = format!("load balancer {} sends to {}", label(balancer), label(machine));
                self.builder.edge(door, EdgeKind::Forwards, to, &fact, &self.cloud.place(&pool.node));
            }
        }
    }

    fn public_data(&mut self) {
        let internet = self.builder.node(INTERNET.0, INTERNET.1, "");
        for container in self.cloud.of("azure/storage-container") {
            let open = matches!(container.node.text_of("access"), Some("blob" | "container"));
            let Some(account) =
                container.node.text_of("account").and_then(|link| self.cloud.linked(link)).filter(|_| open)
            else {
                continue;
            };
            let reachable = account.node.flag("publicBlobs")
                && account.node.flag("publicNetwork")
                && account.node.text_of("networkDefault") != Some("Deny");
            if reachable {
                let to = self.thing(account, "bucket");
                let fact = format!(
                    "container {} of storage account {} lets everybody read it",
                    label(container),
                    label(account)
                );
                self.builder.edge(internet, EdgeKind::Reads, to, &fact, &self.cloud.place(&container.node));
            }
        }
        for kind in ["azure/sql-server", "azure/postgresql-server", "azure/mysql-server"] {
            for server in self.cloud.of(kind) {
                let everybody =
                    server.node.get("firewall").map(Node::items).unwrap_or_default().iter().find(|rule| {
                        rule.text_of("from") == Some("0.0.0.0")
                            && rule.text_of("to").is_some_and(|to| to != "0.0.0.0")
                    });
                if let Some(rule) = everybody.filter(|_| server.node.flag("publicNetwork")) {
                    let to = self.thing(server, "database");
                    let fact = format!("the firewall of {} lets everybody in", label(server));
                    self.builder.edge(internet, EdgeKind::Forwards, to, &fact, &self.cloud.place(rule));
                }
            }
        }
        for app in self.cloud.of("azure/web-app").filter(|app| app.node.flag("publicNetwork")) {
            let to = self.thing(app, "function");
            let fact = format!("web app {} has a public address", label(app));
            self.builder.edge(internet, EdgeKind::Forwards, to, &fact, &self.cloud.place(&app.node));
        }
    }

    /// Who acts as a managed identity: machines, applications, nodes, and service accounts by a federated credential.
    fn identities(&mut self) {
        let holders =
            [("azure/virtual-machine", "identity", "instance"), ("azure/web-app", "identities", "function")];
        for (kind, key, name) in holders {
            for holder in self.cloud.of(kind) {
                let from = self.thing(holder, name);
                for identity in
                    texts(&holder.node, key).into_iter().filter_map(|link| self.cloud.linked(link))
                {
                    let to = self.thing(identity, "identity");
                    let fact = format!("{} has the managed identity {}", label(holder), label(identity));
                    self.builder.edge(from, EdgeKind::ActsAs, to, &fact, &self.cloud.place(&holder.node));
                }
            }
        }
        for cluster in self.cloud.of("azure/kubernetes-cluster") {
            for identity in
                texts(&cluster.node, "identity").into_iter().filter_map(|link| self.cloud.linked(link))
            {
                let (from, to) = (any_node(self.builder), self.thing(identity, "identity"));
                let fact =
                    format!("nodes of {} may ask for the identity {}", label(cluster), label(identity));
                self.builder.edge(from, EdgeKind::ActsAs, to, &fact, &self.cloud.place(&cluster.node));
            }
        }
        for credential in self.cloud.of("azure/federated-credential") {
            let Some(identity) = credential.node.text_of("identity").and_then(|link| self.cloud.linked(link))
            else {
                continue;
            };
            let subject = credential.node.text_of("subject").unwrap_or_default();
            let Some((namespace, name)) =
                subject.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'))
            else {
                continue;
            };
            let key = namespaced(namespace, name);
            let from = self.builder.node(NodeKind::ServiceAccount, &key, &format!("service account {key}"));
            let to = self.thing(identity, "identity");
            let fact =
                format!("identity {} trusts {subject} (credential {})", label(identity), label(credential));
            self.builder.edge(from, EdgeKind::Becomes, to, &fact, &self.cloud.place(&credential.node));
        }
    }

    fn assignments(&mut self, things: &[(&'static str, String, NodeId)]) {
        let roles = CloudRoles::of("azure");
        let account = self.builder.node(NodeKind::CloudAccount, "azure", "the Azure subscription");
        for assignment in self.cloud.of("azure/role-assignment") {
            let place = self.cloud.place(&assignment.node);
            let Some((who, name)) = self.principal(assignment) else { continue };
            let role = assignment.node.text_of("role").unwrap_or("?");
            let own = self.cloud.linked(role).map(custom);
            let Some(gives) = own.as_deref().or_else(|| roles.gives(role)) else {
                self.notices.push(format!("what the role {role} gives is not known ({place})"));
                continue;
            };
            let scope = assignment.node.get("scope");
            let text = scope.and_then(|scope| scope.scalar().or(scope.tag.as_deref())).unwrap_or_default();
            let named = |address: &str| text == address || text.contains(&format!("${{{address}."));
            let mut within: Vec<(&'static str, NodeId)> = things
                .iter()
                .filter(|(_, address, _)| named(address))
                .map(|(name, _, thing)| (*name, *thing))
                .collect();
            let vault =
                things.iter().find(|(_, address, _)| named(address) && address.contains("key_vault."));
            if let Some((_, vault, _)) = vault {
                within.extend(self.inside(vault));
            }
            let wide = within.is_empty();
            let of_group = text.contains("resource_group") || text.contains("/resourceGroups/");
            if wide {
                within = things.iter().map(|(name, _, thing)| (*name, *thing)).collect();
            }
            let scope = Scope { account: Some(account).filter(|_| wide && !of_group), things: within };
            let at = match (wide, of_group) {
                (false, _) => "on it",
                (true, true) => "in its resource group",
                (true, false) => "in the subscription",
            };
            scope.grant(who, gives, &format!("{name} has the role {role} {at}"), &place, self.builder);
        }
    }

    /// Secrets and keys of a vault.
    fn inside(&mut self, vault: &str) -> Vec<(&'static str, NodeId)> {
        let mut all = Vec::new();
        for (kind, name) in [("azure/secret", "secret"), ("azure/key", "key")] {
            for one in self.cloud.of(kind).filter(|one| one.node.text_of("vault") == Some(vault)) {
                all.push((name, self.thing(one, name)));
            }
        }
        all
    }

    /// Who holds a role: a managed identity of its own, or the one that a machine, an application or a cluster has by itself.
    fn principal(&mut self, assignment: &Resource<'_>) -> Option<(NodeId, String)> {
        let stated = assignment.node.get("principal")?;
        if let Some(identity) = stated
            .scalar()
            .and_then(|link| self.cloud.linked(link))
            .filter(|one| one.kind == "azure/identity")
        {
            return Some((self.thing(identity, "identity"), format!("identity {}", label(identity))));
        }
        let text = stated.tag.as_deref().or(stated.scalar()).unwrap_or_default();
        for (kind, name) in [
            ("azure/identity", "identity"),
            ("azure/virtual-machine", "instance"),
            ("azure/web-app", "function"),
        ] {
            if let Some(holder) = self
                .cloud
                .of(kind)
                .find(|one| text.contains(&format!("${{{}.", one.name)) || text == one.name)
            {
                return Some((
                    self.thing(holder, name),
                    format!(
                        "{} {}",
                        if name == "identity" { name } else { "the identity of" },
                        label(holder)
                    ),
                ));
            }
        }
        let cluster = self
            .cloud
            .of("azure/kubernetes-cluster")
            .find(|one| text.contains(&format!("${{{}.", one.name)))?;
        Some((any_node(self.builder), format!("the identity of cluster {}", label(cluster))))
    }

    /// Vaults that go by access policies of their own.
    fn access_policies(&mut self) {
        for vault in self.cloud.of("azure/key-vault").filter(|vault| !vault.node.flag("rbac")) {
            for policy in vault.node.get("access").map(Node::items).unwrap_or_default() {
                let reads = texts(policy, "secrets")
                    .iter()
                    .any(|one| matches!(one.to_ascii_lowercase().as_str(), "get" | "all"));
                let object = policy.get("object");
                let text =
                    object.and_then(|object| object.tag.as_deref().or(object.scalar())).unwrap_or_default();
                let identity = self
                    .cloud
                    .of("azure/identity")
                    .find(|one| text.contains(&format!("${{{}.", one.name)) || text == one.name);
                let Some(identity) = identity.filter(|_| reads) else { continue };
                let from = self.thing(identity, "identity");
                let mut read = vec![self.thing(vault, "secret")];
                read.extend(
                    self.inside(&vault.name)
                        .into_iter()
                        .filter(|(name, _)| *name == "secret")
                        .map(|(_, one)| one),
                );
                for to in read {
                    let fact = format!(
                        "an access policy of vault {} lets identity {} read its secrets",
                        label(vault),
                        label(identity)
                    );
                    self.builder.edge(from, EdgeKind::Reads, to, &fact, &self.cloud.place(policy));
                }
            }
        }
    }
}

/// What a role of one's own gives, by its actions.
fn custom(role: &Resource<'_>) -> Vec<String> {
    let actions = texts(&role.node, "actions");
    let any = |starts: &[&str]| {
        actions.iter().any(|action| *action == "*" || starts.iter().any(|start| action.starts_with(start)))
    };
    let ways: [(&str, &[&str]); 6] = [
        ("account", &["Microsoft.Authorization/*", "Microsoft.Authorization/roleAssignments/"]),
        (
            "bucket",
            &[
                "Microsoft.Storage/*",
                "Microsoft.Storage/storageAccounts/listKeys",
                "Microsoft.Storage/storageAccounts/*",
            ],
        ),
        (
            "secret",
            &[
                "Microsoft.KeyVault/*",
                "Microsoft.KeyVault/vaults/*",
                "Microsoft.KeyVault/vaults/accessPolicies/",
            ],
        ),
        (
            "instance",
            &[
                "Microsoft.Compute/*",
                "Microsoft.Compute/virtualMachines/*",
                "Microsoft.Compute/virtualMachines/runCommand/",
            ],
        ),
        ("database", &["Microsoft.Sql/*", "Microsoft.DocumentDB/*"]),
        (
            "cluster",
            &[
                "Microsoft.ContainerService/*",
                "Microsoft.ContainerService/managedClusters/listClusterAdminCredential/",
            ],
        ),
    ];
    ways.iter().filter(|(_, starts)| any(starts)).map(|(name, _)| (*name).to_owned()).collect()
}

fn is_everybody(source: &str) -> bool {
    matches!(source.to_ascii_lowercase().as_str(), "*" | "internet" | "any" | "0.0.0.0/0" | "::/0")
}
