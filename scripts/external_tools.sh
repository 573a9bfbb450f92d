#!/usr/bin/env bash
# Builds the external tools that tests and benchmarks hold floec against, once, pinned, outside the tree.
# usage: scripts/external_tools.sh [opa] [cosign] [peers]      (no argument: opa and cosign; peers are for benchmarks only)
# They land in ${FLOEC_TOOLS:-~/.cache/floec/tools}; what is there already is not built again.
set -euo pipefail

tools="${FLOEC_TOOLS:-$HOME/.cache/floec/tools}"
mkdir -p "$tools"

declare -A module=(
  [opa]="github.com/open-policy-agent/opa@v1.22.2"
  [cosign]="github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3"
)

# What benchmarks run beside floec, in an environment of its own: their dependencies are not ours.
peers=(gordon-to-regorus==0.13.0 dbt-bouncer==4.3.0 dbt-score==0.19.0)

install_peers() {
  if [ "$(cat "$tools/peers/.installed" 2>/dev/null)" = "${peers[*]}" ]; then
    echo "peers: found in the cache"
  elif python3 -m venv "$tools/peers" && "$tools/peers/bin/pip" install --quiet --disable-pip-version-check "${peers[@]}"; then
    echo "${peers[*]}" > "$tools/peers/.installed"
  else
    echo "peers: skipped, the installation failed (benchmarks run without them)"
  fi
}

build() {
  local name="$1"
  if [ -x "$tools/$name" ]; then
    echo "$name: found in the cache"
    return
  fi
  if ! command -v go >/dev/null 2>&1; then
    echo "$name: skipped, Go is not installed (the tests that need it will skip)"
    return
  fi
  echo "$name: building ${module[$name]} ..."
  if ! GOBIN="$tools" CGO_ENABLED=0 go install -trimpath -ldflags '-s -w' "${module[$name]}"; then
    echo "$name: skipped, the build failed (the tests that need it will skip)"
  fi
}

for name in "${@:-opa cosign}"; do
  for one in $name; do
    if [ "$one" = peers ]; then
      install_peers
      continue
    fi
    if [ -z "${module[$one]:-}" ]; then
      echo "unknown tool: $one (known: ${!module[*]} peers)" >&2
      exit 2
    fi
    build "$one"
  done
done
