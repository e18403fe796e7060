#!/bin/bash
# sync.sh FROM TO: directory TO becomes a copy of FROM, with files where FROM has links to files; what FROM does not
# have is removed. Everybody may read it: git keeps no more of a mode than whether a file is executable.
set -euo pipefail
diff -rq "$1" "$2" >/dev/null 2>&1 && exit 0
mkdir -p "$(dirname "$2")"
new=$2.new.$$ old=$2.old.$$
trap 'rm -rf "$new" "$old"' EXIT
mkdir -p "$new"
if [[ -d $1 ]]; then cp -RL "$1/." "$new/"; fi
chmod -R u=rwX,go=rX "$new"
if [[ -e $2 ]]; then mv "$2" "$old"; fi
mv "$new" "$2"
