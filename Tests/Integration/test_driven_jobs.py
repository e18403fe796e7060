"""Jobs that an executor drives elsewhere: handed over, followed, ended, and what an executor may not say."""

from __future__ import annotations

import base64
import json
import os
import threading
from typing import Any

import pytest

from domekit import plugins
from domekit.cluster import PLUGIN, Cluster
from domekit.daemon import Daemon
from domekit.database import rows
from domekit.jobs import Event, Jobs, assert_complete, state_name
from domekit.tools import write_tool
from domekit.waiting import until


def lines(events: list[Event]) -> list[bytes]:
    return [one.line for one in events if one.line is not None]


def kinds(events: list[Event]) -> list[str]:
    return [one.payload.get("to", one.type) for one in events]


@pytest.fixture()
def cluster(daemon: Daemon) -> Cluster:
    return Cluster(daemon)


def test_a_job_elsewhere_is_a_job_like_any_other(cluster: Cluster, jobs: Jobs) -> None:
    job = cluster.start({"a": 1})
    assert state_name(jobs.status(job).state) == "QUEUED", "as long as it waits where it is"
    cluster.state(job, "running")
    followed = jobs.follow(job)
    events = [next(followed), next(followed)]
    assert kinds(events) == ["queued", "running"]
    cluster.print(job, "one\ntwo\nthr")
    while len(lines(events)) < 2:
        events.append(next(followed))
    cluster.print(job, "ee\n")
    cluster.state(job, "succeeded", exit_code=0)
    events += followed
    assert_complete(events)
    text = b"".join(line for line in lines(events))
    assert text.replace(b"\n", b"") == b"onetwothree"
    assert (events[-1].payload["to"], events[-1].payload["exit_code"]) == ("succeeded", 0)
    assert [one.raw for one in events] == [one.raw for one in jobs.replay(job)]
    status = jobs.status(job)
    assert (state_name(status.state), status.exit_code, status.last_seq) == ("SUCCEEDED", 0, events[-1].seq)
    assert cluster.starts(job) == 1
    assert rows(cluster.daemon, f"SELECT executor, handle FROM driven_jobs WHERE handle = '{job}'") == [(PLUGIN, job)]


def test_the_handle_is_kept_before_the_job_is_said_to_run(cluster: Cluster, jobs: Jobs) -> None:
    job = cluster.start()
    assert rows(cluster.daemon, "SELECT count(*) FROM driven_jobs") == [(1,)]
    assert [one.payload for one in jobs.replay(job)][-1]["to"] == "queued"
    cluster.state(job, "canceled")
    list(jobs.follow(job))


@pytest.mark.parametrize(
    ("state", "members", "ended", "reason", "code"),
    [
        ("succeeded", {}, "SUCCEEDED", "exited", 0),
        ("failed", {"exit_code": 3, "message": "out of memory"}, "FAILED", "exited", 3),
        ("failed", {"message": "node lost"}, "FAILED", "failed_elsewhere", 0),
        ("canceled", {"message": "by the operator"}, "CANCELED", "canceled", 0),
    ],
)
def test_ends(
    cluster: Cluster, jobs: Jobs, state: str, members: dict[str, Any], ended: str, reason: str, code: int
) -> None:
    job = cluster.start()
    cluster.print(job, "last words, without a newline")
    cluster.state(job, state, **members)
    events = list(jobs.follow(job))
    assert_complete(events)
    assert lines(events) == [b"last words, without a newline"]
    status = jobs.status(job)
    assert (state_name(status.state), status.reason, status.exit_code) == (ended, reason, code)
    assert members.get("message", "") in status.message
    # One that was canceled where it waited never ran.
    assert kinds(events)[1] == ("LOG" if state == "canceled" else "running")


def test_an_executor_may_run_some_jobs_here(cluster: Cluster, jobs: Jobs) -> None:
    write_tool(cluster.daemon, "cluster.local", {"executor": PLUGIN, "entrypoint": {"local": True}})
    events = jobs.run("cluster.local")
    assert lines(events) == [b"here"] and events[-1].payload["to"] == "succeeded"


def test_an_executor_without_prepare_drives_every_job(daemon: Daemon, jobs: Jobs) -> None:
    cluster = Cluster(daemon, "DRIVES_ALL")
    job = cluster.start()
    cluster.state(job, "succeeded")
    assert list(jobs.follow(job))[-1].payload["to"] == "succeeded"


