"""What a job leaves in /job/out is kept when it ends: the files and nothing else, whatever they are called."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from domekit.artifacts import copies, guard, kept, run
from domekit.daemon import Daemon
from domekit.database import rows
from domekit.jobs import state_name
from domekit.tools import write_script_tool

pytestmark = pytest.mark.both_users


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
