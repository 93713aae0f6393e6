//! Kubernetes audit events (<https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/>) and the fields that
//! rules ask of them, under the names of Falco's k8saudit plugin.
//!
//! Where that plugin reads a pod's fields from the request only, this reads them from pod templates of workloads, too.

mod fields;
mod pods;

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::sync::LazyLock;

use yagura_formats::document::{Node, Value};
use yagura_model::field::{
    EventType, Field, FieldCatalogue, FieldDescription, FieldError, FieldValue, Fields,
};

use crate::audit::{AuditEvent, Catalogue, collect, follow, text, written};
use fields::How;

static CATALOGUE: LazyLock<Catalogue<How>> = LazyLock::new(|| Catalogue { own: fields::rows() });

/// The fields of Kubernetes audit events.
#[derive(Clone, Copy, Debug, Default)]
pub struct KubernetesAudit;

/// An audit event that can be asked.
#[derive(Clone, Copy, Debug)]
pub struct KubernetesAuditEvent<'e, 'a>(pub &'e AuditEvent<'a>);

impl FieldCatalogue for KubernetesAudit {
    fn source(&self) -> &'static str {
        "k8s_audit"
    }

    fn resolve(&self, name: &str, argument: Option<&str>) -> Result<Field, FieldError> {
        CATALOGUE.resolve(name, argument)
    }

    fn event_type(&self, _: &str) -> Option<EventType> {
        None
    }

    fn event_types(&self) -> u16 {
        0
    }

    fn describe(&self) -> Vec<FieldDescription> {
        CATALOGUE.describe()
    }
}

impl Fields for KubernetesAuditEvent<'_, '_> {
    fn event_type(&self) -> Option<EventType> {
        None
    }

    fn time(&self) -> u64 {
        self.0.time
    }

    fn value(&self, field: &Field) -> Option<FieldValue<'_>> {
        match CATALOGUE.find(field)? {
            Ok(generic) => {
                Catalogue::<How>::generic(self.0, generic, field, "k8saudit", || self.0.text.to_owned())
            }
            Err(How::Text(keys)) => follow(&self.0.root, keys).map(text),
            Err(how) => self.own(how, field).into_iter().next(),
        }
    }

    fn each(&self, field: &Field, visit: &mut dyn FnMut(FieldValue<'_>) -> ControlFlow<()>) {
        match CATALOGUE.find(field) {
            Some(Err(how)) => {
                let _ = self.own(how, field).into_iter().try_for_each(visit);
            }
            Some(Ok(_)) => {
                if let Some(value) = self.value(field) {
                    let _ = visit(value);
                }
            }
            None => {}
        }
    }
}

impl<'e> KubernetesAuditEvent<'e, '_> {
    fn own(&self, how: How, field: &Field) -> Vec<FieldValue<'e>> {
        let event: &'e AuditEvent<'_> = self.0;
        let root = &event.root;
        let index = field.argument.index();
        match how {
            How::Text(keys) => follow(root, keys).map(text).into_iter().collect(),
            How::Texts(keys) => {
                let items = follow(root, keys).map(Node::items).unwrap_or_default();
                let wanted = |at: &usize| index.is_none_or(|index| index as usize == *at);
                items.iter().enumerate().filter(|(at, _)| wanted(at)).map(|(_, item)| text(item)).collect()
            }
            How::RuleTexts(key) => collect(root, index, &["requestObject", "rules", key])
                .into_iter()
                .flatten()
                .flat_map(Node::items)
                .map(text)
                .collect(),
            How::Parameter => self.parameter(field.argument.key().unwrap_or_default()).into_iter().collect(),
            How::TargetPod => self.target_pod().into_iter().collect(),
            How::Subjects { kind, with_namespace } => subjects(root, kind, with_namespace),
            How::Always(value) => vec![FieldValue::text(value)],
            How::Each(keys) => collect(root, index, keys).into_iter().flatten().map(text).collect(),
            How::Pod(keys) => {
                pods::specification(root).and_then(|pod| follow(pod, keys)).map(text).into_iter().collect()
            }
            How::PodTexts(keys) => match pods::specification(root).and_then(|pod| follow(pod, keys)) {
                Some(node) => node.items().iter().map(text).collect(),
                None => Vec::new(),
            },
            How::Volumes(keys) => match pods::specification(root).and_then(|pod| pod.get("volumes")) {
                Some(volumes) => collect(volumes, index, keys).into_iter().flatten().map(text).collect(),
                None => Vec::new(),
            },
            How::VolumeTypes => pods::volume_types(root, index),
            How::HasHostPath => pods::has_host_path(root, field.argument.key().unwrap_or_default()),
            How::Containers { list, what } => pods::containers(root, list, what, index),
            How::FirstContainer(what) => {
                pods::containers(root, "containers", what, Some(0)).into_iter().take(1).collect()
            }
            How::AnyPrivileged => pods::any_privileged(root),
        }
    }

    /// The first value of a parameter of the request's URI.
    fn parameter(&self, wanted: &str) -> Option<FieldValue<'e>> {
        let event: &'e AuditEvent<'_> = self.0;
        let uri = event.root.text_of("requestURI")?;
        let (_, query) = uri.split_once('?')?;
        let query = query.split('#').next()?;
        query.split('&').find_map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (unescape(name) == wanted).then(|| match unescape(value) {
                Cow::Borrowed(value) => FieldValue::text(value),
                Cow::Owned(value) => FieldValue::owned_text(value),
            })
        })
    }

    fn target_pod(&self) -> Option<FieldValue<'e>> {
        let event: &'e AuditEvent<'_> = self.0;
        let target = event.root.get("objectRef")?;
        let is_pod = target.text_of("resource") == Some("pods")
            && target.text_of("subresource").unwrap_or_default().is_empty();
        let name = is_pod.then(|| follow(&event.root, &["responseObject", "metadata", "name"]))??;
        Some(text(name))
    }
}

/// The names of a binding's subjects of one kind.
fn subjects<'n>(root: &'n Node<'_>, kind: &str, with_namespace: bool) -> Vec<FieldValue<'n>> {
    let subjects = follow(root, &["requestObject", "subjects"]).map(Node::items).unwrap_or_default();
    let of_kind = subjects.iter().filter(|subject| subject.text_of("kind") == Some(kind));
    of_kind
        .filter_map(|subject| {
            let name = subject.get("name")?;
            if !with_namespace {
                return Some(text(name));
            }
            let namespace = subject.text_of("namespace")?;
            Some(FieldValue::owned_text(format!("{namespace}:{}", scalar(name))))
        })
        .collect()
}

fn scalar<'n>(node: &'n Node<'_>) -> Cow<'n, str> {
    match &node.value {
        Value::String(text) => Cow::Borrowed(text),
        _ => Cow::Owned(written(node)),
    }
}

/// `%41` and `+` in a query. What is no escape stays as it is.
fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let escaped = match byte {
            b'+' => Some(b' '),
            b'%' => {
                let mut ahead = rest.clone();
                let digit = |byte: Option<u8>| byte.and_then(|byte| (byte as char).to_digit(16));
                let (high, low) = (digit(ahead.next()), digit(ahead.next()));
                match (high, low) {
                    (Some(high), Some(low)) => {
                        rest = ahead;
                        u8::try_from(high * 16 + low).ok()
                    }
                    _ => None,
                }
            }
            _ => None,
        };
        bytes.push(escaped.unwrap_or(byte));
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}
