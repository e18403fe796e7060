"""`dome service` and what else a user does with the service, under a real service manager: installed, watched,
reloaded, taken over, logged out of, removed. Collected by test_service.py, in a machine that it boots."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from domekit.jobs import assert_complete
from domekit.machine import UID, USER
from domekit.service import Service, pb2
from domekit.waiting import until

LINGER = Path("/var/lib/systemd/linger") / USER


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.close()


def dome(service: Service, *arguments: str, status: int = 0) -> str:
    """What it prints, and what it complains about."""
    done = service.dome(*arguments)
    assert done.returncode == status, (arguments, done.stdout, done.stderr, service.journal())
    return done.stdout + done.stderr


def units_of_the_user(service: Service) -> list[str]:
    folder = service.config_home / "systemd"
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def test_it_is_installed_shown_restarted_and_removed_by_one_command_each(service: Service) -> None:
    said = dome(service, "service", "install")
    assert "domed.socket is enabled and listens" in said and "linger" not in said
    # The installed units are used as they are; a second time changes nothing.
    assert units_of_the_user(service) == ["user/sockets.target.wants/domed.socket"]
    dome(service, "service", "install")
    assert "succeeded" == service.jobs.run("shell.run", {"argv": ["/bin/true"]})[-1].payload["to"]
    shown = json.loads(dome(service, "service", "status", "-o", "json"))
    assert shown["socket_state"] == shown["service_state"] == "active" and shown["enabled"] and shown["lingering"]
    assert shown["pid"] == service.pid() and shown["keepers"] == service.keepers()
    dome(service, "service", "restart")
    until(lambda: service.pid() not in (0, shown["pid"]), "it is another process")
    dome(service, "service", "stop")
    assert service.pid() == 0 and not service.socket.exists()
    dome(service, "service", "status", status=1)
    dome(service, "service", "start")
    assert service.pid() != 0


def test_uninstalling_waits_for_jobs_unless_told_to_end_them_and_leaves_nothing(service: Service) -> None:
    dome(service, "service", "install")
    job = service.jobs.start("shell.run", {"script": "echo up; exec sleep 1000"})
    next(one for one in service.jobs.follow(job) if one.line == b"up")
    assert "1 jobs run or wait" in dome(service, "service", "uninstall", status=75)
    assert service.pid() != 0
    dome(service, "service", "uninstall", "--end-jobs")
    assert service.pid() == 0 and service.keepers() == [] and not service.socket.exists()
    assert units_of_the_user(service) == []
    until(lambda: not processes_of("domed"), "no process of dome is left")
    assert (service.state / "domed.sqlite").exists()


def processes_of(name: str) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/comm"):
        try:
            if path.read_text().startswith(name) and path.stat().st_uid == UID:
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def test_another_stage_is_a_service_of_its_own(service: Service) -> None:
    service.environment["DOME_STAGE"] = "dev"
    socket = service.runtime / "dome" / "domed-dev.sock"
    try:
        assert "would" not in dome(service, "service", "install", "--dry-run") and not socket.exists()
        dome(service, "service", "install")
        assert {"user/domed-dev.service", "user/domed-dev.socket", "user/domed-dev-keeper@.service"} <= set(
            units_of_the_user(service)
        )
        assert dome(service, "run", "shell.run", "--", "echo", "hello") == "hello\n"
        shown = json.loads(dome(service, "service", "status", "-o", "json"))
        assert shown["pid"] == service.pid("domed-dev.service") != 0
        assert [one.split("@")[0] for one in shown["keepers"]] == ["domed-dev-keeper"]
        # The other stage was neither started nor touched.
        assert not service.socket.exists() and not service.state.exists() and service.pid() == 0
    finally:
        dome(service, "service", "uninstall", "--end-jobs")
        subprocess.run(["rm", "-rf", service.state.with_name("dome-dev")], check=True)
        del service.environment["DOME_STAGE"]
    assert units_of_the_user(service) == [] and not socket.exists()


def test_a_daemon_that_dome_started_is_taken_over_with_its_jobs(service: Service) -> None:
    service.environment["DOME_NO_SYSTEMD"] = "1"
    script = "for i in 1 2 3 4 5 6; do echo $i; sleep 0.5; done"
    job = dome(service, "run", "--detach", "shell.run", "--", "sh", "-c", script)
    del service.environment["DOME_NO_SYSTEMD"]
    [earlier] = processes_of("domed\n")
    service.systemctl("start", "domed.socket")
    # The first client of the service's socket has systemd start it, and it takes over.
    events = list(service.jobs.follow(job.strip()))
    assert_complete(events)
    assert [one.line for one in events if one.type == "LOG"] == [b"%d" % n for n in range(1, 7)]
    assert events[-1].payload["to"] == "succeeded"
    assert service.pid() not in (0, earlier) and not Path(f"/proc/{earlier}").exists()
    # The socket is the service manager's: the daemon that left did not take it away.
    service.systemctl("stop", "domed.service")
    assert service.socket.exists()
    for keeper in processes_of("domed-keeper"):
        os.kill(keeper, signal.SIGTERM)


def test_a_reload_reads_the_settings_and_the_journal_has_fields(service: Service) -> None:
    dome(service, "service", "install")
    dome(service, "service", "start")
    folder = service.config_home / "dome"
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text('{"max_running_jobs": 3, "max_message_bytes": 5000}')
    service.own()
    service.systemctl("reload", "domed.service")

    def records(event: str) -> list[dict[str, str]]:
        unit = "_SYSTEMD_USER_UNIT=domed.service"
        # As root: who else may read it is the machine's affair.
        command = ["journalctl", "--output=json", f"DOME_EVENT={event}", unit]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    until(lambda: records("config.reloaded"), "the journal says so")
    record = records("config.reloaded")[-1]
    assert record["DOME_CHANGED"] == "max_running_jobs" and record["DOME_NEED_RESTART"] == "max_message_bytes"
    assert record["PRIORITY"] == "6" and record["SYSLOG_IDENTIFIER"] == "domed" and record["_PID"] == str(service.pid())


def test_a_daemon_that_hangs_is_started_again_and_its_jobs_go_on(service: Service) -> None:
    folder = service.config_home / "systemd" / "user" / "domed.service.d"
    folder.mkdir(parents=True)
    (folder / "watchdog.conf").write_text("[Service]\nWatchdogSec=2s\n")
    service.own()
    service.systemctl("daemon-reload")
    try:
        dome(service, "service", "install")
        job = service.jobs.start("shell.run", {"script": "echo up; sleep 4; echo down"})
        next(one for one in service.jobs.follow(job) if one.line == b"up")
        hanging = service.pid()
        os.kill(hanging, signal.SIGSTOP)
        until(lambda: service.pid() not in (0, hanging), "the watchdog ended it, and it was started again")
        events = list(service.jobs.follow(job))
        assert_complete(events)
        assert [one.line for one in events if one.type == "LOG"] == [b"up", b"down"]
    finally:
        subprocess.run(["rm", "-rf", folder], check=True)
        service.systemctl("daemon-reload")


def test_logging_out_without_linger_ends_jobs_by_name_and_was_warned_of(service: Service) -> None:
    dome(service, "service", "install")
    LINGER.unlink()
    try:
        assert "loginctl enable-linger" in dome(service, "service", "status")
        job = service.jobs.start("shell.run", {"script": "echo up; exec sleep 1000"})
        next(one for one in service.jobs.follow(job) if one.line == b"up")
        warned = service.stub().GetStatus(pb2.GetStatusRequest(), timeout=30).problems
        assert any("jobs end with your last session" in one for one in warned), warned
    finally:
        LINGER.touch()
    # The end of the last session: all that the manager has started ends, and the runtime folder is emptied.
    service.systemctl("stop", "domed.socket", "domed.service")
    for number in processes_of("domed-keeper"):
        os.kill(number, signal.SIGKILL)
    until(lambda: service.keepers() == [], "the keepers are gone")
    subprocess.run(["rm", "-rf", service.runtime / "dome"], check=True)
    service.systemctl("start", "domed.socket")
    last = list(service.jobs.follow(job))[-1]
    assert last.is_terminal and last.payload["reason"] == "session_ended", last.payload
    assert "enable-linger" in last.payload["message"]


@pytest.mark.parametrize(
    "change, needle",
    [
        ({"XDG_RUNTIME_DIR": "/nowhere"}, "there is no runtime folder"),
        ({"XDG_RUNTIME_DIR": "/tmp"}, "no service manager of yours runs"),
    ],
)
def test_without_a_service_manager_the_remedy_is_said(service: Service, change: dict[str, str], needle: str) -> None:
    service.environment |= change
    for verb in ("install", "start", "status", "uninstall"):
        said = dome(service, "service", verb, status=69)
        assert needle in said and "enable-linger" in said and "starts its daemon by itself" in said
    service.environment["XDG_RUNTIME_DIR"] = str(service.runtime)


def test_a_home_that_cannot_be_written_is_refused_and_nothing_is_half_done(service: Service) -> None:
    service.environment |= {"DOME_STAGE": "staging", "XDG_CONFIG_HOME": "/proc/config"}
    done = service.dome("service", "install")
    said = done.stdout + done.stderr
    assert done.returncode not in (0, 69)
    assert re.search(r"/proc/config.*starts its daemon by itself", said, re.DOTALL), said
    del service.environment["DOME_STAGE"], service.environment["XDG_CONFIG_HOME"]
    assert units_of_the_user(service) == []
