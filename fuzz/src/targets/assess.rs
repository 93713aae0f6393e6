//! The graph's readers: clusters and what is evaluated over them.

use yagura_assess::connectivity::Connectivity;
use yagura_assess::connectivity::addresses::Family;
use yagura_assess::connectivity::table::rows;
use yagura_assess::graph::{Cloud, Sources, StackGraph};
use yagura_assess::iam::{Context, Layers, Policy, Principal, Request, evaluate};
use yagura_assess::kubernetes::Cluster;
use yagura_assess::profiles::{Observed, Runtime};
use yagura_configuration::cloud::policy;
use yagura_configuration::{Parsed, Resource, SourceFile, source};
use yagura_formats::document::{self, json, yaml};
use yagura_model::{Ecosystem, Inventory, Location, Package, report};

use crate::Target;

/// Rows looked at; a table may have very many.
const MAX_ROWS: usize = 1000;

pub(super) const TARGETS: &[Target] = &[CLUSTER, AWS_POLICY, CLOUDS, PROFILE];

const CLUSTER: Target = Target {
    name: "assess/cluster",
    seeds: || {
        let text = "\
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Pod, metadata: {name: a, labels: {app: a}}, spec: {containers: [{name: c, ports: [{name: w, containerPort: 80}]}]}}
- {apiVersion: v1, kind: Service, metadata: {name: s}, spec: {selector: {app: a}, ports: [{port: 80, targetPort: w}]}}
- {apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i}, spec: {defaultBackend: {service: {name: s, port: {number: 80}}}}}
- apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata: {name: p}
  spec:
    podSelector: {matchExpressions: [{key: app, operator: In, values: [a, b]}]}
    ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}, {namespaceSelector: {}}], ports: [{port: w}, {port: 1, endPort: 9}]}]
- apiVersion: policy.networking.k8s.io/v1alpha1
  kind: AdminNetworkPolicy
  metadata: {name: q}
  spec: {priority: 5, subject: {namespaces: {}}, egress: [{action: Deny, to: [{networks: ['::/0']}], ports: [{portRange: {start: 1, end: 5}}]}]}
";
        vec![text.as_bytes().to_vec()]
    },
    run: |bytes| {
        let mut cluster = Cluster::default();
        cluster.read("fuzz", &yaml::parse(&document::decode(bytes)));
        cluster.finish();
        let connectivity = Connectivity::new(&cluster);
        let mut left = MAX_ROWS;
        let _: Result<(), &str> = rows(&connectivity, &[Family::V4, Family::V6], |_| {
            left = left.checked_sub(1).ok_or("enough")?;
            Ok(())
        });
    },
};

