//! Doors into the cluster that a controller serves: Ingresses, OpenShift Routes, and the routes of the Gateway API.

use yagura_configuration::kubernetes::Object;
use yagura_formats::document::Node;

use super::service::TargetPort;
use super::{DEFAULT_NAMESPACE, Labels, Place, Selector};

/// One door: where requests go that come through it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entrance {
    /// `Ingress`, `Route`, `HTTPRoute`, …
    pub kind: String,
    pub namespace: String,
    pub name: String,
    pub place: Place,
    /// The class of an Ingress; empty where it names none.
    pub class: String,
    pub hosts: Vec<String>,
    pub backends: Vec<Backend>,
    /// Whether it says that it serves only the provider's network.
    internal: bool,
    /// Security groups of the load balancer that serves it, by name or id; empty where it says nothing of them.
    pub security_groups: Vec<String>,
    /// Gateways a route wants to be attached to; none for Ingresses and Routes.
    pub parents: Vec<Parent>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    pub namespace: String,
    pub service: String,
    pub port: Option<TargetPort>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parent {
    pub namespace: String,
    pub name: String,
    pub section: Option<String>,
    pub port: Option<u16>,
}

/// A Gateway: listeners, and which routes they take.
#[derive(Clone, Debug, PartialEq)]
pub struct Gateway {
    pub namespace: String,
    pub name: String,
    pub class: String,
    pub place: Place,
    pub listeners: Vec<Listener>,
    /// Addresses it has or asks for.
    pub addresses: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Listener {
    pub name: String,
    pub port: u16,
    pub protocol: String,
    pub from: From,
}

/// The namespaces whose routes a listener takes.
#[derive(Clone, Debug, PartialEq)]
pub enum From {
    Same,
    All,
    Matching(Selector),
    None,
}

/// Lets routes of other namespaces lead to services of this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceGrant {
    pub namespace: String,
    /// Kinds of routes with their namespaces.
    pub from: Vec<(String, String)>,
    /// Names of services; none for all of them.
    pub services: Vec<Option<String>>,
}

impl Entrance {
    /// Reads an object that is a door; none for any other.
    pub fn read(object: &Object<'_, '_>, place: Place) -> Option<Self> {
        let namespace = object.namespace.unwrap_or(DEFAULT_NAMESPACE);
        let spec = object.node.get("spec")?;
        let mut entrance = Self {
            kind: object.kind.to_owned(),
            namespace: namespace.to_owned(),
            name: object.name.to_owned(),
            place,
            class: String::new(),
            hosts: Vec::new(),
            backends: Vec::new(),
            internal: false,
            security_groups: Vec::new(),
            parents: Vec::new(),
        };
        match (object.group(), object.kind) {
            ("networking.k8s.io" | "extensions", "Ingress") => entrance.ingress(object.node, spec),
            ("route.openshift.io" | "", "Route") => entrance.route(spec),
            (
                "gateway.networking.k8s.io",
                "HTTPRoute" | "GRPCRoute" | "TCPRoute" | "TLSRoute" | "UDPRoute",
            ) => entrance.gateway_route(spec),
            _ => return None,
        }
        Some(entrance)
    }

    fn ingress(&mut self, node: &Node<'_>, spec: &Node<'_>) {
        let annotated = node.at(&["metadata", "annotations", "kubernetes.io/ingress.class"]);
        let class = spec.get("ingressClassName").or(annotated).and_then(Node::scalar);
        self.class = class.unwrap_or_default().to_owned();
        self.internal = is_internal(node, &self.class);
        self.security_groups = super::service::listed(node, "alb.ingress.kubernetes.io/security-groups");
        let default = spec.get("defaultBackend").or_else(|| spec.get("backend"));
        let rules = spec.get("rules").map(Node::items).unwrap_or_default();
        self.hosts = rules.iter().filter_map(|rule| rule.text_of("host")).map(str::to_owned).collect();
        let of_paths = rules
            .iter()
            .filter_map(|rule| rule.at(&["http", "paths"]))
            .flat_map(Node::items)
            .filter_map(|path| path.get("backend"));
        let backends: Vec<Backend> =
            default.into_iter().chain(of_paths).filter_map(|node| self.ingress_backend(node)).collect();
        self.backends = backends;
    }

    /// `service: {name, port: {name | number}}`, or `serviceName` and `servicePort` of v1beta1.
    fn ingress_backend(&self, node: &Node<'_>) -> Option<Backend> {
        let (service, port) = match node.get("service") {
            Some(service) => {
                let port = service.get("port");
                let port = port.and_then(|port| port.get("name").or_else(|| port.get("number")));
                (service.text_of("name")?, port)
            }
            None => (node.text_of("serviceName")?, node.get("servicePort")),
        };
        Some(self.backend(service, port))
    }

    fn backend(&self, service: &str, port: Option<&Node<'_>>) -> Backend {
        Backend {
            namespace: self.namespace.clone(),
            service: service.to_owned(),
            port: port.and_then(TargetPort::read),
        }
    }

    fn route(&mut self, spec: &Node<'_>) {
        self.hosts = spec.text_of("host").map(str::to_owned).into_iter().collect();
        let port = spec.at(&["port", "targetPort"]);
        let alternates = spec.get("alternateBackends").map(Node::items).unwrap_or_default();
        let is_service =
            |node: &&Node<'_>| node.text_of("kind").is_none_or(|kind| kind == "Service" || kind.is_empty());
        let names = spec.get("to").into_iter().chain(alternates).filter(is_service);
        self.backends = names.filter_map(|node| Some(self.backend(node.text_of("name")?, port))).collect();
    }

