//! Who within the account's networks reaches whom: by security groups that name groups, by private addresses of a VPC, and
//! over peerings and transit gateways.
//!
//! Members of a group and whoever is in a VPC stand as one node each, so edges stay near linear in the members.

use std::collections::BTreeSet;

use yagura_configuration::Resource;
use yagura_formats::document::Node;
use yagura_model::graph::{Builder, EdgeKind, NodeId, NodeKind};

use super::{Resources, label, node, texts};

/// Something with an address in a VPC.
struct Member {
    node: NodeId,
    title: String,
    groups: Vec<String>,
    vpc: Option<String>,
    place: String,
    /// Whether something may be gained by reaching it.
    is_target: bool,
}

/// `pods` are workloads of a cluster that may open connections to private addresses.
pub(super) fn add(aws: &Resources<'_>, pods: &[(NodeId, String)], builder: &mut Builder) {
    let mut members = Vec::new();
    let kinds = [
        ("aws/instance", NodeKind::Instance, true),
        ("aws/ecs-service", NodeKind::Workload, true),
        ("aws/lambda-function", NodeKind::Function, false),
        ("aws/rds-instance", NodeKind::Database, true),
        ("aws/redshift-cluster", NodeKind::Database, true),
    ];
    for (kind, of, is_target) in kinds {
        for resource in aws.of(kind) {
            let groups: Vec<String> =
                texts(&resource.node, "securityGroups").into_iter().map(str::to_owned).collect();
            if groups.is_empty() {
                continue;
            }
            let vpc = vpc_of(aws, resource, &groups);
            let node = node(builder, of, resource);
            members.push(Member {
                node,
                title: label(resource).to_owned(),
                groups,
                vpc,
                place: aws.place(&resource.node),
                is_target,
            });
        }
    }
    // Pods have the groups of their cluster unless told otherwise.
    for cluster in aws.of("aws/eks-cluster").take(1) {
        let groups: Vec<String> =
            texts(&cluster.node, "securityGroups").into_iter().map(str::to_owned).collect();
        let vpc = vpc_of(aws, cluster, &groups);
        for (node, title) in pods {
            let place = aws.place(&cluster.node);
            members.push(Member {
                node: *node,
                title: title.clone(),
                groups: groups.clone(),
                vpc: vpc.clone(),
                place,
                is_target: false,
            });
        }
    }
    let named: BTreeSet<&str> = members
        .iter()
        .filter(|member| member.is_target)
        .flat_map(|member| &member.groups)
        .filter_map(|group| aws.linked(group))
        .flat_map(|group| rules(group).into_iter().flat_map(|rule| texts(rule, "groups")))
        .collect();
    for member in &members {
        for group in member
            .groups
            .iter()
            .filter(|group| named.contains(group.as_str()) || is_open_to_itself(aws, group))
        {
            let hub = members_node(aws, group, builder);
            let fact = format!("{} is in security group {}", member.title, name(aws, group));
            builder.edge(member.node, EdgeKind::Reaches, hub, &fact, &member.place);
        }
        if let Some(vpc) = &member.vpc {
            let hub = vpc_node(aws, vpc, builder);
            builder.edge(
                member.node,
                EdgeKind::Reaches,
                hub,
                &format!("{} is in its network", member.title),
                &member.place,
            );
        }
    }
    for member in members.iter().filter(|member| member.is_target) {
        for group in member.groups.iter().filter_map(|group| aws.linked(group)) {
            for rule in rules(group) {
                let ports = ports(rule);
                let mut sources: Vec<String> = texts(rule, "groups").into_iter().map(str::to_owned).collect();
                if rule.flag("self") {
                    sources.push(group.name.clone());
                }
                for source in sources {
                    let hub = members_node(aws, &source, builder);
                    let fact = format!(
                        "security group {} lets members of {} in{ports}",
                        label(group),
                        name(aws, &source)
                    );
                    builder.edge(hub, EdgeKind::Forwards, member.node, &fact, &aws.place(rule));
                }
                let private =
                    texts(rule, "cidrs").into_iter().find(|cidr| is_private(cidr) || cidr.ends_with("/0"));
                if let (Some(cidr), Some(vpc)) = (private, &member.vpc) {
                    let hub = vpc_node(aws, vpc, builder);
                    let fact = format!("security group {} lets {cidr} in{ports}", label(group));
                    builder.edge(hub, EdgeKind::Forwards, member.node, &fact, &aws.place(rule));
                }
            }
        }
    }
    between_networks(aws, builder);
}

