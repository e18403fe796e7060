"""The audit log as something that can be proven: held against an RFC 6962 of our own in Python, asked, redacted,
tampered with, and written while the disk is full."""

from __future__ import annotations

import concurrent.futures
import csv
import hashlib
import hmac
import io
import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from domekit import rfc6962
from domekit.auditing import dome, events, key, tamper, verdict
from domekit.daemon import Daemon, pb2
from domekit.database import rows


def busy(daemon: Daemon) -> list[str]:
    """Some jobs, one of them failed, and a denial."""
    jobs = [daemon.jobs.run("job.noop")[0].raw.job_id for _ in range(3)]
    jobs.append(daemon.jobs.run("job.fail", {"reason": "x"})[0].raw.job_id)
    daemon.jobs.submit("shell.run", {"script": "denied"}, grants=[f"fs.read:{daemon.state}"])
    return jobs


def test_the_tree_and_its_checkpoint_are_what_rfc_6962_says(daemon: Daemon) -> None:
    busy(daemon)
    dome(daemon, "audit", "prove", "1")  # has everything signed
    exported = [json.loads(line) for line in dome(daemon, "audit", "export").splitlines()]
    assert [one["seq"] for one in exported] == list(range(1, len(exported) + 1))
    hashes = [rfc6962.leaf_hash(one["leaf_json"].encode()) for one in exported]
    assert [one["leaf_hash"] for one in exported] == [value.hex() for value in hashes]
    found = verdict(daemon)
    assert found["ok"] and found["checked"] == found["total"] >= len(hashes)
    checkpoint = rfc6962.verified_checkpoint(found["checkpoint"], key(daemon))
    assert checkpoint.root == rfc6962.tree_hash(hashes[: checkpoint.size])


def test_proofs_hold_offline_for_every_event_and_for_no_other(daemon: Daemon) -> None:
    busy(daemon)
    verifier = key(daemon)
    total = verdict(daemon)["total"]
    exported = {one["seq"]: one["leaf_json"] for one in events(daemon, "--all")}
    for seq in range(1, total + 1):
        proof = dome(daemon, "audit", "prove", str(seq))
        assert rfc6962.verified_proof(proof, verifier) == (seq - 1, exported[seq].encode())
    daemon.stop()
    path = daemon.directory / "proof"
    path.write_text(proof)
    shown = dome(daemon, "--no-start", "audit", "verify-proof", str(path), "--key", verifier)
    assert f"event {total} of " in shown
    path.write_text(proof.replace(f"index {total - 1}", f"index {total - 2}"))
    assert "does not hold" in dome(daemon, "audit", "verify-proof", str(path), "--key", verifier, status=65)


def test_a_proof_of_another_log_is_told_as_that(new_daemon: Callable[..., Daemon]) -> None:
    one, other = new_daemon().start(), new_daemon().start()
    proof = dome(one, "audit", "prove", "1")
    message = dome(other, "audit", "verify-proof", "-", "--key", key(other), status=65, input=proof)
    assert key(one).split("+")[0] in message and key(other).split("+")[0] in message
    assert "no proof" in dome(other, "audit", "verify-proof", "-", "--key", key(other), status=65, input="rubbish")


def test_a_task_is_in_the_log_as_a_code_under_its_own_salt(daemon: Daemon) -> None:
    job = daemon.jobs.run("job.log", {"lines": ["hunter2"]})[0].raw.job_id
    (leaf, salt), = rows(daemon, "SELECT leaf, salt FROM audit WHERE job_id = ? AND kind = 'intent'", job)
    (task,), = rows(daemon, "SELECT task_json FROM job_requests r JOIN jobs j ON r.job = j.id WHERE job_id = ?", job)
    code = hmac.new(salt, task.encode(), hashlib.sha256).hexdigest()
    assert json.loads(leaf)["payload"] == f"hmac-sha256:{code}" and b"hunter2" not in leaf


def test_filters_are_anded_and_summaries_add_up(daemon: Daemon) -> None:
    jobs = busy(daemon)
    assert {one["job_id"] for one in events(daemon, "--tool", "job.noop", "--kind", "outcome")} == set(jobs[:3])
    assert [one["job_id"] for one in events(daemon, "--outcome", "failed", "--since", "-1h")] == [jobs[3]]
    assert events(daemon, "--outcome", "denied", "--tool", "job.noop") == []
    (denied,) = events(daemon, "--outcome", "denied", "--actor", str(os.getuid()), "--payload")
    assert json.loads(denied["payload"]) == {"script": "denied"}
    assert [one["job_id"] for one in events(daemon, "--grep", "job\\.fail.*failed|failed.*job\\.fail")] == [jobs[3]]
    assert events(daemon, "--until", "yesterday") == []
    counts = json.loads(dome(daemon, "audit", "summary", "--by", "tool", "-o", "json"))
    assert {one["key"]: one["count"] for one in counts} == {"job.noop": 6, "job.fail": 2, "shell.run": 1}
    table = list(csv.DictReader(io.StringIO(dome(daemon, "audit", "export", "-o", "csv"))))
    assert [int(row["seq"]) for row in table] == [one["seq"] for one in events(daemon, "--all")]
    assert all(json.loads(row["leaf_json"])["kind"] == row["kind"] for row in table)


