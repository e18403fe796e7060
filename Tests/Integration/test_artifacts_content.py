"""What jobs left is kept once for each content, whichever jobs have it, and goes with the last of them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from domekit.artifacts import copies, kept, run
from domekit.daemon import Daemon, pb2
from domekit.jobs import assert_complete
from domekit.waiting import until

pytestmark = pytest.mark.both_users

SAME = "mkdir out; echo same >out/a; echo same >out/again"


def content(daemon: Daemon, text: bytes) -> Path:
    """Where the store has these bytes."""
    digest = hashlib.sha256(text).hexdigest()
    return daemon.state / "content" / digest[:2] / digest


def contents(daemon: Daemon) -> set[Path]:
    return {path for path in (daemon.state / "content").rglob("*") if path.is_file()}


def collect(daemon: Daemon, **request: int) -> None:
    assert daemon.stub().CollectGarbage(pb2.CollectGarbageRequest(**request), timeout=20).status.ok


def test_equal_files_of_several_jobs_are_one_file(daemon: Daemon) -> None:
    first, _ = run(daemon, SAME)
    second, _ = run(daemon, SAME + "; echo other >out/b")
    files = [copies(daemon, first) / "a", copies(daemon, first) / "again", copies(daemon, second) / "a"]
    assert len({path.stat().st_ino for path in [*files, content(daemon, b"same\n")]}) == 1
    assert files[0].stat().st_nlink == 5
    assert contents(daemon) == {content(daemon, b"same\n"), content(daemon, b"other\n")}
    assert kept(daemon, second) == {"a": b"same\n", "again": b"same\n", "b": b"other\n"}


def test_it_goes_with_the_last_job_that_has_it(daemon: Daemon) -> None:
    first, _ = run(daemon, SAME + "; head -c 100000 /dev/zero >out/zeros")
    second, _ = run(daemon, "mkdir out; echo same >out/a; head -c 200000 /dev/zero >out/large")
    # Only the newest jobs whose output fits stay.
    collect(daemon, max_bytes=210_000)
    assert not list((daemon.state / "jobs").glob(f"*/{first}"))
    assert kept(daemon, second)["a"] == b"same\n" and content(daemon, b"same\n").stat().st_nlink == 2
    collect(daemon, max_bytes=1)
    assert contents(daemon) == set()


@pytest.mark.parametrize("intruder", ["link", "fifo"])
def test_what_is_no_file_becomes_nobody_s(daemon: Daemon, intruder: str) -> None:
    run(daemon, SAME)
    content(daemon, b"same\n").unlink()
    if intruder == "link":
        (daemon.directory / "text").write_text("same\n")
        content(daemon, b"same\n").symlink_to(daemon.directory / "text")
    else:
        os.mkfifo(content(daemon, b"same\n"))
    second, _ = run(daemon, SAME)
    assert kept(daemon, second) == {"a": b"same\n", "again": b"same\n"}
    assert daemon.dome("artifacts", second, "a").stdout == "same\n"
    assert content(daemon, b"same\n").stat().st_nlink == 3 and not content(daemon, b"same\n").is_symlink()


def test_bytes_that_were_changed_do_not_become_another_job_s(daemon: Daemon) -> None:
    first, _ = run(daemon, SAME)
    changed = content(daemon, b"same\n")
    changed.chmod(0o600)
    changed.write_bytes(b"evil\n")
    second, _ = run(daemon, SAME)
    assert kept(daemon, second) == {"a": b"same\n", "again": b"same\n"}
    assert content(daemon, b"same\n").read_bytes() == b"same\n"
    assert "artifact.damaged" in daemon.log()
    assert daemon.dome("artifacts", second, "a").stdout == "same\n"
    refused = daemon.dome("artifacts", first, "a")
    assert refused.returncode == 65 and "is not what the job left" in refused.stderr


def test_a_content_with_no_more_room_for_names_is_begun_anew(daemon: Daemon) -> None:
    """ext4 gives a file 65,000 names; one job alone may have 10,000."""
    if os.pathconf(daemon.state, "PC_LINK_MAX") > 100_000:
        pytest.fail("this file system has no such limit: run the tests on ext4")
    run(daemon, SAME)
    full = content(daemon, b"same\n")
    spare = daemon.make_folder(daemon.state / "names")
    number = 0
    try:
        while True:
            os.link(full, spare / str(number))
            number += 1
    except OSError:
        assert number > 10_000
    job, _ = run(daemon, SAME)
    assert kept(daemon, job) == {"a": b"same\n", "again": b"same\n"}
    fresh = content(daemon, b"same\n")
    assert fresh.stat().st_ino != (spare / "0").stat().st_ino and fresh.stat().st_nlink == 3


def test_what_an_interrupted_try_left_goes_at_the_next_start(daemon: Daemon) -> None:
    job, _ = run(daemon, SAME)
    daemon.stop()
    unused = content(daemon, b"unused\n")
    for path, text in [(unused, "unused\n"), (daemon.state / "content" / "7-1.tmp", "half")]:
        if not path.parent.exists():
            daemon.make_folder(path.parent)
        path.write_text(text)
        daemon.own(path)
    daemon.start()
    until(lambda: contents(daemon) == {content(daemon, b"same\n")}, "it was not swept")
    assert kept(daemon, job)["a"] == b"same\n"


def test_a_store_that_cannot_be_written_costs_room_and_nothing_else(daemon: Daemon) -> None:
    (daemon.state / "content").write_text("in the way")
    job, events = run(daemon, SAME)
    assert_complete(events)
    assert kept(daemon, job) == {"a": b"same\n", "again": b"same\n"}
    assert daemon.dome("artifacts", job, "a").stdout == "same\n"
    collect(daemon, max_bytes=1)
    assert not list((daemon.state / "jobs").glob(f"*/{job}"))
