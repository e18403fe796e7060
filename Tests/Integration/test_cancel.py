"""CancelJob and time limits: jobs that wait, that run, and that will not listen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from domekit.daemon import Daemon, pb2
from domekit.gates import Gate
from domekit.jobs import Jobs, assert_complete, state_name
from domekit.tools import write_script_tool

pytestmark = pytest.mark.both_users


@pytest.fixture
def gate(daemon: Daemon) -> Iterator[Gate]:
    with Gate(daemon.directory / "gates") as gate:
        yield gate


def until_line(jobs: Jobs, job: str, line: bytes) -> int:
    """Waits for `line`; returns its seq."""
    return next(one.seq for one in jobs.follow(job) if one.line == line)


def test_a_running_job_is_ended_and_its_end_says_so(daemon: Daemon, gate: Gate) -> None:
    jobs = daemon.jobs
    job = jobs.start("shell.run", {"script": f"echo up; {gate.wait}"}, grants=gate.grants)
    until_line(jobs, job, b"up")
    reply = jobs.cancel(job)
    assert reply.status.ok and reply.job_id == job
    events = list(jobs.follow(job))
    assert_complete(events)
    assert events[-1].payload["to"] == "canceled" and events[-1].payload["from"] == "running"
    assert events[-1].payload["message"]
    status = jobs.status(job)
    assert state_name(status.state) == "CANCELED" and status.reason == "canceled"


def test_the_request_to_cancel_is_an_event_of_its_own(daemon: Daemon, gate: Gate) -> None:
    jobs = daemon.jobs
    job = jobs.start("shell.run", {"script": f"echo up; {gate.wait}"}, grants=gate.grants)
    until_line(jobs, job, b"up")
    jobs.cancel(job)
    guards = [one for one in jobs.follow(job) if one.type == "GUARD"]
    assert [one.payload["cancel_requested"] for one in guards] == [True]


def test_a_tool_may_clean_up_on_sigterm(daemon: Daemon, gate: Gate) -> None:
    jobs = daemon.jobs
    script = "trap 'echo cleaning; exit 7' TERM; echo up; while :; do sleep 0.01; done"
    job = jobs.start("shell.run", {"script": script})
    until_line(jobs, job, b"up")
    jobs.cancel(job)
    events = list(jobs.follow(job))
    assert b"cleaning" in [one.line for one in events]
    assert events[-1].payload["to"] == "canceled"
    assert events[-1].payload["exit_code"] == 7


def test_a_tool_that_ignores_sigterm_is_killed_after_its_grace(daemon: Daemon) -> None:
    script = "trap '' TERM; (trap '' TERM; while :; do sleep 1000; done) & echo up; while :; do sleep 0.01; done"
    write_script_tool(daemon, "test.deaf", script, limits={"grace_seconds": 1})
    jobs = daemon.jobs
    job = jobs.start("test.deaf")
    until_line(jobs, job, b"up")
    began = time.monotonic()
    jobs.cancel(job)
    events = list(jobs.follow(job))
    assert 0.9 < time.monotonic() - began < 30
    assert events[-1].payload["to"] == "canceled"
    assert events[-1].payload["signal"] == 9


def test_a_stopped_tool_is_ended_too(daemon: Daemon) -> None:
    write_script_tool(daemon, "test.stopped", "echo up; kill -STOP $$; echo never", limits={"grace_seconds": 1})
    jobs = daemon.jobs
    job = jobs.start("test.stopped")
    until_line(jobs, job, b"up")
    jobs.cancel(job)
    events = list(jobs.follow(job))
    assert events[-1].payload["to"] == "canceled"


def test_a_waiting_job_is_ended_before_it_starts(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    daemon.write_config({"max_running_jobs": 1})
    daemon.start()
    jobs = daemon.jobs
    with Gate(daemon.directory / "gates") as gate:
        first = jobs.start("shell.run", {"script": f"echo up; {gate.wait}"}, grants=gate.grants)
        until_line(jobs, first, b"up")
        second = jobs.start("shell.run", {"script": "echo never"})
        assert state_name(jobs.status(second).state) == "QUEUED"
        reply = jobs.cancel(second)
        assert reply.status.ok and state_name(reply.state) == "CANCELED"
        events = list(jobs.follow(second))
        assert_complete(events)
        assert [one.payload.get("to") for one in events] == ["queued", "canceled"]
        assert events[-1].payload["from"] == "queued"
        gate.open()
        assert list(jobs.follow(first))[-1].payload["to"] == "succeeded"


def test_cancel_right_after_the_submission_always_ends_the_job_once(jobs: Jobs) -> None:
    """Wherever it meets the job: before it is prepared, at the gate, running, at its end."""
    request = jobs.request("shell.run", {"script": "sleep 30"})
    for _ in range(40):
        request.idempotency_key += "x"
        job = jobs.stub.SkillExecute(request, timeout=30).job_id
        assert jobs.cancel(job).status.ok
        events = list(jobs.follow(job, timeout=30))
        assert_complete(events)
        assert events[-1].payload["to"] == "canceled"
        assert state_name(jobs.status(job).state) == "CANCELED"


def test_cancelling_twice_is_no_error(jobs: Jobs) -> None:
    job = jobs.start("shell.run", {"script": "sleep 1000"})
    assert jobs.cancel(job).status.ok
    list(jobs.follow(job))
    again = jobs.cancel(job)
    assert again.status.ok and state_name(again.state) == "CANCELED"
    assert_complete(jobs.replay(job))


@pytest.mark.parametrize("code, state", [(0, "succeeded"), (1, "failed")])
def test_an_ended_job_cannot_be_cancelled(jobs: Jobs, code: int, state: str) -> None:
    reply = jobs.submit("domed.exec-probe", {"exit_code": code}, wait_ms=20_000)
    before = jobs.status(reply.job_id)
    refused = jobs.cancel(reply.job_id)
    assert (refused.status.ok, refused.status.code) == (False, pb2.E_INVALID_TRANSITION)
    assert reply.job_id in refused.status.message and state in refused.status.message.lower()
    assert jobs.status(reply.job_id) == before


# Time limits


def test_a_job_over_its_time_fails_with_reason_timeout(jobs: Jobs) -> None:
    began = time.monotonic()
    events = jobs.run("shell.run", {"script": "echo up; exec sleep 1000"}, timeout_ms=300)
    assert 0.3 <= time.monotonic() - began < 30
    assert_complete(events)
    last = events[-1].payload
    assert (last["to"], last["reason"], last["signal"]) == ("failed", "timeout", 15)
    assert [one.payload["reason"] for one in events if one.type == "ERROR"] == ["timeout"]
    assert jobs.status(events[0].raw.job_id).reason == "timeout"


def test_a_job_within_its_time_is_left_alone(jobs: Jobs) -> None:
    events = jobs.run("domed.exec-probe", {"exit_code": 0}, timeout_ms=60_000)
    assert events[-1].payload["to"] == "succeeded"


def test_the_time_limit_of_a_job_that_ignores_sigterm_holds_all_the_same(daemon: Daemon) -> None:
    write_script_tool(
        daemon, "test.deaf", "trap '' TERM; while :; do sleep 0.01; done", limits={"grace_seconds": 0}
    )
    events = daemon.jobs.run("test.deaf", timeout_ms=200)
    assert events[-1].payload["reason"] == "timeout" and events[-1].payload["signal"] == 9


def test_waiting_in_the_queue_is_no_running_time(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    daemon.write_config({"max_running_jobs": 1})
    daemon.start()
    with Gate(daemon.directory / "gates") as gate:
        first = daemon.jobs.start("shell.run", {"script": f"echo up; {gate.wait}"}, grants=gate.grants)
        until_line(daemon.jobs, first, b"up")
        second = daemon.jobs.start("shell.run", {"script": "echo ran"}, timeout_ms=700)
        # The blocker outlives the second job's whole limit.
        blocked: Any = daemon.jobs.submit("shell.run", {"script": "true"}, wait_ms=900)
        assert state_name(blocked.state) == "QUEUED"
        gate.open()
        assert list(daemon.jobs.follow(second))[-1].payload["to"] == "succeeded"
