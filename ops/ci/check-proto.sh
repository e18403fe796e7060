#!/usr/bin/env bash
# The contract's checks, part of `make check`: lint, no breaking change, generated code up to date.
#
#   BUF   the buf to use (default: .venv/bin/buf, made by `make deps`, else the one in PATH)
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
fail() { echo "check-proto: $*" >&2; exit 1; }

buf=${BUF:-}
[[ -n $buf ]] || { [[ -x .venv/bin/buf ]] && buf=.venv/bin/buf || buf=$(command -v buf || true); }
[[ -n $buf ]] || fail "buf is missing: make deps (PyPI: buf-bin)"

echo "check-proto: buf lint"
"$buf" lint || fail "buf lint found something"

# The baseline is the published contract as text, so that a fresh clone without tags can compare.
echo "check-proto: buf breaking against proto-baseline"
"$buf" breaking proto --against proto-baseline --config buf.yaml ||
    fail "the published contract changed; add new numbers instead"

echo "check-proto: generated code"
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
test=Tests/Contract/proto-roundtrip
mkdir "$fresh/main" "$fresh/test"
DOME_PROTO_ROOT=proto DOME_GEN_OUT=$fresh/main ops/ci/gen.sh
DOME_PROTO_ROOT=$test/proto DOME_GEN_OUT=$fresh/test DOME_GEN_IMPORT=DomeProto ops/ci/gen.sh
diff -ru Sources/Host/Proto/Generated "$fresh/main" || fail "generated code is out of date: make gen"
diff -ru "$test/Generated" "$fresh/test" || fail "the test's generated code is out of date: make gen"
echo "check-proto: ok"
