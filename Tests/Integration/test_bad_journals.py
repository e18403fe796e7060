"""Journals that are torn, damaged or gone: what is there is read, what is lost is named, other jobs are unharmed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import grpc
import pytest

from domekit.daemon import Daemon, pb2
from domekit.database import rows
from domekit.gates import Gate
from domekit.jobs import assert_complete, raw, state_name


def journal(daemon: Daemon, job: str) -> Path:
    [path] = (daemon.state / "jobs").glob(f"*/{job}/events.journal")
    return path


def terminal_frames_cut(path: Path) -> None:
    """Cuts the last byte: the terminal event is torn."""
    os.truncate(path, path.stat().st_size - 1)


def unfinished(daemon: Daemon, job: str) -> None:
    """Makes the job's row what it was before its end was committed."""
    with closing(sqlite3.connect(daemon.state / "domed.sqlite")) as connection:
        connection.executescript("DROP TRIGGER audit_rows_stay;")
        connection.execute(
            "UPDATE jobs SET state=2, ended_ns=NULL, exit_code=NULL, signal=NULL, reason='', message='', last_seq=0 "
            "WHERE job_id=?",
            (job,),
        )
        connection.execute("DELETE FROM job_outcomes WHERE job=(SELECT id FROM jobs WHERE job_id=?)", (job,))
        connection.execute("DELETE FROM audit WHERE job_id=? AND kind='outcome'", (job,))
        connection.executescript(
            "CREATE TRIGGER audit_rows_stay BEFORE DELETE ON audit "
            "BEGIN SELECT RAISE(ABORT, 'audit rows are never deleted'); END;"
        )
        connection.commit()


@pytest.mark.parametrize(
    "tool, task, state",
    [
        ("job.fail", {"reason": "why"}, "FAILED"),
        ("job.log", {"lines": ["a", "b", "c"]}, "SUCCEEDED"),
        ("domed.exec-probe", {"stdout": ["a"], "exit_code": 3}, "FAILED"),
        ("shell.run", {"argv": ["/job/no/such/program"]}, "FAILED"),
    ],
)
def test_an_end_cut_short_anywhere_is_repeated_to_the_same_end(
    daemon: Daemon, tool: str, task: dict, state: str
) -> None:
    """As if the machine had stopped between any two bytes of the end and its commit."""
    events = daemon.jobs.run(tool, task)
    job = events[0].raw.job_id
    daemon.stop()
    path = journal(daemon, job)
    whole = path.read_bytes()
    was_lost = False
    # Behind the keeper's EXIT record (or the last line of a diagnostic) everything is domed's, and may be torn.
    for cut in range(len(whole), max(len(whole) - 500, 64 + 2 * 88), -37):
        os.truncate(path, 0)
        path.write_bytes(whole[:cut])
        unfinished(daemon, job)
        daemon.start()
        again = list(daemon.jobs.follow(job, timeout=20))
        assert_complete(again)
        status = daemon.jobs.status(job)
        if not was_lost and status.reason != "keeper_lost":
            told = [(one.seq, one.type, one.payload) for one in again]
            assert told == [(one.seq, one.type, one.payload) for one in events], cut
            assert state_name(status.state) == state
        else:
            # The cut went into what the keeper wrote: the job is honestly lost, and never half there.
            was_lost = True
            assert cut < len(whole) - 88
            assert status.reason == "keeper_lost", (cut, [one.payload for one in again])
        assert [one.type for one in again].count("ERROR") <= 1
        daemon.stop()


@pytest.mark.parametrize("share", [0.5, 0.9])
@pytest.mark.parametrize("follows", [False, True])
def test_a_cut_journal_of_an_ended_job_says_what_is_lost_and_ends(daemon: Daemon, share: float, follows: bool) -> None:
    events = daemon.jobs.run("job.log", {"lines": [f"line {number}" for number in range(100)]})
    job = events[0].raw.job_id
    daemon.stop()
    path = journal(daemon, job)
    os.truncate(path, int(path.stat().st_size * share))
    daemon.start()
    found = list(daemon.jobs.follow(job, follow=follows))
    assert_complete(found)
    kept = found[:-2]
    assert raw(kept) == raw(events[: len(kept)]) and 20 < len(kept) < 102
    guard, last = found[-2:]
    assert guard.type == "GUARD" and guard.payload["truncated"] is True
    assert guard.payload["after_seq"] == len(kept)
    assert guard.payload["dropped_events"] == len(events) - 1 - len(kept)
    assert last.payload == events[-1].payload
    # The row agrees, the audit log knows, and whoever had seen more is not told anything twice.
    status = daemon.jobs.status(job)
    assert (state_name(status.state), status.last_seq) == ("SUCCEEDED", last.seq)
    details = rows(daemon, "SELECT leaf FROM audit WHERE kind = 'journal_cut'")
    assert [json.loads(leaf)["details"] for (leaf,) in details] == [{"last_seq": last.seq, "was": len(events)}]
    assert daemon.jobs.replay(job, since_seq=len(events)) == []
    assert raw(daemon.jobs.replay(job)) == raw(found)
    daemon.restart()
    assert raw(daemon.jobs.replay(job)) == raw(found)


