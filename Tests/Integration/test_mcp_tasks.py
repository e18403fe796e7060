"""Tasks, the extension of 2026-07-28: a call that takes its time becomes a task, and a task is a job: it outlives the
connection and the bridge."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from domekit.daemon import Daemon
from domekit.mcp import MODERN, Bridge, bridge

NAME = "io.modelcontextprotocol/tasks"
CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
TAKES = MODERN | {CAPABILITIES: {"extensions": {NAME: {}}}}


@pytest.fixture
def daemon(shared_daemon: Daemon) -> Daemon:
    """One for all tests here: they leave it as it was."""
    return shared_daemon


def run(one: Bridge, script: str, meta: dict[str, Any] = TAKES, **more: Any) -> dict[str, Any]:
    return one.result("tools/call", name="shell_run", arguments={"script": script, **more}, _meta=meta)


def get(one: Bridge, task: str) -> dict[str, Any]:
    got = one.result("tasks/get", taskId=task, _meta=TAKES)
    assert got["resultType"] == "complete" and got["taskId"] == task
    # The result of a completed task, and of no other.
    assert ("result" in got) == (got["status"] == "completed")
    return got


def ended(one: Bridge, task: str) -> dict[str, Any]:
    while (got := get(one, task))["status"] == "working":
        time.sleep(got["pollIntervalMs"] / 1e3)
    return got


def error(one: Bridge, method: str, meta: dict[str, Any] = TAKES, **params: Any) -> dict[str, Any]:
    return one.request(method, params, _meta=meta)["error"]


def test_a_long_call_becomes_a_task_that_outlives_its_bridge(daemon: Daemon) -> None:
    with bridge(daemon) as one:
        found = one.result("server/discover", _meta=TAKES)
        assert found["capabilities"]["extensions"] == {NAME: {}}
        task = run(one, "echo begun; sleep 4; echo done; exit 3")
        assert task["resultType"] == "task" and task["status"] == "working" and task["ttlMs"] is None
        assert task["pollIntervalMs"] >= 500 and task["createdAt"] <= task["lastUpdatedAt"]
        assert "structuredContent" not in task and "content" not in task
        # There from the moment on that the client knows of it.
        assert get(one, task["taskId"])["status"] == "working"
    assert json.loads(daemon.dome("job", "show", task["taskId"], "-o", "json").stdout)["job_id"] == task["taskId"]
    with bridge(daemon) as other:
        got = ended(other, task["taskId"])
    # What failed is a result that says so, and no failed task.
    assert got["status"] == "completed" and got["result"]["isError"] is True
    document = got["result"]["structuredContent"]
    assert (document["stdout"], document["exit_code"]) == ("begun\ndone\n", 3)
    assert json.loads(got["result"]["content"][0]["text"]) == document


def test_a_task_survives_the_daemon(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon().start()
    with bridge(daemon) as one:
        task = run(one, "for i in 1 2 3 4; do echo $i; sleep 1; done")
        daemon.kill9()
        assert ended(one, task["taskId"])["result"]["structuredContent"]["stdout"] == "1\n2\n3\n4\n"


def test_a_call_is_a_task_only_for_who_takes_tasks_and_names_no_time(daemon: Daemon) -> None:
    with bridge(daemon) as one:
        quick = run(one, "echo quick")
        assert quick["resultType"] == "complete" and quick["structuredContent"]["stdout"] == "quick\n"
        # Who says how long to wait wants the job's id then.
        named = run(one, "sleep 600", wait_s=0)
        assert named["resultType"] == "complete" and named["structuredContent"]["state"] in ("queued", "running")
        without = run(one, "sleep 2.5; echo waited", MODERN)
        assert without["structuredContent"]["stdout"] == "waited\n"
        assert one.result("tasks/cancel", taskId=named["structuredContent"]["job_id"], _meta=TAKES)
    with bridge(daemon) as one:
        one.initialize()
        # The handshake era's tasks are others, which nobody was promised.
        assert one.request("tasks/get", taskId="x")["error"]["code"] == -32601


def test_a_canceled_task_is_one_and_canceling_again_changes_nothing(daemon: Daemon) -> None:
    with bridge(daemon) as one:
        task = run(one, "sleep 600")["taskId"]
        for _ in range(2):
            done = one.result("tasks/cancel", taskId=task, _meta=TAKES)
            assert done["resultType"] == "complete" and "taskId" not in done
        assert ended(one, task)["status"] == "cancelled"
        assert one.result("tasks/cancel", taskId=task, _meta=TAKES)["resultType"] == "complete"
        # Jobs ask nothing, so any answer is one too many, and ignored.
        answered = one.result("tasks/update", taskId=task, inputResponses={"a": {"action": "accept"}}, _meta=TAKES)
        assert answered["resultType"] == "complete"


def test_what_is_wrong_with_a_request_about_a_task_is_told(daemon: Daemon) -> None:
    unknown = "job-00000000000000000000000000"
    with bridge(daemon) as one:
        for method in ("tasks/get", "tasks/cancel", "tasks/update"):
            for task in (unknown, "", "../x", 7, None, [unknown]):
                assert error(one, method, taskId=task, inputResponses={})["code"] == -32602
            assert error(one, method)["code"] == -32602
            # Who did not say that it takes tasks is told to; the other errors come after that.
            refused = error(one, method, MODERN, taskId=unknown)
            assert refused["code"] == -32021
            assert refused["data"] == {"requiredCapabilities": {"extensions": {NAME: {}}}}
            for nonsense in ({NAME: {}}, {"extensions": [NAME]}, {"extensions": {NAME: True}}, []):
                assert error(one, method, MODERN | {CAPABILITIES: nonsense}, taskId=unknown)["code"] == -32021
        job = run(one, "true")["structuredContent"]["job_id"]
        for answers in (None, [], "x"):
            assert error(one, "tasks/update", taskId=job, inputResponses=answers)["code"] == -32602


def test_who_listens_is_told_of_no_tasks_and_must_take_them_to_ask(daemon: Daemon) -> None:
    with bridge(daemon) as one:
        asked = {"notifications": {"taskIds": ["job-00000000000000000000000000"]}}
        assert error(one, "subscriptions/listen", MODERN, **asked)["code"] == -32021
        one.send({"jsonrpc": "2.0", "id": 70, "method": "subscriptions/listen", "params": asked | {"_meta": TAKES}})
        acknowledged = json.loads(one.line())
        assert acknowledged["params"]["notifications"] == {}
        one.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 70}})
        assert one.result("server/discover", _meta=TAKES)
