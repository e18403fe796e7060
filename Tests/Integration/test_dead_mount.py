"""A caller in a repository on a mount whose server has stopped answering (domekit/dead_mount.py): git, asked about it,
waits in the kernel, where SIGKILL does not reach it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from domekit.daemon import Daemon
from domekit.dead_mount import DeadMount, dead_mount
from domekit.repository import git
from domekit.waiting import until

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="mounting needs root")


@pytest.fixture
def dead(new_daemon: Callable[..., Daemon], tmp_path: Path) -> Iterator[tuple[Daemon, DeadMount]]:
    """A daemon that sees a dead mount, which nobody else does."""
    folder = tmp_path / "dead"
    folder.mkdir()
    with dead_mount(folder) as mount:
        daemon = new_daemon()
        daemon._prefix = mount.prefix
        yield daemon.start(), mount
        # What waits for the mount could not be ended otherwise.
        mount.end()


def source(daemon: Daemon, mount: DeadMount, folder: Path) -> Any:
    """What the provenance of a job from there says of it."""
    dome = [daemon.bin / "dome", "run", "job.noop", "-d"]
    command = [*mount.prefix, "sh", "-c", 'cd "$0" && exec "$@"', folder, *dome]
    done = subprocess.run(command, env=daemon.environment, capture_output=True, text=True, timeout=120, check=True)
    job = done.stdout.strip()
    assert list(daemon.jobs.follow(job))[-1].payload["to"] == "succeeded"
    shown = daemon.dome("provenance", "show", job, "-o", "json")
    return json.loads(shown.stdout)


def gits(daemon: Daemon) -> list[str]:
    """The states of the daemon's processes of git."""
    assert daemon.process is not None
    states = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = path.read_text(errors="replace").partition("(")[2].rpartition(")")
        except OSError:
            continue
        state, parent = rest.split()[:2]
        if name == "git" and int(parent) == daemon.process.pid:
            states.append(state)
    return states


def test_jobs_from_a_dead_mount_end_and_leave_one_git_behind(dead: tuple[Daemon, DeadMount], tmp_path: Path) -> None:
    daemon, mount = dead
    for _ in range(5):
        found = source(daemon, mount, mount.folder)
        assert found["invocation"]["caller"]["cwd"] == str(mount.folder)
        assert [found[name] for name in ("repo", "commit_sha", "source_diff_sha256")] == ["unknown"] * 3
        # Neither is what has nothing to do with it.
        assert len(found["caller_executable_sha256"]) == 64
    # Killed, and not ended: nobody waited for it, and no other was started.
    assert gits(daemon) == ["D"]

    alive = tmp_path / "alive"
    alive.mkdir()
    git(alive, "init", "-q")
    git(alive, "commit", "-q", "--allow-empty", "-m", "first")
    assert source(daemon, mount, alive)["commit_sha"] == git(alive, "rev-parse", "HEAD")

    mount.end()
    until(lambda: gits(daemon) != ["D"], "the end of the git that was stuck")
    git(alive, "commit", "-q", "--allow-empty", "-m", "second")
    assert source(daemon, mount, alive)["commit_sha"] == git(alive, "rev-parse", "HEAD")
    assert gits(daemon) == [], "the one that has ended is reaped"


def test_a_daemon_whose_git_is_stuck_stops_and_starts(dead: tuple[Daemon, DeadMount]) -> None:
    daemon, mount = dead
    assert source(daemon, mount, mount.folder)["repo"] == "unknown"
    assert gits(daemon) == ["D"]
    daemon.restart()
    assert source(daemon, mount, mount.folder)["repo"] == "unknown"
