"""The same key with the same request is the same job, however often and from wherever it is sent."""

from __future__ import annotations

import shutil
import threading
import time
from typing import Any

import pytest

from domekit.daemon import Daemon, pb2
from domekit.gates import Gate
from domekit.jobs import Jobs, state_name
from domekit.tools import write_script_tool


def test_the_same_request_again_is_the_same_job(jobs: Jobs) -> None:
    first = jobs.submit("job.log", {"lines": ["a"]}, key="k1", wait_ms=20_000)
    again = jobs.submit("job.log", {"lines": ["a"]}, key="k1", wait_ms=20_000)
    assert first.status.message == "submitted" and not first.replayed
    assert again.status.ok and again.status.message == "replayed" and again.replayed
    assert (again.job_id, again.run_id, again.state) == (first.job_id, first.run_id, first.state)


@pytest.mark.parametrize(
    "first, again",
    [
        ('{"lines":["a"],"x":1}', '{ "x" : 1, "lines" : [ "a" ] }'),
        ('{"lines":["\\u0061"],"x":1.0}', '{"lines":["a"],"x":1}'),
        ("", "{}"),
    ],
    ids=["order and spaces", "ways to write a value", "nothing and the empty object"],
)
def test_a_task_is_compared_by_meaning(jobs: Jobs, first: str, again: str) -> None:
    tool = "job.noop" if not first else "job.log"
    one = jobs.submit(tool, first, key="k", wait_ms=20_000)
    other = jobs.submit(tool, again, key="k", wait_ms=20_000)
    assert other.status.message == "replayed", other.status.message
    assert other.job_id == one.job_id


def test_how_long_to_wait_is_no_part_of_the_request(jobs: Jobs) -> None:
    first = jobs.submit("job.noop", key="k", wait_ms=0)
    again = jobs.submit("job.noop", key="k", wait_ms=3000)
    assert again.job_id == first.job_id and again.status.message == "replayed"
    assert state_name(again.state) == "SUCCEEDED"


@pytest.mark.parametrize(
    "change",
    [
        {"tool": "skill-execute"},
        {"task": {"other": 1}},
        {"profile": "another"},
        {"priority": 1},
        {"timeout_ms": 5},
        {"own_key": "x"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_same_key_for_another_request_is_refused(jobs: Jobs, change: dict[str, Any]) -> None:
    first = jobs.submit("job.noop", {}, key="taken", wait_ms=20_000)
    reply = jobs.submit(change.pop("tool", "job.noop"), change.pop("task", {}), key="taken", **change)
    assert (reply.status.ok, reply.status.code) == (False, pb2.E_IDEMPOTENCY_KEY_REUSED)
    assert "taken" in reply.status.message
    assert reply.job_id == ""
    again = jobs.submit("job.noop", {}, key="taken")
    assert again.job_id == first.job_id


def test_sixteen_at_once_with_one_key_make_one_job(daemon: Daemon) -> None:
    replies: list[Any] = []
    barrier = threading.Barrier(16)

    def submit(stub: Any) -> None:
        jobs = Jobs(stub)
        request = jobs.request("domed.exec-probe", {"stdout": ["once"]}, key="one", wait_ms=20_000)
        barrier.wait(20)
        replies.append(stub.SkillExecute(request, timeout=30))

    threads = [threading.Thread(target=submit, args=(daemon.stub(),)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(replies) == 16 and all(reply.status.ok for reply in replies), [reply.status for reply in replies]
    assert len({reply.job_id for reply in replies}) == 1
    assert sorted(reply.status.message for reply in replies) == ["replayed"] * 15 + ["submitted"]
    assert {state_name(reply.state) for reply in replies} == {"SUCCEEDED"}
    jobs = daemon.stub().ListJobs(pb2.ListJobsRequest(), timeout=30).jobs
    assert len(jobs) == 1
    lines = [one.line for one in daemon.jobs.replay(replies[0].job_id) if one.type == "LOG"]
    assert lines == [b"once"]
    # What losers prepared is thrown away behind the answer: soon no folder but the one job's is left.
    deadline = time.monotonic() + 30
    while len(list((daemon.state / "jobs").glob("*/*"))) > 1:
        assert time.monotonic() < deadline, "folders of jobs that were never admitted stay"
        time.sleep(0.005)


def test_a_replay_of_a_running_job_waits_for_its_end(daemon: Daemon) -> None:
    with Gate(daemon.directory / "gates") as gate:
        task = {"script": gate.wait}
        job = daemon.jobs.start("shell.run", task, key="k", grants=gate.grants)
        again = daemon.jobs.submit("shell.run", task, key="k", grants=gate.grants)
        assert again.job_id == job and state_name(again.state) in ("QUEUED", "RUNNING")
        gate.open()
        last = daemon.jobs.submit("shell.run", task, key="k", grants=gate.grants, wait_ms=20_000)
        assert last.job_id == job and state_name(last.state) == "SUCCEEDED" and last.exit_code == 0


def test_a_key_is_remembered_across_a_restart(daemon: Daemon) -> None:
    first = daemon.jobs.submit("job.noop", {"a": 1}, key="k", wait_ms=20_000)
    daemon.restart()
    again = daemon.jobs.submit("job.noop", {"a": 1}, key="k", wait_ms=20_000)
    assert again.status.message == "replayed" and again.job_id == first.job_id
    other = daemon.jobs.submit("job.noop", {"a": 2}, key="k")
    assert other.status.code == pb2.E_IDEMPOTENCY_KEY_REUSED


def test_integers_that_differ_beyond_2_to_53_are_different_requests(jobs: Jobs) -> None:
    first = jobs.submit("job.noop", {"n": 9007199254740992}, key="big")
    assert first.status.ok
    other = jobs.submit("job.noop", {"n": 9007199254740993}, key="big")
    assert other.status.code == pb2.E_IDEMPOTENCY_KEY_REUSED


def test_a_replay_is_answered_after_its_tool_is_gone(daemon: Daemon) -> None:
    folder = write_script_tool(daemon, "test.gone", "echo once")
    first = daemon.jobs.submit("test.gone", {}, key="gone", wait_ms=20_000)
    assert first.status.ok, first.status
    shutil.rmtree(folder)
    # Lists are always fresh; a submission looks at the registry behind its answer.
    assert "test.gone" not in [tool.tool_id for tool in daemon.stub().ListTools(pb2.ListToolsRequest()).tools]
    again = daemon.jobs.submit("test.gone", {}, key="gone", wait_ms=20_000)
    assert again.status.ok and again.job_id == first.job_id and again.status.message == "replayed"
    new = daemon.jobs.submit("test.gone", {}, key="new", wait_ms=0)
    assert new.status.code == pb2.E_NOT_FOUND
