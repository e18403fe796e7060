"""kill -9 of domed: nothing is lost. Jobs go on, followers resume without a gap or a repeat, and what the database and
the audit log say afterwards is what happened, once."""

from __future__ import annotations

import collections
import os
import random
import subprocess
import threading
import time
import uuid
from typing import Any

import grpc
import pytest

from domekit import processes
from domekit.daemon import Daemon, pb2
from domekit.database import rows
from domekit.gates import Gate
from domekit.jobs import Event, Jobs, assert_complete, state_name
from domekit.paths import ROOT

pytestmark = pytest.mark.both_users

SOAK = os.environ.get("DOME_SOAK") == "1"
KILLS = 200 if SOAK else 20
RETRYABLE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNKNOWN, grpc.StatusCode.CANCELLED)


def follow_through(daemon: Daemon, job: str, deadline: float) -> list[Event]:
    """Follows to the end across every restart, resuming with the last number seen; keeps what each piece brought."""
    events: list[Event] = []
    jobs = Jobs(daemon.stub())
    while time.monotonic() < deadline:
        try:
            for one in jobs.follow(job, events[-1].seq if events else 0, timeout=120):
                events.append(one)
            return events
        except grpc.RpcError as error:
            assert error.code() in RETRYABLE, error
    raise AssertionError(f"{job} did not end; last event: {events[-1:]}")


def numbers(events: list[Event]) -> list[int]:
    return [int(one.payload["line"]) for one in events if one.type == "LOG"]


def test_a_job_and_its_follower_survive_a_kill_in_mid_stream(daemon: Daemon) -> None:
    """The promise itself: the tool writes on while there is no daemon."""
    with Gate(daemon.directory / "gates") as gate:
        script = f"seq 1000; {gate.wait}; seq 1001 2000; {gate.wait}; seq 2001 3000"
        job = daemon.jobs.start("shell.run", {"script": script}, grants=gate.grants)
        events: list[Event] = []
        followed = daemon.jobs.follow(job)
        while not events or events[-1].line != b"700":
            events.append(next(followed))
        daemon.kill9()
        # The tool goes on without a daemon; when it has written everything it waits at the second gate.
        gate.open()
        daemon.start()
        resumed = daemon.jobs.follow(job, events[-1].seq)
        while events[-1].line != b"2000":
            events.append(next(resumed))
        gate.open()
        events += resumed
    assert_complete(events)
    assert numbers(events) == list(range(1, 3001))
    assert [one.raw for one in events] == [one.raw for one in daemon.jobs.replay(job)]
    assert events[-1].payload["to"] == "succeeded"


def test_a_job_that_ends_while_there_is_no_daemon_is_finished_by_the_next(daemon: Daemon) -> None:
    with Gate(daemon.directory / "gates") as gate:
        script = f"echo up; {gate.wait}; echo down; exit 23"
        job = daemon.jobs.start("shell.run", {"script": script}, grants=gate.grants)
        next(one for one in daemon.jobs.follow(job) if one.line == b"up")
        daemon.kill9()
        gate.open()
        # Gone means ended: the keeper alone is left of the daemon's processes, with its inner servers.
        deadline = time.monotonic() + 20
        while processes.of_jobs(job) and time.monotonic() < deadline:
            time.sleep(0.002)
        daemon.start()
    events = list(daemon.jobs.follow(job, timeout=20))
    assert_complete(events)
    assert [one.line for one in events if one.type == "LOG"] == [b"up", b"down"]
    assert events[-1].payload["exit_code"] == 23
    assert daemon.jobs.status(job).exit_code == 23


def test_a_running_job_can_be_cancelled_after_a_restart(daemon: Daemon) -> None:
    job = daemon.jobs.start("shell.run", {"script": "echo up; exec sleep 1000"})
    next(one for one in daemon.jobs.follow(job) if one.line == b"up")
    daemon.restart()
    assert state_name(daemon.jobs.status(job).state) == "RUNNING"
    assert daemon.jobs.cancel(job).status.ok
    events = list(daemon.jobs.follow(job, timeout=20))
    assert_complete(events)
    assert events[-1].payload["to"] == "canceled"


def test_the_keeper_stays_the_same_across_restarts(daemon: Daemon) -> None:
    daemon.jobs.run("domed.exec-probe")

    def keepers() -> list[int]:
        return [keeper.pid for keeper in daemon.stub().GetStatus(pb2.GetStatusRequest(), timeout=30).keepers]

    before = keepers()
    assert len(before) == 1
    for _ in range(3):
        daemon.restart()
        assert daemon.jobs.run("domed.exec-probe")[-1].payload["to"] == "succeeded"
    assert keepers() == before


def test_a_job_whose_folder_was_never_made_can_be_followed_at_once(daemon: Daemon) -> None:
    """domed dies between the admission and the making of the folder, for which the next one takes a second."""
    moments = daemon.make_folder("moments")
    library = moments / "job_folders.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, ROOT / "Tests" / "Support" / "job_folders.c"], check=True)
    library.chmod(0o755)
    daemon.environment |= {"LD_PRELOAD": str(library), "DOME_TEST_MOMENTS": str(moments)}
    daemon.restart()
    task = {"argv": ["/bin/echo", "hello"]}
    daemon.jobs.run("shell.run", task)
    (moments / "die").touch()
    with pytest.raises(grpc.RpcError):
        daemon.jobs.submit("shell.run", task, key="again")
    (moments / "die").rename(moments / "slow")
    [(admitted,)] = rows(daemon, "SELECT job_id FROM jobs WHERE idempotency_key = 'again'")
    assert not list((daemon.state / "jobs").glob(f"*/{admitted}"))
    daemon.restart()
    events = list(daemon.jobs.follow(admitted))
    assert_complete(events)
    assert [one.line for one in events if one.type == "LOG"] == [b"hello"]
    assert events[-1].payload["to"] == "succeeded"


