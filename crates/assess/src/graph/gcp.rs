//! What Google Cloud's resources say, from Terraform: firewall rules, external addresses and forwarding rules decide what the
//! internet reaches; bindings of roles what a service account may do.

use yagura_configuration::Resource;
use yagura_formats::document::Node;
use yagura_model::graph::{Builder, EdgeKind, NodeId, NodeKind};

use super::cloud_roles::{CloudRoles, Scope, kind_of};
use super::resources::{Resources, label, node, texts};
use super::{CLUSTER, INTERNET, Sources, any_node, namespaced};

const THINGS: [(&str, &str); 9] = [
    ("gcp/service-account", "identity"),
    ("gcp/bucket", "bucket"),
    ("gcp/sql-instance", "database"),
    ("gcp/bigquery-dataset", "database"),
    ("gcp/secret", "secret"),
    ("gcp/kms-key", "key"),
    ("gcp/instance", "instance"),
    ("gcp/function", "function"),
    ("gcp/run-service", "function"),
];

/// Members that stand for everybody.
const EVERYBODY: [&str; 2] = ["allUsers", "allAuthenticatedUsers"];

pub(super) fn add(
    cloud: &Resources<'_>,
    sources: &Sources<'_>,
    builder: &mut Builder,
    notices: &mut Vec<String>,
) {
    if !sources.cloud.resources.iter().any(|one| one.kind.starts_with("gcp/")) {
        return;
    }
    let mut gcp = Gcp { cloud, sources, builder, notices, roles: CloudRoles::of("gcp") };
    gcp.machines();
    gcp.load_balancers();
    gcp.databases();
    gcp.programs();
    gcp.holders();
    gcp.bindings_of_things();
    gcp.bindings_of_projects();
}

struct Gcp<'a, 'b> {
    cloud: &'a Resources<'a>,
    sources: &'a Sources<'a>,
    builder: &'b mut Builder,
    notices: &'b mut Vec<String>,
    roles: CloudRoles,
}

