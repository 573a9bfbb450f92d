#!/usr/bin/env bash
# The main job on examples/acme, stage by stage.
# usage: scripts/demo.sh FLOEC      (the console script; `make demo` gives the one in .venv)
set -euo pipefail

floec="$(cd "$(dirname "${1:?usage: scripts/demo.sh FLOEC}")" && pwd)/$(basename "$1")"
export PATH="$(dirname "$floec"):$PATH" # dbt is installed beside floec
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root"
product=examples/acme/domains/sales/products/orders
build="$product/.floe/build"

stage() { printf '\n== %s\n   $ floec %s\n' "$1" "${*:2}"; }

stage "1/4 read, inherit, check, write" compile "$product" --timings
"$floec" compile "$product" --timings

layout="$(dirname "$(find "$build" -name oci-layout -type f | head -n 1)")"
stage "2/4 digests and signature" verify "$layout"
"$floec" verify "$layout"

stage "3/4 seeds, models and tests on DuckDB" run "$product"
"$floec" run "$product"

stage "4/4 what was written" "(listing of $product/.floe)"
find "$product/.floe" -type f -not -path '*/target/*' -not -path '*/logs/*' -not -path '*/blobs/*' | LC_ALL=C sort | sed 's/^/   /'

digest="$(grep -o 'sha256:[0-9a-f]\{64\}' "$layout/index.json" | head -n 1)"
printf '\nartifact %s\n' "$digest"