class Load:
    """Clients that submit and follow jobs across every restart, and remember what they were told."""

    TASKS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("job.noop", {}, {}),
        ("job.log", {"lines": [str(number) for number in range(1, 41)]}, {}),
        ("job.fail", {"reason": "as told"}, {}),
        ("domed.exec-probe", {"stdout": [str(number) for number in range(1, 21)], "exit_code": 3}, {}),
        ("shell.run", {"script": "i=0; while [ $i -lt 40 ]; do i=$((i+1)); echo $i; sleep 0.005; done"}, {}),
        ("shell.run", {"script": "seq 2000"}, {}),
        ("shell.run", {"script": "echo 1; exec sleep 60"}, {"timeout_ms": 1000}),
    ]
    EXPECTED = [0, 40, 0, 20, 40, 2000, 1]

    def __init__(self, daemon: Daemon, seed: int) -> None:
        self.daemon = daemon
        self.stop = threading.Event()
        self.told: dict[str, tuple[int, list[Event]]] = {}
        self.keys: dict[str, str] = {}
        self.problems: list[str] = []
        self.random = random.Random(seed)
        self.threads = [threading.Thread(target=self.client, args=(self.random.random(),)) for _ in range(4)]

    def client(self, seed: float) -> None:
        source = random.Random(seed)
        try:
            while not self.stop.is_set():
                self.one(source.randrange(len(self.TASKS)))
        except Exception as error:  # noqa: BLE001 - a thread's failure is the test's
            self.problems.append(repr(error))

    def one(self, kind: int) -> None:
        tool, task, constraints = self.TASKS[kind]
        key = uuid.uuid4().hex
        deadline = time.monotonic() + 100
        job = self.submit(tool, task, constraints, key, deadline)
        self.keys[key] = job
        self.told[job] = (kind, follow_through(self.daemon, job, deadline))

    def submit(self, tool: str, task: Any, constraints: Any, key: str, deadline: float) -> str:
        """Again with the same key until there is an answer: that is what the key is for."""
        jobs = Jobs(self.daemon.stub())
        while time.monotonic() < deadline:
            try:
                reply = jobs.submit(tool, task, key=key, wait_ms=0, **constraints)
            except grpc.RpcError as error:
                assert error.code() in RETRYABLE, error
                continue
            if reply.status.ok:
                return reply.job_id
            assert reply.status.retryable, reply.status
        raise AssertionError(f"{tool} was never admitted")


@pytest.mark.timeout(1800 if SOAK else 150)
def test_kills_at_random_moments_under_load_lose_and_repeat_nothing(daemon: Daemon) -> None:
    seed = int(os.environ.get("DOME_KILL_SEED") or time.time_ns() % 2**32)
    print(f"DOME_KILL_SEED={seed}")
    source = random.Random(seed)
    load = Load(daemon, seed)
    for thread in load.threads:
        thread.start()
    for _ in range(KILLS):
        # The moment is the point here, not the order: how long domed lives this time.
        time.sleep(source.uniform(0, 0.4))
        daemon.restart()
    load.stop.set()
    for thread in load.threads:
        thread.join(120)
    assert not load.problems, load.problems
    print(f"{len(load.told)} jobs")
    assert load.told
    check_streams(daemon, load)
    check_records(daemon, load)


def check_streams(daemon: Daemon, load: Load) -> None:
    for job, (kind, events) in load.told.items():
        tool, task, _ = load.TASKS[kind]
        assert_complete(events)
        assert numbers(events) == list(range(1, load.EXPECTED[kind] + 1)), (job, tool, events[-1])
        assert [one.raw for one in events] == [one.raw for one in daemon.jobs.replay(job)], job
        last = events[-1].payload
        if kind == 6:
            assert last["reason"] == "timeout", (job, last)
        elif tool == "job.fail":
            assert (last["to"], last["reason"]) == ("failed", "as told"), (job, last)
            assert [one.type for one in events].count("ERROR") == 1, job
        else:
            assert last["exit_code"] == task.get("exit_code", 0), (job, last)


def check_records(daemon: Daemon, load: Load) -> None:
    """The database says the same as the streams, and the audit log tells every job's story once."""
    stored = {
        job: (state, last_seq, key)
        for job, state, last_seq, key in rows(daemon, "SELECT job_id, state, last_seq, idempotency_key FROM jobs")
    }
    # A job that was admitted while its client never got the answer is the key's job all the same.
    assert {job: key for job, (_, _, key) in stored.items()} == {job: key for key, job in load.keys.items()}
    for job, (_, events) in load.told.items():
        state, last_seq, _ = stored[job]
        assert pb2.JobState.Name(state).removeprefix("JOB_STATE_").lower() == events[-1].payload["to"]
        assert last_seq == events[-1].seq
    kinds = collections.Counter(rows(daemon, "SELECT kind, job_id FROM audit WHERE job_id IS NOT NULL"))
    for job in stored:
        assert kinds["intent", job] == 1 and kinds["outcome", job] == 1, (job, kinds)
    sequence = [seq for (seq,) in rows(daemon, "SELECT seq FROM audit ORDER BY seq")]
    assert sequence == list(range(1, len(sequence) + 1))
    # Folders of jobs that never came to be are not left behind for long.
    deadline = time.monotonic() + 20
    while (folders := {path.name for path in (daemon.state / "jobs").glob("*/*")}) != set(stored):
        assert time.monotonic() < deadline, folders ^ set(stored)
    assert daemon.stub().GetStatus(pb2.GetStatusRequest(), timeout=30).jobs_running == 0
