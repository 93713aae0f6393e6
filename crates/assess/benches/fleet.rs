//! A generated fleet: how long the graph takes to build and its risks to rank, and how much memory.
//!
//! `cargo bench -p yagura-assess --bench fleet -- [SCALE]`: at scale 1, 1,000 nodes, 50,000 pods of 5,000 workloads,
//! 5,000 policies, 2,000 roles and 100,000 vulnerable packages; the target is 60 s and 2 GB on two cores, and less than
//! a second to rank again after a change. Scales of 0.25, 0.5 and 1 show how it grows.

use std::fmt::Write as _;
use std::time::Instant;

use yagura_assess::access::defaults;
use yagura_assess::access::powers::powers;
use yagura_assess::graph::{Cloud, Sources};
use yagura_assess::kubernetes::Cluster;
use yagura_assess::paths::Rules;
use yagura_assess::risks::Assessment;
use yagura_formats::document::{json, yaml};
use yagura_model::finding::{Evidence, PackageReference};
use yagura_model::graph::EdgeKind;
use yagura_model::image::Image;
use yagura_model::package::Scope;
use yagura_model::report::{Target, TargetKind};
use yagura_model::vulnerability::Vulnerability;
use yagura_model::{Finding, FindingKind, Inventory, Location, Severity};

/// Workloads of a namespace, and pods of a workload.
const WORKLOADS: usize = 25;
const PODS: usize = 10;
/// Images that all workloads share, and packages with flaws in each.
const IMAGES: usize = 500;
const PACKAGES: usize = 200;

fn main() {
    let scale = std::env::args().skip(1).find_map(|word| word.parse::<f64>().ok()).unwrap_or(1.0);
    let scaled = |number: usize| ((number as f64 * scale) as usize).max(1);
    let (namespaces, nodes, images) = (scaled(200), scaled(1_000), scaled(IMAGES));
    let start = Instant::now();
    let mut say = String::new();
    let lap = |what: &str, say: &mut String| {
        let _ =
            writeln!(say, "{what:28} {:8.2} s  {:6} MB", start.elapsed().as_secs_f64(), resident_megabytes());
    };
    let mut cluster = Cluster::default();
    read_nodes(&mut cluster, nodes);
    for namespace in 0..namespaces {
        read_namespace(&mut cluster, namespace, nodes, images);
    }
    cluster.finish();
    lap("objects read", &mut say);
    let targets: Vec<Target> = (0..images).map(target).collect();
    let findings: Vec<Finding> =
        (0..images).flat_map(|image| (0..PACKAGES).map(move |package| finding(image, package))).collect();
    let (powers, rules, default_roles) =
        (powers().expect("powers"), Rules::built_in().expect("rules"), defaults());
    lap("findings made", &mut say);
    let sources = Sources {
        cluster: &cluster,
        default_roles: &default_roles,
        powers: &powers,
        cloud: &Cloud::default(),
        targets: &targets,
        findings: &findings,
        runtime: &yagura_assess::profiles::Runtime::default(),
        from: &[],
    };
    let assessment = Assessment::new(sources, &rules);
    let graph = &assessment.stack.graph;
    let _ = writeln!(
        say,
        "{} workloads, {} pods, {} policies, {} roles, {} findings: {} nodes, {} edges, {} steps",
        cluster.workloads.len(),
        cluster.workloads.iter().map(|workload| workload.pods.len()).sum::<usize>(),
        cluster.policies.len(),
        cluster.roles.len(),
        findings.len(),
        graph.node_count(),
        graph.edge_count(),
        assessment.steps.steps.len()
    );
    lap("graph and steps", &mut say);
    let (risks, changes) = assessment.risks();
    lap("ranked, with changes", &mut say);
    let change = Instant::now();
    let binding = graph.edges().find(|edge| graph.edge_kind(*edge) == Some(EdgeKind::Administers));
    let after = assessment.scores_after(&|edge| Some(edge) == binding);
    let _ = writeln!(
        say,
        "ranked again after one edge went: {:.2} s ({} risks, {} changes; first score {:.1}, then {:.1})",
        change.elapsed().as_secs_f64(),
        risks.len(),
        changes.len(),
        risks.first().map_or(0.0, |risk| risk.score),
        after.first().map_or(0.0, |(score, _)| *score)
    );
    use std::io::Write as _;
    let _ = std::io::stdout().write_all(say.as_bytes());
}

/// What the process holds at most, as Linux tells it.
fn resident_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap_or(0) / 1024
}

fn read_nodes(cluster: &mut Cluster, nodes: usize) {
    let mut text = String::from("{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [");
    for node in 0..nodes {
        let comma = if node > 0 { "," } else { "" };
        let _ = write!(
            text,
            "{comma}{{\"apiVersion\": \"v1\", \"kind\": \"Node\", \"metadata\": {{\"name\": \"node-{node}\", \"uid\": \"n{node}\"}}, \"status\": {{\"addresses\": [{{\"type\": \"InternalIP\", \"address\": \"10.0.{}.{}\"}}]}}}}",
            node / 250,
            node % 250 + 1
        );
    }
    text.push_str("]}");
    cluster.read("nodes.json", &json::parse(&text, json::Dialect::Json));
}

