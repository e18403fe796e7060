"""kill -9 of domed and of an executor's worker while the executor drives jobs elsewhere: the jobs outlive both, and
what followers see has no gap, no repeat and an end."""

from __future__ import annotations

import os
import random
import signal
import threading
import time

import grpc
import pytest

from domekit import plugins
from domekit.artifacts import copies, kept
from domekit.cluster import PLUGIN, Cluster
from domekit.daemon import Daemon
from domekit.database import rows
from domekit.jobs import Event, Jobs, assert_complete, state_name
from domekit.waiting import until

pytestmark = pytest.mark.both_users

SOAK = os.environ.get("DOME_SOAK") == "1"
KILLS = 100 if SOAK else 10
RETRYABLE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNKNOWN, grpc.StatusCode.CANCELLED)


@pytest.fixture()
def cluster(daemon: Daemon) -> Cluster:
    return Cluster(daemon)


def counted(first: int, last: int) -> str:
    return "".join(f"{number}\n" for number in range(first, last + 1))


def numbers(events: list[Event]) -> list[int]:
    """The lines of the output, pieces put together."""
    text = b""
    for one in events:
        if one.type == "LOG":
            text += (one.line or b"") + (b"" if one.payload.get("partial") else b"\n")
    return [int(line) for line in text.split()]


def read_until(events: list[Event], followed: object, line: bytes) -> None:
    while not events or events[-1].line != line:
        events.append(next(followed))  # type: ignore[call-overload]


def test_a_job_elsewhere_outlives_domed_and_its_followers_miss_nothing(cluster: Cluster, daemon: Daemon) -> None:
    job = cluster.start()
    cluster.state(job, "running")
    cluster.print(job, counted(1, 1000) + "10")
    events: list[Event] = []
    followed = daemon.jobs.follow(job)
    read_until(events, followed, b"700")
    daemon.kill9()
    # It goes on where it is, in the middle of a line.
    cluster.print(job, "01\n" + counted(1002, 2000))
    daemon.start()
    assert state_name(daemon.jobs.status(job).state) == "RUNNING"
    resumed = daemon.jobs.follow(job, events[-1].seq)
    read_until(events, resumed, b"2000")
    cluster.print(job, counted(2001, 3000))
    cluster.state(job, "succeeded", exit_code=0)
    events += resumed
    assert_complete(events)
    assert numbers(events) == list(range(1, 3001))
    assert [one.payload["to"] for one in events if one.type == "STATE_CHANGE"] == ["queued", "running", "succeeded"]
    assert [one.raw for one in events] == [one.raw for one in daemon.jobs.replay(job)]
    assert cluster.starts(job) == 1 and "r" in cluster.calls(job)


def test_a_job_elsewhere_outlives_the_executors_worker(cluster: Cluster, daemon: Daemon) -> None:
    job = cluster.start()
    cluster.state(job, "running")
    events: list[Event] = []
    followed = daemon.jobs.follow(job)
    for first in range(1, 3001, 1000):
        cluster.print(job, counted(first, first + 999))
        read_until(events, followed, str(first + 999).encode())
        asked = cluster.calls(job).count("r")
        os.kill(cluster.worker(), signal.SIGKILL)
        until(lambda: cluster.calls(job).count("r") > asked, "the next one took it up again")
    cluster.state(job, "succeeded")
    events += followed
    assert_complete(events)
    assert numbers(events) == list(range(1, 3001))
    assert cluster.starts(job) == 1
    assert plugins.plugins(daemon)["Cluster"].crashes == 0, "to be killed is no crash"


def test_a_job_that_ends_while_there_is_no_daemon_is_finished_by_the_next(cluster: Cluster, daemon: Daemon) -> None:
    job = cluster.start()
    cluster.state(job, "running")
    until(lambda: state_name(daemon.jobs.status(job).state) == "RUNNING", "it runs")
    daemon.kill9()
    cluster.print(job, "last words")
    cluster.state(job, "failed", exit_code=23, message="node on fire")
    daemon.start()
    events = list(daemon.jobs.follow(job))
    assert_complete(events)
    assert [one.line for one in events if one.type == "LOG"] == [b"last words"]
    assert events[-1].payload["exit_code"] == 23 and "node on fire" in events[-1].payload["message"]


def test_a_job_that_is_forgotten_while_there_is_no_daemon_has_failed(cluster: Cluster, daemon: Daemon) -> None:
    job = cluster.start()
    cluster.state(job, "running")
    until(lambda: state_name(daemon.jobs.status(job).state) == "RUNNING", "it runs")
    daemon.kill9()
    cluster.forget(job)
    daemon.start()
    events = list(daemon.jobs.follow(job))
    assert_complete(events)
    assert (events[-1].payload["to"], events[-1].payload["reason"]) == ("failed", "executor_lost")


