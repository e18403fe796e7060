#!/bin/bash
# Everything that can be judged without running dome. All steps run; the last lines name those that failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
SWIFT=${SWIFT:-swift}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=()

# step NAME COMMAND…: shows the command's output only when it fails or warns.
step() {
    local name=$1 status=0
    shift
    "$@" >"$scratch/output" 2>&1 || status=$?
    if [[ $status -eq 0 ]]; then
        printf 'ok      %s\n' "$name"
        grep -E '^warning:' "$scratch/output" || true
    else
        printf 'FAILED  %s\n' "$name"
        sed 's/^/        /' "$scratch/output"
        failed+=("$name")
    fi
}

swift_format() { ops/ci/swift-sources.sh | xargs -d '\n' "$SWIFT" format lint --strict --parallel; }

# Each public header on its own, in both languages a plugin may be written in.
headers() {
    local header status=0 strict=(-Wall -Wextra -Wpedantic -Werror -fsyntax-only -ISources/PluginABI/include)
    for header in Sources/PluginABI/include/dome/*.h Sources/PluginABI/include/dome/*/*.h; do
        [[ -f $header ]] || continue
        printf '#include "%s"\ntypedef int something;\n' "${header#Sources/PluginABI/include/}" >"$scratch/alone.c"
        cp "$scratch/alone.c" "$scratch/alone.cc"
        "${CC:-cc}" -std=c11 "${strict[@]}" "$scratch/alone.c" || status=1
        "${CXX:-c++}" -std=c++17 "${strict[@]}" "$scratch/alone.cc" || status=1
    done
    return $status
}

scripts() {
    find . \( -name .build -o -name .venv -o -name .git -o -name build \) -prune -o \
        \( -name '*.sh' -o -path ./.ci/run \) -type f -print0 | xargs -0 shellcheck --external-sources
}

# The units name programs of an installation that need not be here, so they are verified against stand-ins.
units() {
    local unit program stage suffix name
    mkdir -p "$scratch/units" "$scratch/bin" "$scratch/runtime"
    chmod 700 "$scratch/runtime"
    for program in domed domed-keeper; do
        printf '#!/bin/sh\n' >"$scratch/bin/$program"
        chmod +x "$scratch/bin/$program"
    done
    for unit in ops/systemd/user/*.in; do
        for stage in prod dev; do
            suffix=${stage/#/-} suffix=${suffix/#-prod/}
            name=$(basename "$unit" .in)
            sed -e "s|@BINDIR@|$scratch/bin|g" -e "s|@STAGE@|$stage|g" -e "s|@SUFFIX@|$suffix|g" "$unit" \
                >"$scratch/units/domed$suffix${name#domed}"
        done
    done
    XDG_RUNTIME_DIR=$scratch/runtime systemd-analyze verify --user --man=no --recursive-errors=no "$scratch"/units/*
}

# Parsed as AppArmor 4 does; an older parser (Debian 12's) knows neither its abi nor `userns`, and gets the rest.
apparmor() {
    local profile=$scratch/dome.apparmor edits=(-e 's|@PREFIX@|/usr/local|g')
    [[ -e /etc/apparmor.d/abi/4.0 ]] || edits+=(-e 's|<abi/4.0>|<abi/3.0>|' -e '/^  userns,$/d')
    sed "${edits[@]}" ops/apparmor/dome.in >"$profile"
    /usr/sbin/apparmor_parser --skip-kernel-load --skip-cache "$profile"
}

step "format (make fmt repairs it)" swift_format
step "layers" python3 ops/ci/layers.py
step "layers: self-test" python3 ops/ci/layers.py --self-test
step "sizes and forbidden words" python3 ops/ci/rules.py
step "plugin headers as C11 and C++17" headers
step "shellcheck" scripts
step "systemd units" units
step "AppArmor profile" apparmor
if [[ -e ops/ci/check-proto.sh ]]; then
    step "generated code and buf" env PATH="$PWD/.venv/bin:$PATH" ops/ci/check-proto.sh
else
    echo "absent  ops/ci/check-proto.sh"
fi

if [[ ${#failed[@]} -gt 0 ]]; then
    printf 'check: FAILED: %s\n' "$(printf '%s; ' "${failed[@]}")" >&2
    exit 1
fi
