# What checks in Trivy's style import to ask about Kubernetes objects.
package lib.kubernetes

import rego.v1

import data.lib.k8s_sec_context

default is_gatekeeper := false

is_gatekeeper if {
	input.review.object
}

object := input.review.object if {
	is_gatekeeper
} else := input

kind := object.kind

name := object.metadata.name

api_version := object.apiVersion

default namespace := "default"

namespace := object.metadata.namespace

format(message) := {"msg": message} if {
	is_gatekeeper
} else := message

is_pod if kind == "Pod"

is_cronjob if kind == "CronJob"

controller_kinds := {"DaemonSet", "Deployment", "Job", "ReplicaSet", "ReplicationController", "StatefulSet"}

default is_controller := false

is_controller if kind in controller_kinds

is_controller if {
	kind == "DeploymentConfig"
	api_version == "apps.openshift.io/v1"
}

is_role_binding_kind if kind in {"ClusterRoleBinding", "RoleBinding"}

pods contains object if is_pod

pods contains object.spec.template if is_controller

pods contains object.spec.jobTemplate.spec.template if is_cronjob

# The containers of a pod, each with what the pod's own security context gives it.
pod_containers(pod) := [resolved |
	some list in ["containers", "initContainers"]
	some container in pod.spec[list]
	context := k8s_sec_context.resolve_container_sec_context(pod, container)
	resolved := object_with(container, "securityContext", context)
]

object_with(of, key, value) := json.patch(of, [{"op": "add", "path": [key], "value": value}])

containers contains container if {
	some pod in pods
	some container in pod_containers(pod)
}

containers contains container if {
	some container in pod_containers(object)
}

volumes contains volume if {
	some pod in pods
	some volume in pod.spec.volumes
}

annotations contains pod.metadata.annotations if some pod in pods

host_ipcs contains pod.spec.hostIPC if some pod in pods

host_networks contains pod.spec.hostNetwork if some pod in pods

host_pids contains pod.spec.hostPID if some pod in pods

host_aliases contains pod.spec if some pod in pods

split_image(image) := [image, "latest"] if {
	not contains(image, ":")
}

split_image(image) := [repository, tag] if {
	[repository, tag] := split(image, ":")
}

has_field(of, field) if of[field]

dropped_capability(container, capability) if capability in container.securityContext.capabilities.drop

added_capability(container, capability) if capability in container.securityContext.capabilities.add

no_read_only_filesystem(container) if not has_field(container, "securityContext")

no_read_only_filesystem(container) if {
	has_field(container, "securityContext")
	not has_field(container.securityContext, "readOnlyRootFilesystem")
}

privilege_escalation_allowed(container) if not has_field(container, "securityContext")

privilege_escalation_allowed(container) if {
	has_field(container, "securityContext")
	has_field(container.securityContext, "allowPrivilegeEscalation")
}

command_has_flag(command, pattern) if {
	some word in command
	regex.match(pattern, word)
}

runs(container, program) if regex.match(sprintf("^(.*/)?%s$", [program]), container.command[0])

is_apiserver(container) if runs(container, "kube-apiserver")

is_controllermanager(container) if runs(container, "kube-controller-manager")

is_scheduler(container) if runs(container, "kube-scheduler")

is_etcd(container) if runs(container, "etcd")
