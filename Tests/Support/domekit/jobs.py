"""Submitting jobs and reading their events through stock grpcio."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from . import stubs

pb2, pb2_grpc = stubs.load()

TERMINAL_STATES = {"JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELED"}


@dataclass(frozen=True)
class Event:
    """One event, its payload decoded."""

    seq: int
    type: str  # "STATE_CHANGE", "LOG", "GUARD", "ERROR"
    payload: dict[str, Any]
    raw: Any  # the StreamJobEventsResponse

    @property
    def line(self) -> bytes | None:
        """The bytes of a log line; None for any other event."""
        if "line_b64" in self.payload:
            return base64.b64decode(self.payload["line_b64"])
        line = self.payload.get("line")
        return None if line is None else line.encode()

    @property
    def is_terminal(self) -> bool:
        to = str(self.payload.get("to", "")).upper()
        return self.type == "STATE_CHANGE" and to.removeprefix("JOB_STATE_") in ("SUCCEEDED", "FAILED", "CANCELED")


def event(message: Any) -> Event:
    name = pb2.EventType.Name(message.event_type).removeprefix("EVENT_TYPE_")
    return Event(message.seq, name, json.loads(message.payload_json or "{}"), message)


def raw(events: list[Event]) -> list[bytes]:
    """The events as they came over the wire, to be compared byte by byte."""
    return [one.raw.SerializeToString() for one in events]


def state_name(state: int) -> str:
    """"SUCCEEDED" for JOB_STATE_SUCCEEDED."""
    return pb2.JobState.Name(state).removeprefix("JOB_STATE_")


class Jobs:
    """The job calls of one stub, with defaults that suit tests. Each call has a deadline."""

    def __init__(self, stub: Any) -> None:
        self.stub = stub

    def request(
        self, tool: str, task: Any = None, *, key: str | None = None, profile: str = "test", **constraints: Any
    ) -> Any:
        """A SkillExecuteRequest; `task` is JSON-encoded unless it is text, `wait_ms` is 0 unless given."""
        constraints = {"wait_ms": 0} | constraints
        return pb2.SkillExecuteRequest(
            skill_id=tool,
            profile=profile,
            idempotency_key=key or uuid.uuid4().hex,
            task_json=task if isinstance(task, str) else json.dumps({} if task is None else task),
            constraints_json=json.dumps(constraints),
        )

    def submit(self, tool: str, task: Any = None, *, timeout: float = 30, **rest: Any) -> Any:
        """Submits and returns the SkillExecuteResponse, whatever it says."""
        return self.stub.SkillExecute(self.request(tool, task, **rest), timeout=timeout)

    def start(self, tool: str, task: Any = None, **rest: Any) -> str:
        """Submits a job that must be accepted; returns its id."""
        reply = self.submit(tool, task, **rest)
        assert reply.status.ok, f"{tool}: {pb2.ErrorCode.Name(reply.status.code)}: {reply.status.message}"
        assert reply.job_id
        return reply.job_id

    def run(self, tool: str, task: Any = None, **rest: Any) -> list[Event]:
        """Submits a job and follows it to its terminal event; returns all events."""
        return list(self.follow(self.start(tool, task, **rest)))

    def follow(self, job_id: str, since_seq: int = 0, *, follow: bool = True, timeout: float = 60) -> Iterator[Event]:
        """The events past `since_seq`, as they come."""
        for message in self.stream(job_id, since_seq, follow=follow, timeout=timeout):
            yield event(message)

    def stream(self, job_id: str, since_seq: int = 0, *, follow: bool = True, timeout: float = 60) -> Any:
        """The bare gRPC call (it can be cancelled)."""
        request = pb2.StreamJobEventsRequest(job_id=job_id, follow=follow, since_seq=since_seq)
        return self.stub.StreamJobEvents(request, timeout=timeout)

    def replay(self, job_id: str, since_seq: int = 0, **rest: Any) -> list[Event]:
        """The events that are there now."""
        return list(self.follow(job_id, since_seq, follow=False, **rest))

    def status(self, job_id: str, *, timeout: float = 30) -> Any:
        return self.stub.GetJobStatus(pb2.GetJobStatusRequest(job_id=job_id), timeout=timeout)

    def cancel(self, job_id: str, *, timeout: float = 30) -> Any:
        request = pb2.CancelJobRequest(job_id=job_id, idempotency_key=uuid.uuid4().hex)
        return self.stub.CancelJob(request, timeout=timeout)


def assert_complete(events: list[Event], since_seq: int = 0) -> None:
    """Streaming rules 1 and 2: gapless from since_seq + 1, one terminal event, and that last."""
    assert [one.seq for one in events] == list(range(since_seq + 1, since_seq + 1 + len(events)))
    terminal = [one.seq for one in events if one.is_terminal]
    assert len(terminal) == 1 and terminal[0] == events[-1].seq, f"terminal events: {terminal}, last: {events[-1:]}"