impl<'a> Gcp<'a, '_> {
    /// The node of a thing; a service account that one of a cluster names has that name.
    fn thing(&mut self, resource: &Resource<'_>, name: &str) -> NodeId {
        if name != "identity" {
            return node(self.builder, kind_of(name), resource);
        }
        let identities =
            self.sources.cluster.service_accounts.iter().flat_map(|account| &account.cloud_identities);
        let email =
            identities.map(|(_, email)| email.as_str()).find(|email| is_email_of(email, label(resource)));
        let title = format!("service account {} of Google Cloud", label(resource));
        self.builder.node(NodeKind::Role, email.unwrap_or(&resource.name), &title)
    }

    fn machines(&mut self) {
        for machine in self.cloud.of("gcp/instance") {
            let to = self.thing(machine, "instance");
            for interface in machine.node.get("interfaces").map(Node::items).unwrap_or_default() {
                if !interface.flag("public") {
                    continue;
                }
                if let Some((fact, place)) = self.open(machine, self.network_of(interface)) {
                    let internet = self.builder.node(INTERNET.0, INTERNET.1, "");
                    let fact = format!("{} has an external address; {fact}", label(machine));
                    self.builder.edge(internet, EdgeKind::Forwards, to, &fact, &place);
                }
            }
        }
    }

    /// The network of an interface, by itself or by its subnet.
    fn network_of<'n>(&'n self, interface: &'n Node<'_>) -> Option<&'n str> {
        let of_subnet = interface.text_of("subnet").and_then(|link| self.cloud.linked(link));
        interface.text_of("network").or_else(|| of_subnet?.node.text_of("network"))
    }

    /// The rule by which everybody may open a connection to a machine: rules by priority, a denial before what allows at the
    /// same one; what none allows is denied.
    fn open(&self, machine: &Resource<'_>, network: Option<&str>) -> Option<(String, String)> {
        let mut rules: Vec<&Resource<'static>> = self
            .cloud
            .of("gcp/firewall")
            .filter(|rule| {
                rule.node.text_of("direction") == Some("ingress")
                    && !rule.node.flag("disabled")
                    && network
                        .is_none_or(|network| rule.node.text_of("network").is_none_or(|own| own == network))
                    && self.means(rule, machine)
            })
            .collect();
        let denies = |rule: &Resource<'_>| rule.node.get("deny").is_some_and(|deny| !deny.items().is_empty());
        let priority =
            |rule: &Resource<'_>| rule.node.get("priority").and_then(Node::integer).unwrap_or(1000);
        rules.sort_by_key(|rule| (priority(rule), !denies(rule)));
        let mut denied: Vec<String> = Vec::new();
        for rule in rules {
            let from_all =
                texts(&rule.node, "sources").into_iter().any(|range| matches!(range, "0.0.0.0/0" | "::/0"));
            if !from_all {
                continue;
            }
            for one in rule.node.get("deny").map(Node::items).unwrap_or_default() {
                let ports = ports(one);
                if one.text_of("protocol") == Some("all") {
                    return None;
                }
                denied.extend(ports);
            }
            let allow = rule.node.get("allow").map(Node::items).unwrap_or_default();
            let open: Vec<String> =
                allow.iter().flat_map(ports).filter(|port| !denied.contains(port)).collect();
            if !open.is_empty() {
                let fact = format!("firewall rule {} lets everybody in on {}", label(rule), open.join(", "));
                return Some((fact, self.cloud.place(&rule.node)));
            }
        }
        None
    }

    /// Whether a rule is for a machine: by its tags, its service account, or for all of the network.
    fn means(&self, rule: &Resource<'_>, machine: &Resource<'_>) -> bool {
        let (tags, accounts) = (texts(&rule.node, "targetTags"), texts(&rule.node, "targetAccounts"));
        let own = texts(&machine.node, "tags");
        let account = machine.node.text_of("serviceAccount");
        (tags.is_empty() && accounts.is_empty())
            || tags.iter().any(|tag| own.contains(tag))
            || accounts.iter().any(|one| Some(*one) == account)
    }

    fn load_balancers(&mut self) {
        let internet = self.builder.node(INTERNET.0, INTERNET.1, "");
        for rule in self.cloud.of("gcp/forwarding-rule") {
            let door = node(self.builder, NodeKind::LoadBalancer, rule);
            let place = self.cloud.place(&rule.node);
            if rule.node.text_of("scheme").is_some_and(|scheme| scheme.starts_with("EXTERNAL")) {
                let ports = texts(&rule.node, "ports").join(", ");
                let fact = format!("forwarding rule {} listens for everybody on {ports}", label(rule));
                self.builder.edge(internet, EdgeKind::Forwards, door, &fact, &place);
            }
            let linked = |one: &Resource<'_>, key: &str| {
                one.node.text_of(key).and_then(|link| self.cloud.linked(link))
            };
            let by_map = linked(rule, "target")
                .and_then(|proxy| linked(proxy, "urlMap"))
                .and_then(|map| linked(map, "service"));
            let by_proxy = linked(rule, "proxy").and_then(|proxy| linked(proxy, "service"));
            let Some(service) = by_map.or(by_proxy).or_else(|| linked(rule, "service")) else { continue };
            if service.node.flag("accessProxy") {
                continue;
            }
            for backend in service.node.get("backends").map(Node::items).unwrap_or_default() {
                let Some(group) = backend.text_of("group").and_then(|link| self.cloud.linked(link)) else {
                    continue;
                };
                for machine in
                    texts(&group.node, "instances").into_iter().filter_map(|link| self.cloud.linked(link))
                {
                    let to = self.thing(machine, "instance");
                    let fact = format!("backend service {} sends to {}", label(service), label(machine));
                    self.builder.edge(door, EdgeKind::Forwards, to, &fact, &self.cloud.place(backend));
                }
            }
        }
    }

    fn databases(&mut self) {
        let internet = self.builder.node(INTERNET.0, INTERNET.1, "");
        for database in self.cloud.of("gcp/sql-instance").filter(|one| one.node.flag("public")) {
            let networks = database.node.get("networks").map(Node::items).unwrap_or_default();
            if let Some(network) =
                networks.iter().find(|network| network.text_of("cidr") == Some("0.0.0.0/0"))
            {
                let to = self.thing(database, "database");
                let fact = format!("{} has a public address and lets every network in", label(database));
                self.builder.edge(internet, EdgeKind::Forwards, to, &fact, &self.cloud.place(network));
            }
        }
    }

    /// Functions and services that everybody may call, and the images these run.
    fn programs(&mut self) {
        let internet = self.builder.node(INTERNET.0, INTERNET.1, "");
        for kind in ["gcp/function", "gcp/run-service"] {
            for program in self.cloud.of(kind) {
                let to = self.thing(program, "function");
                if let Some(image) = program.node.text_of("image") {
                    let known = self.builder.node(NodeKind::Image, &super::normal_image(image), image);
                    self.builder.edge(
                        to,
                        EdgeKind::Runs,
                        known,
                        &format!("runs {image}"),
                        &self.cloud.place(&program.node),
                    );
                }
                let open = program
                    .node
                    .text_of("ingress")
                    .is_none_or(|ingress| ingress.contains("ALL") || ingress == "all");
                let bindings = program.node.get("bindings").map(Node::items).unwrap_or_default();
                let everybody = bindings.iter().find(|binding| {
                    let role = binding.text_of("role").unwrap_or_default();
                    (role.ends_with(".invoker") || role.ends_with(".admin"))
                        && texts(binding, "members").iter().any(|member| EVERYBODY.contains(member))
                });
                if let Some(binding) = everybody.filter(|_| open) {
                    let fact = format!("everybody may call {}", label(program));
                    self.builder.edge(internet, EdgeKind::Forwards, to, &fact, &self.cloud.place(binding));
                }
            }
        }
    }

    /// Who acts as a service account by itself.
    fn holders(&mut self) {
        for (kind, name) in
            [("gcp/instance", "instance"), ("gcp/function", "function"), ("gcp/run-service", "function")]
        {
            for holder in self.cloud.of(kind) {
                let Some(account) = holder.node.text_of("serviceAccount").and_then(|link| self.account(link))
                else {
                    continue;
                };
                let (from, to) = (self.thing(holder, name), self.thing(account, "identity"));
                let fact = format!("{} runs as service account {}", label(holder), label(account));
                self.builder.edge(from, EdgeKind::ActsAs, to, &fact, &self.cloud.place(&holder.node));
            }
        }
        for kind in ["gcp/node-pool", "gcp/kubernetes-cluster"] {
            for pool in self.cloud.of(kind) {
                let Some(account) = pool.node.text_of("serviceAccount").and_then(|link| self.account(link))
                else {
                    continue;
                };
                let (from, to) = (any_node(self.builder), self.thing(account, "identity"));
                let fact = format!("nodes of {} run as service account {}", label(pool), label(account));
                self.builder.edge(from, EdgeKind::ActsAs, to, &fact, &self.cloud.place(&pool.node));
            }
        }
    }

    /// A service account by a link, an address of mail, or a text that holds a reference to it.
    fn account(&self, text: &str) -> Option<&'a Resource<'static>> {
        let bare = text.strip_prefix("serviceAccount:").unwrap_or(text);
        self.cloud.of("gcp/service-account").find(|account| {
            bare == account.name
                || text.contains(&format!("${{{}.", account.name))
                || is_email_of(bare, label(account))
        })
    }

    /// The node of a member of a binding, and how it is called.
    fn member(&mut self, member: &Node<'_>) -> Option<(NodeId, String)> {
        let text = member.scalar().or(member.tag.as_deref())?.to_owned();
        if EVERYBODY.contains(&text.as_str()) {
            return Some((self.builder.node(INTERNET.0, INTERNET.1, ""), "everybody".to_owned()));
        }
        // project.svc.id.goog[namespace/name]
        if let Some(inside) = text.split_once(".svc.id.goog[").and_then(|(_, rest)| rest.strip_suffix(']')) {
            let (namespace, name) = inside.split_once('/')?;
            let key = namespaced(namespace, name);
            let node = self.builder.node(NodeKind::ServiceAccount, &key, &format!("service account {key}"));
            return Some((node, format!("service account {key}")));
        }
        if let Some(account) = self.account(&text) {
            return Some((self.thing(account, "identity"), format!("service account {}", label(account))));
        }
        let (kind, name) = text.split_once(':')?;
        Some((self.builder.node(NodeKind::Identity, &format!("gcp/{text}"), name), format!("{kind} {name}")))
    }

    fn gives(&mut self, role: &Node<'_>, place: &str) -> Option<(String, Vec<String>)> {
        let text = role.scalar().or(role.tag.as_deref())?.to_owned();
        if let Some(gives) = self.roles.gives(&text) {
            return Some((text, gives.to_vec()));
        }
        let own = self
            .cloud
            .of("gcp/iam-custom-role")
            .find(|one| text == one.name || text.contains(&format!("${{{}.", one.name)));
        match own {
            Some(own) => Some((text, custom(own))),
            None => {
                self.notices.push(format!("what the role {text} gives is not known ({place})"));
                None
            }
        }
    }

    /// Bindings that stand at one thing.
    fn bindings_of_things(&mut self) {
        for (kind, name) in THINGS {
            for resource in self.cloud.of(kind) {
                let thing = self.thing(resource, name);
                for binding in resource.node.get("bindings").map(Node::items).unwrap_or_default() {
                    let place = self.cloud.place(binding);
                    let Some((role, gives)) = binding.get("role").and_then(|role| self.gives(role, &place))
                    else {
                        continue;
                    };
                    for member in binding.get("members").map(Node::items).unwrap_or_default() {
                        let Some((who, called)) = self.member(member) else { continue };
                        let prevented = resource.node.flag("publicPrevention") && called == "everybody";
                        if prevented {
                            continue;
                        }
                        let fact = format!("{called} has {role} on {}", label(resource));
                        let scope = Scope { account: None, things: vec![(name, thing)] };
                        scope.grant(who, &gives, &fact, &place, self.builder);
                    }
                }
                let by_list = matches!(resource.node.text_of("acl"), Some("publicread" | "publicreadwrite"));
                if by_list
                    && kind == "gcp/bucket"
                    && !resource.node.flag("publicPrevention")
                    && !resource.node.flag("uniformAccess")
                {
                    let internet = self.builder.node(INTERNET.0, INTERNET.1, "");
                    let fact =
                        format!("the access list of bucket {} lets everybody read it", label(resource));
                    self.builder.edge(
                        internet,
                        EdgeKind::Reads,
                        thing,
                        &fact,
                        &self.cloud.place(&resource.node),
                    );
                }
            }
        }
    }

    /// Bindings of projects, folders and organisations: over all that was read.
    fn bindings_of_projects(&mut self) {
        let account = self.builder.node(NodeKind::CloudAccount, "gcp", "the Google Cloud project");
        let mut scope = Scope { account: Some(account), things: Vec::new() };
        for (kind, name) in THINGS {
            for resource in self.cloud.of(kind) {
                let thing = self.thing(resource, name);
                scope.things.push((name, thing));
            }
        }
        if self.cloud.of("gcp/kubernetes-cluster").next().is_some() {
            scope.things.push(("cluster", self.builder.node(CLUSTER.0, CLUSTER.1, "the cluster")));
        }
        for binding in self.cloud.of("gcp/iam-binding") {
            let place = self.cloud.place(&binding.node);
            let Some((role, gives)) = binding.node.get("role").and_then(|role| self.gives(role, &place))
            else {
                continue;
            };
            let condition =
                if binding.node.flag("conditional") { ", under a condition that is not known" } else { "" };
            for member in binding.node.get("members").map(Node::items).unwrap_or_default() {
                let Some((who, called)) = self.member(member) else { continue };
                scope.grant(
                    who,
                    &gives,
                    &format!("{called} has {role} in the project{condition}"),
                    &place,
                    self.builder,
                );
            }
        }
    }
}

