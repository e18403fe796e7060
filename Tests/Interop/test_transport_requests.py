"""The transport against requests that break gRPC's rules, frame by frame."""

from __future__ import annotations

import struct

import pytest
from h2frames import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    ENHANCE_YOUR_CALM,
    HEADERS,
    NO_ERROR,
    PADDED,
    PREFACE,
    RST_STREAM,
    SETTINGS,
    Wire,
    block,
    frame,
    literal,
    message,
    request,
)
from transport_echo import EchoServer
from transport_fixtures import echo, still_serves, wire

__all__ = ["echo", "wire"]

MIB = 1 << 20
OK, INTERNAL, RESOURCE_EXHAUSTED, UNIMPLEMENTED, DEADLINE_EXCEEDED = "0", "13", "8", "12", "4"


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
    headers = wire.fields(wire.read_until(HEADERS, 1))
    decoded = [value for name, value in headers if name == "k-bin"]
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
    for bad in ((b"Upper", b"x"), (b"a", b"x\ny"), (b":path", b"/2"), (b"te", b"gzip"), (b"connection", b"x")):
        wire.open(stream, [*request(), bad], message(b""))
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
