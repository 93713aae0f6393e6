//! Security groups, network ACLs, routes and public addresses: what the internet reaches.

use std::collections::HashSet;

use yagura_configuration::Resource;
use yagura_formats::document::Node;
use yagura_model::graph::{Builder, EdgeKind, NodeId, NodeKind};

use super::super::{INTERNET, OUTSIDE, Sources, namespaced};
use super::{Resources, label, node, texts};

/// How open something is to the internet.
enum Open {
    /// With the fact and its place.
    Yes(String, String),
    /// Some fact was not read.
    Perhaps(String, String),
    No,
}

pub(super) fn add(aws: &Resources<'_>, sources: &Sources<'_>, builder: &mut Builder) {
    let subnets = Subnets::of(aws);
    groups_by_name(aws, builder);
    for balancer in aws.of("aws/load-balancer").chain(aws.of("aws/classic-load-balancer")) {
        load_balancer(aws, &subnets, balancer, builder);
    }
    listeners(aws, builder);
    target_groups(aws, sources, builder);
    for instance in aws.of("aws/instance") {
        let machine = node(builder, NodeKind::Instance, instance);
        let public = instance.node.flag("publicIp")
            || instance.node.flag("elasticIp")
            || instance.node.get("elasticIp").is_some_and(|ip| !ip.is_null() && ip.boolean() != Some(false));
        if public {
            let subnet = texts(&instance.node, "subnet");
            open(aws, &subnets, instance, &subnet, builder, machine, "has a public address");
        }
    }
    for function in aws.of("aws/lambda-function") {
        let lambda = node(builder, NodeKind::Function, function);
        for url in function.node.get("urls").map(Node::items).unwrap_or_default() {
            if url.text_of("authorization") == Some("NONE") {
                let internet = builder.node(INTERNET.0, INTERNET.1, "");
                let fact = format!("function {} has a URL for everybody", label(function));
                builder.edge(internet, EdgeKind::Forwards, lambda, &fact, &aws.place(url));
            }
        }
        if let Some(image) = function.node.text_of("image") {
            runs(aws, builder, lambda, image, &function.node);
        }
    }
    for service in aws.of("aws/ecs-service") {
        ecs_service(aws, &subnets, service, builder);
    }
    for database in aws.of("aws/rds-instance").chain(aws.of("aws/redshift-cluster")) {
        let data = node(builder, NodeKind::Database, database);
        if database.node.flag("public") {
            open(aws, &subnets, database, &[], builder, data, "is publicly accessible");
        }
    }
}

/// Security groups by the names under which load balancers of a cluster are told to use them.
fn groups_by_name(aws: &Resources<'_>, builder: &mut Builder) {
    let internet = builder.node(INTERNET.0, INTERNET.1, "");
    for group in aws.of("aws/security-group") {
        let known = builder.find(NodeKind::SecurityGroup, label(group));
        let (Some(known), Some((fact, place))) = (known, public_rule(aws, group)) else { continue };
        builder.edge(internet, EdgeKind::Forwards, known, &fact, &place);
    }
}

/// The rule of a security group that lets everybody in, in words.
fn public_rule(aws: &Resources<'_>, group: &Resource<'_>) -> Option<(String, String)> {
    let rules = group.node.get("rules").map(Node::items).unwrap_or_default();
    let rule = rules.iter().find(|rule| {
        rule.text_of("direction") == Some("ingress")
            && texts(rule, "cidrs").iter().any(|cidr| is_everybody(cidr))
    })?;
    let ports = match (rule.text_of("fromPort"), rule.text_of("toPort")) {
        (Some("0"), Some("65535")) | (None, _) | (_, None) => String::new(),
        (Some(from), Some(to)) if from == to => format!(" on port {from}"),
        (Some(from), Some(to)) => format!(" on ports {from} to {to}"),
    };
    let protocol = rule.text_of("protocol").unwrap_or("all");
    let fact = format!("security group {} lets everybody in{ports} ({protocol})", label(group));
    Some((fact, aws.place(rule)))
}

/// Half of the internet is the internet, too.
fn is_everybody(cidr: &str) -> bool {
    let length = cidr.rsplit_once('/').and_then(|(_, length)| length.parse::<u32>().ok());
    let private = ["10.", "172.16.", "192.168.", "100.64.", "127.", "fd", "fc"];
    length.is_some_and(|length| length <= 7) && !private.iter().any(|start| cidr.starts_with(start))
}

