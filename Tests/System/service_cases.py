"""dome under a real service manager: started by its socket, restarted, crashed and stopped while jobs run and are
followed. Collected by test_service.py, in a machine that it boots."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from domekit.cgroups import has_controllers
from domekit.jobs import Event, Jobs, assert_complete
from domekit.limits import record
from domekit.machine import UID
from domekit.service import Service, pb2
from domekit.waiting import until

LINES = 60
# Writes for about three seconds.
WRITER = f"i=0; while [ $i -lt {LINES} ]; do i=$((i+1)); echo $i; sleep 0.05; done"


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    service.systemctl("enable", "--now", "--quiet", "domed.socket")
    yield service
    service.close()


def group(pid: int) -> str:
    return Path(f"/proc/{pid}/cgroup").read_text().strip()


def status(pid: int, name: str) -> str:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.split(":", 1)[1].strip() for line in lines if line.startswith(name + ":"))


class Follower(threading.Thread):
    """Reads a job's events to the end, however often the daemon goes away meanwhile."""

    def __init__(self, service: Service, job: str) -> None:
        super().__init__(daemon=True)
        self.service, self.job, self.events = service, job, list[Event]()
        self.connections = 0
        self.start()

    def run(self) -> None:
        while not self.events or not self.events[-1].is_terminal:
            self.connections += 1
            last = self.events[-1].seq if self.events else 0
            try:
                for one in Jobs(self.service.stub()).follow(self.job, last):
                    self.events.append(one)
            except grpc.RpcError:
                continue

    def finish(self) -> None:
        """Nothing is lost, nothing comes twice."""
        self.join(60)
        assert_complete(self.events)
        assert self.events[-1].payload["to"] == "succeeded", self.events[-1]
        assert [one.line for one in self.events if one.type == "LOG"] == [b"%d" % n for n in range(1, LINES + 1)]


def follow_new_jobs(service: Service, count: int) -> list[Follower]:
    """Jobs that write, and followers who have seen them do so."""
    jobs = service.jobs
    followers = [Follower(service, jobs.start("shell.run", {"script": WRITER})) for _ in range(count)]
    until(lambda: all(len(one.events) > 3 for one in followers), "every job writes")
    return followers


def test_the_first_client_starts_it_and_a_job_has_every_layer(service: Service) -> None:
    assert service.show("domed.service", "ActiveState") == "inactive"
    events = service.jobs.run("shell.run", {"argv": ["/bin/true"]})
    assert events[-1].payload["to"] == "succeeded", events[-1]
    assert service.show("domed.service", "ActiveState") == "active"
    layers = set(record(service, events)[0]["layers"])
    expected = {
        "mount_namespace", "pid_namespace", "ipc_namespace", "network_namespace", "user_namespace", "no_capabilities",
        "no_new_privs", "rlimits", "closed_descriptors", "seccomp",
    }  # fmt: skip
    if not os.environ.get("DOME_IN_UML"):
        expected |= {"landlock", "landlock_files"}
    if has_controllers("memory", "pids"):
        expected.add("cgroup")
    assert layers == expected


def test_the_doctor_finds_nothing_wrong(service: Service) -> None:
    # Its inner servers are tried when it starts, beside what it is asked first.
    stub = service.stub()
    until(lambda: stub.GetStatus(pb2.GetStatusRequest(), timeout=30).sandbox_ok, "its sandbox is ready")
    done = service.dome("doctor", "-o", "json")
    found = [(one["verdict"], one["check"], one["detail"]) for one in json.loads(done.stdout)]
    if os.environ.get("DOME_IN_UML"):
        found = [one for one in found if "andlock" not in one[2]]
    assert [one for one in found if one[0] == "failed"] == []
    assert ("ok", "daemon") in {(verdict, check) for verdict, check, _ in found}, found
    assert ("ok", "daemon's sandbox", "every layer is in force") in found, found


def test_the_keeper_has_a_unit_of_its_own_without_domeds_hardening(service: Service) -> None:
    service.jobs.run("shell.run", {"argv": ["/bin/true"]})
    [unit] = service.keepers()
    keeper, domed = service.pid(unit), service.pid()
    assert unit in group(keeper).replace("\\x2d", "-") and "domed.service" in group(domed)
    assert (status(domed, "NoNewPrivs"), status(domed, "Seccomp")) == ("1", "2")
    assert (status(keeper, "NoNewPrivs"), status(keeper, "Seccomp")) == ("0", "0")
    assert os.stat(f"/proc/{keeper}").st_uid == UID
    assert os.readlink(f"/proc/{keeper}/ns/user") == os.readlink(f"/proc/{domed}/ns/user")
    # What was written down for the start is gone.
    left = sorted(path.name for path in service.socket.parent.iterdir())
    assert left == ["domed-metrics.sock", "domed.session", "domed.sock"]


