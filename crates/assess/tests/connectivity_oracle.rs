//! The engine against the rules as one would apply them by hand: one connection at a time, over random clusters.

mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use support::cluster;
use yagura_assess::connectivity::{Connectivity, EndIndex, Side};
use yagura_assess::kubernetes::Protocol;

const CLUSTERS: u64 = 150;
const PODS: usize = 6;
const NAMESPACES: usize = 3;
const KEYS: [&str; 2] = ["app", "tier"];
const VALUES: [&str; 3] = ["a", "b", "c"];
/// Ports looked at; the edges of all ranges that are made lie among them.
const PORTS: [u16; 9] = [1, 79, 80, 81, 443, 8079, 8080, 8081, 65535];

/// Xorshift: the same clusters in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }
}

type Labels = BTreeMap<&'static str, &'static str>;

struct Pod {
    namespace: usize,
    labels: Labels,
    /// The port called `web`, if any.
    web: Option<u16>,
}

#[derive(Clone)]
enum Selector {
    All,
    Is(&'static str, &'static str),
    In(&'static str, Vec<&'static str>, bool),
    Has(&'static str, bool),
}

struct Peer {
    /// None: the policy's own namespace.
    namespaces: Option<Selector>,
    pods: Selector,
}

enum Port {
    Range(Protocol, u16, u16),
    Web(Protocol),
}

struct Rule {
    peers: Vec<Peer>,
    ports: Vec<Port>,
}

struct Policy {
    namespace: usize,
    pods: Selector,
    ingress: Option<Vec<Rule>>,
    egress: Option<Vec<Rule>>,
}

/// An admin rule is a rule with an action: 0 allows, 1 denies, 2 passes.
struct Admin {
    subject: Selector,
    ingress: Vec<(u8, Rule)>,
    egress: Vec<(u8, Rule)>,
}

fn selector(random: &mut Random) -> Selector {
    let key = KEYS[random.below(2)];
    match random.below(5) {
        0 => Selector::All,
        1 | 2 => Selector::Is(key, VALUES[random.below(3)]),
        3 => Selector::In(key, VALUES[..=random.below(2)].to_vec(), random.one_in(2)),
        _ => Selector::Has(key, random.one_in(2)),
    }
}

fn rule(random: &mut Random, own_namespace: bool) -> Rule {
    let peer = |random: &mut Random| {
        let namespaces = (!own_namespace || random.one_in(2)).then(|| selector(random));
        Peer { namespaces, pods: selector(random) }
    };
    let port = |random: &mut Random| {
        let protocol = Protocol::ALL[random.below(3)];
        match random.below(4) {
            0 => Port::Web(protocol),
            1 => Port::Range(protocol, 1, 65535),
            2 => Port::Range(protocol, 80, 8080),
            _ => Port::Range(protocol, 443, 443),
        }
    };
    let peers = random.below(3).max(usize::from(!own_namespace));
    let ports = random.below(3);
    Rule {
        peers: (0..peers).map(|_| peer(random)).collect(),
        ports: (0..ports).map(|_| port(random)).collect(),
    }
}

fn rules(random: &mut Random) -> Option<Vec<Rule>> {
    if random.one_in(3) {
        return None;
    }
    let count = random.below(3);
    Some((0..count).map(|_| rule(random, true)).collect())
}

// ---- by hand ----

fn selects(selector: &Selector, labels: &Labels) -> bool {
    match selector {
        Selector::All => true,
        Selector::Is(key, value) => labels.get(key) == Some(value),
        Selector::In(key, values, true) => labels.get(key).is_some_and(|value| values.contains(value)),
        Selector::In(key, values, false) => !labels.get(key).is_some_and(|value| values.contains(value)),
        Selector::Has(key, wanted) => labels.contains_key(key) == *wanted,
    }
}

/// Namespace n has the labels app = the n-th value.
fn namespace_labels(namespace: usize) -> Labels {
    Labels::from([("app", VALUES[namespace])])
}

fn applies(
    rule: &Rule,
    own: usize,
    other: &Pod,
    destination: &Pod,
    protocol: Protocol,
    port: u16,
    admin: bool,
) -> bool {
    let peer = rule.peers.is_empty()
        || rule.peers.iter().any(|peer| {
            let there = match &peer.namespaces {
                None => other.namespace == own,
                Some(selector) => selects(selector, &namespace_labels(other.namespace)),
            };
            there && selects(&peer.pods, &other.labels)
        });
    let meant = rule.ports.is_empty()
        || rule.ports.iter().any(|one| match one {
            Port::Range(of, start, end) => *of == protocol && (*start..=*end).contains(&port),
            // The pods' port called `web` is TCP; a policy's port name counts for its protocol, an admin policy's for any.
            Port::Web(of) => {
                protocol == Protocol::Tcp && (admin || *of == Protocol::Tcp) && destination.web == Some(port)
            }
        });
    peer && meant
}

struct World {
    pods: Vec<Pod>,
    policies: Vec<Policy>,
    admins: Vec<Admin>,
    baseline: Option<Admin>,
}

impl World {
    fn one_way(
        &self,
        own: &Pod,
        other: &Pod,
        destination: &Pod,
        protocol: Protocol,
        port: u16,
        ingress: bool,
    ) -> bool {
        let of = |admin: &'_ Admin| -> Option<u8> {
            if !selects(&admin.subject, &namespace_labels(own.namespace)) {
                return None;
            }
            let rules = if ingress { &admin.ingress } else { &admin.egress };
            rules
                .iter()
                .find(|(_, rule)| applies(rule, usize::MAX, other, destination, protocol, port, true))
                .map(|(action, _)| *action)
        };
        // The first rule of the first policy that speaks of it decides, or passes.
        match self.admins.iter().find_map(of) {
            Some(0) => return true,
            Some(1) => return false,
            _ => {}
        }
        let mut isolated = false;
        for policy in self
            .policies
            .iter()
            .filter(|policy| policy.namespace == own.namespace && selects(&policy.pods, &own.labels))
        {
            let rules = if ingress { &policy.ingress } else { &policy.egress };
            let Some(rules) = rules else { continue };
            isolated = true;
            if rules
                .iter()
                .any(|rule| applies(rule, policy.namespace, other, destination, protocol, port, false))
            {
                return true;
            }
        }
        !isolated && self.baseline.as_ref().and_then(of) != Some(1)
    }

