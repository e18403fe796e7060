"""What git says of the caller's folder is what it would say at that moment, however fast jobs and edits follow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from domekit.daemon import Daemon
from domekit.repository import git, job_from, submit_from
from domekit.tools import registry, write_script_tool
from domekit.waiting import until


@pytest.fixture
def repository(daemon: Daemon) -> Path:
    folder = daemon.directory / "repository"
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "b" / "deep").write_text("1\n")
    (folder / "top").write_text("1\n")
    (folder / ".gitignore").write_text("*.o\n")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    return folder


CHANGES = {
    "a file": lambda folder: (folder / "top").write_text("2\n"),
    "a deep file": lambda folder: (folder / "a" / "b" / "deep").write_text("2\n"),
    "in place": lambda folder: (folder / "top").open("r+").write("3"),
    "a new file": lambda folder: (folder / "a" / "new").write_text(""),
    "a new folder": lambda folder: (folder / "c" / "d").mkdir(parents=True),
    "a file in it": lambda folder: (folder / "c" / "d" / "new").write_text(""),
    "another beside it": lambda folder: (folder / "c" / "d" / "more").write_text(""),
    "a mode": lambda folder: (folder / "top").chmod(0o755),
    "a removal": lambda folder: (folder / "a" / "b" / "deep").unlink(),
    "a commit": lambda folder: (git(folder, "add", "-A"), git(folder, "commit", "-qm", "second")),
    "a branch": lambda folder: git(folder, "checkout", "-q", "-b", "topic/x"),
    "a commit on it": lambda folder: git(folder, "commit", "-q", "--allow-empty", "-m", "third"),
    "the branch's name set elsewhere": lambda folder: git(folder, "update-ref", "refs/heads/topic/x", "main"),
}


def truth(folder: Path) -> tuple[str, bool]:
    return git(folder, "rev-parse", "HEAD"), git(folder, "status", "--porcelain") != ""


def test_every_change_shows_in_the_very_next_job(daemon: Daemon, repository: Path) -> None:
    submit_from(daemon, repository, "first")
    for name, change in CHANGES.items():
        # Twice before it: the second answer is one that was kept.
        before = [submit_from(daemon, repository, f"{name} {count}") for count in range(2)]
        change(repository)
        after = submit_from(daemon, repository, f"{name} after")
        assert (after.commit_sha, after.dirty_flag) == truth(repository), name
        assert (before[0].commit_sha, before[0].dirty_flag) == (before[1].commit_sha, before[1].dirty_flag)
    git(repository, "remote", "add", "origin", "https://example.org/x.git")
    shown = daemon.dome("provenance", "show", job_from(daemon, repository, "last"), "-o", "json").stdout
    assert "https://example.org/x.git" in shown


def test_a_diff_names_an_edit_between_two_jobs(daemon: Daemon, repository: Path) -> None:
    jobs = []
    for text in ("2\n", "3\n"):
        (repository / "top").write_text(text)
        jobs.append(job_from(daemon, repository, f"wrote {text.strip()}"))
    assert "source_diff_sha256" in daemon.dome("diff", *jobs).stdout


def test_the_repository_of_a_tool_of_ones_own_is_recorded_too(daemon: Daemon) -> None:
    job = daemon.jobs.run("job.noop")[0].raw.job_id
    shipped = json.loads(daemon.dome("provenance", "show", job, "-o", "json").stdout)
    assert "tool_source" not in shipped
    folder = write_script_tool(daemon, "own.tool", "true")
    assert source_of_tool(daemon)["repo"] == "unknown"
    repository = registry(daemon).parent
    git(repository, "init", "-q", "-b", "main")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "a tool")
    # Whether there is a repository is looked at anew each two seconds.
    until(lambda: source_of_tool(daemon)["repo"] != "unknown", "the tool's repository")
    found = source_of_tool(daemon)
    commit = git(folder, "rev-parse", "HEAD")
    assert (found["repo"], found["commit_sha"], found["dirty_flag"]) == (str(repository), commit, False)
    # Not what the tool is pinned with.
    (folder / "notes").write_text("changed")
    assert source_of_tool(daemon)["dirty_flag"]


def source_of_tool(daemon: Daemon) -> dict[str, Any]:
    job = daemon.jobs.run("own.tool")[0].raw.job_id
    document = json.loads(daemon.dome("provenance", "show", job, "-o", "json").stdout)
    materials = json.loads(daemon.dome("provenance", "verify", job, "-o", "json").stdout)["statement"]["predicate"][
        "buildDefinition"]["resolvedDependencies"]
    commits = {one["digest"].get("gitCommit") for one in materials}
    assert document["tool_source"]["commit_sha"] in commits | {"unknown"}
    found: dict[str, Any] = document["tool_source"]
    return found


def test_what_cannot_be_watched_is_asked_anew(daemon: Daemon, repository: Path) -> None:
    (repository / ".gitmodules").write_text("")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "second")
    assert not submit_from(daemon, repository, "before").dirty_flag
    (repository / "top").write_text("2\n")
    assert submit_from(daemon, repository, "after").dirty_flag