/// Whether security groups let the internet in; something without any group is open.
fn by_groups(aws: &Resources<'_>, resource: &Resource<'_>) -> Open {
    let place = aws.place(&resource.node);
    let stated = resource.node.get("securityGroups");
    let links = texts(&resource.node, "securityGroups");
    if stated.is_none() {
        return Open::Perhaps(format!("no security group of {} was read", label(resource)), place);
    }
    let mut unread =
        stated.is_some_and(|groups| groups.is_unknown() || groups.items().iter().any(Node::is_unknown));
    for link in links {
        match aws.linked(link) {
            Some(group) => {
                if let Some((fact, place)) = public_rule(aws, group) {
                    return Open::Yes(fact, place);
                }
                unread |= group.node.get("rules").is_some_and(Node::is_unknown);
            }
            None => unread = true,
        }
    }
    if unread {
        Open::Perhaps(format!("a security group of {} was not read", label(resource)), place)
    } else {
        Open::No
    }
}

/// States how the internet gets to something with a public address.
fn open(
    aws: &Resources<'_>,
    subnets: &Subnets<'_>,
    resource: &Resource<'_>,
    own: &[&str],
    builder: &mut Builder,
    to: NodeId,
    how: &str,
) {
    if subnets.closed(own) {
        return;
    }
    match by_groups(aws, resource) {
        Open::Yes(fact, place) => {
            let internet = builder.node(INTERNET.0, INTERNET.1, "");
            builder.edge(
                internet,
                EdgeKind::Forwards,
                to,
                &format!("{} {how}; {fact}", label(resource)),
                &place,
            );
        }
        Open::Perhaps(fact, place) => {
            let outside = builder.node(OUTSIDE.0, OUTSIDE.1, "");
            builder.edge(
                outside,
                EdgeKind::Forwards,
                to,
                &format!("{} {how}; {fact}", label(resource)),
                &place,
            );
        }
        Open::No => {}
    }
}

fn load_balancer(aws: &Resources<'_>, subnets: &Subnets<'_>, balancer: &Resource<'_>, builder: &mut Builder) {
    let door = node(builder, NodeKind::LoadBalancer, balancer);
    if balancer.node.flag("internal") {
        return;
    }
    let own = texts(&balancer.node, "subnets");
    // A network load balancer without groups lets everything through.
    let is_network =
        balancer.node.text_of("type") == Some("network") && balancer.node.get("securityGroups").is_none();
    if is_network && !subnets.closed(&own) {
        let internet = builder.node(INTERNET.0, INTERNET.1, "");
        let fact =
            format!("load balancer {} is open to everybody: it has no security group", label(balancer));
        builder.edge(internet, EdgeKind::Forwards, door, &fact, &aws.place(&balancer.node));
    } else {
        open(aws, subnets, balancer, &own, builder, door, "is an internet-facing load balancer");
    }
    for instance in texts(&balancer.node, "instances").into_iter().filter_map(|link| aws.linked(link)) {
        let machine = node(builder, NodeKind::Instance, instance);
        let fact = format!("load balancer {} sends to instance {}", label(balancer), label(instance));
        builder.edge(door, EdgeKind::Forwards, machine, &fact, &aws.place(&balancer.node));
    }
}

fn target_group(builder: &mut Builder, group: &Resource<'_>) -> NodeId {
    builder.node(NodeKind::LoadBalancer, &group.name, &format!("target group {}", label(group)))
}

fn listeners(aws: &Resources<'_>, builder: &mut Builder) {
    for listener in aws.of("aws/listener") {
        let Some(balancer) = listener.node.text_of("loadBalancer").and_then(|link| aws.linked(link)) else {
            continue;
        };
        let door = node(builder, NodeKind::LoadBalancer, balancer);
        for action in listener.node.get("actions").map(Node::items).unwrap_or_default() {
            for group in texts(action, "targetGroups").into_iter().filter_map(|link| aws.linked(link)) {
                let target = target_group(builder, group);
                let port = listener.node.text_of("port").unwrap_or("its port");
                let fact = format!("load balancer {} forwards {port} to {}", label(balancer), label(group));
                builder.edge(door, EdgeKind::Forwards, target, &fact, &aws.place(action));
            }
        }
    }
}

/// From target groups to instances, functions and, through bindings, services of the cluster.
fn target_groups(aws: &Resources<'_>, sources: &Sources<'_>, builder: &mut Builder) {
    for group in aws.of("aws/target-group") {
        let from = target_group(builder, group);
        for target in group.node.get("targets").map(Node::items).unwrap_or_default() {
            let Some(to) = target.text_of("target").and_then(|link| aws.linked(link)) else { continue };
            let kind = match &*to.kind {
                "aws/lambda-function" => NodeKind::Function,
                "aws/load-balancer" => NodeKind::LoadBalancer,
                _ => NodeKind::Instance,
            };
            let node = node(builder, kind, to);
            let fact = format!("target group {} sends to {}", label(group), label(to));
            builder.edge(from, EdgeKind::Forwards, node, &fact, &aws.place(target));
        }
        let name = label(group);
        for binding in &sources.cluster.target_group_bindings {
            // targetgroup/NAME/ID of an ARN, or the name itself.
            let means = binding.target_group == name || binding.target_group.split('/').nth(1) == Some(name);
            if !means {
                continue;
            }
            let key = namespaced(&binding.namespace, &binding.service);
            let service = builder.node(NodeKind::Service, &key, &format!("service {key}"));
            let fact = format!("target group {name} is bound to service {key}");
            builder.edge(from, EdgeKind::Forwards, service, &fact, &sources.cluster.show(binding.place));
        }
    }
}

