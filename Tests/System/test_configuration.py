"""The daemon's settings: `dome config`, what a reload changes and what it leaves, and where the log goes."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from domekit.daemon import Daemon, pb2
from domekit.gates import Gate
from domekit.jobs import state_name
from domekit.waiting import until


def reload(daemon: Daemon, config: dict[str, Any] | str) -> None:
    """Writes the settings, sends SIGHUP and waits until the daemon has judged them."""
    if isinstance(config, str):
        daemon.write_config({})
        (daemon.config_home / "dome" / "config.json").write_text(config)
    else:
        daemon.write_config(config)
    before = daemon.log().count("config.re")
    os.kill(daemon.pid, signal.SIGHUP)
    until(lambda: daemon.log().count("config.re") > before, "the settings are read again")


def problems(daemon: Daemon) -> list[str]:
    found = daemon.stub().GetStatus(pb2.GetStatusRequest(), timeout=30).problems
    return [one for one in found if one.startswith("configuration: ")]


def test_a_reload_lets_more_jobs_run_at_once(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    daemon.write_config({"max_running_jobs": 1})
    daemon.start()
    with Gate(daemon.directory / "gates") as gate:
        script = {"script": f"echo up; {gate.wait}"}
        jobs = [daemon.jobs.start("shell.run", script, grants=gate.grants) for _ in range(3)]
        next(one for one in daemon.jobs.follow(jobs[0]) if one.line == b"up")
        assert [state_name(daemon.jobs.status(job).state) for job in jobs[1:]] == ["QUEUED", "QUEUED"]
        reload(daemon, {"max_running_jobs": 2})
        next(one for one in daemon.jobs.follow(jobs[1]) if one.line == b"up")
        assert state_name(daemon.jobs.status(jobs[2]).state) == "QUEUED"
        reload(daemon, {})
        next(one for one in daemon.jobs.follow(jobs[2]) if one.line == b"up")
    assert problems(daemon) == []


def test_what_needs_a_restart_is_named_until_it_comes(daemon: Daemon) -> None:
    reload(daemon, {"max_message_bytes": 8192, "execute_wait_ms": 5})
    assert problems(daemon) == ["configuration: max_message_bytes will change when domed is started again"]
    # The limit from the start still holds.
    assert daemon.jobs.submit("job.noop", {"filler": "x" * 10_000}, wait_ms=20_000).status.ok
    daemon.restart()
    assert problems(daemon) == []
    assert "max_message_bytes" not in daemon.dome("status").stdout


@pytest.mark.parametrize(
    "text, needle",
    [("{\n\"execute_wait_ms\": 5,\n", "line 3"), ('{"execut_wait_ms": 5}', 'did you mean "execute_wait_ms"?')],
)
def test_refused_settings_change_nothing_and_are_named(daemon: Daemon, text: str, needle: str) -> None:
    reload(daemon, text)
    [problem] = problems(daemon)
    assert needle in problem and "the settings from before are in force" in problem
    checked = daemon.dome("config", "check")
    assert checked.returncode == 65 and needle in checked.stderr
    assert (daemon.config_home / "dome" / "config.json").read_text() == text
    assert daemon.jobs.run("job.noop")[-1].payload["to"] == "succeeded"
    reload(daemon, {})
    assert problems(daemon) == []


def test_config_show_check_and_path_need_no_daemon(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    path = daemon.config_home / "dome" / "config.json"
    assert daemon.dome("config", "path").stdout == f"{path}\n"
    assert "the defaults are in force" in daemon.dome("config", "check").stdout
    daemon.write_config({"max_running_jobs": 3})
    assert daemon.dome("config", "check").returncode == 0
    shown = json.loads(daemon.dome("config", "show", "-o", "json").stdout)
    values = {one["key"]: (one["value"], one["source"]) for one in shown["settings"]}
    assert values["max_running_jobs"] == (3, "file") and values["max_queued_jobs"] == (4096, "default")
    other = daemon.directory / "other.json"
    other.write_text("[]")
    refused = daemon.dome("config", "check", str(other))
    assert refused.returncode == 65 and str(other) in refused.stderr
    assert daemon.dome("config", "check", "/nowhere").returncode == 66
    assert not daemon.accepts_connections() and not daemon.state.exists()


def test_the_log_is_json_or_text_as_the_settings_say_now(daemon: Daemon) -> None:
    reload(daemon, {"log_format": "json", "log_level": "debug"})
    daemon.jobs.run("job.noop")
    reload(daemon, {})
    daemon.stop()
    lines = daemon.log().splitlines()
    records = [json.loads(line) for line in lines if line.startswith("{")]
    assert records and all({"ts", "level", "event", "program", "pid"} <= set(one) for one in records)
    assert {(one["program"]) for one in records} == {"domed"} and "debug" in {one["level"] for one in records}
    assert lines[0].split()[1] == "info" and lines[-1].endswith("info daemon.stopped")


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """What NOTIFY_SOCKET leads to."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "notify"))
        receiver.settimeout(20)
        yield receiver


def test_the_service_manager_hears_of_start_reload_life_and_end(
    new_daemon: Callable[..., Daemon], manager: socket.socket
) -> None:
    daemon = new_daemon(environment={"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "300000"})
    daemon.start()

    def hear() -> str:
        """The next word that is no sign of life."""
        return next(one for one in iter(lambda: manager.recv(4096).decode(), "") if one != "WATCHDOG=1")

    assert hear() == "READY=1"
    assert [manager.recv(4096).decode() for _ in range(3)] == ["WATCHDOG=1"] * 3
    os.kill(daemon.pid, signal.SIGHUP)
    assert hear().startswith("RELOADING=1\nMONOTONIC_USEC=") and hear() == "READY=1"
    assert daemon.stop() == 0 and hear() == "STOPPING=1"
