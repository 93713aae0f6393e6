//! Workloads: whatever makes pods, the pods that were seen, and what their specification says.

use yagura_configuration::kubernetes::Object;
use yagura_formats::document::Node;

use super::{Labels, Place};

/// A controller of pods, or a pod by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    pub namespace: String,
    pub name: String,
    /// `Deployment`, `Pod`, …
    pub kind: String,
    pub place: Place,
    /// Labels of the pods it makes.
    pub labels: Labels,
    pub spec: PodSpec,
    /// Pods as a cluster reported them; none where only the template is known.
    pub pods: Vec<Pod>,
    /// Who controls it in turn: a ReplicaSet's Deployment.
    pub owner: Option<Owner>,
}

/// A pod that a cluster reported.
#[derive(Clone, Debug, PartialEq)]
pub struct Pod {
    pub name: String,
    pub uid: String,
    pub labels: Labels,
    pub place: Place,
    pub node: String,
    pub address: String,
    /// Digests by container name, as the runtime reported them.
    pub image_digests: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Owner {
    pub kind: String,
    pub name: String,
}

/// What of a pod's specification decides about exposure, identity and escape.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PodSpec {
    pub service_account: String,
    /// Whether the account's token is mounted; none leaves it to the account.
    pub automount_token: Option<bool>,
    pub host_network: bool,
    pub host_pid: bool,
    pub host_ipc: bool,
    pub runtime_class: String,
    pub node: String,
    pub containers: Vec<Container>,
    pub volumes: Vec<Volume>,
    pub run_as_non_root: Option<bool>,
    pub run_as_user: Option<i64>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Container {
    pub name: String,
    pub image: String,
    pub place: Place,
    /// Ends before the pod serves.
    pub init: bool,
    pub ports: Vec<ContainerPort>,
    pub privileged: bool,
    pub capabilities: Vec<String>,
    pub drops_all: bool,
    pub unmasked_proc: bool,
    pub run_as_non_root: Option<bool>,
    pub run_as_user: Option<i64>,
    pub mounts: Vec<Mount>,
    /// Secrets whose values are in the environment.
    pub secrets: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerPort {
    pub name: String,
    pub number: u16,
    pub protocol: Protocol,
    pub host_port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    pub volume: String,
    pub path: String,
    pub read_only: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    pub name: String,
    pub place: Place,
    pub source: VolumeSource,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VolumeSource {
    HostPath(String),
    Secret(String),
    /// A projected token of the pod's service account, for this audience.
    Token(String),
    Claim(String),
    Other,
}

/// The protocols that policies know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    Sctp,
    Tcp,
    Udp,
}

impl Protocol {
    /// In the order of their names.
    pub const ALL: [Self; 3] = [Self::Sctp, Self::Tcp, Self::Udp];

    pub fn name(self) -> &'static str {
        match self {
            Self::Sctp => "SCTP",
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
        }
    }

    /// TCP where nothing is said; none for a word that is no protocol.
    pub fn read(text: Option<&str>) -> Option<Self> {
        match text {
            None | Some("") => Some(Self::Tcp),
            Some(text) => Self::ALL.into_iter().find(|protocol| protocol.name().eq_ignore_ascii_case(text)),
        }
    }
}

impl Workload {
    /// Reads an object that makes pods; none for any other.
    pub fn read(object: &Object<'_, '_>, place: Place) -> Option<Self> {
        let template = match (object.group(), object.kind) {
            ("", "Pod") => object.node,
            ("apps" | "extensions", "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet")
            | ("", "ReplicationController")
            | ("batch", "Job")
            | ("apps.openshift.io", "DeploymentConfig")
            | ("argoproj.io", "Rollout")
            | ("serving.knative.dev", "Service")
            | ("kubevirt.io", "VirtualMachine") => object.node.at(&["spec", "template"])?,
            ("kubevirt.io", "VirtualMachineInstance") => object.node,
            ("batch", "CronJob") => object.node.at(&["spec", "jobTemplate", "spec", "template"])?,
            _ => return None,
        };
        let kind = if object.kind == "VirtualMachineInstance" { "VirtualMachine" } else { object.kind };
        let labels = Labels::read(template.at(&["metadata", "labels"]));
        let spec = template.get("spec").map(|spec| PodSpec::read(spec, place)).unwrap_or_default();
        let pods = if object.kind == "Pod" { vec![Pod::read(object, place, &labels)] } else { Vec::new() };
        let metadata = object.node.get("metadata");
        let generated = || metadata.and_then(|metadata| metadata.text_of("generateName"));
        let name = if object.name.is_empty() { generated().unwrap_or_default() } else { object.name };
        Some(Self {
            namespace: object.namespace.unwrap_or(super::DEFAULT_NAMESPACE).to_owned(),
            name: name.to_owned(),
            kind: kind.to_owned(),
            place,
            labels,
            spec,
            pods,
            owner: Owner::read(metadata),
        })
    }