    fn allowed(&self, from: &Pod, to: &Pod, protocol: Protocol, port: u16) -> bool {
        self.one_way(from, to, to, protocol, port, false) && self.one_way(to, from, to, protocol, port, true)
    }
}

// ---- as text ----

fn selector_text(selector: &Selector) -> String {
    match selector {
        Selector::All => "{}".into(),
        Selector::Is(key, value) => format!("{{matchLabels: {{{key}: {value}}}}}"),
        Selector::In(key, values, inside) => {
            let operator = if *inside { "In" } else { "NotIn" };
            format!(
                "{{matchExpressions: [{{key: {key}, operator: {operator}, values: [{}]}}]}}",
                values.join(", ")
            )
        }
        Selector::Has(key, wanted) => {
            let operator = if *wanted { "Exists" } else { "DoesNotExist" };
            format!("{{matchExpressions: [{{key: {key}, operator: {operator}}}]}}")
        }
    }
}

fn rule_text(rule: &Rule, peers: &str, admin: Option<u8>) -> String {
    let peer = |peer: &Peer| match (&peer.namespaces, admin) {
        (Some(namespaces), Some(_)) => format!(
            "{{pods: {{namespaceSelector: {}, podSelector: {}}}}}",
            selector_text(namespaces),
            selector_text(&peer.pods)
        ),
        (Some(namespaces), None) => format!(
            "{{namespaceSelector: {}, podSelector: {}}}",
            selector_text(namespaces),
            selector_text(&peer.pods)
        ),
        (None, _) => format!("{{podSelector: {}}}", selector_text(&peer.pods)),
    };
    let port = |port: &Port| match (port, admin) {
        (Port::Range(protocol, start, end), Some(_)) => {
            format!("{{portRange: {{protocol: {}, start: {start}, end: {end}}}}}", protocol.name())
        }
        (Port::Web(_), Some(_)) => "{namedPort: web}".into(),
        (Port::Range(protocol, 1, 65535), None) => format!("{{protocol: {}}}", protocol.name()),
        (Port::Range(protocol, start, end), None) => {
            format!("{{protocol: {}, port: {start}, endPort: {end}}}", protocol.name())
        }
        (Port::Web(protocol), None) => format!("{{protocol: {}, port: web}}", protocol.name()),
    };
    let mut parts: Vec<String> = admin
        .map(|action| format!("action: {}", ["Allow", "Deny", "Pass"][usize::from(action)]))
        .into_iter()
        .collect();
    if !rule.peers.is_empty() {
        parts.push(format!("{peers}: [{}]", rule.peers.iter().map(peer).collect::<Vec<_>>().join(", ")));
    }
    if !rule.ports.is_empty() {
        parts.push(format!("ports: [{}]", rule.ports.iter().map(port).collect::<Vec<_>>().join(", ")));
    }
    format!("{{{}}}", parts.join(", "))
}