/// A policy of AWS, asked about a request that names things of its own.
const AWS_POLICY: Target = Target {
    name: "assess/aws-policy",
    seeds: || {
        let text = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "NotAction": "iam:*", "Resource": ["arn:aws:s3:::a/${aws:username}/*", "${x.arn}/*"], "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Condition": {"ForAnyValue:StringLikeIfExists": {"aws:TagKeys": ["a*", "b?"]}, "DateLessThan": {"aws:CurrentTime": "2026-01-01T00:00:00+01:00"}, "NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}, "Null": {"k": "true"}}}]}"#;
        vec![text.as_bytes().to_vec()]
    },
    run: |bytes| {
        let text = document::decode(bytes);
        let tree = json::parse(&text, json::Dialect::Json);
        let Some(root) = tree.root() else { return };
        let node = policy::document(root.clone().into_owned());
        let policy = Policy::read(&node, &str::to_owned, &|node| node.span.line.to_string());
        let principal = Principal {
            arn: "arn:aws:iam::111122223333:role/a".into(),
            account: "111122223333".into(),
            ..Principal::default()
        };
        for context in [
            Context::default(),
            Context::complete().with("aws:TagKeys", &["ab", "c"]).with("aws:SourceIp", &["10.1.1.1"]),
        ] {
            let request = Request {
                action: "s3:GetObject",
                resource: "arn:aws:s3:::a/b/c",
                principal: &principal,
                context: &context,
            };
            let one = std::slice::from_ref(&policy);
            evaluate(
                &Layers {
                    identity: one,
                    resource: Some(&policy),
                    boundary: Some(&policy),
                    ..Layers::default()
                },
                &request,
            );
        }
    },
};

/// Terraform of three clouds as a graph.
const CLOUDS: Target = Target {
    name: "assess/clouds",
    seeds: || {
        let aws = "resource \"aws_iam_role\" \"a\" {\n  name = \"a\"\n  assume_role_policy = jsonencode({ Statement = [{ Effect = \"Allow\", Action = \"sts:AssumeRole\", Principal = { AWS = \"*\" } }] })\n}\nresource \"aws_iam_role_policy\" \"a\" {\n  role = aws_iam_role.a.id\n  policy = jsonencode({ Statement = [{ Effect = \"Allow\", Action = \"*\", Resource = \"*\" }] })\n}\n";
        let azure = "resource \"azurerm_user_assigned_identity\" \"a\" {\n  name = \"a\"\n}\nresource \"azurerm_role_assignment\" \"a\" {\n  scope = \"/subscriptions/1\"\n  role_definition_name = \"Owner\"\n  principal_id = azurerm_user_assigned_identity.a.principal_id\n}\n";
        let gcp = "resource \"google_storage_bucket\" \"b\" {\n  name = \"b\"\n}\nresource \"google_storage_bucket_iam_member\" \"b\" {\n  bucket = google_storage_bucket.b.name\n  role = \"roles/storage.admin\"\n  member = \"serviceAccount:p.svc.id.goog[a/b]\"\n}\n";
        [aws, azure, gcp].map(|text| text.as_bytes().to_vec()).to_vec()
    },
    run: |bytes| {
        let text = document::decode(bytes);
        let mut parsed = Parsed::default();
        let Some(terraform) = source::named("terraform") else { return };
        (terraform.parse)(&[SourceFile { path: "main.tf", text: &text }], &mut parsed);
        let own =
            |one: Resource<'_>| Resource { kind: one.kind, name: one.name, node: one.node.into_owned() };
        let cloud = Cloud {
            files: vec!["main.tf".into()],
            resources: parsed.resources.into_iter().map(own).collect(),
        };
        graph(&Cluster::default(), &cloud, &Runtime::default(), &[]);
    },
};

/// A profile, joined with an image.
const PROFILE: Target = Target {
    name: "assess/profile",
    seeds: || {
        let text = r#"{"version":1,"from":1,"until":2,"events":3,"lostEvents":0,"subjects":{"0123456789ab":{"name":"c","image":"a:1","namespace":"n","pod":"p-6d4cf56db6-x7k2p","files":{"/srv/node_modules/a/index.js":{"read":1,"first":1,"last":2,"programs":["/usr/bin/node"]},"/a/__pycache__/b.cpython-311.pyc":{"read":1,"first":1,"last":1}},"listens":[{"protocol":"tcp","address":"::","port":80,"program":"/usr/bin/node"}]}}}"#;
        vec![text.as_bytes().to_vec()]
    },
    run: |bytes| {
        let Ok(profile) = serde_json::from_slice(bytes) else { return };
        let package = Package {
            locations: vec![Location::file("srv/node_modules/a/package.json")],
            ..Package::new(Ecosystem::Npm, "a", "1")
        };
        let inventory = Inventory { packages: vec![package], ..Inventory::default() };
        let target =
            report::Target { name: "a:1".into(), kind: report::TargetKind::Image, image: None, inventory };
        let runtime = Runtime {
            profiles: vec![Observed { name: "used.json".into(), profile }],
            images: vec![("host".into(), "a:1".into())],
            ..Runtime::default()
        };
        let targets = [target];
        let cluster = Cluster::default();
        graph(&cluster, &Cloud::default(), &runtime, &targets);
    },
};

fn graph(cluster: &Cluster, cloud: &Cloud, runtime: &Runtime, targets: &[report::Target]) {
    StackGraph::new(&Sources {
        cluster,
        default_roles: cluster,
        powers: &[],
        cloud,
        targets,
        findings: &[],
        runtime,
        from: &[],
    });
}
