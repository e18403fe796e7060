"""git.status and git.diff in the jail, over repositories that mean no good."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path

from domekit.daemon import Daemon
from domekit.shipped import both, new_folder, not_accepted, reads, refusal, result  # noqa: F401

ODD_NAME = b"odd\t\n\xff"


def git(folder: Path, *arguments: str, status: int = 0) -> None:
    """Runs git, which must end with that status."""
    settings = ["user.name=A", "user.email=a@example.org", "commit.gpgsign=false", "safe.directory=*"]
    options = [option for setting in settings for option in ("-c", setting)]
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    command = ["git", "-C", folder, *options, *arguments]
    done = subprocess.run(command, check=False, env=environment, capture_output=True)
    assert done.returncode == status, done


def repository(folder: Path) -> Path:
    """One commit, a file that was renamed in the index, one changed, one new, one of an odd name."""
    git(folder, "init", "-q", "-b", "main")
    (folder / "kept").write_text("one\ntwo\nthree\n")
    (folder / "old").write_text("a file that is long enough to be found again\n" * 5)
    (folder / "bytes").write_bytes(b"\0\1")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    git(folder, "mv", "old", "new")
    (folder / "kept").write_text("one\n2\nthree\nfour \u00fc\n")
    (folder / "bytes").write_bytes(b"\0\2")
    (folder / "extra").write_text("x\n")
    Path(os.fsdecode(os.fsencode(folder) + b"/" + ODD_NAME)).write_text("")
    return folder


def test_status_names_all_that_differs(both: Daemon) -> None:
    daemon, folder = both, new_folder(both)
    daemon.own(repository(folder))
    status = result(daemon, "git.status", {"repository": str(folder)}, reads(folder))
    assert status["branch"]["name"] == "main" and len(status["branch"]["commit"]) == 40
    changes = {change.get("path"): change for change in status["changes"]}
    assert changes["kept"] == {"path": "kept", "kind": "changed", "index": ".", "worktree": "M"}
    assert (changes["new"]["kind"], changes["new"]["from"], changes["new"]["index"]) == ("renamed", "old", "R")
    assert changes["extra"]["kind"] == changes[None]["kind"] == "untracked"
    assert base64.b64decode(changes[None]["path_b64"]) == ODD_NAME
    assert not status["clean"] and not status["truncated"]
    task = {"repository": str(folder), "untracked": False, "paths": ["kept", "extra"]}
    some = result(daemon, "git.status", task, reads(folder))
    assert [change["path"] for change in some["changes"]] == ["kept"]
    few = result(daemon, "git.status", {"repository": str(folder), "max_entries": 2}, reads(folder))
    assert len(few["changes"]) == 2 and few["truncated"]


def test_a_repository_without_a_commit_and_one_in_conflict(both: Daemon) -> None:
    daemon, folder = both, new_folder(both)
    git(folder, "init", "-q", "-b", "main")
    daemon.own(folder)
    status = result(daemon, "git.status", {"repository": str(folder)}, reads(folder))
    assert status == {"branch": {"commit": None, "name": "main"}, "clean": True, "changes": [], "truncated": False}
    commit(folder, "base")
    git(folder, "checkout", "-q", "-b", "other")
    commit(folder, "theirs")
    git(folder, "checkout", "-q", "main")
    commit(folder, "ours")
    git(folder, "merge", "other", status=1)
    daemon.own(folder)
    status = result(daemon, "git.status", {"repository": str(folder)}, reads(folder))
    assert status["changes"] == [{"path": "f", "kind": "unmerged", "index": "U", "worktree": "U"}]


def commit(folder: Path, text: str) -> None:
    (folder / "f").write_text(text)
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", text)


def test_diff_counts_lines_and_shows_the_patch(both: Daemon) -> None:
    daemon, folder = both, new_folder(both)
    daemon.own(repository(folder))
    task = {"repository": str(folder)}
    diff = result(daemon, "git.diff", task, reads(folder))
    assert diff["files"] == [
        {"path": "bytes", "state": "M", "binary": True}, {"path": "kept", "state": "M", "added": 2, "removed": 1}
    ]  # fmt: skip
    assert "+four \u00fc\n" in diff["patch"] and (diff["added"], diff["removed"]) == (2, 1) and not diff["truncated"]
    staged = result(daemon, "git.diff", task | {"staged": True, "patch": False}, reads(folder))
    assert staged["files"] == [{"path": "new", "state": "R", "from": "old", "added": 0, "removed": 0}]
    assert "patch" not in staged
    cut = result(daemon, "git.diff", task | {"max_bytes": 100}, reads(folder))
    assert cut["truncated"] and diff["patch"].startswith(cut["patch"]) and len(cut["patch"]) == 100
    assert result(daemon, "git.diff", task | {"from": "HEAD", "to": "main"}, reads(folder))["files"] == []
    (folder / "kept").write_bytes(b"\xff\n")
    daemon.own(folder)
    odd = result(daemon, "git.diff", task | {"paths": ["kept"]}, reads(folder))
    assert b"+\xff\n" in base64.b64decode(odd["patch_b64"])


def test_nothing_that_a_repository_names_is_run(both: Daemon) -> None:
    daemon, folder = both, new_folder(both)
    repository(folder)
    marks = daemon.make_folder(f"{folder}-marks")
    marks.chmod(0o777)
    evil = folder / "evil.sh"
    evil.write_text(f"#!/bin/sh\ntouch {marks}/EVIL\necho EVIL\n")
    evil.chmod(0o755)
    (folder / ".gitattributes").write_text("* filter=evil diff=evil merge=evil\n")
    (folder / "more.config").write_text(f'[filter "e=v.il"]\n\tclean = {evil}\n\tprocess = {evil}\n\trequired = true\n')
    for key, value in {
        "core.pager": evil, "core.fsmonitor": evil, "core.hooksPath": folder, "diff.external": evil,
        "diff.evil.textconv": evil, "diff.evil.command": evil, "filter.evil.clean": evil, "filter.evil.smudge": evil,
        "filter.evil.required": "true", "include.path": folder / "more.config", "core.sshCommand": evil,
    }.items():  # fmt: skip
        git(folder, "config", key, str(value))
    daemon.own(folder)
    grants = [reads(folder), f"fs.write:{marks}"]
    # The jail would let the program run and leave its mark: shell.run shows it.
    script = f"cd {folder} && git -c safe.directory='*' diff >/dev/null 2>&1; ls {marks}"
    assert result_of_shell(daemon, script, grants) == "EVIL\n"
    (marks / "EVIL").unlink()
    # The tools have no grant to leave it with, but what ran would be in what they say.
    for tool in ("git.status", "git.diff"):
        answer = result(daemon, tool, {"repository": str(folder)}, reads(folder))
        assert "EVIL" not in json.dumps(answer), answer
    diff = result(daemon, "git.diff", {"repository": str(folder), "paths": ["kept"]}, reads(folder))
    assert "+four" in diff["patch"] and not list(marks.iterdir())


def result_of_shell(daemon: Daemon, script: str, grants: list[str]) -> str:
    arguments = [one for grant in grants for one in ("-g", grant)]
    return daemon.dome("run", "shell.run", *arguments, "-t", json.dumps({"script": script})).stdout


def test_what_is_no_repository_is_told(both: Daemon) -> None:
    daemon, folder = both, new_folder(both)
    plain = daemon.own(daemon.make_folder(folder / "plain"))
    for tool in ("git.status", "git.diff"):
        assert "no git repository" in refusal(daemon, tool, {"repository": str(plain)}, reads(plain))
        assert "was it granted?" in refusal(daemon, tool, {"repository": f"{plain}/none"}, reads(plain))
        assert "input schema" in not_accepted(daemon, tool, {"repository": "relative"})
    repository(folder)
    daemon.own(folder)
    task = {"repository": str(folder)}
    assert "nonesuch" in refusal(daemon, "git.diff", task | {"from": "nonesuch"}, reads(folder))
    assert '"to" needs "from"' in refusal(daemon, "git.diff", task | {"to": "HEAD"}, reads(folder))
    assert "input schema" in not_accepted(daemon, "git.diff", task | {"from": "--output=/tmp/x"})
    (folder / ".git" / "index").write_bytes(b"DIRC\0\0\0\2\xff\xff\xff\xff")
    assert "git.status: " in refusal(daemon, "git.status", task, reads(folder))


def test_repositories_of_every_kind(both: Daemon) -> None:
    daemon, folder = both, new_folder(both)
    origin, tree, bare, empty = (folder / name for name in ("origin", "tree", "bare", "empty"))
    origin.mkdir()
    repository(origin)
    git(origin, "worktree", "add", "-q", str(tree))
    git(folder, "clone", "-q", "--bare", str(origin), str(bare))
    git(folder, "init", "-q", str(empty))
    daemon.own(folder)
    for tool in ("git.status", "git.diff"):
        assert result(daemon, tool, {"repository": str(tree)}, reads(folder))
        said = refusal(daemon, tool, {"repository": str(tree)}, reads(tree))
        assert f"its repository is in {origin}: was that granted? (fs.read:{origin})" in said
        assert result(daemon, tool, {"repository": str(empty)}, reads(folder))
        said = refusal(daemon, tool, {"repository": str(bare)}, reads(folder))
        assert said.startswith(f"{tool}: {bare}: ") and "work tree" in said and said.count("\n") == 1
    same = {"repository": str(bare), "from": "HEAD", "to": "HEAD"}
    assert result(daemon, "git.diff", same, reads(folder))["files"] == []
    # What is no history is told in one line.
    (damaged := folder / "damaged").mkdir()
    repository(damaged)
    for path in damaged.glob(".git/objects/??/*"):
        path.unlink()
    daemon.own(damaged)
    for task, why in [
        ({"repository": str(empty)}, "has it any commit?"), ({"repository": str(damaged)}, "bad object"),
        ({"repository": str(empty), "revision": "HEAD~1"}, "HEAD~1"), ({"repository": str(bare / "HEAD")}, "no folder"),
        ({"repository": str(origin), "revision": "nonesuch"}, "nonesuch"), ({"repository": str(folder)}, "not a git"),
    ]:  # fmt: skip
        said = refusal(daemon, "git.log", task, reads(folder))
        assert said.startswith(f"git.log: {task['repository']}") and why in said and said.count("\n") == 1, said
