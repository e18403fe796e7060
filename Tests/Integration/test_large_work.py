"""A job that leaves much in /job: whoever frees it, nobody waits for that."""

from __future__ import annotations

import time

from domekit import processes
from domekit.daemon import Daemon, pb2

FILES = 50_000
FILL = f"""
import os
for folder in ("/job/a", "/job/out"):
    os.mkdir(folder)
    place = os.open(folder, os.O_RDONLY)
    for number in range({FILES} // 2):
        os.close(os.open(str(number), os.O_WRONLY | os.O_CREAT, dir_fd=place))
"""


def closers(pid: int) -> int:
    """How many threads of that process let something go."""
    return processes.threads(pid).count("dome-close")


def test_what_a_job_leaves_is_freed_beside_the_keepers_thread(daemon: Daemon) -> None:
    daemon.jobs.run("shell.run", {"argv": ["/bin/true"]})
    [keeper] = [one.pid for one in daemon.stub().GetStatus(pb2.GetStatusRequest(), timeout=30).keepers]
    events = daemon.jobs.run("shell.run", {"argv": ["python3", "-I", "-c", FILL]})
    assert events[-1].payload["to"] == "succeeded", events[-1]
    deadline = time.monotonic() + 30
    # Freeing that many takes a fifth of a second at least, in the keeper or in domed: who comes last.
    while not closers(keeper) + closers(daemon.pid):
        assert time.monotonic() < deadline, "nothing is freed elsewhere"
    # Meanwhile others are served.
    assert daemon.jobs.run("shell.run", {"argv": ["/bin/true"]})[-1].payload["to"] == "succeeded"
    while closers(keeper) + closers(daemon.pid):
        assert time.monotonic() < deadline, "it is not freed"
        time.sleep(0.01)
    assert processes.threads(keeper) == ["domed-keeper"]
