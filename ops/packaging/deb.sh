#!/bin/bash
# deb.sh ROOT VERSION ARCH: completes an installation in ROOT/usr to the tree of a Debian package.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$1 version=$2 arch=$3
documents=$root/usr/share/doc/dome
mkdir -p "$root/DEBIAN" "$documents" "$root/usr/share/pkgconfig" "$root/usr/share/lintian/overrides"
mv "$root/usr/lib/pkgconfig/dome-plugin.pc" "$root/usr/share/pkgconfig/"
rmdir "$root/usr/lib/pkgconfig"
gzip -9 -n "$root"/usr/share/man/man*/*

sed -e '/^#/d' ops/packaging/copyright >"$documents/copyright"
date=$(date -u -R -d "@$SOURCE_DATE_EPOCH")
printf 'dome (%s) unstable; urgency=medium\n\n  * See CHANGELOG.md.\n\n -- The dome authors <dome@localhost>  %s\n' \
    "$version" "$date" | gzip -9 -n >"$documents/changelog.gz"
gzip -9 -n <CHANGELOG.md >"$documents/CHANGELOG.md.gz"
install -m 644 ops/packaging/lintian-overrides "$root/usr/share/lintian/overrides/dome"
chmod 644 "$documents"/*

# The newest symbol version that a program asks of libc is the libc that the package needs.
symbols() {
    find "$root/usr/bin" "$root/usr/lib" -type f \( -perm /111 -o -name '*.so' \) -exec objdump -T {} + || true
}
libc=$(symbols 2>/dev/null \
    | grep -o 'GLIBC_2[0-9.]*' | sort -uV | tail -n 1)
size=$(du -s --apparent-size -k "$root/usr" | cut -f 1)
cat >"$root/DEBIAN/control" <<END
Package: dome
Version: $version
Architecture: $arch
Maintainer: The dome authors <dome@localhost>
Installed-Size: $size
Depends: libc6 (>= ${libc#GLIBC_}), libgcc-s1, libstdc++6, libnghttp2-14, libsqlite3-0,
 libssl3 | libssl3t64, libseccomp2
Recommends: git, python3, ripgrep, jq, poppler-utils, libcurl4 | libcurl4t64, libffi8, ca-certificates
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
