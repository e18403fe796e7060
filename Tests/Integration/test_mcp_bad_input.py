"""`dome mcp` and what no client should send: always a proper error, never a hang, never a stray byte."""

from __future__ import annotations

import fcntl
import json
import os
import select
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from domekit.daemon import Daemon
from domekit.mcp import MODERN, Bridge, bridge


@pytest.fixture
def daemon(shared_daemon: Daemon) -> Daemon:
    """One for all tests here: they leave it as it was."""
    return shared_daemon


def error(response: Any) -> tuple[Any, int]:
    assert response["jsonrpc"] == "2.0" and response["error"]["message"], response
    return response["id"], response["error"]["code"]


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"nonsense", (None, -32700)),
        (b"{", (None, -32700)),
        (b'{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', (None, -32700)),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping"} trailing', (None, -32700)),
        (b"\xff\xfe", (None, -32700)),
        (b"\x00", (None, -32700)),
        (b"[" * 100_000, (None, -32700)),
        (b"null", (None, -32600)),
        (b"3", (None, -32600)),
        (b'"text"', (None, -32600)),
        (b"{}", (None, -32600)),
        (b'{"id":5,"method":"ping"}', (5, -32600)),
        (b'{"jsonrpc":"1.0","id":5,"method":"ping"}', (5, -32600)),
        (b'{"jsonrpc":"2.0","id":5}', (5, -32600)),
        (b'{"jsonrpc":"2.0","id":5,"method":7}', (5, -32600)),
        (b'{"jsonrpc":"2.0","id":5,"method":"ping","params":[1]}', (5, -32602)),
        (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', (None, -32600)),
        (b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', (None, -32600)),
        (b'{"jsonrpc":"2.0","id":1e400,"method":"ping"}', (None, -32700)),
        (b'{"jsonrpc":"2.0","id":9223372036854775808,"method":"ping"}', (None, -32600)),
        (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', (None, -32600)),
        (b'{"jsonrpc":"2.0","id":[1],"method":"ping"}', (None, -32600)),
        (b'{"jsonrpc":"2.0","id":{},"method":"ping"}', (None, -32600)),
        (b'{"jsonrpc":"2.0","id":"a","method":"no/such"}', ("a", -32601)),
        (b'{"jsonrpc":"2.0","id":"a","method":""}', ("a", -32601)),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}', (1, -32600)),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"shell_run"}}', (1, -32600)),
        (b'{"jsonrpc":"2.0","id":1,"method":"initialize"}', (1, -32602)),
        (b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":3}}', (1, -32602)),
        (b'{"jsonrpc":"2.0","id":1,"method":"server/discover"}', (1, -32602)),
        (b"[]", (None, -32600)),
        (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', (None, -32600)),
    ],
)
def test_each_bad_message_is_answered_by_its_error(daemon: Daemon, sent: bytes, answer: tuple[Any, int]) -> None:
    with bridge(daemon) as one:
        one.write(sent + b"\n")
        assert error(one.receive()) == answer
        # And it goes on as if nothing had been.
        assert one.result("ping") == {}


def test_messages_that_want_no_answer_get_none(daemon: Daemon) -> None:
    silent: list[Any] = [
        {"jsonrpc": "2.0", "method": "no/such"},
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 99}},
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": [1]},
        {"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "shell_run"}},
        {"jsonrpc": "2.0", "id": 4, "result": {}},
        {"jsonrpc": "2.0", "id": 4, "error": {"code": 1, "message": ""}},
    ]
    with bridge(daemon) as one:
        for message in silent:
            one.send(message)
        one.write(b"\n  \r\n\n")
        one.write(b'{"jsonrpc":"2.0","id":"last","method":"ping"}\r\n')
        assert one.receive() == {"jsonrpc": "2.0", "id": "last", "result": {}}
        assert one.notifications == []


@pytest.mark.parametrize("id_", [0, -1, 2**63 - 1, -(2**63), "", "x" * 10_000, "ä\u0000\n\"\\", "1"])
def test_an_id_comes_back_as_it_was(daemon: Daemon, id_: Any) -> None:
    with bridge(daemon) as one:
        one.send({"jsonrpc": "2.0", "id": id_, "method": "ping"})
        answer = one.receive()
        assert answer["id"] == id_ and type(answer["id"]) is type(id_)


