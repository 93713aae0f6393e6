# What tests of checks in Trivy's style assert with.
package lib.test

import rego.v1

trace_and_print(value) if {
	trace(value)
	print(value)
}

assert_empty(value) if count(value) == 0

assert_count(results, expected) if count(results) == expected

assert_equal_message(expected, results) if {
	count(results) == 1
	some result in results
	result.msg == expected
}
