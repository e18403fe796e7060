"""`make install`: a tree that runs from wherever it is put."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from domekit.daemon import Daemon
from domekit.installation import expected_files
from domekit.paths import ROOT, bin_dir
from domekit.trees import PROGRAMS


@pytest.fixture(scope="module")
def moved_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation into one place, moved to another; the path of its prefix."""
    directory = tmp_path_factory.mktemp("install")
    subprocess.run(
        [ROOT / "ops" / "install" / "install.sh", bin_dir(), directory / "staged", "/opt/dome"],
        env=os.environ | {"PROGRAMS": " ".join(PROGRAMS)},
        check=True,
        capture_output=True,
    )
    moved = directory / "moved"
    shutil.move(directory / "staged" / "opt" / "dome", moved)
    return moved


def test_everything_is_in_its_place_and_nothing_else(moved_tree: Path) -> None:
    files = [path for path in moved_tree.rglob("*") if not path.is_dir()]
    found = {str(path.relative_to(moved_tree)): path.lstat().st_mode for path in files}
    assert found == {path: stat.S_IFREG | mode for path, mode in expected_files().items()}
    for path in files:
        assert path.stat().st_size > 0 or path.name == "__init__.py", path


def test_units_name_the_prefix_and_no_placeholder_is_left(moved_tree: Path) -> None:
    units = moved_tree / "lib" / "systemd" / "user"
    assert "ExecStart=/opt/dome/bin/domed\n" in (units / "domed.service").read_text()
    profile = moved_tree / "share" / "dome" / "apparmor" / "dome"
    # Who makes user namespaces: the keeper for its servers, those for their jobs, and the doctor's probe.
    for program in ("bin/domed-keeper", "lib/dome/domed-jail", "bin/dome"):
        assert f" /opt/dome/{program} flags=(unconfined) {{\n  userns,\n" in profile.read_text()
    for file in [profile, *units.iterdir(), moved_tree / "lib" / "pkgconfig" / "dome-plugin.pc"]:
        assert not re.search(r"@[A-Z]+@", file.read_text()), file


def test_programs_need_no_swift_installation(moved_tree: Path) -> None:
    for program in PROGRAMS:
        linked = subprocess.run(["ldd", moved_tree / "bin" / program], capture_output=True, text=True, check=True)
        assert "libswift" not in linked.stdout and "not found" not in linked.stdout, linked.stdout


def test_a_plugin_is_compiled_against_the_moved_headers(moved_tree: Path, tmp_path: Path) -> None:
    flags = subprocess.run(
        ["pkg-config", "--cflags", "dome-plugin"],
        env=os.environ | {"PKG_CONFIG_PATH": str(moved_tree / "lib" / "pkgconfig")},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    source = tmp_path / "plugin.c"
    source.write_text("#include <dome/dome.h>\ntypedef int something;\n")
    subprocess.run(["cc", "-std=c11", *flags, "-fsyntax-only", source], check=True)


def test_a_job_runs_from_the_moved_tree(moved_tree: Path, new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon(binaries=moved_tree / "bin").start()
    events = daemon.jobs.run("shell.run", {"argv": ["/bin/echo", "from anywhere"]})
    assert [event.line for event in events if event.line] == [b"from anywhere"]
    executables = {Path(os.readlink(f"/proc/{pid}/exe")) for pid in daemon.pids("domed-keeper")}
    assert executables == {moved_tree / "bin" / "domed-keeper"}
