"""`make dist`: what is released, that it is whole and signed, that the same programs give the same bytes, and that it
runs where it is unpacked. The Debian package is installed in package_cases.py, in a throw-away machine."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path

import jsonschema
import pytest

from domekit import machine
from domekit.daemon import Daemon
from domekit.installation import expected_package
from domekit.paths import ROOT, bin_dir
from domekit.releases import make_key, make_release

MANIFEST = "daemons-release-manifest.json"


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_key(tmp_path_factory.mktemp("key") / "key.pem")


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory, key: Path) -> Path:
    return make_release(tmp_path_factory.mktemp("release") / "dist", key)


def manifest(release: Path) -> dict[str, object]:
    loaded: dict[str, object] = json.loads((release / MANIFEST).read_text())
    return loaded


def verify(release: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [bin_dir() / "dome", "release", "verify", release / MANIFEST, *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def trusted(release: Path) -> list[str]:
    return ["--key", str(release / "release-key.pub")]


def test_the_manifest_fits_its_schema_and_names_what_is_there(release: Path) -> None:
    document = manifest(release)
    schema = json.loads((ROOT / "Registry" / "schema" / "release-manifest.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document, schema)
    artifacts = {one["kind"]: one for one in document["artifacts"]}  # type: ignore[attr-defined]
    assert set(artifacts) == {"tarball", "deb", "sbom"}
    assert artifacts["tarball"]["size"] <= 25 << 20
    assert artifacts["tarball"]["name"].startswith(f"domed-{document['version']}-linux-")
    sums = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=release, capture_output=True, text=True, check=True)
    assert sums.stdout.count(": OK") == 4


def test_verify_accepts_it_and_openssl_agrees(release: Path) -> None:
    done = verify(release, *trusted(release))
    assert done.returncode == 0 and "is whole, signed" in done.stdout, done.stdout + done.stderr
    command = ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", "release-key.pub", "-in", "SHA256SUMS"]
    subprocess.run([*command, "-sigfile", "SHA256SUMS.sig"], cwd=release, check=True, capture_output=True)


def test_verify_finds_every_change(release: Path, tmp_path: Path, key: Path) -> None:
    names = [one["name"] for one in manifest(release)["artifacts"]]  # type: ignore[attr-defined]
    for name in names:
        copy = shutil.copytree(release, tmp_path / name)
        content = bytearray((copy / name).read_bytes())
        content[len(content) // 2] ^= 1
        (copy / name).write_bytes(content)
        done = verify(copy, "--unsigned")
        assert done.returncode == 1 and f"FAILED  {name}: has another SHA-256" in done.stdout
        (copy / name).unlink()
        assert "not there" in verify(copy, "--unsigned").stdout
    # Digests that were made to fit, by somebody who has not the key.
    forged = shutil.copytree(release, tmp_path / "forged")
    other = tmp_path / "other.pem"
    make_key(other)
    document = manifest(forged)
    for one in document["artifacts"]:  # type: ignore[attr-defined]
        one["signature"] = base64.b64encode(bytes(64)).decode()
    (forged / MANIFEST).write_text(json.dumps(document))
    assert verify(forged, "--unsigned").returncode == 0
    done = verify(forged, *trusted(forged))
    assert done.returncode == 1 and "is not signed by this key" in done.stdout
    assert verify(release).returncode == 64


@pytest.mark.parametrize(
    "change, needle",
    [
        ({"schema_version": "soma.release-manifest.v2"}, "schema_version"),
        ({"tag": "daemons-v9.9.9"}, "the tag is not that of version"),
        ({"artifacts": []}, "artifacts"),
        ({"more": 1}, "more"),
    ],
)
def test_what_is_no_manifest_is_refused(release: Path, tmp_path: Path, change: dict[str, object], needle: str) -> None:
    copy = shutil.copytree(release, tmp_path / "copy")
    (copy / MANIFEST).write_text(json.dumps(manifest(copy) | change))
    done = verify(copy, "--unsigned")
    assert done.returncode == 65 and needle in done.stderr
    # A name that leads elsewhere.
    document = manifest(release)
    document["artifacts"][0]["name"] = "../etc/passwd"  # type: ignore[index]
    (copy / MANIFEST).write_text(json.dumps(document))
    assert verify(copy, "--unsigned").returncode == 65
    document = manifest(release)
    document["artifacts"].append(document["artifacts"][0])  # type: ignore[attr-defined,index]
    (copy / MANIFEST).write_text(json.dumps(document))
    twice = verify(copy, "--unsigned")
    assert twice.returncode == 65 and "stands twice" in twice.stderr


@pytest.mark.soak
def test_the_same_programs_give_the_same_bytes(release: Path, tmp_path: Path, key: Path) -> None:
    again = make_release(tmp_path / "dist", key)
    for path in sorted(release.iterdir()):
        assert path.read_bytes() == (again / path.name).read_bytes(), path.name


def test_the_tarball_runs_where_it_is_unpacked(
    release: Path, tmp_path: Path, new_daemon: Callable[..., Daemon]
) -> None:
    [archive] = release.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        assert {(one.uid, one.gid, one.uname) for one in opened.getmembers()} == {(0, 0, "")}
    subprocess.run(["tar", "-xzf", archive, "-C", tmp_path], check=True)
    [tree] = tmp_path.iterdir()
    daemon = new_daemon(binaries=tree / "bin")
    assert daemon.dome("run", "shell.run", "--", "echo", "hello").stdout == "hello\n"
    assert not any("@BINDIR@" in one.read_text() for one in tree.rglob("*.service"))


def needed(paths: Iterable[Path]) -> set[str]:
    """The shared libraries that they are linked with, but those that every program is."""
    listed = subprocess.run(["readelf", "-dW", *paths], capture_output=True, text=True, check=True).stdout
    found = set(re.findall(r"\(NEEDED\).*\[(.*)\]", listed))
    return {one for one in found if not re.match(r"(libc|libm|libgcc_s|ld-linux.*)\.so", one)}


def test_few_libraries_are_needed_and_the_package_depends_on_the_same(release: Path, tmp_path: Path) -> None:
    """libcrypto, SQLite and libseccomp are on every desktop."""
    [package] = release.glob("*.deb")
    subprocess.run(["dpkg-deb", "-x", package, tmp_path], check=True)
    assert needed((tmp_path / "usr/bin").iterdir()) == {
        "libcrypto.so.3", "libnghttp2.so.14", "libseccomp.so.2", "libsqlite3.so.0",
    }  # fmt: skip
    assert needed((tmp_path / "usr/lib/dome").glob("domed-*")) == set()

    def field(name: str) -> set[str]:
        shown = subprocess.run(["dpkg-deb", "-f", package, name], capture_output=True, text=True, check=True).stdout
        return {re.sub(r"(t64)?( .*)?", "", one.strip()) for one in shown.split(",")}

    depends = {"libc6", "libgcc-s1", "libnghttp2-14", "libseccomp2", "libsqlite3-0", "libssl3"}
    assert field("Depends") == depends
    assert field("Recommends") >= {"libcurl4", "libffi8", "git", "ripgrep"}


def test_the_package_has_what_is_installed_and_its_papers(release: Path) -> None:
    """For everybody to read, and root's."""
    [package] = release.glob("*.deb")
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as unpacking:
        with tarfile.open(fileobj=unpacking.stdout, mode="r|") as opened:
            members = list(opened)
    assert {(one.uid, one.gid) for one in members} == {(0, 0)}
    assert {one.mode for one in members if one.isdir()} == {0o755}
    files = [one for one in members if not one.isdir()]
    assert all(one.isreg() and one.size > 0 for one in files)
    assert {one.name.removeprefix("./usr/"): one.mode for one in files} == expected_package()


@pytest.mark.timeout(300)
def test_the_debian_package_is_installed_upgraded_and_purged(release: Path) -> None:
    if reason := machine.obstacle():
        pytest.skip(reason)
    place = ROOT / "build" / "packages"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(release, place)
    try:
        machine.run_cases({"package_cases.py": 3})
    finally:
        shutil.rmtree(place)
