"""domed on loopback TCP: off unless asked for, and then only with the token."""

from __future__ import annotations

import re
import socket

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
    assert daemon.jobs.stub.Health(pb2.HealthRequest(), timeout=10).status.ok
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
    assert tcp_daemon.jobs.stub.Health(pb2.HealthRequest(), timeout=10).status.ok


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
