"""`dome artifacts`: lists, prints and saves, and passes nothing on that is not what the job left."""

from __future__ import annotations

import hashlib
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
    (copies(daemon, job) / "a").chmod(0o600)
    (copies(daemon, job) / "a").write_text("evil\n")
    for more in ([], ["-O", str(daemon.directory / "saved")]):
        refused = daemon.dome("artifacts", job, "a", *more)
        assert refused.returncode == 65 and "is not what the job left" in refused.stderr and refused.stdout == ""
    (copies(daemon, job) / "a").unlink()
    (copies(daemon, job) / "a").symlink_to("/etc/passwd")
    refused = daemon.dome("artifacts", job, "a")
    assert refused.returncode == 65 and "is gone" in refused.stderr and refused.stdout == ""
    assert not (daemon.directory / "saved").exists()


def test_bytes_that_drive_a_terminal_are_not_printed_to_one(daemon: Daemon) -> None:
    job, _ = run(daemon, "mkdir out; printf '\\033[2J' >out/a; echo plain >out/b")
    refused = daemon.dome_on_terminal("artifacts", job, "a")
    assert "\x1b[2J" not in refused and "-O FILE" in refused
    assert "\x1b[2J" in daemon.dome_on_terminal("artifacts", job, "a", "--force")
    assert "plain" in daemon.dome_on_terminal("artifacts", job, "b")


def test_all_files_are_saved_below_a_folder_that_is_new_or_empty(daemon: Daemon) -> None:
    script = "mkdir -p out/d/e out/s; echo text >out/d/e/a.txt; printf '\\0\\377' >out/b; echo s >'out/s/a\\b'"
    job, _ = run(daemon, script)
    place = daemon.make_folder(daemon.directory / "results")
    saved = daemon.dome("artifacts", job, "--to", str(place))
    assert saved.returncode == 0 and "3 files" in saved.stdout
    found = {os.fspath(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}
    assert found == {"d/e/a.txt": b"text\n", "b": b"\0\xff", "s/a\\b": b"s\n"}
    sums = daemon.dome("artifacts", job, "--sums").stdout
    assert subprocess.run(["sha256sum", "-c"], cwd=place, input=sums, text=True, check=True, capture_output=True)
    (place / "b").chmod(0o600)
    (place / "b").write_bytes(b"other")
    assert subprocess.run(["sha256sum", "-c"], cwd=place, input=sums, text=True, capture_output=True).returncode == 1
    again = daemon.dome("artifacts", job, "--to", str(place))
    assert again.returncode == 65 and "not empty" in again.stderr and (place / "b").read_bytes() == b"other"
    fresh = daemon.dome("artifacts", job, "--to", str(place / "new/er"), "-o", "json")
    assert json.loads(fresh.stdout)["bytes"] == 9 and (place / "new/er/s/a\\b").read_text() == "s\n"


def test_what_left_nothing_is_not_saved(daemon: Daemon) -> None:
    job, _ = run(daemon, "true")
    refused = daemon.dome("artifacts", job, "--to", str(daemon.directory / "nothing"))
    assert refused.returncode == 66 and "no artifacts" in refused.stderr
    assert not (daemon.directory / "nothing").exists()


def test_a_range_of_a_file_is_printed_and_saved(daemon: Daemon) -> None:
    job, _ = run(daemon, "mkdir out; printf 0123456789 >out/a")
    assert daemon.dome("artifacts", job, "a", "--offset", "3").stdout == "3456789"
    assert daemon.dome("artifacts", job, "a", "--offset", "3", "--length", "4").stdout == "3456"
    assert daemon.dome("artifacts", job, "a", "--length", "1KiB").stdout == "0123456789"
    assert daemon.dome("artifacts", job, "a", "--offset", "10").stdout == ""
    place = daemon.directory / "part"
    assert daemon.dome("artifacts", job, "a", "--offset", "8", "-O", str(place)).returncode == 0
    assert place.read_text() == "89"
    past = daemon.dome("artifacts", job, "a", "--offset", "11")
    assert past.returncode == 65 and "10 bytes" in past.stderr and past.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["a", "--offset", "x"], "--offset must be a size"),
        (["a", "--length", "0"], "--length must be at least 1"),
        (["--offset", "1"], "--offset needs PATH"),
        (["--save", "x"], "--save needs PATH"),
        (["a", "--to", "x"], "leave PATH out"),
        (["a", "--sums"], "leave PATH out"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else None,
)
def test_options_that_do_not_go_together_are_refused(daemon: Daemon, arguments: list[str], word: str) -> None:
    refused = daemon.dome("artifacts", "job-00000000000000000000000000", *arguments)
    assert refused.returncode == 64 and word in refused.stderr


def test_a_daemon_that_dies_while_a_file_is_read_costs_nothing(daemon: Daemon) -> None:
    job, events = run(daemon, "mkdir out; head -c 60000000 /dev/urandom >out/a; sha256sum out/a")
    digest = hashlib.sha256()
    command = daemon.command("artifacts", job, "a", "--no-start")
    process = subprocess.Popen(command, env=daemon.environment, stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process:
        digest.update(process.stdout.read(1 << 20))
        daemon.kill9()
        daemon.start()
        for piece in iter(lambda: process.stdout.read(1 << 20), b""):
            digest.update(piece)
    assert process.returncode == 0
    assert digest.hexdigest().encode() == next(one.line for one in events if one.line).split()[0]
