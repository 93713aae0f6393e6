# Ports, protocols and blocks of addresses of firewalls.
package lib.net

import rego.v1

ssh_port := 22

rdp_port := 3389

all_ips := {"*", "0.0.0.0/0", "::/0", "0000:0000:0000:0000:0000:0000:0000:0000/0"}

all_protocols := {"-1", "all"}

protocol(value) := lower(value) if is_string(value)

protocol(value) := format_int(value, 10) if is_number(value)

is_tcp_protocol(value) if protocol(value) in {"6", "tcp"} | all_protocols

is_udp_protocol(value) if protocol(value) in {"17", "udp"} | all_protocols

is_tcp_or_udp_protocol(value) if is_tcp_protocol(value)

is_tcp_or_udp_protocol(value) if is_udp_protocol(value)

is_port_range_include(first, last, port) if {
	first <= port
	port <= last
}

is_ssh_or_rdp_port(rule) if protocol(rule.protocol.value) in all_protocols

is_ssh_or_rdp_port(rule) if {
	some port in [ssh_port, rdp_port]
	is_port_range_include(rule.fromport.value, rule.toport.value, port)
}

cidr_allows_all_ips(block) if block in all_ips
