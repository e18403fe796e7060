"""What must not outlive what: jobs their end and their keeper; and what must: jobs their daemon."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest

from domekit import processes
from domekit.arena import BOUND_KEEPER, Jail
from domekit.daemon import pb2
from domekit.jobs import assert_complete
from domekit.processes import kill_and_wait, wait_for_pidfd
from domekit.tools import registry, write_script_tool

pytestmark = pytest.mark.apart_from_landlock
SCRIPT = "(setsid sh -c 'trap \"\" TERM; sleep 1000') & trap '' TERM; echo up; sleep 1000; sleep 1000"


@pytest.mark.canary("pids")
def test_no_process_outlives_a_cancelled_job(jail: Jail) -> None:
    """One ignores SIGTERM, one is in a session of its own."""
    if not (registry(jail.daemon) / "test.stubborn").exists():
        write_script_tool(jail.daemon, "test.stubborn", SCRIPT, limits={"grace_seconds": 1})
    job = jail.daemon.jobs.start("test.stubborn")
    next(one for one in jail.daemon.jobs.follow(job) if one.line == b"up")
    jail.daemon.jobs.cancel(job)
    events = list(jail.daemon.jobs.follow(job))
    assert_complete(events)
    assert events[-1].payload["to"] == "canceled", events[-1].payload
    jail.judge(processes.of_jobs(job) != [], job)


@pytest.mark.canary("parent")
def test_no_job_outlives_a_killed_keeper(jail: Jail) -> None:
    daemon = jail.own_daemon()
    job = start(jail)
    [keeper] = daemon.stub().GetStatus(pb2.GetStatusRequest(), timeout=30).keepers
    with held(daemon.pids("domed-jail")) as servers, held(processes.of_jobs(job)) as members:
        assert len(members) >= 2 and len(servers) >= 2
        assert kill_and_wait(keeper.pid, time.monotonic() + 30)
        deadline = time.monotonic() + (1 if jail.mode.is_canary else 10)
        jail.judge(not all([wait_for_pidfd(one, deadline) for one in members]), job)
        for server in servers if jail.mode.is_canary else []:
            # Nobody else would find them.
            signal.pidfd_send_signal(server, signal.SIGKILL)
    events = list(daemon.jobs.follow(job))
    assert_complete(events)
    assert events[-1].payload["reason"] == "keeper_lost" and processes.of_jobs(job) == []
    assert jail.run(["/bin/true"])[-1].payload["to"] == "succeeded", "domed starts a new one"


@pytest.mark.canary(BOUND_KEEPER)
def test_a_killed_daemon_ends_no_job(jail: Jail) -> None:
    daemon = jail.own_daemon()
    folder = jail.folder()
    os.mkfifo(folder / "gate")
    os.chown(folder / "gate", jail.mode.uid, jail.mode.uid)
    script = f"echo up; read -r _ <{folder}/gate; echo down"
    jobs = [daemon.jobs.start("shell.run", {"script": script}, grants=[f"fs.write:{folder}"]) for _ in range(3)]
    for job in jobs:
        next(one for one in daemon.jobs.follow(job) if one.line == b"up")
    before = {job: sorted(processes.of_jobs(job)) for job in jobs}
    assert all(before.values())
    with held([pid for job in jobs for pid in before[job]]) as members:
        daemon.kill9()
        # What is to end ends at once; that nothing does shows in what comes next, too.
        has_ended = wait_for_pidfd(members[0], time.monotonic() + (10 if jail.mode.is_canary else 0.1))
    jail.judge(has_ended or {job: sorted(processes.of_jobs(job)) for job in jobs} != before, before)
    daemon.start()
    if jail.mode.is_canary:
        return
    descriptor = os.open(folder / "gate", os.O_RDWR)
    os.write(descriptor, b"\n\n\n")
    for job in jobs:
        events = list(daemon.jobs.follow(job))
        assert_complete(events)
        assert [one.line for one in events if one.type == "LOG"] == [b"up", b"down"]
        assert events[-1].payload["to"] == "succeeded"
    os.close(descriptor)


@contextmanager
def held(pids: Iterable[int]) -> Iterator[list[int]]:
    """Descriptors of processes."""
    descriptors = [os.pidfd_open(pid) for pid in pids]
    try:
        yield descriptors
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def start(jail: Jail) -> str:
    job = jail.daemon.jobs.start("shell.run", {"script": SCRIPT})
    next(one for one in jail.daemon.jobs.follow(job) if one.line == b"up")
    return str(job)


@pytest.mark.canary("window grants", held_with=["window"])
def test_a_granted_folder_swapped_for_a_link_leads_nowhere_else(jail: Jail) -> None:
    """A job swaps a folder for a link into the state directory while it is being granted to others. With a window in
    the jail that waits for it, each grant that was let through meets the swap; without, one now and then."""
    daemon, folder = jail.daemon, jail.folder()
    assert jail.run(["/bin/true"])[-1].payload["to"] == "succeeded"
    has_window = "window" in (jail.mode.weakness or "")
    is_breach, refusals = False, 0
    with jail.swapping(folder, f"os.symlink({str(daemon.state)!r}, 'y')"):
        for _ in range(60):
            reply = jail.list_swapped(folder, wait_ms=20_000)
            if not reply.job_id:
                continue  # it was the link when domed looked
            events = daemon.jobs.replay(reply.job_id)
            is_breach |= b"domed.sqlite" in [one.line for one in events]
            refusals += "granted path" in str(events[-2:])
            if is_breach or refusals >= 5:
                break
    jail.judge(is_breach, (folder, refusals))
    assert refusals >= 5 or not has_window or is_breach, "the swap was never met; this case shows nothing"


@pytest.mark.canary("sender")
def test_a_job_cannot_end_itself_as_if_it_were_cancelled(jail: Jail) -> None:
    """Its PID 1 passes on what comes from outside alone. Once it has reaped an orphan, it has seen the signals."""
    see = "orphan=$(sleep 0 >/dev/null & echo $!); while [ -d /proc/$orphan ]; do :; done"
    events = jail.run(["/bin/sh", "-c", f"kill -9 1; kill -TERM 1; {see}; kill -KILL -1; echo alive; exit 7"])
    last = events[-1].payload
    jail.judge((last["to"], last["reason"], last.get("exit_code")) != ("failed", "exited", 7), last)
