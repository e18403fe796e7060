"""`make deps`: what it does when nothing is missing, and when something is."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from domekit.paths import ROOT

DEPS = ROOT / "ops" / "ci" / "deps.sh"


def test_with_everything_in_place_no_installer_is_started(tmp_path: Path) -> None:
    started = tmp_path / "started"
    for name in ("apt-get", "sudo", "pip", "python3"):
        (tmp_path / name).write_text(f'#!/bin/bash\necho "{name} $*" >>{started}\n')
        (tmp_path / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run([DEPS, "build", "test", "venv"], env=environment, check=True, capture_output=True, text=True)
    assert not started.exists(), started.read_text()
    assert done.stderr == ""


@pytest.fixture
def machine_without_ripgrep(tmp_path: Path) -> dict[str, str]:
    """An environment whose PATH has every program but rg, and an apt-get that notes what it is asked for."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in "bash cc c++ git pkg-config strip dpkg-shlibdeps swift protoc python3 env dirname true".split():
        (programs / name).symlink_to(shutil.which(name) or pytest.fail(f"no {name} here"))
    (programs / "apt-get").write_text(f'#!/bin/bash\necho "$@" >>{tmp_path}/asked\n{{}}\n')
    (programs / "sudo").write_text('#!/bin/bash\nshift\nexec "$@"\n')
    for name in ("apt-get", "sudo"):
        (programs / name).chmod(0o755)
    return {"PATH": str(programs), "HOME": str(tmp_path)}


def write_apt_get(environment: dict[str, str], body: str) -> Path:
    """Completes the apt-get of `environment` with what it does; the file in which it notes its arguments."""
    script = Path(environment["PATH"]) / "apt-get"
    script.write_text(script.read_text().format(body))
    return Path(environment["HOME"]) / "asked"


def test_only_what_is_missing_is_installed(machine_without_ripgrep: dict[str, str]) -> None:
    programs = machine_without_ripgrep["PATH"]
    asked = write_apt_get(machine_without_ripgrep, f"/bin/ln -s /bin/true {programs}/rg")
    subprocess.run([DEPS, "build"], env=machine_without_ripgrep, check=True, capture_output=True)
    assert asked.read_text().split() == ["install", "-y", "-q", "--no-install-recommends", "ripgrep"]


def test_a_package_that_cannot_be_had_is_named_and_nothing_goes_on(machine_without_ripgrep: dict[str, str]) -> None:
    asked = write_apt_get(machine_without_ripgrep, "exit 100")
    done = subprocess.run([DEPS, "build"], env=machine_without_ripgrep, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "could not install ripgrep" in done.stderr
    assert [line.split()[0] for line in asked.read_text().splitlines()] == ["install", "update", "install"]


@pytest.mark.parametrize("machine, is_wanted", [("x86_64", True), ("aarch64", False)])
def test_what_is_there_for_one_architecture_is_not_asked_for_on_another(
    machine_without_ripgrep: dict[str, str], machine: str, is_wanted: bool
) -> None:
    asked = write_apt_get(machine_without_ripgrep, "exit 100")
    environment = machine_without_ripgrep | {"HOSTTYPE": machine}
    assert subprocess.run([DEPS, "test"], env=environment, capture_output=True, check=False).returncode != 0
    assert ("user-mode-linux" in asked.read_text().split()) == is_wanted
    assert "dbus" in asked.read_text().split()


def test_without_root_and_sudo_the_command_to_type_is_shown(machine_without_ripgrep: dict[str, str]) -> None:
    (Path(machine_without_ripgrep["PATH"]) / "sudo").write_text("#!/bin/bash\nexit 1\n")
    asked = write_apt_get(machine_without_ripgrep, "exit 0")
    as_nobody = []
    if os.geteuid() == 0:
        as_nobody = [shutil.which("setpriv"), "--reuid=65534", "--regid=65534", "--clear-groups"]
    # Another user may not be able to read this checkout, so the script and its lists go where he can.
    home = Path("/tmp") / f"dome-deps-{os.getpid()}"
    shutil.copytree(ROOT / "ops" / "ci", home / "ops" / "ci")
    shutil.copytree(machine_without_ripgrep["PATH"], home / "bin", symlinks=True)
    try:
        done = subprocess.run(
            [*as_nobody, "/bin/bash", home / "ops" / "ci" / "deps.sh", "build"],
            env={"PATH": f"{home}/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        shutil.rmtree(home)
    assert done.returncode != 0
    assert "sudo apt-get update && sudo apt-get install -y --no-install-recommends ripgrep" in done.stderr
    assert not asked.exists()
