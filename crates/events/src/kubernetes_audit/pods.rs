//! The pod in a request, whatever object carries it.

use yagura_formats::document::{Node, Value};
use yagura_model::field::FieldValue;

use crate::audit::{collect, follow, text};

/// Where pod specifications are in a request: a pod's own, a workload's template, a cron job's template.
const SPECIFICATIONS: &[&[&str]] = &[
    &["requestObject", "spec", "jobTemplate", "spec", "template", "spec"],
    &["requestObject", "spec", "template", "spec"],
    &["requestObject", "template", "spec"],
    &["requestObject", "spec"],
];

/// What is wanted of each container.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    Name,
    Image,
    Repository,
    Command,
    Arguments,
    HostPorts,
    /// In its security context.
    Security(&'static [&'static str]),
    Capabilities,
    /// In its security context, else in the pod's, else 0.
    Effective(&'static str),
}

pub(super) fn specification<'n, 'a>(root: &'n Node<'a>) -> Option<&'n Node<'a>> {
    SPECIFICATIONS.iter().find_map(|keys| follow(root, keys))
}

pub(super) fn containers<'n>(
    root: &'n Node<'_>,
    list: &str,
    what: What,
    index: Option<u32>,
) -> Vec<FieldValue<'n>> {
    let mut values = Vec::new();
    let Some(pod) = specification(root) else { return values };
    // Ephemeral containers of a running pod are patched in directly.
    let items = match pod.get(list) {
        Some(node) => node.items(),
        None => follow(root, &["requestObject", list]).map(Node::items).unwrap_or_default(),
    };
    for (at, container) in items.iter().enumerate() {
        if index.is_none_or(|index| index as usize == at) {
            container_values(pod, container, what, &mut values);
        }
    }
    values
}

fn container_values<'n>(
    pod: &'n Node<'_>,
    container: &'n Node<'_>,
    what: What,
    values: &mut Vec<FieldValue<'n>>,
) {
    let security = |keys: &[&str]| container.get("securityContext").and_then(|context| follow(context, keys));
    match what {
        What::Name => values.extend(container.get("name").map(text)),
        What::Image => values.extend(container.get("image").map(text)),
        What::Repository => {
            values.extend(container.text_of("image").map(|image| FieldValue::text(repository(image))));
        }
        What::Command => values.extend(joined(container.get("command"))),
        What::Arguments => values.extend(joined(container.get("args"))),
        What::HostPorts => {
            let ports = container.get("ports").map(Node::items).unwrap_or_default();
            // With the host's network a container's port is one of the host's.
            let port = |port: &'n Node<'_>| port.get("hostPort").or_else(|| port.get("containerPort"));
            values.extend(ports.iter().filter_map(port).map(text));
        }
        What::Security(keys) => values.extend(security(keys).map(text)),
        What::Capabilities => {
            let added = security(&["capabilities", "add"]).map(Node::items).unwrap_or_default();
            values.extend(added.iter().map(text));
        }
        What::Effective(key) => {
            let of_pod = || follow(pod, &["securityContext", key]);
            let value = security(&[key]).or_else(of_pod).map(text);
            values.push(value.unwrap_or(FieldValue::text("0")));
        }
    }
}

/// Words as one text.
fn joined<'n>(list: Option<&'n Node<'_>>) -> Option<FieldValue<'n>> {
    let words: Vec<&str> = list?.items().iter().filter_map(Node::string).collect();
    Some(FieldValue::owned_text(words.join(" ")))
}

/// An image without its tag and digest. A registry's port is not a tag.
fn repository(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or(image);
    let name_start = image.rfind('/').map_or(0, |slash| slash + 1);
    let name = image.get(name_start..).unwrap_or_default();
    match name.find(':') {
        Some(colon) => image.get(..name_start + colon).unwrap_or(image),
        None => image,
    }
}

pub(super) fn any_privileged<'n>(root: &Node<'_>) -> Vec<FieldValue<'n>> {
    let privileged = containers(root, "containers", What::Security(&["privileged"]), None);
    if specification(root).is_none_or(|pod| pod.get("containers").is_none()) {
        return Vec::new();
    }
    let found = privileged.contains(&FieldValue::text("true"));
    vec![FieldValue::text(if found { "true" } else { "false" })]
}

pub(super) fn volume_types<'n>(root: &'n Node<'_>, index: Option<u32>) -> Vec<FieldValue<'n>> {
    let volumes = specification(root).and_then(|pod| pod.get("volumes")).map(Node::items).unwrap_or_default();
    let wanted = |at: &usize| index.is_none_or(|index| index as usize == *at);
    let keys =
        volumes.iter().enumerate().filter(|(at, _)| wanted(at)).flat_map(|(_, volume)| volume.entries());
    keys.filter_map(|entry| entry.key.scalar()).filter(|key| *key != "name").map(FieldValue::text).collect()
}

/// Whether a path, or one that starts with what stands before `*`, is mounted.
pub(super) fn has_host_path<'n>(root: &Node<'_>, wanted: &str) -> Vec<FieldValue<'n>> {
    let Some(volumes) = specification(root).and_then(|pod| pod.get("volumes")) else { return Vec::new() };
    let paths = collect(volumes, None, &["hostPath", "path"]);
    let mut paths = paths.into_iter().flatten().filter_map(|path| match &path.value {
        Value::String(path) => Some(path.as_ref()),
        _ => None,
    });
    let found = match wanted.strip_suffix('*') {
        Some(prefix) => paths.any(|path| path.starts_with(prefix)),
        None => paths.any(|path| path == wanted),
    };
    vec![FieldValue::text(if found { "true" } else { "false" })]
}
