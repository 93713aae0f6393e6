//! Containers: which one a thread is in, and what is known of it.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

/// Digits of a full container id.
const FULL_ID_DIGITS: usize = 64;
/// Digits by which containers are shown.
const SHORT_ID_DIGITS: usize = 12;
/// Most containers that are kept.
const MAX_CONTAINERS: usize = 16 << 10;
/// Longest JSON of one container.
const MAX_JSON_BYTES: usize = 1 << 20;

/// Who runs a container. The numbers are those of container events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ContainerRuntime {
    Docker,
    Lxc,
    LibvirtLxc,
    Mesos,
    Rkt,
    Custom,
    Cri,
    Containerd,
    CriO,
    Bpm,
    Static,
    Podman,
    #[default]
    Unknown,
}

impl ContainerRuntime {
    fn of(number: u64) -> Self {
        const ALL: [ContainerRuntime; 12] = [
            ContainerRuntime::Docker,
            ContainerRuntime::Lxc,
            ContainerRuntime::LibvirtLxc,
            ContainerRuntime::Mesos,
            ContainerRuntime::Rkt,
            ContainerRuntime::Custom,
            ContainerRuntime::Cri,
            ContainerRuntime::Containerd,
            ContainerRuntime::CriO,
            ContainerRuntime::Bpm,
            ContainerRuntime::Static,
            ContainerRuntime::Podman,
        ];
        usize::try_from(number).ok().and_then(|number| ALL.get(number)).copied().unwrap_or_default()
    }

    /// `container.type`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Lxc => "lxc",
            Self::LibvirtLxc => "libvirt-lxc",
            Self::Mesos => "mesos",
            Self::Rkt => "rkt",
            Self::Custom => "custom",
            Self::Cri => "cri",
            Self::Containerd => "containerd",
            Self::CriO => "cri-o",
            Self::Bpm => "bpm",
            Self::Static => "static",
            Self::Podman => "podman",
            Self::Unknown => "unknown",
        }
    }
}

/// A place of the host or a volume, in a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mount {
    pub source: String,
    pub destination: String,
    pub mode: String,
    pub writable: bool,
    pub propagation: String,
}

/// What a runtime told of a container.
#[derive(Clone, Debug, Default)]
pub struct Container {
    /// Cut to twelve digits.
    pub id: String,
    pub full_id: String,
    pub runtime: ContainerRuntime,
    pub name: String,
    pub image: String,
    pub image_id: String,
    pub image_repository: String,
    pub image_tag: String,
    pub image_digest: String,
    pub privileged: Option<bool>,
    pub is_pod_sandbox: bool,
    pub ip: String,
    pub mounts: Vec<Mount>,
    pub labels: Vec<(String, String)>,
    pub env: Vec<String>,
    /// Nanoseconds since 1970; 0 if unknown.
    pub created_ts: u64,
    pub host_pid: bool,
    pub host_ipc: bool,
    pub host_network: bool,
    /// The arguments of the probes that the orchestrator runs: liveness, readiness, health check.
    pub probes: Vec<Probe>,
    pub pod_sandbox_labels: Vec<(String, String)>,
    pub cni_json: String,
}

/// A command that an orchestrator or runtime runs in a container to see whether it is well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    pub kind: ProbeKind,
    pub exe: String,
    pub args: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeKind {
    HealthCheck,
    Liveness,
    Readiness,
}

impl Container {
    /// A label of the container or of its pod.
    pub fn label(&self, name: &str) -> Option<&str> {
        let find = |labels: &'_ [(String, String)]| labels.iter().position(|(known, _)| known == name);
        find(&self.labels)
            .and_then(|at| self.labels.get(at))
            .or_else(|| find(&self.pod_sandbox_labels).and_then(|at| self.pod_sandbox_labels.get(at)))
            .map(|(_, value)| value.as_str())
    }

    /// Reads the JSON of a container event, of the present form (`{"container": {…}}`) or of the first.
    pub fn from_json(json: &[u8]) -> Option<Self> {
        if json.len() > MAX_JSON_BYTES {
            return None;
        }
        let root: Value = serde_json::from_slice(json).ok()?;
        let value = root.get("container").unwrap_or(&root);
        let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let flag = |name: &str| value.get(name).and_then(Value::as_bool);
        let id = text("id");
        if id.is_empty() {
            return None;
        }
        let created = value.get("created_time").and_then(Value::as_u64).unwrap_or(0);
        Some(Self {
            full_id: text("full_id"),
            runtime: ContainerRuntime::of(value.get("type").and_then(Value::as_u64).unwrap_or(u64::MAX)),
            name: text("name"),
            image: text("image"),
            image_id: text("imageid"),
            image_repository: text("imagerepo"),
            image_tag: text("imagetag"),
            image_digest: text("imagedigest"),
            privileged: flag("privileged"),
            is_pod_sandbox: flag("is_pod_sandbox").unwrap_or(false),
            ip: text("ip"),
            mounts: value.get("Mounts").and_then(Value::as_array).into_iter().flatten().map(mount).collect(),
            labels: labels(value.get("labels")),
            env: value
                .get("env")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(|item| item.as_str().map(str::to_owned))
                .collect(),
            created_ts: created.saturating_mul(1_000_000_000),
            host_pid: flag("host_pid").unwrap_or(false),
            host_ipc: flag("host_ipc").unwrap_or(false),
            host_network: flag("host_network").unwrap_or(false),
            probes: [
                ("Healthcheck", ProbeKind::HealthCheck),
                ("LivenessProbe", ProbeKind::Liveness),
                ("ReadinessProbe", ProbeKind::Readiness),
            ]
            .into_iter()
            .filter_map(|(name, kind)| probe(value.get(name)?, kind))
            .collect(),
            pod_sandbox_labels: labels(value.get("pod_sandbox_labels")),
            cni_json: text("cni_json"),
            id,
        })
    }
}

