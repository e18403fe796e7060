"""domed under official clients and raw bytes: what the transport's own suites prove of the library, proved of the
daemon with its real methods."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from domekit.daemon import Daemon, pb2
from domekit.gates import Gate
from domekit.jobs import Jobs, state_name

SERVICE = "/domed.v1.DomedService"
LIMIT = 16 << 20
UNARY = [
    "Health", "ListCapabilities", "ListTools", "GetTool", "SkillExecute", "GetJobStatus", "CancelJob",
    "GetGateDecision", "GetPromotionDecision", "GetStatus", "ListJobs", "GetToolSchema", "CollectGarbage",
    "ListPlugins",
]  # fmt: skip


@pytest.fixture
def gate(daemon: Daemon) -> Iterator[Gate]:
    with Gate(daemon.directory / "gates") as gate:
        yield gate


def bare(channel: grpc.Channel, method: str) -> Any:
    """A unary call of bytes to bytes."""
    return channel.unary_unary(method, request_serializer=bytes, response_deserializer=bytes)


def still_serves(channel: grpc.Channel) -> bool:
    return pb2.HealthResponse.FromString(bare(channel, f"{SERVICE}/Health")(b"", timeout=30)).status.ok


def connection_count(daemon: Daemon) -> int:
    """Connections that the daemon has accepted on its socket."""
    with open("/proc/net/unix") as table:
        lines = [line.split() for line in table]
    return sum(1 for line in lines if line[-1] == str(daemon.socket) and line[5] == "03")


# Sizes


def task_of(size: int) -> str:
    """A task for job.noop, exactly `size` bytes long."""
    return '{"filler":"' + "x" * (size - len('{"filler":""}')) + '"}'


def test_a_task_of_nearly_16_mib_is_taken_and_comes_through(daemon: Daemon) -> None:
    request = daemon.jobs.request("job.noop", "{}", wait_ms=60_000)
    request.task_json = task_of(LIMIT - request.ByteSize() - 16)
    assert LIMIT - 64 < request.ByteSize() <= LIMIT
    reply = daemon.stub().SkillExecute(request, timeout=60)
    assert reply.status.ok and state_name(reply.state) == "SUCCEEDED"


def test_a_process_reads_a_task_of_16_mib_from_its_file(daemon: Daemon) -> None:
    stdin = "y" * (15 << 20)
    events = daemon.jobs.run("shell.run", {"argv": ["wc", "-c"], "stdin": stdin}, timeout=60)
    assert events[-1].payload["to"] == "succeeded", events[-1].payload
    assert [one.payload["line"].strip() for one in events if one.type == "LOG"] == [str(len(stdin))]


@pytest.mark.parametrize("size", [LIMIT + 1, 40 << 20])
def test_a_message_over_the_limit_is_refused_and_the_connection_survives(daemon: Daemon, size: int) -> None:
    channel = daemon.channel()
    assert still_serves(channel)
    connections = connection_count(daemon)
    request = daemon.jobs.request("job.noop", "{}")
    request.task_json = "x" * size
    with pytest.raises(grpc.RpcError) as caught:
        bare(channel, f"{SERVICE}/SkillExecute")(request.SerializeToString(), timeout=60)
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert str(LIMIT) in caught.value.details()
    assert still_serves(channel)
    assert connection_count(daemon) == connections
    assert not daemon.stub().ListJobs(pb2.ListJobsRequest(), timeout=30).jobs


def test_lines_of_a_mebibyte_reach_the_client(daemon: Daemon) -> None:
    line = "é" * (400 << 10)
    events = daemon.jobs.run("job.log", {"lines": [line, "next"]})
    assert "".join(one.payload["line"] for one in events if one.type == "LOG") == line + "next"


# Bytes that are not of the contract


@pytest.mark.parametrize("method", [name for name in UNARY if name not in ("Health", "ListTools", "GetStatus")])
@pytest.mark.parametrize("body", [b"\x0a\xff", b"\x0a\x05abc", b"\x07", b"\xff" * 11], ids=lambda body: body.hex())
def test_malformed_protobuf_is_an_invalid_argument(daemon: Daemon, method: str, body: bytes) -> None:
    channel = daemon.channel()
    with pytest.raises(grpc.RpcError) as caught:
        bare(channel, f"{SERVICE}/{method}")(body, timeout=30)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert f"{method}Request" in caught.value.details()
    assert still_serves(channel)


def test_malformed_protobuf_for_a_stream_is_an_invalid_argument(daemon: Daemon) -> None:
    call = daemon.channel().unary_stream(
        f"{SERVICE}/StreamJobEvents", request_serializer=bytes, response_deserializer=bytes
    )
    with pytest.raises(grpc.RpcError) as caught:
        list(call(b"\x0a\xff", timeout=30))
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("method", UNARY)
def test_fields_of_a_later_contract_are_no_trouble(daemon: Daemon, method: str) -> None:
    future = b"\xfa\x3f\x03new" + b"\xf8\x3f\x07"  # fields 1023, a text and a number
    bare(daemon.channel(), f"{SERVICE}/{method}")(future, timeout=30)


@pytest.mark.parametrize(
    "method",
    [f"{SERVICE}/Nope", "/domed.v2.DomedService/Health", "/", "/a", f"{SERVICE}/Health/x", f"{SERVICE}/health"],
)
def test_an_unknown_method_is_unimplemented(daemon: Daemon, method: str) -> None:
    channel = daemon.channel()
    with pytest.raises(grpc.RpcError) as caught:
        bare(channel, method)(b"", timeout=30)
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED
    assert still_serves(channel)


@pytest.mark.parametrize(
    "bytes_sent",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + b" " * 64,
        b"\0" * 1000,
        os.urandom(4096),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 500,
    ],
    ids=["HTTP/1.1", "zeros", "noise", "preface and noise"],
)
def test_garbage_on_the_socket_costs_that_connection_alone(daemon: Daemon, bytes_sent: bytes) -> None:
    channel = daemon.channel()
    assert still_serves(channel)
    with socket.socket(socket.AF_UNIX) as garbage:
        garbage.settimeout(10)
        garbage.connect(str(daemon.socket))
        try:
            garbage.sendall(bytes_sent)
            while garbage.recv(65536):
                pass
        except ConnectionError:
            pass
    assert still_serves(channel)


# Time, cancelling, many


def test_a_deadline_ends_the_call_and_not_the_job(daemon: Daemon, gate: Gate) -> None:
    request = daemon.jobs.request("shell.run", {"script": gate.wait}, wait_ms=60_000, grants=gate.grants, key="k")
    with pytest.raises(grpc.RpcError) as caught:
        daemon.stub().SkillExecute(request, timeout=0.5)
    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    [job] = daemon.stub().ListJobs(pb2.ListJobsRequest(), timeout=30).jobs
    gate.open()
    assert list(daemon.jobs.follow(job.job_id))[-1].payload["to"] == "succeeded"


def test_a_deadline_ends_a_stream(daemon: Daemon, gate: Gate) -> None:
    job = daemon.jobs.start("shell.run", {"script": gate.wait}, grants=gate.grants)
    with pytest.raises(grpc.RpcError) as caught:
        list(daemon.jobs.stream(job, timeout=0.4))
    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    gate.open()


def descriptors_of_journals(daemon: Daemon) -> int:
    count = 0
    for name in os.listdir(f"/proc/{daemon.pid}/fd"):
        try:
            count += os.readlink(f"/proc/{daemon.pid}/fd/{name}").endswith("events.journal")
        except OSError:
            pass
    return count


def test_cancelled_streams_leave_nothing_open(daemon: Daemon, gate: Gate) -> None:
    job = daemon.jobs.start("shell.run", {"script": f"echo up; {gate.wait}"}, grants=gate.grants)
    calls = [daemon.jobs.stream(job) for _ in range(50)]
    for call in calls:
        assert [next(call).seq, next(call).seq, next(call).seq] == [1, 2, 3]
    assert descriptors_of_journals(daemon) >= 50
    for call in calls:
        call.cancel()
    deadline = time.monotonic() + 20
    while descriptors_of_journals(daemon) and time.monotonic() < deadline:
        still_serves(daemon.channel())
    assert descriptors_of_journals(daemon) == 0
    gate.open()


def test_a_client_that_dies_leaves_nothing_open(daemon: Daemon, gate: Gate) -> None:
    job = daemon.jobs.start("shell.run", {"script": f"echo up; {gate.wait}"}, grants=gate.grants)
    channel = daemon.channel()
    call = Jobs(type(daemon.jobs.stub)(channel)).stream(job)
    next(call)
    channel.close()
    deadline = time.monotonic() + 20
    while descriptors_of_journals(daemon) and time.monotonic() < deadline:
        still_serves(daemon.channel())
    assert descriptors_of_journals(daemon) == 0
    gate.open()


def test_three_hundred_streams_of_different_jobs_on_one_connection(daemon: Daemon) -> None:
    stub = daemon.stub()
    jobs = Jobs(stub)
    ids = [jobs.start("job.log", {"lines": [str(number)]}) for number in range(300)]
    calls = [jobs.stream(job) for job in ids]
    for number, (job, call) in enumerate(zip(ids, calls, strict=True)):
        messages = list(call)
        assert {message.job_id for message in messages} == {job}
        assert json.loads(messages[2].payload_json)["line"] == str(number)


def test_thirty_two_threads_of_calls_do_not_mix_their_answers(daemon: Daemon) -> None:
    stub = daemon.stub()
    wrong: list[str] = []

    def ask(number: int) -> None:
        for turn in range(50):
            name = f"no.such.tool-{number}-{turn}"
            if stub.GetTool(pb2.GetToolRequest(tool_id=name), timeout=30).status.message != f"tool not found: {name}":
                wrong.append(name)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong


def test_the_socket_is_for_its_owner_alone(daemon: Daemon) -> None:
    assert daemon.socket.stat().st_mode & 0o777 == 0o600
    assert daemon.socket.parent.stat().st_mode & 0o777 == 0o700
