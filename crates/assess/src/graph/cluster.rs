//! What a cluster consists of: namespaces, nodes, workloads and pods, accounts and secrets, and what an escape gives.

use std::collections::HashMap;

use yagura_model::graph::{Builder, EdgeKind, NodeId, NodeKind};

use super::resources::Resources;
use super::{CLUSTER, any_node, namespaced, workload_key};
use crate::iam::Truth;
use crate::kubernetes::Cluster;
use crate::kubernetes::workload::{Container, VolumeSource, Workload};

/// Labels by which nodes of the control plane are known.
const CONTROL_PLANE: [&str; 2] = ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"];

/// Host directories whose holder has the node: what is written there is executed or believed by root.
const DANGEROUS_PATHS: [&str; 12] = [
    "/",
    "/etc",
    "/root",
    "/var",
    "/var/lib",
    "/var/lib/kubelet",
    "/var/run",
    "/run",
    "/proc",
    "/dev",
    "/boot",
    "/usr",
];

/// Sockets of container runtimes: whoever may write to one may start any container.
const SOCKETS: [&str; 5] = ["docker.sock", "containerd.sock", "crio.sock", "cri-dockerd.sock", "podman.sock"];

/// Capabilities with which a process in a container has the node, and how.
const DANGEROUS_CAPABILITIES: [(&str, &str); 6] = [
    ("ALL", "has every capability"),
    ("SYS_ADMIN", "may mount file systems (SYS_ADMIN)"),
    ("SYS_MODULE", "may load kernel modules (SYS_MODULE)"),
    ("SYS_PTRACE", "may write to other processes (SYS_PTRACE)"),
    ("DAC_READ_SEARCH", "may open every file by its handle (DAC_READ_SEARCH)"),
    ("SYS_RAWIO", "may write to devices (SYS_RAWIO)"),
];

pub(super) fn add(cluster: &Cluster, aws: &Resources<'_>, builder: &mut Builder) {
    let whole = builder.node(CLUSTER.0, CLUSTER.1, "the cluster");
    for (name, namespace) in &cluster.namespaces {
        let node = builder.node(NodeKind::Namespace, name, name);
        builder.edge(whole, EdgeKind::Contains, node, "is a namespace of it", &cluster.show(namespace.place));
    }
    for node in &cluster.nodes {
        let place = cluster.show(node.place);
        let machine = builder.node(NodeKind::Node, &node.name, &node.name);
        builder.edge(whole, EdgeKind::Contains, machine, "is a node of it", &place);
        if let Some(label) = CONTROL_PLANE.iter().find(|label| node.labels.get(label).is_some()) {
            let fact = format!("{} holds the control plane (label {label})", node.name);
            builder.edge(machine, EdgeKind::Administers, whole, &fact, &place);
        }
    }
    if let [_, ..] = cluster.nodes.as_slice() {
        let any = any_node(builder);
        for node in &cluster.nodes {
            let machine = builder.node(NodeKind::Node, &node.name, &node.name);
            let fact = "whoever makes a pod may choose its node";
            builder.edge(any, EdgeKind::Administers, machine, fact, &cluster.show(node.place));
        }
    } else {
        let machine = any_node(builder);
        builder.edge(whole, EdgeKind::Contains, machine, "runs its workloads", "");
    }
    let accounts = accounts(cluster, aws, builder);
    for secret in &cluster.secrets {
        let key = namespaced(&secret.namespace, &secret.name);
        let node = builder.node(NodeKind::Secret, &key, &format!("secret {key}"));
        let namespace = builder.node(NodeKind::Namespace, &secret.namespace, &secret.namespace);
        builder.edge(namespace, EdgeKind::Contains, node, "is a secret of it", &cluster.show(secret.place));
    }
    for workload in &cluster.workloads {
        add_workload(cluster, workload, &accounts, builder);
    }
}

