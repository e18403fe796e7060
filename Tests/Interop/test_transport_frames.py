"""The transport against peers that break HTTP/2's rules, flood it, or never read. Whatever a connection does,
it hurts nobody but itself."""

from __future__ import annotations

import random
import signal
import struct
import time

import grpc
import pytest
from h2frames import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    ENHANCE_YOUR_CALM,
    GOAWAY,
    HEADERS,
    NO_ERROR,
    PADDED,
    PING,
    PRIORITY,
    REFUSED_STREAM,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    Wire,
    block,
    frame,
    message,
    request,
)
from transport_echo import EchoServer
from transport_fixtures import echo, still_serves, wire

__all__ = ["echo", "wire"]

OK = "0"


# --- Flow control


def test_a_tiny_window_is_honoured(echo: EchoServer) -> None:
    with Wire(echo.socket, settings=struct.pack(">HI", 4, 7)) as wire:
        wire.open(1, request(), message(b"x" * 100))
        received = b""
        while len(received) < 105:
            got = wire.read_until(DATA, 1)
            assert len(got.payload) <= 7
            received += got.payload
            wire.send(frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", len(got.payload) or 1)))
        assert received == message(b"x" * 100)
        assert wire.response(1)[0]["grpc-status"] == OK


def test_a_reader_without_a_window_costs_little(echo: EchoServer) -> None:
    before = echo.stats()["rss_kib"]
    with Wire(echo.socket, settings=struct.pack(">HI", 4, 0)) as wire:
        for stream in range(1, 41, 2):
            wire.open(stream, request("/dome.test.Echo/ServerStream"), message(b"1000000 1000"))
        wire.send(frame(PING, payload=b"12345678"))
        while wire.read().kind != PING:
            pass
        # 20 streams that would send 1 GB each, and hold 256 KiB each.
        stats = echo.stats()
        assert stats["calls"] == 21
        assert stats["rss_kib"] - before < 12 * 1024


def test_a_peer_that_never_reads_costs_little(echo: EchoServer) -> None:
    before = echo.stats()["rss_kib"]
    with Wire(echo.socket) as wire:
        wire.socket.settimeout(1)
        # Calls whose answers nobody takes: sooner or later the server stops reading.
        stream = 1
        with pytest.raises(TimeoutError):
            while stream < 400_000:
                data = b""
                for stream in range(stream, stream + 200, 2):
                    data += frame(HEADERS, END_HEADERS, stream, block(request()))
                    data += frame(DATA, END_STREAM, stream, message(b"x" * 1000))
                wire.send(data)
                stream += 2
        assert echo.stats()["rss_kib"] - before < 16 * 1024


# --- Floods


def flood(wire: Wire, data: bytes, rounds: int) -> int:
    """Sends `data` until the server has had enough; its GOAWAY's error code."""
    for _ in range(rounds):
        wire.send_all(data)
    return wire.goaway()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("ping", frame(PING, payload=b"12345678")),
        ("settings", frame(SETTINGS)),
        ("settings with content", frame(SETTINGS, payload=struct.pack(">HI", 4, 65_535) * 10)),
        ("priority", frame(PRIORITY, 0, 3, b"\0\0\0\0\1")),
        ("window update", frame(WINDOW_UPDATE, 0, 0, b"\0\0\0\1")),
    ],
)
def test_a_flood_of_control_frames_is_cut_off(wire: Wire, name: str, data: bytes) -> None:
    assert flood(wire, data * 1000, 40) == ENHANCE_YOUR_CALM


def test_rapid_reset_is_cut_off(wire: Wire) -> None:
    data = b""
    for stream in range(1, 6001, 2):
        data += frame(HEADERS, END_HEADERS, stream, block(request("/dome.test.Echo/Hang")))
        data += frame(RST_STREAM, 0, stream, struct.pack(">I", 8))
    assert flood(wire, data, 1) == ENHANCE_YOUR_CALM


def test_making_the_server_reset_is_cut_off(wire: Wire) -> None:
    data = b""
    for stream in range(1, 6001, 2):
        data += frame(HEADERS, END_HEADERS, stream, block(request("/dome.test.Echo/Hang")))
        data += frame(WINDOW_UPDATE, 0, stream, b"\x7f\xff\xff\xff")
    assert flood(wire, data, 1) == ENHANCE_YOUR_CALM


def test_cancelling_a_few_hundred_calls_is_no_flood(wire: Wire) -> None:
    for stream in range(1, 1001, 2):
        wire.open(stream, request("/dome.test.Echo/Hang"), message(b""))
        wire.send(frame(RST_STREAM, 0, stream, struct.pack(">I", 8)))
    still_serves(wire, 1001)


def test_empty_data_frames_are_cut_off(wire: Wire) -> None:
    wire.open(1, request("/dome.test.Echo/ClientStream"), b"", end=False)
    assert flood(wire, frame(DATA, 0, 1) * 1000, 1) == ENHANCE_YOUR_CALM


def test_padded_empty_data_frames_are_cut_off(wire: Wire) -> None:
    wire.open(1, request("/dome.test.Echo/ClientStream"), b"", end=False)
    assert flood(wire, frame(DATA, PADDED, 1, b"\x02\0\0") * 1000, 1) == ENHANCE_YOUR_CALM