def test_batches_where_the_version_has_them(daemon: Daemon) -> None:
    ping = {"jsonrpc": "2.0", "id": "p", "method": "ping"}
    with bridge(daemon) as one:
        one.initialize("2025-03-26")
        one.send([ping, {"jsonrpc": "2.0", "method": "no/such"}, {"jsonrpc": "2.0", "id": 2, "method": "no"}, 5])
        answers = one.receive()
        assert sorted(str(answer["id"]) for answer in answers) == ["2", "None", "p"]
        one.send([{"jsonrpc": "2.0", "method": "notifications/initialized"}])
        one.send([{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-03-26"}}])
        assert error(one.receive()[0]) == (1, -32600)
        one.send([])
        assert error(one.receive()) == (None, -32600)
    with bridge(daemon) as one:
        one.initialize("2025-06-18")
        one.send([ping])
        assert error(one.receive()) == (None, -32600)


@pytest.mark.parametrize(
    ("tool", "arguments", "named"),
    [
        ("dome_run", {}, "tool_id"),
        ("dome_run", {"tool_id": 3}, "tool_id"),
        ("dome_run", {"tool_id": "shell.run", "tsak": {}}, "tsak"),
        ("dome_run", {"tool_id": "shell.run", "task": [1]}, "task"),
        ("dome_run", {"tool_id": "shell.run", "task": "{"}, "task"),
        ("dome_run", {"tool_id": "shell.run", "task": {"script": "true"}, "wait_s": "long"}, "wait_s"),
        ("dome_run", {"tool_id": "shell.run", "task": {"script": "true"}, "wait_s": -1}, "wait_s"),
        ("dome_run", {"tool_id": "shell.run", "task": {"script": "true"}, "grants": [1]}, "grants"),
        ("dome_run", {"tool_id": "shell.run", "task": {"script": "true"}, "grants": ["all"]}, "all"),
        ("dome_run", {"tool_id": "shell.run", "task": {"script": "true"}, "max_bytes": 1e300}, "max_bytes"),
        ("shell_run", {"argv": "ls"}, "/argv"),
        ("shell_run", {}, "argv"),
        ("dome_follow", {"job_id": "../../etc"}, "job_id"),
        ("dome_follow", {"job_id": "job-00000000000000000000000000"}, "job not found"),
        ("dome_follow", {"job_id": "job-00000000000000000000000000", "since_seq": -1}, "since_seq"),
        ("dome_cancel", {"job_id": "job-00000000000000000000000000"}, "job not found"),
        ("dome_read_artifact", {"job_id": "job-00000000000000000000000000", "name": "x"}, "job not found"),
        ("dome_describe_tool", {"tool_id": "x" * 100_000}, "tool not found"),
        ("dome_search_tools", {"query": {"a": 1}}, "query"),
        ("dome_search_tools", {"limit": 0}, "limit"),
    ],
)
def test_bad_arguments_are_named_with_a_way_on(
    daemon: Daemon, tool: str, arguments: dict[str, Any], named: str
) -> None:
    with bridge(daemon) as one:
        one.initialize()
        jobs = one.call("dome_job_status", limit=50)["jobs"]
        answer = one.call(tool, **arguments)
        assert not answer["ok"] and named in answer["message"].replace("job id", "job_id"), answer
        # Nothing ran.
        assert one.call("dome_job_status", limit=50)["jobs"] == jobs


@pytest.mark.parametrize(
    "params",
    [{}, {"name": 3}, {"name": "nope"}, {"name": "x", "arguments": [1]}, {"name": "shell_run", "arguments": "{}"}],
)
def test_a_call_of_nothing_is_a_protocol_error(daemon: Daemon, params: dict[str, Any]) -> None:
    with bridge(daemon) as one:
        one.initialize()
        assert one.request("tools/call", params)["error"]["code"] == -32602
        assert one.request("tools/list", cursor="x")["error"]["code"] == -32602


def test_the_same_id_twice_is_refused_while_the_first_runs(daemon: Daemon) -> None:
    with bridge(daemon) as one:
        one.initialize()
        call = {"name": "shell_run", "arguments": {"script": "echo PROGRESS:1; sleep 600"}}
        call["_meta"] = {"progressToken": 1}
        one.send({"jsonrpc": "2.0", "id": 1000, "method": "tools/call", "params": call})
        assert json.loads(one.line())["method"] == "notifications/progress"
        one.send({"jsonrpc": "2.0", "id": 1000, "method": "ping"})
        assert error(one.receive()) == (1000, -32600)
        one.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1000}})


def test_giant_messages_are_refused_and_large_ones_are_not(daemon: Daemon) -> None:
    with bridge(daemon) as one:
        one.initialize()
        large = "x" * 200_000
        answer = one.call("shell_run", script="wc -c", stdin=large)
        assert answer["stdout"].strip() == "200000"
        one.write(b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"' + b"y" * (33 << 20) + b'"}}\n')
        assert error(one.receive()) == (None, -32600)
        answer = one.call("shell_run", script="true", stdin="z" * (9 << 20))
        assert answer["ok"]
        assert one.result("ping") == {}


@pytest.mark.parametrize("cut", [1, 20, 52, 53])
def test_the_input_may_end_anywhere(daemon: Daemon, cut: int) -> None:
    message = b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{}}\n'
    again = message.replace(b'"id":1', b'"id":2')
    ended = subprocess.run(
        daemon.command("mcp"), env=daemon.environment, input=message + again[:cut], capture_output=True, timeout=60
    )
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert lines[0] == {"jsonrpc": "2.0", "id": 1, "result": {}}
    assert len(lines) == 2
    assert lines[1]["error"]["code"] == -32700 if cut < 50 else lines[1]["id"] == 2
    assert ended.returncode == 0


