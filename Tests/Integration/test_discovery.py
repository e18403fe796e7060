"""What a client can ask before it runs anything: Health, ListCapabilities, ListTools, GetTool, GetToolSchema, GetStatus
and the gate decisions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from domekit.daemon import Daemon, pb2
from domekit.tools import registry, write_tool

DIAGNOSTICS = {"skill-execute", "job.noop", "job.log", "job.fail", "domed.exec-probe"}
REAL_TOOLS = {"shell.run", "text.search", "git.log", "data.crc32", "math.lgamma"}
RFC_3339_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def test_health_is_ok_and_tells_time_and_version(stub: Any) -> None:
    reply = stub.Health(pb2.HealthRequest(), timeout=30)
    assert reply.status.ok and reply.status.code == 0
    assert RFC_3339_UTC.fullmatch(reply.ts)
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", reply.daemon_version)


def test_capabilities_name_skill_execute_and_the_contract(stub: Any) -> None:
    reply = stub.ListCapabilities(pb2.ListCapabilitiesRequest(profile="anything"), timeout=30)
    assert reply.status.ok
    assert "domed.v1" in reply.api_versions
    assert reply.server_version
    assert "skill-execute" in [one.name for one in reply.capabilities]
    assert all(one.name and one.version and one.schema_version for one in reply.capabilities)


def test_every_shipped_tool_is_listed_once_in_order(stub: Any) -> None:
    reply = stub.ListTools(pb2.ListToolsRequest(), timeout=30)
    names = [tool.tool_id for tool in reply.tools]
    assert reply.status.ok
    assert set(names) >= DIAGNOSTICS | REAL_TOOLS
    assert names == sorted(set(names))
    assert all(tool.version and tool.title and tool.short_description and tool.kind for tool in reply.tools)


@pytest.mark.parametrize("tool_id", sorted(DIAGNOSTICS | REAL_TOOLS))
def test_a_descriptor_says_all_there_is_to_know(stub: Any, tool_id: str) -> None:
    reply = stub.GetTool(pb2.GetToolRequest(tool_id=tool_id), timeout=30)
    tool = reply.tool
    assert reply.status.ok
    assert tool.tool_id == tool_id
    assert all((tool.version, tool.title, tool.short_description, tool.description, tool.kind))
    assert tool.input_schema_ref.endswith("input.schema.json")
    assert tool.executor_backend


def test_a_descriptor_lists_what_the_tool_may_ask_for(stub: Any) -> None:
    tool = stub.GetTool(pb2.GetToolRequest(tool_id="shell.run"), timeout=30).tool
    assert "process" in tool.permissions and "fs.read:*" in tool.permissions
    assert tool.side_effects


@pytest.mark.parametrize("tool_id", sorted(DIAGNOSTICS | REAL_TOOLS))
def test_the_schema_documents_themselves_can_be_had(stub: Any, tool_id: str) -> None:
    reply = stub.GetToolSchema(pb2.GetToolSchemaRequest(tool_id=tool_id), timeout=30)
    assert reply.status.ok
    assert json.loads(reply.input_schema_json)["type"] == "object"
    assert json.loads(reply.manifest_json)["tool_id"] == tool_id


@pytest.mark.parametrize("call", ["GetTool", "GetToolSchema"])
@pytest.mark.parametrize("tool_id", ["no.such.tool", "../../etc", "Job.Noop"])
def test_an_unknown_tool_is_named(stub: Any, call: str, tool_id: str) -> None:
    reply = getattr(stub, call)(getattr(pb2, f"{call}Request")(tool_id=tool_id), timeout=30)
    assert not reply.status.ok
    assert reply.status.code == pb2.E_NOT_FOUND
    assert reply.status.message == f"tool not found: {tool_id}"
    assert not reply.status.retryable


def test_a_tool_put_into_the_personal_registry_needs_no_restart(daemon: Daemon) -> None:
    stub = daemon.stub()
    assert daemon.jobs.submit("test.late").status.code == pb2.E_NOT_FOUND
    write_tool(daemon, "test.late", {"diagnostic": "noop"})
    assert daemon.jobs.submit("test.late").status.ok
    assert stub.GetTool(pb2.GetToolRequest(tool_id="test.late"), timeout=30).status.ok


def test_a_corrupt_manifest_costs_only_its_own_tool_and_is_reported(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    write_tool(daemon, "test.good", {"diagnostic": "noop"})
    broken = {
        "test.not-json": "{",
        "test.not-utf8": b"\xff\xfe",
        "test.empty": "",
        "test.list": "[]",
        "test.no-version": json.dumps({"tool_id": "test.no-version"}),
        "test.other-name": json.dumps({"tool_id": "test.somebody-else"}),
    }
    for name, content in broken.items():
        folder = write_tool(daemon, name, {"diagnostic": "noop"})
        (folder / "tool.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    write_tool(daemon, "test.bad-schema", {"diagnostic": "noop"}, schema={"type": "object", "$dynamicRef": "#x"})
    (registry(daemon) / "test.hollow").mkdir()
    daemon.start()

    stub = daemon.stub()
    listed = {tool.tool_id for tool in stub.ListTools(pb2.ListToolsRequest(), timeout=30).tools}
    assert "test.good" in listed and DIAGNOSTICS <= listed
    left_out = {*broken, "test.bad-schema", "test.hollow"}
    assert not left_out & listed
    problems = stub.GetStatus(pb2.GetStatusRequest(), timeout=30).problems
    for name in left_out:
        assert any(name in problem for problem in problems), (name, list(problems))
    assert daemon.jobs.run("test.good")[-1].payload["to"] == "succeeded"


def test_status_describes_the_daemon_and_its_keeper(daemon: Daemon) -> None:
    daemon.jobs.run("domed.exec-probe")
    reply = daemon.stub().GetStatus(pb2.GetStatusRequest(), timeout=30)
    assert reply.status.ok
    assert all((reply.min_supported_version, reply.current_version, reply.recommended_version, reply.server_version))
    assert reply.pid == daemon.pid
    assert reply.endpoint == f"unix://{daemon.socket}"
    assert reply.state_directory == str(daemon.state)
    assert RFC_3339_UTC.fullmatch(reply.started_at)
    assert (reply.jobs_queued, reply.jobs_running) == (0, 0)
    assert [keeper.pid in daemon.pids("domed-keeper") for keeper in reply.keepers] == [True]
    assert reply.sandbox_ok
    assert json.loads(reply.sandbox_report_json)
    assert list(reply.problems) == []


@pytest.mark.parametrize("run_id", ["run-00000000000000000000000000", "nonsense"])
def test_there_are_no_gate_decisions_yet(stub: Any, run_id: str) -> None:
    gate = stub.GetGateDecision(pb2.GetGateDecisionRequest(run_id=run_id), timeout=30)
    promotion = stub.GetPromotionDecision(pb2.GetPromotionDecisionRequest(run_id=run_id), timeout=30)
    for reply in (gate, promotion):
        assert not reply.status.ok
        assert reply.status.code == pb2.E_NOT_FOUND
        assert run_id in reply.status.message
