#!/usr/bin/env python3
"""Writes what accompanies a release's artifacts: the SBOM (SPDX 2.3), SHA256SUMS with its signature, the public key and
daemons-release-manifest.json. The same artifacts, key and commit give the same bytes."""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import subprocess
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

# What the programs are linked with: at run time, and the one that is inside them.
LIBRARIES = [
    ("libnghttp2", "MIT", "dynamic"), ("libsqlite3", "blessing", "dynamic"), ("libcrypto", "Apache-2.0", "dynamic"),
    ("libseccomp", "LGPL-2.1-only", "dynamic"), ("libcurl", "curl", "dynamic"), ("libffi", "MIT", "dynamic"),
    ("glibc", "LGPL-2.1-or-later", "dynamic"),
]  # fmt: skip


def sign(key: Path, content: bytes) -> bytes:
    """Ed25519 (RFC 8032) over the bytes themselves, by the openssl of this machine."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        command = ["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", str(key), "-in", file.name]
        return subprocess.run(command, check=True, capture_output=True).stdout


def public_key(key: Path) -> str:
    command = ["openssl", "pkey", "-in", str(key), "-pubout"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def package(name: str, version: str, license_id: str) -> dict[str, Any]:
    return {
        "SPDXID": f"SPDXRef-{name.replace('.', '-')}", "name": name, "versionInfo": version,
        "downloadLocation": "NOASSERTION", "filesAnalyzed": False, "licenseConcluded": license_id,
        "licenseDeclared": license_id, "copyrightText": "NOASSERTION",
    }  # fmt: skip


def sbom(arguments: argparse.Namespace) -> dict[str, Any]:
    name = f"domed-{arguments.version}-linux-{arguments.arch}"
    created = datetime.fromtimestamp(arguments.epoch, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    packages = [package("dome", arguments.version, "Apache-2.0")]
    packages.append(package("swift-runtime", arguments.swift or "NOASSERTION", "Apache-2.0"))
    packages += [package(library, "NOASSERTION", license_id) for library, license_id, _ in LIBRARIES]
    links = [("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-dome")]
    links.append(("SPDXRef-dome", "STATIC_LINK", "SPDXRef-swift-runtime"))
    links += [("SPDXRef-dome", "DYNAMIC_LINK", f"SPDXRef-{library}") for library, _, _ in LIBRARIES]
    return {
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": name,
        "documentNamespace": f"https://spdx.org/spdxdocs/{name}-{arguments.commit}",
        "creationInfo": {"created": created, "creators": ["Tool: dome-dist", "Organization: The dome authors"]},
        "packages": packages,
        "relationships": [
            {"spdxElementId": left, "relationshipType": kind, "relatedSpdxElement": right}
            for left, kind, right in links
        ],
    }  # fmt: skip


def artifact(path: Path, kind: str, arguments: argparse.Namespace) -> dict[str, Any]:
    content = path.read_bytes()
    base = arguments.url.rstrip("/")
    return {
        "name": path.name, "kind": kind, "os": "linux", "arch": arguments.arch,
        "url": f"{base}/{path.name}" if base else path.name,
        "sha256": hashlib.sha256(content).hexdigest(), "size": len(content),
        "signature": base64.b64encode(sign(arguments.key, content)).decode(),
    }  # fmt: skip


def write(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=2) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--key", type=Path, required=True)
    parser.add_argument("--epoch", type=int, required=True)
    for name in ("version", "arch", "url", "repo", "commit", "swift"):
        parser.add_argument("--" + name, required=True)
    arguments = parser.parse_args()
    out: Path = arguments.out
    name = f"domed-{arguments.version}-linux-{arguments.arch}"
    write(out / f"{name}.spdx.json", sbom(arguments))
    (out / "release-key.pub").write_text(public_key(arguments.key))
    found = [(path, path.name) for path in sorted(out.iterdir())]
    sums = "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {title}\n" for path, title in found)
    (out / "SHA256SUMS").write_text(sums)
    (out / "SHA256SUMS.sig").write_bytes(sign(arguments.key, sums.encode()))
    kinds = {".gz": "tarball", ".deb": "deb", ".json": "sbom"}
    artifacts = [artifact(path, kinds[path.suffix], arguments) for path, _ in found if path.suffix in kinds]
    write(
        out / "daemons-release-manifest.json",
        {
            "schema_version": "soma.release-manifest.v1", "release_type": "daemons", "version": arguments.version,
            "tag": f"daemons-v{arguments.version}", "repo": arguments.repo, "artifacts": artifacts,
        },  # fmt: skip
    )


if __name__ == "__main__":
    main()