fn world_text(world: &World) -> String {
    let mut text = String::new();
    for (namespace, value) in VALUES.iter().enumerate().take(NAMESPACES) {
        let _ = writeln!(
            text,
            "---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: n{namespace}, labels: {{app: {}}}}}",
            value
        );
    }
    for (at, pod) in world.pods.iter().enumerate() {
        let labels: Vec<String> = pod.labels.iter().map(|(key, value)| format!("{key}: {value}")).collect();
        let ports = pod
            .web
            .map(|port| format!(", ports: [{{name: web, containerPort: {port}}}]"))
            .unwrap_or_default();
        let _ = writeln!(
            text,
            "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p{at}, namespace: n{}, labels: {{{}}}}}\nspec: {{containers: [{{name: c{ports}}}]}}",
            pod.namespace,
            labels.join(", ")
        );
    }
    for (at, policy) in world.policies.iter().enumerate() {
        let mut types = Vec::new();
        let mut parts = vec![format!("podSelector: {}", selector_text(&policy.pods))];
        for (rules, kind, key, peers) in
            [(&policy.ingress, "Ingress", "ingress", "from"), (&policy.egress, "Egress", "egress", "to")]
        {
            if let Some(rules) = rules {
                types.push(kind);
                parts.push(format!(
                    "{key}: [{}]",
                    rules.iter().map(|rule| rule_text(rule, peers, None)).collect::<Vec<_>>().join(", ")
                ));
            }
        }
        parts.push(format!("policyTypes: [{}]", types.join(", ")));
        if !types.is_empty() {
            let _ = writeln!(
                text,
                "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: q{at}, namespace: n{}}}\nspec: {{{}}}",
                policy.namespace,
                parts.join(", ")
            );
        }
    }
    let admin_text = |admin: &Admin| {
        let list = |rules: &[(u8, Rule)], peers| {
            rules
                .iter()
                .map(|(action, rule)| rule_text(rule, peers, Some(*action)))
                .collect::<Vec<_>>()
                .join(", ")
        };
        format!(
            "subject: {{namespaces: {}}}, ingress: [{}], egress: [{}]",
            selector_text(&admin.subject),
            list(&admin.ingress, "from"),
            list(&admin.egress, "to")
        )
    };
    for (at, admin) in world.admins.iter().enumerate() {
        let _ = writeln!(
            text,
            "---\napiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: {{name: a{at}}}\nspec: {{priority: {at}, {}}}",
            admin_text(admin)
        );
    }
    if let Some(admin) = &world.baseline {
        let _ = writeln!(
            text,
            "---\napiVersion: policy.networking.k8s.io/v1alpha1\nkind: BaselineAdminNetworkPolicy\nmetadata: {{name: default}}\nspec: {{{}}}",
            admin_text(admin)
        );
    }
    text
}

fn labels(random: &mut Random) -> Labels {
    let mut labels = Labels::new();
    for key in KEYS {
        if !random.one_in(3) {
            labels.insert(key, VALUES[random.below(3)]);
        }
    }
    labels
}

fn world(random: &mut Random) -> World {
    let pods = (0..PODS)
        .map(|_| Pod {
            namespace: random.below(NAMESPACES),
            labels: labels(random),
            web: random.one_in(2).then(|| PORTS[random.below(PORTS.len())]),
        })
        .collect();
    let policies = (0..random.below(6))
        .map(|_| Policy {
            namespace: random.below(NAMESPACES),
            pods: selector(random),
            ingress: rules(random),
            egress: rules(random),
        })
        .collect();
    let admin = |random: &mut Random, actions: usize| Admin {
        subject: selector(random),
        ingress: (0..random.below(3)).map(|_| (random.below(actions) as u8, rule(random, false))).collect(),
        egress: (0..random.below(3)).map(|_| (random.below(actions) as u8, rule(random, false))).collect(),
    };
    let count = random.below(3);
    let admins = (0..count).map(|_| admin(random, 3)).collect();
    let baseline = random.one_in(2).then(|| admin(random, 2));
    World { pods, policies, admins, baseline }
}

#[test]
fn every_connection_is_decided_as_by_hand() {
    let (mut allowed, mut denied) = (0u64, 0u64);
    for seed in 1..=CLUSTERS {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let world = world(&mut random);
        let text = world_text(&world);
        let cluster = cluster(&text);
        assert!(cluster.skipped.is_empty(), "{:?}\n{text}", cluster.skipped);
        let connectivity = Connectivity::new(&cluster);
        let index: BTreeMap<&str, EndIndex> = connectivity
            .ends()
            .iter()
            .enumerate()
            .map(|(at, end)| (end.workload.name.as_str(), EndIndex(at)))
            .collect();
        for from in 0..PODS {
            for to in (0..PODS).filter(|to| *to != from) {
                let side = |pod: usize| Side::Pods(index[format!("p{pod}").as_str()]);
                let connections = connectivity.between(side(from), side(to));
                for protocol in Protocol::ALL {
                    for port in PORTS {
                        let by_hand = world.allowed(&world.pods[from], &world.pods[to], protocol, port);
                        let found = connections.ports(protocol).contains(port);
                        assert_eq!(
                            found,
                            by_hand,
                            "cluster {seed}: p{from} to p{to}, {} {port}\n{text}",
                            protocol.name()
                        );
                        if by_hand { allowed += 1 } else { denied += 1 }
                    }
                }
            }
        }
    }
    // Both answers must have been asked for often, or nothing was tested.
    assert!(allowed > 10_000 && denied > 10_000, "{allowed} {denied}");
}
