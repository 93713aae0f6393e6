#!/bin/sh
# Measures the advisory database: compile rate and memory, size, open time, look-ups, 110,000 inventories.
# YAGURA_DATA names the directory with osv/<Ecosystem>/all.zip (default: ../shared/data beside the repository).
set -eu
cd "$(dirname "$0")/.."
: "${YAGURA_DATA:=$(pwd)/../shared/data}"
export YAGURA_DATA
exec cargo bench --locked -p yagura-detect --bench advisories
