#!/bin/bash
# dist.sh BIN OUT: what is released, from what `make build` left beside BIN: a tarball that runs from anywhere, a Debian
# package, an SPDX SBOM, SHA256SUMS with an Ed25519 signature, and the manifest that says all of it.
#
# The same commit gives the same bytes, in whatever folder it was built: times are the commit's, names are sorted,
# owners are root, and what the compiler says of the folder is taken out (normalize.py).
#
#   DOME_RELEASE_KEY   Ed25519 private key (PEM) to sign with; without it, one of this machine's
#                      (build/release-key.pem), made if it is missing: good for trying, nobody has reason to trust it
#   DOME_RELEASE_URL   where the artifacts will be (default: file names alone)
#   DOME_RELEASE_REPO  the repository's name in the manifest (default: dome)
#   DOME_RELEASE_MAINTAINER   who the Debian package says it is from, NAME <ADDRESS>
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
bin=$1 out=$2
umask 022
export LC_ALL=C TZ=UTC
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
version=$(sed -n 's/.*static let text = "\(.*\)"/\1/p' Sources/Host/Model/DomeVersion.swift)
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || {
    echo "dist: no version in DomeVersion.swift" >&2
    exit 1
}
case $(uname -m) in
x86_64) arch=amd64 ;;
aarch64) arch=arm64 ;;
*)
    echo "dist: releases are for x86_64 and aarch64, not $(uname -m)" >&2
    exit 1
    ;;
esac
name=domed-$version-linux-$arch
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -rf "$out"
mkdir -p "$out"

# stage ROOT PREFIX: an installation without what a debugger reads, every time the commit's.
stage() {
    ops/install/install.sh "$bin" "$1" "$2" >/dev/null
    local programs
    mapfile -d '' programs < <(find "$1" -type f \
        \( -path '*/bin/*' -o -name '*.so' -o -path '*/lib/dome/domed-*' \) -print0)
    strip --strip-unneeded --remove-section=.comment --remove-section=.note "${programs[@]}"
    ops/packaging/normalize.py "${programs[@]}"
}
dated() { find "$1" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +; }

# The tarball has no units in a place that systemd looks in: `dome service install` writes them where it is unpacked.
stage "$work/tree" "/$name"
rm -rf "$work/tree/$name/lib/systemd"
install -m 644 LICENSE README.md CHANGELOG.md "$work/tree/$name/"
dated "$work/tree"
tar --create --sort=name --format=gnu --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" \
    -C "$work/tree" "$name" | gzip -9 -n >"$out/$name.tar.gz"

stage "$work/deb" /usr
ops/packaging/deb.sh "$work/deb" "$version" "$arch"
dated "$work/deb"
# One thread: with several, xz cuts its blocks by the number of processors.
deb=$out/dome_${version}_$arch.deb
dpkg-deb --root-owner-group -Zxz -z2 --threads-max=1 --build "$work/deb" "$deb" >/dev/null 2>&1 \
    || dpkg-deb --root-owner-group -Zxz -z2 --build "$work/deb" "$deb" >/dev/null

key=${DOME_RELEASE_KEY:-}
if [[ -z $key ]]; then
    key=$PWD/build/release-key.pem
    mkdir -p build
    [[ -f $key ]] || (umask 077 && openssl genpkey -algorithm ed25519 -out "$key")
    echo "dist: signed with this machine's own key, $key; DOME_RELEASE_KEY names the project's" >&2
fi
swift_version=$("${SWIFT:-swift}" --version 2>/dev/null | sed -n 's/.*Swift version \([0-9.]*\).*/\1/p' | head -n 1)
python3 ops/packaging/manifest.py --out "$out" --version "$version" --arch "$arch" --key "$key" \
    --url "${DOME_RELEASE_URL:-}" --repo "${DOME_RELEASE_REPO:-dome}" --epoch "$SOURCE_DATE_EPOCH" \
    --commit "$(git rev-parse HEAD)" --swift "$swift_version"
(cd "$out" && ls -l)
