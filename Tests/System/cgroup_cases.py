"""A control group for each job, where one is delegated: as root and as an ordinary user, with bombs of 64 MB and 32
processes that it contains. Collected by test_cgroup.py, on this machine or in one that it boots."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from domekit.cgroups import cgroup_root, remove_tree
from domekit.daemon import Daemon
from domekit.limits import guards, record, write_limited_tools
from domekit.trees import Trees
from domekit.users import ORDINARY_UID

ROOT = cgroup_root()
# User-Mode Linux has no Landlock: there the jail of the tests leaves it out, and is otherwise the shipped one.
WEAKNESS = "landlock" if os.environ.get("DOME_IN_UML") else None


@pytest.fixture(scope="module", params=["root", "user"])
def daemon(request: pytest.FixtureRequest, trees: Trees) -> Iterator[Daemon]:
    """A daemon with a subtree that is its user's, as a service manager delegates it."""
    assert ROOT is not None
    uid = ORDINARY_UID if request.param == "user" else None
    subtree = Path(tempfile.mkdtemp(prefix="dome-test-", dir=ROOT))
    home = Path("/proc/self/cgroup").read_text().split("0::", 1)[1].split("\n", 1)[0].lstrip("/")
    (ROOT / "cgroup.subtree_control").write_text("+memory +pids +cpu")
    (subtree / "domed").mkdir()
    for path in [subtree, *(subtree / name for name in ("cgroup.procs", "cgroup.subtree_control", "cgroup.threads"))]:
        os.chown(path, uid or 0, uid or 0)
    daemon = Daemon(binaries=trees.binaries(WEAKNESS), uid=uid, environment={"DOME_CGROUP": str(subtree)})
    write_limited_tools(daemon)
    (subtree / "domed" / "cgroup.procs").write_text(str(os.getpid()))
    try:
        daemon.start()
    finally:
        (ROOT / home / "cgroup.procs").write_text(str(os.getpid()))
    yield daemon
    daemon.close()
    remove_tree(subtree)


def leaves(daemon: Daemon) -> list[Path]:
    return sorted(Path(daemon.environment["DOME_CGROUP"]).glob("dome-keeper-*/job-*"))


def test_each_job_has_a_group_of_its_own_that_goes_with_it(daemon: Daemon) -> None:
    groups = []
    for _ in range(8):
        events = daemon.jobs.run("t.own", {})
        groups += [one.line for one in events if one.line is not None]
    assert len(set(groups)) == 8 and all(b"/dome-keeper-" in group for group in groups), groups
    enforcement, resources = record(daemon, events)
    assert "cgroup" in enforcement["layers"] and "memory_bytes" not in enforcement["per_process_limits"]
    assert resources["peak_memory_of"] == "job" and 0 < resources["peak_memory_bytes"] < 64 << 20
    deadline = time.monotonic() + 30
    while used := [leaf for leaf in leaves(daemon) if any(group.endswith(leaf.name.encode()) for group in groups)]:
        assert time.monotonic() < deadline, used
        time.sleep(0.02)


def test_memory_that_is_swapped_is_memory(daemon: Daemon) -> None:
    job = daemon.jobs.start("t.wait", {})
    next(one for one in daemon.jobs.follow(job) if one.line == b"up")
    busy = [leaf for leaf in leaves(daemon) if (leaf / "pids.current").read_text() != "0\n"]
    assert len(busy) == 1
    assert {path.read_text() for path in busy[0].glob("memory.swap.max")} == {"0\n"}
    daemon.jobs.cancel(job)
    list(daemon.jobs.follow(job))


def test_a_group_in_which_somebody_else_is_is_not_taken(trees: Trees) -> None:
    assert ROOT is not None
    subtree = Path(tempfile.mkdtemp(prefix="dome-test-", dir=ROOT))
    other = subprocess.Popen(["sleep", "1000"])
    (subtree / "cgroup.procs").write_text(str(other.pid))
    daemon = Daemon(binaries=trees.binaries(WEAKNESS), environment={"DOME_CGROUP": str(subtree)}).start()
    try:
        reply = daemon.jobs.submit("shell.run", {"argv": ["true"]})
        # A job that comes before the keeper has tried the sandbox is taken, and fails.
        taken = reply.status.ok
        reason = list(daemon.jobs.follow(reply.job_id))[-1].payload["message"] if taken else reply.status.message
        assert f"{subtree} is not the keeper's alone" in reason
        assert (subtree / "cgroup.procs").read_text() == f"{other.pid}\n"
    finally:
        daemon.close()
        other.kill()
        other.wait()
        remove_tree(subtree)


def test_a_memory_bomb_ends_itself_alone_and_the_limit_is_named(daemon: Daemon) -> None:
    events = daemon.jobs.run("t.memory", {}, timeout=60)
    guard = guards(events)["memory_bytes"]
    assert guard["value"] == 64 << 20 and 60 << 20 < guard["used"] <= 64 << 20
    assert record(daemon, events)[1]["peak_memory_bytes"] == guard["used"]


def test_a_fork_bomb_stays_within_its_processes_and_the_limit_is_named(daemon: Daemon) -> None:
    events = daemon.jobs.run("t.forks", {}, timeout=60)
    assert guards(events)["pids"]["value"] == 32


def test_a_throttled_job_says_so(daemon: Daemon) -> None:
    assert guards(daemon.jobs.run("t.spin", {}, timeout=60))["cpu_percent"]["value"] == 50


def test_groups_of_a_killed_keeper_are_removed_by_the_next(daemon: Daemon) -> None:
    job = daemon.jobs.start("t.wait", {})
    next(one for one in daemon.jobs.follow(job) if one.line == b"up")
    [old] = {leaf.parent for leaf in leaves(daemon)}
    os.kill(int(old.name.rsplit("-", 1)[1]), 9)
    deadline = time.monotonic() + 20
    while old.exists():
        assert time.monotonic() < deadline, list(old.iterdir())
        time.sleep(0.05)