/// `tcp 443` of one part of a rule; a protocol without ports is all of them.
fn ports(part: &Node<'_>) -> Vec<String> {
    let protocol = part.text_of("protocol").unwrap_or("all");
    let ports = texts(part, "ports");
    if ports.is_empty() {
        return vec![protocol.to_owned()];
    }
    ports.into_iter().map(|port| format!("{protocol} {port}")).collect()
}

fn is_email_of(email: &str, account: &str) -> bool {
    email
        .split_once('@')
        .is_some_and(|(name, host)| name == account && host.ends_with(".iam.gserviceaccount.com"))
}

/// What a role of one's own gives, by its permissions.
fn custom(role: &Resource<'_>) -> Vec<String> {
    let permissions = texts(&role.node, "permissions");
    let ways = [
        ("account", "resourcemanager.projects.setIamPolicy"),
        ("identity", "iam.serviceAccounts.getAccessToken"),
        ("identity", "iam.serviceAccountKeys.create"),
        ("identity", "iam.serviceAccounts.signJwt"),
        ("bucket", "storage.objects.get"),
        ("secret", "secretmanager.versions.access"),
        ("database", "bigquery.tables.getData"),
        ("database", "cloudsql.instances.connect"),
        ("key", "cloudkms.cryptoKeyVersions.useToDecrypt"),
        ("instance", "compute.instances.setMetadata"),
        ("function", "cloudfunctions.functions.update"),
        ("function", "run.services.update"),
        ("cluster", "container.clusters.getCredentials"),
    ];
    ways.iter()
        .filter(|(_, permission)| permissions.contains(permission))
        .map(|(name, _)| (*name).to_owned())
        .collect()
}
