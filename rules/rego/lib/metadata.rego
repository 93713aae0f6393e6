# The part of a resource that stands nearest to a path.
package lib.cloud.metadata

import rego.v1

has_metadata(of) if of.__defsec_metadata

has_metadata(of) if {
	of.fskey
	_ = of.value
}

# The deepest object on the path that knows where it stands, else the whole.
obj_by_path(of, path) := found if {
	on := {at: part |
		walk(of, [at, part])
		has_metadata(part)
		array.slice(path, 0, count(at)) == at
	}
	found := on[max(object.keys(on))]
} else := of