def test_a_wish_to_cancel_outlives_domed(cluster: Cluster, daemon: Daemon) -> None:
    job = cluster.start()
    cluster.state(job, "running")
    until(lambda: state_name(daemon.jobs.status(job).state) == "RUNNING", "it runs")
    daemon.jobs.cancel(job)
    asked = cluster.calls(job).count("c")
    assert asked == 1
    daemon.restart()
    until(lambda: cluster.calls(job).count("c") > asked, "it was asked again")
    cluster.state(job, "canceled")
    events = list(daemon.jobs.follow(job))
    assert_complete(events)
    assert events[-1].payload["to"] == "canceled"
    assert [one.payload["cancel_requested"] for one in events if one.type == "GUARD"] == [True]


def test_a_start_that_domed_did_not_live_to_hear_of_is_made_again(cluster: Cluster, daemon: Daemon) -> None:
    """The handle came into being and nobody knows it: the job's id finds it again."""
    cluster.tell_all("start-fault", "hang")
    job = daemon.jobs.start(cluster.tool)
    until(lambda: (cluster.folder / job / "starts").exists(), "the cluster has it")
    daemon.kill9()
    assert rows(daemon, "SELECT count(*) FROM driven_jobs") == [(0,)]
    daemon.start()
    until(lambda: cluster.starts(job) == 2, "it was asked for again")
    cluster.print(job, "once\n")
    cluster.state(job, "succeeded")
    events = list(daemon.jobs.follow(job))
    assert_complete(events)
    assert [one.line for one in events if one.type == "LOG"] == [b"once"]
    assert rows(daemon, "SELECT handle FROM driven_jobs") == [(job,)]


def test_a_worker_that_crashes_over_a_start_or_a_poll(cluster: Cluster, daemon: Daemon) -> None:
    cluster.tell_all("start-fault", "crash")
    job = cluster.start()
    assert cluster.starts(job) == 2
    cluster.tell(job, "fault", "crash")
    until(lambda: not (cluster.folder / job / "fault").exists(), "it crashed")
    cluster.print(job, "still here\n")
    cluster.state(job, "succeeded")
    events = list(daemon.jobs.follow(job))
    assert_complete(events)
    assert [one.line for one in events if one.type == "LOG"] == [b"still here"]
    listed = plugins.plugins(daemon)["Cluster"]
    assert listed.crashes == 2 and "SIGSEGV" in listed.last_crash.reason and listed.last_crash.job_id == job


def test_an_executor_that_crashes_over_and_over_is_set_aside_and_its_jobs_wait(
    cluster: Cluster, daemon: Daemon
) -> None:
    job = cluster.start()
    cluster.state(job, "running")
    until(lambda: state_name(daemon.jobs.status(job).state) == "RUNNING", "it runs")

    def crashes_on() -> bool:
        if not (cluster.folder / job / "fault").exists():
            cluster.tell(job, "fault", "crash")
        return "quarantined" in daemon.jobs.status(job).message

    until(crashes_on, "it is set aside, and the job's status says so")
    daemon.restart()
    assert state_name(daemon.jobs.status(job).state) == "RUNNING"
    (cluster.folder / job / "fault").unlink(missing_ok=True)
    assert daemon.dome("plugin", "enable", PLUGIN).returncode == 0
    cluster.print(job, "all the time\n")
    cluster.state(job, "succeeded")
    events = list(daemon.jobs.follow(job))
    assert_complete(events)
    assert [one.line for one in events if one.type == "LOG"] == [b"all the time"]


@pytest.mark.soak
def test_a_poll_that_never_returns_costs_its_worker_and_not_the_job(cluster: Cluster, daemon: Daemon) -> None:
    job, other = cluster.start(), cluster.start()
    cluster.tell(job, "fault", "hang")
    until(lambda: not (cluster.folder / job / "fault").exists(), "it hangs")
    for one in (job, other):
        cluster.state(one, "succeeded")
        assert list(daemon.jobs.follow(one))[-1].payload["to"] == "succeeded"
    assert "longer than 10 s" in plugins.plugins(daemon)["Cluster"].last_crash.reason


class Follower(threading.Thread):
    """Follows a job through every death of domed."""

    def __init__(self, daemon: Daemon, job: str) -> None:
        super().__init__()
        self.daemon_under_test, self.job = daemon, job
        self.events: list[Event] = []
        self.problem: BaseException | None = None
        self.start()

    def run(self) -> None:
        jobs = Jobs(self.daemon_under_test.stub())
        deadline = time.monotonic() + 100
        try:
            while time.monotonic() < deadline:
                try:
                    for one in jobs.follow(self.job, self.events[-1].seq if self.events else 0, timeout=100):
                        self.events.append(one)
                    return
                except grpc.RpcError as error:
                    assert error.code() in RETRYABLE, error
        except BaseException as error:  # noqa: BLE001 - a thread's failure is the test's
            self.problem = error


