"""The transport against peers that break the rules, frame by frame. Each test ends with a proper client being
served: whatever a connection does, it hurts nobody but itself."""

from __future__ import annotations

import random
import signal
import struct
import time
from collections.abc import Iterator

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
    PREFACE,
    PRIORITY,
    REFUSED_STREAM,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    Wire,
    block,
    frame,
    literal,
    message,
    request,
)
from transport_echo import EchoServer, unary

MIB = 1 << 20
OK, INTERNAL, RESOURCE_EXHAUSTED, UNIMPLEMENTED, DEADLINE_EXCEEDED = "0", "13", "8", "12", "4"


@pytest.fixture
def echo() -> Iterator[EchoServer]:
    server = EchoServer()
    witness = server.channel()
    assert unary(witness, "Unary")(b"before", timeout=10) == b"before"
    yield server
    # The same connection as before, and nothing left of the others.
    assert unary(witness, "Unary")(b"after", timeout=10) == b"after"
    server.wait_for(lambda stats: stats["connections"] == 2 and stats["calls"] == 1)
    assert server.close() == 0


@pytest.fixture
def wire(echo: EchoServer) -> Iterator[Wire]:
    with Wire(echo.socket) as wire:
        yield wire


def still_serves(wire: Wire, stream: int = 101) -> None:
    wire.open(stream, request(), message(b"still here"))
    fields, data = wire.response(stream)
    assert (fields["grpc-status"], data) == (OK, message(b"still here"))


# --- What is no gRPC request


@pytest.mark.parametrize("garbage", [b"GET / HTTP/1.1\r\n\r\n" + b"x" * 24, b"\x16\x03\x01" + b"\0" * 64, b"\0" * 24])
def test_garbage_for_a_preface_closes_the_connection(echo: EchoServer, garbage: bytes) -> None:
    with Wire(echo.socket, greet=False) as wire:
        wire.send_all(garbage)
        assert wire.is_closed()


def test_a_client_that_says_nothing_and_one_that_leaves_early(echo: EchoServer) -> None:
    for sent in (b"", PREFACE[:10], PREFACE, PREFACE + frame(SETTINGS)[:5]):
        with Wire(echo.socket, greet=False) as wire:
            wire.send(sent)


@pytest.mark.parametrize("method", [b"GET", b"PUT", b"post"])
def test_another_method_than_post_is_405(wire: Wire, method: bytes) -> None:
    wire.open(1, request(method=method))
    assert wire.response(1)[0][":status"] == "405"
    still_serves(wire)


@pytest.mark.parametrize(
    "content_type", [b"text/plain", b"application/json", b"application/grpc+json", b"application/grpc-web", b"", None]
)
def test_another_content_type_is_415(wire: Wire, content_type: bytes | None) -> None:
    wire.open(1, request(content_type=content_type), message(b""))
    assert wire.response(1)[0][":status"] == "415"
    still_serves(wire)


@pytest.mark.parametrize("content_type", [b"application/grpc+proto", b"application/grpc; charset=utf-8"])
def test_other_spellings_of_grpc_are_taken(wire: Wire, content_type: bytes) -> None:
    wire.open(1, request(content_type=content_type, te=None), message(b"x"))
    assert wire.response(1)[0]["grpc-status"] == OK


# --- Headers


@pytest.mark.parametrize("timeout", [b"1n", b"1000u", b"1m", b"0S", b"0M", b"0H", b"00000001m"])
def test_a_timeout_in_every_unit_ends_the_call(wire: Wire, timeout: bytes) -> None:
    wire.open(1, request("/dome.test.Echo/Hang", grpc_timeout=timeout), message(b""))
    assert wire.response(1)[0]["grpc-status"] == DEADLINE_EXCEEDED


@pytest.mark.parametrize("timeout", [b"99999999H", b"5M", b"60S", b"60000m", b"99999999u", b"99999999n"])
def test_a_long_timeout_in_every_unit_does_not(wire: Wire, timeout: bytes) -> None:
    wire.open(1, request(grpc_timeout=timeout), message(b""))
    assert wire.response(1)[0]["grpc-status"] == OK


