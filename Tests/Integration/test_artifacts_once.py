"""Artifacts are kept once, whatever happens while they are copied; and go with their job."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path

import pytest

from domekit import processes
from domekit.artifacts import copies, ended, guard, kept, run
from domekit.daemon import Daemon, pb2
from domekit.database import rows
from domekit.gates import Gate
from domekit.jobs import Event, assert_complete, state_name
from domekit.waiting import until

pytestmark = pytest.mark.both_users

LARGE = "mkdir out; for i in 1 2 3 4; do head -c 60000000 /dev/urandom >out/$i; done; sha256sum out/* >sums; cat sums"


def sums(events: list[Event]) -> dict[str, str]:
    lines = [(one.line or b"").decode().split() for one in events if one.type == "LOG"]
    return {path.removeprefix("out/"): digest for digest, path in lines}


def kill_while_copying(daemon: Daemon) -> tuple[str, Path]:
    """Kills domed while it copies what a job left; the job and its folder of copies."""
    # 240 MB take a fraction of a second, in which this process may not get its turn.
    for _ in range(8):
        job = daemon.jobs.start("shell.run", {"script": LARGE})
        next(daemon.jobs.follow(job))
        folder = copies(daemon, job)
        until(lambda: (folder / "1").exists() and (folder / "1").stat().st_size > 0, "it never began to copy")
        daemon.kill9()
        if sum(path.stat().st_size for path in folder.iterdir()) < 240_000_000:
            return job, folder
        daemon.start()
    raise AssertionError("domed was never killed in the middle of a copy")


def test_kill_9_while_copying_is_made_good_by_the_next(daemon: Daemon) -> None:
    job, folder = kill_while_copying(daemon)
    (folder / "9").write_text("of an earlier try")
    daemon.start()
    events = list(daemon.jobs.follow(job))
    assert_complete(events)
    assert {name: hashlib.sha256(content).hexdigest() for name, content in kept(daemon, job).items()} == sums(events)
    assert sorted(path.name for path in folder.iterdir()) == ["1", "2", "3", "4"]
    assert len(rows(daemon, "SELECT * FROM artifacts")) == 4
    # The copies of both tries are in the store; those of the first go when it is swept.
    assert {path.stat().st_nlink for path in folder.iterdir()} == {2}


def test_a_large_copy_holds_nobody_up(daemon: Daemon) -> None:
    # A copy takes a fraction of a second; on a busy machine so may another job. One that waited for it always would.
    for _ in range(8):
        job = daemon.jobs.start("shell.run", {"script": LARGE})
        next(daemon.jobs.follow(job))
        folder = copies(daemon, job)
        until(lambda: (folder / "1").exists(), "it never began to copy")
        other, _ = run(daemon, "mkdir out; echo small >out/a")
        overtook = not ended(daemon, job)
        assert kept(daemon, other) == {"a": b"small\n"}
        assert len(sums(list(daemon.jobs.follow(job)))) == 4 == len(kept(daemon, job))
        if overtook:
            return
    raise AssertionError("no job ends while another's large files are copied")


def test_a_keeper_that_is_gone_takes_them_with_it_and_the_record_says_so(daemon: Daemon) -> None:
    with Gate(daemon.directory / "gates") as gate:
        script = f"mkdir out; echo 1 >out/a; {gate.wait}"
        job = daemon.jobs.start("shell.run", {"script": script}, grants=gate.grants)
        until(lambda: state_name(daemon.jobs.status(job).state) == "RUNNING", "it never ran")
        daemon.kill9()
        journal = copies(daemon, job).parent / "events.journal"
        size = journal.stat().st_size
        gate.open()
        # The EXIT record.
        until(lambda: journal.stat().st_size > size, "it never ended")
        for pid in daemon.pids("domed-keeper"):
            processes.kill_and_wait(pid, time.monotonic() + 30)
        daemon.start()
    events = list(daemon.jobs.follow(job))
    assert_complete(events)
    assert events[-1].payload["to"] == "succeeded"
    assert guard(events)["lost"] is True and "keeper is gone" in guard(events)["message"]
    status = daemon.jobs.status(job)
    assert list(status.artifacts) == []
    assert json.loads(status.provenance_json)["products"]["artifacts_lost"] is True
    assert "lost" in daemon.dome("artifacts", job).stdout


# CI runs as root, where a skip would be a failure.
@pytest.mark.skipif(os.getuid() != 0, reason="mounting a small disk needs root")
def test_a_disk_without_room_keeps_what_fits_and_ends_the_job(little: Daemon) -> None:
    little.start()
    script = "mkdir out; echo small >out/a; head -c 20000000 /dev/zero >out/b; echo small >out/c"
    job, events = run(little, script)
    assert events[-1].payload["to"] == "succeeded"
    assert kept(little, job) == {"a": b"small\n"}
    assert guard(events)["left_out"] == {"disk": 2}
    # Many small ones fill it up to what the end needs.
    job, events = run(little, "mkdir out; for i in $(seq 100 199); do head -c 100000 /dev/urandom >out/$i; done")
    assert events[-1].payload["to"] == "succeeded"
    assert 10 < len(kept(little, job)) < 80
    assert guard(events)["left_out"] == {"disk": 100 - len(kept(little, job))}
    assert run(little, "true")[1][-1].payload["to"] == "succeeded"


def test_retention_counts_and_removes_them(daemon: Daemon) -> None:
    job, _ = run(daemon, "mkdir out; head -c 5000000 /dev/zero >out/a")
    folder = copies(daemon, job)
    [(size,)] = rows(daemon, "SELECT output_bytes FROM jobs WHERE job_id=?", job)
    assert size > 5_000_000
    request = pb2.CollectGarbageRequest(max_bytes=4_000_000, dry_run=True)
    assert daemon.stub().CollectGarbage(request, timeout=20).bytes_freed == size
    reply = daemon.stub().CollectGarbage(pb2.CollectGarbageRequest(max_bytes=4_000_000), timeout=20)
    assert (reply.jobs_removed, reply.bytes_freed) == (1, size)
    assert not folder.parent.exists()
    assert rows(daemon, "SELECT * FROM artifacts") == []
