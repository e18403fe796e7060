"""Erasing what an event is about: neither it nor what it could be guessed by is left on the disk; every proof holds."""

from __future__ import annotations

import json
import os
from pathlib import Path

from domekit import rfc6962
from domekit.auditing import dome, events, key, verdict
from domekit.daemon import Daemon, pb2
from domekit.database import rows


def found(daemon: Daemon, text: bytes) -> list[Path]:
    """The files of the daemon that hold these bytes."""
    files = [Path(folder, name) for folder, _, names in os.walk(daemon.directory) for name in names]
    return [path for path in files if text in contents(path)]


def contents(path: Path) -> bytes:
    """Nothing of what is gone by now, which is no leftover."""
    try:
        return path.read_bytes() if path.is_file() else b""
    except FileNotFoundError:
        return b""


def test_redacting_erases_the_task_and_no_proof(daemon: Daemon) -> None:
    task = {"script": "true", "stdin": "hunter2"}
    reply = daemon.jobs.submit("shell.run", task, key="once", wait_ms=20_000)
    job = reply.job_id
    (event,) = [one for one in events(daemon, "--job", job, "--payload") if one["kind"] == "intent"]
    assert "hunter2" in event["payload"]
    digests = {daemon.jobs.status(job).provenance.input_hash.removeprefix("sha256:")}
    digests |= {value for (value,) in rows(daemon, "SELECT lower(hex(request_hash)) FROM jobs WHERE job_id = ?", job)}
    assert len(digests) == 2 and found(daemon, b"hunter2")
    assert all(found(daemon, digest.encode()) + found(daemon, bytes.fromhex(digest)) for digest in digests)
    proof = dome(daemon, "audit", "prove", str(event["seq"]))
    assert "--why" in dome(daemon, "audit", "redact", str(event["seq"]), status=64)
    dome(daemon, "audit", "redact", str(event["seq"]), "--why", "a password")
    (event,) = [one for one in events(daemon, "--job", job, "--payload") if one["kind"] == "intent"]
    assert "payload" not in event
    assert rfc6962.verified_proof(proof, key(daemon))[1].decode() == event["leaf_json"]
    said = events(daemon, "--kind", "redacted")[-1]
    details = json.loads(said["leaf_json"])["details"]
    assert said["job_id"] == job and (details["event"], details["why"]) == (event["seq"], "a password")
    assert verdict(daemon)["ok"]
    # Nor what the task could be guessed by; and what is left is what the log vouches for.
    assert daemon.jobs.status(job).provenance.input_hash == "redacted"
    shown = json.loads(dome(daemon, "provenance", "verify", job, "-o", "json"))
    assert shown["event"] == said["seq"]
    again = daemon.jobs.submit("shell.run", task, key="once")
    assert again.status.code == pb2.E_IDEMPOTENCY_KEY_REUSED and "redacted" in again.status.message
    daemon.stop()
    assert found(daemon, b"hunter2") == []
    for digest in digests:
        assert found(daemon, digest.encode()) == found(daemon, bytes.fromhex(digest)) == []
    daemon.start()
    assert verdict(daemon)["ok"]
    assert "redacted" in dome(daemon, "rerun", job, status=65)
    assert "nothing to erase" in dome(daemon, "audit", "redact", str(event["seq"]), "--why", "x", status=65)
