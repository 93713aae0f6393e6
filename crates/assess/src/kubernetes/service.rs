//! Services and the endpoints behind them.

use yagura_configuration::kubernetes::Object;
use yagura_formats::document::Node;

use super::workload::{Protocol, Workload};
use super::{DEFAULT_NAMESPACE, Place, Selector};

#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    pub namespace: String,
    pub name: String,
    pub place: Place,
    pub exposure: Exposure,
    /// None where somebody else fills in the endpoints.
    pub selector: Option<Selector>,
    pub ports: Vec<ServicePort>,
    /// Addresses outside the cluster that lead to it.
    pub external_addresses: Vec<String>,
    /// Security groups of its load balancer, by name or id; empty where it says nothing of them.
    pub security_groups: Vec<String>,
    /// Who may come through its load balancer; empty for everybody.
    pub source_ranges: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exposure {
    Cluster,
    Headless,
    /// A port of every node.
    Node,
    LoadBalancer {
        /// Only within the provider's network.
        internal: bool,
    },
    /// Nothing but a DNS name for something else.
    External(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServicePort {
    pub name: String,
    pub protocol: Protocol,
    pub port: u16,
    pub target: TargetPort,
    pub node_port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TargetPort {
    Number(u16),
    Name(String),
}

/// The pods and addresses of a service that a cluster reported, or somebody wrote.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoints {
    pub namespace: String,
    pub service: String,
    pub pods: Vec<String>,
    pub addresses: Vec<String>,
}

impl Service {
    pub fn read(object: &Object<'_, '_>, place: Place) -> Option<Self> {
        let spec = object.node.get("spec")?;
        let texts = |key: &str| -> Vec<String> {
            let items = spec.get(key).map(Node::items).unwrap_or_default();
            items.iter().filter_map(Node::scalar).map(str::to_owned).collect()
        };
        let exposure = match spec.text_of("type") {
            Some("ExternalName") => {
                Exposure::External(spec.text_of("externalName").unwrap_or_default().to_owned())
            }
            Some("LoadBalancer") => Exposure::LoadBalancer { internal: is_internal(object.node) },
            Some("NodePort") => Exposure::Node,
            _ if spec.text_of("clusterIP") == Some("None") => Exposure::Headless,
            _ => Exposure::Cluster,
        };
        let selector = spec.get("selector").filter(|node| !node.entries().is_empty());
        let ports = spec.get("ports").map(Node::items).unwrap_or_default();
        Some(Self {
            namespace: object.namespace.unwrap_or(DEFAULT_NAMESPACE).to_owned(),
            name: object.name.to_owned(),
            place,
            exposure,
            selector: selector.and_then(|node| Selector::equal_to(Some(node)).ok()),
            ports: ports.iter().filter_map(ServicePort::read).collect(),
            external_addresses: texts("externalIPs"),
            security_groups: listed(
                object.node,
                "service.beta.kubernetes.io/aws-load-balancer-security-groups",
            ),
            source_ranges: texts("loadBalancerSourceRanges"),
        })
    }

    /// Whether its load balancer takes only what comes from private addresses.
    pub fn is_for_private_sources(&self) -> bool {
        let private = |range: &String| {
            ["10.", "192.168.", "172.16.", "127.", "100.64.", "fd"]
                .iter()
                .any(|start| range.starts_with(start))
        };
        !self.source_ranges.is_empty() && self.source_ranges.iter().all(private)
    }

    /// Whether its selector chooses a workload's pods.
    pub fn selects(&self, workload: &Workload) -> bool {
        self.namespace == workload.namespace
            && self.selector.as_ref().is_some_and(|selector| {
                selector.matches(&workload.labels)
                    || workload.pods.iter().any(|pod| selector.matches(&pod.labels))
            })
    }

    /// The port that an ingress or route means; all where it names none. A target port is accepted for a service
    /// port, as OpenShift routes write it.
    pub fn ports_meant<'a>(
        &'a self,
        wanted: Option<&'a TargetPort>,
    ) -> impl Iterator<Item = &'a ServicePort> {
        let meant = move |port: &&ServicePort| match wanted {
            None => true,
            Some(wanted @ TargetPort::Number(number)) => port.port == *number || port.target == *wanted,
            Some(wanted @ TargetPort::Name(name)) => {
                (!port.name.is_empty() && port.name == *name) || port.target == *wanted
            }
        };
        let most = if wanted.is_some() { 1 } else { usize::MAX };
        self.ports.iter().filter(meant).take(most)
    }
}