    /// `namespace/name[Kind]`.
    pub fn title(&self) -> String {
        format!("{}/{}[{}]", self.namespace, self.name, self.kind)
    }

    /// The ports that containers declare under a name.
    pub fn named_ports(
        &self,
        name: &str,
        protocol: Option<Protocol>,
    ) -> impl Iterator<Item = &ContainerPort> {
        let ports = self.spec.containers.iter().flat_map(|container| &container.ports);
        ports.filter(move |port| {
            port.name == name && protocol.is_none_or(|protocol| port.protocol == protocol)
        })
    }

    /// Whether the service account's token lies in its containers, as far as the pod says.
    pub fn mounts_token(&self) -> bool {
        self.spec.automount_token.unwrap_or(true)
            || self.spec.volumes.iter().any(|volume| matches!(volume.source, VolumeSource::Token(_)))
    }
}

impl Pod {
    fn read(object: &Object<'_, '_>, place: Place, labels: &Labels) -> Self {
        let text = |path: &[&str]| object.node.at(path).and_then(Node::scalar).unwrap_or_default().to_owned();
        let statuses = object.node.at(&["status", "containerStatuses"]).map(Node::items).unwrap_or_default();
        let digest = |status: &Node<'_>| {
            let (_, digest) = status.text_of("imageID")?.rsplit_once('@')?;
            Some((status.text_of("name")?.to_owned(), digest.to_owned()))
        };
        Self {
            name: object.name.to_owned(),
            uid: text(&["metadata", "uid"]),
            labels: labels.clone(),
            place,
            node: text(&["spec", "nodeName"]),
            address: text(&["status", "podIP"]),
            image_digests: statuses.iter().filter_map(digest).collect(),
        }
    }
}

impl Owner {
    /// The controlling owner, else the first.
    fn read(metadata: Option<&Node<'_>>) -> Option<Self> {
        let owners = metadata?.get("ownerReferences")?.items();
        let owner = owners.iter().find(|owner| owner.flag("controller")).or_else(|| owners.first())?;
        let (kind, name) = (owner.text_of("kind").unwrap_or("Pod"), owner.text_of("name")?);
        // A static pod's owner is its node.
        (kind != "Node").then(|| Self { kind: kind.to_owned(), name: name.to_owned() })
    }
}

impl PodSpec {
    fn read(node: &Node<'_>, place: Place) -> Self {
        let text = |key| node.text_of(key).unwrap_or_default().to_owned();
        let account = node.text_of("serviceAccountName").or_else(|| node.text_of("serviceAccount"));
        let security = node.get("securityContext");
        let containers = [("containers", false), ("initContainers", true), ("ephemeralContainers", false)]
            .into_iter()
            .flat_map(|(key, init)| {
                let items = node.get(key).map(Node::items).unwrap_or_default();
                items.iter().map(move |item| Container::read(item, init, place))
            })
            .collect();
        let volumes = node.get("volumes").map(Node::items).unwrap_or_default();
        Self {
            service_account: account.filter(|name| !name.is_empty()).unwrap_or("default").to_owned(),
            automount_token: node.get("automountServiceAccountToken").and_then(Node::boolean),
            host_network: node.flag("hostNetwork"),
            host_pid: node.flag("hostPID"),
            host_ipc: node.flag("hostIPC"),
            runtime_class: text("runtimeClassName"),
            node: text("nodeName"),
            containers,
            volumes: volumes.iter().map(|volume| Volume::read(volume, place)).collect(),
            run_as_non_root: security.and_then(|security| security.get("runAsNonRoot")?.boolean()),
            run_as_user: security.and_then(|security| security.get("runAsUser")?.integer()),
        }
    }
}

