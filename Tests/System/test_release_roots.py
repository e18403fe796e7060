"""A release on systems that have nothing else: Debian's own checker of packages, and what a user does with package and
tarball on the release that it was built on and on the next one. In the long run alone: each system is fetched."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from domekit import machine, roots
from domekit.paths import ROOT
from domekit.releases import make_key, make_release

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]
SCRIPT = ROOT / "Tests" / "Support" / "domekit" / "release_root.sh"


@pytest.fixture(scope="module")
def release() -> Iterator[Path]:
    """Below the project, where a machine finds it."""
    if reason := machine.obstacle() or roots.obstacle():
        pytest.skip(reason)
    place = ROOT / "build" / "roots-release"
    place.mkdir(parents=True, exist_ok=True)
    yield make_release(place / "dist", make_key(place / "key.pem"))
    shutil.rmtree(place)


def copy_into(root: Path, release: Path) -> str:
    """The package, at the place in `root` that it returns."""
    [package] = release.glob("*.deb")
    shutil.copy(package, root / "var" / "tmp" / package.name)
    return f"/var/tmp/{package.name}"


def test_lintian_finds_nothing_wrong_with_the_package(release: Path) -> None:
    root = roots.make("lintian", "bookworm", ("lintian",))
    name = copy_into(root, release)
    said = roots.within(root, "lintian", "--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "0", name)
    assert said.strip() == "", said


@pytest.mark.parametrize("debian", ["bookworm", "trixie"])
def test_a_user_installs_runs_upgrades_and_removes_it_on(debian: str, release: Path) -> None:
    root = roots.make(debian, debian, roots.BOOTED)
    name = copy_into(root, release)
    # A machine has no network: what the package needs is fetched before, and installed there.
    roots.within(root, "apt-get", "update", "-q")
    roots.within(root, "apt-get", "install", "-y", "--download-only", name)
    (root / name.removeprefix("/")).unlink()
    (root / "home").mkdir(exist_ok=True)
    command = ["/bin/sh", os.fspath(SCRIPT), os.fspath(release), machine.USER, str(machine.UID)]
    status, output = machine.run(command, files=root, timeout=600)
    assert status == 0 and output.endswith("all is well\n"), output
