"""wait_ms: the reply comes when the job ends or the wait is over, whichever is first."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from domekit.daemon import Daemon, pb2
from domekit.gates import Gate
from domekit.jobs import Jobs, state_name


@pytest.fixture
def gate(daemon: Daemon) -> Iterator[Gate]:
    with Gate(daemon.directory / "gates") as gate:
        yield gate


def timed(jobs: Jobs, *arguments: Any, **rest: Any) -> tuple[Any, float]:
    began = time.monotonic()
    reply = jobs.submit(*arguments, **rest)
    return reply, time.monotonic() - began


def test_zero_answers_after_the_admission(daemon: Daemon, gate: Gate) -> None:
    # A call that waited would take a second each time; one that does not may, on a busy machine, now and then.
    for _ in range(5):
        reply, seconds = timed(daemon.jobs, "shell.run", {"script": gate.wait}, wait_ms=0, grants=gate.grants)
        if seconds < 0.9:
            break
    assert reply.status.ok and reply.job_id
    assert state_name(reply.state) in ("QUEUED", "RUNNING")
    assert seconds < 0.9
    # Admitted means durable: the job is there for everybody from now on.
    assert daemon.jobs.status(reply.job_id).status.ok


def test_a_short_job_needs_one_round_trip(jobs: Jobs) -> None:
    reply, seconds = timed(jobs, "domed.exec-probe", {"exit_code": 5}, wait_ms=60_000)
    assert state_name(reply.state) == "FAILED" and reply.exit_code == 5
    assert reply.last_seq == jobs.status(reply.job_id).last_seq
    assert seconds < 30


def test_without_a_word_the_reply_waits_a_second(daemon: Daemon, gate: Gate) -> None:
    request = daemon.jobs.request("shell.run", {"script": gate.wait}, grants=gate.grants)
    request.constraints_json = f'{{"grants":["{gate.grants[0]}"]}}'
    began = time.monotonic()
    reply = daemon.stub().SkillExecute(request, timeout=30)
    assert state_name(reply.state) == "RUNNING"
    assert 0.95 <= time.monotonic() - began < 30


def test_without_a_word_a_short_job_is_finished_in_the_reply(stub: Any) -> None:
    request = pb2.SkillExecuteRequest(skill_id="domed.exec-probe", profile="p", idempotency_key="k", task_json="{}")
    assert state_name(stub.SkillExecute(request, timeout=30).state) == "SUCCEEDED"


def test_the_configuration_says_how_long_without_a_word_is(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    daemon.write_config({"execute_wait_ms": 0})
    daemon.start()
    with Gate(daemon.directory / "gates") as gate:
        request = daemon.jobs.request("shell.run", {"script": gate.wait}, grants=gate.grants)
        request.constraints_json = f'{{"grants":["{gate.grants[0]}"]}}'
        for _ in range(5):
            request.idempotency_key += "+"
            began = time.monotonic()
            assert state_name(daemon.stub().SkillExecute(request, timeout=30).state) in ("QUEUED", "RUNNING")
            seconds = time.monotonic() - began
            if seconds < 0.9:
                break
        assert seconds < 0.9


def test_a_long_wait_ends_with_the_job(daemon: Daemon, gate: Gate) -> None:
    request = daemon.jobs.request("shell.run", {"script": f"echo up; {gate.wait}"}, wait_ms=60_000, grants=gate.grants)
    reply = daemon.stub().SkillExecute.future(request, timeout=60)
    job = wait_for_job(daemon)
    followed = daemon.jobs.follow(job)
    assert next(one for one in followed if one.line == b"up")
    assert not reply.done()
    gate.open()
    assert state_name(reply.result(30).state) == "SUCCEEDED"


def test_a_waiter_who_goes_away_takes_nothing_along(daemon: Daemon, gate: Gate) -> None:
    request = daemon.jobs.request("shell.run", {"script": f"echo up; {gate.wait}"}, wait_ms=60_000, grants=gate.grants)
    call = daemon.stub().SkillExecute.future(request, timeout=60)
    job = wait_for_job(daemon)
    assert next(one for one in daemon.jobs.follow(job) if one.line == b"up")
    call.cancel()
    gate.open()
    assert list(daemon.jobs.follow(job))[-1].payload["to"] == "succeeded"


def wait_for_job(daemon: Daemon) -> str:
    """The id of the daemon's one job, as soon as it is admitted."""
    stub = daemon.stub()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        listed = stub.ListJobs(pb2.ListJobsRequest(), timeout=30).jobs
        if listed:
            return listed[0].job_id
    raise AssertionError("no job appeared")