impl ServicePort {
    fn read(node: &Node<'_>) -> Option<Self> {
        let port = port_number(node.get("port")?)?;
        let target = node.get("targetPort").and_then(TargetPort::read);
        Some(Self {
            name: node.text_of("name").unwrap_or_default().to_owned(),
            protocol: Protocol::read(node.text_of("protocol"))?,
            port,
            target: target.unwrap_or(TargetPort::Number(port)),
            node_port: node.get("nodePort").and_then(port_number),
        })
    }

    /// The ports of a workload's pods that it leads to.
    pub fn targets(&self, workload: &Workload) -> Vec<u16> {
        match &self.target {
            TargetPort::Number(number) => vec![*number],
            TargetPort::Name(name) => {
                workload.named_ports(name, Some(self.protocol)).map(|port| port.number).collect()
            }
        }
    }
}

impl TargetPort {
    /// A number, also as text, or a name; none for 0 and the empty text, which mean "not said".
    pub fn read(node: &Node<'_>) -> Option<Self> {
        let text = node.scalar().filter(|text| !text.is_empty())?;
        match text.parse::<u16>() {
            Ok(0) => None,
            Ok(number) => Some(Self::Number(number)),
            Err(_) => Some(Self::Name(text.to_owned())),
        }
    }
}

/// The parts between commas of an annotation.
pub(super) fn listed(node: &Node<'_>, annotation: &str) -> Vec<String> {
    let text =
        node.at(&["metadata", "annotations"]).and_then(|all| all.text_of(annotation)).unwrap_or_default();
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn port_number(node: &Node<'_>) -> Option<u16> {
    u16::try_from(node.integer()?).ok().filter(|port| *port > 0)
}

/// Annotations by which providers are told to keep a load balancer inside.
fn is_internal(node: &Node<'_>) -> bool {
    const SAYS_INTERNAL: [(&str, &[&str]); 7] = [
        ("service.beta.kubernetes.io/aws-load-balancer-internal", &["true", "0.0.0.0/0"]),
        ("service.beta.kubernetes.io/aws-load-balancer-scheme", &["internal"]),
        ("service.beta.kubernetes.io/azure-load-balancer-internal", &["true"]),
        ("networking.gke.io/load-balancer-type", &["Internal"]),
        ("cloud.google.com/load-balancer-type", &["Internal"]),
        ("service.beta.kubernetes.io/oci-load-balancer-internal", &["true"]),
        ("service.beta.kubernetes.io/openstack-internal-load-balancer", &["true"]),
    ];
    let Some(annotations) = node.at(&["metadata", "annotations"]) else { return false };
    SAYS_INTERNAL
        .iter()
        .any(|(key, values)| annotations.text_of(key).is_some_and(|value| values.contains(&value)))
}

impl Endpoints {
    /// `Endpoints` and `EndpointSlice`.
    pub fn read(object: &Object<'_, '_>) -> Option<Self> {
        let (service, lists): (&str, Vec<&Node<'_>>) = match object.kind {
            "Endpoints" => {
                let subsets = object.node.get("subsets").map(Node::items).unwrap_or_default();
                (object.name, subsets.iter().filter_map(|subset| subset.get("addresses")).collect())
            }
            _ => {
                let service = object.node.at(&["metadata", "labels", "kubernetes.io/service-name"])?;
                (service.scalar()?, object.node.get("endpoints").into_iter().collect())
            }
        };
        let mut endpoints = Self {
            namespace: object.namespace.unwrap_or(DEFAULT_NAMESPACE).to_owned(),
            service: service.to_owned(),
            pods: Vec::new(),
            addresses: Vec::new(),
        };
        for endpoint in lists.into_iter().flat_map(Node::items) {
            let target = endpoint.get("targetRef").filter(|target| target.text_of("kind") == Some("Pod"));
            if let Some(pod) = target.and_then(|target| target.text_of("name")) {
                endpoints.pods.push(pod.to_owned());
            }
            let several = endpoint.get("addresses").map(Node::items).unwrap_or_default();
            endpoints.addresses.extend(several.iter().filter_map(Node::scalar).map(str::to_owned));
            endpoints.addresses.extend(endpoint.text_of("ip").map(str::to_owned));
        }
        Some(endpoints)
    }
}
