"""constraints_json: what is dome's own, what is the tool's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from domekit.daemon import Daemon, pb2
from domekit.jobs import Jobs


@pytest.mark.parametrize(
    "key, value",
    [
        ("wait_ms", "100"),
        ("wait_ms", -1),
        ("wait_ms", 1.5),
        ("wait_ms", None),
        ("wait_ms", 2**63),
        ("timeout_ms", "1"),
        ("timeout_ms", True),
        ("timeout_ms", 0),
        ("timeout_ms", [1]),
        ("priority", "high"),
        ("priority", {}),
        ("priority", 1e9),
        ("grants", "fs.read:/tmp"),
        ("grants", {"fs.read": "/tmp"}),
        ("grants", [1]),
    ],
)
def test_a_known_key_with_a_wrong_type_is_named(jobs: Jobs, key: str, value: Any) -> None:
    reply = jobs.submit("job.noop", **{key: value})
    assert (reply.status.ok, reply.status.code) == (False, pb2.E_INVALID_REQUEST)
    assert f'"{key}"' in reply.status.message
    assert reply.job_id == ""


@pytest.mark.parametrize("text", ["{", "[]", "1", '"wait_ms"', "null"])
def test_constraints_that_are_no_object_are_refused(stub: Any, text: str) -> None:
    request = pb2.SkillExecuteRequest(skill_id="job.noop", profile="p", idempotency_key="k", constraints_json=text)
    status = stub.SkillExecute(request, timeout=30).status
    assert status.code == pb2.E_INVALID_REQUEST
    assert "constraints_json" in status.message


@pytest.mark.parametrize(
    "misspelt, meant",
    [
        ("waitms", "wait_ms"),
        ("wait-ms", "wait_ms"),
        ("Wait_Ms", "wait_ms"),
        ("wait", "wait_ms"),
        ("timeout", "timeout_ms"),
        ("timeoutMs", "timeout_ms"),
        ("grant", "grants"),
        ("prioritty", "priority"),
    ],
)
def test_a_misspelt_key_passes_with_a_hint(jobs: Jobs, misspelt: str, meant: str) -> None:
    reply = jobs.stub.SkillExecute(jobs.request("job.noop", **{misspelt: 1}), timeout=30)
    assert reply.status.ok
    assert reply.status.message.startswith("submitted")
    assert f'"{misspelt}"' in reply.status.message and f'"{meant}"' in reply.status.message


@pytest.mark.parametrize("key", ["max_depth", "temperature", "x", "", "wait_for_ci"])
def test_the_tools_own_keys_pass_without_remark(jobs: Jobs, key: str) -> None:
    assert jobs.submit("job.noop", **{key: 1}).status.message == "submitted"


def test_all_constraints_reach_the_job(jobs: Jobs) -> None:
    own = {"max_depth": 3, "nested": {"list": [1, "two", None, True]}, "naïve": "日本語", "waitms": 5}
    events = jobs.run("shell.run", {"script": 'printf "%s\\n" "$DOMED_CONSTRAINTS_JSON"'}, priority=1, **own)
    [line] = [one.payload["line"] for one in events if one.type == "LOG"]
    assert json.loads(line) == own | {"wait_ms": 0, "priority": 1}


def test_a_timeout_never_exceeds_the_manifests_limit(daemon: Daemon) -> None:
    from domekit.tools import write_script_tool

    write_script_tool(daemon, "test.short", "sleep 60", limits={"wall_seconds": 1, "grace_seconds": 0})
    events = daemon.jobs.run("test.short", timeout_ms=3_600_000)
    assert events[-1].payload["reason"] == "timeout"
