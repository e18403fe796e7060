#!/usr/bin/env bash
# Generates Sources/Host/Proto/Generated from the .proto files: `make gen`. Without DOME_PROTO_ROOT and DOME_GEN_OUT
# also the code of the differential test's own .proto.
#
#   DOME_PROTO_ROOT   where the .proto files lie            (default: proto); files that another checkout's root
#                     lacks are taken from this one, unless DOME_GEN_IMPORT is set
#   DOME_GEN_OUT      where the Swift files go              (default: Sources/Host/Proto/Generated)
#   DOME_GEN_IMPORT   module to import, for output that is not part of DomeProto (default: none)
#   DOME_SCRATCH      SwiftPM's build directory             (default: .build)
#
# The output directory belongs to this script: Swift files in it that are no longer generated are removed.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
fail() { echo "gen: $*" >&2; exit 1; }
absolute() { (cd "$1" && pwd); }

proto_root=${DOME_PROTO_ROOT:-$root/proto}
[[ -d $proto_root ]] || fail "no directory $proto_root (DOME_PROTO_ROOT)"
proto_root=$(absolute "$proto_root")
out=${DOME_GEN_OUT:-$root/Sources/Host/Proto/Generated}
mkdir -p "$out"
out=$(absolute "$out")
command -v protoc >/dev/null || fail "protoc is missing; on Debian: apt-get install protobuf-compiler (make deps)"

proto_files() { (cd "$1" && find . -name '*.proto' -printf '%P\n'); }
[[ -n $(proto_files "$proto_root") ]] || fail "no .proto file under $proto_root"
roots=("$proto_root")
[[ -n ${DOME_GEN_IMPORT:-} || $proto_root == "$root/proto" ]] || roots+=("$root/proto")
mapfile -t protos < <(for each in "${roots[@]}"; do proto_files "$each"; done | LC_ALL=C sort -u)

fresh=$(mktemp -d)
aside=$(mktemp -d)
generated=$root/Sources/Host/Proto/Generated
clean_up() {
    # Whatever was set aside and not replaced goes back.
    find "$aside" -name '*.swift' -exec mv -n -t "$generated" {} +
    rm -rf "$fresh" "$aside"
}
trap clean_up EXIT

build=(swift build --package-path "$root" --product protoc-gen-dome --scratch-path "${DOME_SCRATCH:-$root/.build}")
if ! "${build[@]}" >"$fresh/log" 2>&1; then
    # The generator lies on the same runtime as the code that it generates. Old output that does not fit a changed
    # runtime must not keep the generator from being built.
    find "$generated" -name '*.swift' -exec mv -t "$aside" {} +
    "${build[@]}" >"$fresh/log" 2>&1 || { tail -n 60 "$fresh/log" >&2; fail "protoc-gen-dome does not build"; }
fi
plugin=$("${build[@]}" --show-bin-path)/protoc-gen-dome
[[ -x $plugin ]] || fail "$plugin is missing although the build succeeded"

options=()
[[ -z ${DOME_GEN_IMPORT:-} ]] || options+=("--dome_opt=import=$DOME_GEN_IMPORT")
# protoc takes a name that exists below the current directory for that file: go where nothing does.
(cd "$aside" && protoc "${roots[@]/#/-I}" --plugin=protoc-gen-dome="$plugin" --dome_out="$fresh" "${options[@]}" \
    "${protos[@]}") || fail "protoc failed"

mapfile -t files < <(find "$fresh" -maxdepth 1 -name '*.swift' -size +0 -printf '%f\n' | LC_ALL=C sort)
# Each .proto gives a descriptor at least, and there is one index.
((${#files[@]} > ${#protos[@]})) || fail "${#protos[@]} .proto files gave only ${#files[@]} Swift files"

if [[ $out == "$generated" ]]; then
    # Old files that were set aside are replaced by what follows.
    find "$aside" -name '*.swift' -delete
fi
# Files that did not change keep their modification time, and SwiftPM its build.
for old in "$out"/*.swift; do
    [[ ! -e $old || -e $fresh/$(basename "$old") ]] || rm "$old"
done
for file in "${files[@]}"; do
    cmp -s "$fresh/$file" "$out/$file" || cp "$fresh/$file" "$out/$file"
done
echo "gen: ${#files[@]} Swift files from ${#protos[@]} .proto files in $out"

if [[ -z ${DOME_PROTO_ROOT:-}${DOME_GEN_OUT:-} ]]; then
    test=$root/Tests/Contract/proto-roundtrip
    DOME_PROTO_ROOT=$test/proto DOME_GEN_OUT=$test/Generated DOME_GEN_IMPORT=DomeProto "$0"
fi
