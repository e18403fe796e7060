#!/bin/bash
# deb.sh ROOT VERSION ARCH: completes an installation in ROOT/usr to the tree of a Debian package.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$1 version=$2 arch=$3
documents=$root/usr/share/doc/dome
# Somebody who makes packages for others says who it is.
maintainer=${DOME_RELEASE_MAINTAINER:-The dome authors <dome@dome.example.org>}
mkdir -p "$root/DEBIAN" "$documents" "$root/usr/share/pkgconfig" "$root/usr/share/lintian/overrides"
mv "$root/usr/lib/pkgconfig/dome-plugin.pc" "$root/usr/share/pkgconfig/"
rmdir "$root/usr/lib/pkgconfig"
gzip -9 -n "$root"/usr/share/man/man*/*

sed -e '/^#/d' ops/packaging/copyright >"$documents/copyright"
date=$(date -u -R -d "@$SOURCE_DATE_EPOCH")
printf 'dome (%s) unstable; urgency=medium\n\n  * See CHANGELOG.md.\n\n -- %s  %s\n' \
    "$version" "$maintainer" "$date" | gzip -9 -n >"$documents/changelog.gz"
gzip -9 -n <CHANGELOG.md >"$documents/CHANGELOG.md.gz"
install -m 644 ops/packaging/lintian-overrides "$root/usr/share/lintian/overrides/dome"
chmod 644 "$documents"/*

# What the programs are linked with is what the package needs, what plugins are linked with is recommended: without it
# that one plugin says what it lacks. dpkg-shlibdeps wants to be in a source package.
source=$(mktemp -d)
trap 'rm -rf "$source"' EXIT
mkdir "$source/debian"
printf 'Source: dome\n\nPackage: dome\nArchitecture: any\n' >"$source/debian/control"
programs=("$root"/usr/bin/* "$root/usr/lib/dome/domed-plugin-probe")
plugins=("$root"/usr/lib/dome/plugins/*/*.so)
(
    cd "$source"
    dpkg-shlibdeps --warnings=0 -Tvariables "${programs[@]/#/-e}" -dRecommends "${plugins[@]/#/-e}"
)
variable() { sed -n "s/^shlibs:$1=//p" "$source/variables"; }
depends=$(variable Depends)
[[ $depends == *libc6* && $depends == *libsqlite3-0* ]] || {
    echo "deb: dpkg-shlibdeps found only these dependencies: $depends" >&2
    exit 1
}
recommends=$(variable Recommends)
size=$(du -s --apparent-size -k "$root/usr" | cut -f 1)
cat >"$root/DEBIAN/control" <<END
Package: dome
Version: $version
Architecture: $arch
Maintainer: $maintainer
Installed-Size: $size
Depends: $depends
Recommends: ${recommends:+$recommends, }git, python3, ripgrep, jq, poppler-utils, ca-certificates
Suggests: chromium-headless-shell, python3-pytest
Section: devel
Priority: optional
Description: runs tools as sandboxed, durable jobs
 A per-user daemon through which AI coding agents, scripts and people discover
 tools, run them as jobs in a sandbox, follow their output as numbered events,
 and can prove afterwards what ran.
 .
 Start it with "systemctl --user start domed", or just run "dome tools".
END
(cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum >DEBIAN/md5sums)