def test_a_restart_with_fifty_jobs_and_their_followers_loses_nothing(service: Service) -> None:
    (service.config_home / "dome").mkdir(parents=True)
    (service.config_home / "dome" / "config.json").write_text('{"max_running_jobs": 60}')
    service.own()
    followers = follow_new_jobs(service, 50)
    keepers, domed = service.keepers(), service.pid()
    logs = service.run("sh", "-c", f"(dome logs -f {followers[0].job} >followed 2>&1; echo $? >>followed) >&- 2>&- &")
    assert logs.returncode == 0
    service.systemctl("restart", "domed.service")
    for follower in followers:
        follower.finish()
    assert service.pid() not in (0, domed)
    assert service.keepers() == keepers and service.show("domed.service", "NRestarts") == "0"
    followed = service.home / "followed"
    until(lambda: followed.read_text().endswith("\n0\n"), "dome logs -f has seen the job's end")
    assert followed.read_text().split() == [str(n) for n in range(1, LINES + 1)] + ["0"]


def test_a_crash_of_domed_is_followed_by_a_restart_and_loses_nothing(service: Service) -> None:
    followers = follow_new_jobs(service, 5)
    keepers, domed = service.keepers(), service.pid()
    os.kill(domed, signal.SIGKILL)
    until(lambda: service.pid() not in (0, domed), "the service manager starts domed again")
    for follower in followers:
        follower.finish()
        assert follower.connections > 1
    assert service.show("domed.service", "NRestarts") == "1" and service.keepers() == keepers


def test_a_killed_keeper_loses_its_jobs_and_the_next_has_a_new_unit(service: Service) -> None:
    job = service.jobs.start("shell.run", {"script": "echo up; exec sleep 1000"})
    follower = service.jobs.follow(job)
    next(one for one in follower if one.line == b"up")
    [unit] = service.keepers()
    os.kill(service.pid(unit), signal.SIGKILL)
    last = list(follower)[-1]
    assert last.is_terminal and last.payload["reason"] == "keeper_lost"
    assert service.jobs.run("shell.run", {"argv": ["/bin/true"]})[-1].payload["to"] == "succeeded"
    until(lambda: unit not in service.keepers(), "the killed keeper's unit is gone")
    assert len(service.keepers()) == 1
    assert "domed-keeper" not in service.systemctl("list-units", "--failed", "--plain", "--no-legend")


def test_jobs_go_on_while_domed_is_stopped_and_the_next_client_starts_it(service: Service) -> None:
    [follower] = follow_new_jobs(service, 1)
    [unit] = service.keepers()
    service.systemctl("stop", "domed.service")
    assert service.show(unit, "ActiveState") == "active"
    follower.finish()
    assert service.show("domed.service", "ActiveState") == "active"


def test_without_its_socket_nothing_starts_it_and_jobs_still_go_on(service: Service) -> None:
    job = service.jobs.start("shell.run", {"script": "echo up; sleep 1; echo down"})
    next(one for one in service.jobs.follow(job) if one.line == b"up")
    keeper = service.pid(*service.keepers())
    service.systemctl("stop", "domed.socket", "domed.service")
    assert not service.socket.exists() and service.pid() == 0 and Path(f"/proc/{keeper}").exists()
    service.systemctl("start", "domed.service")
    events = list(service.jobs.follow(job))
    assert_complete(events)
    assert [one.line for one in events if one.type == "LOG"] == [b"up", b"down"]
    assert service.pid(*service.keepers()) == keeper


def test_a_keeper_that_cannot_be_started_is_named_and_tried_again(service: Service) -> None:
    template = Path("/usr/local/lib/systemd/user/domed-keeper@.service")
    away = template.rename(template.with_suffix(".away"))
    service.systemctl("daemon-reload")
    try:
        stub = service.stub()
        job = Jobs(stub).start("shell.run", {"argv": ["/bin/true"]})
        named = "did not bring up domed-keeper@"
        until(
            lambda: any(named in one for one in stub.GetStatus(pb2.GetStatusRequest(), timeout=30).problems),
            "the status names the unit",
        )
    finally:
        away.rename(template)
        service.systemctl("daemon-reload")
    # Within the ten seconds for which a job waits.
    assert list(service.jobs.follow(job))[-1].payload["to"] == "succeeded"
