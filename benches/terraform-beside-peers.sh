#!/usr/bin/env bash
# Terraform at size: CPU seconds of yagura, Trivy and checkov on the same 50,000 generated lines. Peers that are not
# installed are left out.   benches/terraform-beside-peers.sh [LINES]
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
benches/hcl.py "$work/hcl" "${1:-50000}"
cargo build -q --release --locked -p yagura
TIMEFORMAT='%U + %S CPU seconds, %R elapsed'
echo yagura
time target/release/yagura scan "$work/hcl" --only misconfiguration,permission --offline -o json="$work/yagura.json"
if command -v trivy >/dev/null; then
  echo trivy
  time trivy config --timeout 30m --skip-check-update -q -f json -o "$work/trivy.json" "$work/hcl"
fi
if command -v checkov >/dev/null; then
  echo checkov
  time checkov -d "$work/hcl" --framework terraform -o json --compact --quiet --skip-download >"$work/checkov.json" || true
fi
