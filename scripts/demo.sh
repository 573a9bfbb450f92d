#!/usr/bin/env bash
# The main job on examples/acme, stage by stage: two YAML files and a dbt project go in; a signed OCI layout, a dbt
# overlay that dbt really runs, and Kubernetes manifests come out. It works on a copy, so the examples stay as they are.
# usage: scripts/demo.sh FLOEC      (the console script; `make demo` gives the one in .venv)
set -euo pipefail

floec="$(cd "$(dirname "${1:?usage: scripts/demo.sh FLOEC}")" && pwd)/$(basename "$1")"
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cp -R "$root/examples/acme" "$root/examples/broken" "$work"
cd "$work"
export XDG_CONFIG_HOME="$work/config"  # a signing key for this demo alone
product=acme/domains/sales/products/orders

stage() { printf '\n== %s\n   $ floec %s\n\n' "$1" "${*:2}"; }
blocked() { local code=0; "$@" || code=$?; printf '   exit code %s\n' "$code"; test "$code" -eq 1; }

stage "1/5 check: an enterprise, a domain and a product, judged by the policies in force" check "$product"
"$floec" check "$product"

stage "2/5 compile: a product with planted violations is blocked, and nothing is written" compile broken/product
blocked "$floec" compile broken/product
test ! -e broken/product/.floe

stage "3/5 run: compile the good product, then let dbt load, build and test it on DuckDB" run "$product"
"$floec" run "$product" > run.log || { cat run.log; exit 1; }
grep -E '^(read|inherit|resolve|facts|ir|policies|emit|found|written|signed|run) |Done\. PASS' run.log

stage "4/5 verify: every digest and the signature; one changed byte is found" verify "$product/.floe/build" --key config/floec/signing.pub
"$floec" verify "$product/.floe/build" --key config/floec/signing.pub
cp -R "$product/.floe/build" changed
blob="$(find changed/blobs -type f | sort | head -n 1)"
printf '?' | dd of="$blob" bs=1 seek=0 conv=notrunc status=none
blocked "$floec" verify changed

stage "5/5 compile: the same input, in another folder, gives the same digest" compile elsewhere/acme/…/orders
mkdir elsewhere
cp -R "$root/examples/acme" elsewhere
first="$("$floec" compile "$product" | tail -n 1)"
second="$("$floec" compile "elsewhere/$product" | tail -n 1)"
test "$first" = "$second"
printf '%s\n' "$second"
