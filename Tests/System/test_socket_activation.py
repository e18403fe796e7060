"""A daemon that is handed its socket, as systemd does it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from domekit.daemon import Daemon, pb2
from domekit.processes import kill_and_wait


@pytest.fixture
def listener(new_daemon: Callable[..., Daemon]) -> Iterator[tuple[Daemon, socket.socket]]:
    """A daemon that was not started, and a listening socket in its place."""
    daemon = new_daemon()
    daemon.socket.parent.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(daemon.socket))
        os.chmod(daemon.socket, 0o600)
        made.listen(64)
        yield daemon, made


ACTIVATOR = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.argv[2], [sys.argv[2]])
"""


def activate(daemon: Daemon, listener: socket.socket) -> None:
    """Starts domed with the socket as descriptor 3; LISTEN_PID must be its own pid."""
    with daemon.log_path.open("ab") as log:
        daemon.process = subprocess.Popen(
            [sys.executable, "-c", ACTIVATOR, str(listener.fileno()), daemon.bin / "domed"],
            env=daemon.environment,
            pass_fds=[listener.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def test_clients_that_came_before_the_daemon_are_served(listener: tuple[Daemon, socket.socket]) -> None:
    daemon, made = listener
    call = daemon.stub().Health.future(pb2.HealthRequest(), timeout=20)
    activate(daemon, made)
    assert call.result().status.ok
    assert daemon.jobs.run("domed.exec-probe")[-1].payload["to"] == "succeeded"


def test_the_path_stays_with_systemd_and_the_next_daemon_serves_on_it(listener: tuple[Daemon, socket.socket]) -> None:
    daemon, made = listener
    activate(daemon, made)
    job = daemon.jobs.run("job.noop")[0].raw.job_id
    assert daemon.stop() == 0
    assert daemon.socket.exists()
    activate(daemon, made)
    assert daemon.jobs.status(job).status.ok


def test_an_activated_daemon_takes_over_from_one_that_runs(listener: tuple[Daemon, socket.socket]) -> None:
    daemon, made = listener
    earlier = subprocess.Popen(
        [daemon.bin / "domed", "--socket", daemon.directory / "earlier.sock"],
        env=daemon.environment,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 20
        while not (daemon.directory / "earlier.sock").exists():
            assert time.monotonic() < deadline
        activate(daemon, made)
        assert daemon.stub().Health(pb2.HealthRequest(), timeout=20, wait_for_ready=True).status.ok
        assert earlier.wait(20) == 0
        assert daemon.stub().GetStatus(pb2.GetStatusRequest(), timeout=30).pid == daemon.pid
    finally:
        kill_and_wait(earlier.pid, time.monotonic() + 30)
        earlier.wait(10)
