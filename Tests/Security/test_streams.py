"""Hostile output: it arrives as it was or is counted as dropped, ends nothing but its own job, and holds nobody up."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import grpc
import pytest

from domekit.arena import Jail
from domekit.daemon import pb2
from domekit.jobs import assert_complete
from domekit.tools import registry, write_tool

pytestmark = pytest.mark.apart_from_landlock
MEGABYTE = 1 << 20


def output(
    jail: Jail, program: str, seconds: float = 60, tool: str = "shell.run"
) -> tuple[bytes, list[dict[str, object]]]:
    """What a Python program's stdout came to, and the payloads that are no lines; its job must succeed in time."""
    argv = ["/usr/bin/python3", "-c", "import os, sys, time\n" + program]
    job = jail.daemon.jobs.start(tool, {"argv": argv})
    events = list(jail.daemon.jobs.follow(job, timeout=seconds))
    assert_complete(events)
    assert events[-1].payload["to"] == "succeeded", events[-1].payload
    lines = [one for one in events if one.line is not None]
    content = b"".join((one.line or b"") + (b"" if one.payload.get("partial") else b"\n") for one in lines)
    assert jail.run(["/bin/true"])[-1].payload["to"] == "succeeded", "the daemon must go on"
    return content, [one.payload for one in events if one.line is None]


def judge_cut(jail: Jail, program: str, limit: int) -> tuple[bytes, list[dict[str, object]]]:
    """A program that prints more than `limit`, what a job's journal takes; the canary's takes four times as much."""
    megabytes = limit // MEGABYTE * (4 if jail.mode.is_canary else 1)
    tool = f"test.output-{megabytes}"
    if not (registry(jail.daemon) / tool).exists():
        limits = {"output_bytes": megabytes * MEGABYTE}
        write_tool(jail.daemon, tool, {"entrypoint": {"argv_from_task": True}, "limits": limits})
    content, rest = output(jail, program, tool=tool)
    assert len(content) > limit - MEGABYTE
    jail.judge(len(content) > limit + (64 << 10), len(content))
    if not jail.mode.is_canary:
        assert any("truncated" in str(payload) for payload in rest), rest
    return content, rest


@pytest.mark.canary("", by="a manifest with four times the limit")
def test_a_flood_is_cut_at_its_limit_and_ends_nothing(jail: Jail) -> None:
    judge_cut(
        jail, "line = b'x' * 1023 + b'\\n'\nfor _ in range(20 << 10): sys.stdout.buffer.write(line)", 16 * MEGABYTE
    )


@pytest.mark.canary("", by="a manifest with four times the limit")
@pytest.mark.mutant("keeper-splits-no-line")
def test_a_line_of_200_megabytes_is_split_and_cut(jail: Jail) -> None:
    content, _ = judge_cut(
        jail, "for _ in range(200): os.write(1, b'y' * (1 << 20))\nos.write(1, b'\\nend\\n')", 64 * MEGABYTE
    )
    assert set(content[:MEGABYTE]) <= {ord("y"), ord("\n")}
    assert resident_kilobytes(jail, "domed-keeper") < 64 << 10
    assert resident_kilobytes(jail, "domed") < 256 << 10


def resident_kilobytes(jail: Jail, program: str) -> int:
    sizes = [0]
    for pid in jail.daemon.pids(program):
        with open(f"/proc/{pid}/status") as status:
            sizes += [int(line.split()[1]) for line in status if line.startswith("VmHWM")]
    assert len(sizes) > 1
    return max(sizes)


@pytest.mark.mutant("wire-takes-every-line-for-text")
@pytest.mark.parametrize(
    "content",
    [
        b"no newline at the end",
        b"a NUL \0 in the middle\n\0\n",
        b"\xff\xfe broken \xc3( UTF-8 \xed\xa0\x80\n",
        b"\x1b[2J\x1b]0;title\x07\x1b[31mred\x1b[0m \x9b5n \x1bP\x1b\\\n",
        b"\r\rover\rwritten\r\n",
        b"\n" * 1000,
    ],
    ids=["no-newline", "NUL", "invalid-UTF-8", "ANSI", "returns", "empty-lines"],
)
def test_odd_bytes_arrive_as_they_were(jail: Jail, content: bytes) -> None:
    arrived, _ = output(jail, f"os.write(1, {content!r})")
    print(arrived)
    assert arrived.removesuffix(b"\n") == content.removesuffix(b"\n")


CLEAR = "\x1b[2J"


