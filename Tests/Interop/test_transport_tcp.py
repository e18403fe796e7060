"""The transport on loopback TCP: only there, and only with the token."""

from __future__ import annotations

import subprocess
from pathlib import Path

import grpc
import pytest

from transport_echo import BIN_DIR, EchoServer, server_stream, unary


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_calls_on_tcp_need_the_token(host: str) -> None:
    server = EchoServer(tcp=f"{host}:0")
    channel = grpc.insecure_channel(f"{host}:{server.port}")
    try:
        good = [("authorization", f"Bearer {EchoServer.TOKEN}")]
        assert unary(channel, "Unary")(b"hello", timeout=10, metadata=good) == b"hello"
        stream = server_stream(channel, "ServerStream")(b"50000 100", timeout=30, metadata=good)
        assert sum(len(message) for message in stream) == 5_000_000
        bad = [
            None,
            [("authorization", EchoServer.TOKEN)],
            [("authorization", f"Bearer {EchoServer.TOKEN}x")],
            [("authorization", f"Bearer {EchoServer.TOKEN[:-1]}")],
            [("authorization", f"Bearer {EchoServer.TOKEN[:-1]}E")],
            [("authorization", f"Basic  {EchoServer.TOKEN}")],
            good + good,
        ]
        for metadata in bad:
            with pytest.raises(grpc.RpcError) as raised:
                unary(channel, "Unary")(b"hello", timeout=10, metadata=metadata)
            assert raised.value.code() == grpc.StatusCode.UNAUTHENTICATED, metadata
        # The Unix socket knows its callers by other means.
        assert unary(server.channel(), "Unary")(b"hello", timeout=30) == b"hello"
    finally:
        channel.close()
        assert server.close() == 0


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "localhost:0", "10.0.0.1:0", ":0", "127.0.0.1:99999"])
def test_any_other_address_is_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(AssertionError, match="TCP address"):
        _start_alone(tmp_path, address)


def test_a_token_that_others_may_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="chmod 600"):
        _start_alone(tmp_path, "127.0.0.1:0", mode=0o644)


def _start_alone(folder: Path, address: str, mode: int = 0o600) -> None:
    """Runs a server that must give up; raises with what it said."""
    folder.chmod(0o700)
    token = folder / "s.sock.token"
    token.write_text(EchoServer.TOKEN)
    token.chmod(mode)
    done = subprocess.run(
        [BIN_DIR / "transport-echo", folder / "s.sock", address], capture_output=True, text=True, timeout=10
    )
    assert done.returncode == 0, done.stdout
