"""Tasks over HTTP: the official SDK's client, with an extension that waits for them; the header that routes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import anyio
import httpx2
import mcp_types
import pytest
from mcp.client import Client
from mcp.client.extension import ClaimContext, ClientExtension, ResultClaim
from mcp.client.streamable_http import streamable_http_client
from pydantic import Field

from domekit.daemon import Daemon
from domekit.mcp import MODERN
from domekit.mcp_http import HTTPBridge, http_bridge


@pytest.fixture(scope="module")
def bridge(shared_daemon: Daemon) -> Iterator[HTTPBridge]:
    with http_bridge(shared_daemon) as one:
        yield one


class Task(mcp_types.Result):
    """What the extension sends: of a task, all that a client of the official SDK needs to wait for it."""

    result_type: Literal["task"] = Field(alias="resultType")
    task_id: str = Field(alias="taskId")


class TaskState(mcp_types.Result):
    status: str
    poll_interval_ms: int = Field(alias="pollIntervalMs")
    result: dict[str, Any] | None = None


class GetTaskParams(mcp_types.RequestParams):
    task_id: str = Field(serialization_alias="taskId")


class GetTask(mcp_types.Request[GetTaskParams, Literal["tasks/get"]]):
    method: Literal["tasks/get"] = "tasks/get"
    name_param: ClassVar[str | None] = "taskId"


class Tasks(ClientExtension):
    """Waits for a task as the specification says; the SDK brings the way in, and no tasks of its own."""

    identifier = "io.modelcontextprotocol/tasks"

    def __init__(self) -> None:
        self.seen: list[str] = []

    def claims(self) -> list[ResultClaim[Task]]:
        return [ResultClaim(result_type="task", model=Task, resolve=self.wait)]

    async def wait(self, task: Task, context: ClaimContext) -> mcp_types.CallToolResult:
        self.seen.append(task.task_id)
        request = GetTask(params=GetTaskParams(task_id=task.task_id))
        while (state := await context.session.send_request(request, TaskState)).status == "working":
            await anyio.sleep(state.poll_interval_ms / 1e3)
        assert state.result is not None
        return mcp_types.CallToolResult.model_validate(state.result)


def test_the_official_client_waits_for_a_task(bridge: HTTPBridge) -> None:
    async def main() -> None:
        tasks = Tasks()
        headers = {"Authorization": f"Bearer {bridge.token}"}
        with anyio.fail_after(60):
            async with httpx2.AsyncClient(headers=headers, timeout=30) as http:
                transport = streamable_http_client(bridge.url, http_client=http)
                async with Client(transport, mode="2026-07-28", extensions=[tasks]) as client:
                    ran = await client.call_tool("shell_run", {"script": "sleep 3; echo out; exit 4"})
        assert ran.is_error and ran.structured_content is not None
        assert (ran.structured_content["stdout"], ran.structured_content["exit_code"]) == ("out\n", 4)
        assert tasks.seen == [ran.structured_content["job_id"]]

    anyio.run(main)


def test_the_header_that_routes_a_task_must_name_it(bridge: HTTPBridge) -> None:
    unknown = "job-00000000000000000000000000"
    takes = MODERN | {
        "io.modelcontextprotocol/clientCapabilities": {"extensions": {"io.modelcontextprotocol/tasks": {}}}
    }
    for method in ("tasks/get", "tasks/update", "tasks/cancel"):
        params = {"taskId": unknown, "inputResponses": {}, "_meta": takes}
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        for name, code in ((None, -32020), ("other", -32020), (unknown, -32602)):
            answer = bridge.post(
                message, mcp_protocol_version="2026-07-28", mcp_method=method, mcp_name=name
            )
            assert (answer.status, answer.message["error"]["code"]) == (400, code)
