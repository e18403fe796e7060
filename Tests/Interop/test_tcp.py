"""domed on loopback TCP: off unless asked for, and then only with the token."""

from __future__ import annotations

import os
import re
import socket
import subprocess

import grpc
import pytest

from domekit.daemon import Daemon, pb2, pb2_grpc


@pytest.fixture
def tcp_daemon(request):
    daemon = Daemon(arguments=["--tcp", "127.0.0.1:0", *getattr(request, "param", [])])
    try:
        yield daemon.start()
    finally:
        daemon.close()


def port_of(daemon: Daemon) -> int:
    assert daemon.jobs.stub.Health(pb2.HealthRequest(), timeout=30).status.ok
    match = re.search(r"tcp\.(?:listening|open_to_all) address=127\.0\.0\.1:0 port=(\d+)", daemon.log_path.read_text())
    assert match, daemon.log_tail()
    return int(match.group(1))


def health(port: int, **call):
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        return pb2_grpc.DomedServiceStub(channel).Health(pb2.HealthRequest(), timeout=10, **call)


def test_without_the_option_there_is_no_port(daemon):
    assert "tcp." not in daemon.log_path.read_text()


def test_the_token_of_the_state_folder_opens_the_port(tcp_daemon):
    port = port_of(tcp_daemon)
    token_file = tcp_daemon.state / "tcp-token"
    assert token_file.stat().st_mode & 0o777 == 0o600
    token = token_file.read_text().strip()
    assert health(port, metadata=[("authorization", f"Bearer {token}")]).status.ok
    for wrong in ([], [("authorization", "Bearer " + "0" * 64)], [("authorization", token)]):
        with pytest.raises(grpc.RpcError) as raised:
            health(port, metadata=wrong)
        assert raised.value.code() == grpc.StatusCode.UNAUTHENTICATED
        assert token not in raised.value.details()
    assert token not in tcp_daemon.log_path.read_text()


def test_the_unix_socket_needs_no_token(tcp_daemon):
    assert tcp_daemon.jobs.stub.Health(pb2.HealthRequest(), timeout=30).status.ok


@pytest.mark.parametrize("tcp_daemon", [["--tcp-no-auth"]], indirect=True)
def test_without_authentication_the_log_says_what_that_opens(tcp_daemon):
    port = port_of(tcp_daemon)
    assert health(port).status.ok
    assert "every local user" in tcp_daemon.log_path.read_text()


@pytest.mark.parametrize("address", ["0.0.0.0:50051", "localhost:1", "[::]:1", "192.168.0.1:1", "127.0.0.1", "x"])
def test_any_other_address_is_refused_by_name(address):
    daemon = Daemon(arguments=["--tcp", address])
    try:
        with pytest.raises(Exception, match=re.escape(address)):
            daemon.start().process.wait(10)
            raise AssertionError(daemon.log_tail())
        assert "loopback" in daemon.log_tail() or "HOST:PORT" in daemon.log_tail()
    finally:
        daemon.close()


def test_a_port_in_use_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        daemon = Daemon(arguments=["--tcp", f"127.0.0.1:{port}"])
        try:
            with pytest.raises(Exception, match=f"port {port} is in use"):
                daemon.start().process.wait(10)
                raise AssertionError(daemon.log_tail())
        finally:
            daemon.close()


def dome(daemon: Daemon, port: int, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`dome` over TCP."""
    return subprocess.run(
        [daemon.bin / "dome", *arguments],
        env=daemon.environment | {"DOMED_ENDPOINT": f"127.0.0.1:{port}"} | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_dome_sends_the_token_of_the_state_folder(tcp_daemon, tmp_path):
    port = port_of(tcp_daemon)
    listed = dome(tcp_daemon, port, "tools")
    assert listed.returncode == 0 and "shell.run" in listed.stdout, listed.stderr
    ran = dome(tcp_daemon, port, "run", "shell.run", "--", "echo", "over tcp")
    assert (ran.returncode, ran.stdout) == (0, "over tcp\n"), ran.stderr
    # Another state folder has no token; a file can be named.
    stranger = {"XDG_STATE_HOME": str(tmp_path)}
    refused = dome(tcp_daemon, port, "tools", **stranger)
    assert refused.returncode != 0 and "token" in refused.stderr
    named = dome(tcp_daemon, port, "tools", **stranger, DOMED_TOKEN_FILE=str(tcp_daemon.state / "tcp-token"))
    assert named.returncode == 0, named.stderr
    missing = dome(tcp_daemon, port, "tools", DOMED_TOKEN_FILE=str(tmp_path / "none"))
    assert missing.returncode != 0 and str(tmp_path / "none") in missing.stderr


LISTENER = """
import socket, sys
with socket.create_server(("127.0.0.1", 0)) as listener:
    print(listener.getsockname()[1], flush=True)
    listener.settimeout(20)
    connection, _ = listener.accept()
    connection.settimeout(2)
    try:
        print(len(connection.recv(4096)), flush=True)
    except TimeoutError:
        print(0, flush=True)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="another user's port needs root")
@pytest.mark.parametrize("user", [0, 54321])
def test_dome_sends_nothing_to_another_users_port(tcp_daemon, user):
    port_of(tcp_daemon)
    with subprocess.Popen(
        ["/usr/bin/setpriv", "--reuid", str(user), "--clear-groups", "/usr/bin/python3", "-c", LISTENER],
        stdout=subprocess.PIPE,
        text=True,
    ) as impostor:
        assert impostor.stdout is not None
        port = int(impostor.stdout.readline())
        answer = dome(tcp_daemon, port, "tools")
        heard = int(impostor.stdout.readline())
    assert answer.returncode != 0
    if user == 0:
        # Ours, as far as dome can know: the canary that shows what an impostor would hear.
        assert heard > 0
    else:
        assert heard == 0 and "another user listens" in answer.stderr