/// Whether each stated account wants its token mounted.
fn accounts<'c>(
    cluster: &'c Cluster,
    aws: &Resources<'_>,
    builder: &mut Builder,
) -> HashMap<(&'c str, &'c str), bool> {
    let mut wants = HashMap::new();
    for account in &cluster.service_accounts {
        wants.insert(
            (account.namespace.as_str(), account.name.as_str()),
            account.automount_token.unwrap_or(true),
        );
        let place = cluster.show(account.place);
        let node = account_node(builder, &account.namespace, &account.name, &place);
        for (annotation, identity) in &account.cloud_identities {
            let role = builder.node(NodeKind::Role, identity, &format!("role {}", role_name(identity)));
            let trust = aws.web_identity(&account.namespace, &account.name, identity);
            // The annotation asks; the role's trust decides.
            if trust.as_ref().is_some_and(|(truth, ..)| *truth == Truth::No) {
                continue;
            }
            let why = trust.map(|(_, why, at)| format!("; {why} [{at}]")).unwrap_or_default();
            let fact = format!(
                "service account {}/{} may take {identity} ({annotation}){why}",
                account.namespace, account.name
            );
            builder.edge(node, EdgeKind::Becomes, role, &fact, &place);
        }
    }
    wants
}

/// The last part of an ARN or address, as people call it.
fn role_name(identity: &str) -> &str {
    identity.rsplit('/').next().unwrap_or(identity)
}

fn account_node(builder: &mut Builder, namespace: &str, name: &str, place: &str) -> NodeId {
    let key = namespaced(namespace, name);
    let node = builder.node(NodeKind::ServiceAccount, &key, &format!("service account {key}"));
    let of = builder.node(NodeKind::Namespace, namespace, namespace);
    builder.edge(of, EdgeKind::Contains, node, "is a service account of it", place);
    node
}

fn add_workload(
    cluster: &Cluster,
    workload: &Workload,
    accounts: &HashMap<(&str, &str), bool>,
    builder: &mut Builder,
) {
    let place = cluster.show(workload.place);
    let title = workload.title();
    let node = builder.node(NodeKind::Workload, &workload_key(workload), &title);
    let namespace = builder.node(NodeKind::Namespace, &workload.namespace, &workload.namespace);
    builder.edge(namespace, EdgeKind::Contains, node, "is a workload of it", &place);
    let machines = machines(cluster, workload, node, builder, &place);
    for (fact, where_read) in escapes(cluster, workload) {
        for machine in &machines {
            builder.edge(node, EdgeKind::Escapes, *machine, &format!("{title} {fact}"), &where_read);
        }
    }
    let account = workload.spec.service_account.as_str();
    let of_account = accounts.get(&(workload.namespace.as_str(), account)).copied().unwrap_or(true);
    let of_pod = workload.spec.automount_token;
    if of_pod.unwrap_or(of_account)
        || workload.spec.volumes.iter().any(|one| matches!(one.source, VolumeSource::Token(_)))
    {
        let identity = account_node(builder, &workload.namespace, account, &place);
        let fact = format!("{title} holds the token of service account {account}");
        builder.edge(node, EdgeKind::ActsAs, identity, &fact, &place);
    }
    for (secret, how, where_read) in secrets(cluster, workload) {
        let key = namespaced(&workload.namespace, secret);
        let secret = builder.node(NodeKind::Secret, &key, &format!("secret {key}"));
        builder.edge(node, EdgeKind::Reads, secret, &format!("{title} {how}"), &where_read);
        builder.edge(namespace, EdgeKind::Contains, secret, "is a secret of it", &where_read);
    }
}

/// The nodes a workload runs on, as far as they are known, with the pods that say so.
fn machines(
    cluster: &Cluster,
    workload: &Workload,
    node: NodeId,
    builder: &mut Builder,
    place: &str,
) -> Vec<NodeId> {
    let mut machines = Vec::new();
    for pod in &workload.pods {
        let where_read = cluster.show(pod.place);
        let key =
            if pod.uid.is_empty() { namespaced(&workload.namespace, &pod.name) } else { pod.uid.clone() };
        let instance = builder.node(NodeKind::Pod, &key, &namespaced(&workload.namespace, &pod.name));
        builder.edge(node, EdgeKind::Contains, instance, "is a pod of it", &where_read);
        if pod.node.is_empty() {
            continue;
        }
        let machine = builder.node(NodeKind::Node, &pod.node, &pod.node);
        builder.edge(instance, EdgeKind::RunsOn, machine, "was placed on it", &where_read);
        let fact = format!("pod {} runs on {}", pod.name, pod.node);
        builder.edge(node, EdgeKind::RunsOn, machine, &fact, &where_read);
        machines.push(machine);
    }
    if machines.is_empty() {
        let machine = match workload.spec.node.as_str() {
            "" => any_node(builder),
            name => builder.node(NodeKind::Node, name, name),
        };
        let fact = format!("{} may be placed on any node: nothing says where it runs", workload.title());
        builder.edge(node, EdgeKind::RunsOn, machine, &fact, place);
        machines.push(machine);
    }
    machines.sort_unstable();
    machines.dedup();
    machines
}

