"""Sockets, folders, arguments and settings that are not as they should be: each a clear error that names the thing
and the remedy, and domed up, or refusing to start with an exit status."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from domekit.daemon import Daemon
from domekit.jobs import Jobs

# One daemon a state folder, one socket


def test_a_second_daemon_is_refused_and_the_first_serves_on(daemon: Daemon) -> None:
    said = daemon.refuses_to_start()
    assert str(daemon.state) in said and str(daemon.pid) in said
    assert daemon.jobs.submit("job.noop", wait_ms=20_000).status.ok


def test_a_second_daemon_with_another_socket_is_refused_all_the_same(daemon: Daemon) -> None:
    said = daemon.refuses_to_start("--socket", str(daemon.directory / "other.sock"))
    assert str(daemon.state) in said and "--state-dir" in said
    assert not (daemon.directory / "other.sock").exists()


def test_a_daemon_of_another_state_does_not_steal_the_socket(daemon: Daemon) -> None:
    said = daemon.refuses_to_start("--state-dir", str(daemon.directory / "other-state"))
    assert str(daemon.socket) in said
    assert daemon.jobs.submit("job.noop", wait_ms=20_000).status.ok


def test_the_socket_of_a_dead_daemon_is_taken_over(daemon: Daemon) -> None:
    daemon.kill9()
    assert daemon.socket.exists()
    daemon.start()
    assert daemon.jobs.submit("job.noop", wait_ms=20_000).status.ok


def test_a_dead_daemons_socket_that_is_still_open_is_taken_over(new_daemon: Callable[..., Daemon]) -> None:
    """A program that it was just starting has it until exec."""
    daemon = new_daemon()
    daemon.socket.parent.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as listener:
        # Whoever began to listen is gone; this process has the socket.
        begin = "import socket, sys; s = socket.socket(fileno=int(sys.argv[1])); s.bind(sys.argv[2]); s.listen(4096)"
        command = [sys.executable, "-c", begin, str(listener.fileno()), str(daemon.socket)]
        subprocess.run(command, check=True, pass_fds=[listener.fileno()])
        # As long as it answers, domed waits for it.
        closing = threading.Timer(0.3, listener.close)
        closing.start()
        try:
            daemon.start()
        finally:
            closing.join()
    assert daemon.jobs.submit("job.noop", wait_ms=20_000).status.ok


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_is_no_socket_is_left_alone(new_daemon: Callable[..., Daemon], kind: str) -> None:
    daemon = new_daemon()
    daemon.socket.parent.mkdir(mode=0o700)
    if kind == "file":
        daemon.socket.write_text("mine")
    elif kind == "folder":
        daemon.socket.mkdir()
    else:
        daemon.socket.symlink_to("/etc/passwd")
    said = daemon.refuses_to_start()
    assert str(daemon.socket) in said and "--socket" in said
    assert os.path.lexists(daemon.socket)


def test_a_socket_folder_that_others_may_write_is_refused(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    daemon.socket.parent.mkdir(mode=0o700)
    daemon.socket.parent.chmod(0o777)
    said = daemon.refuses_to_start()
    assert str(daemon.socket.parent) in said and "chmod 700" in said


def test_a_socket_path_that_is_too_long_is_named_with_its_remedy(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    long = daemon.directory / ("x" * 120)
    long.mkdir(mode=0o700)
    said = daemon.refuses_to_start(environment=daemon.environment | {"XDG_RUNTIME_DIR": str(long)})
    assert str(long) in said and "--socket" in said and "XDG_RUNTIME_DIR" in said


def test_a_vanished_socket_is_bound_again(daemon: Daemon) -> None:
    """Logging out removes the runtime folder with everything in it."""
    before = daemon.jobs.submit("job.noop", wait_ms=20_000)
    shutil.rmtree(daemon.socket.parent)
    daemon.wait_ready(20)
    assert Jobs(daemon.stub()).status(before.job_id).status.ok
    # Who was connected stayed connected.
    assert daemon.jobs.status(before.job_id).status.ok


# Directories


def test_without_xdg_directories_all_is_below_the_home(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon(arguments=["--log-level", "debug"])
    daemon.environment = {name: value for name, value in daemon.environment.items() if not name.startswith("XDG_")}
    daemon.state = daemon.home / ".local" / "state" / "dome"
    user_runtime = Path(f"/run/user/{os.getuid()}")
    daemon.socket = (user_runtime / "dome" if user_runtime.is_dir() else daemon.state / "run") / "domed.sock"
    if user_runtime.is_dir():
        daemon.arguments += ["--socket", str(daemon.state / "run" / "domed.sock")]
        daemon.socket = daemon.state / "run" / "domed.sock"
    daemon.start()
    assert daemon.jobs.run("domed.exec-probe")[-1].payload["to"] == "succeeded"
    assert (daemon.state / "domed.sqlite").is_file()
    assert daemon.state.stat().st_mode & 0o077 == 0


def test_without_a_home_the_password_file_is_asked(new_daemon: Callable[..., Daemon]) -> None:
    """Containers often start programs with no environment at all."""
    daemon = new_daemon()
    del daemon.environment["HOME"]
    if not stands_in_password_file(daemon.uid):
        assert "set HOME" in daemon.refuses_to_start()
        return
    daemon.start()
    assert daemon.jobs.submit("job.noop", wait_ms=20_000).status.ok


def stands_in_password_file(uid: int | None) -> bool:
    with contextlib.suppress(KeyError):
        return pwd.getpwuid(os.geteuid() if uid is None else uid) is not None
    return False


def test_relative_directories_count_as_unset(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon(environment={"XDG_DATA_HOME": "relative", "XDG_CONFIG_HOME": ""})
    daemon.start()
    assert daemon.jobs.submit("job.noop", wait_ms=20_000).status.ok


def test_a_state_folder_that_cannot_be_made_is_named(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    (daemon.directory / "file").write_text("")
    said = daemon.refuses_to_start("--state-dir", str(daemon.directory / "file" / "state"))
    assert str(daemon.directory / "file") in said


# Command line and configuration


@pytest.mark.parametrize(
    "arguments, needle",
    [
        (["--bogus"], "--bogus"),
        (["--state-dir"], "--state-dir"),
        (["--state-dir", "relative"], "--state-dir"),
        (["--log-level", "loud"], "--log-level"),
        (["extra"], "extra"),
    ],
)
def test_an_argument_that_makes_no_sense_is_named(
    new_daemon: Callable[..., Daemon], arguments: list[str], needle: str
) -> None:
    assert needle in new_daemon().refuses_to_start(*arguments)


@pytest.mark.parametrize(
    "text, needle",
    [
        ("{", "config.json"),
        ("[]", "object"),
        ('{"max_runing_jobs": 3}', "max_runing_jobs"),
        ('{"max_running_jobs": "3"}', "max_running_jobs"),
        ('{"max_running_jobs": 0}', "max_running_jobs"),
        ('{"execute_wait_ms": -1}', "execute_wait_ms"),
    ],
)
def test_a_bad_configuration_is_refused_by_file_and_key(
    new_daemon: Callable[..., Daemon], text: str, needle: str
) -> None:
    daemon = new_daemon()
    daemon.write_config({})
    path = daemon.config_home / "dome" / "config.json"
    path.write_text(text)
    said = daemon.refuses_to_start()
    assert str(path) in said and needle in said


def test_a_bad_policy_refuses_jobs_and_is_named(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    daemon.write_policy({})
    path = daemon.config_home / "dome" / "policy.json"
    path.write_text("{")
    daemon.start()
    reply = daemon.jobs.submit("domed.exec-probe", wait_ms=20_000)
    assert not reply.status.ok
    assert str(path) in reply.status.message
