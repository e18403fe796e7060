"""What is measured of `dome mcp`: how soon it answers, what a call costs, what it weighs; beside a server of the
official SDK, and two proxies before `dome mcp` itself: fastmcp's, and mcp-proxy before `dome mcp --http`."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from samples import Row, Section
from world import ROUNDS, BenchError, World, guarded

HERE = Path(__file__).parent
MCP_PROXY = HERE.parent / "build/bench/venv/bin/mcp-proxy"
VERSION = "2025-11-25"
HANDSHAKE = {
    "protocolVersion": VERSION,
    "capabilities": {},
    "clientInfo": {"name": "bench", "version": "1"},
}


class Client:
    """A client that does as little as can be: it writes lines and reads lines."""

    def __init__(self, world: World, command: list[str]) -> None:
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            command,
            env=world.daemon.environment,
            cwd=world.daemon.directory,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pipesize=1 << 20,
        )
        self.number = 0

    def ask(self, method: str, params: Any) -> bytes:
        """Sends a request; the line that answers it."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.number += 1
        request = {"jsonrpc": "2.0", "id": self.number, "method": method, "params": params}
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        while line := self.process.stdout.readline():
            if b'"id":' in line[:200] or b'"result"' in line or b'"error"' in line:
                return line
        raise BenchError(f"{method}: no answer")

    def handshake(self) -> None:
        assert self.process.stdin is not None
        self.ask("initialize", HANDSHAKE)
        self.process.stdin.write(b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n')

    def memory(self) -> float:
        """MB of this process's own, shared pages by their share."""
        text = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        found = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
        if found is None:
            raise BenchError("no Pss")
        return int(found[1]) / 1024

    def close(self) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)
        self.process.stdout.close()


@contextlib.contextmanager
def http_bridge(world: World) -> Iterator[tuple[str, str]]:
    """A `dome mcp --http`: its address and its token."""
    command = [world.daemon.bin / "dome", "mcp", "--http", "127.0.0.1:0"]
    process = subprocess.Popen(
        command, env=world.daemon.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        url, token_file = process.stdout.readline().strip().split(", token in ")
        yield url, Path(token_file).read_text().strip()
    finally:
        process.kill()
        process.communicate()


def clients(world: World, url: str, token: str) -> dict[str, list[str]]:
    """The commands that are compared, by name."""
    dome = [str(world.daemon.bin / "dome"), "mcp"]
    proxy = [str(MCP_PROXY), "--transport", "streamablehttp", "-H", "Authorization", f"Bearer {token}", url]
    return {
        "dome mcp": dome,
        "mcp SDK": [sys.executable, str(HERE / "mcp_peer.py")],
        "fastmcp proxy": [sys.executable, str(HERE / "mcp_proxy_peer.py"), *dome],
        "mcp-proxy": proxy,
    }


def section(world: World, usual: int) -> Section:
    with http_bridge(world) as (url, token):
        return _section(world, clients(world, url, token), usual)


def _section(world: World, commands: dict[str, list[str]], usual: int) -> Section:
    made = Section("AI clients: dome mcp over standard streams, beside other servers")
    starts = {name: made.row(f"spawn to tools/list, {name}", "ms") for name in commands}
    lists = {name: made.row(f"tools/list, {name}", "ms") for name in commands}
    memory = {name: made.row(f"memory (PSS), {name}", "MB") for name in commands}
    calls = {
        "dome_run": made.row("tools/call, an adapter's job", "ms", target=("p50 <=", 6)),
        "dome_search_tools": made.row("tools/call, search", "ms", target=("p50 <=", 0.5)),
        "dome_describe_tool": made.row("tools/call, describe", "ms", target=("p50 <=", 0.5)),
        "dome_job_status": made.row("tools/call, status", "ms", target=("p50 <=", 0.5)),
    }
    peer = made.row("tools/call, mcp SDK, in its own process", "ms")
    starts["dome mcp"].target = ("p50 <=", 30)
    lists["dome mcp"].target = ("p50 <=", 0.15)
    memory["dome mcp"].target = ("p50 <=", 10)
    for name, command in commands.items():
        rounds = world.count(40 if name == "dome mcp" else 5)
        guarded(starts[name], lambda c=command, n=name, r=rounds: _starts(world, c, starts[n], r))
        guarded(lists[name], lambda c=command, n=name: _lists(world, c, lists[n], memory[n], world.count(usual)))
    dome = commands["dome mcp"]
    arguments = {
        "dome_run": {"tool_id": "echo.say", "task": {"text": "hi"}},
        "dome_search_tools": {"query": "search text"},
        "dome_describe_tool": {"tool_id": "text.search"},
        "dome_job_status": {},
    }
    for name, row in calls.items():
        guarded(row, lambda n=name, r=row: _calls(world, dome, n, arguments[n], r, world.count(usual)))
    guarded(peer, lambda: _calls(world, commands["mcp SDK"], "tool_1", {"text": "hi"}, peer, world.count(usual)))
    return made


def _starts(world: World, command: list[str], row: Row, count: int) -> None:
    for _ in range(max(count, ROUNDS)):
        client = Client(world, command)
        try:
            client.handshake()
            client.ask("tools/list", {})
            row.samples.append((time.perf_counter() - client.began) * 1e3)
        finally:
            client.close()


def _lists(world: World, command: list[str], row: Row, memory: Row, count: int) -> None:
    client = Client(world, command)
    try:
        client.handshake()
        for _ in range(count):
            began = time.perf_counter()
            line = client.ask("tools/list", {})
            row.samples.append((time.perf_counter() - began) * 1e3)
        row.note = f"{len(line) // 1024} kB"
        memory.samples.append(client.memory())
    finally:
        client.close()


def _calls(world: World, command: list[str], name: str, arguments: Any, row: Row, count: int) -> None:
    client = Client(world, command)
    try:
        client.handshake()
        client.ask("tools/list", {})
        for _ in range(count):
            began = time.perf_counter()
            line = client.ask("tools/call", {"name": name, "arguments": arguments})
            row.samples.append((time.perf_counter() - began) * 1e3)
        if b'"ok":false' in line or b'"error"' in line:
            raise BenchError(line.decode(errors="replace")[:200])
    finally:
        client.close()
