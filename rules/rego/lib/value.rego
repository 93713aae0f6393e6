# Values of resources that may be unresolvable: what is not known is neither.
package lib.cloud.value

import rego.v1

is_unresolvable(value) if value.unresolvable

is_known(value) if not is_unresolvable(value)

is_equal(value, raw) := false if {
	is_unresolvable(value)
} else := value.value == raw

is_not_equal(value, raw) := false if {
	is_unresolvable(value)
} else := value.value != raw

is_true(value) := is_equal(value, true)

is_false(value) := is_equal(value, false)

is_empty(value) := is_equal(value, "")

is_not_empty(value) := is_not_equal(value, "")

less_than(value, other) := false if {
	is_unresolvable(value)
} else := value.value < other

greater_than(value, other) := false if {
	is_unresolvable(value)
} else := value.value > other