def test_a_cancel_asks_first(cluster: Cluster, jobs: Jobs) -> None:
    job = cluster.start()
    cluster.state(job, "running")
    until(lambda: state_name(jobs.status(job).state) == "RUNNING", "it runs")
    asking = threading.Thread(target=jobs.cancel, args=(job,))
    asking.start()
    until(lambda: "c" in cluster.calls(job), "it was asked")
    cluster.state(job, "canceled")
    events = list(jobs.follow(job))
    asking.join()
    assert_complete(events)
    assert events[-1].payload["to"] == "canceled" and "exit_code" not in events[-1].payload
    assert [one.payload["cancel_requested"] for one in events if one.type == "GUARD"] == [True]
    assert cluster.calls(job).count("c") == 1 and "f" not in cluster.calls(job)
    assert jobs.cancel(job).status.ok, "twice is no error"


def test_a_cancel_that_is_not_heeded_is_followed_by_force(daemon: Daemon, jobs: Jobs) -> None:
    cluster = Cluster(daemon, limits={"grace_seconds": 1})
    job = cluster.start()
    cluster.state(job, "running")
    until(lambda: state_name(jobs.status(job).state) == "RUNNING", "it runs")
    assert jobs.cancel(job).status.ok
    until(lambda: "f" in cluster.calls(job), "it was told by force")
    assert cluster.calls(job).replace("p", "").replace("r", "") == "cf"
    cluster.state(job, "failed", exit_code=137)
    assert list(jobs.follow(job))[-1].payload["to"] == "canceled"


def test_what_ended_well_before_it_was_canceled_has_ended_well(cluster: Cluster, jobs: Jobs) -> None:
    job = cluster.start()
    cluster.state(job, "running")
    jobs.cancel(job)
    until(lambda: "c" in cluster.calls(job), "it was asked")
    cluster.state(job, "succeeded")
    assert list(jobs.follow(job))[-1].payload["to"] == "succeeded"


def test_the_time_limit_counts_from_when_it_runs(cluster: Cluster, jobs: Jobs) -> None:
    job = cluster.start(timeout_ms=300)
    calls = len(cluster.calls(job))
    until(lambda: len(cluster.calls(job)) > calls + 20, "it waits for longer than that")
    assert state_name(jobs.status(job).state) == "QUEUED"
    cluster.state(job, "running")
    until(lambda: "c" in cluster.calls(job), "it was told to end")
    cluster.state(job, "canceled")
    events = list(jobs.follow(job))
    assert_complete(events)
    assert (events[-1].payload["to"], events[-1].payload["reason"]) == ("failed", "timeout")


def test_a_job_that_was_forgotten_has_failed(cluster: Cluster, jobs: Jobs) -> None:
    job = cluster.start()
    cluster.state(job, "running")
    cluster.print(job, "still here\n")
    followed = jobs.follow(job)
    events = [next(followed) for _ in range(3)]
    cluster.forget(job)
    events += followed
    assert_complete(events)
    assert (events[-1].payload["to"], events[-1].payload["reason"]) == ("failed", "executor_lost")
    assert "knows of no such job any more" in events[-1].payload["message"]


def test_a_cluster_that_cannot_be_asked_is_asked_again(cluster: Cluster, jobs: Jobs) -> None:
    job = cluster.start()
    cluster.tell(job, "status", "6")  # DOME_UNAVAILABLE
    until(lambda: "as the test says" in jobs.status(job).message, "the status says why")
    (cluster.folder / job / "status").unlink()
    cluster.state(job, "succeeded")
    assert list(jobs.follow(job))[-1].payload["to"] == "succeeded"


