"""Where plugins may lie: on any file system, also one that has no id-mapped mounts."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from domekit import plugins
from domekit.daemon import Daemon
from domekit.jobs import state_name


@pytest.mark.skipif("os.geteuid() != 0", reason="needs root: mounts a file system")
def test_a_plugin_on_an_overlay_runs_as_root(new_daemon: Callable[..., Daemon], tmp_path: Path) -> None:
    for name in ("lower", "upper", "work", "merged"):
        (tmp_path / name).mkdir()
    layers = f"lowerdir={tmp_path}/lower,upperdir={tmp_path}/upper,workdir={tmp_path}/work"
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", layers, tmp_path / "merged"], check=True)
    try:
        daemon = new_daemon(environment={"DOME_PLUGIN_PATH": str(tmp_path / "merged")})
        folder = plugins.install(daemon)
        subprocess.run(["cp", "-r", folder, tmp_path / "merged" / "Sample"], check=True)
        plugins.remove(daemon)
        daemon.start()
        sample = plugins.plugins(daemon)["Sample"]
        assert (sample.state, sample.folder) == ("ready", str(tmp_path / "merged" / "Sample")), sample.reason
        assert state_name(daemon.jobs.submit("sample.echo", {}, wait_ms=30_000).state) == "SUCCEEDED"
        daemon.close()
    finally:
        subprocess.run(["umount", "-l", tmp_path / "merged"], check=True)


@pytest.mark.skipif("os.geteuid() != 0", reason="needs root: jobs are somebody else only then")
def test_a_plugin_that_only_its_owner_may_read_runs_too(daemon: Daemon) -> None:
    folder = plugins.install(daemon)
    for path in (folder, *folder.iterdir()):
        path.chmod(0o700)
    assert state_name(daemon.jobs.submit("sample.echo", {}, wait_ms=30_000).state) == "SUCCEEDED"