def test_pages_by_cursor_have_no_gap_and_no_repeat(daemon: Daemon) -> None:
    busy(daemon)
    everything = [one["seq"] for one in events(daemon, "--all")]
    found: list[int] = []
    cursor: list[str] = []
    while page := events(daemon, "-n", "2", *(["--after-cursor", cursor[0]] if cursor else ["--after-cursor", "a1-0"])):
        found += [one["seq"] for one in page]
        cursor = [page[-1]["cursor"]]
    assert found == everything
    assert [one["seq"] for one in events(daemon, "-n", "3")] == everything[-3:]
    assert [one["seq"] for one in events(daemon, "-n", "3", "--reverse")] == everything[:-4:-1]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--since", "tomorrow-ish"], 64, "2026-01-31"),
        (["--until", "2026-13-01"], 64, "yesterday"),
        (["--after-cursor", "xyz"], 65, "a1-1f4"),
        (["--grep", "("], 64, "regular expression"),
        (["--actor", "nobody-of-that-name"], 64, "number"),
        (["--job", "nonsense"], 64, "dome jobs"),
        (["-n", "0"], 64, "above 0"),
        (["summary", "--by", "colour"], 64, "outcome"),
        (["prove", "999999"], 66, "from 1 to"),
        (["prove", "x"], 64, "numbered from 1"),
        (["verify-proof", "/no/such/file", "--key", "x"], 66, "/no/such/file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_understood_is_told_with_what_can(
    daemon: Daemon, arguments: list[str], status: int, words: str
) -> None:
    assert words in dome(daemon, "audit", *arguments, status=status)


def test_following_goes_on_across_a_restart(daemon: Daemon) -> None:
    first = daemon.jobs.run("job.noop")[0].raw.job_id
    follower = subprocess.Popen(
        daemon.command("audit", "-f", "-n", "1", "--kind", "outcome", "-o", "json"),
        env=daemon.environment, stdout=subprocess.PIPE, text=True,
    )
    try:
        assert follower.stdout is not None
        assert json.loads(follower.stdout.readline())["job_id"] == first
        second = daemon.jobs.run("job.noop")[0].raw.job_id
        assert json.loads(follower.stdout.readline())["job_id"] == second
        daemon.restart()
        third = daemon.jobs.run("job.noop")[0].raw.job_id
        assert json.loads(follower.stdout.readline())["job_id"] == third
    finally:
        follower.kill()
        follower.wait()


def test_one_flipped_byte_is_named_while_the_daemon_runs(daemon: Daemon) -> None:
    busy(daemon)
    assert verdict(daemon)["ok"]
    (seq,) = [one["seq"] for one in events(daemon, "--tool", "job.fail", "--kind", "intent")]
    changed = "CAST(replace(CAST(leaf AS TEXT), 'job.fail', 'job.fain') AS BLOB)"
    tamper(daemon, f"UPDATE audit SET leaf = {changed} WHERE seq = {seq}")
    assert [one["seq"] for one in verdict(daemon)["findings"]] == [seq, seq]
    assert f"event {seq}" in dome(daemon, "audit", "verify", status=1)
    assert "audit verify" in dome(daemon, "audit", "prove", str(seq), status=70)


def test_yesterdays_database_is_found_out_and_so_is_a_missing_anchor(daemon: Daemon) -> None:
    busy(daemon)
    daemon.stop()
    copy = (daemon.state / "domed.sqlite").read_bytes()
    daemon.start()
    busy(daemon)
    daemon.stop()
    (daemon.state / "domed.sqlite").write_bytes(copy)
    daemon.start()
    found = verdict(daemon)["findings"][0]
    assert found["what"] == "cut" and "older copy" in found["message"]
    # It stays found out, whatever is signed since, and the log itself says when.
    busy(daemon)
    daemon.stop()
    daemon.start()
    assert any("kept as" in one["message"] or "anchor" in one["message"] for one in verdict(daemon)["findings"])
    assert [one["outcome"] for one in events(daemon, "--kind", "anchor")] == ["cut"]
    daemon.stop()
    for path in daemon.state.glob("audit-anchor*"):
        path.unlink()
    daemon.start()
    assert verdict(daemon)["findings"][-1]["what"] == "anchor"


def test_a_checkpoint_kept_elsewhere_is_held_against_the_log(new_daemon: Callable[..., Daemon]) -> None:
    daemon, other = new_daemon().start(), new_daemon().start()
    busy(daemon)
    dome(daemon, "audit", "prove", "1")
    note = daemon.directory / "note"
    note.write_text(verdict(daemon)["checkpoint"])
    assert verdict(daemon, "--against", str(note))["ok"]
    found = verdict(other, "--against", str(note))
    assert found["findings"][0]["what"] == "signature"
    note.write_text("rubbish")
    assert "no signed note" in dome(daemon, "audit", "verify", "--against", str(note), status=65)


