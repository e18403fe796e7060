"""`dome mcp` as a client sees it, byte by byte: for what no library of the protocol would send."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import time
from collections.abc import Iterator
from typing import Any

from .daemon import Daemon

MODERN = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


class Bridge:
    """One `dome mcp`; every line it writes must be one JSON document, and there is nothing else."""

    def __init__(self, daemon: Daemon, *options: str, cwd: str | os.PathLike[str] | None = None) -> None:
        self.process = subprocess.Popen(
            daemon.command("mcp", *options),
            env=daemon.environment,
            cwd=cwd or daemon.directory,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._buffer = b""
        self._next_id = 1
        self.is_codex = False
        self.notifications: list[dict[str, Any]] = []

    # Bytes

    def write(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, message: Any) -> None:
        self.write(json.dumps(message).encode() + b"\n")

    def line(self, seconds: float = 60) -> bytes:
        """The next line; b"" at the end of the output."""
        assert self.process.stdout is not None
        deadline = time.monotonic() + seconds
        while b"\n" not in self._buffer:
            left = deadline - time.monotonic()
            assert left > 0, "dome mcp does not answer"
            if not select.select([self.process.stdout], [], [], left)[0]:
                continue
            data = os.read(self.process.stdout.fileno(), 1 << 16)
            if not data:
                assert not self._buffer, self._buffer
                return b""
            self._buffer += data
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line

    def receive(self, seconds: float = 60) -> Any:
        """The next message that is no notification."""
        while True:
            message = json.loads(self.line(seconds))
            if isinstance(message, dict) and "method" in message:
                self.notifications.append(message)
                continue
            return message

    def close(self) -> int:
        """Ends the input and returns the exit status; nothing more may have been written."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        with contextlib.suppress(AssertionError):
            while self.line(30):
                pass
        return self.process.wait(30)

    # Messages

    def request(self, method: str, params: Any = None, seconds: float = 60, **more: Any) -> Any:
        """Sends a request and returns its response, an error or a result."""
        number = self._next_id
        self._next_id += 1
        self.send({"jsonrpc": "2.0", "id": number, "method": method, "params": (params or {}) | more})
        response = self.receive(seconds)
        assert response["jsonrpc"] == "2.0" and response["id"] == number, response
        assert ("result" in response) != ("error" in response), response
        return response

    def result(self, method: str, params: Any = None, **more: Any) -> dict[str, Any]:
        response = self.request(method, params, **more)
        assert "result" in response, response
        return response["result"]

    def initialize(self, version: str = "2025-11-25", name: str = "test") -> dict[str, Any]:
        self.is_codex = name.startswith("codex")
        result = self.result(
            "initialize",
            protocolVersion=version,
            capabilities={},
            clientInfo={"name": name, "version": "1.2"},
        )
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return result

    def call(self, tool: str, meta: dict[str, Any] | None = None, **arguments: Any) -> dict[str, Any]:
        """Calls a tool and returns its document; the text beside it must be the same."""
        params: dict[str, Any] = {"name": tool, "arguments": arguments}
        if meta:
            params["_meta"] = meta
        result = self.result("tools/call", params)
        document = result["structuredContent"]
        # For clients that do not know documents the same is there as text, and not for codex, which does.
        assert [json.loads(one["text"]) for one in result["content"]] == ([] if self.is_codex else [document])
        assert result.get("isError", False) == (not document["ok"])
        # Never an error without a way on.
        assert document["ok"] or (document["code"].startswith("E_") and document["message"] and document["hint"])
        return document


@contextlib.contextmanager
def bridge(daemon: Daemon, *options: str, cwd: str | os.PathLike[str] | None = None) -> Iterator[Bridge]:
    """A bridge without a handshake; it must end by itself, with status 0, when its input does."""
    one = Bridge(daemon, *options, cwd=cwd)
    try:
        yield one
        if one.process.poll() is None and one.process.stdin is not None and not one.process.stdin.closed:
            assert one.close() == 0
    finally:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait(10)
        for stream in (one.process.stdin, one.process.stdout, one.process.stderr):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
