# Questions about the words of a command.
package lib.cmdutil

import rego.v1

is_tool(words, tool) if words[0] == tool

is_command(words, command) if {
	plain := [word | some word in words; not startswith(word, "-")]
	plain[1] == command
}

has_flag(words, flag) if flag in words

to_command_string(words) := concat(" ", words)
