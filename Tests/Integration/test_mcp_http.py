"""`dome mcp --http`: both eras over HTTP, who may come in, and what no client should send."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import stat
import time
from collections.abc import Iterator
from typing import Any

import anyio
import httpx2
import pytest
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

from domekit.daemon import Daemon
from domekit.mcp import MODERN
from domekit.mcp_http import HTTPBridge, http_bridge

PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


@pytest.fixture(scope="module")
def bridge(shared_daemon: Daemon) -> Iterator[HTTPBridge]:
    with http_bridge(shared_daemon) as one:
        yield one


def call(name: str, number: Any = 1, meta: Any = None, **arguments: Any) -> dict[str, Any]:
    params: dict[str, Any] = {"name": name, "arguments": arguments}
    if meta is not None:
        params["_meta"] = meta
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}


def stateless(message: dict[str, Any], name: str | None = None) -> dict[str, str | None]:
    return {"mcp_protocol_version": "2026-07-28", "mcp_method": message["method"], "mcp_name": name}


@pytest.mark.parametrize(("mode", "version"), [("legacy", "2025-11-25"), ("auto", "2026-07-28")])
def test_the_official_client_over_http(bridge: HTTPBridge, mode: str, version: str) -> None:
    async def main() -> None:
        headers = {"Authorization": f"Bearer {bridge.token}"}
        with anyio.fail_after(60):
            async with httpx2.AsyncClient(headers=headers, timeout=30) as http:
                transport = streamable_http_client(bridge.url, http_client=http)
                async with Client(transport, mode=mode) as client:  # type: ignore[arg-type]
                    assert client.protocol_version == version
                    assert "shell_run" in [tool.name for tool in (await client.list_tools()).tools]
                    told: list[float] = []

                    async def progress(value: float, total: float | None, message: str | None) -> None:
                        told.append(value)

                    script = "echo PROGRESS:1; sleep 0.2; echo PROGRESS:2; echo out"
                    ran = await client.call_tool("shell_run", {"script": script}, progress_callback=progress)
                    assert ran.structured_content["stdout"].endswith("out\n")  # type: ignore[index]
                    assert told == [1, 2]
                    assert (await client.list_resources()).resources

    anyio.run(main)


def test_sessions_of_the_handshake_era(bridge: HTTPBridge) -> None:
    session = bridge.initialize()
    assert bridge.post(PING).status == 400
    assert bridge.post(PING, mcp_session_id="nonsense").status == 404
    assert bridge.post(PING, mcp_session_id=session).message == {"jsonrpc": "2.0", "id": 1, "result": {}}
    assert bridge.post(PING, mcp_session_id=session, mcp_protocol_version="2025-11-25").status == 200
    assert bridge.post(PING, mcp_session_id=session, mcp_protocol_version="1900-01-01").status == 400
    initialized = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    answer = bridge.post(initialized, mcp_session_id=session)
    assert (answer.status, answer.body) == (202, b"")
    assert bridge.send("GET", None, mcp_session_id=session).status == 405
    assert bridge.send("DELETE", None, mcp_session_id=session).status == 204
    assert bridge.post(PING, mcp_session_id=session).status == 404
    # A handshake that is refused begins none.
    refused = bridge.post({"jsonrpc": "2.0", "id": 1, "method": "initialize"})
    assert refused.message["error"]["code"] == -32602
    assert bridge.post(PING, mcp_session_id=refused.headers.get("mcp-session-id", "none")).status == 404


def test_a_stream_that_was_lost_is_resumed(bridge: HTTPBridge) -> None:
    session = bridge.initialize()
    script = "for i in 1 2 3 4; do echo PROGRESS:$i; sleep 0.1; done; echo end"
    body = json.dumps(call("shell_run", 5, {"progressToken": "p"}, script=script)).encode()
    with contextlib.closing(bridge.connection()) as connection:
        connection.request("POST", "/mcp", body, bridge.headers(mcp_session_id=session))
        reply = connection.getresponse()
        assert reply.getheader("content-type") == "text/event-stream"
        first = reply.readline()  # and the client is gone
        assert first.startswith(b"id: ")
    last = first.decode().split(": ")[1].strip()
    resumed = bridge.send("GET", None, mcp_session_id=session, last_event_id=last)
    assert resumed.status == 200
    told = [event["params"]["progress"] for _, event in resumed.events if event and "method" in event]
    assert told == [1, 2, 3, 4]
    assert resumed.message["id"] == 5 and resumed.message["result"]["structuredContent"]["stdout"].endswith("end\n")
    # Once more, from the middle: each event once.
    ids = [event for event, _ in resumed.events]
    again = bridge.send("GET", None, mcp_session_id=session, last_event_id=ids[2])
    assert [event for event, _ in again.events] == ids[3:]
    for wrong in ("x", "1-999", "99-1", "1--1", ""):
        assert bridge.send("GET", None, mcp_session_id=session, last_event_id=wrong).status == 400


def test_the_stateless_era_has_no_sessions_and_its_statuses(bridge: HTTPBridge) -> None:
    listed = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": MODERN}}
    answer = bridge.post(listed, **stateless(listed))
    assert answer.status == 200 and answer.message["result"]["resultType"] == "complete"
    assert "mcp-session-id" not in answer.headers
    run = call("shell_run", 2, MODERN, script="echo hi")
    assert bridge.post(run, **stateless(run, "shell_run")).message["result"]["structuredContent"]["stdout"] == "hi\n"
    assert bridge.post(run, **stateless(run, "=?base64?c2hlbGxfcnVu?=")).status == 200
    for headers in (
        stateless(run, "other"),
        stateless(run),
        stateless(run, "shell_run") | {"mcp_method": "tools/list"},
        stateless(run, "shell_run") | {"mcp_protocol_version": "2025-11-25"},
    ):
        refused = bridge.post(run, **headers)
        assert (refused.status, refused.message["error"]["code"]) == (400, -32020)
    nothing = {"jsonrpc": "2.0", "id": 3, "method": "ping", "params": {"_meta": MODERN}}
    assert bridge.post(nothing, **stateless(nothing)).status == 404
    bare = {"jsonrpc": "2.0", "id": 3, "method": "tools/list"}
    assert bridge.post(bare, **stateless(bare)).status == 400
    newer = listed | {"params": {"_meta": MODERN | {"io.modelcontextprotocol/protocolVersion": "2031-01-01"}}}
    refused = bridge.post(newer, **(stateless(newer) | {"mcp_protocol_version": "2031-01-01"}))
    assert (refused.status, refused.message["error"]["code"]) == (400, -32022)
    assert bridge.post([listed], **stateless(listed)).status == 400
    notification = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}
    assert bridge.post(notification, **stateless(notification)).status == 202
    for method in ("GET", "DELETE"):
        assert bridge.send(method, None, mcp_protocol_version="2026-07-28").status == 405


def test_a_stateless_call_ends_with_its_connection(bridge: HTTPBridge, shared_daemon: Daemon) -> None:
    run = call("shell_run", 1, MODERN | {"progressToken": 1}, script="echo PROGRESS:1; sleep 600")
    with contextlib.closing(bridge.connection()) as connection:
        connection.request("POST", "/mcp", json.dumps(run).encode(), bridge.headers(**stateless(run, "shell_run")))
        assert b"progress" in connection.getresponse().readline()
    job = json.loads(shared_daemon.dome("jobs", "-o", "json").stdout)[0]["job_id"]
    deadline = time.monotonic() + 30
    while json.loads(shared_daemon.dome("job", "show", job, "-o", "json").stdout)["state"] != "canceled":
        assert time.monotonic() < deadline


def test_who_may_come_in(bridge: HTTPBridge) -> None:
    assert stat.S_IMODE(bridge.token_file.stat().st_mode) == 0o600
    for token in (None, "", "Bearer", "Bearer x", f"Basic {bridge.token}", f"Bearer {bridge.token}x"):
        answer = bridge.post(PING, authorization=token)
        assert answer.status == 401 and answer.headers["www-authenticate"] == "Bearer"
    for origin in ("http://evil.example", "null", "http://127.0.0.1.evil.example", "file://", "http://localhost.evil"):
        assert bridge.post(PING, origin=origin).status == 403
    for origin in ("http://localhost", "http://127.0.0.1:9", "https://[::1]:1"):
        assert bridge.post(PING, origin=origin).status == 400  # it gets as far as the missing session
    for host in ("evil.example", "evil.example:80", "localhost.evil", "127.0.0.1:x", ""):
        assert bridge.post(PING, host=host).status == 403


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET /mcp HTTP/1.0\r\n\r\n", 505),
        (b"GET /mcp HTTP/2.0\r\n\r\n", 505),
        (b"GET  /mcp HTTP/1.1\r\n\r\n", 400),
        (b"GET /mcp HTTP/1.1\r\nhost localhost\r\n\r\n", 400),
        (b"GET /mcp HTTP/1.1\r\n : x\r\n\r\n", 400),
        (b"GET /mcp HTTP/1.1\r\na: x\x00y\r\n\r\n", 400),
        (b"GET /mcp HTTP/1.1\r\n\r\n", 403),
        (b"POST /mcp HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 411),
        (b"POST /mcp HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx", 400),
        (b"POST /mcp HTTP/1.1\r\ncontent-length: -1\r\n\r\n", 400),
        (b"POST /mcp HTTP/1.1\r\ncontent-length: +1\r\n\r\nx", 400),
        (b"POST /mcp HTTP/1.1\r\ncontent-length: 99999999999999999999\r\n\r\n", 400),
        (b"POST /mcp HTTP/1.1\r\ncontent-length: 99999999999\r\n\r\n", 413),
        (b"GET /mcp HTTP/1.1\r\n" + b"a: b\r\n" * 101 + b"\r\n", 431),
        (b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\n\r\n", 400),
        (b"x" * 40_000, 431),
        (b"\xff\xfe\r\n\r\n", 400),
    ],
)
def test_bad_requests_end_the_connection_and_nothing_else(bridge: HTTPBridge, sent: bytes, status: int) -> None:
    with socket.create_connection(("127.0.0.1", bridge.port), timeout=30) as client:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while data := client.recv(65536):
                answer += data
        assert answer.startswith(b"HTTP/1.1 %d " % status), answer
    assert bridge.post(PING).status == 400


def test_other_requests_are_refused_by_their_status(bridge: HTTPBridge) -> None:
    session = bridge.initialize()
    assert bridge.post(PING, mcp_session_id=session, content_type="text/plain").status == 415
    assert bridge.post(PING, mcp_session_id=session, accept="text/html").status == 406
    assert bridge.post(PING, mcp_session_id=session, accept="*/*").status == 200
    assert bridge.send("PUT", b"{}").status == 405
    assert bridge.send("POST", b"{}", path="/other").status == 404
    broken = bridge.send("POST", b"{", mcp_session_id=session)
    assert (broken.status, broken.message["error"]["code"]) == (400, -32700)
    batch = bridge.post([PING], mcp_session_id=session)
    assert (batch.status, batch.message["error"]["code"]) == (400, -32600)
    old = bridge.initialize("2025-03-26")
    assert bridge.post([PING, PING | {"id": 2}], mcp_session_id=old).message[0]["result"] == {}


def test_requests_of_one_connection_come_one_after_the_other(bridge: HTTPBridge) -> None:
    session = bridge.initialize()
    head = "".join(f"{name}: {value}\r\n" for name, value in bridge.headers(mcp_session_id=session).items())
    text = ""
    for number in (1, 2, 3):
        body = json.dumps(PING | {"id": number})
        text += f"POST /mcp HTTP/1.1\r\nhost: localhost\r\n{head}content-length: {len(body)}\r\n\r\n{body}"
    with socket.create_connection(("127.0.0.1", bridge.port), timeout=30) as client:
        client.sendall(text.encode())
        answer = b""
        while answer.count(b'"result"') < 3:
            answer += client.recv(65536)
    assert [answer.index(b'"id":%d' % number) for number in (1, 2, 3)] == sorted(
        answer.index(b'"id":%d' % number) for number in (1, 2, 3)
    )


def test_only_the_loopback_is_served(shared_daemon: Daemon) -> None:
    for address, named in [("0.0.0.0:0", "not loopback"), ("localhost:1", "not loopback"), ("7000", "HOST:PORT")]:
        refused = shared_daemon.dome("mcp", "--http", address)
        assert refused.returncode != 0 and named in refused.stderr


def test_who_shows_no_token_keeps_nobody_out_and_has_nothing_kept(bridge: HTTPBridge) -> None:
    with contextlib.ExitStack() as stack:
        strangers = [stack.enter_context(socket.create_connection(("127.0.0.1", bridge.port))) for _ in range(300)]
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if bridge.initialize():
                    break
            assert time.monotonic() < deadline, "strangers keep the client out"
            time.sleep(0.1)
        for stranger in strangers:
            stranger.settimeout(60)
            assert stranger.recv(1) == b""
    # A large body is not waited for.
    head = b"POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 30000000\r\n"
    with socket.create_connection(("127.0.0.1", bridge.port), timeout=60) as stranger:
        stranger.sendall(head + b"authorization: Bearer wrong\r\n\r\n")
        assert stranger.recv(12) == b"HTTP/1.1 401"
    with socket.create_connection(("127.0.0.1", bridge.port), timeout=60) as friend:
        friend.sendall(head + f"authorization: Bearer {bridge.token}\r\n\r\n".encode() + b" " * 100_000)
        friend.settimeout(0.5)
        with pytest.raises(TimeoutError):
            friend.recv(1)
