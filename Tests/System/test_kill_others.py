"""kill -9 of the keeper, of its inner servers, of the plugin's worker; and a daemon that is asked to leave."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest

from domekit import processes
from domekit.daemon import Daemon, pb2
from domekit.database import rows
from domekit.gates import Gate
from domekit.jobs import Event, Jobs, assert_complete, state_name
from domekit.processes import kill_and_wait

pytestmark = pytest.mark.both_users


@pytest.fixture
def gate(daemon: Daemon) -> Iterator[Gate]:
    with Gate(daemon.directory / "gates") as gate:
        yield gate


def keeper_pid(daemon: Daemon) -> int:
    [keeper] = daemon.stub().GetStatus(pb2.GetStatusRequest(), timeout=30).keepers
    return int(keeper.pid)


def start_and_see(daemon: Daemon, script: str, line: bytes, **rest: Any) -> str:
    """Starts a script and waits for the line that shows that it is there."""
    job = daemon.jobs.start("shell.run", {"script": script}, **rest)
    next(one for one in daemon.jobs.follow(job) if one.line == line)
    return job


# The keeper


def test_a_killed_keeper_ends_its_jobs_honestly_and_without_survivors(daemon: Daemon) -> None:
    script = "setsid -f sleep 1000; echo one; printf two; echo up >&2; exec sleep 1000"
    jobs = [start_and_see(daemon, script, b"up") for _ in range(5)]
    seen = {job: daemon.jobs.replay(job) for job in jobs}
    followers = {job: daemon.jobs.follow(job, timeout=30) for job in jobs}
    assert kill_and_wait(keeper_pid(daemon), time.monotonic() + 30)
    for job in jobs:
        events = list(followers[job])
        assert_complete(events)
        # By the time anybody is told, nothing of it is alive.
        assert processes.of_jobs(job) == []
        assert events[-1].payload["to"] == "failed" and events[-1].payload["reason"] == "keeper_lost"
        assert [one.payload["reason"] for one in events if one.type == "ERROR"] == ["keeper_lost"]
        assert [one.raw for one in events[: len(seen[job])]] == [one.raw for one in seen[job]]
        status = daemon.jobs.status(job)
        assert status.reason == "keeper_lost" and status.last_seq == events[-1].seq


def test_after_a_killed_keeper_new_jobs_run_in_a_new_one(daemon: Daemon) -> None:
    daemon.jobs.run("domed.exec-probe")
    first = keeper_pid(daemon)
    assert kill_and_wait(first, time.monotonic() + 30)
    for number in range(5):
        events = daemon.jobs.run("domed.exec-probe", {"stdout": [str(number)]})
        assert events[-1].payload["to"] == "succeeded", events[-1].payload
    assert keeper_pid(daemon) != first
    assert list(daemon.stub().GetStatus(pb2.GetStatusRequest(), timeout=30).problems) == []


def test_a_keeper_killed_again_and_again_under_load_ends_every_job_once(daemon: Daemon) -> None:
    results: list[list[Event]] = []
    problems: list[str] = []
    stop = threading.Event()

    def client() -> None:
        jobs = Jobs(daemon.stub())
        try:
            while not stop.is_set():
                results.append(jobs.run("shell.run", {"script": "for i in 1 2 3 4 5; do echo $i; sleep 0.01; done"}))
        except Exception as error:  # noqa: BLE001 - a thread's failure is the test's
            problems.append(repr(error))

    daemon.jobs.run("domed.exec-probe")
    threads = [threading.Thread(target=client) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(6):
        deadline = time.monotonic() + 20
        while not (keepers := daemon.stub().GetStatus(pb2.GetStatusRequest(), timeout=30).keepers):
            assert time.monotonic() < deadline, "no new keeper came"
        enough = len(results) + 4
        while len(results) < enough and time.monotonic() < deadline and not problems:
            time.sleep(0.002)
        kill_and_wait(keepers[-1].pid, time.monotonic() + 30)
    stop.set()
    for thread in threads:
        thread.join(60)
    assert not problems, problems
    for events in results:
        assert_complete(events)
        lines = [one.payload["line"] for one in events if one.type == "LOG"]
        assert lines == ["1", "2", "3", "4", "5"][: len(lines)]
        last = events[-1].payload
        assert (last["to"] == "succeeded" and len(lines) == 5) or last["to"] == "failed", last
    reasons = {events[-1].payload["reason"] for events in results}
    assert reasons <= {"exited", "keeper_lost"}, reasons
    assert not processes.of_jobs(*(events[0].raw.job_id for events in results))
    unfinished = rows(daemon, "SELECT count(*) FROM jobs WHERE state < 3")
    assert unfinished == [(0,)]


def test_a_killed_inner_server_costs_its_jobs_alone(daemon: Daemon) -> None:
    job = start_and_see(daemon, "echo up; exec sleep 1000", b"up")
    keeper = keeper_pid(daemon)
    servers = [pid for pid in daemon.pids("domed-jail") if processes.parent(pid) == keeper]
    assert servers
    for pid in servers:
        os.kill(pid, signal.SIGKILL)
    events = list(daemon.jobs.follow(job, timeout=30))
    assert_complete(events)
    assert events[-1].payload["reason"] == "keeper_lost" and processes.of_jobs(job) == []
    assert daemon.jobs.run("domed.exec-probe")[-1].payload["to"] == "succeeded"
    assert keeper_pid(daemon) == keeper


def test_keeper_and_daemon_killed_together_lose_no_job(daemon: Daemon) -> None:
    running = start_and_see(daemon, "echo up; exec sleep 1000", b"up")
    ended = daemon.jobs.run("domed.exec-probe", {"stdout": ["kept"]})
    keeper = keeper_pid(daemon)
    daemon.kill9()
    assert kill_and_wait(keeper, time.monotonic() + 30)
    daemon.start()
    events = list(daemon.jobs.follow(running, timeout=20))
    assert_complete(events)
    assert events[-1].payload["reason"] == "keeper_lost" and processes.of_jobs(running) == []
    assert [one.raw for one in daemon.jobs.replay(ended[0].raw.job_id)] == [one.raw for one in ended]
    assert daemon.jobs.run("domed.exec-probe")[-1].payload["to"] == "succeeded"


def test_a_keeper_that_does_not_answer_is_not_taken_for_dead(daemon: Daemon, gate: Gate) -> None:
    """Stopped, not dead: its jobs live, so the next daemon must neither end them nor touch their journals."""
    job = start_and_see(daemon, f"echo up; {gate.wait}; echo down", b"up", grants=gate.grants)
    keeper = keeper_pid(daemon)
    # Stopped first: when it goes on, it learns of the old daemon's end and of the new one in the same moment.
    processes.stop(keeper)
    daemon.kill9()
    thaw = threading.Timer(2.5, os.kill, (keeper, signal.SIGCONT))
    thaw.start()
    try:
        daemon.start(30)
        gate.open()
        events = list(daemon.jobs.follow(job, timeout=40))
    finally:
        thaw.join()
    assert_complete(events)
    assert [one.line for one in events if one.type == "LOG"] == [b"up", b"down"]
    assert events[-1].payload["to"] == "succeeded", events[-1].payload


# The worker


def test_a_killed_worker_costs_at_most_the_jobs_it_was_asked_about(daemon: Daemon) -> None:
    daemon.jobs.run("domed.exec-probe")
    for _ in range(3):
        [worker] = daemon.pids("domed-worker")
        assert kill_and_wait(worker, time.monotonic() + 30)
        reply = daemon.jobs.submit("domed.exec-probe", {"stdout": ["next"]}, wait_ms=20_000)
        assert state_name(reply.state) == "SUCCEEDED", reply


def test_a_running_job_does_not_notice_a_killed_worker(daemon: Daemon, gate: Gate) -> None:
    job = start_and_see(daemon, f"echo up; {gate.wait}; echo down", b"up", grants=gate.grants)
    [worker] = daemon.pids("domed-worker")
    assert kill_and_wait(worker, time.monotonic() + 30)
    gate.open()
    assert list(daemon.jobs.follow(job))[-1].payload["to"] == "succeeded"


def test_a_stopped_worker_is_given_up_and_the_daemon_answers_meanwhile(daemon: Daemon) -> None:
    daemon.jobs.run("domed.exec-probe")
    [worker] = daemon.pids("domed-worker")
    os.kill(worker, signal.SIGSTOP)
    job = daemon.jobs.start("domed.exec-probe", {"stdout": ["x"]})
    assert daemon.jobs.submit("job.noop", wait_ms=5000, timeout=6).status.ok
    assert daemon.stub().Health(pb2.HealthRequest(), timeout=2).status.ok
    os.kill(worker, signal.SIGCONT)
    assert list(daemon.jobs.follow(job))[-1].payload["to"] == "succeeded"


# Leaving in good order


def test_sigterm_tells_followers_to_come_back_and_leaves_jobs_running(daemon: Daemon, gate: Gate) -> None:
    job = start_and_see(daemon, f"echo up; {gate.wait}; echo down", b"up", grants=gate.grants)
    # A follower that held the daemon up would do so for two seconds each time, a busy machine now and then.
    for _ in range(4):
        call = daemon.jobs.stream(job)
        seen = [next(call).seq for _ in range(3)]
        began = time.monotonic()
        assert daemon.stop() == 0
        seconds = time.monotonic() - began
        with pytest.raises(grpc.RpcError) as caught:
            next(call)
        assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
        daemon.start()
        if seconds < 1.5:
            break
    assert seconds < 1.5, "a follower must not hold the daemon up"
    gate.open()
    events = list(daemon.jobs.follow(job, seen[-1]))
    assert_complete(events, since_seq=seen[-1])
    assert b"down" in [one.line for one in events]
    assert events[-1].payload["to"] == "succeeded"


def test_a_daemon_without_work_leaves_at_once(daemon: Daemon) -> None:
    daemon.jobs.run("domed.exec-probe")
    began = time.monotonic()
    assert daemon.stop() == 0
    assert time.monotonic() - began < 5
    assert not daemon.socket.exists()


def test_sigterm_under_load_loses_nothing_that_was_admitted(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon().start()
    jobs = [daemon.jobs.start("shell.run", {"script": f"seq {number}"}) for number in range(60)]
    assert daemon.stop() == 0
    daemon.start()
    for number, job in enumerate(jobs):
        events = list(daemon.jobs.follow(job))
        assert_complete(events)
        assert sum(one.type == "LOG" for one in events) == number
        assert events[-1].payload["to"] == "succeeded", events[-1].payload


def test_start_and_stop_are_on_the_record(daemon: Daemon) -> None:
    assert daemon.stub().Health(pb2.HealthRequest(), timeout=30).status.ok
    daemon.stop()
    daemon.start()
    assert daemon.stub().Health(pb2.HealthRequest(), timeout=10, wait_for_ready=True).status.ok
    # The key that the first start makes is in the log as well, at some time.
    kinds = [kind for (kind,) in rows(daemon, "SELECT kind FROM audit WHERE kind <> 'key' ORDER BY seq")]
    assert kinds == ["daemon_start", "daemon_stop", "daemon_start"]
