"""What a plugin's folder holds besides library and plugin.json: installed and pinned with it, or not used at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from domekit import plugins
from domekit.daemon import Daemon
from domekit.jobs import Jobs, state_name

FILES = ["lib/libmore.so", "data/deep/table.txt", "words.txt"]


def source(daemon: Daemon) -> Path:
    """A plugin's folder as its author has it."""
    folder = daemon.make_folder("author")
    (folder / "libsample.so").write_bytes(plugins.library())
    for name in FILES:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{name} as it was installed\n")
    (folder / "notes.txt").write_text("not for others")
    manifest = {"id": "org.example.sample", "version": "1.0.0", "kind": "adapter", "library": "libsample.so"}
    (folder / "plugin.json").write_text(json.dumps(manifest | {"files": FILES}))
    return folder


@pytest.fixture()
def installed(daemon: Daemon) -> Path:
    folder = source(daemon)
    done = daemon.dome("plugin", "install", str(folder))
    assert done.returncode == 0, done.stderr
    return plugins.folder(daemon) / "org.example.sample"


def outcome(jobs: Jobs) -> str:
    """SUCCEEDED, or why it did not: refused at submission, or failed before anything ran."""
    reply = jobs.submit("sample.echo", {}, wait_ms=30_000)
    if not reply.status.ok:
        return reply.status.message
    return "SUCCEEDED" if state_name(reply.state) == "SUCCEEDED" else jobs.status(reply.job_id).message


def change(path: Path, text: bytes) -> None:
    """In place, of the same length, with the times that it had."""
    before = path.stat()
    with open(path, "r+b") as file:
        file.write(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace_by_a_link(folder: Path) -> None:
    (folder / "words.txt").unlink()
    (folder / "words.txt").symlink_to("/etc/passwd")


def test_what_is_listed_is_installed_and_nothing_else(installed: Path, jobs: Jobs) -> None:
    found = sorted(str(path.relative_to(installed)) for path in installed.rglob("*") if path.is_file())
    assert found == sorted([*FILES, "libsample.so", "plugin.json"])
    assert (installed / "data/deep/table.txt").read_text() == "data/deep/table.txt as it was installed\n"
    assert outcome(jobs) == "SUCCEEDED"


@pytest.mark.parametrize(
    ("tamper", "difference"),
    [
        (lambda folder: change(folder / "data/deep/table.txt", b"evil"), "file data/deep/table.txt: SHA-256 "),
        (lambda folder: change(folder / "lib/libmore.so", b"evil"), "file lib/libmore.so: SHA-256 "),
        (lambda folder: (folder / "words.txt").unlink(), "file words.txt: is gone"),
        (lambda folder: (folder / "libz.so.1").write_text("x"), "file libz.so.1: was not installed with it"),
        (lambda folder: (folder / "data/deep/new").write_text("x"), "file data/deep/new: was not installed with it"),
        (replace_by_a_link, "file words.txt: is no regular file"),
        (lambda folder: os.mkfifo(folder / "data/fifo"), "file data/fifo: is no regular file"),
        (lambda folder: (folder / "w\u00f6rds\n").write_text("x"), "file w%c3%b6rds%0a: was not installed with it"),
        (
            lambda folder: (folder / "plugin.json").write_text(
                (folder / "plugin.json").read_text().replace("1.0.0", "1.0.1")
            ),
            "plugin.json ",
        ),
    ],
    ids=["data", "library", "gone", "added", "added deep", "link", "fifo", "odd name", "manifest"],
)
def test_a_folder_that_is_not_as_it_was_is_not_used(
    installed: Path, daemon: Daemon, jobs: Jobs, tamper: Callable[[Path], object], difference: str
) -> None:
    assert outcome(jobs) == "SUCCEEDED"
    tamper(installed)
    # The very next job, whenever plugins were last looked at.
    assert "quarantined" in outcome(jobs)
    sample = plugins.plugins(daemon)["org.example.sample"]
    assert sample.state == "quarantined" and difference in sample.reason, sample.reason
    daemon.stop()
    listed = daemon.dome("plugin", "list")
    assert difference in listed.stdout + daemon.dome("plugin", "info", "sample").stdout
    daemon.start()
    # It offers nothing any more.
    assert "sample.echo" not in plugins.tool_ids(daemon) and outcome(jobs) != "SUCCEEDED"


def test_a_folder_that_is_as_it_was_again_is_used(installed: Path, jobs: Jobs) -> None:
    (installed / "added").write_text("x")
    assert "quarantined" in outcome(jobs)
    (installed / "added").unlink()
    assert outcome(jobs) == "SUCCEEDED"


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "plugin.json", "libsample.so", "a b", "", "words.txt"])
def test_paths_that_are_none_are_refused(daemon: Daemon, path: str) -> None:
    folder = source(daemon)
    manifest = json.loads((folder / "plugin.json").read_text()) | {"files": ["words.txt", path]}
    (folder / "plugin.json").write_text(json.dumps(manifest))
    done = daemon.dome("plugin", "install", str(folder))
    assert done.returncode != 0 and "files" in done.stderr, done.stderr
    assert not (plugins.folder(daemon) / "org.example.sample").exists()


def test_a_listed_file_that_is_not_there_is_told(daemon: Daemon) -> None:
    folder = source(daemon)
    (folder / "words.txt").unlink()
    done = daemon.dome("plugin", "install", str(folder))
    assert done.returncode != 0 and "words.txt" in done.stderr, done.stderr
    into = plugins.install(daemon, files=["words.txt"])
    sample = plugins.plugins(daemon)["Sample"]
    assert sample.state == "refused" and f"{into}/words.txt" in sample.reason, sample.reason
