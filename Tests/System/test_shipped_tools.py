"""Tools of one's own, and the shipped ones that read granted folders."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path

import pytest

from domekit.daemon import Daemon
from domekit.waiting import until

pytestmark = pytest.mark.both_users


def test_a_tool_of_ones_own_appears_without_a_restart(daemon: Daemon) -> None:
    folder = daemon.data_home / "dome" / "registry" / "tools" / "my.tool"
    folder.mkdir(parents=True, mode=0o755)
    manifest = {
        "tool_id": "my.tool",
        "version": "1.0.0",
        "title": "Mine",
        "short_description": "Greets.",
        "description": "Greets.",
        "kind": "test",
        "executor": "dome.local-process",
        "entrypoint": {"argv": ["/bin/sh", "/job/.tool/greet.sh", "${task.name}"]},
        "files": ["greet.sh"],
    }
    (folder / "greet.sh").write_text('echo "hello $1"\n')
    (folder / "input.schema.json").write_text('{"type": "object", "required": ["name"]}')
    (folder / "tool.json").write_text(json.dumps(manifest))
    # The registry is looked at again when somebody asks, at most once a second.
    until(lambda: "my.tool" in daemon.dome("tools").stdout, "the registry is read again")
    assert daemon.dome("run", "my.tool", "-t", '{"name": "you; id"}').stdout == "hello you; id\n"
    (folder / "tool.json").write_text(json.dumps(manifest | {"entrypont": 1}))
    until(lambda: "my.tool" not in daemon.dome("tools").stdout, "the registry is read again")
    doctor = daemon.dome("doctor")
    assert doctor.returncode == 1 and "entrypont" in doctor.stdout


def test_git_log_lists_a_repository(daemon: Daemon) -> None:
    repository = daemon.directory / "repo"
    git(repository.parent, "init", "-q", str(repository))
    git(repository, "commit", "-q", "--allow-empty", "-m", 'first "one"\n\nbody\n\nmore')
    git(repository, "commit", "-q", "--allow-empty", "-m", "second")
    # What a hostile repository would try.
    evil = repository / "evil.sh"
    evil.write_text(f"#!/bin/sh\ntouch {repository}/EVIL\n")
    evil.chmod(0o755)
    for key in ("core.pager", "gpg.program", "core.fsmonitor", "diff.external"):
        git(repository, "config", key, str(evil))
    git(repository, "config", "log.showSignature", "true")
    daemon.own(repository)
    result = daemon.dome("run", "git.log", "-g", "fs.read:repo", "-t", json.dumps({"repository": str(repository)}))
    commits = [json.loads(line) for line in result.stdout.splitlines()]
    assert [commit["subject"] for commit in commits] == ["second", 'first "one"'], result.stderr
    assert commits[1]["body"] == "body\n\nmore" and commits[1]["parents"] == []
    assert commits[0]["parents"] == [commits[1]["commit"]] and commits[0]["author"]["email"] == "a@example.org"
    assert not (repository / "EVIL").exists()


def test_text_search_gives_bytes_that_are_no_text_as_base_64(daemon: Daemon) -> None:
    folder = daemon.directory / "texts"
    folder.mkdir()
    (folder / 'odd\n"name').write_bytes(b'say "needle"\n\xff needle\xfe\r\nno\n')
    (folder / "binary").write_bytes(b"needle\0")
    (folder / ".git").mkdir()
    (folder / ".git" / "x").write_text("needle")
    daemon.own(folder)
    task = json.dumps({"pattern": "need(le)", "path": str(folder)})
    result = daemon.dome("run", "text.search", "-g", "fs.read:texts", "-t", task)
    matches = [json.loads(line) for line in result.stdout.splitlines()]
    assert [match["line"] for match in matches] == [1, 2], result
    assert {match["path"] for match in matches} == {str(folder / 'odd\n"name')}
    assert matches[0]["text"] == 'say "needle"'
    assert base64.b64decode(matches[1]["text_b64"]).startswith(b"\xff needle\xfe")
    missing = daemon.dome("run", "text.search", "-t", task)
    assert missing.returncode == 2 and "was it granted?" in missing.stderr


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    subprocess.run(["git", "-C", folder, *identity, *arguments], check=True, env=environment)