    fn gateway_route(&mut self, spec: &Node<'_>) {
        self.hosts = items(spec, "hostnames").iter().filter_map(Node::scalar).map(str::to_owned).collect();
        for parent in items(spec, "parentRefs") {
            if parent.text_of("kind").is_none_or(|kind| kind == "Gateway") {
                self.parents.push(Parent {
                    namespace: parent.text_of("namespace").unwrap_or(&self.namespace).to_owned(),
                    name: parent.text_of("name").unwrap_or_default().to_owned(),
                    section: parent.text_of("sectionName").map(str::to_owned),
                    port: parent.get("port").and_then(|port| u16::try_from(port.integer()?).ok()),
                });
            }
        }
        for rule in items(spec, "rules") {
            // Mirrored requests arrive, too.
            let filters = items(rule, "filters");
            let mirrors = filters.iter().filter_map(|filter| filter.at(&["requestMirror", "backendRef"]));
            for reference in items(rule, "backendRefs").iter().chain(mirrors) {
                if reference.text_of("kind").is_some_and(|kind| kind != "Service") {
                    continue;
                }
                let Some(service) = reference.text_of("name") else { continue };
                let mut backend = self.backend(service, reference.get("port"));
                if let Some(namespace) = reference.text_of("namespace") {
                    namespace.clone_into(&mut backend.namespace);
                }
                self.backends.push(backend);
            }
        }
    }

    /// Whether it says that it serves only the provider's network.
    pub fn is_internal(&self) -> bool {
        self.internal
    }

    /// `namespace/name` with its kind, for people.
    pub fn title(&self) -> String {
        format!("{} {}/{}", self.kind, self.namespace, self.name)
    }
}

/// Annotations and classes by which controllers are told to keep an Ingress inside. The AWS controller does so unless
/// it is told otherwise.
fn is_internal(node: &Node<'_>, class: &str) -> bool {
    let annotation = |key: &str| node.at(&["metadata", "annotations"]).and_then(|all| all.text_of(key));
    match annotation("alb.ingress.kubernetes.io/scheme") {
        Some(scheme) => scheme != "internet-facing",
        None if class == "alb" => true,
        None => {
            annotation("kubernetes.io/ingress.class") == Some("gce-internal")
                || class.ends_with("-internal")
                || class.starts_with("internal")
        }
    }
}

fn items<'t, 'a>(node: &'t Node<'a>, key: &str) -> &'t [Node<'a>] {
    node.get(key).map(Node::items).unwrap_or_default()
}

impl Gateway {
    pub fn read(object: &Object<'_, '_>, place: Place) -> Option<Self> {
        let spec = object.node.get("spec")?;
        let items = |path: &[&str]| object.node.at(path).map(Node::items).unwrap_or_default();
        let addresses = items(&["status", "addresses"]).iter().chain(items(&["spec", "addresses"]));
        Some(Self {
            namespace: object.namespace.unwrap_or(DEFAULT_NAMESPACE).to_owned(),
            name: object.name.to_owned(),
            class: spec.text_of("gatewayClassName").unwrap_or_default().to_owned(),
            place,
            listeners: items(&["spec", "listeners"]).iter().map(Listener::read).collect(),
            addresses: addresses.filter_map(|address| address.text_of("value")).map(str::to_owned).collect(),
        })
    }

    /// Whether a route is attached: a listener it may mean takes routes of its namespace.
    pub fn takes(&self, parent: &Parent, namespace: &str, labels: &Labels) -> bool {
        self.listeners.iter().any(|listener| {
            parent.section.as_ref().is_none_or(|section| *section == listener.name)
                && parent.port.is_none_or(|port| port == listener.port)
                && match &listener.from {
                    From::Same => self.namespace == namespace,
                    From::All => true,
                    From::Matching(selector) => selector.matches(labels),
                    From::None => false,
                }
        })
    }
}

impl Listener {
    fn read(node: &Node<'_>) -> Self {
        let namespaces = node.at(&["allowedRoutes", "namespaces"]);
        let selector = || Selector::read(namespaces?.get("selector")?).ok();
        let from = match namespaces.and_then(|namespaces| namespaces.text_of("from")) {
            None | Some("Same") => From::Same,
            Some("All") => From::All,
            Some("Selector") => selector().map_or(From::None, From::Matching),
            Some(_) => From::None,
        };
        Self {
            name: node.text_of("name").unwrap_or_default().to_owned(),
            port: node.get("port").and_then(|port| u16::try_from(port.integer()?).ok()).unwrap_or(0),
            protocol: node.text_of("protocol").unwrap_or_default().to_owned(),
            from,
        }
    }
}

impl ReferenceGrant {
    pub fn read(object: &Object<'_, '_>) -> Option<Self> {
        let items = |path: &[&str]| object.node.at(path).map(Node::items).unwrap_or_default();
        let pair =
            |node: &Node<'_>| Some((node.text_of("kind")?.to_owned(), node.text_of("namespace")?.to_owned()));
        let services = items(&["spec", "to"]).iter().filter(|to| to.text_of("kind") == Some("Service"));
        Some(Self {
            namespace: object.namespace.unwrap_or(DEFAULT_NAMESPACE).to_owned(),
            from: items(&["spec", "from"]).iter().filter_map(pair).collect(),
            services: services.map(|to| to.text_of("name").map(str::to_owned)).collect(),
        })
    }

    /// Whether it lets a route lead to a service.
    pub fn allows(&self, route: &Entrance, backend: &Backend) -> bool {
        self.namespace == backend.namespace
            && self.from.iter().any(|(kind, namespace)| *kind == route.kind && *namespace == route.namespace)
            && self.services.iter().any(|name| name.as_ref().is_none_or(|name| *name == backend.service))
    }
}
