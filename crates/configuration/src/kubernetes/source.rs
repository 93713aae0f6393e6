//! Kubernetes manifests as a source: objects, and the pods and containers within them.

use std::borrow::Cow;

use yagura_formats::document::{self, Node, Value, yaml};

use yagura_model::SkipReason;

use super::{MAX_LISTS, components, helm};
use crate::source::extension;
use crate::{Parsed, Problem, Reach, Resource, Source, SourceFile, Subject};

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
        let template = !json && helm::is_template(file.text);
        let broken = tree.problems.iter().find(|problem| problem.reason.is_some());
        if let (true, Some(broken)) = (template, broken) {
            let detail = "a Helm template: judge what `helm template` makes of it".to_owned();
            out.problems.push(Problem { source, line: broken.line, reason: SkipReason::Unsupported, detail });
            continue;
        }
        out.tree_problems(source, &tree.problems);
        for mut document in tree.documents {
            if template {
                helm::forget_placeholders(&mut document, file.text);
            }
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
    let found = match kind.as_ref() {
        "kubernetes/Pod" => pod(&node).and_then(|pod| pod.at(&["spec", "containers"])),
        _ => None,
    };
    let components = found.map(Node::items).unwrap_or_default();
    let components: Vec<_> =
        components.iter().filter_map(|container| components::component(container, &name)).collect();
    resources.push(Resource { kind, name, node });
    resources.extend(components);
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
    for pod in pods(&resource.node) {
        each(Subject { kind: "kubernetes/pod", node: pod, pod: Some(pod), ..whole });
        let Some(specification) = pod.get("spec") else { continue };
        for role in CONTAINERS {
            for container in specification.get(role).map(Node::items).unwrap_or_default() {
                let kind = "kubernetes/container";
                each(Subject { kind, node: container, object: whole.object, pod: Some(pod), role });
            }
        }
    }
}

/// The first pod an object is or makes; see [`pods`].
pub fn pod<'r, 'a>(object: &'r Node<'a>) -> Option<&'r Node<'a>> {
    pods(object).into_iter().next()
}

/// The pods an object is or makes: nodes with a pod's `metadata` and `spec`. In custom resources every node that looks
/// like a pod template counts, wherever it stands (Rollout, Knative's Service, JobSet, RayCluster, …).
pub fn pods<'r, 'a>(object: &'r Node<'a>) -> Vec<&'r Node<'a>> {
    let group = object
        .text_of("apiVersion")
        .and_then(|version| version.split_once('/'))
        .map_or("", |(group, _)| group);
    let template = match (group, object.text_of("kind").unwrap_or_default()) {
        ("", "Pod") => Some(object),
        ("", "PodTemplate") => object.get("template"),
        ("batch", "CronJob") => object.at(&["spec", "jobTemplate", "spec", "template"]),
        (
            "" | "apps" | "batch" | "extensions",
            "Deployment" | "ReplicaSet" | "ReplicationController" | "StatefulSet" | "DaemonSet" | "Job",
        ) => object.at(&["spec", "template"]),
        ("" | "apps" | "batch" | "policy" | "autoscaling", _) => None,
        (group, _) if group.ends_with(".k8s.io") && !group.ends_with(".x-k8s.io") => None,
        _ => {
            let mut found = Vec::new();
            templates(object, MAX_TEMPLATE_DEPTH, &mut found);
            return found;
        }
    };
    template.into_iter().collect()
}

/// How deep in a custom resource pod templates are looked for.
const MAX_TEMPLATE_DEPTH: u32 = 10;
/// Most pod templates of one custom resource.
const MAX_TEMPLATES: usize = 64;

fn templates<'r, 'a>(node: &'r Node<'a>, depth: u32, found: &mut Vec<&'r Node<'a>>) {
    if depth == 0 || found.len() >= MAX_TEMPLATES {
        return;
    }
    let containers = node.at(&["spec", "containers"]).map(Node::items).unwrap_or_default();
    if containers.iter().any(|container| container.get("image").is_some() || container.get("name").is_some())
    {
        found.push(node);
        return;
    }
    node.entries().iter().for_each(|entry| templates(&entry.value, depth - 1, found));
    node.items().iter().for_each(|item| templates(item, depth - 1, found));
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
{apiVersion: jobset.x-k8s.io/v1alpha2, kind: JobSet, metadata: {name: j}, spec: {replicatedJobs: [{template: {spec: {template: {spec: {containers: [{name: w, image: i}]}}}}}]}}
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
            "j kubernetes/JobSet.jobset.x-k8s.io ",
            "j kubernetes/pod ",
            "j kubernetes/container wcontainers",
            "s kubernetes/Service ",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn components_are_read_from_static_pods() {
        let text = "\
apiVersion: v1
kind: Pod
metadata: {name: kube-apiserver, namespace: kube-system}
spec:
  containers:
  - name: kube-apiserver
    command:
    - /usr/local/bin/kube-apiserver
    - --anonymous-auth=false
    - --authorization-mode
    - Node,RBAC
    - --profiling
";
        let mut parsed = Parsed::default();
        (super::SOURCE.parse)(&[SourceFile { path: "a.yaml", text }], &mut parsed);
        let component = parsed.resources.last().unwrap();
        assert_eq!(component.kind, "kubernetes/kube-apiserver");
        let flags = component.node.get("flags").unwrap();
        let flag = |name: &str| flags.text_of(name).unwrap();
        assert_eq!(
            (flag("anonymous-auth"), flag("authorization-mode"), flag("profiling")),
            ("false", "Node,RBAC", "true")
        );
        assert_eq!(flags.get("authorization-mode").unwrap().span.line, 10);
    }

    #[test]
    fn templates_of_helm_are_told_or_half_known() {
        let read = |text: &str| {
            let mut parsed = Parsed::default();
            (super::SOURCE.parse)(&[SourceFile { path: "templates/a.yaml", text }], &mut parsed);
            (parsed.resources.into_iter().map(|r| r.node.into_owned()).collect::<Vec<_>>(), parsed.problems)
        };
        let text = "apiVersion: v1\nkind: Pod\n{{- if .Values.x }}\nspec: {}\n{{- end }}\n";
        let (resources, problems) = read(text);
        assert_eq!((resources.len(), problems[0].reason), (0, yagura_model::SkipReason::Unsupported));
        let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: '{{ .Release.Name }}'}\nspec:\n  hostNetwork: {{ .Values.host }}\n  hostPID: true\n";
        let (resources, problems) = read(text);
        assert_eq!(problems, []);
        assert!(resources[0].at(&["spec", "hostNetwork"]).unwrap().is_unknown());
        assert!(resources[0].at(&["spec"]).unwrap().flag("hostPID"));
        let plain = "apiVersion: v1\nkind: ConfigMap\ndata: {a: '{{ $labels.x }}'}\n";
        assert!(read(plain).0[0].at(&["data", "a"]).unwrap().string().is_some());
    }
}
