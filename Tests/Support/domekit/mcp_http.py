"""`dome mcp --http` as a client sees it, request by request."""

from __future__ import annotations

import contextlib
import http.client
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .daemon import Daemon

BOTH = "application/json, text/event-stream"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def events(self) -> list[tuple[str, Any]]:
        """The events of a stream: their ids and documents (None for one without data)."""
        found = []
        for block in self.body.decode().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":") and line)
            if fields:
                data = fields.get("data", "").strip() or None
                found.append((fields.get("id", ""), json.loads(data) if data else None))
        return found

    @property
    def message(self) -> Any:
        """The one response, however it came."""
        if self.headers.get("content-type") == "text/event-stream":
            return self.events[-1][1]
        return json.loads(self.body)


class HTTPBridge:
    """A `dome mcp --http` on a port of its own."""

    def __init__(self, daemon: Daemon) -> None:
        self.process = subprocess.Popen(
            daemon.command("mcp", "--http", "127.0.0.1:0"),
            env=daemon.environment,
            cwd=daemon.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline().decode()
        self.url, token_file = line.strip().split(", token in ")
        self.port = int(self.url.rsplit(":", 1)[1].split("/")[0])
        self.token_file = Path(token_file)
        self.token = self.token_file.read_text().strip()

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def headers(self, **more: str | None) -> dict[str, str]:
        usual = {"authorization": f"Bearer {self.token}", "accept": BOTH, "content-type": "application/json"}
        changed = usual | {name.replace("_", "-"): value for name, value in more.items()}
        return {name: value for name, value in changed.items() if value is not None}

    def send(self, method: str, body: bytes | None, path: str = "/mcp", **headers: str | None) -> Answer:
        with contextlib.closing(self.connection()) as connection:
            connection.request(method, path, body, self.headers(**headers))
            reply = connection.getresponse()
            return Answer(reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read())

    def post(self, message: Any, **headers: str | None) -> Answer:
        return self.send("POST", json.dumps(message).encode(), **headers)

    def initialize(self, version: str = "2025-11-25") -> str:
        """Begins a session; returns its id."""
        params = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
        answer = self.post({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})
        assert answer.status == 200 and answer.message["result"]["protocolVersion"] == version
        return answer.headers["mcp-session-id"]


@contextlib.contextmanager
def http_bridge(daemon: Daemon) -> Iterator[HTTPBridge]:
    bridge = HTTPBridge(daemon)
    try:
        yield bridge
        assert bridge.process.poll() is None, "it must not end by itself"
    finally:
        bridge.process.kill()
        bridge.process.wait(10)
        if bridge.process.stdout is not None:
            bridge.process.stdout.close()
