"""How many run, who is next, and what happens when too many wait."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from domekit.daemon import Daemon, pb2
from domekit.gates import Gate
from domekit.jobs import Jobs, state_name


@pytest.fixture
def small(new_daemon: Callable[..., Daemon]) -> Daemon:
    """One job runs, three wait."""
    daemon = new_daemon()
    daemon.write_config({"max_running_jobs": 1, "max_queued_jobs": 3})
    return daemon.start()


@pytest.fixture
def gate(small: Daemon) -> Iterator[Gate]:
    with Gate(small.directory / "gates") as gate:
        yield gate


def block(daemon: Daemon, gate: Gate) -> str:
    """Takes the one place; returns the job when it runs."""
    job = daemon.jobs.start("shell.run", {"script": f"echo up; {gate.wait}"}, grants=gate.grants)
    next(one for one in daemon.jobs.follow(job) if one.line == b"up")
    return job


def test_a_full_queue_refuses_with_a_remedy_and_may_be_tried_again(small: Daemon, gate: Gate) -> None:
    block(small, gate)
    waiting = [small.jobs.start("job.noop") for _ in range(3)]
    refused = small.jobs.submit("job.noop", key="later")
    assert (refused.status.ok, refused.status.code) == (False, pb2.E_RESOURCE_EXHAUSTED)
    assert refused.status.retryable
    assert "queue is full" in refused.status.message and "max_queued_jobs" in refused.status.message
    assert refused.job_id == ""
    assert small.stub().GetStatus(pb2.GetStatusRequest(), timeout=30).jobs_queued == 3
    gate.open()
    for job in waiting:
        assert list(small.jobs.follow(job))[-1].payload["to"] == "succeeded"
    again = small.jobs.submit("job.noop", key="later", wait_ms=20_000)
    assert again.status.message == "submitted" and state_name(again.state) == "SUCCEEDED"


def test_a_full_queue_still_answers_for_what_it_admitted(small: Daemon, gate: Gate) -> None:
    first = block(small, gate)
    waiting = small.jobs.submit("job.noop", {"n": 1}, key="mine")
    for _ in range(2):
        small.jobs.start("job.noop")
    again = small.jobs.submit("job.noop", {"n": 1}, key="mine")
    assert again.status.message == "replayed" and again.job_id == waiting.job_id
    other = small.jobs.submit("job.noop", {"n": 2}, key="mine")
    assert other.status.code == pb2.E_IDEMPOTENCY_KEY_REUSED
    assert state_name(small.jobs.status(first).state) == "RUNNING"
    gate.open()


def test_a_flood_of_submissions_at_once_stays_within_the_bound(small: Daemon, gate: Gate) -> None:
    block(small, gate)
    replies = []
    barrier = threading.Barrier(24)

    def submit() -> None:
        jobs = Jobs(small.stub())
        request = jobs.request("job.noop")
        barrier.wait(20)
        replies.append(jobs.stub.SkillExecute(request, timeout=30))

    threads = [threading.Thread(target=submit) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    accepted = [reply for reply in replies if reply.status.ok]
    assert len(accepted) == 3
    assert {reply.status.code for reply in replies if not reply.status.ok} == {pb2.E_RESOURCE_EXHAUSTED}
    gate.open()
    for reply in accepted:
        assert list(small.jobs.follow(reply.job_id))[-1].payload["to"] == "succeeded"


def test_never_more_run_than_the_limit_says(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    daemon.write_config({"max_running_jobs": 3})
    daemon.start()
    with Gate(daemon.directory / "gates") as gate:
        jobs = [
            daemon.jobs.start("shell.run", {"script": f"echo up; {gate.wait}"}, grants=gate.grants) for _ in range(8)
        ]
        for ended in range(8):
            running = {job for job in jobs if state_name(daemon.jobs.status(job).state) == "RUNNING"}
            assert len(running) <= 3
            # Each of those that have a place comes up; then one may go.
            expected = min(3, 8 - ended)
            while len(running) < expected:
                running = {job for job in jobs if state_name(daemon.jobs.status(job).state) == "RUNNING"}
                assert len(running) <= 3
            gate.open()
            left = {job for job in running if state_name(daemon.jobs.status(job).state) != "SUCCEEDED"}
            while len(left) == len(running):
                left = {job for job in running if state_name(daemon.jobs.status(job).state) != "SUCCEEDED"}
        assert {state_name(daemon.jobs.status(job).state) for job in jobs} == {"SUCCEEDED"}


def test_the_highest_priority_goes_first_and_among_equals_the_oldest(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    daemon.write_config({"max_running_jobs": 1})
    daemon.start()
    with Gate(daemon.directory / "gates") as gate:
        block(daemon, gate)
        wanted = [("a", 0), ("b", -100), ("c", 5), ("d", 100), ("e", 0), ("f", 5), ("g", -1)]
        jobs = {name: daemon.jobs.start("job.noop", priority=priority) for name, priority in wanted}
        gate.open()
        for job in jobs.values():
            list(daemon.jobs.follow(job))
        started = sorted(jobs, key=lambda name: daemon.jobs.replay(jobs[name])[1].raw.ts)
        assert started == ["d", "c", "f", "a", "e", "g", "b"]


def test_the_order_of_the_queue_survives_a_restart(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    daemon.write_config({"max_running_jobs": 1})
    daemon.start()
    with Gate(daemon.directory / "gates") as gate:
        first = block(daemon, gate)
        wanted = [("a", 0), ("b", 9), ("c", 0), ("d", -9)]
        jobs = {name: daemon.jobs.start("job.noop", priority=priority) for name, priority in wanted}
        daemon.restart()
        assert [state_name(daemon.jobs.status(job).state) for job in jobs.values()] == ["QUEUED"] * 4
        gate.open()
        assert list(daemon.jobs.follow(first))[-1].payload["to"] == "succeeded"
        for job in jobs.values():
            assert list(daemon.jobs.follow(job))[-1].payload["to"] == "succeeded"
        started = sorted(jobs, key=lambda name: daemon.jobs.replay(jobs[name])[1].raw.ts)
        assert started == ["b", "a", "c", "d"]
