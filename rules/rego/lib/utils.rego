# Questions about objects.
package lib.utils

import rego.v1

has_key(of, key) if _ = of[key]