fn ecs_service(aws: &Resources<'_>, subnets: &Subnets<'_>, service: &Resource<'_>, builder: &mut Builder) {
    let workload =
        builder.node(NodeKind::Workload, &service.name, &format!("{}[ECS service]", label(service)));
    if service.node.flag("publicIp") {
        let own = texts(&service.node, "subnets");
        open(aws, subnets, service, &own, builder, workload, "has public addresses");
    }
    for balancer in service.node.get("loadBalancers").map(Node::items).unwrap_or_default() {
        if let Some(group) = balancer.text_of("targetGroup").and_then(|link| aws.linked(link)) {
            let from = target_group(builder, group);
            let fact = format!("target group {} sends to {}", label(group), label(service));
            builder.edge(from, EdgeKind::Forwards, workload, &fact, &aws.place(balancer));
        }
    }
    let Some(task) = service.node.text_of("task").and_then(|link| aws.linked(link)) else { return };
    for container in task.node.get("containers").map(Node::items).unwrap_or_default() {
        if let Some(image) = container.text_of("image") {
            runs(aws, builder, workload, image, container);
        }
    }
}

fn runs(aws: &Resources<'_>, builder: &mut Builder, from: NodeId, image: &str, stated: &Node<'_>) {
    let known = builder.node(NodeKind::Image, &super::super::images::normal(image), image);
    builder.edge(from, EdgeKind::Runs, known, &format!("runs {image}"), &aws.place(stated));
}

/// Which subnets the internet reaches, by their routes and network ACLs.
struct Subnets<'a> {
    /// Of a route table that was read.
    known: HashSet<&'a str>,
    public: HashSet<&'a str>,
    /// A network ACL that was read lets nobody in.
    shut: HashSet<&'a str>,
}

impl<'a> Subnets<'a> {
    fn of(aws: &Resources<'a>) -> Self {
        let mut subnets = Self { known: HashSet::new(), public: HashSet::new(), shut: HashSet::new() };
        for table in aws.of("aws/route-table") {
            let routes = table.node.get("routes").map(Node::items).unwrap_or_default();
            let unknown =
                table.node.get("routes").is_some_and(Node::is_unknown) || routes.iter().any(Node::is_unknown);
            let to_gateway = routes.iter().any(|route| {
                let gateway = route.get("gateway");
                let named = gateway.and_then(Node::scalar).is_some_and(|link| {
                    aws.linked(link).map_or(link.starts_with("igw-"), |to| to.kind == "aws/internet-gateway")
                });
                named || gateway.is_some_and(Node::is_unknown)
            });
            for subnet in texts(&table.node, "subnets") {
                subnets.known.insert(subnet);
                if to_gateway || unknown {
                    subnets.public.insert(subnet);
                }
            }
        }
        for acl in aws.of("aws/network-acl") {
            if !lets_everybody_in(&acl.node) {
                subnets.shut.extend(texts(&acl.node, "subnets"));
            }
        }
        subnets
    }

    /// Whether facts that were read keep the internet out of all of them.
    fn closed(&self, own: &[&str]) -> bool {
        let out = |subnet: &&str| {
            (self.known.contains(*subnet) && !self.public.contains(*subnet)) || self.shut.contains(*subnet)
        };
        !own.is_empty() && own.iter().all(out)
    }
}

/// The rules of a network ACL are asked in the order of their numbers; what none of them decides is denied.
fn lets_everybody_in(acl: &Node<'_>) -> bool {
    let Some(rules) = acl.get("rules") else { return true };
    if rules.is_unknown() {
        return true;
    }
    let mut ingress: Vec<&Node<'_>> =
        rules.items().iter().filter(|rule| rule.text_of("direction") == Some("ingress")).collect();
    ingress.sort_by_key(|rule| rule.get("number").and_then(Node::integer).unwrap_or(i64::MAX));
    for rule in ingress {
        let everybody = rule.text_of("cidr").is_some_and(is_everybody);
        let whole = matches!(rule.text_of("protocol"), Some("-1" | "all") | None);
        match rule.text_of("action") {
            Some("deny") if everybody && whole => return false,
            Some("allow") if everybody || rule.get("cidr").is_none_or(Node::is_unknown) => return true,
            _ => {}
        }
    }
    false
}