@pytest.mark.timeout(1200 if SOAK else 150)
def test_deaths_at_random_moments_lose_and_repeat_nothing(cluster: Cluster, daemon: Daemon) -> None:
    seed = int(os.environ.get("DOME_KILL_SEED") or time.time_ns() % 2**32)
    print(f"DOME_KILL_SEED={seed}")
    source = random.Random(seed)
    known = [cluster.start() for _ in range(3)]
    for job in known:
        cluster.state(job, "running")
    followers = [Follower(daemon, job) for job in known]
    printed = 0
    for kill in range(KILLS):
        end = time.monotonic() + source.uniform(0, 0.4)
        for _ in range(10):
            # In pieces that end anywhere.
            text = counted(printed + 1, printed + 50)
            cut = source.randrange(len(text))
            for part in (text[:cut], text[cut:]):
                for job in known:
                    cluster.print(job, part)
            printed += 50
        # The moment is the point here: how far it has come this time.
        time.sleep(max(0, end - time.monotonic()))
        if kill % 3 == 2 and (worker := cluster.worker()):
            os.kill(worker, signal.SIGKILL)
        else:
            daemon.restart()
    for job in known:
        cluster.state(job, "succeeded")
    for follower in followers:
        follower.join(110)
        assert follower.problem is None, follower.problem
        assert_complete(follower.events)
        assert numbers(follower.events) == list(range(1, printed + 1))
        assert [one.raw for one in follower.events] == [one.raw for one in daemon.jobs.replay(follower.job)]
        assert cluster.starts(follower.job) == 1
    ended = rows(daemon, "SELECT count(*) FROM audit WHERE kind = 'outcome' AND outcome = 'succeeded'")
    assert ended == [(3,)]


# What such a job leaves.


def files(job: str, count: int = 3, size: int = 3_000_000) -> dict[str, bytes]:
    return {f"part/{number}": random.Random(f"{job}{number}").randbytes(size) for number in range(count)}


def test_kill_9_of_domed_while_it_fetches_what_a_job_left(cluster: Cluster, daemon: Daemon) -> None:
    job = cluster.start()
    left = files(job)
    cluster.leave(job, left)
    cluster.state(job, "succeeded")
    until(lambda: cluster.calls(job).count("a") > 5, "it fetches")
    daemon.kill9()
    folder = copies(daemon, job)
    (folder / "part" / "9").write_text("of an earlier try")
    daemon.start()
    events = list(daemon.jobs.follow(job))
    assert_complete(events)
    assert kept(daemon, job) == left
    assert sorted(path.name for path in (folder / "part").iterdir()) == ["0", "1", "2"]
    assert len(rows(daemon, "SELECT * FROM artifacts")) == 3
    assert cluster.calls(job).count("l") >= 1


def test_a_daemon_that_starts_serves_while_it_fetches(cluster: Cluster, daemon: Daemon) -> None:
    job = cluster.start()
    cluster.leave(job, {"a": b"1"})
    cluster.tell(job, "reads", "5")
    cluster.state(job, "succeeded")
    until(lambda: "a" in cluster.calls(job), "it fetches")
    daemon.restart()
    asked = cluster.calls(job).count("a")
    until(lambda: cluster.calls(job).count("a") > asked, "it fetches again")
    assert state_name(daemon.jobs.status(job).state) == "RUNNING"
    assert daemon.jobs.run("shell.run", {"script": "echo here"})[-1].payload["to"] == "succeeded"
    (cluster.folder / job / "reads").unlink()
    assert list(daemon.jobs.follow(job))[-1].payload["to"] == "succeeded"
    assert kept(daemon, job) == {"a": b"1"}


def test_an_executors_worker_that_dies_over_what_a_job_left(cluster: Cluster, daemon: Daemon) -> None:
    job = cluster.start()
    left = files(job)
    cluster.leave(job, left)
    cluster.tell(job, "read-fault", "crash")
    cluster.state(job, "succeeded")
    until(lambda: not (cluster.folder / job / "read-fault").exists(), "it crashed")
    asked = cluster.calls(job).count("a")
    until(lambda: cluster.calls(job).count("a") > asked + 2 or state_name(daemon.jobs.status(job).state) != "RUNNING",
          "the next one goes on")
    if worker := cluster.worker():
        os.kill(worker, signal.SIGKILL)
    events = list(daemon.jobs.follow(job))
    assert_complete(events)
    assert kept(daemon, job) == left
    assert not [one for one in events if one.type == "GUARD"]
