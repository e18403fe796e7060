"""What plugins say while they work: the last report of progress, and what an executor's worker writes to stderr."""

from __future__ import annotations

import os
import signal

from domekit import plugins
from domekit.cluster import PLUGIN, Cluster
from domekit.daemon import Daemon
from domekit.jobs import Jobs, state_name
from domekit.waiting import until


def test_the_latest_progress_comes_though_none_follows(daemon: Daemon, jobs: Jobs) -> None:
    """Two reports within a millisecond, and then nothing until the job is canceled."""
    plugins.install(daemon)
    job = jobs.start("sample.hurry")

    def reported() -> list[float]:
        return [one.payload["value"] for one in jobs.replay(job) if "value" in one.payload]

    until(lambda: reported()[-1:] == [0.5], "the second report")
    assert state_name(jobs.status(job).state) == "RUNNING"
    assert jobs.cancel(job).status.ok
    assert list(jobs.follow(job))[-1].payload["to"] == "canceled"
    assert reported() == [0.25, 0.5], "none comes twice"


def said(daemon: Daemon) -> list[str]:
    """The lines of the daemon's log that are the executor's."""
    return [line for line in daemon.log().splitlines() if f" plugin.stderr plugin={PLUGIN} " in line]


def test_what_an_executor_writes_to_stderr_is_logged_under_its_name(daemon: Daemon, jobs: Jobs) -> None:
    cluster = Cluster(daemon)
    job = cluster.start()
    forged = "2026-01-01T00:00:00.000000Z error daemon.lost everything=yes"
    cluster.tell(job, "says", f"first\n{forged}\n\x1b[2Jcleared\n" + "x" * 5_000 + "\nlast, without an end")
    until(lambda: any("x" * 1_000 in line for line in said(daemon)), "the long line")
    lines = daemon.log().splitlines()
    assert not [line for line in lines if line.startswith(forged[:20])], "each line begins with our own time"
    assert any(line.endswith(" line=first") for line in said(daemon))
    assert any("everything=yes" in line for line in said(daemon))
    assert any("\\u{1b}[2Jcleared" in line for line in said(daemon)) and "\x1b" not in daemon.log()
    assert not [line for line in lines if len(line) > 1_200]
    os.kill(cluster.worker(), signal.SIGKILL)
    until(lambda: any("last, without an end" in line for line in said(daemon)), "the end of what it said")
    cluster.state(job, "succeeded")
    assert list(jobs.follow(job))[-1].payload["to"] == "succeeded"


def test_an_executor_that_writes_without_end_fills_no_log(daemon: Daemon, jobs: Jobs) -> None:
    cluster = Cluster(daemon)
    job = cluster.start()
    before = len(daemon.log())
    cluster.tell(job, "says", ("flood " * 20 + "\n") * 20_000)
    until(lambda: not (cluster.folder / job / "says").exists(), "it was written")
    cluster.state(job, "succeeded")
    assert list(jobs.follow(job))[-1].payload["to"] == "succeeded"
    assert said(daemon), "its beginning is there"
    assert len(daemon.log()) - before < 100_000


def test_what_a_worker_is_made_to_say_of_its_end_is_bounded(daemon: Daemon, jobs: Jobs) -> None:
    cluster = Cluster(daemon)
    job = cluster.start()
    cluster.tell(job, "forge")

    def crash() -> str:
        listed = plugins.plugins(daemon)["Cluster"]
        return listed.last_crash.reason if listed.crashes else ""

    reason = until(crash, "the crash is counted")
    assert "yyy" in reason and len(reason) <= 8 << 10
    cluster.state(job, "succeeded")
    assert list(jobs.follow(job))[-1].payload["to"] == "succeeded"
