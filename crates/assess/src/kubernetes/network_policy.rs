//! NetworkPolicy, AdminNetworkPolicy and BaselineAdminNetworkPolicy as typed values, checked as the API server does.
//!
//! What it would refuse is an error in words; such a policy is in force nowhere.

use yagura_configuration::kubernetes::Object;
use yagura_formats::document::Node;

use super::workload::Protocol;
use super::{DEFAULT_NAMESPACE, Place, Selector};
use crate::connectivity::addresses::AddressSet;

/// `networking.k8s.io/v1` NetworkPolicy.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkPolicy {
    pub namespace: String,
    pub name: String,
    pub place: Place,
    pub pods: Selector,
    /// None where the policy does not speak of the direction.
    pub ingress: Option<Vec<Rule>>,
    pub egress: Option<Vec<Rule>>,
}

/// What is allowed besides what other rules allow.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub place: Place,
    /// Empty for everybody, in the cluster or not.
    pub peers: Vec<Peer>,
    /// Empty for every port.
    pub ports: Vec<Port>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Peer {
    Pods {
        namespaces: Namespaces,
        pods: Selector,
    },
    Addresses(AddressSet),
    /// The machines with these labels.
    Nodes(Selector),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Namespaces {
    /// Only the policy's own.
    Own,
    Matching(Selector),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Port {
    /// All ports of a protocol: 1 to 65535; or one; or some.
    Range(Protocol, u16, u16),
    /// The ports that the destination's containers name so; any protocol where none is said.
    Named(Option<Protocol>, String),
}

/// AdminNetworkPolicy, or (without a priority) BaselineAdminNetworkPolicy.
#[derive(Clone, Debug, PartialEq)]
pub struct AdminPolicy {
    pub name: String,
    pub place: Place,
    /// Lower numbers are asked first.
    pub priority: Option<u32>,
    pub namespaces: Selector,
    pub pods: Selector,
    pub ingress: Vec<AdminRule>,
    pub egress: Vec<AdminRule>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AdminRule {
    pub name: String,
    pub place: Place,
    pub action: Action,
    pub peers: Vec<Peer>,
    /// Empty for every port.
    pub ports: Vec<Port>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Allow,
    Deny,
    /// Leaves the decision to NetworkPolicies, and after them to the baseline.
    Pass,
}

/// Highest priority number of an AdminNetworkPolicy.
const MAX_PRIORITY: i64 = 1000;

impl NetworkPolicy {
    pub fn read(object: &Object<'_, '_>, place: Place) -> Result<Self, String> {
        let spec = object.node.get("spec").ok_or("no `spec`")?;
        let pods = match spec.get("podSelector") {
            Some(node) => Selector::read(node)?,
            None => Selector::default(),
        };
        let types: Vec<&str> = spec
            .get("policyTypes")
            .map(Node::items)
            .unwrap_or_default()
            .iter()
            .filter_map(Node::scalar)
            .collect();
        if let Some(wrong) = types.iter().find(|one| !matches!(**one, "Ingress" | "Egress")) {
            return Err(format!("`{wrong}` is no policy type"));
        }
        let egress = spec.get("egress").filter(|node| !node.is_null());
        // Without policyTypes, ingress is always meant, and egress where the policy has rules for it.
        let means =
            |name: &str, default: bool| if types.is_empty() { default } else { types.contains(&name) };
        let rules = |key: &str, peers: &str| -> Result<Vec<Rule>, String> {
            let items = spec.get(key).map(Node::items).unwrap_or_default();
            items.iter().map(|item| Rule::read(item, peers, place)).collect()
        };
        Ok(Self {
            namespace: object.namespace.unwrap_or(DEFAULT_NAMESPACE).to_owned(),
            name: object.name.to_owned(),
            place,
            pods,
            ingress: means("Ingress", true).then(|| rules("ingress", "from")).transpose()?,
            egress: means("Egress", egress.is_some()).then(|| rules("egress", "to")).transpose()?,
        })
    }
}

impl Rule {
    fn read(node: &Node<'_>, peers: &str, place: Place) -> Result<Self, String> {
        let items = |key| node.get(key).map(Node::items).unwrap_or_default();
        Ok(Self {
            place: place.at(node),
            peers: items(peers).iter().map(Peer::of_policy).collect::<Result<_, _>>()?,
            ports: items("ports").iter().map(Port::of_policy).collect::<Result<_, _>>()?,
        })
    }
}

impl Peer {
    fn of_policy(node: &Node<'_>) -> Result<Self, String> {
        let block = node.get("ipBlock").filter(|node| !node.is_null());
        let pods = node.get("podSelector").filter(|node| !node.is_null());
        let namespaces = node.get("namespaceSelector").filter(|node| !node.is_null());
        match (block, pods, namespaces) {
            (None, None, None) => Err("a peer needs a selector or an `ipBlock`".to_owned()),
            (Some(block), None, None) => {
                let text = block.text_of("cidr").ok_or("`ipBlock` without `cidr`")?;
                let mut addresses = AddressSet::of_cidr(text)?;
                for except in block.get("except").map(Node::items).unwrap_or_default() {
                    addresses = addresses.without(&AddressSet::of_cidr(except.scalar().unwrap_or_default())?);
                }
                Ok(Self::Addresses(addresses))
            }
            (Some(_), _, _) => Err("`ipBlock` stands alone in a peer".to_owned()),
            (None, pods, namespaces) => Ok(Self::Pods {
                namespaces: match namespaces {
                    Some(node) => Namespaces::Matching(Selector::read(node)?),
                    None => Namespaces::Own,
                },
                pods: pods.map(Selector::read).transpose()?.unwrap_or_default(),
            }),
        }
    }

    /// A peer of the admin policies: exactly one of its fields is set. Several networks are several peers.
    fn of_admin(node: &Node<'_>, egress: bool, into: &mut Vec<Self>) -> Result<(), String> {
        let set: Vec<&str> = node
            .entries()
            .iter()
            .filter(|entry| !entry.value.is_null())
            .filter_map(|entry| entry.key.scalar())
            .collect();
        let [field] = set.as_slice() else {
            return Err("a peer has exactly one of `namespaces`, `pods`, `nodes` and `networks`".to_owned());
        };
        let value = node.get(field).ok_or("an empty peer")?;
        match (*field, egress) {
            ("namespaces", _) => into.push(Self::Pods {
                namespaces: Namespaces::Matching(Selector::read(value)?),
                pods: Selector::default(),
            }),
            ("pods", _) => {
                let (namespaces, pods) = namespaced_pods(value)?;
                into.push(Self::Pods { namespaces: Namespaces::Matching(namespaces), pods });
            }
            ("nodes", true) => into.push(Self::Nodes(Selector::read(value)?)),
            ("networks", true) => {
                for network in value.items() {
                    into.push(Self::Addresses(AddressSet::of_cidr(network.scalar().unwrap_or_default())?));
                }
            }
            _ => return Err(format!("`{field}` is no peer of this direction that Yagura knows")),
        }
        Ok(())
    }
}

fn namespaced_pods(node: &Node<'_>) -> Result<(Selector, Selector), String> {
    let selector = |key| node.get(key).map(Selector::read).transpose();
    Ok((selector("namespaceSelector")?.unwrap_or_default(), selector("podSelector")?.unwrap_or_default()))
}

impl Port {
    fn of_policy(node: &Node<'_>) -> Result<Self, String> {
        let protocol = protocol(node)?;
        let end = node.get("endPort").filter(|node| !node.is_null());
        let Some(port) = node.get("port").filter(|node| !node.is_null()) else {
            return match end {
                Some(_) => Err("`endPort` without `port`".to_owned()),
                None => Ok(Self::Range(protocol, 1, u16::MAX)),
            };
        };
        if let Some(name) = port.string().filter(|text| text.parse::<u16>().is_err()) {
            return match end {
                Some(_) => Err(format!("`endPort` with the named port `{name}`")),
                None => Ok(Self::Named(Some(protocol), name.to_owned())),
            };
        }
        let start = number(port)?;
        range(protocol, start, end.map(number).transpose()?.unwrap_or(start))
    }

    fn of_admin(node: &Node<'_>) -> Result<Self, String> {
        let set: Vec<&str> = node.entries().iter().filter_map(|entry| entry.key.scalar()).collect();
        let [field] = set.as_slice() else {
            return Err("a port has exactly one of `portNumber`, `portRange` and `namedPort`".to_owned());
        };
        let value = node.get(field).ok_or("an empty port")?;
        let of = |key: &str| number(value.get(key).ok_or(format!("`{field}` without `{key}`"))?);
        match *field {
            "portNumber" => {
                let port = of("port")?;
                range(protocol(value)?, port, port)
            }
            "portRange" => range(protocol(value)?, of("start")?, of("end")?),
            "namedPort" => Ok(Self::Named(None, value.scalar().unwrap_or_default().to_owned())),
            _ => Err(format!("`{field}` is no kind of port")),
        }
    }
}

fn protocol(node: &Node<'_>) -> Result<Protocol, String> {
    let text = node.text_of("protocol");
    Protocol::read(text).ok_or_else(|| format!("`{}` is no protocol", text.unwrap_or_default()))
}

fn number(node: &Node<'_>) -> Result<u16, String> {
    let value = node.scalar().and_then(|text| text.parse().ok()).filter(|port: &u16| *port > 0);
    value.ok_or_else(|| format!("`{}` is no port", node.scalar().unwrap_or_default()))
}

fn range(protocol: Protocol, start: u16, end: u16) -> Result<Port, String> {
    if end < start {
        return Err(format!("the ports {start} to {end} are none"));
    }
    Ok(Port::Range(protocol, start, end))
}

impl AdminPolicy {
    /// Reads either kind.
    pub fn read(object: &Object<'_, '_>, place: Place) -> Result<Self, String> {
        let spec = object.node.get("spec").ok_or("no `spec`")?;
        let priority = match (object.kind, spec.get("priority").and_then(Node::integer)) {
            ("BaselineAdminNetworkPolicy", _) if object.name != "default" => {
                return Err("the baseline's name must be `default`".to_owned());
            }
            ("BaselineAdminNetworkPolicy", _) => None,
            (_, Some(priority @ 0..=MAX_PRIORITY)) => u32::try_from(priority).ok(),
            (_, Some(priority)) => return Err(format!("priority {priority} is not in 0 to {MAX_PRIORITY}")),
            (_, None) => return Err("no `priority`".to_owned()),
        };
        let subject = spec.get("subject").ok_or("no `subject`")?;
        let (namespaces, pods) = match (subject.get("namespaces"), subject.get("pods")) {
            (Some(namespaces), None) => (Selector::read(namespaces)?, Selector::default()),
            (None, Some(pods)) => namespaced_pods(pods)?,
            _ => return Err("the subject has exactly one of `namespaces` and `pods`".to_owned()),
        };
        let rules = |key: &str, peers: &str| -> Result<Vec<AdminRule>, String> {
            let items = spec.get(key).map(Node::items).unwrap_or_default();
            items.iter().map(|item| AdminRule::read(item, peers, priority.is_some(), place)).collect()
        };
        Ok(Self {
            name: object.name.to_owned(),
            place,
            priority,
            namespaces,
            pods,
            ingress: rules("ingress", "from")?,
            egress: rules("egress", "to")?,
        })
    }
}

impl AdminRule {
    fn read(node: &Node<'_>, direction: &str, may_pass: bool, place: Place) -> Result<Self, String> {
        let action = match node.text_of("action") {
            Some("Allow") => Action::Allow,
            Some("Deny") => Action::Deny,
            Some("Pass") if may_pass => Action::Pass,
            other => return Err(format!("`{}` is no action here", other.unwrap_or_default())),
        };
        let items = |key| node.get(key).map(Node::items).unwrap_or_default();
        let mut peers = Vec::new();
        for item in items(direction) {
            Peer::of_admin(item, direction == "to", &mut peers)?;
        }
        if items(direction).is_empty() {
            return Err(format!("a rule without peers in `{direction}`"));
        }
        Ok(Self {
            name: node.text_of("name").unwrap_or_default().to_owned(),
            place: place.at(node),
            action,
            peers,
            ports: items("ports").iter().map(Port::of_admin).collect::<Result<_, _>>()?,
        })
    }
}
