# What checks in Trivy's style import to ask about Dockerfiles.
package lib.docker

import rego.v1

instructions(name) := [command |
	some stage in input.Stages
	some command in stage.Commands
	command.Cmd == name
]

stage_instructions(name) := {stage: commands |
	some stage in input.Stages
	commands := [command |
		some command in stage.Commands
		command.Cmd == name
	]
}

from := instructions("from")

run := instructions("run")

copy := instructions("copy")

add := instructions("add")

user := instructions("user")

expose := instructions("expose")

workdir := instructions("workdir")

entrypoint := instructions("entrypoint")

healthcheck := instructions("healthcheck")

stage_run := stage_instructions("run")

stage_cmd := stage_instructions("cmd")

stage_copies := stage_instructions("copy")

stage_user := stage_instructions("user")

stage_entrypoints := stage_instructions("entrypoint")

stage_healthcheck := stage_instructions("healthcheck")

split_cmd(line) := sh.parse_commands(line)

# Where among commands a package manager is asked for something: both words stand in it, the manager first.
command_indexes(commands, verbs, managers) := found if {
	found := [at |
		some at, words in commands
		some i, manager in words
		manager in managers
		some j, verb in words
		verb in verbs
		i < j
	]
	count(found) > 0
}
