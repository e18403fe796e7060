"""The transport against the official Python client: it must not be able to tell the difference."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import grpc
import pytest

from transport_echo import EchoServer, server_stream, unary

MIB = 1 << 20


@pytest.fixture
def echo() -> Iterator[EchoServer]:
    server = EchoServer()
    yield server
    assert server.close() == 0


@pytest.fixture
def channel(echo: EchoServer) -> grpc.Channel:
    return echo.channel()


def status_of(call: object, *arguments: object, **named: object) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as raised:
        call(*arguments, timeout=20, **named)
    return raised.value.code(), raised.value.details()


@pytest.mark.parametrize("size", [0, 1, 5, 16_379, 16_384, MIB, 16 * MIB])
def test_a_unary_echo_of_any_size(channel: grpc.Channel, size: int) -> None:
    message = os.urandom(size)
    assert unary(channel, "Unary")(message, timeout=60) == message


def test_one_byte_too_much_is_refused_and_the_connection_survives(echo: EchoServer, channel: grpc.Channel) -> None:
    code, details = status_of(unary(channel, "Unary"), b"x" * (16 * MIB + 1))
    assert code == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert str(16 * MIB + 1) in details
    assert unary(channel, "Unary")(b"still here", timeout=30) == b"still here"
    assert echo.stats()["connections"] == 2  # this channel and that of stats()


def test_the_four_kinds_of_call(channel: grpc.Channel) -> None:
    stream = server_stream(channel, "ServerStream")(b"10000 100", timeout=60)
    assert [len(message) for message in stream] == [100] * 10_000
    messages = [b"m" * size for size in range(300)]
    client_stream = channel.stream_unary("/dome.test.Echo/ClientStream")
    assert client_stream(iter(messages), timeout=60) == b"300 44850"
    bidi = channel.stream_stream("/dome.test.Echo/Bidi")
    assert list(bidi(iter(messages), timeout=60)) == messages
    assert list(bidi(iter([]), timeout=60)) == []


def test_a_bidirectional_call_takes_turns(channel: grpc.Channel) -> None:
    received = threading.Semaphore(0)

    def questions() -> Iterator[bytes]:
        for index in range(100):
            yield str(index).encode()
            assert received.acquire(timeout=30)

    answers = []
    for answer in channel.stream_stream("/dome.test.Echo/Bidi")(questions(), timeout=60):
        answers.append(int(answer))
        received.release()
    assert answers == list(range(100))


def test_large_messages_both_ways_at_once(channel: grpc.Channel) -> None:
    messages = [os.urandom(3 * MIB) for _ in range(8)]
    assert list(channel.stream_stream("/dome.test.Echo/Bidi")(iter(messages), timeout=60)) == messages


def test_a_deadline(echo: EchoServer, channel: grpc.Channel) -> None:
    call = server_stream(channel, "Hang")(b"", timeout=0.1)
    with pytest.raises(grpc.RpcError) as raised:
        next(call)
    assert raised.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    echo.wait_for(lambda stats: stats["deadlines"] + stats["cancelled"] == 1)


def test_a_client_that_cancels(echo: EchoServer, channel: grpc.Channel) -> None:
    call = server_stream(channel, "Stall")(b"one", timeout=60)
    assert next(call) == b"one"
    call.cancel()
    with pytest.raises(grpc.RpcError) as raised:
        next(call)
    assert raised.value.code() == grpc.StatusCode.CANCELLED
    stats = echo.wait_for(lambda stats: stats["cancelled"] == 1)
    assert stats["lost"] == 0


def test_a_client_that_dies(echo: EchoServer) -> None:
    program = (
        "import sys, grpc\n"
        "channel = grpc.insecure_channel(sys.argv[1])\n"
        "call = channel.unary_stream('/dome.test.Echo/Stall')(b'one')\n"
        "print(next(call), flush=True)\n"
        "next(call)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, f"unix://{echo.socket}"], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "b'one'\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    echo.wait_for(lambda stats: stats["lost"] == 1 and stats["connections"] == 1)


def test_metadata_there_and_back(channel: grpc.Channel) -> None:
    sent = [("plain", "a, b"), ("twice", "1"), ("twice", "2"), ("empty-bin", b"")]
    sent += [("blob-bin", os.urandom(size)) for size in range(1, 20)]
    _, call = unary(channel, "Metadata").with_call(b"", metadata=sent, timeout=30)
    assert [tuple(pair) for pair in call.initial_metadata()] == sent
    assert [tuple(pair) for pair in call.trailing_metadata()] == sent


def test_metadata_beyond_the_limit_is_refused(channel: grpc.Channel) -> None:
    assert unary(channel, "Unary")(b"ok", timeout=30) == b"ok"
    code, _ = status_of(unary(channel, "Unary"), b"", metadata=[(f"big{index}", "x" * 9000) for index in range(10)])
    assert code == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert unary(channel, "Unary")(b"ok", timeout=30) == b"ok"


def test_an_unknown_method(channel: grpc.Channel) -> None:
    for path in ("/dome.test.Echo/Nothing", "/no.such.Service/Unary", "/", "/dome.test.Echo/Unary/"):
        assert status_of(channel.unary_unary(path), b"")[0] == grpc.StatusCode.UNIMPLEMENTED
    assert unary(channel, "Unary")(b"ok", timeout=30) == b"ok"


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK])
def test_every_status(channel: grpc.Channel, code: grpc.StatusCode) -> None:
    text = "100% „nicht da“\n\t日本 \x7f"
    assert status_of(unary(channel, "Fail"), f"{code.value[0]} {text}".encode()) == (code, text)


def test_a_compressing_call_is_told_not_to(channel: grpc.Channel) -> None:
    code, _ = status_of(unary(channel, "Unary"), b"x" * 1000, compression=grpc.Compression.Gzip)
    assert code == grpc.StatusCode.UNIMPLEMENTED
    assert unary(channel, "Unary")(b"x" * 1000, timeout=30) == b"x" * 1000


def test_a_unary_method_without_a_response(channel: grpc.Channel) -> None:
    assert status_of(unary(channel, "Silent"), b"")[0] == grpc.StatusCode.INTERNAL


def test_a_thousand_calls_at_once(channel: grpc.Channel) -> None:
    calls = [unary(channel, "Unary").future(str(index).encode(), timeout=60) for index in range(3000)]
    assert [int(call.result()) for call in calls] == list(range(3000))


def test_many_connections(echo: EchoServer) -> None:
    channels = [echo.channel() for _ in range(50)]
    for channel in channels:
        assert unary(channel, "Unary")(b"hello", timeout=30) == b"hello"
    assert echo.stats()["connections"] == 51
    for channel in channels:
        channel.close()
    echo.wait_for(lambda stats: stats["connections"] == 1)


def test_a_reader_that_stalls_costs_little_and_stops_nobody(echo: EchoServer, channel: grpc.Channel) -> None:
    before = echo.stats()["rss_kib"]
    stream = server_stream(channel, "ServerStream")(b"60000 1024", timeout=60)
    assert len(next(stream)) == 1024
    for _ in range(200):
        assert unary(channel, "Unary")(b"hello", timeout=30) == b"hello"
    assert echo.stats()["rss_kib"] - before < 8 * 1024
    assert sum(len(message) for message in stream) == 59_999 * 1024


def test_a_drain_lets_calls_finish(echo: EchoServer, channel: grpc.Channel) -> None:
    received = threading.Event()

    def messages() -> Iterator[bytes]:
        yield b"first"
        assert received.wait(10)
        yield b"second"

    answers = channel.stream_stream("/dome.test.Echo/Bidi")(messages(), timeout=30)
    assert next(answers) == b"first"
    echo.terminate()
    # A fresh channel finds nobody: the listener is gone first.
    assert status_of(unary(echo.channel(), "Unary"), b"")[0] == grpc.StatusCode.UNAVAILABLE
    received.set()
    assert list(answers) == [b"second"]
    assert echo.process.wait(10) == 0


def test_a_client_that_does_not_answer_pings_is_closed() -> None:
    server = EchoServer(keepalive=100, keepalive_timeout=200)
    program = (
        "import sys, time, grpc\n"
        "channel = grpc.insecure_channel(sys.argv[1])\n"
        "print(channel.unary_unary('/dome.test.Echo/Unary')(b'one'), flush=True)\n"
        "time.sleep(60)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, f"unix://{server.socket}"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout.readline() == "b'one'\n"
        assert server.stats()["connections"] == 2
        child.send_signal(signal.SIGSTOP)
        server.wait_for(lambda stats: stats["connections"] == 1)
        # One that runs is left alone, however idle.
        channel = server.channel()
        assert unary(channel, "Unary")(b"hello", timeout=30) == b"hello"
        threading.Event().wait(1)
        assert server.stats()["connections"] == 2
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
        assert server.close() == 0
