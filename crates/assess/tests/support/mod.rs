//! What the tests share: clusters and clouds from text, findings by hand.
#![allow(dead_code, reason = "each test uses some of it")]

use yagura_assess::access::defaults;
use yagura_assess::graph::{Cloud, Sources, StackGraph};
use yagura_assess::kubernetes::Cluster;
use yagura_assess::profiles::Runtime;
use yagura_configuration::{Parsed, Resource, SourceFile, source};
use yagura_formats::document::yaml;
use yagura_model::finding::{Evidence, PackageReference};
use yagura_model::image::Image;
use yagura_model::package::Scope;
use yagura_model::report::{Target, TargetKind};
use yagura_model::vulnerability::{KnownExploited, Vulnerability};
use yagura_model::{Finding, FindingKind, Inventory, Location, Severity};

pub fn cluster(text: &str) -> Cluster {
    let mut cluster = Cluster::default();
    cluster.read("test.yaml", &yaml::parse(text));
    cluster.finish();
    cluster
}

pub fn terraform(text: &str) -> Cloud {
    let mut parsed = Parsed::default();
    let files = [SourceFile { path: "main.tf", text }];
    (source::named("terraform").unwrap().parse)(&files, &mut parsed);
    let own = |one: Resource<'_>| Resource { kind: one.kind, name: one.name, node: one.node.into_owned() };
    Cloud { files: vec!["main.tf".into()], resources: parsed.resources.into_iter().map(own).collect() }
}

/// What manifests and Terraform say, as a graph.
pub fn graph(manifests: &str, hcl: &str) -> StackGraph {
    let (cluster, defaults, cloud) = (cluster(manifests), defaults(), terraform(hcl));
    StackGraph::new(&Sources {
        cluster: &cluster,
        default_roles: &defaults,
        powers: &[],
        cloud: &cloud,
        targets: &[],
        findings: &[],
        runtime: &Runtime::default(),
        from: &[],
    })
}

pub fn image(name: &str) -> Target {
    let image = Image { tags: vec![name.to_owned()], ..Image::default() };
    Target {
        name: name.to_owned(),
        kind: TargetKind::Image,
        image: Some(image),
        inventory: Inventory::default(),
    }
}

/// A flaw `CVE-2026-…` in version 1.0 of a package, fixed in 2.0.
pub fn finding(target: &str, package: &str, severity: Severity, vector: &str, exploited: bool) -> Finding {
    let known =
        KnownExploited { date_added: "2026-01-01".into(), due_date: "2026-02-01".into(), ransomware: false };
    let rule = format!("CVE-2026-{package}");
    Finding {
        id: format!("{target} {package}"),
        rule: rule.clone(),
        kind: FindingKind::Vulnerability,
        severity,
        title: String::new(),
        target: target.to_owned(),
        location: Location::file("lib/packages"),
        package: Some(PackageReference {
            name: package.to_owned(),
            version: "1.0".into(),
            purl: None,
            scope: Scope::default(),
        }),
        fixed_version: Some("2.0".into()),
        aliases: Vec::new(),
        controls: Vec::new(),
        vulnerability: Some(Vulnerability {
            id: rule,
            severity,
            vector: vector.to_owned(),
            known_exploited: exploited.then_some(known),
            ..Vulnerability::default()
        }),
        evidence: Evidence::default(),
        fix: String::new(),
        created_by: String::new(),
        from_base_image: None,
    }
}
