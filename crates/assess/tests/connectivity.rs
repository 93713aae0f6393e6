//! Policies as Kubernetes documents them, each rule of the documentation with a cluster in which it decides.

mod support;

use std::convert::Infallible;

use support::cluster;
use yagura_assess::connectivity::Connectivity;
use yagura_assess::connectivity::addresses::Family;
use yagura_assess::connectivity::table::rows;
use yagura_assess::kubernetes::Cluster;

/// The table without what is outside, as `a>b connections` (names without namespace and kind).
fn inside(cluster: &Cluster) -> Vec<String> {
    let short = |name: &str| {
        name.split('[').next().unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned()
    };
    let mut all = Vec::new();
    let Ok(()) = rows(&Connectivity::new(cluster), &[], |row| {
        all.push(format!("{}>{} {}", short(&row.source), short(&row.destination), row.connections));
        Ok::<(), Infallible>(())
    });
    all
}

/// The rows that name `end`, with what is outside, as the table has them.
fn of(cluster: &Cluster, end: &str, families: &[Family]) -> Vec<String> {
    let mut all = Vec::new();
    let Ok(()) = rows(&Connectivity::new(cluster), families, |row| {
        all.push(format!("{} > {} : {}", row.source, row.destination, row.connections));
        Ok::<(), Infallible>(())
    });
    all.retain(|row| row.contains(end));
    all
}

