"""What must not outlive what: jobs their end and their keeper; and what must: jobs their daemon."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from domekit.arena import Jail
from domekit.daemon import pb2
from domekit.jobs import assert_complete
from domekit.processes import kill_and_wait

pytestmark = pytest.mark.apart_from_landlock
SCRIPT = "(setsid sh -c 'trap \"\" TERM; sleep 1000') & trap '' TERM; echo up; sleep 1000; sleep 1000"


def survivors(job: str) -> list[int]:
    """Living processes that carry the job's id."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if job.encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            pass  # gone meanwhile
    return found


@pytest.mark.canary("pids")
def test_no_process_outlives_a_cancelled_job(jail: Jail) -> None:
    """One ignores SIGTERM, one is in a session of its own."""
    with jail.sibling(SCRIPT, timeout_ms=60_000) as job:
        pass
    events = list(jail.daemon.jobs.follow(job))
    assert_complete(events)
    assert events[-1].payload["to"] == "canceled", events[-1].payload
    jail.judge(survivors(job) != [], job)


@pytest.mark.no_canary("the jobs are alive until the keeper is killed: shown before")
def test_no_job_outlives_a_killed_keeper(jail: Jail) -> None:
    daemon = jail.own_daemon()
    job = start(jail)
    assert len(survivors(job)) >= 2
    [keeper] = daemon.stub().GetStatus(pb2.GetStatusRequest(), timeout=10).keepers
    assert kill_and_wait(keeper.pid, time.monotonic() + 10)
    events = list(daemon.jobs.follow(job))
    assert_complete(events)
    assert events[-1].payload["reason"] == "keeper_lost" and survivors(job) == []
    assert jail.run(["/bin/true"])[-1].payload["to"] == "succeeded", "domed starts a new one"


@pytest.mark.no_canary("what is shown is that jobs live")
def test_a_killed_daemon_ends_no_job(jail: Jail) -> None:
    daemon = jail.own_daemon()
    folder = jail.folder()
    os.mkfifo(folder / "gate")
    os.chown(folder / "gate", jail.mode.uid, jail.mode.uid)
    script = f"echo up; read -r _ <{folder}/gate; echo down"
    jobs = [daemon.jobs.start("shell.run", {"script": script}, grants=[f"fs.write:{folder}"]) for _ in range(3)]
    for job in jobs:
        next(one for one in daemon.jobs.follow(job) if one.line == b"up")
    before = {job: sorted(survivors(job)) for job in jobs}
    daemon.kill9()
    assert {job: sorted(survivors(job)) for job in jobs} == before and all(before.values())
    daemon.start()
    descriptor = os.open(folder / "gate", os.O_RDWR)
    os.write(descriptor, b"\n\n\n")
    for job in jobs:
        events = list(daemon.jobs.follow(job))
        assert_complete(events)
        assert [one.line for one in events if one.type == "LOG"] == [b"up", b"down"]
        assert events[-1].payload["to"] == "succeeded"
    os.close(descriptor)


def start(jail: Jail) -> str:
    job = jail.daemon.jobs.start("shell.run", {"script": SCRIPT})
    next(one for one in jail.daemon.jobs.follow(job) if one.line == b"up")
    return str(job)


@pytest.mark.no_canary("the swap is won now and then, and then a refusal is what shows; Tests/Unit/Jail has it exactly")
def test_a_granted_folder_swapped_for_a_link_leads_nowhere_else(jail: Jail) -> None:
    """A job swaps a folder for a link into the state directory while it is being granted to others."""
    daemon, folder = jail.daemon, jail.folder()
    assert jail.run(["/bin/true"])[-1].payload["to"] == "succeeded"
    swap = f"""
cd {folder} && mkdir real && ln -s {daemon.state} link && mkdir x && echo up
while :; do mv -T x real.1; mv -T link x; mv -T x link; mv -T real.1 x; done
"""
    job = daemon.jobs.start("shell.run", {"script": swap}, grants=[f"fs.write:{folder}"])
    next(one for one in daemon.jobs.follow(job) if one.line == b"up")
    outcomes = set()
    for _ in range(60):
        reply = daemon.jobs.submit(
            "shell.run", {"argv": ["ls", f"{folder}/x"]}, grants=[f"fs.read:{folder}/x"], wait_ms=20_000
        )
        lines = [one.line for one in daemon.jobs.replay(reply.job_id)] if reply.job_id else []
        assert b"domed.sqlite" not in lines, lines
        outcomes.add(pb2.ErrorCode.Name(reply.status.code))
    daemon.jobs.cancel(job)
    assert outcomes


@pytest.mark.no_canary("signals are passed on by our PID 1 from outside alone")
def test_a_job_cannot_end_itself_as_if_it_were_cancelled(jail: Jail) -> None:
    events = jail.run(["/bin/sh", "-c", "kill -9 1; kill -TERM 1; kill -KILL -1; echo alive; exit 7"])
    assert events[-1].payload["to"] == "failed" and events[-1].payload["reason"] == "exited", events[-1].payload
