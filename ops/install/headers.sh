#!/bin/bash
# headers.sh ROOT: what plugin authors compile against, as ROOT/include/dome and ROOT/lib/pkgconfig/dome-plugin.pc;
# the same in the tree that `make build` lays out and in an installation.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

version=$(sed -n 's/^## \[\{0,1\}\([0-9][0-9.]*\).*/\1/p' CHANGELOG.md | head -n 1)
filled=$(mktemp -d)
trap 'rm -rf "$filled"' EXIT
mkdir -p "$filled/dome" "$1/lib/pkgconfig"
(cd Sources/PluginABI/include && find dome -name '*.h' -exec install -D -m 644 {} "$filled/{}" \;)
ops/install/sync.sh "$filled/dome" "$1/include/dome"
sed -e "s|@VERSION@|$version|g" ops/install/dome-plugin.pc.in >"$filled/dome-plugin.pc"
chmod 644 "$filled/dome-plugin.pc"
ops/install/replace.sh "$filled/dome-plugin.pc" "$1/lib/pkgconfig/dome-plugin.pc"