def test_endless_continuation_is_cut_off(wire: Wire) -> None:
    wire.send(frame(HEADERS, 0, 1, block(request())))
    assert flood(wire, frame(CONTINUATION, 0, 1) * 100, 1) == ENHANCE_YOUR_CALM


def test_streams_beyond_the_limit_are_refused() -> None:
    server = EchoServer(streams=10)
    try:
        with Wire(server.socket) as wire:
            # Before the client has acknowledged the limit it cannot be blamed.
            for stream in range(1, 23, 2):
                wire.open(stream, request("/dome.test.Echo/Hang"), message(b""))
            reset = wire.read_until(RST_STREAM)
            assert (reset.stream, int.from_bytes(reset.payload, "big")) == (21, REFUSED_STREAM)
            assert server.stats()["calls"] == 11
            wire.send(frame(SETTINGS, ACK))
            wire.open(23, request("/dome.test.Echo/Hang"), message(b""))
            assert wire.goaway() != NO_ERROR
    finally:
        assert server.close() == 0


def test_connections_beyond_the_limit_are_refused() -> None:
    server = EchoServer(connections=3)
    try:
        wires = [Wire(server.socket) for _ in range(3)]
        for wire in wires:
            still_serves(wire)
        with Wire(server.socket, greet=False) as wire:
            assert wire.is_closed()
        wires.pop().socket.close()
        # There is room again, once the server has seen that one go.
        while True:
            try:
                assert server.stats()["connections"] == 3
                break
            except grpc.RpcError:
                pass
        for wire in wires:
            still_serves(wire, 201)
            wire.socket.close()
    finally:
        assert server.close() == 0


# --- Frames out of place


@pytest.mark.parametrize(
    "data",
    [
        frame(DATA, 0, 0, b"x"),
        frame(DATA, 0, 99, b"x"),
        frame(HEADERS, END_HEADERS, 0, block(request())),
        frame(HEADERS, END_HEADERS, 2, block(request())),
        frame(HEADERS, END_HEADERS, 1, b"\xff\xff\xff\xff\xff\xff"),
        frame(CONTINUATION, END_HEADERS, 1),
        frame(HEADERS, 0, 1, block(request())) + frame(PING, payload=b"12345678"),
        frame(PING, payload=b"short"),
        frame(PING, 0, 1, b"12345678"),
        frame(SETTINGS, payload=b"12345"),
        frame(SETTINGS, ACK, 0, b"123456"),
        frame(SETTINGS, payload=struct.pack(">HI", 4, 0xFFFFFFFF)),
        frame(WINDOW_UPDATE, 0, 0, b"\0\0\0\0"),
        frame(WINDOW_UPDATE, 0, 0, b"\x7f\xff\xff\xff"),
        frame(5, END_HEADERS, 1, b"\0\0\0\2"),
        frame(DATA, 0, 1, b"x" * 70_000),
        struct.pack(">I", 0xFFFFFF)[1:] + b"\0\0\0\0\0\1",
    ],
    ids=lambda data: data[:12].hex(),
)
def test_a_broken_connection_is_told_and_closed(wire: Wire, data: bytes) -> None:
    wire.send_all(data)
    assert wire.goaway() != NO_ERROR
    assert wire.is_closed()


def test_noise_after_the_preface_hurts_nobody(echo: EchoServer) -> None:
    generator = random.Random(42)
    good = frame(HEADERS, END_HEADERS, 1, block(request("/dome.test.Echo/Bidi")))
    good += frame(DATA, 0, 1, message(b"x" * 50))
    for _ in range(300):
        data = bytearray(good * 2)
        for _ in range(generator.randrange(1, 8)):
            data[generator.randrange(len(data))] = generator.randrange(256)
        with Wire(echo.socket) as wire:
            wire.send_all(bytes(data))


# --- Drain


def test_a_drain_warns_first_and_then_names_the_last_stream() -> None:
    server = EchoServer()
    try:
        with Wire(server.socket) as wire:
            wire.open(1, request("/dome.test.Echo/Bidi"), message(b"one"), end=False)
            wire.read_until(DATA, 1)
            server.process.send_signal(signal.SIGTERM)
            first = wire.read_until(GOAWAY)
            assert struct.unpack(">II", first.payload[:8]) == (0x7FFFFFFF, NO_ERROR)
            # The ping follows the warning: its answer tells that the client has seen that.
            ping = wire.read_until(PING)
            # A call that crosses the warning is served.
            wire.open(3, request(), message(b"crossing"))
            assert wire.response(3)[1] == message(b"crossing")
            wire.send(frame(PING, ACK, 0, ping.payload))
            final = wire.read_until(GOAWAY)
            assert struct.unpack(">II", final.payload[:8]) == (3, NO_ERROR)
            wire.send(frame(DATA, END_STREAM, 1, message(b"two")))
            fields, data = wire.response(1)
            assert (fields["grpc-status"], data) == (OK, message(b"two"))
            assert wire.is_closed()
        assert server.process.wait(10) == 0
    finally:
        server.close()


def test_a_client_that_ignores_the_drain_is_closed_at_its_deadline() -> None:
    server = EchoServer()
    try:
        with Wire(server.socket) as wire:
            wire.open(1, request("/dome.test.Echo/Hang"), message(b""))
            wire.send(frame(PING, payload=b"12345678"))
            wire.read_until(SETTINGS)
            started = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(20) == 0
            assert time.monotonic() - started < 10
    finally:
        server.close()
