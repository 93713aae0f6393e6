# Times as clouds write them; one they never saw is the year 1.
package lib.datetime

import rego.v1

ns_in_day := ((24 * 60) * 60) * 1000000000

zero_time_string := "0001-01-01T00:00:00Z"

is_never(time) := time == zero_time_string

is_valid(time) := time != zero_time_string

days_to_ns(days) := days * ns_in_day

age(time_text) := time.now_ns() - time.parse_rfc3339_ns(time_text)

time_diff_gt_days(time_text, days) := age(time_text) > days_to_ns(days)

time_diff_lt_days(time_text, days) := age(time_text) < days_to_ns(days)
