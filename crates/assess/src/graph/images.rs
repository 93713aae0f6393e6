//! Images, their packages and the flaws in these; which workloads run them, and what was seen in use.

use std::collections::HashMap;

use yagura_model::graph::{Builder, EdgeKind, NodeId, NodeKind};
use yagura_model::report::{Target, TargetKind};
use yagura_model::{Finding, FindingKind, Severity};

use super::{Sources, runtime, workload_key};
use crate::profiles::{Use, Watched};
use crate::risks::exploitation::{Exploitation, Vector};

/// A flaw in a package of an image.
#[derive(Clone, Debug)]
pub struct Flaw {
    /// Index of the finding.
    pub finding: usize,
    pub image: NodeId,
    pub package: NodeId,
    pub vulnerability: NodeId,
    pub exploitation: Exploitation,
    pub usage: Use,
    /// What was seen, in words; empty where nobody watched.
    pub use_fact: String,
    /// The profile and the container in it.
    pub use_place: String,
}

pub(super) fn add(sources: &Sources<'_>, watched: &[Watched<'_>], builder: &mut Builder) -> Vec<Flaw> {
    let images = nodes(sources.targets, builder);
    run_by(sources, &images, builder);
    origins(sources, &images, builder);
    let uses = sources.runtime.uses(watched, sources.targets);
    let mut flaws = Vec::new();
    let mut known: HashMap<(NodeId, NodeId), usize> = HashMap::new();
    for (index, finding) in sources.findings.iter().enumerate() {
        let (FindingKind::Vulnerability, Some(package)) = (finding.kind, &finding.package) else { continue };
        let Some(image) = images.by_target.get(finding.target.as_str()).copied() else { continue };
        let place = place(finding);
        let identity = package
            .purl
            .as_ref()
            .map_or_else(|| format!("{}@{}", package.name, package.version), ToString::to_string);
        let key = format!(
            "{}#{identity}",
            builder.identity(image).map(|(_, key)| key.to_owned()).unwrap_or_default()
        );
        let label = format!("{} {}", package.name, package.version);
        let part = builder.node(NodeKind::Package, &key, &label);
        builder.edge(image, EdgeKind::Contains, part, &format!("{label} is in it"), &place);
        let vulnerability = builder.node(NodeKind::Vulnerability, &finding.rule, &finding.rule);
        let fact = format!("{} affects {label}{}", finding.rule, range(finding));
        builder.edge(part, EdgeKind::Affected, vulnerability, &fact, &finding.evidence.advisory);
        if known.insert((part, vulnerability), index).is_some() {
            continue;
        }
        let key = (finding.target.clone(), package.name.clone(), package.version.clone());
        let seen = uses.get(&key);
        if let Some(seen) = seen {
            runtime::loaded(seen, part, builder);
        }
        flaws.push(Flaw {
            finding: index,
            image,
            package: part,
            vulnerability,
            exploitation: exploitation(finding),
            usage: seen.map_or(Use::Unknown, |seen| seen.usage),
            use_fact: seen.map(|seen| seen.fact.clone()).unwrap_or_default(),
            use_place: seen.map(|seen| seen.place.clone()).unwrap_or_default(),
        });
    }
    flaws
}

fn exploitation(finding: &Finding) -> Exploitation {
    let Some(flaw) = &finding.vulnerability else {
        return Exploitation { severity: finding.severity, ..Exploitation::default() };
    };
    Exploitation {
        known_exploited: flaw.known_exploited.is_some(),
        probability: flaw.exploit_prediction.map(|prediction| prediction.probability),
        severity: if finding.severity == Severity::Unknown { flaw.severity } else { finding.severity },
        vector: Vector::read(&flaw.vector),
    }
}

fn range(finding: &Finding) -> String {
    match finding.evidence.range.as_str() {
        "" => String::new(),
        range => format!(" ({range})"),
    }
}

/// The target and the file in it that proves the package.
fn place(finding: &Finding) -> String {
    match finding.location.start_line {
        Some(line) => format!("{} {}:{line}", finding.target, finding.location.path),
        None => format!("{} {}", finding.target, finding.location.path).trim_end().to_owned(),
    }
}

/// The image nodes by target, and by every name an image goes by.
struct Images<'a> {
    by_target: HashMap<&'a str, NodeId>,
    by_name: HashMap<String, NodeId>,
}

