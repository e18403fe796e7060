#!/bin/bash
# replace.sh FROM TO: TO becomes a copy of FROM, in one rename and only if it differs.
#
# A library or manifest may be in use by a running daemon: overwriting it in place would change the
# pages under the process that mapped it.
set -euo pipefail
cmp -s "$1" "$2" && exit 0
trap 'rm -f "$2.new.$$"' EXIT
cp "$1" "$2.new.$$"
mv -f "$2.new.$$" "$2"
