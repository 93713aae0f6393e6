//! RBAC as Kubernetes documents it, and the examples of the powers.

mod support;

use support::cluster;
use yagura_assess::access::powers::{held, powers};
use yagura_assess::access::{Access, Request, defaults};
use yagura_assess::kubernetes::access::Subject;
use yagura_formats::document::{Node, yaml};

const ROLES: &str = "
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader, labels: {aggregate: yes}}
rules:
- {apiGroups: [''], resources: [pods, '*/status'], verbs: [get, list]}
- {nonResourceURLs: [/metrics/*], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: sum}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {aggregate: yes}}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: one-secret, namespace: shop}
rules: [{apiGroups: [''], resources: [secrets], resourceNames: [card], verbs: ['*']}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: a, namespace: shop}
roleRef: {kind: ClusterRole, name: sum}
subjects: [{kind: ServiceAccount, name: web}, {kind: Group, name: 'system:serviceaccounts:other'}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: b, namespace: shop}
roleRef: {kind: Role, name: one-secret}
subjects: [{kind: User, name: 'system:serviceaccount:shop:web'}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: c}
roleRef: {kind: ClusterRole, name: reader}
subjects: [{kind: User, name: ana}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: d}
roleRef: {kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: tiller, namespace: kube-system}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: e, namespace: shop}
roleRef: {kind: Role, name: missing}
subjects: [{kind: User, name: bob}]
";

fn account(namespace: &str, name: &str) -> Subject {
    Subject::ServiceAccount { namespace: namespace.to_owned(), name: name.to_owned() }
}

#[test]
fn permissions_are_those_that_kubernetes_documents() {
    let cluster = cluster(ROLES);
    let defaults = defaults();
    let access = Access::new(&cluster, &defaults);
    let may = |subject: &Subject, verb: &str, resource: &str, name: Option<&str>, namespace: Option<&str>| {
        let group = "";
        !access.allows(subject, Request::Resource { verb, group, resource, name, namespace }).is_empty()
    };
    let (web, ana) = (account("shop", "web"), Subject::User("ana".into()));
    // Through the aggregating role, in the binding's namespace alone.
    assert!(may(&web, "get", "pods", None, Some("shop")));
    assert!(!may(&web, "get", "pods", None, Some("other")) && !may(&web, "list", "pods", None, None));
    // A group of all accounts of a namespace.
    assert!(may(&account("other", "any"), "list", "pods", None, Some("shop")));
    assert!(may(&ana, "list", "pods", None, None) && may(&ana, "get", "pods", Some("x"), Some("anywhere")));
    // Subresources are resources of their own.
    assert!(
        may(&ana, "get", "pods/status", None, Some("a")) && !may(&ana, "get", "pods/log", None, Some("a"))
    );
    // Names cover neither other names nor requests without one.
    assert!(may(&web, "get", "secrets", Some("card"), Some("shop")));
    assert!(!may(&web, "get", "secrets", Some("other"), Some("shop")));
    assert!(
        !may(&web, "list", "secrets", None, Some("shop"))
            && !may(&web, "create", "secrets", None, Some("shop"))
    );
    // Paths are granted by cluster role bindings only.
    let url = |subject: &Subject, path: &str| {
        !access.allows(subject, Request::Url { verb: "get", path }).is_empty()
    };
    assert!(url(&ana, "/metrics/cadvisor") && !url(&ana, "/metrics") && !url(&web, "/metrics/cadvisor"));
    // Roles that every cluster has need not be in the input; a missing role grants nothing and is told.
    assert!(may(&account("kube-system", "tiller"), "delete", "nodes", Some("n"), None));
    assert_eq!(access.dangling.iter().map(|binding| binding.name.as_str()).collect::<Vec<_>>(), ["e"]);
    let who: Vec<String> = access
        .who(Request::Resource { verb: "delete", group: "", resource: "nodes", name: None, namespace: None })
        .into_iter()
        .map(|(subject, grant)| format!("{subject} by {}", grant.binding.name))
        .collect();
    assert_eq!(who, ["group system:masters by cluster-admin", "service account kube-system/tiller by d"]);
}

#[test]
fn roles_that_aggregate_each_other_end() {
    let cluster = cluster(
        "
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: a, labels: {l: x}}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {l: x}}]}
rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: b, labels: {l: x}}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {l: x}}]}
rules: [{apiGroups: [''], resources: [nodes], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: c}
roleRef: {kind: ClusterRole, name: a}
subjects: [{kind: User, name: u}]
",
    );
    let defaults = defaults();
    let access = Access::new(&cluster, &defaults);
    let own =
        access.grants(&Subject::User("u".into())).iter().filter(|grant| grant.binding.name == "c").count();
    assert_eq!(own, 2);
}

#[test]
fn each_example_of_the_powers_has_exactly_its_powers() {
    let powers = powers().unwrap();
    let file = yagura_rules::family("access").iter().find(|file| file.path == "powers.yaml").unwrap();
    let tree = yaml::parse(file.text);
    let examples = tree.root().unwrap().get("examples").unwrap().items();
    assert!(examples.len() >= powers.len());
    let mut shown = std::collections::BTreeSet::new();
    for example in examples {
        let source = |key: &str| {
            let span = example.get(key).unwrap().span;
            &file.text[span.start as usize..span.end as usize]
        };
        let cluster = cluster(&format!(
            "
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: role}}
rules: {}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: binding}}
roleRef: {{kind: ClusterRole, name: role}}
subjects: [{{kind: User, name: u}}]
",
            source("rules")
        ));
        let defaults = defaults();
        let access = Access::new(&cluster, &defaults);
        let grants = access.grants(&Subject::User("u".into()));
        let mut found: Vec<&str> = held(&powers, &grants).iter().map(|held| held.power.id.as_str()).collect();
        found.sort_unstable();
        let wanted: Vec<&str> =
            example.get("powers").unwrap().items().iter().filter_map(Node::string).collect();
        assert_eq!(found, wanted, "{}", source("rules"));
        shown.extend(wanted.into_iter().filter(|_| example.get("powers").unwrap().items().len() == 1));
    }
    // A power that only the administrator's example shows proves nothing.
    assert!(shown.len() >= 5, "{shown:?}");
}

#[test]
fn powers_within_a_namespace_stay_there() {
    let cluster = cluster(
        "
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: a, namespace: shop}
roleRef: {kind: ClusterRole, name: cluster-admin}
subjects: [{kind: User, name: u}]
",
    );
    let (powers, defaults) = (powers().unwrap(), defaults());
    let access = Access::new(&cluster, &defaults);
    let grants = access.grants(&Subject::User("u".into()));
    let held = held(&powers, &grants);
    assert!(held.iter().all(|held| held.scope == Some("shop")));
    assert!(held.iter().any(|held| held.power.id == "make-pods"));
    assert!(!held.iter().any(|held| held.power.id == "webhooks" || held.power.id == "kubelet"));
}