@pytest.mark.mutant("dome-renders-text-as-it-is")
def test_an_escape_sequence_is_not_sent_to_the_callers_terminal_unasked(jail: Jail) -> None:
    """Nothing that a job may name: only what it printed goes to the terminal, by the verbs that print it. A tool with
    such a text in its manifest is no tool."""
    daemon = jail.daemon
    if not (registry(daemon) / "test.escape").exists():
        write_tool(daemon, "test.escape", {"entrypoint": {"argv": ["/bin/true"]}, "title": f"red {CLEAR} text"})
    [named] = {one.raw.job_id for one in jail.run(["sh", "-c", f"mkdir out; echo >'out/{CLEAR}'; printf '{CLEAR}'"])}
    shown = {("tools",): "shell.run", ("jobs",): named, ("status",): "domed", ("artifacts", named): "%1B[2J"}
    shown |= {("job", "show", named): "%1B[2J", ("logs", "-o", "json", named): "\\u001b[2J"}
    for arguments, expected in shown.items():
        for text in (daemon.dome_on_terminal(*arguments), daemon.dome(*arguments).stdout):
            assert expected in text and CLEAR not in text, (arguments, text)
            assert arguments != ("tools",) or "test.escape" not in text
    refused = daemon.dome_on_terminal("run", "shell.run", "--", f"/nowhere/{CLEAR}")
    assert "\\u{1b}[2J" in refused and CLEAR not in refused
    assert CLEAR in daemon.dome_on_terminal("logs", named), "asked for, it is there"


@pytest.mark.mutant("keeper-ends-with-stdout")
def test_a_closed_stdout_does_not_end_the_job(jail: Jail) -> None:
    content, _ = output(jail, "os.write(1, b'before\\n'); os.close(1); time.sleep(0.2); os.write(2, b'after\\n')")
    assert content == b"before\nafter\n"


@pytest.mark.canary("rest")
def test_a_grandchild_that_holds_the_pipe_does_not_hold_up_the_end(jail: Jail) -> None:
    program = "import os, time\nif os.fork() == 0:\n  os.setsid()\n  time.sleep(1000)\nos.write(1, b'left\\n')"
    job = jail.daemon.jobs.start("shell.run", {"argv": ["/usr/bin/python3", "-c", program]})
    assert next(one for one in jail.daemon.jobs.follow(job) if one.line is not None).line == b"left"
    try:
        events = list(jail.daemon.jobs.follow(job, timeout=1 if jail.mode.is_canary else 10))
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        jail.daemon.jobs.cancel(job)
        return jail.judge(True, job)
    assert_complete(events)
    jail.judge(events[-1].payload["to"] != "succeeded", events[-1].payload)


@pytest.mark.mutant("domed-opens-what-is-no-file")
def test_a_fifo_in_the_job_folder_blocks_nobody(jail: Jail) -> None:
    """Neither the end of the job, nor what is done with its folder afterwards."""
    program = "os.makedirs('/job/out', exist_ok=True)\nfor name in ('/job/f', '/job/out/f'): os.mkfifo(name)"
    content, _ = output(jail, program, seconds=10)
    assert content == b""


@pytest.mark.canary("window grants", held_with=["window"])
def test_a_fifo_in_a_granted_folder_blocks_its_job_alone(jail: Jail) -> None:
    """One in the folder, and one in the place of the folder when it is opened for the next job."""
    folder = jail.folder()
    os.mkfifo(folder / "fifo")
    os.chown(folder / "fifo", jail.mode.uid, jail.mode.uid)
    jobs = jail.own_daemon().jobs
    job = jobs.start("shell.run", {"argv": ["cat", str(folder / "fifo")]}, grants=[f"fs.read:{folder}"])
    with jail.swapping(folder, "os.mkfifo('y')"):
        is_blocked, refusals = False, 0
        for _ in range(60):
            reply = jail.list_swapped(folder, wait_ms=0)
            true = jobs.submit("shell.run", {"argv": ["true"]}, wait_ms=1_000 if jail.mode.is_canary else 10_000)
            is_blocked = true.state != pb2.JOB_STATE_SUCCEEDED
            if is_blocked or refusals == 3:
                break
            if reply.job_id:
                refusals += "granted path" in str(list(jobs.follow(reply.job_id))[-2:])
    jail.judge(is_blocked, refusals)
    assert refusals == 3 or "window" not in (jail.mode.weakness or "") or is_blocked, "this case shows nothing"
    with releasing(folder):
        jobs.cancel(job)
        assert list(jobs.follow(job))[-1].payload["to"] == "canceled"


@contextmanager
def releasing(folder: Path) -> Iterator[None]:
    """Lets go on whoever waits for the FIFO that was swapped, for as long as it lasts: the swapping may not have ended
    yet, so one look at x and y may see the folder twice, and who was let go on may wait again."""
    has_ended = threading.Event()

    def release() -> None:
        while not has_ended.wait(0.002):
            for name in ("x", "y"):
                with suppress(IsADirectoryError):
                    os.close(os.open(folder / name, os.O_RDWR | os.O_NONBLOCK))

    releaser = threading.Thread(target=release)
    releaser.start()
    try:
        yield
    finally:
        has_ended.set()
        releaser.join()
