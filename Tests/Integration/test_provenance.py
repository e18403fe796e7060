"""Where a result came from: real values for every job, "unknown" where there is none."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from domekit.daemon import Daemon
from domekit.paths import ROOT
from domekit.repository import git, submit_from

JOBS = [
    ("job.noop", {}),
    ("job.log", {"lines": ["x"]}),
    ("job.fail", {"reason": "x"}),
    ("domed.exec-probe", {"exit_code": 3}),
    ("shell.run", {"script": "kill -9 $$"}),
    ("shell.run", {"argv": ["/job/no/such/program"]}),
]


@pytest.mark.parametrize("tool, task", JOBS, ids=lambda value: value if isinstance(value, str) else "")
def test_every_field_is_there_for_every_job(daemon: Daemon, tool: str, task: Any) -> None:
    events = daemon.jobs.run(tool, task)
    provenance = daemon.jobs.status(events[0].raw.job_id).provenance
    assert provenance.repo and provenance.commit_sha and provenance.input_hash
    versions = json.loads(provenance.tool_versions_json)
    assert all(versions[name] for name in ("domed", "executor", "python"))
    fingerprint = json.loads(provenance.env_fingerprint)
    assert all(fingerprint[name] for name in ("python", "platform"))
    assert json.loads(provenance.contract_hashes_json)["tool_manifest_sha256"]


def test_the_manifest_hash_is_the_manifests(daemon: Daemon) -> None:
    reply = daemon.jobs.submit("job.noop", wait_ms=20_000)
    hashes = json.loads(daemon.jobs.status(reply.job_id).provenance.contract_hashes_json)
    manifest = json.loads((ROOT / "Registry" / "tools" / "job.noop" / "tool.json").read_text())
    # Of the document, not of the file: spaces and order mean nothing (RFC 8785; no numbers or odd names in it).
    canonical = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashes["tool_manifest_sha256"] == hashlib.sha256(canonical.encode()).hexdigest()


def test_the_input_hash_is_the_canonical_tasks(daemon: Daemon) -> None:
    hashes = set()
    for task in ('{"b":2,"a":[1,"x"]}', '{ "a": [1, "x"], "b": 2.0 }'):
        reply = daemon.jobs.submit("job.noop", task, wait_ms=20_000)
        hashes.add(daemon.jobs.status(reply.job_id).provenance.input_hash)
    # RFC 8785: members sorted, no spaces.
    assert hashes == {"sha256:" + hashlib.sha256(b'{"a":[1,"x"],"b":2}').hexdigest()}


def test_the_callers_repository_and_its_state_are_recorded(daemon: Daemon) -> None:
    repository = committed(daemon.directory / "repository")
    below = repository / "a" / "b"
    below.mkdir(parents=True)

    clean = submit_from(daemon, below, "k1")
    assert clean.repo == str(repository)
    assert clean.commit_sha == git(repository, "rev-parse", "HEAD")
    assert not clean.dirty_flag


def test_a_changed_repository_is_dirty(daemon: Daemon) -> None:
    repository = committed(daemon.directory / "repository")
    (repository / "file").write_text("changed")
    assert submit_from(daemon, repository, "k").dirty_flag


def test_a_new_file_makes_it_dirty_too(daemon: Daemon) -> None:
    repository = committed(daemon.directory / "repository")
    (repository / "new").write_text("")
    assert submit_from(daemon, repository, "k").dirty_flag


def test_outside_a_repository_the_source_is_unknown(daemon: Daemon) -> None:
    provenance = submit_from(daemon, daemon.home, "k")
    assert (provenance.repo, provenance.commit_sha, provenance.dirty_flag) == ("unknown", "unknown", False)


@pytest.fixture
def trap(daemon: Daemon) -> Path:
    """A program that must not be run; beside it the file `sprung` if it was."""
    program = daemon.directory / "trap"
    program.write_text(f'#!/bin/sh\necho "$0 $*" >>{daemon.directory}/sprung\ncat\n')
    program.chmod(0o755)
    return program


def committed(folder: Path) -> Path:
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "file").write_text("one\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    return folder


@pytest.mark.parametrize("kind", ["clean", "process"])
@pytest.mark.parametrize("name", ["x", "a.b=c d"])
def test_a_repositorys_filters_are_not_run(daemon: Daemon, trap: Path, kind: str, name: str) -> None:
    repository = committed(daemon.directory / "repository")
    git(repository, "config", f"filter.{name}.{kind}", str(trap))
    git(repository, "config", f"filter.{name}.required", "true")
    if name == "x":
        (repository / ".git" / "info" / "attributes").write_text("* filter=x\n")
    # Changed without a trace in size or (on most clocks) time, so that git must compare contents.
    (repository / "file").write_text("two\n")
    assert submit_from(daemon, repository, "k").dirty_flag
    assert not (daemon.directory / "sprung").exists()


def test_a_repositorys_monitors_and_hooks_are_not_run(daemon: Daemon, trap: Path) -> None:
    repository = committed(daemon.directory / "repository")
    (repository / "hooks").mkdir()
    for hook in ("post-index-change", "pre-auto-gc", "reference-transaction", "post-checkout"):
        (repository / "hooks" / hook).symlink_to(trap)
    for setting in ("core.fsmonitor", "core.pager", "core.sshCommand", "diff.external", "core.alternateRefsCommand"):
        git(repository, "config", setting, str(trap))
    git(repository, "config", "core.hooksPath", str(repository / "hooks"))
    submit_from(daemon, repository, "k")
    assert not (daemon.directory / "sprung").exists()


def test_a_submodule_is_not_asked(daemon: Daemon, trap: Path) -> None:
    repository = committed(daemon.directory / "repository")
    committed(daemon.directory / "inner")
    allow = ["-c", "protocol.file.allow=always"]
    git(repository, *allow, "submodule", "add", "-q", str(daemon.directory / "inner"), "inner")
    git(repository, "commit", "-qm", "second")
    git(repository / "inner", "config", "core.fsmonitor", str(trap))
    submit_from(daemon, repository, "k")
    assert not (daemon.directory / "sprung").exists()


def test_missing_objects_are_not_fetched(daemon: Daemon, trap: Path) -> None:
    repository = committed(daemon.directory / "repository")
    tree = git(repository, "rev-parse", "HEAD^{tree}")
    git(repository, "remote", "add", "origin", str(daemon.directory))
    for setting, value in (
        ("extensions.partialClone", "origin"),
        ("remote.origin.promisor", "true"),
        ("remote.origin.uploadpack", str(trap)),
        ("protocol.file.allow", "always"),
        ("core.repositoryFormatVersion", "1"),
    ):
        git(repository, "config", setting, value)
    (repository / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    assert submit_from(daemon, repository, "k").dirty_flag, "what cannot be found out is not called clean"
    assert not (daemon.directory / "sprung").exists()


def test_what_was_enforced_is_recorded(daemon: Daemon) -> None:
    events = daemon.jobs.run("domed.exec-probe")
    status = daemon.jobs.status(events[0].raw.job_id)
    layers = json.loads(status.enforcement_json)["layers"]
    assert {"mount_namespace", "pid_namespace", "no_new_privs"} <= set(layers)
    assert json.loads(status.provenance_json)["sandbox"]["layers"] == layers
    assert json.loads(status.resources_json)["wall_us"] > 0


def test_provenance_survives_a_restart(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon().start()
    events = daemon.jobs.run("domed.exec-probe")
    before = daemon.jobs.status(events[0].raw.job_id)
    daemon.restart()
    assert daemon.jobs.status(events[0].raw.job_id) == before
