"""The connection between domed and its keeper breaks while both live."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator

from domekit import processes
from domekit.daemon import Daemon, pb2
from domekit.gates import Gate
from domekit.jobs import assert_complete
from domekit.trees import Trees

PIDFD_GETFD = 438  # the same on every architecture


def keeper_pids(daemon: Daemon) -> list[int]:
    """Of the keepers that the daemon is connected to."""
    return [keeper.pid for keeper in daemon.jobs.stub.GetStatus(pb2.GetStatusRequest(), timeout=30).keepers]


def break_link(daemon: Daemon) -> None:
    """Shuts the keepers' ends of all connections to them, with copies of their descriptors; one at least."""
    deadline = time.monotonic() + 20
    while sum(shut_links(daemon, keeper) for keeper in keeper_pids(daemon)) == 0:
        assert time.monotonic() < deadline, "no keeper is connected"


def shut_links(daemon: Daemon, keeper: int) -> int:
    """How many connections of `keeper` were shut. It, or a descriptor of it, may go away at any moment."""
    with open("/proc/net/unix") as table:
        rows = [line.split() for line in table]
    connected = {row[6] for row in rows if row[-1].startswith(f"{daemon.state}/keepers/") and row[5] == "03"}
    count = 0
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for name in os.listdir(f"/proc/{keeper}/fd"):
            with contextlib.suppress(FileNotFoundError):
                if os.readlink(f"/proc/{keeper}/fd/{name}").strip("socket:[]") in connected:
                    count += shut(keeper, int(name))
    return count


def shut(process: int, number: int) -> bool:
    """False when the descriptor is closed already."""
    handle = os.pidfd_open(process)
    libc = ctypes.CDLL(None, use_errno=True)
    copy = libc.syscall(PIDFD_GETFD, handle, number, 0)
    os.close(handle)
    if copy < 0:
        error = ctypes.get_errno()
        assert error in (errno.EBADF, errno.ESRCH), os.strerror(error)
        return False
    with socket.socket(fileno=copy) as theirs:
        theirs.shutdown(socket.SHUT_RDWR)
    return True


def wait_for_keeper(daemon: Daemon) -> None:
    deadline = time.monotonic() + 20
    while not keeper_pids(daemon):
        assert time.monotonic() < deadline


def test_running_jobs_go_on_and_can_still_be_cancelled(daemon: Daemon) -> None:
    with Gate(daemon.directory / "gates") as gate:
        jobs = daemon.jobs
        script = f"echo up; {gate.wait}; echo down"
        first = jobs.start("shell.run", {"script": script}, grants=gate.grants)
        second = jobs.start("shell.run", {"script": "echo up; exec sleep 1000"})
        followers = [jobs.follow(job, timeout=30) for job in (first, second)]
        seen = [[next(one) for _ in range(3)] for one in followers]
        before = keeper_pids(daemon)
        break_link(daemon)
        wait_for_keeper(daemon)
        gate.open()
        assert jobs.cancel(second).status.ok
        for events, follower in zip(seen, followers, strict=True):
            events += follower
            assert_complete(events)
    assert [events[-1].payload["to"] for events in seen] == ["succeeded", "canceled"]
    assert b"down" in [one.line for one in seen[0]]
    assert keeper_pids(daemon) == before


def test_a_link_that_breaks_again_and_again_under_load_costs_no_job(daemon: Daemon) -> None:
    jobs = daemon.jobs
    jobs.run("domed.exec-probe")
    started = []
    for number in range(60):
        started.append(jobs.start("domed.exec-probe", {"stdout": [str(number)]}))
        if number % 6 == 5:
            break_link(daemon)
            wait_for_keeper(daemon)
    for number, job in enumerate(started):
        events = list(jobs.follow(job, timeout=20))
        assert_complete(events)
        assert events[-1].payload["to"] == "succeeded", events[-1].payload
        assert [one.line for one in events if one.type == "LOG"] == [str(number).encode()]


def test_jobs_on_their_way_to_a_keeper_begin_again(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    daemon.write_config({"max_running_jobs": 500})
    jobs = daemon.start().jobs
    jobs.run("domed.exec-probe")
    (keeper,) = keeper_pids(daemon)
    os.kill(keeper, signal.SIGSTOP)
    try:
        # More than the connection holds: the rest is still in domed when it breaks.
        started = [jobs.start("domed.exec-probe", {"stdout": [str(number)]}) for number in range(400)]
        break_link(daemon)
    finally:
        os.kill(keeper, signal.SIGCONT)
    for number, job in enumerate(started):
        events = list(jobs.follow(job, timeout=60))
        assert_complete(events)
        assert events[-1].payload["to"] == "succeeded", events[-1].payload
        assert [one.line for one in events if one.type == "LOG"] == [str(number).encode()]
    assert "job.launched_again" in daemon.log()


@contextlib.contextmanager
def held_inner_servers(daemon: Daemon) -> Iterator[None]:
    """Kills the keeper's inner servers; those that take their place get no further than their first step: the tests'
    jail reads what it is to leave out, and that is a FIFO here."""
    words = daemon.bin.parent / "lib" / "dome" / "domed-jail.weak"
    fifo = words.with_name("fifo")
    os.mkfifo(fifo, 0o666)
    fifo.chmod(0o666)
    writer = os.open(fifo, os.O_RDWR)
    fifo.rename(words)
    try:
        # The keeper's alone: the executor's worker has a jail of its own, and shall go on.
        keepers = keeper_pids(daemon)
        for pid in daemon.pids("domed-jail"):
            if processes.parent(pid) in keepers:
                os.kill(pid, signal.SIGKILL)
        yield
    finally:
        nothing = words.with_name("nothing")
        nothing.touch(0o644)
        nothing.rename(words)
        os.close(writer)


def test_a_job_that_waits_for_the_jail_outlives_a_broken_link(
    new_daemon: Callable[..., Daemon], trees: Trees
) -> None:
    daemon = new_daemon(binaries=trees.binaries("")).start()
    daemon.jobs.run("domed.exec-probe")
    with held_inner_servers(daemon):
        deadline = time.monotonic() + 20
        while jail_state(daemon) == "ready":
            assert time.monotonic() < deadline
        job = daemon.jobs.start("domed.exec-probe")
        # Admitted, and on its way to where it waits: some of these find it there.
        for _ in range(10):
            break_link(daemon)
            wait_for_keeper(daemon)
        assert jail_state(daemon) != "ready"
    assert list(daemon.jobs.follow(job, timeout=30))[-1].payload["to"] == "succeeded"


def jail_state(daemon: Daemon) -> str:
    status = daemon.jobs.stub.GetStatus(pb2.GetStatusRequest(), timeout=30)
    states = {one["network"]: one["state"] for one in json.loads(status.sandbox_report_json)}
    return states.get("none", "unknown")
