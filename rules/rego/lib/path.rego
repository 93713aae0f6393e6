# Paths as Dockerfiles write them, compared without quotes and slashes at their ends.
package lib.path

import rego.v1

is_sub_path(inner, outer) if startswith(clean_path(inner), clean_path(outer))

clean_path(path) := cut_suffix(cut_prefix(cut_prefix(unquote(path), "."), "/"), "/")

unquote(text) := cut_prefix(cut_suffix(text, "\""), "\"")

cut_prefix(text, start) := trim_prefix(text, start)

cut_suffix(text, ending) := trim_suffix(text, ending)

remove_leading_dot(path) := cut_prefix(path, ".")

remove_leading_slash(path) := cut_prefix(path, "/")

remove_trailing_slash(path) := cut_suffix(path, "/")