def test_what_is_under_way_at_the_inputs_end_is_answered(daemon: Daemon) -> None:
    messages = [
        {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "dome_run", "_meta": MODERN,
         "arguments": {"tool_id": "shell.run", "task": {"script": "echo done"}}}},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "dome_run", "_meta": MODERN,
         "arguments": {"tool_id": "shell.run", "task": {"script": "sleep 600"}}}},
    ]  # fmt: skip
    text = "".join(json.dumps(message) + "\n" for message in messages)
    ended = subprocess.run(
        daemon.command("mcp"), env=daemon.environment, input=text.encode(), capture_output=True, timeout=60
    )
    lines = map(json.loads, ended.stdout.splitlines())
    answers = {answer["id"]: answer["result"]["structuredContent"] for answer in lines}
    assert answers[1]["stdout"] == "done\n"
    # The job lives on without the one who started it.
    assert answers[2]["state"] == "running" and "dome_follow" in answers[2]["hint"]
    assert daemon.dome("cancel", answers[2]["job_id"]).returncode == 0


def test_a_client_that_does_not_read_stops_nothing_but_itself(daemon: Daemon) -> None:
    one = Bridge(daemon)
    try:
        one.initialize()
        assert one.process.stdin is not None and one.process.stdout is not None
        os.set_blocking(one.process.stdin.fileno(), False)
        ask = b"".join(b'{"jsonrpc":"2.0","id":%d,"method":"tools/list"}\n' % n for n in range(1000, 1200))
        sent, written = 0, 0
        # Until it takes no more: it does not pile up answers without end.
        while sent < 200:
            try:
                written += os.write(one.process.stdin.fileno(), ask[written:] or ask)
            except BlockingIOError:
                break
            if written >= len(ask):
                written, sent = 0, sent + 1
        resident = int(open(f"/proc/{one.process.pid}/statm").read().split()[1]) * 4096
        assert resident < 120 << 20
        assert one.process.poll() is None
        one.process.stdout.close()
        assert one.process.wait(30) == 0
    finally:
        one.process.kill()
        one.process.wait(10)


@pytest.mark.parametrize("kind", ["file", "null", "socket", "blocking"])
def test_any_kind_of_standard_streams_will_do(daemon: Daemon, kind: str, tmp_path: Any) -> None:
    message = b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n'
    list_tools = json.dumps({"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {"_meta": MODERN}}).encode()
    if kind == "null":
        ended = subprocess.run(
            daemon.command("mcp"), env=daemon.environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=30
        )
        assert (ended.returncode, ended.stdout) == (0, b"")
    elif kind == "file":
        (tmp_path / "in").write_bytes(message + list_tools)
        with (tmp_path / "in").open("rb") as source, (tmp_path / "out").open("wb") as target:
            subprocess.run(
                daemon.command("mcp"), env=daemon.environment, stdin=source, stdout=target, timeout=30, check=True
            )
        assert [json.loads(line)["id"] for line in (tmp_path / "out").read_bytes().splitlines()] == [1, 2]
    elif kind == "socket":
        import socket

        ours, theirs = socket.socketpair()
        with subprocess.Popen(daemon.command("mcp"), env=daemon.environment, stdin=theirs, stdout=theirs) as process:
            theirs.close()
            ours.sendall(message + list_tools + b"\n")
            lines = ours.makefile("rb")
            assert [json.loads(lines.readline())["id"] for _ in range(2)] == [1, 2]
            ours.shutdown(socket.SHUT_WR)
            assert lines.readline() == b"" and process.wait(30) == 0
    else:
        with bridge(daemon) as one:
            one.write(message)
            assert one.receive()["id"] == 1
            # Descriptors are the client's: their modes are as they were.
            assert one.process.stdin is not None
            assert not fcntl.fcntl(one.process.stdin, fcntl.F_GETFL) & os.O_NONBLOCK


def test_settings_that_are_wrong_are_told_and_do_not_stop_it(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon().start()
    path = daemon.config_home / "dome" / "mcp.json"
    path.parent.mkdir(exist_ok=True)
    for text, named in [("{", "JSON"), ('{"tolls": []}', "tolls"), ('{"output_bytes": 1}', "output_bytes")]:
        path.write_text(text)
        with bridge(daemon) as one:
            one.initialize()
            assert one.call("shell_run", script="echo on")["stdout"] == "on\n"
            assert one.process.stderr is not None
            # Other things may be told before it, on a machine where the daemon takes its time.
            told = ""
            while named not in told:
                assert select.select([one.process.stderr], [], [], 60)[0], told
                told += os.read(one.process.stderr.fileno(), 65536).decode()