/// A namespace: workloads with their pods, services, policies (default deny, within, from the front, to DNS), roles and
/// bindings, an Ingress in front of one workload.
fn read_namespace(cluster: &mut Cluster, at: usize, nodes: usize, images: usize) {
    let name = format!("team-{at}");
    let mut text = format!(
        "apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}, labels: {{team: t{}}}}}\n",
        at % 20
    );
    for workload in 0..WORKLOADS {
        let app = format!("app-{workload}");
        let image = (at * WORKLOADS + workload) % images;
        let _ = write!(text, "---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {app}, namespace: {name}, uid: d-{at}-{workload}}}
spec: {{template: {{metadata: {{labels: {{app: {app}}}}}, spec: {{serviceAccountName: {app}, containers: [{{name: c, image: 'fleet/image-{image}:1', ports: [{{name: http, containerPort: 8080}}], securityContext: {{privileged: {}}}}}]}}}}}}
---
apiVersion: v1
kind: Service
metadata: {{name: {app}, namespace: {name}}}
spec: {{selector: {{app: {app}}}, ports: [{{port: 80, targetPort: http}}]}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: {app}, namespace: {name}}}
spec: {{podSelector: {{matchLabels: {{app: {app}}}}}, policyTypes: [Ingress, Egress], ingress: [{{from: [{{podSelector: {{matchLabels: {{app: app-{}}}}}}}, {{namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: team-{}}}}}, podSelector: {{matchLabels: {{app: app-0}}}}}}], ports: [{{port: http}}]}}{}], egress: [{{to: [{{podSelector: {{}}}}]}}, {{to: [{{namespaceSelector: {{}}}}], ports: [{{port: 53, protocol: UDP}}]}}]}}
", workload == 7, (workload + 1) % WORKLOADS, at / 2, if workload == 0 { ", {ports: [{port: http}]}" } else { "" });
        for pod in 0..PODS {
            let _ = write!(text, "---
apiVersion: v1
kind: Pod
metadata: {{name: {app}-{pod}, namespace: {name}, uid: p-{at}-{workload}-{pod}, labels: {{app: {app}, pod-template-hash: abc}}, ownerReferences: [{{kind: Deployment, name: {app}, controller: true}}]}}
spec: {{serviceAccountName: {app}, nodeName: node-{}, containers: [{{name: c, image: 'fleet/image-{image}:1'}}]}}
status: {{podIP: 10.{}.{}.{}}}
", (at * 37 + workload * 11 + pod) % nodes, at % 250, workload, pod + 1);
        }
    }
    for role in 0..10 {
        let rule = match role {
            0 => "{apiGroups: [''], resources: [secrets], verbs: [get]}",
            1 => "{apiGroups: [apps], resources: [deployments], verbs: [patch]}",
            2 => "{apiGroups: [''], resources: [pods/exec], verbs: [create]}",
            _ => "{apiGroups: [''], resources: [configmaps], verbs: [get, list]}",
        };
        let _ = write!(
            text,
            "---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: role-{role}, namespace: {name}}}
rules: [{rule}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: role-{role}, namespace: {name}}}
roleRef: {{kind: Role, name: role-{role}}}
subjects: [{{kind: ServiceAccount, name: app-{role}}}]
"
        );
    }
    if at == 3 {
        text.push_str("---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: too-much}\nroleRef: {kind: ClusterRole, name: cluster-admin}\nsubjects: [{kind: ServiceAccount, name: app-4, namespace: team-3}]\n");
    }
    let _ = write!(
        text,
        "---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: front, namespace: {name}}}
spec: {{ingressClassName: nginx, defaultBackend: {{service: {{name: app-0, port: {{number: 80}}}}}}}}
---
apiVersion: v1
kind: Secret
metadata: {{name: credentials, namespace: {name}}}
"
    );
    cluster.read(&format!("{name}.yaml"), &yaml::parse(&text));
}

fn target(image: usize) -> Target {
    let name = format!("fleet/image-{image}:1");
    let image = Image { tags: vec![name.clone()], ..Image::default() };
    Target { name, kind: TargetKind::Image, image: Some(image), inventory: Inventory::default() }
}

fn finding(image: usize, package: usize) -> Finding {
    let rule = format!("CVE-2026-{}", (image * 7 + package) % 4_000);
    let severity = match package % 10 {
        0 => Severity::Critical,
        1..=3 => Severity::High,
        4..=7 => Severity::Medium,
        _ => Severity::Low,
    };
    let vector = match package % 4 {
        0 => "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        1 => "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H",
        2 => "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
        _ => "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:L/A:N",
    };
    Finding {
        id: format!("{image}-{package}"),
        rule: rule.clone(),
        kind: FindingKind::Vulnerability,
        severity,
        title: String::new(),
        target: format!("fleet/image-{image}:1"),
        location: Location::file("var/lib/dpkg/status"),
        package: Some(PackageReference {
            name: format!("package-{package}"),
            version: "1.0".to_owned(),
            purl: None,
            scope: Scope::default(),
        }),
        fixed_version: (!package.is_multiple_of(3)).then(|| "1.1".to_owned()),
        aliases: Vec::new(),
        controls: Vec::new(),
        vulnerability: Some(Vulnerability {
            id: rule,
            severity,
            vector: vector.to_owned(),
            ..Vulnerability::default()
        }),
        evidence: Evidence::default(),
        fix: String::new(),
        created_by: String::new(),
        from_base_image: None,
    }
}