@pytest.mark.parametrize("timeout", [b"", b"1", b"m", b"-1m", b"1.5S", b"1s", b"999999999m", b"1 m", b"1mm"])
def test_a_malformed_timeout_is_refused(wire: Wire, timeout: bytes) -> None:
    wire.open(1, request(grpc_timeout=timeout), message(b""))
    assert wire.response(1)[0]["grpc-status"] == INTERNAL
    still_serves(wire)


def test_a_message_encoding_is_refused_with_what_would_do(wire: Wire) -> None:
    wire.open(1, request(grpc_encoding=b"gzip"), message(b"x", flag=1))
    fields, _ = wire.response(1)
    assert fields["grpc-status"] == UNIMPLEMENTED
    assert fields["grpc-accept-encoding"] == "identity"
    wire.open(3, request(grpc_encoding=b"identity"), message(b"x"))
    assert wire.response(3)[0]["grpc-status"] == OK


def test_binary_metadata_in_every_spelling(wire: Wire) -> None:
    fields = request("/dome.test.Echo/Metadata")
    fields += [(b"k-bin", value) for value in (b"AAE", b"AAE=", b"AAE=,/w", b"AAE, /w==", b"", b"!!", b"A")]
    wire.open(1, fields, message(b""))
    headers = b""
    while not headers:
        got = wire.read()
        headers = got.payload if got.kind == HEADERS else b""
    decoded = [value for name, value in wire._decoder.decode(headers) if name == "k-bin"]
    assert decoded == ["AAE", "AAE", "AAE", "/w", "AAE", "/w", ""]


def test_too_many_headers_are_refused_and_the_connection_survives(wire: Wire) -> None:
    fields = request() + [(b"n%d" % index, b"v" * 100) for index in range(600)]
    data = block(fields)
    pieces = [data[i : i + 16_000] for i in range(0, len(data), 16_000)]
    wire.send(frame(HEADERS, END_STREAM, 1, pieces[0]))
    for piece in pieces[1:-1]:
        wire.send(frame(CONTINUATION, 0, 1, piece))
    wire.send(frame(CONTINUATION, END_HEADERS, 1, pieces[-1]))
    assert wire.response(1)[0]["grpc-status"] == RESOURCE_EXHAUSTED
    still_serves(wire)


def test_a_header_bomb_is_cut_off_as_it_decodes(echo: EchoServer, wire: Wire) -> None:
    before = echo.stats()["rss_kib"]
    # One 4000-byte field in the dynamic table, then a one-byte reference to it, 16,000 times: 64 MB decoded.
    data = block(request()) + literal(b"x", b"v" * 4000, index=True) + b"\xbe" * 12_000
    wire.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, data))
    assert wire.goaway() == ENHANCE_YOUR_CALM
    assert wire.is_closed()
    assert echo.stats()["rss_kib"] - before < 2048


def test_invalid_header_fields_end_the_stream_at_most(wire: Wire) -> None:
    stream = 1
    for bad in ([(b"Upper", b"x")], [(b"a", b"x\ny")], [(b":path", b"/2")], [(b"te", b"gzip")], [(b"connection", b"x")]):
        wire.open(stream, request() + bad, message(b""))
        fields, _ = wire.response(stream)
        assert "reset" in fields or fields["grpc-status"] == OK, bad
        stream += 2
    wire.open(stream, request(path=None), message(b""))
    assert "reset" in wire.response(stream)[0]
    still_serves(wire)