def test_a_start_that_is_refused_is_the_end(cluster: Cluster, jobs: Jobs) -> None:
    cluster.tell_all("start", "")
    reply = jobs.submit(cluster.tool, wait_ms=30_000)
    assert (state_name(reply.state), reply.reason) == ("FAILED", "invalid_request")
    events = jobs.replay(reply.job_id)
    assert_complete(events)
    assert "no such queue" in events[-1].payload["message"] and "running" not in kinds(events)
    assert rows(cluster.daemon, "SELECT count(*) FROM driven_jobs") == [(0,)]


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (json.dumps({"handle": "x" * (1 << 20)}), 'has a "handle" of 1048576 bytes'),
        ("[]", "is no JSON object"),
    ],
)
def test_a_handle_that_will_not_do(cluster: Cluster, jobs: Jobs, answer: str, complaint: str) -> None:
    cluster.tell_all("start", answer)
    reply = jobs.submit(cluster.tool, wait_ms=30_000)
    assert (state_name(reply.state), reply.reason) == ("FAILED", "internal")
    message = jobs.status(reply.job_id).message
    assert complaint in message and PLUGIN in message, message


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ("", "not valid JSON"),
        ('{"state": "queued"}', "says 'queued' after 'running'"),
        ('{"state": "running", "output": [{"stream": "stdout", "text": "x"}]}', "the cursor that it was asked with"),
    ],
)
def test_an_answer_that_will_not_do_ends_the_job(cluster: Cluster, jobs: Jobs, answer: str, complaint: str) -> None:
    job = cluster.start()
    cluster.state(job, "running")
    until(lambda: state_name(jobs.status(job).state) == "RUNNING", "it runs")
    cluster.tell(job, "answer", answer)
    events = list(jobs.follow(job))
    assert_complete(events)
    payload = events[-1].payload
    assert (payload["to"], payload["reason"]) == ("failed", "plugin_failed")
    assert complaint in payload["message"] and PLUGIN in payload["message"], payload
    assert "f" in cluster.calls(job), "what may still run there was canceled"


def test_output_that_is_no_text(cluster: Cluster, jobs: Jobs) -> None:
    job = cluster.start()
    piece = base64.b64encode(b"\x00\xff bytes\n").decode()
    output = [{"stream": "stderr", "base64": piece}, {"stream": "stdout", "text": "t\u00e4xt\n"}]
    cluster.tell(job, "answer", json.dumps({"state": "failed", "exit_code": 1, "output": output}))
    events = list(jobs.follow(job))
    assert_complete(events)
    assert lines(events) == [b"\x00\xff bytes", "t\u00e4xt".encode()]
    assert [one.payload["stream"] for one in events if one.type == "LOG"] == ["stderr", "stdout"]


def test_output_without_end_is_cut_at_its_limit(daemon: Daemon, jobs: Jobs) -> None:
    cluster = Cluster(daemon, limits={"output_bytes": 100_000})
    job = cluster.start()
    cluster.tell(job, "endless")
    until(lambda: len(cluster.calls(job)) > 10, "it goes on and on")
    (cluster.folder / job / "endless").unlink()
    cluster.state(job, "succeeded")
    events = list(jobs.follow(job))
    assert_complete(events)
    (guard,) = [one.payload for one in events if one.payload.get("truncated")]
    assert guard["limit_bytes"] == 100_000 and guard["dropped_bytes"] >= 70_000
    assert sum(len(line) for line in lines(events)) <= 100_000


def test_refusals_in_a_row_end_the_job(cluster: Cluster, jobs: Jobs) -> None:
    job = cluster.start()
    cluster.tell(job, "status", "7")
    events = list(jobs.follow(job))
    assert_complete(events)
    assert (events[-1].payload["to"], events[-1].payload["reason"]) == ("failed", "plugin_failed")
    assert "as the test says" in events[-1].payload["message"]


@pytest.mark.parametrize(
    ("define", "complaint"),
    [("DRIVE_SIZE=8", "dome_executor_drive_api_t.struct_size is 8"), ("RECOVER=NULL", "recover is NULL")],
)
def test_a_table_that_will_not_do_is_refused_by_name(
    daemon: Daemon, jobs: Jobs, define: str, complaint: str
) -> None:
    cluster = Cluster(daemon, define)
    reply = jobs.submit(cluster.tool, wait_ms=30_000)
    message = jobs.status(reply.job_id).message if reply.job_id else reply.status.message
    assert complaint in message, message
    assert not [one for one in os.listdir(cluster.folder) if one.startswith("job")]


def test_a_plugin_that_comes_back_takes_its_jobs_up_again(cluster: Cluster, jobs: Jobs) -> None:
    job = cluster.start()
    cluster.state(job, "running")
    until(lambda: state_name(jobs.status(job).state) == "RUNNING", "it runs")
    plugins.settings(cluster.daemon, PLUGIN, enabled=False)
    plugins.plugins(cluster.daemon)
    until(lambda: "disabled" in jobs.status(job).message, "its status says so")
    assert state_name(jobs.status(job).state) == "RUNNING"
    plugins.settings(cluster.daemon, PLUGIN, config={"folder": str(cluster.folder)})
    cluster.print(job, "all the time\n")
    cluster.state(job, "succeeded")
    events = list(jobs.follow(job))
    assert_complete(events)
    assert lines(events) == [b"all the time"] and events[-1].payload["to"] == "succeeded"