def test_a_journal_that_lacks_its_terminal_event_alone_gets_it_back(daemon: Daemon) -> None:
    events = daemon.jobs.run("job.log", {"lines": ["a", "b"]})
    job = events[0].raw.job_id
    daemon.stop()
    terminal_frames_cut(journal(daemon, job))
    daemon.start()
    found = daemon.jobs.replay(job)
    assert raw(found[:-1]) == raw(events[:-1])
    assert (found[-1].seq, found[-1].payload) == (events[-1].seq, events[-1].payload)
    assert rows(daemon, "SELECT count(*) FROM audit WHERE kind = 'journal_cut'") == [(0,)]


def test_a_cut_journal_whose_row_was_not_corrected_in_time_is_read_as_it_is(daemon: Daemon) -> None:
    job = daemon.jobs.run("job.log", {"lines": ["a", "b"]})[0].raw.job_id
    daemon.stop()
    # As if the daemon had died between mending the journal and correcting the row.
    with closing(sqlite3.connect(daemon.state / "domed.sqlite")) as connection:
        connection.execute("UPDATE jobs SET last_seq = 50 WHERE job_id = ?", (job,))
        connection.commit()
    daemon.start()
    found = daemon.jobs.replay(job)
    assert_complete(found)
    assert not [one for one in found if one.type == "GUARD"]
    assert daemon.jobs.status(job).last_seq == found[-1].seq


def test_a_journal_damaged_in_the_middle_names_the_job_and_hurts_no_other(daemon: Daemon) -> None:
    events = daemon.jobs.run("job.log", {"lines": ["x" * 200] * 50})
    other = daemon.jobs.run("job.log", {"lines": ["other"]})
    job = events[0].raw.job_id
    daemon.stop()
    path = journal(daemon, job)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x40
    path.write_bytes(content)
    daemon.start()
    with pytest.raises(grpc.RpcError) as caught:
        list(daemon.jobs.follow(job))
    assert job in caught.value.details()
    assert raw(daemon.jobs.replay(other[0].raw.job_id)) == raw(other)


def test_a_missing_journal_names_the_job(daemon: Daemon) -> None:
    job = daemon.jobs.run("job.noop")[0].raw.job_id
    daemon.stop()
    shutil.rmtree(journal(daemon, job).parent)
    daemon.start()
    assert state_name(daemon.jobs.status(job).state) == "SUCCEEDED"
    with pytest.raises(grpc.RpcError) as caught:
        daemon.jobs.replay(job)
    assert job in caught.value.details()


def test_a_torn_journal_of_a_running_job_costs_only_what_is_torn(daemon: Daemon) -> None:
    """Machine and keeper went down together: the tail is torn, the EXIT record never written."""
    with Gate(daemon.directory / "gates") as gate:
        job = daemon.jobs.start("shell.run", {"script": f"seq 100; {gate.wait}"}, grants=gate.grants)
        seen = []
        for one in daemon.jobs.follow(job):
            seen.append(one)
            if one.line == b"100":
                break
        keeper = daemon.stub().GetStatus(pb2.GetStatusRequest(), timeout=30).keepers[0].pid
        daemon.kill9()
        os.kill(keeper, signal.SIGKILL)
        wait_until_gone(daemon)
    path = journal(daemon, job)
    # The keeper keeps space reserved, so the tear is where the content ends.
    content = path.read_bytes().rstrip(b"\0")
    path.write_bytes(content[:-3])
    daemon.start()
    events = list(daemon.jobs.follow(job, timeout=20))
    assert_complete(events)
    assert events[-1].payload["reason"] == "keeper_lost"
    kept = [one for one in events if one.raw.SerializeToString() in set(raw(seen))]
    assert raw(kept) == raw(seen[: len(kept)]) and len(kept) >= 2


def wait_until_gone(daemon: Daemon) -> None:
    deadline = time.monotonic() + 20
    while daemon.pids() and time.monotonic() < deadline:
        time.sleep(0.002)
    assert not daemon.pids()