impl Container {
    fn read(node: &Node<'_>, init: bool, place: Place) -> Self {
        let text = |key| node.text_of(key).unwrap_or_default().to_owned();
        let items = |path: &[&str]| node.at(path).map(Node::items).unwrap_or_default();
        let security = node.get("securityContext");
        let words = |path: &[&str]| -> Vec<String> {
            let strip = |word: &str| word.strip_prefix("CAP_").unwrap_or(word).to_ascii_uppercase();
            items(path).iter().filter_map(Node::scalar).map(strip).collect()
        };
        let restarts = node.text_of("restartPolicy") == Some("Always");
        let of_environment = items(&["env"])
            .iter()
            .filter_map(|entry| entry.at(&["valueFrom", "secretKeyRef", "name"])?.scalar());
        let of_sources =
            items(&["envFrom"]).iter().filter_map(|entry| entry.at(&["secretRef", "name"])?.scalar());
        let mut secrets: Vec<String> = of_environment.chain(of_sources).map(str::to_owned).collect();
        secrets.sort();
        secrets.dedup();
        Self {
            name: text("name"),
            image: text("image"),
            place: place.at(node),
            init: init && !restarts,
            ports: items(&["ports"]).iter().filter_map(ContainerPort::read).collect(),
            privileged: security.is_some_and(|security| security.flag("privileged")),
            capabilities: words(&["securityContext", "capabilities", "add"]),
            drops_all: words(&["securityContext", "capabilities", "drop"]).iter().any(|word| word == "ALL"),
            unmasked_proc: security.is_some_and(|security| security.text_of("procMount") == Some("Unmasked")),
            run_as_non_root: security.and_then(|security| security.get("runAsNonRoot")?.boolean()),
            run_as_user: security.and_then(|security| security.get("runAsUser")?.integer()),
            mounts: items(&["volumeMounts"]).iter().map(Mount::read).collect(),
            secrets,
        }
    }
}

impl ContainerPort {
    fn read(node: &Node<'_>) -> Option<Self> {
        let port = |key| u16::try_from(node.get(key)?.integer()?).ok().filter(|port| *port > 0);
        Some(Self {
            name: node.text_of("name").unwrap_or_default().to_owned(),
            number: port("containerPort")?,
            protocol: Protocol::read(node.text_of("protocol"))?,
            host_port: port("hostPort"),
        })
    }
}

impl Mount {
    fn read(node: &Node<'_>) -> Self {
        let text = |key| node.text_of(key).unwrap_or_default().to_owned();
        Self { volume: text("name"), path: text("mountPath"), read_only: node.flag("readOnly") }
    }
}

impl Volume {
    fn read(node: &Node<'_>, place: Place) -> Self {
        let text = |path: &[&str]| node.at(path).and_then(Node::scalar).map(str::to_owned);
        let projected = || node.at(&["projected", "sources"]).map(Node::items).unwrap_or_default();
        let source = if let Some(path) = text(&["hostPath", "path"]) {
            VolumeSource::HostPath(path)
        } else if let Some(secret) = text(&["secret", "secretName"]) {
            VolumeSource::Secret(secret)
        } else if let Some(claim) = text(&["persistentVolumeClaim", "claimName"]) {
            VolumeSource::Claim(claim)
        } else if let Some(token) = projected().iter().find_map(|source| source.get("serviceAccountToken")) {
            VolumeSource::Token(token.text_of("audience").unwrap_or_default().to_owned())
        } else if let Some(secret) =
            projected().iter().find_map(|source| source.at(&["secret", "name"])?.scalar())
        {
            VolumeSource::Secret(secret.to_owned())
        } else {
            VolumeSource::Other
        };
        Self { name: node.text_of("name").unwrap_or_default().to_owned(), place: place.at(node), source }
    }
}
