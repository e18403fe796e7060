#!/bin/bash
# Every test: Swift's unit tests (debug), then pytest over the release binaries. Both always run, so that
# one report names everything that is wrong.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
SWIFT=${SWIFT:-swift}
failed=()

$SWIFT build --build-tests || failed+=("building the unit tests")
if [[ ${#failed[@]} -eq 0 ]]; then
    mkdir -p build
    $SWIFT test --skip-build --disable-xctest 2>&1 | tee build/swift-test.log || failed+=("swift test")
    # What this machine cannot run is not tested here, and CI must not take that for success.
    if [[ ${CI:-} =~ ^(1|true)$ ]] && grep -E '^➜ .*(skipped|cancelled)' build/swift-test.log; then
        failed+=("swift test: the skips above are failures in CI")
    fi
fi

suites=()
for suite in Contract Interop Integration System Security; do
    if [[ -n $(find "Tests/$suite" -name 'test_*.py' -print -quit 2>/dev/null) ]]; then
        suites+=("Tests/$suite")
    fi
done
if [[ ${#suites[@]} -gt 0 ]]; then
    DOME_BIN_DIR=$(readlink -f .build/release)
    export DOME_BIN_DIR
    .venv/bin/python -m pytest -c Tests/pytest.ini --rootdir . --durations=25 "${suites[@]}" || failed+=("pytest")
else
    echo "test: no pytest suites yet"
fi

if [[ ${#failed[@]} -gt 0 ]]; then
    printf 'test: FAILED: %s\n' "${failed[*]}" >&2
    exit 1
fi
