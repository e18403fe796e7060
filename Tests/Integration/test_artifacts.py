"""What a job leaves in /job/out is kept when it ends: the files and nothing else, once, whatever happens meanwhile."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from domekit import processes
from domekit.daemon import Daemon, pb2
from domekit.database import rows
from domekit.gates import Gate
from domekit.jobs import Event, assert_complete, state_name
from domekit.tools import write_script_tool


def run(daemon: Daemon, script: str, **constraints: Any) -> tuple[str, list[Event]]:
    """Runs a script to its end; returns the job and its events."""
    job = daemon.jobs.start("shell.run", {"script": script}, **constraints)
    events = list(daemon.jobs.follow(job))
    assert_complete(events)
    return job, events


def guard(events: list[Event]) -> dict[str, Any]:
    """The payload of the one event about artifacts, which is the last before the terminal one."""
    [found] = [one for one in events if one.type == "GUARD" and one.payload.get("guard") == "artifacts"]
    assert found.seq == events[-1].seq - 1
    return found.payload


def kept(daemon: Daemon, job: str) -> dict[str, bytes]:
    """The artifacts' bytes by name, after everything that tells of them was compared."""
    status = daemon.jobs.status(job)
    found = {}
    for one in status.artifacts:
        assert one.kind == "file" and Path(one.path).is_relative_to(daemon.state / "jobs")
        content = Path(one.path).read_bytes()
        assert (one.sha256, one.bytes) == (hashlib.sha256(content).hexdigest(), len(content))
        found[one.name] = content
    assert len(found) == len(status.artifacts)
    products = json.loads(status.provenance_json)["products"]["artifacts"]
    assert products == [{"path": one.name, "sha256": one.sha256, "bytes": one.bytes} for one in status.artifacts]
    return found


def copies(daemon: Daemon, job: str) -> Path:
    """Where a job's artifacts are kept."""
    [folder] = (daemon.state / "jobs").glob(f"*/{job}")
    return folder / "artifacts"


def ended(daemon: Daemon, job: str) -> bool:
    return state_name(daemon.jobs.status(job).state) not in ("QUEUED", "RUNNING")


def until(condition: Callable[[], bool], what: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.001)


def test_files_are_kept_with_their_digests(daemon: Daemon) -> None:
    script = "mkdir -p out/sub/empty; echo hello >out/a; printf %s x >out/sub/b; echo not kept >beside"
    reply = daemon.jobs.submit("shell.run", {"script": script}, wait_ms=20_000)
    assert state_name(reply.state) == "SUCCEEDED"
    assert kept(daemon, reply.job_id) == {"a": b"hello\n", "sub/b": b"x"}
    # The reply that waited tells the same as the status.
    assert list(reply.artifacts) == list(daemon.jobs.status(reply.job_id).artifacts)
    stored = rows(daemon, "SELECT path, bytes FROM artifacts ORDER BY position")
    assert stored == [("a", 6), ("sub/b", 1)]
    assert not [one for one in daemon.jobs.replay(reply.job_id) if one.type == "GUARD"]
    mode = copies(daemon, reply.job_id).stat().st_mode & 0o777
    assert mode == 0o700
    daemon.restart()
    assert kept(daemon, reply.job_id) == {"a": b"hello\n", "sub/b": b"x"}


def test_a_job_without_an_out_folder_has_none(daemon: Daemon) -> None:
    job, _ = run(daemon, "echo >file; mkdir other")
    assert kept(daemon, job) == {}
    assert not copies(daemon, job).exists()


@pytest.mark.parametrize("ending", ["exit 7", "kill -9 $$"])
def test_a_job_that_fails_keeps_what_it_had(daemon: Daemon, ending: str) -> None:
    job, events = run(daemon, f"mkdir out; echo half >out/log; {ending}")
    assert events[-1].payload["to"] == "failed"
    assert kept(daemon, job) == {"log": b"half\n"}


