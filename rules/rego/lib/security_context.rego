# What a container inherits from the security context of its pod.
package lib.k8s_sec_context

import rego.v1

inherited := {"runAsGroup", "runAsNonRoot", "runAsUser", "seLinuxOptions", "seccompProfile", "windowsOptions"}

# The container's own settings win.
resolve_container_sec_context(pod, container) := object.union(
	{key: value |
		some key, value in object.get(pod, ["spec", "securityContext"], {})
		key in inherited
	},
	object.get(container, "securityContext", {}),
)
