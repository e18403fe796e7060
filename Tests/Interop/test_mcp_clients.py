"""The official MCP SDK and fastmcp as clients of `dome mcp`: both eras, every method that a server of tools has."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import fastmcp
import mcp_types
import pytest
from fastmcp.client.transports import StdioTransport
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp.shared.exceptions import MCPError

from domekit.daemon import Daemon

@pytest.fixture
def daemon(shared_daemon: Daemon) -> Daemon:
    """One for all tests here: they leave it as it was."""
    return shared_daemon


ERAS = [("legacy", "2025-11-25"), ("auto", "2026-07-28"), ("2026-07-28", "2026-07-28")]


def server(daemon: Daemon) -> StdioServerParameters:
    command, *arguments = daemon.command("mcp")
    return StdioServerParameters(command=command, args=arguments, env=daemon.environment, cwd=daemon.directory)


def with_client(daemon: Daemon, mode: str, body: Callable[[Client], Awaitable[None]]) -> None:
    async def main() -> None:
        with anyio.fail_after(60):
            async with Client(server(daemon), mode=mode) as client:  # type: ignore[arg-type]
                await body(client)

    anyio.run(main)


@pytest.mark.filterwarnings("ignore:ping is removed")
@pytest.mark.parametrize(("mode", "version"), ERAS)
def test_the_official_client_finds_runs_and_follows(daemon: Daemon, mode: str, version: str) -> None:
    async def body(client: Client) -> None:
        assert client.protocol_version == version
        if mode != version:  # a client that was told the version asks nobody
            assert client.server_info is not None and client.server_info.name == "dome"
            assert client.instructions and "dome_run" in client.instructions
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert tools["text_search"].annotations.read_only_hint is True  # type: ignore[union-attr]
        # The client checks each result against the tool's schema.
        found = await client.call_tool("dome_search_tools", {"query": "commits"})
        assert found.structured_content["tools"][0]["tool_id"] == "git.log"  # type: ignore[index]
        told: list[float] = []

        async def progress(value: float, total: float | None, message: str | None) -> None:
            told.append(value)

        script = "echo PROGRESS:5; echo out; echo err >&2; mkdir out; echo kept >out/a.txt; exit 2"
        ran = await client.call_tool("shell_run", {"script": script}, progress_callback=progress)
        job = ran.structured_content
        assert ran.is_error and job is not None
        assert (job["exit_code"], job["stderr"]) == (2, "err\n") and "out\n" in job["stdout"]
        followed = await client.call_tool("dome_follow", {"job_id": job["job_id"]})
        assert followed.structured_content["stdout"] == job["stdout"]  # type: ignore[index]
        assert told == [5]
        listed = (await client.list_resources()).resources
        log = (await client.read_resource(str(listed[0].uri))).contents[0]
        assert isinstance(log, mcp_types.TextResourceContents) and "out" in log.text
        kept = (await client.read_resource(job["artifacts"][0]["uri"])).contents[0]
        assert isinstance(kept, mcp_types.TextResourceContents) and kept.text == "kept\n"
        assert (await client.list_resource_templates()).resource_templates
        if version < "2026":
            await client.send_ping()
        with pytest.raises(MCPError, match="unknown tool"):
            await client.call_tool("no_such_tool", {})
        with pytest.raises(MCPError, match="no such resource"):
            await client.read_resource("dome://nowhere")
        with pytest.raises(MCPError, match="unknown method"):
            await client.list_prompts()

    with_client(daemon, mode, body)


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_the_official_client_makes_many_calls_at_once(daemon: Daemon, mode: str) -> None:
    async def body(client: Client) -> None:
        results: dict[int, str] = {}

        async def one(number: int) -> None:
            ran = await client.call_tool("shell_run", {"script": f"sleep 0.1; echo {number}"})
            results[number] = ran.structured_content["stdout"]  # type: ignore[index]

        async with anyio.create_task_group() as group:
            for number in range(12):
                group.start_soon(one, number)
        assert results == {number: f"{number}\n" for number in range(12)}

    with_client(daemon, mode, body)


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_fastmcp_runs_tools(daemon: Daemon, mode: str) -> None:
    async def main() -> None:
        command, *arguments = daemon.command("mcp")
        transport = StdioTransport(
            command, arguments, env=daemon.environment, cwd=str(daemon.directory), keep_alive=False
        )
        with anyio.fail_after(60):
            async with fastmcp.Client(transport, mode=mode) as client:  # type: ignore[arg-type]
                names = [tool.name for tool in await client.list_tools()]
                assert "dome_run" in names and "shell_run" in names
                ran = await client.call_tool("shell_run", {"argv": ["echo", "fast"]})
                assert ran.structured_content["stdout"] == "fast\n"  # type: ignore[index]
                failed: Any = await client.call_tool("shell_run", {"script": "exit 9"}, raise_on_error=False)
                assert failed.is_error and json.loads(failed.content[0].text)["exit_code"] == 9
                assert await client.list_resources()

    anyio.run(main)
