"""The shipped tools, run for real: the result of one that does its work, the words of one that refuses to.

A module takes the fixtures with an import: its tests share a daemon of the tests' own user and, as root, one of an
ordinary user (`both`), or have only the former (`daemon`)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .daemon import Daemon
from .jobs import Event, state_name
from .users import WHO, uid_of

REFUSED = 2


@pytest.fixture(scope="module", params=WHO[:1])
def daemon(request: pytest.FixtureRequest) -> Iterator[Daemon]:
    """A running daemon of the tests' own user."""
    yield from _running(request)


@pytest.fixture(scope="module", params=WHO)
def both(request: pytest.FixtureRequest) -> Iterator[Daemon]:
    """A running daemon of each user."""
    yield from _running(request)


def _running(request: pytest.FixtureRequest) -> Iterator[Daemon]:
    options: dict[str, Any] = {}
    if uid_of(request.param) != os.geteuid():
        options = {"uid": uid_of(request.param), "binaries": request.getfixturevalue("trees").binaries()}
    daemon = Daemon(**options)
    try:
        yield daemon.start()
    finally:
        daemon.close()


def new_folder(daemon: Daemon) -> Path:
    """A new folder, to be filled, given to the daemon's user by `own`, and granted by `reads` or `writes`."""
    return daemon.make_folder(f"work-{len(list(daemon.directory.iterdir()))}")


def project(daemon: Daemon, files: dict[str, str]) -> Path:
    """A folder with these files, the daemon's user's."""
    folder = new_folder(daemon)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return daemon.own(folder)


def reads(folder: Path) -> str:
    return f"fs.read:{folder}"


def writes(folder: Path) -> str:
    return f"fs.write:{folder}"


def result(daemon: Daemon, tool: str, task: Any, *grants: str, seconds: int = 60) -> Any:
    """What the tool answers; it must succeed, and what it says is checked against its output schema by the daemon."""
    reply = daemon.jobs.submit(tool, task, grants=list(grants), wait_ms=seconds * 1000, timeout=seconds + 30)
    assert reply.status.ok, reply.status.message
    assert state_name(reply.state) == "SUCCEEDED", (reply.reason, said(daemon, reply.job_id))
    # A result that is too large to go along is in the job's output.
    return json.loads(reply.result_json or output(daemon, reply.job_id, "stdout"))


def refusal(daemon: Daemon, tool: str, task: Any, *grants: str) -> str:
    """Why the tool, which ran, did not do its work: one line that begins with its name, and no trace of a program."""
    reply = daemon.jobs.submit(tool, task, grants=list(grants), wait_ms=60_000, timeout=90)
    assert reply.status.ok, reply.status.message
    why = said(daemon, reply.job_id)
    assert (state_name(reply.state), reply.reason) == ("FAILED", "exited"), (reply.state, reply.reason, why)
    assert daemon.jobs.status(reply.job_id).exit_code == REFUSED, why
    assert why.startswith(f"{tool}: ") and "Traceback" not in why, why
    return why


def not_accepted(daemon: Daemon, tool: str, task: Any, *grants: str) -> str:
    """Why the daemon took no job of it."""
    reply = daemon.jobs.submit(tool, task, grants=list(grants), wait_ms=60_000, timeout=90)
    assert not reply.status.ok and not reply.job_id, reply
    return str(reply.status.message)


def said(daemon: Daemon, job_id: str) -> str:
    """The job's standard error."""
    return output(daemon, job_id, "stderr")


def output(daemon: Daemon, job_id: str, stream: str) -> str:
    """One of a job's streams, put together."""
    return "".join(piece(event) for event in daemon.jobs.follow(job_id) if event.payload.get("stream") == stream)


def piece(event: Event) -> str:
    end = "" if event.payload.get("partial") else "\n"
    return (event.line or b"").decode("utf-8", "backslashreplace") + end
