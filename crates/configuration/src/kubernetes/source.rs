//! Kubernetes manifests as a source: objects, and the pods and containers within them.

use std::borrow::Cow;

use yagura_formats::document::{self, Node, Value, yaml};

use super::MAX_LISTS;
use crate::source::extension;
use crate::{Parsed, Reach, Resource, Source, SourceFile, Subject};

pub const SOURCE: Source = Source {
    name: "kubernetes",
    reach: Reach::File,
    wants: |path| matches!(extension(path), "yaml" | "yml" | "json"),
    recognises: |_, text| text.contains("apiVersion") && text.contains("kind"),
    max_bytes: 32 << 20,
    parse,
    subjects,
    example: "object.yaml",
};

/// The lists of containers in a pod's specification.
const CONTAINERS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

fn parse<'a>(files: &[SourceFile<'a>], out: &mut Parsed<'a>) {
    for (index, file) in files.iter().enumerate() {
        let source = u32::try_from(index).unwrap_or(u32::MAX);
        let json = extension(file.path) == "json";
        let tree = match json {
            true => document::json::parse(file.text, document::json::Dialect::Json),
            false => yaml::parse(file.text),
        };
        out.tree_problems(source, &tree.problems);
        for document in tree.documents {
            take(document, MAX_LISTS, &mut out.resources);
        }
    }
}

/// The objects of a document, lists flattened, without a copy.
fn take<'a>(mut node: Node<'a>, lists: u32, resources: &mut Vec<Resource<'a>>) {
    let Some((kind, is_list)) = kind(&node) else { return };
    if is_list {
        let Value::Mapping(entries) = &mut node.value else { return };
        let Some(items) = entries.iter_mut().rev().find(|entry| entry.key.scalar() == Some("items")) else {
            return;
        };
        if let (Value::Sequence(items), true) =
            (std::mem::replace(&mut items.value.value, Value::Null), lists > 0)
        {
            items.into_iter().for_each(|item| take(item, lists - 1, resources));
        }
        return;
    }
    let metadata = |key| node.at(&["metadata", key]).and_then(Node::scalar).unwrap_or_default();
    let name = match (metadata("namespace"), metadata("name")) {
        ("", name) => name.to_owned(),
        (namespace, name) => format!("{namespace}/{name}"),
    };
    resources.push(Resource { kind, name, node });
}

/// The kind of an object, and whether it is a list of others. Kinds of the groups that Kubernetes itself serves go by
/// their name, all others by `Kind.group` as kubectl writes them.
fn kind(node: &Node<'_>) -> Option<(Cow<'static, str>, bool)> {
    let api_version = node.get("apiVersion")?.string().filter(|text| !text.is_empty())?;
    let kind = node.get("kind")?.string().filter(|text| !text.is_empty())?;
    let is_list = kind.ends_with("List") && node.get("items").is_some();
    let group = api_version.rsplit_once('/').map_or("", |(group, _)| group);
    let own = matches!(group, "" | "apps" | "batch" | "policy" | "autoscaling" | "extensions")
        || group.ends_with(".k8s.io");
    let kind = if own { format!("kubernetes/{kind}") } else { format!("kubernetes/{kind}.{group}") };
    Some((Cow::Owned(kind), is_list))
}

/// The object, the pod it describes, and that pod's containers.
fn subjects<'r, 'a>(resource: &'r Resource<'a>, each: &mut dyn FnMut(Subject<'r, 'a>)) {
    let whole = Subject::whole(resource);
    each(whole);
    let Some(pod) = pod(&resource.node) else { return };
    each(Subject { kind: "kubernetes/pod", node: pod, pod: Some(pod), ..whole });
    let Some(specification) = pod.get("spec") else { return };
    for role in CONTAINERS {
        for container in specification.get(role).map(Node::items).unwrap_or_default() {
            let kind = "kubernetes/container";
            each(Subject { kind, node: container, object: whole.object, pod: Some(pod), role });
        }
    }
}

/// The pod an object is or makes: a node with a pod's `metadata` and `spec`. Custom resources that hold a pod template
/// where the workloads of Kubernetes do (Rollout, Knative's Service) count.
pub fn pod<'r, 'a>(object: &'r Node<'a>) -> Option<&'r Node<'a>> {
    let is_pod = |node: &&'r Node<'a>| {
        let specification = node.get("spec");
        specification.is_some_and(|spec| spec.get("containers").is_some_and(|list| !list.items().is_empty()))
    };
    match object.text_of("kind") {
        Some("Pod") => Some(object),
        Some("PodTemplate") => object.get("template"),
        Some("CronJob") => object.at(&["spec", "jobTemplate", "spec", "template"]),
        Some("Deployment" | "ReplicaSet" | "ReplicationController" | "StatefulSet" | "DaemonSet" | "Job") => {
            object.at(&["spec", "template"])
        }
        _ => [&["spec", "template"][..], &["spec", "jobTemplate", "spec", "template"]]
            .into_iter()
            .find_map(|path| object.at(path).filter(is_pod)),
    }
}

#[cfg(test)]
mod tests {
    use crate::{Parsed, SourceFile};

    #[test]
    fn every_workload_gives_the_same_shapes() {
        let text = "\
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Pod, metadata: {name: a, namespace: n}, spec: {containers: [{name: x}], initContainers: [{name: i}]}}
- {apiVersion: batch/v1, kind: CronJob, metadata: {name: c}, spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: y}]}}}}}}
---
{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: k}, spec: {template: {spec: {containers: [{name: z}]}}}}
---
{apiVersion: v1, kind: Service, metadata: {name: s}}
";
        let mut parsed = Parsed::default();
        (super::SOURCE.parse)(&[SourceFile { path: "a.yaml", text }], &mut parsed);
        assert_eq!(parsed.problems, []);
        let mut found = Vec::new();
        for resource in &parsed.resources {
            super::subjects(resource, &mut |subject| {
                let name = subject.node.text_of("name").unwrap_or_default();
                found.push(format!("{} {} {name}{}", resource.name, subject.kind, subject.role));
            });
        }
        let expected = [
            "n/a kubernetes/Pod ",
            "n/a kubernetes/pod ",
            "n/a kubernetes/container iinitContainers",
            "n/a kubernetes/container xcontainers",
            "c kubernetes/CronJob ",
            "c kubernetes/pod ",
            "c kubernetes/container ycontainers",
            "k kubernetes/Service.serving.knative.dev ",
            "k kubernetes/pod ",
            "k kubernetes/container zcontainers",
            "s kubernetes/Service ",
        ];
        assert_eq!(found, expected);
    }
}
