"""A disk without room refuses what is new, holds back what runs, and loses nothing."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from domekit.daemon import Daemon, pb2
from domekit.database import rows
from domekit.gates import Gate
from domekit.jobs import assert_complete, raw, state_name
from domekit.tools import write_script_tool

# CI runs as root, where a skip would be a failure.
pytestmark = [
    pytest.mark.skipif(os.getuid() != 0, reason="mounting a small disk needs root"),
    pytest.mark.both_users,
]


def fill(daemon: Daemon) -> Path:
    """Takes the disk's last byte; returns the file to remove."""
    path = daemon.state / "filler"
    with path.open("wb") as file:
        try:
            while True:
                os.write(file.fileno(), b"\0" * 4096)
        except OSError:
            pass
    return path


def test_a_full_disk_refuses_new_jobs_and_keeps_serving(little: Daemon) -> None:
    little.start()
    before = little.jobs.run("domed.exec-probe", {"stdout": ["kept"]})
    filler = fill(little)
    # Some pages of the write-ahead log may still be free; not for long.
    refusals = [little.jobs.submit("job.noop", {"filler": "x" * 8192}, key=f"k{number}") for number in range(12)]
    full = [reply for reply in refusals if not reply.status.ok]
    assert full, "a full disk must refuse"
    for reply in full:
        assert reply.status.code == pb2.E_RESOURCE_EXHAUSTED and reply.status.retryable
        assert str(little.state) in reply.status.message and reply.job_id == ""
    assert little.stub().Health(pb2.HealthRequest(), timeout=30).status.ok
    assert raw(little.jobs.replay(before[0].raw.job_id)) == raw(before)
    filler.unlink()
    accepted = [reply.job_id for reply in refusals if reply.status.ok]
    for job in accepted:
        assert list(little.jobs.follow(job, timeout=20))[-1].payload["to"] == "succeeded"
    assert little.jobs.run("domed.exec-probe")[-1].payload["to"] == "succeeded"


def test_a_disk_that_fills_up_under_a_job_loses_no_line_once_there_is_room(little: Daemon) -> None:
    """Back-pressure: the tool waits, the lines wait with it."""
    little.start()
    with Gate(little.directory / "gates") as gate:
        script = f"echo up; {gate.wait}; seq 100000 105000; {gate.wait}; echo done"
        job = little.jobs.start("shell.run", {"script": script}, grants=gate.grants)
        followed = little.jobs.follow(job, timeout=60)
        events = [next(followed), next(followed), next(followed)]
        assert events[-1].line == b"up"
        filler = fill(little)
        gate.open()
        # What still fits arrives; then nothing until there is room.
        gate.open()
        filler.unlink()
        events += followed
    assert_complete(events)
    lines = [one.line for one in events if one.type == "LOG"]
    assert lines == [b"up", *(str(number).encode() for number in range(100_000, 105_001)), b"done"]
    assert events[-1].payload["to"] == "succeeded"


def test_a_disk_that_stays_full_ends_the_job_with_that_reason(little: Daemon) -> None:
    little.write_config({"disk_full_grace_seconds": 1})
    flood = "yes $(printf %01000d 0) | head -c 30000000"
    write_script_tool(little, "test.flood", flood, limits={"output_bytes": 64 << 20})
    little.start()
    little.jobs.run("job.noop")
    # What domed itself needs for the end is given back when it asks.
    ballast = little.state / "ballast"
    ballast.write_bytes(b"\0" * (1 << 20))
    job = little.jobs.start("test.flood")
    deadline = time.monotonic() + 40
    while state_name(little.jobs.status(job).state) in ("QUEUED", "RUNNING"):
        assert time.monotonic() < deadline, "the job was never given up"
        if ballast.exists() and "finish.delayed" in little.log():
            ballast.unlink()
    events = list(little.jobs.follow(job, timeout=40))
    assert_complete(events)
    assert events[-1].payload["to"] == "failed" and events[-1].payload["reason"] == "disk_full"
    assert [one.payload["reason"] for one in events if one.type == "ERROR"] == ["disk_full"]
    [guard] = [one for one in events if one.type == "GUARD"]
    assert guard.payload["truncated"] and guard.payload["dropped_bytes"] > 0
    assert {one.line for one in events if one.type == "LOG"} == {b"0" * 1000}
    assert rows(little, "SELECT reason FROM jobs WHERE job_id=?", job) == [("disk_full",)]
