"""Rules 1 to 4 of streaming, as rules: numbers, follow, resume, order. Rules 5 and 6 are in test_followers.py, what a
restart of the daemon does to them all in Tests/System."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from domekit.daemon import Daemon
from domekit.gates import Gate
from domekit.jobs import Event, Jobs, assert_complete, raw
from domekit.tools import write_script_tool


@pytest.fixture
def gate(daemon: Daemon) -> Iterator[Gate]:
    with Gate(daemon.directory / "gates") as gate:
        yield gate


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


def test_changes_of_state_are_sent_as_the_journal_has_them(daemon: Daemon, gate: Gate) -> None:
    jobs = daemon.jobs
    for _ in range(20):
        job = jobs.start("shell.run", {"argv": ["/bin/true"]})
        live = list(jobs.follow(job))
        assert [one.type for one in live] == ["STATE_CHANGE"] * 3
        assert raw(jobs.replay(job)) == raw(live)
    # And to one who comes while it runs, before anything is printed.
    job = jobs.start("shell.run", {"script": gate.wait}, grants=gate.grants)
    late = iter(jobs.follow(job))
    begun = [next(late), next(late)]
    assert raw(begun) == raw(jobs.replay(job))
    gate.open()
    whole = begun + list(late)
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
        ("shell.run", {"argv": ["/job/no/such"]}, {}),
        ("shell.run", {"script": "sleep 60"}, {"timeout_ms": 50}),
    ]
    started = [jobs.start(tool, task, **constraints) for tool, task, constraints in tasks]
    started.append(jobs.start("shell.run", {"script": gate.wait}, grants=gate.grants))
    jobs.cancel(started[-1])
    for job in started:
        live = list(jobs.follow(job))
        assert_complete(live)
        # What followers are sent from memory is what the journal has.
        assert raw(jobs.replay(job)) == raw(live)


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
        call = jobs.stream(job, min(len(events) + beyond, 2**64 - 1), follow=follow, timeout=30)
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
