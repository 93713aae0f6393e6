//! Kubernetes objects in documents: every object of a file, lists flattened.

mod components;
mod helm;
mod source;

use yagura_formats::document::{Node, Tree};

pub use source::{SOURCE, pod, pods};

/// Deepest nesting of `List` objects in one another.
const MAX_LISTS: u32 = 4;

/// One object of the Kubernetes API as a document states it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Object<'t, 'a> {
    /// `apps/v1`, `v1`, …
    pub api_version: &'t str,
    /// `Deployment`, …
    pub kind: &'t str,
    /// Empty where the document gives none (`generateName`, say).
    pub name: &'t str,
    /// None where the document gives none: cluster-scoped, or whatever namespace it is applied to.
    pub namespace: Option<&'t str>,
    pub node: &'t Node<'a>,
}

impl<'t, 'a> Object<'t, 'a> {
    /// The API group; empty for the core group.
    pub fn group(&self) -> &'t str {
        self.api_version.rsplit_once('/').map_or("", |(group, _)| group)
    }
}

/// Every object in a file's documents, `List`s (and `kubectl get -o json` dumps) flattened, in the order of the text.
/// Documents that are no objects are passed over.
pub fn objects<'t, 'a>(tree: &'t Tree<'a>) -> Vec<Object<'t, 'a>> {
    let mut objects = Vec::new();
    for document in &tree.documents {
        collect(document, None, MAX_LISTS, &mut objects);
    }
    objects
}

/// Every object of one document, `List`s flattened.
pub fn objects_of<'t, 'a>(document: &'t Node<'a>) -> Vec<Object<'t, 'a>> {
    let mut objects = Vec::new();
    collect(document, None, MAX_LISTS, &mut objects);
    objects
}

/// `within` is the version and kind of a list's items, which those that the API server itself wrote leave out.
fn collect<'t, 'a>(
    node: &'t Node<'a>,
    within: Option<(&'t str, &'t str)>,
    lists: u32,
    objects: &mut Vec<Object<'t, 'a>>,
) {
    let stated = text(node, "apiVersion").zip(text(node, "kind"));
    let Some((api_version, kind)) = stated.or(within) else { return };
    if let (Some(items), Some(of_items)) = (node.get("items"), kind.strip_suffix("List")) {
        if lists > 0 {
            let within = Some((api_version, of_items)).filter(|_| !of_items.is_empty());
            items.items().iter().for_each(|item| collect(item, within, lists - 1, objects));
        }
        return;
    }
    let metadata = node.get("metadata");
    if stated.is_none() && metadata.is_none() {
        return;
    }
    let of_metadata = |key| metadata.and_then(|metadata| metadata.text_of(key));
    let name = of_metadata("name").unwrap_or_default();
    let namespace = of_metadata("namespace").filter(|namespace| !namespace.is_empty());
    objects.push(Object { api_version, kind, name, namespace, node });
}

fn text<'t>(node: &'t Node<'_>, key: &str) -> Option<&'t str> {
    node.get(key)?.string().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::objects;
    use yagura_formats::document::yaml;

    #[test]
    fn lists_and_documents_are_flattened_in_order() {
        let text = "\
apiVersion: v1
kind: Service
metadata: {name: a, namespace: n}
---
just: text
---
apiVersion: v1
kind: List
items:
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: b}
- apiVersion: rbac.authorization.k8s.io/v1
  kind: RoleList
  items:
  - {apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: c, namespace: ''}}
---
apiVersion: v1
kind: PodList
items:
- {metadata: {name: d}}
- neither
";
        let tree = yaml::parse(text);
        let found: Vec<_> = objects(&tree)
            .iter()
            .map(|object| {
                (
                    object.group().to_owned(),
                    object.kind.to_owned(),
                    object.name.to_owned(),
                    object.namespace.is_some(),
                )
            })
            .collect();
        let expected = [
            ("", "Service", "a", true),
            ("apps", "Deployment", "b", false),
            ("rbac.authorization.k8s.io", "Role", "c", false),
            ("", "Pod", "d", false),
        ];
        assert_eq!(found, expected.map(|(g, k, n, s)| (g.to_owned(), k.to_owned(), n.to_owned(), s)));
    }
}
