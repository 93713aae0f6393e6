#!/usr/bin/env bash
# Replays one large capture with the program and with Debian's sysdig, under the same condition.
#
#   benches/replay-beside-sysdig.sh CAPTURE [CONDITION]
#
# Prints events a CPU-second and peak memory of both. Without a condition: one that asks of each event what the common
# rules ask (type, descriptor, process, ancestors).
set -euo pipefail
cd "$(dirname "$0")/.."
capture=$1
condition=${2:-'evt.type in (open,openat,connect,execve) and evt.dir=< and (fd.name startswith /etc/shadow or fd.sport=4444 or proc.name in (nc,ncat) or proc.aname=nginx)'}
cargo build --release --locked -q -p yagura
export TZ=UTC

measure() { # name, command…
  local name=$1
  shift
  /usr/bin/time -f '%U %S %M' -o /tmp/replay-beside-sysdig.$$ "$@" >/dev/null
  read -r user system memory </tmp/replay-beside-sysdig.$$
  rm -f /tmp/replay-beside-sysdig.$$
  awk -v n="$name" -v e="$events" -v u="$user" -v s="$system" -v m="$memory" \
    'BEGIN { printf "%-8s %6.2f CPU s  %5.2f M events/CPU s  %6.1f MB\n", n, u + s, e / (u + s) / 1e6, m / 1024 }'
}

events=$(target/release/yagura replay "$capture" --summary --min-priority emergency | awk 'NR == 1 { print $1 }')
echo "$events events, $condition"
measure sysdig sysdig -r "$capture" -p '%evt.num' "$condition"
measure yagura target/release/yagura replay "$capture" -p '%evt.num' --filter "$condition"
measure 'yagura, carried rules' target/release/yagura replay "$capture"