const PODS: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: one, labels: {team: red}}
---
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: one, labels: {app: a}}
spec: {containers: [{name: c, ports: [{name: web, containerPort: 8080}, {name: dns, containerPort: 53, protocol: UDP}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: b, namespace: one, labels: {app: b}}
spec: {containers: [{name: c, ports: [{name: web, containerPort: 9090}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: c, namespace: two, labels: {app: a}}
spec: {containers: [{name: c}]}
";

fn with(policies: &str) -> Cluster {
    cluster(&format!("{PODS}---{policies}"))
}

fn policy(spec: &str) -> Cluster {
    with(&format!(
        "
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: p, namespace: one}}
spec: {spec}
"
    ))
}

#[test]
fn without_policies_everybody_talks() {
    let all = "a>b a>c b>a b>c c>a c>b";
    let expected: Vec<String> = all.split(' ').map(|pair| format!("{pair} All Connections")).collect();
    assert_eq!(inside(&with("")), expected);
}

#[test]
fn a_policy_without_rules_denies_its_direction() {
    // Without policyTypes: ingress.
    assert_eq!(inside(&policy("{podSelector: {}}")), ["a>c All Connections", "b>c All Connections"]);
    let egress = policy("{podSelector: {matchLabels: {app: a}}, policyTypes: [Egress]}");
    assert_eq!(inside(&egress).len(), 4);
    assert!(!inside(&egress).iter().any(|row| row.starts_with("a>")));
    // An egress list, even an empty one, means egress, too.
    let both = policy("{podSelector: {matchLabels: {app: a}}, egress: []}");
    assert!(!inside(&both).iter().any(|row| row.starts_with("a>") || row.contains(">a ")));
    // An empty list of rules and an empty rule are opposites.
    assert_eq!(inside(&policy("{podSelector: {}, ingress: [{}]}")).len(), 6);
}

#[test]
fn peers_are_in_the_policys_namespace_unless_they_say_otherwise() {
    let own = policy(
        "{podSelector: {matchLabels: {app: b}}, ingress: [{from: [{podSelector: {matchLabels: {app: a}}}]}]}",
    );
    assert!(inside(&own).contains(&"a>b All Connections".to_owned()));
    assert!(!inside(&own).iter().any(|row| row.starts_with("c>b")));
    let anywhere = "{podSelector: {matchLabels: {app: b}}, ingress: [{from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: a}}}]}]}";
    assert!(inside(&policy(anywhere)).contains(&"c>b All Connections".to_owned()));
    // The namespace's name is a label that it always has.
    let named = "{podSelector: {matchLabels: {app: b}}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: two}}}]}]}";
    let rows = inside(&policy(named));
    assert!(
        rows.contains(&"c>b All Connections".to_owned()) && !rows.iter().any(|row| row.starts_with("a>b"))
    );
    // In one peer both must hold, in two either.
    let two = "{podSelector: {matchLabels: {app: b}}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: red}}}, {podSelector: {}}]}]}";
    assert!(!inside(&policy(two)).iter().any(|row| row.starts_with("c>b")));
}

#[test]
fn named_ports_are_the_destinations() {
    let rows =
        inside(&policy("{podSelector: {}, ingress: [{ports: [{port: web}, {port: dns, protocol: UDP}]}]}"));
    assert!(rows.contains(&"b>a TCP 8080,UDP 53".to_owned()));
    assert!(rows.contains(&"a>b TCP 9090".to_owned()));
    // A name of another protocol is another port; a pod without the name takes nothing.
    let rows = inside(&policy(
        "{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: dns}, {port: web}]}]}",
    ));
    assert!(rows.contains(&"b>a TCP 8080".to_owned()) && !rows.iter().any(|row| row.starts_with("a>c")));
}

#[test]
fn both_directions_must_let_pass() {
    let both = with("
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: in, namespace: one}
spec: {podSelector: {matchLabels: {app: b}}, ingress: [{ports: [{port: 80, endPort: 90}, {protocol: SCTP}]}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out, namespace: one}
spec: {podSelector: {matchLabels: {app: a}}, policyTypes: [Egress], egress: [{ports: [{port: 85, endPort: 443}]}, {ports: [{port: 7, protocol: SCTP}]}]}
");
    let rows = inside(&both);
    assert!(rows.contains(&"a>b SCTP 7,TCP 85-90".to_owned()), "{rows:?}");
    assert!(rows.contains(&"c>b SCTP 1-65535,TCP 80-90".to_owned()));
}

#[test]
fn address_blocks_divide_the_outside_and_match_no_pod() {
    let cluster = policy(
        "{podSelector: {matchLabels: {app: b}}, policyTypes: [Ingress, Egress], ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}], ports: [{port: 80}]}]}",
    );
    assert_eq!(
        of(&cluster, "one/b[Pod]", &[Family::V4]),
        ["10.0.0.0-10.0.255.255 > one/b[Pod] : TCP 80", "10.2.0.0-10.255.255.255 > one/b[Pod] : TCP 80",]
    );
    // Ranges of the other family are none that the block allows.
    assert!(of(&cluster, "> one/b[Pod]", &[Family::V6]).is_empty());
    let v6 = policy(
        "{podSelector: {matchLabels: {app: b}}, ingress: [{from: [{ipBlock: {cidr: '2001:db8::/32'}}]}]}",
    );
    assert_eq!(
        of(&v6, "> one/b[Pod]", &[Family::V4, Family::V6]),
        ["2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff > one/b[Pod] : All Connections",]
    );
}

const ADMIN: &str = "
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: {name: first}
spec:
  priority: 1
  subject: {namespaces: {matchLabels: {kubernetes.io/metadata.name: one}}}
  ingress:
  - {action: Pass, from: [{pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: b}}}}], ports: [{portNumber: {protocol: TCP, port: 443}}]}
  - {action: Allow, from: [{namespaces: {}}], ports: [{portRange: {protocol: TCP, start: 80, end: 81}}]}
  - {action: Deny, from: [{namespaces: {}}], ports: [{portNumber: {protocol: TCP, port: 443}}, {namedPort: dns}]}
---
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: {name: second}
spec:
  priority: 2
  subject: {namespaces: {}}
  ingress:
  - {action: Allow, from: [{namespaces: {}}], ports: [{portNumber: {protocol: TCP, port: 443}}]}
  - {action: Deny, from: [{namespaces: {}}], ports: [{portNumber: {protocol: TCP, port: 22}}]}
";

#[test]
fn admin_policies_come_first_and_may_pass() {
    // Without NetworkPolicies what nobody decided is open; the second policy never hears of what the first decided.
    let rows = inside(&with(ADMIN));
    assert!(rows.contains(&"b>a SCTP 1-65535,TCP 1-21,23-65535,UDP 1-52,54-65535".to_owned()), "{rows:?}");
    assert!(rows.contains(&"c>b SCTP 1-65535,TCP 1-21,23-442,444-65535,UDP 1-65535".to_owned()));
    // What was passed on is the NetworkPolicies' to decide: here they allow nothing of it.
    let denied = with(&format!(
        "{ADMIN}---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: deny, namespace: one}}
spec: {{podSelector: {{}}}}
"
    ));
    assert!(inside(&denied).contains(&"b>a TCP 80-81".to_owned()));
}

#[test]
fn the_baseline_decides_only_where_no_policy_does() {
    let baseline = "
apiVersion: policy.networking.k8s.io/v1alpha1
kind: BaselineAdminNetworkPolicy
metadata: {name: default}
spec:
  subject: {namespaces: {}}
  ingress:
  - {action: Allow, from: [{namespaces: {}}], ports: [{portNumber: {protocol: TCP, port: 80}}]}
  - {action: Deny, from: [{namespaces: {}}]}
  egress:
  - {action: Deny, to: [{networks: [10.0.0.0/8]}]}
";
    let alone = with(baseline);
    assert!(inside(&alone).iter().all(|row| row.ends_with(" TCP 80")));
    assert_eq!(
        of(&alone, "one/a[Pod] > 1", &[Family::V4]),
        ["one/a[Pod] > 11.0.0.0-255.255.255.255 : All Connections"]
    );
    let with_policy = with(&format!(
        "{baseline}---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: open, namespace: one}}
spec: {{podSelector: {{matchLabels: {{app: a}}}}, ingress: [{{}}]}}
"
    ));
    assert!(inside(&with_policy).contains(&"b>a All Connections".to_owned()));
    // Admin rules never speak of what comes from outside.
    assert_eq!(of(&alone, "> one/b[Pod]", &[Family::V4]).last().unwrap(), "two/c[Pod] > one/b[Pod] : TCP 80");
    assert!(of(&alone, "0.0.0.0-255.255.255.255 > one/b[Pod] : All Connections", &[Family::V4]).len() == 1);
}

#[test]
fn what_the_api_server_refuses_is_told_and_not_applied() {
    for spec in [
        "{podSelector: {}, ingress: [{from: [{}]}]}",
        "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}]}]}",
        "{podSelector: {}, ingress: [{ports: [{port: 10, endPort: 1}]}]}",
        "{podSelector: {}, ingress: [{ports: [{port: web, endPort: 100}]}]}",
        "{podSelector: {}, policyTypes: [Sideways]}",
        "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0/8}}]}]}",
    ] {
        let cluster = policy(spec);
        assert_eq!(inside(&cluster).len(), 6, "{spec}");
        assert!(cluster.skipped.iter().any(|skipped| skipped.detail.contains("is not applied")), "{spec}");
    }
}

#[test]
fn ingresses_routes_and_gateways_lead_to_pods_through_services() {
    let text = format!("{PODS}---
apiVersion: v1
kind: Service
metadata: {{name: front, namespace: one}}
spec: {{selector: {{app: a}}, ports: [{{name: http, port: 80, targetPort: web}}, {{name: raw, port: 81}}]}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: i, namespace: one}}
spec: {{defaultBackend: {{service: {{name: front, port: {{name: http}}}}}}}}
---
apiVersion: route.openshift.io/v1
kind: Route
metadata: {{name: r, namespace: one}}
spec: {{to: {{kind: Service, name: front}}, port: {{targetPort: 81}}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: g, namespace: two}}
spec: {{gatewayClassName: x, listeners: [{{name: web, port: 80, protocol: HTTP, allowedRoutes: {{namespaces: {{from: Selector, selector: {{matchLabels: {{team: red}}}}}}}}}}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: h, namespace: one}}
spec: {{parentRefs: [{{name: g, namespace: two}}], rules: [{{backendRefs: [{{name: front, port: 80}}]}}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: stranger, namespace: two}}
spec: {{parentRefs: [{{name: g}}], rules: [{{backendRefs: [{{name: front, port: 80, namespace: one}}]}}]}}
");
    let entrances = |text: &str| {
        let cluster = cluster(text);
        let mut rows = inside(&cluster);
        rows.retain(|row| row.starts_with('{') || row.starts_with("g}"));
        (
            rows,
            Connectivity::new(&cluster).entries().1.into_iter().map(|dead| dead.detail).collect::<Vec<_>>(),
        )
    };
    let (rows, dead) = entrances(&text);
    assert_eq!(rows, ["g}>a TCP 8080", "{ingress-controller}>a TCP 81,8080"]);
    assert!(dead.iter().any(|detail| detail.contains("no gateway that was read takes it")), "{dead:?}");
    // A policy that lets in only pods of the namespace keeps an unknown controller out.
    let closed = format!(
        "{text}---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: p, namespace: one}}
spec: {{podSelector: {{}}, ingress: [{{from: [{{podSelector: {{}}}}]}}]}}
"
    );
    let (rows, dead) = entrances(&closed);
    assert!(rows.is_empty() && dead.iter().any(|detail| detail.contains("one/a[Pod]")), "{dead:?}");
}

#[test]
fn pods_stand_under_their_controller_unless_a_policy_tells_them_apart() {
    let text = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, namespace: one, uid: d}
spec: {template: {metadata: {labels: {app: shop}}, spec: {containers: [{name: c}]}}}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: shop-1, namespace: one, uid: r, ownerReferences: [{kind: Deployment, name: shop, controller: true}]}
spec: {template: {metadata: {labels: {app: shop, pod-template-hash: '1'}}, spec: {containers: [{name: c}]}}}
---
apiVersion: v1
kind: Pod
metadata: {name: shop-1-x, namespace: one, uid: x, labels: {app: shop, pod-template-hash: '1'}, ownerReferences: [{kind: ReplicaSet, name: shop-1, controller: true}]}
spec: {containers: [{name: c}]}
---
apiVersion: v1
kind: Pod
metadata: {name: shop-1-y, namespace: one, uid: y, labels: {app: shop, canary: 'true'}, ownerReferences: [{kind: ReplicaSet, name: shop-1, controller: true}]}
spec: {containers: [{name: c}]}
";
    assert_eq!(of(&cluster(text), "shop", &[Family::V4]).len(), 2);
    let told_apart = format!(
        "{text}---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: p, namespace: one}}
spec: {{podSelector: {{matchLabels: {{canary: 'true'}}}}}}
"
    );
    assert_eq!(
        of(&cluster(&told_apart), "0.0.0.0", &[Family::V4]),
        [
            "0.0.0.0-255.255.255.255 > one/shop-1-x[Pod] : All Connections",
            "one/shop-1-x[Pod] > 0.0.0.0-255.255.255.255 : All Connections",
            "one/shop-1-y[Pod] > 0.0.0.0-255.255.255.255 : All Connections",
        ]
    );
}