def test_keys_are_made_once_kept_private_and_rotated(daemon: Daemon) -> None:
    busy(daemon)
    before = dome(daemon, "audit", "prove", "2")
    private = daemon.state / "keys" / "current"
    assert private.stat().st_mode & 0o777 == 0o600
    old = key(daemon)
    daemon.restart()
    assert key(daemon) == old
    new = dome(daemon, "keys", "rotate").strip()
    assert new != old and dome(daemon, "keys", "show").splitlines() == [old, new]
    assert private.stat().st_mode & 0o777 == 0o600 and private.read_text().split("+")[3] == new.split("+")[1]
    busy(daemon)
    # The newest event is not covered by what the old key signed.
    after = dome(daemon, "audit", "prove", str(events(daemon, "-n", "1")[0]["seq"]))
    assert rfc6962.verified_proof(before, old) and rfc6962.verified_proof(after, new)
    assert verdict(daemon)["ok"]
    assert [one["outcome"] for one in events(daemon, "--kind", "key")] == ["created", "rotated"]
    # Both are trusted without being named, on this machine.
    for proof in (before, after):
        dome(daemon, "audit", "verify-proof", "-", input=proof)


@pytest.mark.parametrize("harm", ["rubbish", "readable"])
def test_a_key_that_cannot_be_trusted_keeps_the_daemon_from_starting(daemon: Daemon, harm: str) -> None:
    daemon.stop()
    private = daemon.state / "keys" / "current"
    if harm == "rubbish":
        private.write_text("rubbish")
    else:
        private.chmod(0o644)
    last = daemon.refuses_to_start()
    assert str(private) in last and "move it away" in last
    private.unlink()
    daemon.start()
    assert verdict(daemon)["ok"] and len(dome(daemon, "keys", "show").splitlines()) == 2


def test_clients_submit_while_others_verify_and_ask(daemon: Daemon) -> None:
    def submit(client: int) -> list[str]:
        stub = daemon.stub()
        return [
            stub.SkillExecute(
                pb2.SkillExecuteRequest(
                    skill_id="job.noop", profile="p", idempotency_key=f"{client}-{number}",
                    constraints_json='{"wait_ms":20000}',
                ),
                timeout=60,
            ).job_id
            for number in range(10)
        ]

    with concurrent.futures.ThreadPoolExecutor(34) as pool:
        submitting = [pool.submit(submit, client) for client in range(32)]
        while not all(one.done() for one in submitting):
            assert verdict(daemon)["ok"]
            seen = events(daemon, "--tool", "job.noop", "-n", "100")
            assert [one["seq"] for one in seen] == sorted({one["seq"] for one in seen})
        jobs = {job for one in submitting for job in one.result()}
    assert len(jobs) == 320
    assert verdict(daemon)["ok"]
    kinds = json.loads(dome(daemon, "audit", "summary", "--by", "kind", "-o", "json"))
    counted = {one["key"]: one["count"] for one in kinds}
    assert counted["intent"] == counted["outcome"] == 320


def test_rules_that_change_are_in_the_log(daemon: Daemon) -> None:
    daemon.jobs.run("job.noop")
    daemon.write_policy({"version": 1, "tools": {"shell.run": {"enabled": False}}})
    daemon.jobs.submit("shell.run", {"script": "x"})
    deadline = time.monotonic() + 20
    while not events(daemon, "--kind", "policy"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    (change,) = events(daemon, "--kind", "policy")
    policy = json.loads((daemon.config_home / "dome" / "policy.json").read_text())
    canonical = json.dumps(policy, sort_keys=True, separators=(",", ":"))
    assert json.loads(change["leaf_json"])["details"]["sha256"] == hashlib.sha256(canonical.encode()).hexdigest()


def fill(path: Path) -> Path:
    filler = path / "filler"
    with filler.open("wb") as file:
        try:
            while True:
                os.write(file.fileno(), b"\0" * 4096)
        except OSError:
            pass
    return filler


@pytest.mark.skipif(os.getuid() != 0, reason="mounting a small disk needs root")
def test_on_a_full_disk_nothing_new_begins_and_no_event_is_lost(little: Daemon) -> None:
    little.start()
    job = little.jobs.start("shell.run", {"script": "sleep 1000"})
    filler = fill(little.state)
    replies = [little.jobs.submit("job.noop", {"filler": "x" * 8192}, key=f"k{number}") for number in range(12)]
    assert any(reply.status.code == pb2.E_RESOURCE_EXHAUSTED for reply in replies)
    little.jobs.cancel(job)
    health = little.stub().Health(pb2.HealthRequest(), timeout=30)
    assert health.status.ok and "audit" in health.status.message
    assert events(little, "--job", job) and not verdict(little)["findings"]
    filler.unlink()
    list(little.jobs.follow(job, timeout=60))
    deadline = time.monotonic() + 30
    while not events(little, "--kind", "canceled", "--job", job):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert little.jobs.run("job.noop")[-1].payload["to"] == "succeeded"
    assert verdict(little)["ok"] and not little.stub().Health(pb2.HealthRequest(), timeout=30).status.message