def test_a_job_that_is_cancelled_or_too_slow_keeps_what_it_had(daemon: Daemon) -> None:
    job = daemon.jobs.start("shell.run", {"script": "mkdir out; echo half >out/log; echo up; sleep 60"})
    next(one for one in daemon.jobs.follow(job) if one.line == b"up")
    daemon.jobs.cancel(job)
    assert list(daemon.jobs.follow(job))[-1].payload["to"] == "canceled"
    assert kept(daemon, job) == {"log": b"half\n"}
    job, events = run(daemon, "mkdir out; echo half >out/log; sleep 60", timeout_ms=300)
    assert events[-1].payload["reason"] == "timeout"
    assert kept(daemon, job) == {"log": b"half\n"}


def test_no_link_leads_out_and_nothing_else_than_files_is_taken(daemon: Daemon) -> None:
    script = """
    mkdir out out/real
    ln -s /etc/passwd out/file; ln -s /etc out/folder; ln -s /proc/self/root out/root; ln -s ../.. out/real/up
    mkfifo out/fifo
    mknod out/device c 1 3 2>/dev/null && echo a device
    mknod out/disk b 8 0 2>/dev/null && echo a disk
    ln /etc/passwd out/hard 2>/dev/null && echo a hard link to the outside
    echo mine >out/real/file; ln out/real/file out/again
    """
    job, events = run(daemon, script)
    assert [one.line for one in events if one.type == "LOG"] == []
    assert kept(daemon, job) == {"again": b"mine\n", "real/file": b"mine\n"}
    payload = guard(events)
    assert payload["left_out"] == {"link": 4, "special": 1}
    assert {"path": "file", "reason": "link"} in payload["first"]
    found = {os.fspath(path.relative_to(copies(daemon, job))) for path in copies(daemon, job).rglob("*")}
    assert found == {"again", "real", "real/file"}


@pytest.mark.parametrize("target", ["/etc", "/etc/passwd", "/proc/1/root", ".", "nowhere"])
def test_out_itself_may_not_be_a_link(daemon: Daemon, target: str) -> None:
    job, events = run(daemon, f"ln -s {target} out")
    assert kept(daemon, job) == {}
    assert guard(events)["left_out"] == {"link": 1}


def test_names_are_bytes(daemon: Daemon) -> None:
    script = r"""mkdir out; cd out; echo 1 >"$(printf 'new\nline')"; echo 2 >"$(printf 'bad\377')"; echo 3 >50%"""
    job, events = run(daemon, script)
    assert kept(daemon, job) == {"new%0Aline": b"1\n", "bad%FF": b"2\n", "50%": b"3\n"}
    listed = daemon.dome("artifacts", job)
    assert listed.returncode == 0 and "new%0Aline" in listed.stdout


def test_what_is_forbidden_to_its_owner_is_taken_all_the_same(daemon: Daemon) -> None:
    job, _ = run(daemon, "mkdir -p out/d; echo 1 >out/d/f; chmod 0 out/d/f; chmod 0 out/d; chmod 0 out; chmod 0 /job")
    assert kept(daemon, job) == {"d/f": b"1\n"}


def test_nothing_of_the_job_writes_any_more(daemon: Daemon) -> None:
    """A grandchild in a session of its own is gone before the first byte is copied."""
    script = """
    mkdir out
    setsid sh -c 'while :; do echo line >>out/growing; done' >/dev/null 2>&1 &
    while [ ! -s out/growing ]; do :; done
    """
    job, events = run(daemon, script)
    assert events[-1].payload["to"] == "succeeded"
    content = kept(daemon, job)["growing"]
    assert content.endswith(b"line\n") and set(content.split(b"\n")) == {b"line", b""}


