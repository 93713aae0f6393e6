//! `container.*` and `k8s.*`.

use yagura_model::field::{Argument, FieldValue};

use super::names::FieldId;
use super::view::EventView;
use crate::state::{Container, ContainerRuntime, Mount, ProbeKind};

const POD_NAME: &str = "io.kubernetes.pod.name";
const POD_NAMESPACE: &str = "io.kubernetes.pod.namespace";
const POD_UID: &str = "io.kubernetes.pod.uid";
const SANDBOX_ID: &str = "io.kubernetes.sandbox.id";

fn known(text: &str) -> Option<FieldValue<'_>> {
    (!text.is_empty()).then(|| FieldValue::text(text))
}

impl<'a> EventView<'a> {
    pub(super) fn container_value(&self, id: FieldId, argument: &Argument) -> Option<FieldValue<'a>> {
        let thread = self.thread()?;
        let Some(container_id) = thread.container.as_deref() else {
            return match id {
                FieldId::ContainerId | FieldId::ContainerName | FieldId::ContainerType => {
                    Some(FieldValue::text("host"))
                }
                _ => None,
            };
        };
        if id == FieldId::ContainerId {
            return Some(FieldValue::text(container_id));
        }
        let container = self.container()?;
        let truth = |value| Some(FieldValue::Boolean(value));
        let label = |name| container.label(name).and_then(known);
        match id {
            FieldId::ContainerFullId => known(&container.full_id),
            FieldId::ContainerName => known(&container.name),
            FieldId::ContainerImage => known(&container.image),
            FieldId::ContainerImageId => known(&container.image_id),
            FieldId::ContainerImageRepository => known(&container.image_repository),
            FieldId::ContainerImageTag => known(&container.image_tag),
            FieldId::ContainerImageDigest => known(&container.image_digest),
            FieldId::ContainerType => (container.runtime != ContainerRuntime::Unknown)
                .then(|| FieldValue::text(container.runtime.name())),
            FieldId::ContainerPrivileged => container.privileged.map(FieldValue::Boolean),
            FieldId::ContainerMounts => {
                let all: Vec<String> = container.mounts.iter().map(mount_text).collect();
                Some(FieldValue::owned_text(all.join(",")))
            }
            FieldId::ContainerMount
            | FieldId::ContainerMountSource
            | FieldId::ContainerMountDest
            | FieldId::ContainerMountMode
            | FieldId::ContainerMountRdwr
            | FieldId::ContainerMountPropagation => mount_value(id, container, argument),
            FieldId::ContainerHealthcheck => Some(probe(container, ProbeKind::HealthCheck)),
            FieldId::ContainerLivenessProbe => Some(probe(container, ProbeKind::Liveness)),
            FieldId::ContainerReadinessProbe => Some(probe(container, ProbeKind::Readiness)),
            FieldId::ContainerStartTs => (container.created_ts != 0).then_some(FieldValue::Time {
                nanoseconds: container.created_ts,
                style: yagura_model::field::TimeStyle::Number,
            }),
            FieldId::ContainerDuration => (container.created_ts != 0)
                .then(|| FieldValue::Unsigned(self.event.ts.saturating_sub(container.created_ts))),
            FieldId::ContainerIp | FieldId::K8sPodIp => known(&container.ip),
            FieldId::ContainerCniJson | FieldId::K8sPodCniJson => known(&container.cni_json),
            FieldId::ContainerHostPid => truth(container.host_pid),
            FieldId::ContainerHostIpc => truth(container.host_ipc),
            FieldId::ContainerHostNetwork => truth(container.host_network),
            FieldId::ContainerLabel | FieldId::K8sPodLabel => label(argument.key()?),
            FieldId::ContainerLabels => labels(&container.labels),
            FieldId::K8sPodLabels => {
                labels(&container.pod_sandbox_labels).or_else(|| labels(&container.labels))
            }
            FieldId::K8sNsName => label(POD_NAMESPACE),
            FieldId::K8sPodName => label(POD_NAME),
            FieldId::K8sPodId | FieldId::K8sPodUid => label(POD_UID),
            FieldId::K8sPodFullSandboxId => label(SANDBOX_ID),
            FieldId::K8sPodSandboxId => {
                container.label(SANDBOX_ID).map(|id| FieldValue::text(id.get(..12).unwrap_or(id)))
            }
            _ => None,
        }
    }
}

fn labels(labels: &[(String, String)]) -> Option<FieldValue<'_>> {
    if labels.is_empty() {
        return None;
    }
    let all: Vec<String> = labels.iter().map(|(name, value)| format!("{name}:{value}")).collect();
    Some(FieldValue::owned_text(all.join(", ")))
}

fn mount_text(mount: &Mount) -> String {
    let Mount { source, destination, mode, writable, propagation } = mount;
    format!("{source}:{destination}:{mode}:{writable}:{propagation}")
}

fn mount_value<'c>(id: FieldId, container: &'c Container, argument: &Argument) -> Option<FieldValue<'c>> {
    let mount = match argument {
        Argument::Index(index) => container.mounts.get(usize::try_from(*index).ok()?)?,
        // A source is found by its destination, everything else by its source.
        Argument::Key(pattern) if id == FieldId::ContainerMountSource => container
            .mounts
            .iter()
            .find(|mount| matches_pattern(pattern.as_bytes(), mount.destination.as_bytes()))?,
        Argument::Key(pattern) => container
            .mounts
            .iter()
            .find(|mount| matches_pattern(pattern.as_bytes(), mount.source.as_bytes()))?,
        Argument::None => return None,
    };
    Some(match id {
        FieldId::ContainerMount => FieldValue::owned_text(mount_text(mount)),
        FieldId::ContainerMountSource => FieldValue::text(&mount.source),
        FieldId::ContainerMountDest => FieldValue::text(&mount.destination),
        FieldId::ContainerMountMode => FieldValue::text(&mount.mode),
        FieldId::ContainerMountRdwr => FieldValue::text(if mount.writable { "true" } else { "false" }),
        _ => FieldValue::text(&mount.propagation),
    })
}

/// Shell patterns with `*` and `?`, where `*` goes over slashes. Quadratic at worst: one place to go back to.
fn matches_pattern(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut in_text) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while let Some(byte) = text.get(in_text) {
        match pattern.get(at) {
            Some(b'*') => {
                back = Some((at + 1, in_text));
                at += 1;
            }
            Some(expected) if *expected == b'?' || expected == byte => {
                at += 1;
                in_text += 1;
            }
            _ => match back {
                Some((after_star, from)) => {
                    back = Some((after_star, from + 1));
                    (at, in_text) = (after_star, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern.get(at..).is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
}

fn probe(container: &Container, kind: ProbeKind) -> FieldValue<'_> {
    match container.probes.iter().find(|probe| probe.kind == kind) {
        Some(probe) => {
            let mut line = probe.exe.clone();
            for argument in &probe.args {
                line.push(' ');
                line.push_str(argument);
            }
            FieldValue::owned_text(line)
        }
        None => FieldValue::text("NONE"),
    }
}

#[cfg(test)]
mod tests {
    use super::matches_pattern;

    #[test]
    fn patterns_match_as_the_shell_does() {
        assert!(matches_pattern(b"/var/run/*", b"/var/run/docker.sock"));
        assert!(matches_pattern(b"/*/a?c*", b"/x/y/abc"));
        assert!(matches_pattern(b"*", b""));
        assert!(!matches_pattern(b"/var", b"/var/run"));
        assert!(!matches_pattern(b"a*b*c*d", &[b'a'; 4096]));
    }
}
