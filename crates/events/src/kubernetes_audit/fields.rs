//! The table of fields.

use yagura_model::field::{ArgumentRule, FieldType};

use super::pods::What;
use crate::audit::Row;

type Keys = &'static [&'static str];

/// Where a field's values are in an audit event.
#[derive(Clone, Copy, Debug)]
pub(super) enum How {
    /// Behind these keys.
    Text(Keys),
    /// The items of the list there.
    Texts(Keys),
    /// The items of lists in the rules of a role.
    RuleTexts(&'static str),
    /// A parameter of the request's URI.
    Parameter,
    TargetPod,
    Subjects {
        kind: &'static str,
        with_namespace: bool,
    },
    Always(&'static str),
    /// Behind these keys, through every item of lists on the way.
    Each(Keys),
    /// Within the pod's specification.
    Pod(Keys),
    PodTexts(Keys),
    /// Within each volume of the pod.
    Volumes(Keys),
    VolumeTypes,
    HasHostPath,
    Containers {
        list: &'static str,
        what: What,
    },
    FirstContainer(What),
    AnyPrivileged,
}

const NONE: ArgumentRule = ArgumentRule::None;
const INDEX: ArgumentRule = ArgumentRule::OptionalIndex;
const KEY: ArgumentRule = ArgumentRule::RequiredKey;

const fn one(name: &'static str, how: How, description: &'static str) -> Row<How> {
    Row { name, kind: FieldType::Text, list: false, argument: NONE, how, description }
}

const fn keyed(name: &'static str, how: How, description: &'static str) -> Row<How> {
    Row { argument: KEY, ..one(name, how, description) }
}

const fn list(name: &'static str, argument: ArgumentRule, how: How, description: &'static str) -> Row<How> {
    Row { list: true, argument, ..one(name, how, description) }
}

#[rustfmt::skip]
const ROWS: &[Row<How>] = &[
    one("ka.auditid", How::Text(&["auditID"]), "unique id of the audit event"),
    one("ka.stage", How::Text(&["stage"]), "stage of the request, such as ResponseComplete"),
    one("ka.auth.decision", How::Text(&["annotations", "authorization.k8s.io/decision"]), "whether it was allowed"),
    one("ka.auth.reason", How::Text(&["annotations", "authorization.k8s.io/reason"]), "why it was allowed or not"),
    one("ka.auth.openshift.decision", How::Text(&["annotations", "authentication.openshift.io/decision"]), "OpenShift's authentication decision"),
    one("ka.auth.openshift.username", How::Text(&["annotations", "authentication.openshift.io/username"]), "who authenticates with OpenShift"),
    one("ka.validations.admission.policy.failure", How::Text(&["annotations", "validation.policy.admission.k8s.io/validation_failure"]), "what a ValidatingAdmissionPolicy found wrong"),
    one("ka.security.pod.violations", How::Text(&["annotations", "pod-security.kubernetes.io/audit-violations"]), "what breaks the pod security standard"),
    one("ka.user.name", How::Text(&["user", "username"]), "who asks"),
    list("ka.user.groups", NONE, How::Texts(&["user", "groups"]), "groups of who asks"),
    one("ka.impuser.name", How::Text(&["impersonatedUser", "username"]), "who is impersonated"),
    one("ka.verb", How::Text(&["verb"]), "what is asked, such as create"),
    one("ka.uri", How::Text(&["requestURI"]), "URI of the request"),
    keyed("ka.uri.param", How::Parameter, "a parameter of the URI, as in ka.uri.param[command]"),
    one("ka.target.name", How::Text(&["objectRef", "name"]), "name of the object"),
    one("ka.target.namespace", How::Text(&["objectRef", "namespace"]), "namespace of the object"),
    one("ka.target.resource", How::Text(&["objectRef", "resource"]), "resource of the object, such as pods"),
    one("ka.target.subresource", How::Text(&["objectRef", "subresource"]), "subresource, such as exec"),
    one("ka.target.pod.name", How::TargetPod, "name of the pod that was made"),
    list("ka.req.binding.subjects", NONE, How::Texts(&["requestObject", "subjects"]), "subjects of a binding, as JSON"),
    list("ka.req.binding.subjects.user_names", NONE, How::Subjects { kind: "User", with_namespace: false }, "users that are bound"),
    list("ka.req.binding.subjects.serviceaccount_names", NONE, How::Subjects { kind: "ServiceAccount", with_namespace: false }, "service accounts that are bound"),
    list("ka.req.binding.subjects.serviceaccount_ns_names", NONE, How::Subjects { kind: "ServiceAccount", with_namespace: true }, "service accounts that are bound, as namespace:name"),
    list("ka.req.binding.subjects.group_names", NONE, How::Subjects { kind: "Group", with_namespace: false }, "groups that are bound"),
    one("ka.req.binding.role", How::Text(&["requestObject", "roleRef", "name"]), "role that is bound"),
    keyed("ka.req.binding.subject.has_name", How::Always("true"), "always true; kept for old rules"),
    one("ka.req.configmap.name", How::Text(&["objectRef", "name"]), "name of the config map"),
    one("ka.req.configmap.obj", How::Text(&["requestObject", "data"]), "data of the config map, as JSON"),
    one("ka.req.container.image", How::FirstContainer(What::Image), "image of the first container"),
    one("ka.req.container.image.repository", How::FirstContainer(What::Repository), "repository of the first container's image"),
    one("ka.req.container.host_network", How::Pod(&["hostNetwork"]), "as ka.req.pod.host_network"),
    one("ka.req.container.privileged", How::AnyPrivileged, "whether a container is privileged"),
    one("ka.req.pod.host_ipc", How::Pod(&["hostIPC"]), "hostIPC of the pod"),
    one("ka.req.pod.host_network", How::Pod(&["hostNetwork"]), "hostNetwork of the pod"),
    one("ka.req.pod.host_pid", How::Pod(&["hostPID"]), "hostPID of the pod"),
    one("ka.req.pod.run_as_user", How::Pod(&["securityContext", "runAsUser"]), "runAsUser of the pod"),
    one("ka.req.pod.run_as_group", How::Pod(&["securityContext", "runAsGroup"]), "runAsGroup of the pod"),
    one("ka.req.pod.fs_group", How::Pod(&["securityContext", "fsGroup"]), "fsGroup of the pod"),
    list("ka.req.pod.supplemental_groups", NONE, How::PodTexts(&["securityContext", "supplementalGroups"]), "supplementalGroups of the pod"),
    list("ka.req.role.rules", NONE, How::Texts(&["requestObject", "rules"]), "rules of a role, as JSON"),
    list("ka.req.role.rules.apiGroups", INDEX, How::RuleTexts("apiGroups"), "API groups in the rules of a role"),
    list("ka.req.role.rules.nonResourceURLs", INDEX, How::RuleTexts("nonResourceURLs"), "URLs in the rules of a role"),
    list("ka.req.role.rules.verbs", INDEX, How::RuleTexts("verbs"), "verbs in the rules of a role"),
    list("ka.req.role.rules.resources", INDEX, How::RuleTexts("resources"), "resources in the rules of a role"),
    one("ka.req.service.type", How::Text(&["requestObject", "spec", "type"]), "type of the service"),
    list("ka.req.service.ports", INDEX, How::Each(&["requestObject", "spec", "ports"]), "ports of the service, as JSON"),
    list("ka.req.pod.volumes.hostpath", INDEX, How::Volumes(&["hostPath", "path"]), "paths of the host that the pod mounts"),
    keyed("ka.req.volume.hostpath", How::HasHostPath, "whether a path of the host is mounted, as in ka.req.volume.hostpath[/etc*]"),
    list("ka.req.pod.volumes.flexvolume_driver", INDEX, How::Volumes(&["flexVolume", "driver"]), "drivers of flex volumes"),
    list("ka.req.pod.volumes.volume_type", INDEX, How::VolumeTypes, "types of the pod's volumes"),
    one("ka.resp.name", How::Text(&["responseObject", "metadata", "name"]), "name of the object in the response"),
    one("ka.response.code", How::Text(&["responseStatus", "code"]), "status code of the response"),
    one("ka.response.reason", How::Text(&["responseStatus", "reason"]), "why the request failed"),
    one("ka.useragent", How::Text(&["userAgent"]), "user agent of who asks"),
    list("ka.sourceips", INDEX, How::Texts(&["sourceIPs"]), "addresses of who asks"),
    one("ka.cluster.name", How::Text(&["annotations", "cluster_name"]), "name of the cluster"),
];

/// The fields that each of a pod's lists of containers has.
macro_rules! container_rows {
    ($list:literal) => {
        &[
            container(concat!("ka.req.pod.", $list, ".name"), $list, What::Name, "names"),
            container(concat!("ka.req.pod.", $list, ".image"), $list, What::Image, "images"),
            container(
                concat!("ka.req.pod.", $list, ".image.repository"),
                $list,
                What::Repository,
                "repositories of images",
            ),
            container(concat!("ka.req.pod.", $list, ".command"), $list, What::Command, "commands"),
            container(concat!("ka.req.pod.", $list, ".args"), $list, What::Arguments, "arguments"),
            container(
                concat!("ka.req.pod.", $list, ".host_port"),
                $list,
                What::HostPorts,
                "ports of the host",
            ),
            container(
                concat!("ka.req.pod.", $list, ".privileged"),
                $list,
                What::Security(&["privileged"]),
                "privileged",
            ),
            container(
                concat!("ka.req.pod.", $list, ".allow_privilege_escalation"),
                $list,
                What::Security(&["allowPrivilegeEscalation"]),
                "allowPrivilegeEscalation",
            ),
            container(
                concat!("ka.req.pod.", $list, ".read_only_fs"),
                $list,
                What::Security(&["readOnlyRootFilesystem"]),
                "readOnlyRootFilesystem",
            ),
            container(
                concat!("ka.req.pod.", $list, ".run_as_user"),
                $list,
                What::Security(&["runAsUser"]),
                "runAsUser",
            ),
            container(
                concat!("ka.req.pod.", $list, ".eff_run_as_user"),
                $list,
                What::Effective("runAsUser"),
                "user that it runs as, the pod's where it has none, 0 where neither says",
            ),
            container(
                concat!("ka.req.pod.", $list, ".run_as_group"),
                $list,
                What::Security(&["runAsGroup"]),
                "runAsGroup",
            ),
            container(
                concat!("ka.req.pod.", $list, ".eff_run_as_group"),
                $list,
                What::Effective("runAsGroup"),
                "group that it runs as, the pod's where it has none, 0 where neither says",
            ),
            container(
                concat!("ka.req.pod.", $list, ".proc_mount"),
                $list,
                What::Security(&["procMount"]),
                "procMount",
            ),
            container(
                concat!("ka.req.pod.", $list, ".add_capabilities"),
                $list,
                What::Capabilities,
                "capabilities that are added",
            ),
        ]
    };
}

const fn container(
    name: &'static str,
    in_list: &'static str,
    what: What,
    description: &'static str,
) -> Row<How> {
    list(name, INDEX, How::Containers { list: in_list, what }, description)
}

#[rustfmt::skip]
const CONTAINERS: &[&[Row<How>]] = &[
    container_rows!("containers"),
    container_rows!("initContainers"),
    container_rows!("ephemeralContainers"),
];

pub(super) fn rows() -> Vec<Row<How>> {
    ROWS.iter().chain(CONTAINERS.iter().copied().flatten()).copied().collect()
}
