//! Roles, bindings and service accounts as typed values.

use yagura_configuration::kubernetes::Object;
use yagura_formats::document::Node;

use super::{DEFAULT_NAMESPACE, Labels, Place, Selector};

/// A Role, or (without a namespace) a ClusterRole.
#[derive(Clone, Debug, PartialEq)]
pub struct Role {
    pub namespace: Option<String>,
    pub name: String,
    pub place: Place,
    pub labels: Labels,
    pub rules: Vec<AccessRule>,
    /// A role that takes its rules from the cluster roles which any of these selects.
    pub aggregates: Vec<Selector>,
}

/// What a role lets do. A list that holds `*` means everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct AccessRule {
    pub place: Place,
    pub verbs: Vec<String>,
    pub groups: Vec<String>,
    /// `pods`, `pods/exec`, `*/scale`, …
    pub resources: Vec<String>,
    /// Empty for all names.
    pub names: Vec<String>,
    /// Paths of the API server such as `/metrics/*`.
    pub urls: Vec<String>,
}

/// A RoleBinding, or (without a namespace) a ClusterRoleBinding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    pub namespace: Option<String>,
    pub name: String,
    pub place: Place,
    /// Whether it binds a ClusterRole.
    pub of_cluster_role: bool,
    pub role: String,
    pub subjects: Vec<Subject>,
}

/// Who may.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    User(String),
    Group(String),
    ServiceAccount { namespace: String, name: String },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccount {
    pub namespace: String,
    pub name: String,
    pub place: Place,
    pub automount_token: Option<bool>,
    /// The cloud identities that its annotations name, with the annotation.
    pub cloud_identities: Vec<(String, String)>,
}

impl Role {
    pub fn read(object: &Object<'_, '_>, place: Place) -> Self {
        let items = |path: &[&str]| object.node.at(path).map(Node::items).unwrap_or_default();
        let selectors = items(&["aggregationRule", "clusterRoleSelectors"]);
        Self {
            namespace: scope(object, "Role"),
            name: object.name.to_owned(),
            place,
            labels: Labels::read(object.node.at(&["metadata", "labels"])),
            rules: items(&["rules"]).iter().map(|rule| AccessRule::read(rule, place)).collect(),
            aggregates: selectors.iter().filter_map(|node| Selector::read(node).ok()).collect(),
        }
    }
}

/// The namespace, for the namespaced one of two kinds.
fn scope(object: &Object<'_, '_>, namespaced: &str) -> Option<String> {
    (object.kind == namespaced).then(|| object.namespace.unwrap_or(DEFAULT_NAMESPACE).to_owned())
}

impl AccessRule {
    fn read(node: &Node<'_>, place: Place) -> Self {
        let texts = |key: &str| -> Vec<String> {
            let items = node.get(key).map(Node::items).unwrap_or_default();
            items.iter().filter_map(Node::scalar).map(str::to_owned).collect()
        };
        Self {
            place: place.at(node),
            verbs: texts("verbs"),
            groups: texts("apiGroups"),
            resources: texts("resources"),
            names: texts("resourceNames"),
            urls: texts("nonResourceURLs"),
        }
    }
}

impl Binding {
    pub fn read(object: &Object<'_, '_>, place: Place) -> Option<Self> {
        let namespace = scope(object, "RoleBinding");
        let role = object.node.get("roleRef")?;
        let subjects = object.node.get("subjects").map(Node::items).unwrap_or_default();
        Some(Self {
            name: object.name.to_owned(),
            place,
            of_cluster_role: role.text_of("kind") == Some("ClusterRole"),
            role: role.text_of("name")?.to_owned(),
            subjects: subjects.iter().filter_map(|node| Subject::read(node, namespace.as_deref())).collect(),
            namespace,
        })
    }
}

impl Subject {
    fn read(node: &Node<'_>, namespace: Option<&str>) -> Option<Self> {
        let name = node.text_of("name")?.to_owned();
        match node.text_of("kind")? {
            "User" => Some(Self::of_user(name)),
            "Group" => Some(Self::Group(name)),
            "ServiceAccount" => {
                let namespace = node.text_of("namespace").or(namespace)?.to_owned();
                Some(Self::ServiceAccount { namespace, name })
            }
            _ => None,
        }
    }

    /// A service account is also the user `system:serviceaccount:NAMESPACE:NAME`.
    pub fn of_user(name: String) -> Self {
        let account = name.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'));
        match account {
            Some((namespace, name)) => {
                Self::ServiceAccount { namespace: namespace.to_owned(), name: name.to_owned() }
            }
            None => Self::User(name),
        }
    }

    /// The groups it is in without anybody saying so.
    pub fn groups(&self) -> Vec<String> {
        match self {
            Self::User(name) if name == "system:anonymous" => vec!["system:unauthenticated".to_owned()],
            Self::User(_) => vec!["system:authenticated".to_owned()],
            Self::Group(name) if name == "system:unauthenticated" => vec![name.clone()],
            Self::Group(name) => vec![name.clone(), "system:authenticated".to_owned()],
            Self::ServiceAccount { namespace, .. } => vec![
                "system:serviceaccounts".to_owned(),
                format!("system:serviceaccounts:{namespace}"),
                "system:authenticated".to_owned(),
            ],
        }
    }
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(name) => write!(f, "user {name}"),
            Self::Group(name) => write!(f, "group {name}"),
            Self::ServiceAccount { namespace, name } => write!(f, "service account {namespace}/{name}"),
        }
    }
}

impl ServiceAccount {
    pub fn read(object: &Object<'_, '_>, place: Place) -> Self {
        /// EKS (IRSA), GKE and Azure workload identity.
        const IDENTITIES: [&str; 3] = [
            "eks.amazonaws.com/role-arn",
            "iam.gke.io/gcp-service-account",
            "azure.workload.identity/client-id",
        ];
        let annotations = object.node.at(&["metadata", "annotations"]);
        let identity = |key: &str| Some((key.to_owned(), annotations?.text_of(key)?.to_owned()));
        Self {
            namespace: object.namespace.unwrap_or(DEFAULT_NAMESPACE).to_owned(),
            name: object.name.to_owned(),
            place,
            automount_token: object.node.get("automountServiceAccountToken").and_then(Node::boolean),
            cloud_identities: IDENTITIES.into_iter().filter_map(identity).collect(),
        }
    }
}