def test_limits_leave_out_whole_files_and_say_so(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    daemon.write_config({"artifacts_max_files": 10, "artifacts_max_bytes": 1 << 30})
    script = "mkdir out; head -c 3000000 /dev/zero >out/a; ln out/a out/b; echo small >out/c"
    write_script_tool(daemon, "test.large", script, limits={"disk_bytes": 4 << 20})
    daemon.start()
    events = daemon.jobs.run("test.large")
    job = events[0].raw.job_id
    assert {name: len(content) for name, content in kept(daemon, job).items()} == {"a": 3_000_000, "c": 6}
    payload = guard(events)
    assert (payload["kept"], payload["kept_bytes"], payload["left_out"]) == (2, 3_000_006, {"bytes": 1})
    assert payload["first"] == [{"path": "b", "reason": "bytes"}]
    job, events = run(daemon, "mkdir out; for i in $(seq 30); do echo $i >out/$i; done")
    assert len(kept(daemon, job)) == 10
    assert guard(events)["left_out"] == {"files": 20}
    shown = daemon.dome("artifacts", job).stdout
    assert "20 more left out" in shown


def test_no_artifacts_are_kept_where_the_configuration_says_none(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    daemon.write_config({"artifacts_max_files": 0})
    daemon.start()
    job, events = run(daemon, "mkdir out; echo 1 >out/a")
    assert kept(daemon, job) == {} and guard(events)["left_out"] == {"files": 1}
    daemon.stop()
    daemon.write_config({"artifacts_max_files": 10_001})
    assert "artifacts_max_files" in daemon.refuses_to_start()


LARGE = "mkdir out; for i in 1 2 3 4; do head -c 60000000 /dev/urandom >out/$i; done; sha256sum out/* >sums; cat sums"


def sums(events: list[Event]) -> dict[str, str]:
    lines = [(one.line or b"").decode().split() for one in events if one.type == "LOG"]
    return {path.removeprefix("out/"): digest for digest, path in lines}


def test_kill_9_while_copying_is_made_good_by_the_next(daemon: Daemon) -> None:
    job = daemon.jobs.start("shell.run", {"script": LARGE})
    next(daemon.jobs.follow(job))
    folder = copies(daemon, job)
    until(lambda: (folder / "1").exists() and (folder / "1").stat().st_size > 0, "it never began to copy")
    daemon.kill9()
    partial = {path.name: path.stat().st_size for path in folder.iterdir()}
    assert sum(partial.values()) < 240_000_000, "it was too fast for this test"
    (folder / "9").write_text("of an earlier try")
    daemon.start()
    events = list(daemon.jobs.follow(job))
    assert_complete(events)
    assert {name: hashlib.sha256(content).hexdigest() for name, content in kept(daemon, job).items()} == sums(events)
    assert sorted(path.name for path in folder.iterdir()) == ["1", "2", "3", "4"]
    assert len(rows(daemon, "SELECT * FROM artifacts")) == 4


def test_a_large_copy_holds_nobody_up(daemon: Daemon) -> None:
    job = daemon.jobs.start("shell.run", {"script": LARGE})
    next(daemon.jobs.follow(job))
    folder = copies(daemon, job)
    until(lambda: (folder / "1").exists(), "it never began to copy")
    other, _ = run(daemon, "mkdir out; echo small >out/a")
    assert not ended(daemon, job), "the large copy was over too soon for this test"
    assert kept(daemon, other) == {"a": b"small\n"}
    assert len(sums(list(daemon.jobs.follow(job)))) == 4 == len(kept(daemon, job))


def test_a_keeper_that_is_gone_takes_them_with_it_and_the_record_says_so(daemon: Daemon) -> None:
    with Gate(daemon.directory / "gates") as gate:
        script = f"mkdir out; echo 1 >out/a; {gate.wait}"
        job = daemon.jobs.start("shell.run", {"script": script}, grants=gate.grants)
        until(lambda: state_name(daemon.jobs.status(job).state) == "RUNNING", "it never ran")
        daemon.kill9()
        journal = copies(daemon, job).parent / "events.journal"
        size = journal.stat().st_size
        gate.open()
        # The EXIT record.
        until(lambda: journal.stat().st_size > size, "it never ended")
        for pid in daemon.pids("domed-keeper"):
            processes.kill_and_wait(pid, time.monotonic() + 10)
        daemon.start()
    events = list(daemon.jobs.follow(job))
    assert_complete(events)
    assert events[-1].payload["to"] == "succeeded"
    assert guard(events)["lost"] is True and "keeper is gone" in guard(events)["message"]
    status = daemon.jobs.status(job)
    assert list(status.artifacts) == []
    assert json.loads(status.provenance_json)["products"]["artifacts_lost"] is True
    assert "lost" in daemon.dome("artifacts", job).stdout


@pytest.fixture
def little(new_daemon: Callable[..., Daemon]) -> Iterator[Daemon]:
    """A daemon whose state folder is a disk of 8 MiB of its own."""
    daemon = new_daemon()
    daemon.state.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=0700", "tmpfs", daemon.state], check=True)
    try:
        yield daemon
    finally:
        processes.end_all(daemon.directory)
        subprocess.run(["umount", "-l", daemon.state], check=True)


# CI runs as root, where a skip would be a failure.
@pytest.mark.skipif(os.getuid() != 0, reason="mounting a small disk needs root")
def test_a_disk_without_room_keeps_what_fits_and_ends_the_job(little: Daemon) -> None:
    little.start()
    script = "mkdir out; echo small >out/a; head -c 20000000 /dev/zero >out/b; echo small >out/c"
    job, events = run(little, script)
    assert events[-1].payload["to"] == "succeeded"
    assert kept(little, job) == {"a": b"small\n"}
    assert guard(events)["left_out"] == {"disk": 2}
    # Many small ones fill it up to what the end needs.
    job, events = run(little, "mkdir out; for i in $(seq 100 199); do head -c 100000 /dev/zero >out/$i; done")
    assert events[-1].payload["to"] == "succeeded"
    assert 10 < len(kept(little, job)) < 80
    assert guard(events)["left_out"] == {"disk": 100 - len(kept(little, job))}
    assert run(little, "true")[1][-1].payload["to"] == "succeeded"


def test_retention_counts_and_removes_them(daemon: Daemon) -> None:
    job, _ = run(daemon, "mkdir out; head -c 5000000 /dev/zero >out/a")
    folder = copies(daemon, job)
    [(size,)] = rows(daemon, "SELECT output_bytes FROM jobs WHERE job_id=?", job)
    assert size > 5_000_000
    request = pb2.CollectGarbageRequest(max_bytes=4_000_000, dry_run=True)
    assert daemon.stub().CollectGarbage(request, timeout=20).bytes_freed == size
    reply = daemon.stub().CollectGarbage(pb2.CollectGarbageRequest(max_bytes=4_000_000), timeout=20)
    assert (reply.jobs_removed, reply.bytes_freed) == (1, size)
    assert not folder.parent.exists()
    assert rows(daemon, "SELECT * FROM artifacts") == []


# The command line


def test_the_command_line_lists_and_prints(daemon: Daemon) -> None:
    job, _ = run(daemon, "mkdir -p out/d; echo text >out/d/a.txt; printf '\\0\\377' >out/b")
    listed = daemon.dome("artifacts", job)
    assert listed.returncode == 0
    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["PATH", "b", "d/a.txt"]
    document = json.loads(daemon.dome("artifacts", job, "-o", "json").stdout)
    assert [one["name"] for one in document["artifacts"]] == ["b", "d/a.txt"]
    assert daemon.dome("artifacts", job, "d/a.txt").stdout == "text\n"
    raw = subprocess.run(
        [daemon.bin / "dome", "artifacts", job, "b"], env=daemon.environment, capture_output=True, check=True
    )
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
    command = f"{shlex.quote(str(daemon.bin / 'dome'))} artifacts {job}"

    def on_terminal(more: str) -> str:
        ended = subprocess.run(
            ["script", "-qec", f"{command} {more}", "/dev/null"],
            env=daemon.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )
        return ended.stdout

    assert "\x1b[2J" not in on_terminal("a") and "-O FILE" in on_terminal("a")
    assert "\x1b[2J" in on_terminal("a --force")
    assert "plain" in on_terminal("b")
