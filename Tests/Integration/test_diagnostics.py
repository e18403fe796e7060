"""The five diagnostic tools that every client's smoke test uses."""

from __future__ import annotations

from typing import Any

import pytest

from domekit.daemon import Daemon, pb2
from domekit.jobs import Event, Jobs, assert_complete, state_name


def story(events: list[Event]) -> list[tuple[str, Any]]:
    """The states an events list goes through, and what was said between them."""
    told: list[tuple[str, Any]] = []
    for one in events:
        if one.type == "STATE_CHANGE":
            told.append(("state", one.payload["to"]))
        elif "value" in one.payload:
            told.append(("progress", one.payload["value"]))
        elif one.type == "LOG":
            told.append((one.payload["stream"], one.payload["line"]))
        else:
            told.append((one.type, one.payload["reason"]))
    return told


@pytest.mark.parametrize("tool", ["job.noop", "skill-execute"])
@pytest.mark.parametrize("task", [{}, {"anything": [1, None, {"deep": True}]}, "", "{ }"], ids=repr)
def test_a_noop_succeeds_with_any_task_object(jobs: Jobs, tool: str, task: Any) -> None:
    reply = jobs.submit(tool, task, wait_ms=20_000)
    assert reply.status.ok and reply.status.message == "submitted"
    assert state_name(reply.state) == "SUCCEEDED"
    events = jobs.replay(reply.job_id)
    assert_complete(events)
    assert story(events) == [("state", "queued"), ("state", "running"), ("state", "succeeded")]
    assert events[-1].payload["exit_code"] == 0


def test_a_logging_job_makes_one_event_a_line_in_order(jobs: Jobs) -> None:
    lines = ["first", "", "naïve 日本語 🦀", 'quotes " and \\ and \t', "two\nlines in one", "\x1b[31mred", "x" * 100_000]
    events = jobs.run("job.log", {"lines": lines})
    assert_complete(events)
    assert [one.payload["line"] for one in events if one.type == "LOG"] == lines
    assert events[-1].payload["to"] == "succeeded"


def test_ten_thousand_lines_are_ten_thousand_events(jobs: Jobs) -> None:
    lines = [f"line {number}" for number in range(10_000)]
    events = jobs.run("job.log", {"lines": lines})
    assert_complete(events)
    assert [one.payload["line"] for one in events if one.type == "LOG"] == lines


def test_a_failing_job_gives_its_reason_and_fails(jobs: Jobs) -> None:
    events = jobs.run("job.fail", {"reason": "the moon is full"})
    assert_complete(events)
    assert story(events) == [
        ("state", "queued"),
        ("state", "running"),
        ("ERROR", "the moon is full"),
        ("state", "failed"),
    ]
    assert events[-1].payload["message"]
    assert state_name(jobs.status(events[0].raw.job_id).state) == "FAILED"


def test_the_probe_is_a_real_process_that_writes_and_exits_as_told(jobs: Jobs) -> None:
    task = {"stdout": ["one", "two", ""], "stderr": ["three"], "progress": [0, 0.25, 100], "exit_code": 7}
    events = jobs.run("domed.exec-probe", task)
    assert_complete(events)
    told = story(events)
    assert told[:2] == [("state", "queued"), ("state", "running")]
    assert [text for stream, text in told if stream == "stdout" and not text.startswith("PROGRESS:")] == task["stdout"]
    assert [text for stream, text in told if stream == "stderr"] == task["stderr"]
    assert [value for kind, value in told if kind == "progress"] == task["progress"]
    assert told[-1] == ("state", "failed")
    assert events[-1].payload["exit_code"] == 7
    status = jobs.status(events[0].raw.job_id)
    assert status.exit_code == 7 and state_name(status.state) == "FAILED"


@pytest.mark.parametrize("code", [0, 1, 2, 126, 127, 128, 137, 255])
def test_the_exit_code_is_the_tools_own(jobs: Jobs, code: int) -> None:
    reply = jobs.submit("domed.exec-probe", {"exit_code": code}, wait_ms=20_000)
    assert reply.exit_code == code
    assert not reply.HasField("signal")
    assert state_name(reply.state) == ("SUCCEEDED" if code == 0 else "FAILED")


def test_the_probe_gets_its_lines_unharmed(jobs: Jobs) -> None:
    lines = ["--stdout", "-n", "$HOME `id` $(id)", "'quoted' \"twice\"", "back\\slash", "*", "  spaces  "]
    events = jobs.run("domed.exec-probe", {"stdout": lines})
    assert [one.payload["line"] for one in events if one.type == "LOG"] == lines


def test_a_job_has_one_run_and_one_set_of_ids(daemon: Daemon) -> None:
    reply = daemon.jobs.submit("job.noop", wait_ms=20_000)
    status = daemon.jobs.status(reply.job_id)
    assert reply.run_id and reply.run_id == status.run_id
    for one in daemon.jobs.replay(reply.job_id):
        assert (one.raw.job_id, one.raw.run_id) == (reply.job_id, reply.run_id)
        assert one.raw.event_id == f"{reply.job_id}-{one.seq}"
    listed = daemon.stub().ListJobs(pb2.ListJobsRequest(), timeout=30).jobs
    assert [(job.job_id, job.run_id) for job in listed] == [(reply.job_id, reply.run_id)]
