"""Rules 5 and 6 of streaming: followers cost the job nothing, and an end is an end."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator

import pytest

from domekit import processes
from domekit.daemon import Daemon, pb2
from domekit.gates import Gate
from domekit.jobs import Jobs, assert_complete, raw, state_name
from domekit.tools import write_script_tool


@pytest.fixture
def gate(daemon: Daemon) -> Iterator[Gate]:
    with Gate(daemon.directory / "gates") as gate:
        yield gate


# Rule 5: a slow or dead follower slows nobody and costs nothing; any number of followers.

FLOOD_LINES = 60_000
FLOOD = f"yes $(printf %01000d 0) | head -n {FLOOD_LINES}"  # 60 MB


def test_a_follower_that_does_not_read_neither_slows_the_job_nor_grows_the_daemon(daemon: Daemon) -> None:
    write_script_tool(daemon, "test.flood", FLOOD, limits={"output_bytes": 256 << 20})
    jobs = daemon.jobs
    jobs.run("job.noop")

    def seconds(job: str) -> float:
        began = time.monotonic()
        request = pb2.GetJobStatusRequest(job_id=job)
        while not state_name(jobs.stub.GetJobStatus(request, timeout=30).state) in ("SUCCEEDED", "FAILED"):
            pass
        return time.monotonic() - began

    alone = seconds(jobs.start("test.flood"))
    before = processes.resident_bytes(daemon.pid)
    job = jobs.start("test.flood")
    # One reads its first event and then nothing, ten are cut off in the middle.
    stalled = Jobs(daemon.stub()).stream(job)
    first = next(iter(stalled))
    for _ in range(10):
        dead = Jobs(daemon.stub()).stream(job)
        next(iter(dead))
        dead.cancel()
    watched = seconds(job)
    grown = processes.resident_bytes(daemon.pid) - before
    assert first.seq == 1
    assert state_name(jobs.status(job).state) == "SUCCEEDED"
    assert jobs.status(job).last_seq == FLOOD_LINES + 3
    assert grown < 8 << 20, f"{grown >> 20} MiB more for a stalled follower"
    # The probing client shares two cores with the job, so this bound is a coarse one.
    assert watched < 3 * alone + 2, f"{watched:.2f} s with a stalled follower, {alone:.2f} s alone"
    # And it is all there when it reads on.
    rest = [message.seq for message in stalled]
    assert rest == list(range(2, jobs.status(job).last_seq + 1))


def test_eight_followers_get_identical_streams(daemon: Daemon, gate: Gate) -> None:
    script = f"{gate.wait}; i=0; while [ $i -lt 5000 ]; do echo $i; echo $i >&2; i=$((i+1)); done"
    job = daemon.jobs.start("shell.run", {"script": script}, grants=gate.grants)
    streams: list[list[bytes]] = [[] for _ in range(8)]

    def follow(number: int) -> None:
        call = Jobs(daemon.stub()).stream(job)
        streams[number] = [message.SerializeToString() for message in call]

    threads = [threading.Thread(target=follow, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    gate.open()
    for thread in threads:
        thread.join(60)
    replay = raw(daemon.jobs.replay(job))
    assert len(replay) == 10_003
    assert all(stream == replay for stream in streams)


def test_a_hundred_followers_on_one_connection(daemon: Daemon, gate: Gate) -> None:
    jobs = daemon.jobs
    job = jobs.start("shell.run", {"script": f"{gate.wait}; echo said"}, grants=gate.grants)
    calls = [jobs.stream(job) for _ in range(100)]
    for call in calls:
        assert next(call).seq == 1
    gate.open()
    for call in calls:
        assert [message.seq for message in call] == [2, 3, 4]


# Rule 6: terminal means the process is gone, with everything it started.


@pytest.mark.parametrize(
    "background",
    [
        "sleep 1000 &",
        "setsid sleep 1000 &",
        "setsid -f sh -c 'trap \"\" TERM HUP INT; while :; do sleep 1000; done'",
        "(setsid setsid sleep 1000 >/dev/null 2>&1 </dev/null &) ",
        "(trap '' TERM; while :; do echo still here; sleep 0.01; done) &",
    ],
    ids=["background", "setsid", "deaf daemon", "double fork", "writer"],
)
def test_a_survivor_neither_delays_the_end_nor_survives(daemon: Daemon, background: str) -> None:
    began = time.monotonic()
    events = daemon.jobs.run("shell.run", {"script": f"{background}\necho done; exit 4"})
    seconds = time.monotonic() - began
    assert_complete(events)
    assert processes.of_jobs(events[0].raw.job_id) == []
    assert events[-1].payload["exit_code"] == 4
    assert b"done" in [one.line for one in events]
    assert seconds < 30


def test_the_status_after_the_terminal_event_always_agrees(daemon: Daemon) -> None:
    """Asked at once on another connection, a hundred times, for each way to end."""
    statuses = Jobs(daemon.stub())
    for number in range(100):
        code = number % 3
        task = {"exit_code": code} if number % 2 else {}
        tool = "domed.exec-probe" if number % 2 else "job.noop"
        job = daemon.jobs.start(tool, task)
        for one in daemon.jobs.follow(job):
            if one.is_terminal:
                status = statuses.status(job)
                assert state_name(status.state).lower() == one.payload["to"]
                assert status.last_seq == one.seq
                assert status.exit_code == one.payload["exit_code"]
                assert status.message == one.payload["message"] and status.reason == one.payload["reason"]
                assert status.ended_at


def test_followers_at_rest_cost_no_reading_memory(daemon: Daemon) -> None:
    jobs = daemon.jobs
    # A megabyte, in lines that are long, so that it is quickly read here.
    job = jobs.start("shell.run", {"script": "head -c 1000000 /dev/zero | tr '\\0' x | fold -w 8000; exec sleep 1000"})

    def follow() -> Iterator[pb2.StreamEvent]:
        stream = jobs.stream(job)
        assert sum(1 for _ in itertools.islice(stream, 127)) == 127  # queued, running, 125 lines
        return stream

    streams = [follow()]  # brings what all of them share
    before = processes.resident_bytes(daemon.pid)
    streams += [follow() for _ in range(64)]
    assert processes.resident_bytes(daemon.pid) - before < 64 * (64 << 10)
    jobs.cancel(job)