fn rules<'r>(group: &'r Resource<'static>) -> Vec<&'r Node<'static>> {
    let all = group.node.get("rules").map(Node::items).unwrap_or_default();
    all.iter().filter(|rule| rule.text_of("direction") == Some("ingress")).collect()
}

fn is_open_to_itself(aws: &Resources<'_>, group: &str) -> bool {
    aws.linked(group).is_some_and(|group| rules(group).iter().any(|rule| rule.flag("self")))
}

fn ports(rule: &Node<'_>) -> String {
    match (rule.text_of("fromPort"), rule.text_of("toPort")) {
        (Some("0"), Some("65535")) | (None, _) | (_, None) => String::new(),
        (Some(from), Some(to)) if from == to => format!(" on port {from}"),
        (Some(from), Some(to)) => format!(" on ports {from} to {to}"),
    }
}

fn vpc_of(aws: &Resources<'_>, resource: &Resource<'static>, groups: &[String]) -> Option<String> {
    let of = |one: &Resource<'static>| one.node.text_of("vpc").map(str::to_owned);
    let by_subnet = texts(&resource.node, "subnet").into_iter().chain(texts(&resource.node, "subnets"));
    let by_subnet = by_subnet.filter_map(|link| aws.linked(link)).find_map(of);
    by_subnet.or_else(|| groups.iter().filter_map(|group| aws.linked(group)).find_map(of))
}

fn name<'n>(aws: &Resources<'n>, group: &'n str) -> &'n str {
    aws.linked(group).map_or(group, |group| label(group))
}

fn members_node(aws: &Resources<'_>, group: &str, builder: &mut Builder) -> NodeId {
    builder.node(
        NodeKind::SecurityGroup,
        &format!("members/{group}"),
        &format!("members of security group {}", name(aws, group)),
    )
}

fn vpc_node(aws: &Resources<'_>, vpc: &str, builder: &mut Builder) -> NodeId {
    let title = aws.linked(vpc).map_or(vpc, |vpc| label(vpc));
    builder.node(NodeKind::Network, &format!("vpc/{vpc}"), &format!("the network {title}"))
}

/// Networks that routes join: over a peering that both name, or a transit gateway that both route to.
fn between_networks(aws: &Resources<'_>, builder: &mut Builder) {
    let routed = |key: &str, link: &str| -> BTreeSet<String> {
        let tables = aws.of("aws/route-table").filter(|table| {
            let routes = table.node.get("routes").map(Node::items).unwrap_or_default();
            routes
                .iter()
                .any(|route| route.get(key).and_then(|to| to.scalar().or(to.tag.as_deref())) == Some(link))
        });
        tables.filter_map(|table| table.node.text_of("vpc").map(str::to_owned)).collect()
    };
    let mut join = |from: &str, to: &str, fact: &str, place: &str| {
        let (from, to) = (vpc_node(aws, from, builder), vpc_node(aws, to, builder));
        builder.edge(from, EdgeKind::Forwards, to, fact, place);
    };
    for peering in aws.of("aws/vpc-peering") {
        let (Some(one), Some(other)) = (peering.node.text_of("vpc"), peering.node.text_of("peer")) else {
            continue;
        };
        let routes = routed("peering", &peering.name);
        // Packets must find back, too.
        if routes.contains(one) && routes.contains(other) {
            let (fact, place) = (
                format!("peering {} and routes of both sides join them", label(peering)),
                aws.place(&peering.node),
            );
            join(one, other, &fact, &place);
            join(other, one, &fact, &place);
        }
    }
    let mut gateways: BTreeSet<String> = BTreeSet::new();
    for table in aws.of("aws/route-table") {
        for route in table.node.get("routes").map(Node::items).unwrap_or_default() {
            gateways.extend(
                route
                    .get("transitGateway")
                    .and_then(|to| to.scalar().or(to.tag.as_deref()))
                    .map(str::to_owned),
            );
        }
    }
    for gateway in gateways {
        let networks: Vec<String> = routed("transitGateway", &gateway).into_iter().collect();
        for one in &networks {
            for other in networks.iter().filter(|other| *other != one) {
                join(one, other, &format!("both route to the transit gateway {gateway}"), "");
            }
        }
    }
}

fn is_private(cidr: &str) -> bool {
    cidr.starts_with("10.")
        || cidr.starts_with("192.168.")
        || cidr.starts_with("100.64.")
        || cidr
            .strip_prefix("172.")
            .and_then(|rest| rest.split('.').next()?.parse::<u8>().ok())
            .is_some_and(|second| (16..32).contains(&second))
}
