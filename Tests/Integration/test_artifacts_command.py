"""`dome artifacts`: lists, prints and saves, and passes nothing on that is not what the job left."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from domekit.artifacts import copies, run
from domekit.daemon import Daemon

pytestmark = pytest.mark.both_users


def test_the_command_line_lists_and_prints(daemon: Daemon) -> None:
    job, _ = run(daemon, "mkdir -p out/d; echo text >out/d/a.txt; printf '\\0\\377' >out/b")
    listed = daemon.dome("artifacts", job)
    assert listed.returncode == 0
    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["PATH", "b", "d/a.txt"]
    document = json.loads(daemon.dome("artifacts", job, "-o", "json").stdout)
    assert [one["name"] for one in document["artifacts"]] == ["b", "d/a.txt"]
    assert daemon.dome("artifacts", job, "d/a.txt").stdout == "text\n"
    command = daemon.command("artifacts", job, "b")
    raw = subprocess.run(command, env=daemon.environment, capture_output=True, check=True)
    assert raw.stdout == b"\0\xff"
    missing = daemon.dome("artifacts", job, "c")
    assert missing.returncode == 66 and f"dome artifacts {job}" in missing.stderr
    shown = daemon.dome("job", "show", job).stdout
    assert "d/a.txt" in shown and os.fspath(copies(daemon, job)) in shown


def test_a_saved_file_replaces_nothing_unasked_and_no_link_is_written_through(daemon: Daemon) -> None:
    job, _ = run(daemon, "mkdir out; echo text >out/a")
    place = daemon.directory / "saved"
    assert daemon.dome("artifacts", job, "a", "-O", str(place)).returncode == 0
    assert place.read_text() == "text\n"
    place.write_text("mine")
    refused = daemon.dome("artifacts", job, "a", "-O", str(place))
    assert refused.returncode == 65 and "--force" in refused.stderr and place.read_text() == "mine"
    victim = daemon.directory / "victim"
    victim.write_text("untouched")
    link = daemon.directory / "link"
    for target in (victim, daemon.directory / "nowhere"):
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        assert daemon.dome("artifacts", job, "a", "-O", str(link)).returncode == 65
        assert link.is_symlink() and not (daemon.directory / "nowhere").exists()
        assert daemon.dome("artifacts", job, "a", "-O", str(link), "--force").returncode == 0
        assert not link.is_symlink() and link.read_text() == "text\n"
    assert victim.read_text() == "untouched" and not (daemon.directory / "nowhere").exists()
    assert daemon.dome("artifacts", job, "a", "-O", str(daemon.state), "--force").returncode != 0
    assert not list(daemon.directory.glob("*.tmp"))


def test_bytes_that_are_not_the_record_s_are_not_passed_on(daemon: Daemon) -> None:
    job, _ = run(daemon, "mkdir out; echo text >out/a")
    (copies(daemon, job) / "a").write_text("evil\n")
    for more in ([], ["-O", str(daemon.directory / "saved")]):
        refused = daemon.dome("artifacts", job, "a", *more)
        assert refused.returncode == 65 and "is not what the job left" in refused.stderr and refused.stdout == ""
    (copies(daemon, job) / "a").unlink()
    (copies(daemon, job) / "a").symlink_to("/etc/passwd")
    assert daemon.dome("artifacts", job, "a").returncode == 66
    assert not (daemon.directory / "saved").exists()


def test_bytes_that_drive_a_terminal_are_not_printed_to_one(daemon: Daemon) -> None:
    job, _ = run(daemon, "mkdir out; printf '\\033[2J' >out/a; echo plain >out/b")
    refused = daemon.dome_on_terminal("artifacts", job, "a")
    assert "\x1b[2J" not in refused and "-O FILE" in refused
    assert "\x1b[2J" in daemon.dome_on_terminal("artifacts", job, "a", "--force")
    assert "plain" in daemon.dome_on_terminal("artifacts", job, "b")