/// Why whoever controls a workload controls its node: facts with their places.
fn escapes(cluster: &Cluster, workload: &Workload) -> Vec<(String, String)> {
    let spec = &workload.spec;
    let sandboxed = is_sandbox(&spec.runtime_class);
    let mut ways = Vec::new();
    for container in &spec.containers {
        let place = cluster.show(container.place);
        if container.privileged && !sandboxed {
            ways.push((format!("runs container {} privileged", container.name), place.clone()));
        }
        for (capability, how) in DANGEROUS_CAPABILITIES {
            let needs_host_pid = matches!(capability, "SYS_PTRACE");
            if container.capabilities.iter().any(|own| own == capability)
                && (!needs_host_pid || spec.host_pid)
                && !sandboxed
            {
                ways.push((format!("{how} in container {}", container.name), place.clone()));
            }
        }
        if container.unmasked_proc && !sandboxed {
            ways.push((format!("sees an unmasked /proc in container {}", container.name), place.clone()));
        }
        ways.extend(host_paths(cluster, workload, container));
    }
    if spec.host_pid
        && !sandboxed
        && spec.containers.iter().any(|container| runs_as_root(workload, container))
    {
        let fact = "shares the node's processes (hostPID) and may be root".to_owned();
        ways.push((fact, cluster.show(workload.place)));
    }
    ways
}

/// Runtime classes that put a kernel of its own between the workload and the node, by the names people give them.
fn is_sandbox(class: &str) -> bool {
    ["gvisor", "runsc", "kata", "firecracker", "confidential"].iter().any(|name| class.contains(name))
}

fn runs_as_root(workload: &Workload, container: &Container) -> bool {
    let spec = &workload.spec;
    let user = container.run_as_user.or(spec.run_as_user);
    let never_root = container.run_as_non_root.or(spec.run_as_non_root).unwrap_or(false);
    user.map_or(!never_root, |user| user == 0)
}

fn host_paths(cluster: &Cluster, workload: &Workload, container: &Container) -> Vec<(String, String)> {
    let mut ways = Vec::new();
    for mount in &container.mounts {
        let volume = workload.spec.volumes.iter().find(|volume| volume.name == mount.volume);
        let Some((VolumeSource::HostPath(path), volume)) = volume.map(|volume| (&volume.source, volume))
        else {
            continue;
        };
        let trimmed = if path.len() > 1 { path.trim_end_matches('/') } else { path };
        let socket = SOCKETS.iter().any(|socket| trimmed.ends_with(socket));
        let directory = DANGEROUS_PATHS.contains(&trimmed)
            || ["/etc/", "/root/", "/var/lib/kubelet/", "/proc/"]
                .iter()
                .any(|start| trimmed.starts_with(start));
        if socket {
            let fact = format!("has the container runtime's socket {path} in container {}", container.name);
            ways.push((fact, cluster.show(volume.place)));
        } else if directory && !mount.read_only {
            let fact = format!("may write to {path} of the node from container {}", container.name);
            ways.push((fact, cluster.show(volume.place)));
        }
    }
    ways
}

/// The secrets in a workload's containers, how they come there, and where that is said.
fn secrets<'c>(cluster: &Cluster, workload: &'c Workload) -> Vec<(&'c str, String, String)> {
    let of_volumes = workload.spec.volumes.iter().filter_map(|volume| match &volume.source {
        VolumeSource::Secret(name) => Some((
            name.as_str(),
            format!("mounts secret {name} as volume {}", volume.name),
            cluster.show(volume.place),
        )),
        _ => None,
    });
    let of_environment = workload.spec.containers.iter().flat_map(|container| {
        let place = cluster.show(container.place);
        container.secrets.iter().map(move |name| {
            (
                name.as_str(),
                format!("has secret {name} in the environment of {}", container.name),
                place.clone(),
            )
        })
    });
    of_volumes.chain(of_environment).collect()
}
