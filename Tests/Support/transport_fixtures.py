"""Fixtures of the transport's interop tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from h2frames import Wire, message, request

from transport_echo import EchoServer, unary


@pytest.fixture
def echo() -> Iterator[EchoServer]:
    """A server, with a witness that nothing done to it by others hurts a proper client."""
    server = EchoServer()
    witness = server.channel()
    assert unary(witness, "Unary")(b"before", timeout=30) == b"before"
    yield server
    # The same connection as before, and nothing left of the others.
    assert unary(witness, "Unary")(b"after", timeout=30) == b"after"
    server.wait_for(lambda stats: stats["connections"] == 2 and stats["calls"] == 1)
    assert server.close() == 0


@pytest.fixture
def wire(echo: EchoServer) -> Iterator[Wire]:
    """A raw connection to it."""
    with Wire(echo.socket) as wire:
        yield wire


def still_serves(wire: Wire, stream: int = 101) -> None:
    """Makes a proper call on a raw connection."""
    wire.open(stream, request(), message(b"still here"))
    fields, data = wire.response(stream)
    assert (fields["grpc-status"], data) == ("0", message(b"still here"))
