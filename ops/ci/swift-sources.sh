#!/bin/bash
# Prints every hand-written Swift file, one a line: what the formatter formats and the lint looks at.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
roots=(Package.swift)
for root in Sources Tests Plugins Templates; do
    if [[ -d $root ]]; then roots+=("$root"); fi
done
find "${roots[@]}" -name '*.swift' -not -path '*/Generated/*' -not -path '*/.build/*' | sort
