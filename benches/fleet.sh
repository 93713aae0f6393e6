#!/bin/sh
# Measures the graph on a generated fleet: 1,000 nodes, 50,000 pods, 5,000 policies, 2,000 roles, 100,000 vulnerable
# packages at scale 1; a quarter and half of it show how time and memory grow.
set -eu
cd "$(dirname "$0")/.."
for scale in ${*:-0.25 0.5 1}; do
    cargo bench --locked -q -p yagura-assess --bench fleet -- "$scale"
done