fn labels(value: Option<&Value>) -> Vec<(String, String)> {
    value
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect()
}

fn mount(value: &Value) -> Mount {
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    Mount {
        source: text("Source"),
        destination: text("Destination"),
        mode: text("Mode"),
        writable: value.get("RW").and_then(Value::as_bool).unwrap_or(false),
        propagation: text("Propagation"),
    }
}

fn probe(value: &Value, kind: ProbeKind) -> Option<Probe> {
    let args = value.get("args").and_then(Value::as_array).into_iter().flatten();
    Some(Probe {
        kind,
        exe: value.get("exe")?.as_str()?.to_owned(),
        args: args.filter_map(|item| item.as_str().map(str::to_owned)).collect(),
    })
}

/// Containers by their short id.
#[derive(Clone, Debug, Default)]
pub struct Containers {
    known: HashMap<Arc<str>, Container>,
}

impl Containers {
    pub fn get(&self, id: &str) -> Option<&Container> {
        self.known.get(id)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Container> {
        let mut all: Vec<_> = self.known.values().collect();
        all.sort_unstable_by(|left, right| left.id.cmp(&right.id));
        all.into_iter()
    }

    /// Adds what became known of a container; what is already known of it is replaced.
    pub fn add(&mut self, container: Container) {
        if self.known.len() >= MAX_CONTAINERS && !self.known.contains_key(container.id.as_str()) {
            return;
        }
        self.known.insert(container.id.as_str().into(), container);
    }

    pub fn remove(&mut self, id: &str) {
        self.known.remove(id);
    }
}

/// How runtimes name the control group of a container: what stands before and after the id.
///
/// Docker and containerd with cgroupfs, Docker with systemd, Podman, containerd and CRI-O with systemd and with
/// cgroupfs, rootless ones of BuildKit and nerdctl.
const LAYOUTS: &[(&str, &str)] = &[
    ("/", ""),
    ("/docker-", ".scope"),
    ("/libpod-", ".scope"),
    ("/libpod-", ".scope/container"),
    ("/libpod-", ""),
    ("/crio-", ""),
    ("/crio-", ".scope"),
    ("/cri-containerd-", ".scope"),
    ("/nerdctl-", ".scope"),
    (":cri-containerd:", ""),
    ("/containerd-", ".scope"),
];

/// The id of the container that a control group belongs to, cut to twelve digits.
pub fn container_id(path: &[u8]) -> Option<&str> {
    for (before, after) in LAYOUTS {
        let Some(rest) = path.strip_suffix(after.as_bytes()) else { continue };
        let Some(at) = rest.len().checked_sub(FULL_ID_DIGITS) else { continue };
        let Some((start, id)) = rest.split_at_checked(at) else { continue };
        if start.ends_with(before.as_bytes())
            && id.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        {
            return std::str::from_utf8(id.get(..SHORT_ID_DIGITS)?).ok();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_groups_name_their_container() {
        let id = "0123456789abcdef".repeat(4);
        for path in [
            format!("/docker/{id}"),
            format!("/system.slice/docker-{id}.scope"),
            format!("/machine.slice/libpod-{id}.scope"),
            format!("/machine.slice/libpod-{id}.scope/container"),
            format!("/kubepods/besteffort/pod1234/{id}"),
            format!("/kubepods.slice/kubepods-pod1.slice/cri-containerd-{id}.scope"),
            format!("/kubepods.slice/kubepods-pod1.slice/crio-{id}.scope"),
            format!("/kubepods/burstable/pod1/crio-{id}"),
            format!("/system.slice/containerd.service/kubepods-pod1.slice:cri-containerd:{id}"),
        ] {
            assert_eq!(container_id(path.as_bytes()), Some("0123456789ab"), "{path}");
        }
        assert_eq!(container_id(b"/user.slice/user-0.slice/session-1.scope"), None);
        assert_eq!(container_id(format!("/docker/{}", id.to_uppercase()).as_bytes()), None);
        assert_eq!(container_id(b""), None);
    }

    #[test]
    fn container_events_of_both_forms_are_read() {
        let now = br#"{"container":{"id":"ab","type":7,"name":"web","imagerepo":"nginx","imagetag":"1",
            "privileged":true,"Mounts":[{"Source":"/","Destination":"/host","RW":true}],"created_time":5,
            "labels":{"io.kubernetes.pod.name":"p"}}}"#;
        let container = Container::from_json(now).unwrap();
        assert_eq!((container.runtime.name(), container.privileged), ("containerd", Some(true)));
        assert_eq!(container.mounts[0].destination, "/host");
        assert_eq!(container.label("io.kubernetes.pod.name"), Some("p"));
        assert_eq!(container.created_ts, 5_000_000_000);
        let first = Container::from_json(br#"{"id":"ab","type":0,"name":"web","image":"nginx:1"}"#).unwrap();
        assert_eq!((first.name.as_str(), first.image.as_str()), ("web", "nginx:1"));
        assert!(Container::from_json(b"{}").is_none());
        assert!(Container::from_json(b"not json").is_none());
    }
}
