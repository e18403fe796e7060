"""What a job leaves in /job/out, as the daemon tells of it and as it lies on the disk."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from .daemon import Daemon
from .jobs import Event, assert_complete, state_name


def run(daemon: Daemon, script: str, **constraints: Any) -> tuple[str, list[Event]]:
    """Runs a script to its end; returns the job and its events."""
    job = daemon.jobs.start("shell.run", {"script": script}, **constraints)
    events = list(daemon.jobs.follow(job))
    assert_complete(events)
    return job, events


def guard(events: list[Event]) -> dict[str, Any]:
    """The payload of the one event about artifacts, which is the last before the terminal one."""
    [found] = [one for one in events if one.type == "GUARD" and one.payload.get("guard") == "artifacts"]
    assert found.seq == events[-1].seq - 1
    return found.payload


def kept(daemon: Daemon, job: str) -> dict[str, bytes]:
    """The artifacts' bytes by name, after everything that tells of them was compared."""
    status = daemon.jobs.status(job)
    found = {}
    for one in status.artifacts:
        assert one.kind == "file" and Path(one.path).is_relative_to(daemon.state / "jobs")
        content = Path(one.path).read_bytes()
        assert (one.sha256, one.bytes) == (hashlib.sha256(content).hexdigest(), len(content))
        found[one.name] = content
    assert len(found) == len(status.artifacts)
    products = json.loads(status.provenance_json)["products"]["artifacts"]
    assert products == [{"path": one.name, "sha256": one.sha256, "bytes": one.bytes} for one in status.artifacts]
    return found


def copies(daemon: Daemon, job: str) -> Path:
    """Where a job's artifacts are kept."""
    [folder] = (daemon.state / "jobs").glob(f"*/{job}")
    return folder / "artifacts"


def ended(daemon: Daemon, job: str) -> bool:
    return state_name(daemon.jobs.status(job).state) not in ("QUEUED", "RUNNING")

