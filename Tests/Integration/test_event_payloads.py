"""The forms of payload_json: lines, bytes that are no text, progress, ends."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from domekit.daemon import Daemon
from domekit.jobs import Event, Jobs, assert_complete


def run_script(jobs: Jobs, script: str, **rest: Any) -> list[Event]:
    events = jobs.run("shell.run", {"script": script}, **rest)
    assert_complete(events)
    return events


def logs(events: list[Event]) -> list[dict[str, Any]]:
    return [one.payload for one in events if one.type == "LOG"]


def test_lines_name_their_stream(jobs: Jobs) -> None:
    events = run_script(jobs, "echo out; echo err >&2")
    assert {(one["stream"], one["line"]) for one in logs(events)} == {("stdout", "out"), ("stderr", "err")}


def test_progress_is_two_events_with_two_numbers(jobs: Jobs) -> None:
    events = run_script(jobs, "echo PROGRESS:0.25")
    line, value = (one for one in events if one.type == "LOG")
    assert line.payload == {"stream": "stdout", "line": "PROGRESS:0.25"}
    assert value.payload == {"value": 0.25}
    assert value.seq == line.seq + 1


@pytest.mark.parametrize("text, value", [("0", 0), ("1", 1), ("99.5", 99.5), ("-1", -1), ("1e2", 100)])
def test_every_number_is_progress(jobs: Jobs, text: str, value: float) -> None:
    values = [one["value"] for one in logs(run_script(jobs, f"echo PROGRESS:{text}")) if "value" in one]
    assert values == [value]


@pytest.mark.parametrize(
    "command",
    [
        "echo PROGRESS:",
        "echo PROGRESS:fast",
        "echo PROGRESS:1x",
        "echo PROGRESS:nan",
        "echo PROGRESS:inf",
        "echo ' PROGRESS:1'",
        "echo progress:1",
        "echo PROGRESS:1 >&2",
    ],
)
def test_what_is_no_progress_is_only_a_line(jobs: Jobs, command: str) -> None:
    assert [set(one) for one in logs(run_script(jobs, command))] == [{"stream", "line"}]


def test_progress_is_read_from_whole_lines_only(jobs: Jobs) -> None:
    events = run_script(jobs, "printf PROGR; printf 'ESS:0.5'; echo; printf 'PROGRESS:7'")
    assert [one["value"] for one in logs(events) if "value" in one] == [0.5]


def test_bytes_that_are_no_utf8_are_never_mangled(jobs: Jobs) -> None:
    events = run_script(jobs, r"printf 'ok\n\377\376\200raw\ncut\303\n\355\240\200\n'")
    payloads = logs(events)
    assert ["line" in one for one in payloads] == [True, False, False, False]
    assert all(("line" in one) != ("line_b64" in one) for one in payloads)
    found = [one.line for one in events if one.type == "LOG"]
    assert found == [b"ok", b"\xff\xfe\x80raw", b"cut\xc3", b"\xed\xa0\x80"]


def test_all_bytes_come_through(daemon: Daemon) -> None:
    """Every byte but the newline, in one line of its own and all in one."""
    octal = "".join(f"\\{number:03o}" for number in range(256) if number != 10)
    singles = "".join(f"\\{number:03o}\\n" for number in range(256) if number != 10)
    events = run_script(daemon.jobs, f"printf '{octal}\\n{singles}'")
    found = [one.line for one in events if one.type == "LOG"]
    every = bytes(number for number in range(256) if number != 10)
    assert found == [every, *(bytes([number]) for number in every)]


def test_carriage_returns_escapes_and_nuls_stay_in_the_line(jobs: Jobs) -> None:
    events = run_script(jobs, r"printf 'a\rb\033[1m\0c\177\n\r\n'")
    assert [one.line for one in events if one.type == "LOG"] == [b"a\rb\x1b[1m\0c\x7f", b"\r"]


def test_empty_lines_are_events_too(jobs: Jobs) -> None:
    assert [one["line"] for one in logs(run_script(jobs, "echo; echo; echo x; echo"))] == ["", "", "x", ""]


def test_the_end_tells_the_exit_code(jobs: Jobs) -> None:
    last = run_script(jobs, "exit 41")[-1].payload
    assert (last["from"], last["to"], last["exit_code"]) == ("running", "failed", 41)
    assert last["message"] and "signal" not in last


@pytest.mark.parametrize("signal", [1, 6, 9, 11, 15])
def test_the_end_tells_the_signal(jobs: Jobs, signal: int) -> None:
    events = jobs.run("shell.run", {"script": f"kill -{signal} $$"})
    last = events[-1].payload
    assert (last["to"], last["signal"]) == ("failed", signal)
    assert "exit_code" not in last and last["message"]
    status = jobs.status(events[0].raw.job_id)
    assert status.signal == signal and not status.HasField("exit_code")


def test_a_program_that_is_not_there_fails_with_its_name(jobs: Jobs) -> None:
    events = jobs.run("shell.run", {"argv": ["/job/no/such/program"]})
    assert_complete(events)
    assert events[-1].payload["to"] == "failed"
    assert "/job/no/such/program" in events[-1].payload["message"]
    assert [one.payload["reason"] for one in events if one.type == "ERROR"] != []


def test_times_are_rfc_3339_in_utc_and_never_go_back(jobs: Jobs) -> None:
    before = datetime.now(timezone.utc) - timedelta(seconds=1)
    events = run_script(jobs, "echo a; echo b")
    stamps = [one.raw.ts for one in events]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,9}Z", stamp) for stamp in stamps), stamps
    times = [datetime.fromisoformat(stamp.replace("Z", "+00:00")) for stamp in stamps]
    assert times == sorted(times)
    assert before < times[0] and times[-1] < datetime.now(timezone.utc) + timedelta(seconds=1)


def test_a_line_longer_than_the_limit_comes_in_pieces_that_belong_together(jobs: Jobs) -> None:
    size = 1_000_000
    events = run_script(jobs, f"head -c {size} /dev/zero | tr '\\0' x; echo; echo next")
    pieces = [one for one in logs(events) if "line_id" in one]
    assert len(pieces) > 1
    assert "".join(one["line"] for one in pieces) == "x" * size
    assert len({one["line_id"] for one in pieces}) == 1
    assert [one.get("partial", False) for one in pieces] == [True] * (len(pieces) - 1) + [False]
    assert logs(events)[-1] == {"stream": "stdout", "line": "next"}
