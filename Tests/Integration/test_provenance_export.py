"""Provenance that others can check: exported as in-toto's statement, verified by the code of in-toto and
securesystemslib; what two jobs differ in; a job once more."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from in_toto_attestation.v1.statement import Statement
from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

from domekit.auditing import events, tamper
from domekit.daemon import Daemon
from domekit.paths import ROOT
from domekit.repository import git


def dome(daemon: Daemon, *arguments: str, status: int = 0, input: str | None = None) -> str:
    done = daemon.dome(*arguments, input=input)
    assert done.returncode == status, (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout if status == 0 else done.stderr + done.stdout


def run(daemon: Daemon, *script: str) -> str:
    return daemon.jobs.run("shell.run", {"script": "; ".join(script)})[0].raw.job_id


def public_key(daemon: Daemon) -> SSlibKey:
    verifier = dome(daemon, "keys", "show").splitlines()[-1]
    raw = base64.b64decode(verifier.split("+", 2)[2])[1:]
    return SSlibKey(verifier, "ed25519", "ed25519", {"public": raw.hex()})


def test_the_export_is_accepted_by_other_peoples_verifiers(daemon: Daemon) -> None:
    job = run(daemon, "echo one", "echo two >&2", "mkdir out", "printf three >out/file")
    envelope = Envelope.from_dict(json.loads(dome(daemon, "provenance", "export", job)))
    key = public_key(daemon)
    assert list(envelope.verify([key], 1)) == [key.keyid]
    assert envelope.payload_type == "application/vnd.in-toto+json"
    message = json_format.Parse(envelope.payload.decode(), statement_pb2.Statement())
    Statement.copy_from_pb(message).validate()
    statement = json.loads(envelope.payload)
    products = {one["name"]: one["digest"]["sha256"] for one in statement["subject"]}
    assert products == {
        f"{job}/stdout": hashlib.sha256(b"one\n").hexdigest(),
        f"{job}/stderr": hashlib.sha256(b"two\n").hexdigest(),
        f"{job}/out/file": hashlib.sha256(b"three").hexdigest(),
    }
    predicate = statement["predicate"]
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    assert predicate["runDetails"]["metadata"]["invocationId"] == job
    materials = {one.get("name"): one["digest"] for one in predicate["buildDefinition"]["resolvedDependencies"]}
    assert {"tool/tool_manifest_sha256", "executor", "program"} <= set(materials)
    shell = Path("/bin/sh").resolve()
    assert materials["program"]["sha256"] == hashlib.sha256(shell.read_bytes()).hexdigest()

    changed = json.loads(dome(daemon, "provenance", "export", job))
    changed["payload"] = base64.b64encode(envelope.payload.replace(b"shell.run", b"shell.ran")).decode()
    with pytest.raises(VerificationError):
        Envelope.from_dict(copy.deepcopy(changed)).verify([key], 1)
    assert "not signed" in dome(daemon, "provenance", "verify", "-", status=65, input=json.dumps(changed))


def test_the_check_in_the_security_document_works_as_it_is_written(daemon: Daemon) -> None:
    job = run(daemon, "echo one")
    text = (ROOT / "docs" / "SECURITY.md").read_text()
    (script,) = [part.split("```")[0] for part in text.split("```sh\n") if "provenance export" in part.split("```")[0]]
    programs = daemon.make_folder("programs")
    dome_line = shlex.join(daemon.command())
    for name, line in (("dome", dome_line), ("python3", shlex.quote(sys.executable))):
        (programs / name).write_text(f'#!/bin/sh\nexec {line} "$@"\n')
        (programs / name).chmod(0o755)
    def checked() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script.replace("JOB", job)], cwd=daemon.directory, text=True,
            env=daemon.environment | {"PATH": f"{programs}:{os.environ['PATH']}"}, capture_output=True, timeout=60)
    done = checked()
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["predicate"]["runDetails"]["metadata"]["invocationId"] == job
    # With the key of somebody else it does not hold.
    another = "openssl genpkey -algorithm ed25519 | openssl pkey -pubout >key.pem"
    script = script.replace("dome keys show --pem >key.pem", another)
    assert another in script
    assert checked().returncode != 0


def test_the_document_that_is_exported_is_the_one_the_log_vouches_for(daemon: Daemon) -> None:
    job = run(daemon, "true")
    text = dome(daemon, "provenance", "export", job)
    shown = json.loads(dome(daemon, "provenance", "verify", "-", "-o", "json", input=text))
    document = base64.b64decode(shown["statement"]["predicate"]["runDetails"]["byproducts"][0]["content"])
    (event,) = [
        json.loads(line) for line in dome(daemon, "audit", "--job", job, "--kind", "outcome", "-o", "json").splitlines()
    ]
    recorded = json.loads(event["leaf_json"])["details"]["provenance_sha256"]
    assert hashlib.sha256(document).hexdigest() == recorded
    assert json.loads(document)["products"]["stdout_sha256"] == hashlib.sha256(b"").hexdigest()


def test_a_jobs_provenance_is_verified_by_its_id(new_daemon: Callable[..., Daemon]) -> None:
    daemon, other = new_daemon().start(), new_daemon().start()
    job = run(daemon, "echo one")
    verifier = dome(daemon, "keys", "show").splitlines()[-1]
    for name in (job, daemon.jobs.status(job).run_id):
        shown = json.loads(dome(daemon, "provenance", "verify", name, "--key", verifier, "-o", "json"))
        (event,) = events(daemon, "--job", job, "--kind", "outcome")
        assert shown["ok"] and shown["key"] == verifier and shown["event"] == event["seq"]
        assert shown["statement"]["predicate"]["runDetails"]["metadata"]["invocationId"] == job
    text = dome(daemon, "provenance", "verify", job)
    assert f"event {event['seq']} of " in text and hashlib.sha256(b"one\n").hexdigest() in text
    # A file of that name is one all the same.
    (daemon.directory / job).write_text("rubbish")
    assert "not valid JSON" in dome(daemon, "provenance", "verify", f"./{job}", status=65)
    assert "not found" in dome(daemon, "provenance", "verify", "job-" + "0" * 26, status=66)
    foreign = dome(other, "keys", "show").strip()
    said = dome(daemon, "provenance", "verify", job, "--key", foreign, status=65)
    assert "not signed by a key that is trusted" in said
    tamper(daemon, "UPDATE job_outcomes SET provenance_json = json_set(provenance_json, '$.repo', 'elsewhere')")
    assert f"event {event['seq']}" in dome(daemon, "provenance", "verify", job, status=1)
    tamper(daemon, f"DELETE FROM audit WHERE seq = {event['seq']}")
    assert "audit verify" in dome(daemon, "provenance", "verify", job, status=1)


def test_a_running_job_has_no_provenance_to_export(daemon: Daemon) -> None:
    job = daemon.jobs.start("shell.run", {"script": "sleep 1000"})
    assert "has not ended" in dome(daemon, "provenance", "export", job, status=65)
    assert "not found" in dome(daemon, "provenance", "export", "job-" + "0" * 26, status=66)
    daemon.jobs.cancel(job)


def submit_in(daemon: Daemon, folder: Path, *arguments: str) -> str:
    task = json.dumps({"repository": str(folder)})
    command = daemon.command("run", "git.log", "--detach", "-g", f"fs.read:{folder}", "-t", task)
    done = subprocess.run(
        command, env=daemon.environment, cwd=folder, capture_output=True, text=True, timeout=60, check=True)
    job = done.stdout.strip()
    list(daemon.jobs.follow(job))
    return job


def test_a_diff_says_what_changed_and_where_the_output_parts(daemon: Daemon) -> None:
    folder = daemon.directory / "repository"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "file").write_text("one\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    before = submit_in(daemon, folder)
    again = submit_in(daemon, folder)
    assert "no difference" in dome(daemon, "diff", before, again)
    (folder / "file").write_text("two\n")
    # What git said is kept for two seconds.
    daemon.restart()
    edited = submit_in(daemon, folder)
    found = {one["name"] for one in json.loads(dome(daemon, "diff", before, edited, "-o", "json", status=1))}
    assert found == {"dirty_flag", "source_diff_sha256"}
    git(folder, "commit", "-qam", "second")
    daemon.restart()
    later = submit_in(daemon, folder)
    found = {one["name"]: one for one in json.loads(dome(daemon, "diff", before, later, "-o", "json", status=1))}
    assert {"commit_sha", "products.stdout_sha256", "stdout line 1"} <= set(found)
    assert found["commit_sha"]["right"] in found["stdout line 1"]["right"]


def test_a_job_runs_once_more_and_says_what_has_changed(daemon: Daemon) -> None:
    job = run(daemon, "echo hello")
    assert dome(daemon, "rerun", job, "--exact") == "hello\n"
    daemon.write_policy({"version": 1, "deny_paths": ["/srv"]})
    refused = dome(daemon, "rerun", job, "--exact", status=65)
    assert "policy_sha256" in refused and "cannot be repeated exactly" in refused
    done = daemon.dome("rerun", job)
    assert done.returncode == 0 and done.stdout == "hello\n" and "changed since: policy_sha256" in done.stderr
    other = dome(daemon, "rerun", job, "-d", "--key", "k").strip()
    assert dome(daemon, "rerun", job, "-d", "--key", "k").strip() == other
    assert "not found" in dome(daemon, "rerun", "job-" + "0" * 26, status=66)


def test_the_sandbox_has_a_digest_and_the_request_its_constraints(daemon: Daemon) -> None:
    def document(**constraints: Any) -> dict[str, Any]:
        job = daemon.jobs.run("shell.run", {"script": "true"}, **constraints)[0].raw.job_id
        shown: dict[str, Any] = json.loads(dome(daemon, "provenance", "show", job, "-o", "json"))
        verified = json.loads(dome(daemon, "provenance", "verify", job, "-o", "json"))
        definition = verified["statement"]["predicate"]["buildDefinition"]
        assert definition["externalParameters"]["constraints"] == shown["invocation"]["constraints"]
        assert definition["internalParameters"]["sandbox_profile_sha256"] == shown["sandbox_profile_sha256"]
        return shown

    folder = daemon.make_folder("granted")
    one, again, shorter = document(), document(), document(timeout_ms=7_000, priority=3, own="hunter2")
    granted = document(grants=[f"fs.read:{folder}"])
    profiles = [each["sandbox_profile_sha256"] for each in (one, again, shorter, granted)]
    assert all(len(profile) == 64 for profile in profiles)
    assert profiles[0] == profiles[1] and len(set(profiles)) == 3
    assert one["invocation"]["constraints"] == {"priority": 0}
    assert shorter["invocation"]["constraints"] == {"priority": 3, "timeout_ms": 7_000}
    assert "hunter2" not in json.dumps(shorter)


def test_more_of_where_a_result_came_from(daemon: Daemon) -> None:
    job = run(daemon, "seq 1000", "printf tail")
    document: dict[str, Any] = json.loads(dome(daemon, "provenance", "show", job, "-o", "json"))
    output = "".join(f"{number}\n" for number in range(1, 1001)) + "tail"
    assert document["products"]["stdout_sha256"] == hashlib.sha256(output.encode()).hexdigest()
    assert len(document["env_sha256"]) == 64 and document["env_fingerprint"]["cpu"]
    assert document["policy_sha256"] == "default" and len(document["executor_library_sha256"]) == 64
    caller = Path(document["invocation"]["caller"]["executable"])
    assert document["caller_executable_sha256"] == hashlib.sha256(caller.read_bytes()).hexdigest()