fn nodes<'a>(targets: &'a [Target], builder: &mut Builder) -> Images<'a> {
    let mut images = Images { by_target: HashMap::new(), by_name: HashMap::new() };
    for target in targets {
        let kind = match target.kind {
            TargetKind::Host => NodeKind::Host,
            TargetKind::Directory | TargetKind::File => NodeKind::Repository,
            TargetKind::Image | TargetKind::Sbom => NodeKind::Image,
        };
        let image = target.image.as_ref();
        let digest = image.and_then(|image| image.manifest_digest.as_ref().or(image.config_digest.as_ref()));
        let label = image.and_then(|image| image.tags.first()).map_or(target.name.as_str(), String::as_str);
        let key = digest.map_or_else(|| normal(label), ToString::to_string);
        let node = builder.node(kind, &key, label);
        images.by_target.insert(&target.name, node);
        let digests =
            image.into_iter().flat_map(|image| [&image.manifest_digest, &image.config_digest]).flatten();
        images.by_name.extend(digests.map(|digest| (digest.to_string(), node)));
        let tags = image.into_iter().flat_map(|image| &image.tags);
        images.by_name.extend(tags.map(|tag| (normal(tag), node)));
        images.by_name.entry(normal(bare(&target.name))).or_insert(node);
    }
    images
}

/// A target's name without its scheme.
pub(crate) fn bare(name: &str) -> &str {
    match name.split_once(':') {
        Some(("docker" | "podman" | "containerd" | "registry", rest)) => rest,
        _ => name,
    }
}

/// A reference as all its spellings agree: without Docker Hub's host and `library`, with a tag.
pub(crate) fn normal(reference: &str) -> String {
    if let Some((_, digest)) = reference.split_once('@') {
        return digest.to_owned();
    }
    let name = ["docker.io/library/", "index.docker.io/", "docker.io/", "library/"]
        .iter()
        .find_map(|start| reference.strip_prefix(start))
        .unwrap_or(reference);
    let tagged = name.rsplit('/').next().is_some_and(|last| last.contains(':'));
    if tagged { name.to_owned() } else { format!("{name}:latest") }
}

/// The label by which an image says where its sources are.
const SOURCE: &str = "org.opencontainers.image.source";

/// Where images come from: the registry in a name, the repository in a label.
fn origins(sources: &Sources<'_>, images: &Images<'_>, builder: &mut Builder) {
    let of_workloads = sources.cluster.workloads.iter().flat_map(|workload| {
        workload.spec.containers.iter().map(move |container| (container.image.as_str(), container.place))
    });
    for (name, place) in of_workloads.filter(|(name, _)| !name.is_empty()) {
        let key = normal(name);
        let image = images.by_name.get(&key).copied();
        let image = image.unwrap_or_else(|| builder.node(NodeKind::Image, &key, name));
        let host = name.split_once('/').map(|(host, _)| host);
        // A first part without a dot or a port is a name at Docker Hub.
        let host =
            host.filter(|host| host.contains(['.', ':']) || *host == "localhost").unwrap_or("docker.io");
        let registry = builder.node(NodeKind::Registry, host, host);
        let fact = format!("{name} is pulled from it");
        builder.edge(registry, EdgeKind::Contains, image, &fact, &sources.cluster.show(place));
    }
    for target in sources.targets {
        let source = target.image.as_ref().and_then(|image| image.labels.get(SOURCE));
        let (Some(source), Some(image)) = (source, images.by_target.get(target.name.as_str())) else {
            continue;
        };
        let repository = builder.node(NodeKind::Repository, source, source);
        builder.edge(repository, EdgeKind::Contains, *image, &format!("label {SOURCE}"), &target.name);
    }
}

/// Joins workloads with the images they run.
fn run_by(sources: &Sources<'_>, images: &Images<'_>, builder: &mut Builder) {
    for workload in &sources.cluster.workloads {
        let node = builder.node(NodeKind::Workload, &workload_key(workload), "");
        for container in &workload.spec.containers {
            if container.init || container.image.is_empty() {
                continue;
            }
            let place = sources.cluster.show(container.place);
            let digests = workload.pods.iter().flat_map(|pod| &pod.image_digests);
            let reported = digests
                .filter(|(name, _)| *name == container.name)
                .find_map(|(_, digest)| images.by_name.get(digest));
            let name = normal(&container.image);
            let image = match reported.or_else(|| images.by_name.get(&name)) {
                Some(image) => *image,
                None => builder.node(NodeKind::Image, &name, &container.image),
            };
            let fact = format!("container {} runs {}", container.name, container.image);
            builder.edge(node, EdgeKind::Runs, image, &fact, &place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::normal;

    #[test]
    fn one_image_has_one_name() {
        for name in
            ["nginx", "nginx:latest", "docker.io/nginx", "docker.io/library/nginx:latest", "library/nginx"]
        {
            assert_eq!(normal(name), "nginx:latest");
        }
        assert_eq!(normal("localhost:5000/shop/web"), "localhost:5000/shop/web:latest");
        assert_eq!(normal("shop/web:1@sha256:ab"), "sha256:ab");
    }
}
