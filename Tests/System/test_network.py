"""The three networks of a job, from manifest and policy to what its programs reach: none, loopback, full."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from domekit.daemon import Daemon
from domekit.tools import write_script_tool

pytestmark = pytest.mark.both_users

# Tries everything and prints one line of JSON: what came of each, an errno's name for what failed.
SCRIPT = """
import errno, json, socket, sys, time
seen = {}
def attempt(name, action):
    began = time.monotonic()
    try:
        seen[name] = action() or "ok"
    except OSError as error:
        seen[name] = errno.errorcode.get(error.errno, type(error).__name__)
    seen[name + " seconds"] = time.monotonic() - began
def talk(family, host):
    server = socket.socket(family); server.bind((host, 0)); server.listen()
    client = socket.socket(family); client.settimeout(5); client.connect(server.getsockname())
    peer, _ = server.accept(); client.sendall(b"over " + host.encode())
    return peer.recv(99).decode()
def connect(family, address, kind=socket.SOCK_STREAM):
    client = socket.socket(family, kind); client.settimeout(5); client.connect(address)
    if kind == socket.SOCK_DGRAM: client.send(b"x")
attempt("talk 4", lambda: talk(socket.AF_INET, "127.0.0.1"))
attempt("talk 6", lambda: talk(socket.AF_INET6, "::1"))
attempt("host 4", lambda: connect(socket.AF_INET, ("127.0.0.1", PORT4)))
attempt("host 6", lambda: connect(socket.AF_INET6, ("::1", PORT6)))
attempt("abstract", lambda: connect(socket.AF_UNIX, "\\x00ABSTRACT"))
attempt("outside", lambda: connect(socket.AF_INET, ("192.0.2.1", 80)))
attempt("outside datagram", lambda: connect(socket.AF_INET, ("192.0.2.1", 53), socket.SOCK_DGRAM))
attempt("name", lambda: socket.getaddrinfo("example.com", 80) and None)
print(json.dumps(seen))
"""


@pytest.fixture
def host() -> Iterator[dict[str, socket.socket]]:
    """What the host listens on: IPv4, IPv6 and an abstract Unix socket."""
    with ExitStack() as stack:
        listeners = {}
        for name, family, address in (
            ("4", socket.AF_INET, ("127.0.0.1", 0)),
            ("6", socket.AF_INET6, ("::1", 0)),
            ("abstract", socket.AF_UNIX, ""),
        ):
            listeners[name] = stack.enter_context(socket.socket(family))
            listeners[name].bind(address)  # an empty name: the kernel chooses an abstract one
            listeners[name].listen()
        yield listeners


def was_reached(listener: socket.socket) -> bool:
    listener.setblocking(False)
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def tool(daemon: Daemon, host: dict[str, socket.socket], permissions: list[str]) -> str:
    """A tool that runs the script; its id."""
    script = SCRIPT.replace("PORT4", str(host["4"].getsockname()[1])).replace("PORT6", str(host["6"].getsockname()[1]))
    script = script.replace("ABSTRACT", host["abstract"].getsockname()[1:].decode())
    tool_id = "test." + "-".join(name.replace(".", "-") for name in permissions)
    argv = ["/usr/bin/python3", "-c", script]
    write_script_tool(daemon, tool_id, "", permissions=permissions, entrypoint={"argv": argv})
    return tool_id


def outcome(daemon: Daemon, tool_id: str) -> tuple[dict[str, Any], set[str]]:
    """What the script saw, and the layers of its job."""
    events = daemon.jobs.run(tool_id)
    lines = [one.line for one in events if one.line]
    assert len(lines) == 1, lines
    status = daemon.jobs.status(events[0].raw.job_id)
    return json.loads(lines[0]), set(json.loads(status.enforcement_json)["layers"])


def assert_nothing_outside(seen: dict[str, Any], host: dict[str, socket.socket]) -> None:
    assert seen["outside"] == seen["outside datagram"] == "ENETUNREACH"
    assert seen["abstract"] in ("ECONNREFUSED", "EPERM")
    assert seen["name"] == "gaierror" and seen["name seconds"] < 4, "a name is refused at once"
    assert not any(was_reached(listener) for listener in host.values())


def test_without_a_network_nothing_is_reached(daemon: Daemon, host: Any) -> None:
    seen, layers = outcome(daemon, tool(daemon, host, ["process"]))
    assert "network_namespace" in layers
    assert seen["talk 4"] == seen["host 4"] == "ENETUNREACH"
    assert seen["talk 6"] == "EADDRNOTAVAIL" and seen["host 6"] == "EADDRNOTAVAIL"
    assert_nothing_outside(seen, host)


def test_over_loopback_a_job_talks_to_itself_alone(daemon: Daemon, host: Any) -> None:
    seen, layers = outcome(daemon, tool(daemon, host, ["process", "net.loopback"]))
    assert "network_namespace" in layers
    assert seen["talk 4"] == "over 127.0.0.1" and seen["talk 6"] == "over ::1"
    assert seen["host 4"] == seen["host 6"] == "ECONNREFUSED"
    assert_nothing_outside(seen, host)


def test_two_jobs_with_loopback_do_not_meet(daemon: Daemon) -> None:
    serve = "import socket; s = socket.create_server(('127.0.0.1', 4711)); print('up', flush=True); s.accept()"
    call = "import socket; print(socket.socket().connect_ex(('127.0.0.1', 4711)))"
    for name, script in (("test.serve", serve), ("test.call", call)):
        argv = ["/usr/bin/python3", "-c", script]
        write_script_tool(daemon, name, "", permissions=["process", "net.loopback"], entrypoint={"argv": argv})
    server = daemon.jobs.start("test.serve")
    following = daemon.jobs.follow(server)
    assert any(one.line == b"up" for one in following)
    refused = [one.line for one in daemon.jobs.run("test.call") if one.line]
    assert refused == [b"111"]
    daemon.jobs.cancel(server)


def test_the_full_network_is_the_hosts_and_says_so(daemon: Daemon, host: Any) -> None:
    tool_id = tool(daemon, host, ["process", "net.full"])
    denied = daemon.jobs.submit(tool_id)
    assert not denied.status.ok and "net.full" in denied.status.message
    daemon.write_policy({"version": 1, "tools": {tool_id: {"allow": ["net.full"]}}})
    seen, layers = outcome(daemon, tool_id)
    assert "network_namespace" not in layers, "what is not enforced is not claimed"
    assert seen["host 4"] == seen["host 6"] == "ok" and seen["talk 4"] == "over 127.0.0.1"
    assert was_reached(host["4"]) and was_reached(host["6"])
    # No Unix sockets without permission of their own: the host's abstract ones are in this network too.
    assert seen["abstract"] == "EPERM" and not was_reached(host["abstract"])
    show = daemon.dome("tool", "show", tool_id).stdout
    assert "127.0.0.1" in show and "loopback" in show
