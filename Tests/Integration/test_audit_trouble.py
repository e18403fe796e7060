"""What goes wrong around the records: tasks that are far too long, repositories that do not answer, a log that somebody
else wrote in while the daemon ran."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from domekit.auditing import dome, events, tamper, verdict
from domekit.daemon import Daemon, pb2
from domekit.database import rows
from domekit.repository import git, submit_from


def test_a_task_of_a_gigabyte_is_refused_before_anything_is_recorded(daemon: Daemon, tmp_path: Path) -> None:
    task = tmp_path / "task.json"
    with task.open("wb") as file:
        file.truncate(1 << 30)
    said = dome(daemon, "run", "job.noop", "-t", f"@{task}", status=65)
    assert str(task) in said and "larger than" in said
    assert not events(daemon, "--kind", "intent") and not events(daemon, "--kind", "denied")
    # Past the command line: what one message may hold is the bound.
    huge = '{"filler":"' + "x" * (32 << 20) + '"}'
    request = pb2.SkillExecuteRequest(skill_id="job.noop", profile="p", idempotency_key="huge", task_json=huge)
    try:
        daemon.stub().SkillExecute(request, timeout=60)
        raise AssertionError("a message of 32 MiB was taken")
    except Exception as error:  # noqa: BLE001 - of the assertion, too
        assert "RESOURCE_EXHAUSTED" in str(error), error
    assert not events(daemon, "--kind", "intent") and verdict(daemon)["ok"]


def test_long_tasks_that_are_denied_do_not_fill_the_log(daemon: Daemon) -> None:
    for length in (1 << 10, 1 << 20):
        daemon.jobs.submit("shell.run", {"script": "x" * length}, grants=[f"fs.read:{daemon.state}"])
    short, long = events(daemon, "--kind", "denied", "--payload")
    assert json.loads(short["payload"]) == {"script": "x" * 1024} and "payload" not in long
    assert len(long["leaf_json"]) < 4096 and "hmac-sha256:" in long["leaf_json"]
    dome(daemon, "audit", "redact", str(long["seq"]), "--why", "its code goes, too")
    assert verdict(daemon)["ok"]


def test_payloads_come_in_pages_that_fit_into_memory(daemon: Daemon) -> None:
    script = "true " + "x" * (700 << 10)
    jobs = [daemon.jobs.run("shell.run", {"script": script})[0].raw.job_id for _ in range(4)]
    found = [one["job_id"] for one in events(daemon, "--kind", "intent", "--payload", "-a") if one.get("payload")]
    assert found == jobs
    newest = events(daemon, "--kind", "intent", "--payload", "-n", "3", "--reverse")
    assert [one["job_id"] for one in newest] == jobs[:0:-1]


def test_a_repository_that_does_not_answer_is_unknown_and_holds_nobody_up(daemon: Daemon, tmp_path: Path) -> None:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "file").write_text("one\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    # As on a dead mount: whoever reads this waits for ever.
    os.mkfifo(folder / "fifo")
    with (folder / ".git" / "config").open("a") as config:
        config.write(f"[include]\n\tpath = {folder}/fifo\n")
    began = time.monotonic()
    provenance = submit_from(daemon, folder, "dead")
    assert (provenance.repo, provenance.commit_sha) == ("unknown", "unknown")
    assert time.monotonic() - began < 20
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    (other / "file").write_text("one\n")
    git(other, "add", ".")
    git(other, "commit", "-qm", "first")
    assert len(submit_from(daemon, other, "alive").commit_sha) == 40


def test_a_repository_that_cannot_be_read_is_unknown(daemon: Daemon, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / ".git" / "HEAD").write_bytes(b"\xff\x00rubbish")
    provenance = submit_from(daemon, tmp_path, "unreadable")
    assert (provenance.commit_sha, provenance.dirty_flag) == ("unknown", False)


def test_an_event_with_the_last_of_all_numbers_is_named_and_stops_nothing_but_new_jobs(daemon: Daemon) -> None:
    daemon.jobs.run("job.noop")
    out = daemon.make_folder("out")
    columns = "time_ns, kind, actor_uid, job_id, tool_id, outcome, leaf, hash, salt"
    tamper(daemon, f"INSERT INTO audit SELECT 9223372036854775807, {columns} FROM audit WHERE seq = 1")
    # Prepared up to the gate when it turns out that its intent cannot be written.
    task = {"script": f"touch {out}/ran"}
    reply = daemon.jobs.submit("shell.run", task, grants=[f"fs.write:{out}"])
    assert reply.status.code == pb2.E_INTERNAL and "9223372036854775807" in reply.status.message
    findings = verdict(daemon)["findings"]
    assert [one["what"] for one in findings] == ["moved"] and "9223372036854775807" in findings[0]["message"]
    health = daemon.stub().Health(pb2.HealthRequest(), timeout=30)
    assert health.status.ok and "cannot be written" in health.status.message
    tamper(daemon, "DELETE FROM audit WHERE seq > 1000000")
    assert not list(out.iterdir())
    assert daemon.jobs.run("shell.run", task, grants=[f"fs.write:{out}"])[-1].payload["to"] == "succeeded"
    assert list(out.iterdir()) and verdict(daemon)["ok"]


def test_no_program_begins_before_its_intent_is_recorded(daemon: Daemon) -> None:
    """However long that takes: somebody else holds the database."""
    daemon.jobs.run("job.noop")
    out = daemon.make_folder("out")
    database = sqlite3.connect(daemon.state / "domed.sqlite", isolation_level=None, check_same_thread=False)
    with closing(database), ThreadPoolExecutor() as pool:
        database.execute("BEGIN IMMEDIATE")
        task = {"script": f"touch {out}/ran"}
        submission = pool.submit(daemon.jobs.submit, "shell.run", task, grants=[f"fs.write:{out}"])
        time.sleep(0.5)
        early = list(out.iterdir())
        database.execute("COMMIT")
        reply = submission.result()
    assert early == [] and reply.status.ok, reply
    assert list(daemon.jobs.follow(reply.job_id))[-1].payload["to"] == "succeeded"
    assert [one.name for one in out.iterdir()] == ["ran"]


LONG = "yes $(head -c 4000 /dev/zero | tr '\\0' x) | head -c 15000001"


def test_a_long_output_is_hashed_whole_in_pieces(daemon: Daemon) -> None:
    reply = daemon.jobs.submit("shell.run", {"script": LONG}, wait_ms=60_000)
    query = "SELECT provenance_json FROM job_outcomes o JOIN jobs j ON o.job = j.id WHERE job_id = ?"
    ((text,),) = rows(daemon, query, reply.job_id)
    output = subprocess.run(["sh", "-c", LONG], check=True, capture_output=True).stdout
    assert len(output) == 15_000_001
    assert json.loads(text)["products"]["stdout_sha256"] == hashlib.sha256(output).hexdigest()


def test_a_pipe_that_comes_late_is_waited_for(daemon: Daemon) -> None:
    verifier = dome(daemon, "keys", "show").strip()
    command = daemon.command("audit", "verify-proof", "-", "--key", verifier)
    with subprocess.Popen(command, env=daemon.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as checking:
        assert checking.stdin is not None and checking.stdout is not None
        # Written only when it has come to reading: it sleeps then, in a read of the pipe.
        while "S" not in Path(f"/proc/{checking.pid}/stat").read_text().rsplit(")", 1)[1].split()[0]:
            time.sleep(0.01)
        checking.stdin.write(dome(daemon, "audit", "prove", "1").encode())
        checking.stdin.close()
        assert b"event 1 of" in checking.stdout.read()
        assert checking.wait(30) == 0
