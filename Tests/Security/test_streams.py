"""Hostile output: it arrives as it was or is counted as dropped, ends nothing but its own job, and holds nobody up."""

from __future__ import annotations

import os
import time

import pytest

from domekit.arena import Jail
from domekit.jobs import assert_complete

pytestmark = [
    pytest.mark.no_canary("shows that a stream arrives, not that a layer holds"),
    pytest.mark.apart_from_landlock,
]

LIMIT = 64 << 20  # of what a job's journal takes


def output(jail: Jail, program: str, seconds: float = 60) -> tuple[bytes, list[dict[str, object]]]:
    """What a Python program's stdout came to, and the payloads that are no lines; its job must succeed in time."""
    began = time.monotonic()
    events = jail.run(["/usr/bin/python3", "-c", "import os, sys, time\n" + program])
    assert time.monotonic() - began < seconds
    assert_complete(events)
    assert events[-1].payload["to"] == "succeeded", events[-1].payload
    lines = [one for one in events if one.line is not None]
    content = b"".join((one.line or b"") + (b"" if one.payload.get("partial") else b"\n") for one in lines)
    assert jail.run(["/bin/true"])[-1].payload["to"] == "succeeded", "the daemon must go on"
    return content, [one.payload for one in events if one.line is None]


def test_a_flood_is_cut_at_its_limit_and_ends_nothing(jail: Jail) -> None:
    content, rest = output(
        jail, "line = b'x' * 1023 + b'\\n'\nfor _ in range(80 << 10): sys.stdout.buffer.write(line)"
    )
    assert LIMIT - (1 << 20) < len(content) <= LIMIT + (64 << 10)
    assert any("truncated" in str(payload) for payload in rest), rest


def test_a_line_of_200_megabytes_is_split_and_cut(jail: Jail) -> None:
    content, _ = output(jail, "for _ in range(200): os.write(1, b'y' * (1 << 20))\nos.write(1, b'\\nend\\n')")
    assert LIMIT - (1 << 20) < len(content) <= LIMIT + (64 << 10)
    assert set(content[: 1 << 20]) <= {ord("y"), ord("\n")}
    assert resident_kilobytes(jail, "domed-keeper") < 64 << 10
    assert resident_kilobytes(jail, "domed") < 256 << 10


def resident_kilobytes(jail: Jail, program: str) -> int:
    sizes = [0]
    for pid in jail.daemon.pids(program):
        with open(f"/proc/{pid}/status") as status:
            sizes += [int(line.split()[1]) for line in status if line.startswith("VmHWM")]
    assert len(sizes) > 1
    return max(sizes)


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


def test_an_escape_sequence_is_not_sent_to_the_callers_terminal_unasked(jail: Jail) -> None:
    """`dome logs` on something that is no terminal passes bytes on; the JSON form escapes them."""
    events = jail.run(["/usr/bin/printf", "\\033[2J"])
    shown = jail.daemon.dome("logs", "-o", "json", events[0].raw.job_id)
    assert "\x1b" not in shown.stdout, shown


def test_a_closed_stdout_does_not_end_the_job(jail: Jail) -> None:
    content, _ = output(jail, "os.write(1, b'before\\n'); os.close(1); time.sleep(0.2); os.write(2, b'after\\n')")
    assert content == b"before\nafter\n"


def test_a_grandchild_that_holds_the_pipe_does_not_hold_up_the_end(jail: Jail) -> None:
    content, _ = output(
        jail, "if os.fork() == 0:\n  os.setsid()\n  time.sleep(1000)\nos.write(1, b'left\\n')", seconds=10
    )
    assert content == b"left\n"


def test_a_fifo_in_the_job_folder_blocks_nobody(jail: Jail) -> None:
    """Neither the end of the job, nor what is done with its folder afterwards."""
    program = "os.makedirs('/job/out', exist_ok=True)\nfor name in ('/job/f', '/job/out/f'): os.mkfifo(name)"
    content, _ = output(jail, program, seconds=10)
    assert content == b""


def test_a_fifo_in_a_granted_folder_blocks_its_job_alone(jail: Jail) -> None:
    folder = jail.folder()
    os.mkfifo(folder / "fifo")
    os.chown(folder / "fifo", jail.mode.uid, jail.mode.uid)
    grants = [f"fs.read:{folder}"]
    job = jail.daemon.jobs.start("shell.run", {"argv": ["cat", str(folder / "fifo")]}, grants=grants)
    assert jail.run(["/bin/true"])[-1].payload["to"] == "succeeded"
    jail.daemon.jobs.cancel(job)
    assert list(jail.daemon.jobs.follow(job))[-1].payload["to"] == "canceled"
