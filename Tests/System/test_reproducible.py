"""The same commit gives the same release, whoever builds it, where and when: two clones in folders of different names,
one built by the tests' user, the other by another one (if the tests are root) with another umask, locale and time zone.
In the long run alone: that is two builds."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from domekit.archives import first_difference
from domekit.paths import ROOT
from domekit.proxy import as_user
from domekit.releases import make_key
from domekit.users import ORDINARY_UID

NEEDED = ("PATH", "SWIFT", "CC", "CXX", "http_proxy", "https_proxy", "no_proxy")


@pytest.fixture
def place() -> Iterator[Path]:
    """Where any user finds it, and nobody's umask applies."""
    folder = Path(tempfile.mkdtemp(prefix="dome-twice-", dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def built(clone: Path, key: Path, uid: int | None, umask: str, **surroundings: str) -> Path:
    """The release of a new clone, made with no more of the environment than a build needs."""
    clone.parent.mkdir(parents=True)
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, clone], check=True)
    home = clone.parent / "home"
    home.mkdir()
    prefix: list[str] = []
    if uid is not None:
        prefix = as_user(uid)
        for path in [clone.parent, *clone.parent.rglob("*")]:
            os.chown(path, uid, uid, follow_symlinks=False)
    environment = {name: os.environ[name] for name in NEEDED if name in os.environ}
    environment |= {"HOME": str(home), "DOME_RELEASE_KEY": str(key)} | surroundings
    command = [*prefix, "/bin/sh", "-c", f"umask {umask}; exec make --silent dist"]
    done = subprocess.run(
        command, cwd=clone, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
    # The next build needs the room.
    shutil.rmtree(clone / ".build")
    return clone / "build" / "dist"


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_two_builds_in_different_folders_are_the_same(place: Path) -> None:
    key = make_key(place / "key.pem")
    key.chmod(0o644)
    one = built(place / "one" / "dome", key, None, "022", LANG="C.UTF-8", TZ="UTC", USER="one")
    other_uid = ORDINARY_UID if os.geteuid() == 0 else None
    folder = place / "another-with-a-longer-name" / "checkout"
    other = built(folder, key, other_uid, "077", LANG="en_US.UTF-8", LC_ALL="POSIX", TZ="Asia/Kathmandu", USER="two")
    names = sorted(path.name for path in one.iterdir())
    assert names == sorted(path.name for path in other.iterdir())
    archives = [name for name in names if name.endswith((".tar.gz", ".deb"))]
    assert len(archives) == 2
    assert [said for name in archives if (said := first_difference(one / name, other / name))] == []
    # What is said of them is the same, too: sums, manifest, SBOM, signatures.
    assert [name for name in names if (one / name).read_bytes() != (other / name).read_bytes()] == []


def packed(path: Path, change: Callable[[tarfile.TarInfo], bytes]) -> Path:
    """A tarball of two files, the second as `change` makes it."""
    with tarfile.open(path, "w:gz") as archive:
        for name in ("a", "b"):
            member = tarfile.TarInfo(name)
            content = change(member) if name == "b" else b"the same"
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def test_what_differs_is_named(tmp_path: Path) -> None:
    def dated(member: tarfile.TarInfo) -> bytes:
        member.mtime = 7
        return b"content"

    one = packed(tmp_path / "one.tar.gz", lambda _: b"content")
    assert first_difference(one, Path(shutil.copy(one, tmp_path / "copy"))) is None
    for change, said in [
        (lambda _: b"conTent", "b: from byte 3 on, b'content' and b'conTent'"),
        (lambda _: b"longer", "b: size is 7 and 6"),
        (dated, "b: mtime is 0 and 7"),
    ]:
        assert first_difference(one, packed(tmp_path / "other.tar.gz", change)) == f"one.tar.gz: {said}"
    shutil.copy(one, tmp_path / "packed.tar.gz")
    subprocess.run(["gzip", "-d", tmp_path / "packed.tar.gz"], check=True)
    subprocess.run(["gzip", "-1", "-N", tmp_path / "packed.tar"], check=True)
    assert "not how they are packed" in (first_difference(one, tmp_path / "packed.tar.gz") or "")
