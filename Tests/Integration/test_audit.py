"""What the audit log holds of every job: who asked for what before it ran, what became of it, and what was refused."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from domekit.daemon import Daemon
from domekit.database import rows


def leaves(daemon: Daemon, job: str | None = None) -> list[dict[str, Any]]:
    query = "SELECT leaf FROM audit WHERE job_id = ? ORDER BY seq" if job else "SELECT leaf FROM audit ORDER BY seq"
    return [json.loads(leaf) for (leaf,) in rows(daemon, query, *([job] if job else []))]


def test_a_job_has_its_intent_and_its_outcome(daemon: Daemon) -> None:
    job = daemon.jobs.run("domed.exec-probe", {"exit_code": 3})[0].raw.job_id
    intent, outcome = leaves(daemon, job)
    assert (intent["kind"], outcome["kind"]) == ("intent", "outcome")
    assert intent["tool_id"] == outcome["tool_id"] == "domed.exec-probe"
    assert intent["actor"] == {"uid": os.getuid(), "pid": os.getpid()}
    assert outcome["outcome"] == "failed" and outcome["details"]["exit_code"] == 3
    status = daemon.jobs.status(job)
    assert outcome["details"]["last_seq"] == status.last_seq
    assert intent["payload"].startswith("hmac-sha256:")
    assert len(outcome["details"]["provenance_sha256"]) == 64


def test_a_cancel_is_recorded_with_who_asked(daemon: Daemon) -> None:
    job = daemon.jobs.start("shell.run", {"script": "sleep 1000"})
    daemon.jobs.cancel(job)
    list(daemon.jobs.follow(job))
    kinds = [(leaf["kind"], leaf["actor"]["pid"]) for leaf in leaves(daemon, job)]
    assert kinds == [("intent", os.getpid()), ("canceled", os.getpid()), ("outcome", os.getpid())]


def test_what_the_policy_denies_is_recorded_without_a_job(daemon: Daemon) -> None:
    daemon.jobs.submit("shell.run", {"script": "cat"}, grants=[f"fs.read:{daemon.state}"])
    (last,) = [leaf for leaf in leaves(daemon) if leaf["kind"] == "denied"]
    assert last["tool_id"] == "shell.run" and "job_id" not in last
    assert str(daemon.state) in last["details"]["reason"]


def test_payloads_and_environments_stay_out_of_the_log(daemon: Daemon) -> None:
    secret = "hunter2-and-a-half"
    daemon.jobs.run("shell.run", {"script": f"echo {secret}", "stdin": secret}, own=secret)
    daemon.jobs.submit("shell.run", {"script": secret, "bogus": secret})
    assert all(secret not in json.dumps(leaf) for leaf in leaves(daemon))
    assert secret not in daemon.log()


@pytest.mark.parametrize("statement", ["DELETE FROM audit WHERE seq = 1", "UPDATE audit SET kind = 'x'"])
def test_rows_cannot_be_changed_by_accident(daemon: Daemon, statement: str) -> None:
    daemon.jobs.run("job.noop")
    with closing(sqlite3.connect(daemon.state / "domed.sqlite", timeout=30)) as connection:
        with pytest.raises(sqlite3.IntegrityError, match="audit rows are never"):
            connection.execute(statement)
