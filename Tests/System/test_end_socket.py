"""What a job's PID 1 keeps open beside its tool: one socket, from which nothing can be read."""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
from pathlib import Path

import pytest

from domekit.daemon import Daemon

PIDFD_GETFD = 438  # the same on every architecture


def first_processes(daemon: Daemon) -> list[int]:
    """The PID 1 of each job and of each confined program: first in the innermost of three namespaces."""
    found = []
    for pid in daemon.pids("domed-jail"):
        status = Path(f"/proc/{pid}/status").read_text()
        numbers = next(line for line in status.splitlines() if line.startswith("NSpid:")).split()[1:]
        if numbers[-1] == "1" and len(numbers) >= 3:
            found.append(pid)
    return found


def copy_of(process: int, number: int) -> socket.socket:
    handle = os.pidfd_open(process)
    copy = ctypes.CDLL(None, use_errno=True).syscall(PIDFD_GETFD, handle, number, 0)
    assert copy >= 0, os.strerror(ctypes.get_errno())
    os.close(handle)
    return socket.socket(fileno=copy)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: PID 1 can be looked into by nobody else")
def test_what_pid_1_keeps_open_only_goes_out(daemon: Daemon) -> None:
    job = daemon.jobs.start("shell.run", {"script": "echo up; exec sleep 1000"})
    next(one for one in daemon.jobs.follow(job) if one.line == b"up")
    with contextlib.ExitStack() as stack:
        ends = []
        # The job's, and that of the executor's worker.
        for process in first_processes(daemon):
            [number] = os.listdir(f"/proc/{process}/fd")
            ends.append(stack.enter_context(copy_of(process, int(number))))
        assert len(ends) == 2
        # Requests to the server are under way all the time, and none comes here.
        for _ in range(20):
            daemon.jobs.run("domed.exec-probe")
            assert [end.recv(1 << 16, socket.MSG_DONTWAIT) for end in ends] == [b"", b""]
    daemon.jobs.cancel(job)
