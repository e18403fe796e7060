"""What the daemon is made of while it runs: its own threads and no others, nothing third-party in its memory."""

from __future__ import annotations

from pathlib import Path

from domekit import processes
from domekit.daemon import Daemon

THREADS = {"domed"} | {f"dome-{what}" for what in "audit store files facts health plugins rules streams".split()}


def test_only_its_own_threads_run_and_no_shared_pool(daemon: Daemon) -> None:
    for _ in range(3):
        job = daemon.jobs.run("shell.run", {"argv": ["/bin/true"]})
        assert job is not None
    assert sorted(processes.threads(daemon.pid)) == sorted(THREADS)


def test_no_plugin_is_mapped_into_the_daemon(daemon: Daemon) -> None:
    daemon.jobs.run("shell.run", {"argv": ["/bin/true"]})
    maps = Path(f"/proc/{daemon.pid}/maps").read_text()
    assert "LocalProcess" not in maps