# --- Messages


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", INTERNAL),
        (b"\0\0\0", INTERNAL),
        (message(b"hello")[:-1], INTERNAL),
        (message(b"a") + message(b"b"), INTERNAL),
        (message(b"a") + b"\0", INTERNAL),
        (message(b"a", flag=1), INTERNAL),
        (message(b"a", flag=2), INTERNAL),
        (struct.pack(">BI", 0, 0xFFFFFFFF), RESOURCE_EXHAUSTED),
        (message(b""), OK),
    ],
)
def test_a_unary_request_is_exactly_one_message(wire: Wire, body: bytes, status: str) -> None:
    wire.open(1, request(), body)
    assert wire.response(1)[0]["grpc-status"] == status
    # The same in single bytes.
    wire.open(3, request(), b"", end=False)
    for byte in body:
        wire.send(frame(DATA, 0, 3, bytes([byte])))
    wire.send(frame(DATA, END_STREAM, 3))
    assert wire.response(3)[0]["grpc-status"] == status
    still_serves(wire)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", OK),
        (message(b"a") + message(b"b"), OK),
        (message(b"a") + message(b"hello")[:-1], INTERNAL),
        (message(b"a") + message(b"a", flag=1), INTERNAL),
        (message(b"a") + struct.pack(">BI", 0, 16 * MIB + 1), RESOURCE_EXHAUSTED),
    ],
)
def test_a_client_stream_is_whole_messages(wire: Wire, body: bytes, status: str) -> None:
    wire.open(1, request("/dome.test.Echo/ClientStream"), body)
    assert wire.response(1)[0]["grpc-status"] == status
    wire.open(3, request("/dome.test.Echo/ClientStream"), b"", end=False)
    for byte in body:
        wire.send_all(frame(DATA, 0, 3, bytes([byte])))
    wire.send_all(frame(DATA, END_STREAM, 3))
    assert wire.response(3)[0]["grpc-status"] == status
    still_serves(wire)


def test_a_message_too_long_is_refused_by_its_prefix(wire: Wire) -> None:
    wire.open(1, request(), struct.pack(">BI", 0, 16 * MIB + 1), end=False)
    assert wire.response(1)[0]["grpc-status"] == RESOURCE_EXHAUSTED
    reset = wire.read_until(RST_STREAM, 1)
    assert int.from_bytes(reset.payload, "big") == NO_ERROR


def test_padding_is_no_part_of_a_message(wire: Wire) -> None:
    wire.open(1, request(), b"", end=False)
    body = message(b"padded")
    wire.send(frame(DATA, PADDED, 1, b"\x05" + body[:4] + b"\0" * 5))
    wire.send(frame(DATA, PADDED | END_STREAM, 1, b"\xff" + body[4:] + b"\0" * 255))
    assert wire.response(1) == ({":status": "200", "content-type": "application/grpc", "grpc-status": OK}, body)


def test_request_trailers_are_taken(wire: Wire) -> None:
    wire.open(1, request(), message(b"x"), end=False)
    wire.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, block([(b"my-trailer", b"1")])))
    assert wire.response(1)[0]["grpc-status"] == OK


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
        while not (got := wire.read()).kind == PING:
            pass
        # 20 streams that would send 1 GB each, and hold 256 KiB each.
        stats = echo.stats()
        assert stats["calls"] == 21
        assert stats["rss_kib"] - before < 12 * 1024


def test_a_peer_that_never_reads_costs_little(echo: EchoServer) -> None:
    before = echo.stats()["rss_kib"]
    with Wire(echo.socket) as wire:
        wire.socket.setblocking(False)
        stream = 1
        data = b""
        sent = 0
        # Calls without end, whose answers nobody takes: sooner or later the server stops reading.
        for _ in range(200_000):
            if not data:
                data = frame(HEADERS, END_HEADERS, stream, block(request()))
                data += frame(DATA, END_STREAM, stream, message(b"x" * 1000))
                stream += 2
            try:
                count = wire.socket.send(data)
            except (BlockingIOError, BrokenPipeError):
                break
            data = data[count:]
            sent += 1
        assert sent < 200_000
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
        ("unknown", frame(77, 0, 0, b"hello")),
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
        data += frame(WINDOW_UPDATE, 0, stream, b"\0\0\0\0")
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
            wire.read_until(SETTINGS)
            wire.send(frame(SETTINGS, ACK))
            for stream in range(1, 23, 2):
                wire.open(stream, request("/dome.test.Echo/Hang"), message(b""))
            reset = wire.read_until(RST_STREAM)
            assert (reset.stream, int.from_bytes(reset.payload, "big")) == (21, REFUSED_STREAM)
            assert server.stats()["calls"] == 11
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
        server.stats()
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
    good = frame(HEADERS, END_HEADERS, 1, block(request("/dome.test.Echo/Bidi"))) + frame(DATA, 0, 1, message(b"x" * 50))
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
            # A call that crosses the warning is served.
            wire.open(3, request(), message(b"crossing"))
            ping = wire.read_until(PING)
            wire.send(frame(PING, ACK, 0, ping.payload))
            assert wire.response(3)[1] == message(b"crossing")
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
