#!/usr/bin/env bash
# What works today, on the examples, stage by stage.
# usage: scripts/demo.sh FLOEC      (the console script; `make demo` gives the one in .venv)
set -euo pipefail

floec="$(cd "$(dirname "${1:?usage: scripts/demo.sh FLOEC}")" && pwd)/$(basename "$1")"
cd "$(dirname "${BASH_SOURCE[0]}")/.."

stage() { printf '\n== %s\n   $ floec %s\n' "$1" "${*:2}"; }

stage "1/3 an enterprise, a domain and a product: read, validated, joined" check examples/acme
"$floec" check examples/acme/enterprise examples/acme/domains/sales examples/acme/domains/sales/products/orders

stage "2/3 a misspelt key is refused, and the right word named" check examples/broken_documents/misspelt_key
code=0
"$floec" check examples/broken_documents/misspelt_key || code=$?
printf '   exit code %s\n' "$code"
test "$code" -eq 1

stage "3/3 a query in Rego" eval '{name | some name in ["brz_orders", "slv_orders"]; startswith(name, "brz_")}'
"$floec" eval '{name | some name in ["brz_orders", "slv_orders"]; startswith(name, "brz_")}' --format values
