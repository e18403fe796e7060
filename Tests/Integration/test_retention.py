"""CollectGarbage and the configured limits: finished jobs go, by age and by size; what happened stays on the record."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest

from domekit.daemon import Daemon, pb2
from domekit.database import rows
from domekit.gates import Gate


def collect(daemon: Daemon, **request: Any) -> Any:
    reply = daemon.stub().CollectGarbage(pb2.CollectGarbageRequest(**request), timeout=20)
    assert reply.status.ok, reply.status.message
    return reply


def job_ids(daemon: Daemon) -> set[str]:
    return {job.job_id for job in daemon.stub().ListJobs(pb2.ListJobsRequest(), timeout=30).jobs}


def folders(daemon: Daemon) -> set[str]:
    return {path.name for path in (daemon.state / "jobs").glob("*/*")}


@pytest.fixture
def gate(daemon: Daemon) -> Iterator[Gate]:
    with Gate(daemon.directory / "gates") as gate:
        yield gate


def test_nothing_recent_is_removed_by_default(daemon: Daemon) -> None:
    daemon.jobs.run("job.noop")
    reply = collect(daemon)
    assert (reply.jobs_removed, reply.bytes_freed) == (0, 0)
    assert len(job_ids(daemon)) == 1


def age(daemon: Daemon, job: str, seconds: int) -> None:
    """Moves a job's end into the past, while the daemon is down."""
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(daemon.state / "domed.sqlite")) as connection:
        connection.execute("UPDATE jobs SET ended_ns = ended_ns - ? WHERE job_id = ?", (seconds * 10**9, job))
        connection.commit()


def test_old_jobs_go_and_young_ones_stay(daemon: Daemon) -> None:
    old = daemon.jobs.run("job.log", {"lines": ["x" * 1000]})[0].raw.job_id
    young = daemon.jobs.run("job.noop")[0].raw.job_id
    daemon.stop()
    age(daemon, old, 3600)
    daemon.start()
    counted = collect(daemon, older_than_seconds=1800, dry_run=True)
    assert counted.jobs_removed == 1 and counted.bytes_freed > 1000
    assert job_ids(daemon) == {old, young}, "a dry run removes nothing"
    reply = collect(daemon, older_than_seconds=1800)
    assert reply.jobs_removed == 1 and reply.bytes_freed > 1000
    assert job_ids(daemon) == folders(daemon) == {young}

    status = daemon.jobs.status(old).status
    assert (status.ok, status.code, status.message) == (False, pb2.E_NOT_FOUND, f"job not found: {old}")
    with pytest.raises(grpc.RpcError) as caught:
        daemon.jobs.replay(old)
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND


def test_the_oldest_go_until_the_rest_fits(daemon: Daemon) -> None:
    jobs = [daemon.jobs.run("job.log", {"lines": ["x" * 100_000]})[0].raw.job_id for _ in range(6)]
    assert collect(daemon, max_bytes=250_000).jobs_removed == 4
    assert job_ids(daemon) == folders(daemon) == set(jobs[4:])


def test_a_running_job_is_never_removed(daemon: Daemon, gate: Gate) -> None:
    script = f"head -c 300000 /dev/zero; echo; echo up; {gate.wait}; echo down"
    job = daemon.jobs.start("shell.run", {"script": script}, grants=gate.grants)
    next(one for one in daemon.jobs.follow(job) if one.line == b"up")
    collect(daemon, max_bytes=1)
    assert job_ids(daemon) == {job}
    gate.open()
    events = list(daemon.jobs.follow(job))
    assert events[-1].payload["to"] == "succeeded" and events[-2].line == b"down"


def test_a_follower_in_the_middle_keeps_what_it_reads(daemon: Daemon) -> None:
    """Removing a folder does not pull the open file away from under a reader."""
    job = daemon.jobs.run("job.log", {"lines": ["x" * 1000] * 15_000})[0].raw.job_id
    call = daemon.jobs.stream(job)
    seen = [next(call).seq]
    assert collect(daemon, max_bytes=1).jobs_removed == 1
    try:
        seen += [message.seq for message in call]
    except grpc.RpcError as error:
        assert error.code() in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INTERNAL), error
        assert job in error.details()
    assert seen == list(range(1, len(seen) + 1))


def test_what_was_removed_stays_on_the_record(daemon: Daemon) -> None:
    job = daemon.jobs.run("job.noop")[0].raw.job_id
    collect(daemon, max_bytes=1)
    kinds = [kind for (kind,) in rows(daemon, "SELECT kind FROM audit WHERE job_id = ? ORDER BY seq", job)]
    assert kinds == ["intent", "outcome"]
    [(leaf,)] = rows(daemon, "SELECT leaf FROM audit WHERE kind = 'gc'")
    assert json.loads(leaf)["details"]["jobs"] == 1


def test_a_key_whose_job_was_removed_is_free_again(daemon: Daemon) -> None:
    first = daemon.jobs.submit("job.noop", key="k", wait_ms=20_000)
    collect(daemon, max_bytes=1)
    again = daemon.jobs.submit("job.noop", key="k", wait_ms=20_000)
    assert again.status.message == "submitted" and again.job_id != first.job_id


@pytest.mark.parametrize("limit", ["retention_max_age_seconds", "retention_max_bytes"])
def test_the_configured_limits_are_applied_at_start(new_daemon: Callable[..., Daemon], limit: str) -> None:
    daemon = new_daemon().start()
    old = daemon.jobs.run("job.log", {"lines": ["x" * 10_000]})[0].raw.job_id
    daemon.stop()
    age(daemon, old, 3600)
    daemon.write_config({limit: 1800})
    daemon.start()
    deadline = time.monotonic() + 20
    while job_ids(daemon):
        assert time.monotonic() < deadline, "the configured limit was not applied"
    assert folders(daemon) == set() or time.monotonic() < deadline


def job_id_of(milliseconds: int) -> str:
    """A job's id as of that time since 1970."""
    digits = "0123456789abcdefghjkmnpqrstvwxyz"
    time_digits = "".join(digits[milliseconds >> shift & 31] for shift in range(45, -5, -5))
    return f"job-{time_digits}{'a' * 16}"


def test_a_folder_without_a_job_goes_at_start_unless_it_is_newer_than_the_daemon(
    new_daemon: Callable[..., Daemon],
) -> None:
    daemon = new_daemon()
    now = int(time.time() * 1_000)
    old, new = job_id_of(now - 1_000), job_id_of(now + 3_600_000)
    for job in (old, new):
        folder = daemon.state / "jobs" / job[-2:] / job
        folder.mkdir(parents=True)
        (folder / "events.journal").touch()
    daemon.start()
    deadline = time.monotonic() + 20
    while "retention.litter folders=1" not in daemon.log():
        assert time.monotonic() < deadline, daemon.log_tail()
        time.sleep(0.01)
    # What is newer may be a job that is just being admitted.
    assert folders(daemon) == {new}
