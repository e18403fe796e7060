"""The six rules of streaming, as rules. What a restart of the daemon does to them is in Tests/System."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from domekit.daemon import Daemon, pb2
from domekit.gates import Gate
from domekit.jobs import Event, Jobs, assert_complete, state_name
from domekit.tools import write_script_tool


@pytest.fixture
def gate(daemon: Daemon) -> Iterator[Gate]:
    with Gate(daemon.directory / "gates") as gate:
        yield gate


def raw(events: list[Event]) -> list[bytes]:
    return [one.raw.SerializeToString() for one in events]


def mixed_job(jobs: Jobs) -> tuple[str, list[Event]]:
    """A finished job with every kind of event but truncation; its id and all its events."""
    script = r"""
        for n in 1 2 3 4 5; do echo "out $n"; echo "err $n" >&2; echo "PROGRESS:$n"; done
        printf 'raw \377\n'; head -c 200000 /dev/zero | tr '\0' x; echo; printf end; exit 3
    """
    events = jobs.run("shell.run", {"script": script})
    assert_complete(events)
    return events[0].raw.job_id, events


# Rule 1: gapless from 1, visible only once appended.


def test_numbers_are_gapless_under_a_follower_that_reads_as_they_come(jobs: Jobs) -> None:
    script = "i=0; while [ $i -lt 3000 ]; do echo $i; i=$((i+1)); done"
    events = jobs.run("shell.run", {"script": script})
    assert_complete(events)
    assert [int(one.payload["line"]) for one in events if one.type == "LOG"] == list(range(3000))


def test_what_a_status_says_is_the_last_event_can_be_read(daemon: Daemon, gate: Gate) -> None:
    """last_seq never runs ahead of what a stream delivers at that moment."""
    jobs = daemon.jobs
    script = "i=0; while [ $i -lt 2000 ]; do echo $i; i=$((i+1)); done; " + gate.wait
    job = jobs.start("shell.run", {"script": script}, grants=gate.grants)
    seen = 0
    while seen < 2002:
        claimed = jobs.status(job).last_seq
        assert claimed >= seen
        there = jobs.replay(job)
        assert [one.seq for one in there] == list(range(1, len(there) + 1))
        assert len(there) >= claimed
        seen = len(there)
    gate.open()
    assert list(jobs.follow(job, seen))[-1].is_terminal


# Rule 2: follow=false is what is there, follow=true goes on to the one terminal event.


def test_without_follow_the_stream_is_what_is_there_now(daemon: Daemon, gate: Gate) -> None:
    jobs = daemon.jobs
    script = f"echo before; {gate.wait}; echo after"
    job = jobs.start("shell.run", {"script": script}, grants=gate.grants)
    next(one for one in jobs.follow(job) if one.line == b"before")
    snapshot = jobs.replay(job)
    assert [one.line for one in snapshot if one.type == "LOG"] == [b"before"]
    assert not any(one.is_terminal for one in snapshot)
    gate.open()
    whole = list(jobs.follow(job))
    assert_complete(whole)
    assert raw(whole)[: len(snapshot)] == raw(snapshot)
    assert raw(jobs.replay(job)) == raw(whole)


def test_following_a_finished_job_replays_it_and_ends(jobs: Jobs) -> None:
    job, events = mixed_job(jobs)
    assert raw(list(jobs.follow(job))) == raw(events)


def test_the_terminal_event_is_unique_and_last_however_a_job_ends(daemon: Daemon, gate: Gate) -> None:
    jobs = daemon.jobs
    tasks: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("job.noop", {}, {}),
        ("job.fail", {"reason": "x"}, {}),
        ("shell.run", {"script": "exit 1"}, {}),
        ("shell.run", {"script": "kill -9 $$"}, {}),
        ("shell.run", {"argv": ["/no/such"]}, {}),
        ("shell.run", {"script": "sleep 60"}, {"timeout_ms": 50}),
    ]
    for tool, task, constraints in tasks:
        assert_complete(jobs.run(tool, task, **constraints))
    job = jobs.start("shell.run", {"script": gate.wait}, grants=gate.grants)
    jobs.cancel(job)
    assert_complete(list(jobs.follow(job)))


# Rule 3: resuming yields exactly the rest.


def test_resuming_at_every_number_yields_exactly_the_rest(jobs: Jobs) -> None:
    job, events = mixed_job(jobs)
    for since in range(len(events) + 1):
        assert raw(jobs.replay(job, since)) == raw(events[since:]), since
        assert raw(list(jobs.follow(job, since))) == raw(events[since:]), since


@pytest.mark.parametrize("beyond", [0, 1, 1000, 2**63, 2**64 - 1 - 20])
def test_at_or_past_the_end_of_a_finished_job_the_stream_ends_at_once(jobs: Jobs, beyond: int) -> None:
    job, events = mixed_job(jobs)
    for follow in (False, True):
        call = jobs.stream(job, min(len(events) + beyond, 2**64 - 1), follow=follow, timeout=10)
        assert list(call) == []
        assert call.code() == grpc.StatusCode.OK


def test_past_the_end_of_a_running_job_the_stream_waits_for_its_end(daemon: Daemon, gate: Gate) -> None:
    jobs = daemon.jobs
    job = jobs.start("shell.run", {"script": f"echo up; {gate.wait}"}, grants=gate.grants)
    next(one for one in jobs.follow(job) if one.line == b"up")
    assert jobs.replay(job, 1000) == []
    call = jobs.stream(job, 1000, follow=True)
    gate.open()
    assert list(call) == []
    assert call.code() == grpc.StatusCode.OK


def test_a_follower_resumes_across_connections_while_the_job_runs(daemon: Daemon) -> None:
    """Each piece on a connection of its own, cut off after a few events."""
    script = "i=0; while [ $i -lt 400 ]; do echo $i; i=$((i+1)); done"
    job = daemon.jobs.start("shell.run", {"script": script})
    events: list[Event] = []
    for size in itertools.cycle([1, 7, 30]):
        channel = daemon.channel()
        jobs = Jobs(type(daemon.jobs.stub)(channel))
        call = jobs.follow(job, events[-1].seq if events else 0)
        events += itertools.islice(call, size)
        channel.close()
        if events[-1].is_terminal:
            break
    assert_complete(events)
    assert raw(events) == raw(daemon.jobs.replay(job))


# Rule 4: the order of reading; the last line; truncation.


def test_an_unterminated_last_line_is_delivered(jobs: Jobs) -> None:
    events = jobs.run("shell.run", {"script": "echo whole; printf 'no newline'"})
    assert_complete(events)
    assert [one.line for one in events if one.type == "LOG"] == [b"whole", b"no newline"]


def test_unterminated_lines_of_both_streams_are_delivered(jobs: Jobs) -> None:
    events = jobs.run("shell.run", {"script": "printf out; printf err >&2; kill -9 $$"})
    assert {(one.payload["stream"], one.payload["line"]) for one in events if one.type == "LOG"} == {
        ("stdout", "out"),
        ("stderr", "err"),
    }


def test_a_prompt_is_seen_while_the_job_waits(daemon: Daemon, gate: Gate) -> None:
    script = f"printf 'Name? '; {gate.wait}; echo thanks"
    job = daemon.jobs.start("shell.run", {"script": script}, grants=gate.grants)
    follow = daemon.jobs.follow(job)
    prompt = next(one for one in follow if one.type == "LOG")
    assert prompt.payload["line"] == "Name? " and prompt.payload["partial"] is True
    gate.open()
    rest = [one.payload for one in follow if one.type == "LOG"]
    assert rest == [{"stream": "stdout", "line": "thanks", "line_id": prompt.payload["line_id"]}]


def test_truncation_is_one_event_that_says_what_was_dropped(daemon: Daemon) -> None:
    write_script_tool(
        daemon,
        "test.flood",
        "i=0; while [ $i -lt 20000 ]; do echo 0123456789; i=$((i+1)); done; echo err >&2; exit 5",
        limits={"output_bytes": 55_000},
    )
    events = daemon.jobs.run("test.flood")
    assert_complete(events)
    lines = [one for one in events if one.type == "LOG"]
    assert len(lines) == 5_000
    [guard] = [one for one in events if one.type == "GUARD"]
    assert guard.payload["truncated"] is True
    assert guard.payload["after_seq"] == lines[-1].seq
    assert guard.payload["dropped_bytes"] == 15_000 * 11 + 4
    assert guard.payload["dropped_lines"] == 15_001
    assert guard.payload["limit_bytes"] == 55_000
    assert events[-1].payload["exit_code"] == 5, "a flood never blocks the tool"


# Rule 5: a slow or dead follower slows nobody and costs nothing; any number of followers.

FLOOD_LINES = 60_000
FLOOD = f"yes $(printf %01000d 0) | head -n {FLOOD_LINES}"  # 60 MB


def resident_bytes(pid: int) -> int:
    with open(f"/proc/{pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_a_follower_that_does_not_read_neither_slows_the_job_nor_grows_the_daemon(daemon: Daemon) -> None:
    write_script_tool(daemon, "test.flood", FLOOD, limits={"output_bytes": 256 << 20})
    jobs = daemon.jobs
    jobs.run("job.noop")

    def seconds(job: str) -> float:
        began = time.monotonic()
        request = pb2.GetJobStatusRequest(job_id=job)
        while not state_name(jobs.stub.GetJobStatus(request, timeout=10).state) in ("SUCCEEDED", "FAILED"):
            pass
        return time.monotonic() - began

    alone = seconds(jobs.start("test.flood"))
    before = resident_bytes(daemon.pid)
    job = jobs.start("test.flood")
    # One reads its first event and then nothing, ten are cut off in the middle.
    stalled = Jobs(daemon.stub()).stream(job)
    first = next(iter(stalled))
    for _ in range(10):
        dead = Jobs(daemon.stub()).stream(job)
        next(iter(dead))
        dead.cancel()
    watched = seconds(job)
    grown = resident_bytes(daemon.pid) - before
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


def processes_of(job: str) -> list[str]:
    """Command lines of living processes that carry the job's id."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/environ", "rb") as environ:
                if job.encode() not in environ.read():
                    continue
            with open(f"/proc/{name}/stat") as stat:
                if stat.read().rpartition(")")[2].split()[0] in "ZX":
                    continue
            with open(f"/proc/{name}/cmdline", "rb") as cmdline:
                found.append(cmdline.read().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


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
    assert processes_of(events[0].raw.job_id) == []
    assert events[-1].payload["exit_code"] == 4
    assert b"done" in [one.line for one in events]
    assert seconds < 4


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
