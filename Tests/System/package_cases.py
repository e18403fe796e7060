"""The Debian package in a machine of its own (test_packaging.py boots it): installed, used as a service, upgraded under
a running job, purged."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from domekit.jobs import assert_complete
from domekit.paths import ROOT
from domekit.service import Service
from domekit.waiting import until

PACKAGES = ROOT / "build" / "packages"


def files_of_dome() -> list[str]:
    """Below /usr and /etc."""
    found = []
    for base in ("/usr", "/etc"):
        done = subprocess.run(
            ["find", base, "-xdev", "-name", "*dome*", "-cnewer", "/etc/machine-id", "-not", "-path", "/usr/local/*"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        found += done.stdout.split()
    return found


@pytest.fixture(scope="module")
def package() -> Iterator[Path]:
    """Nothing but the package: what the machine came with goes."""
    for name in ("bin", "lib/dome", "lib/systemd/user", "share/dome"):
        folder = Path("/usr/local") / name
        for path in folder.glob("dome*") if folder.name in ("bin", "user") else [folder]:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    [package] = PACKAGES.glob("*.deb")
    yield package


@pytest.fixture(scope="module")
def service(package: Path) -> Iterator[Service]:
    service = Service()
    service.environment["PATH"] = "/usr/bin:/bin"
    yield service


def dpkg(*arguments: str | os.PathLike[str]) -> None:
    done = subprocess.run(["dpkg", "--force-depends", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_is_installed_and_is_a_service(service: Service, package: Path) -> None:
    dpkg("-i", package)
    assert "/usr/bin/dome" in files_of_dome()
    service.systemctl("start", "domed")
    assert service.jobs.run("shell.run", {"argv": ["/bin/true"]})[-1].payload["to"] == "succeeded"
    assert os.readlink(f"/proc/{service.pid()}/exe") == "/usr/bin/domed"
    found = json.loads(service.dome("doctor", "-o", "json").stdout)
    assert [one for one in found if one["verdict"] == "failed"] == []


def test_an_upgrade_takes_over_a_job_that_is_older_than_it(service: Service, package: Path, tmp_path: Path) -> None:
    newer = tmp_path / "newer"
    subprocess.run(["dpkg-deb", "-R", package, newer], check=True)
    control = newer / "DEBIAN" / "control"
    control.write_text(control.read_text().replace("\nVersion: ", "\nVersion: 1:"))
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "-b", newer, tmp_path / "newer.deb"], check=True)
    script = "for i in 1 2 3 4 5 6 7 8 9 10; do echo $i; sleep 0.3; done"
    job = service.jobs.start("shell.run", {"script": script})
    follower = service.jobs.follow(job)
    next(one for one in follower if one.line == b"2")
    before = service.pid()
    dpkg("-i", tmp_path / "newer.deb")
    assert service.dome("service", "restart").returncode == 0
    until(lambda: service.pid() not in (0, before), "the new one runs")
    events = list(service.jobs.follow(job))
    assert_complete(events)
    assert [one.line for one in events if one.type == "LOG"] == [b"%d" % n for n in range(1, 11)]
    assert "deleted" not in os.readlink(f"/proc/{service.pid()}/exe")


def test_a_purge_leaves_nothing(service: Service) -> None:
    assert service.dome("service", "uninstall").returncode == 0
    dpkg("--purge", "dome")
    assert files_of_dome() == []
    assert not service.socket.exists() and service.keepers() == []
