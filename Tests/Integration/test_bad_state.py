"""A daemon whose surroundings are not as they should be: each a clear error that names the thing and the remedy,
nothing lost, and domed up, or refusing to start with an exit status."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import grpc
import pytest

from domekit.daemon import Daemon, pb2
from domekit.database import rows
from domekit.gates import Gate
from domekit.jobs import Event, Jobs, assert_complete, state_name
from domekit.tools import write_script_tool


def refused(daemon: Daemon, *arguments: str, environment: dict[str, str] | None = None) -> str:
    """Starts domed, which must end by itself with a status that is not 0; returns what it said on stderr."""
    ended = subprocess.run(
        [daemon.bin / "domed", *arguments],
        env=daemon.environment if environment is None else environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=20,
        check=False,
    )
    assert ended.returncode > 0, (ended.returncode, ended.stderr)
    last = ended.stderr.strip().splitlines()[-1]
    assert last.startswith("domed: "), ended.stderr
    return last


def raw(events: list[Event]) -> list[bytes]:
    return [one.raw.SerializeToString() for one in events]


# One daemon a state folder, one socket


def test_a_second_daemon_is_refused_and_the_first_serves_on(daemon: Daemon) -> None:
    said = refused(daemon)
    assert str(daemon.state) in said and str(daemon.pid) in said
    assert daemon.jobs.submit("job.noop", wait_ms=5000).status.ok


def test_a_second_daemon_with_another_socket_is_refused_all_the_same(daemon: Daemon) -> None:
    said = refused(daemon, "--socket", str(daemon.directory / "other.sock"))
    assert str(daemon.state) in said and "--state-dir" in said
    assert not (daemon.directory / "other.sock").exists()


def test_a_daemon_of_another_state_does_not_steal_the_socket(daemon: Daemon) -> None:
    said = refused(daemon, "--state-dir", str(daemon.directory / "other-state"))
    assert str(daemon.socket) in said
    assert daemon.jobs.submit("job.noop", wait_ms=5000).status.ok


def test_the_socket_of_a_dead_daemon_is_taken_over(daemon: Daemon) -> None:
    daemon.kill9()
    assert daemon.socket.exists()
    daemon.start()
    assert daemon.jobs.submit("job.noop", wait_ms=5000).status.ok


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_is_no_socket_is_left_alone(new_daemon: Callable[..., Daemon], kind: str) -> None:
    daemon = new_daemon()
    daemon.socket.parent.mkdir(mode=0o700)
    if kind == "file":
        daemon.socket.write_text("mine")
    elif kind == "folder":
        daemon.socket.mkdir()
    else:
        daemon.socket.symlink_to("/etc/passwd")
    said = refused(daemon)
    assert str(daemon.socket) in said and "--socket" in said
    assert os.path.lexists(daemon.socket)


def test_a_socket_folder_that_others_may_write_is_refused(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    daemon.socket.parent.mkdir(mode=0o700)
    daemon.socket.parent.chmod(0o777)
    said = refused(daemon)
    assert str(daemon.socket.parent) in said and "chmod 700" in said


def test_a_socket_path_that_is_too_long_is_named_with_its_remedy(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    long = daemon.directory / ("x" * 120)
    long.mkdir(mode=0o700)
    said = refused(daemon, environment=daemon.environment | {"XDG_RUNTIME_DIR": str(long)})
    assert str(long) in said and "--socket" in said and "XDG_RUNTIME_DIR" in said


def test_a_vanished_socket_is_bound_again(daemon: Daemon) -> None:
    """Logging out removes the runtime folder with everything in it."""
    before = daemon.jobs.submit("job.noop", wait_ms=5000)
    shutil.rmtree(daemon.socket.parent)
    daemon.wait_ready(20)
    assert Jobs(daemon.stub()).status(before.job_id).status.ok
    # Who was connected stayed connected.
    assert daemon.jobs.status(before.job_id).status.ok


# Directories


def test_without_xdg_directories_all_is_below_the_home(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon(arguments=["--log-level", "debug"])
    daemon.environment = {name: value for name, value in daemon.environment.items() if not name.startswith("XDG_")}
    daemon.state = daemon.home / ".local" / "state" / "dome"
    user_runtime = Path(f"/run/user/{os.getuid()}")
    daemon.socket = (user_runtime / "dome" if user_runtime.is_dir() else daemon.state / "run") / "domed.sock"
    if user_runtime.is_dir():
        daemon.arguments += ["--socket", str(daemon.state / "run" / "domed.sock")]
        daemon.socket = daemon.state / "run" / "domed.sock"
    daemon.start()
    assert daemon.jobs.run("domed.exec-probe")[-1].payload["to"] == "succeeded"
    assert (daemon.state / "domed.sqlite").is_file()
    assert daemon.state.stat().st_mode & 0o077 == 0


def test_without_a_home_the_password_file_is_asked(new_daemon: Callable[..., Daemon]) -> None:
    """Containers often start programs with no environment at all."""
    daemon = new_daemon()
    del daemon.environment["HOME"]
    daemon.start()
    assert daemon.jobs.submit("job.noop", wait_ms=5000).status.ok


def test_relative_directories_count_as_unset(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon(environment={"XDG_DATA_HOME": "relative", "XDG_CONFIG_HOME": ""})
    daemon.start()
    assert daemon.jobs.submit("job.noop", wait_ms=5000).status.ok


def test_a_state_folder_that_cannot_be_made_is_named(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    (daemon.directory / "file").write_text("")
    said = refused(daemon, "--state-dir", str(daemon.directory / "file" / "state"))
    assert str(daemon.directory / "file") in said


# Command line and configuration


@pytest.mark.parametrize(
    "arguments, needle",
    [
        (["--bogus"], "--bogus"),
        (["--state-dir"], "--state-dir"),
        (["--state-dir", "relative"], "--state-dir"),
        (["--log-level", "loud"], "--log-level"),
        (["extra"], "extra"),
    ],
)
def test_an_argument_that_makes_no_sense_is_named(
    new_daemon: Callable[..., Daemon], arguments: list[str], needle: str
) -> None:
    assert needle in refused(new_daemon(), *arguments)


@pytest.mark.parametrize(
    "text, needle",
    [
        ("{", "config.json"),
        ("[]", "object"),
        ('{"max_runing_jobs": 3}', "max_runing_jobs"),
        ('{"max_running_jobs": "3"}', "max_running_jobs"),
        ('{"max_running_jobs": 0}', "max_running_jobs"),
        ('{"execute_wait_ms": -1}', "execute_wait_ms"),
    ],
)
def test_a_bad_configuration_is_refused_by_file_and_key(
    new_daemon: Callable[..., Daemon], text: str, needle: str
) -> None:
    daemon = new_daemon()
    daemon.write_config({})
    path = daemon.config_home / "dome" / "config.json"
    path.write_text(text)
    said = refused(daemon)
    assert str(path) in said and needle in said


def test_a_bad_policy_refuses_jobs_and_is_named(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    daemon.write_policy({})
    path = daemon.config_home / "dome" / "policy.json"
    path.write_text("{")
    daemon.start()
    reply = daemon.jobs.submit("domed.exec-probe", wait_ms=5000)
    assert not reply.status.ok
    assert str(path) in reply.status.message


# The database


def damage(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(0)
        file.write(os.urandom(64 << 10))


def test_a_damaged_database_is_refused_and_left_as_it_is(daemon: Daemon) -> None:
    daemon.jobs.submit("job.noop", wait_ms=5000)
    daemon.stop()
    path = daemon.state / "domed.sqlite"
    damage(path)
    before = path.read_bytes()
    said = refused(daemon)
    assert str(path) in said and "mv " in said
    assert path.read_bytes() == before
    # The remedy works.
    for suffix in ("", "-wal", "-shm"):
        if Path(f"{path}{suffix}").exists():
            os.rename(f"{path}{suffix}", f"{path}.damaged{suffix}")
    daemon.start()
    assert daemon.jobs.submit("job.noop", wait_ms=5000).status.ok


def test_a_file_that_is_no_database_is_refused(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    daemon.state.mkdir(mode=0o700)
    (daemon.state / "domed.sqlite").write_text("This is a shopping list.\n" * 100)
    assert str(daemon.state / "domed.sqlite") in refused(daemon)


def test_a_database_of_a_newer_dome_is_refused_and_left_as_it_is(daemon: Daemon) -> None:
    job = daemon.jobs.submit("job.noop", wait_ms=5000).job_id
    daemon.stop()
    path = daemon.state / "domed.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        [[version]] = connection.execute("PRAGMA user_version").fetchall()
        connection.execute("PRAGMA user_version = 9999")
    said = refused(daemon)
    assert str(path) in said and "9999" in said and "newer" in said
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    daemon.start()
    assert state_name(daemon.jobs.status(job).state) == "SUCCEEDED"


def test_a_database_of_another_program_is_refused(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    daemon.state.mkdir(mode=0o700)
    with closing(sqlite3.connect(daemon.state / "domed.sqlite")) as connection:
        connection.execute("PRAGMA application_id = 42")
        connection.execute("CREATE TABLE songs(title)")
    assert str(daemon.state / "domed.sqlite") in refused(daemon)


# Journals


def journal(daemon: Daemon, job: str) -> Path:
    [path] = (daemon.state / "jobs").glob(f"*/{job}/events.journal")
    return path


def terminal_frames_cut(path: Path) -> None:
    """Cuts the last byte: the terminal event is torn."""
    os.truncate(path, path.stat().st_size - 1)


def unfinished(daemon: Daemon, job: str) -> None:
    """Makes the job's row what it was before its end was committed."""
    with closing(sqlite3.connect(daemon.state / "domed.sqlite")) as connection:
        connection.executescript("DROP TRIGGER audit_rows_stay;")
        connection.execute(
            "UPDATE jobs SET state=2, ended_ns=NULL, exit_code=NULL, signal=NULL, reason='', message='', last_seq=0 "
            "WHERE job_id=?",
            (job,),
        )
        connection.execute("DELETE FROM job_outcomes WHERE job=(SELECT id FROM jobs WHERE job_id=?)", (job,))
        connection.execute("DELETE FROM audit WHERE job_id=? AND kind='outcome'", (job,))
        connection.executescript(
            "CREATE TRIGGER audit_rows_stay BEFORE DELETE ON audit "
            "BEGIN SELECT RAISE(ABORT, 'audit rows are never deleted'); END;"
        )
        connection.commit()


@pytest.mark.parametrize(
    "tool, task, state",
    [
        ("job.fail", {"reason": "why"}, "FAILED"),
        ("job.log", {"lines": ["a", "b", "c"]}, "SUCCEEDED"),
        ("domed.exec-probe", {"stdout": ["a"], "exit_code": 3}, "FAILED"),
        ("shell.run", {"argv": ["/no/such/program"]}, "FAILED"),
    ],
)
def test_an_end_cut_short_anywhere_is_repeated_to_the_same_end(daemon: Daemon, tool: str, task: dict, state: str) -> None:
    """As if the machine had stopped between any two bytes of the end and its commit."""
    events = daemon.jobs.run(tool, task)
    job = events[0].raw.job_id
    daemon.stop()
    path = journal(daemon, job)
    whole = path.read_bytes()
    # Behind the keeper's EXIT record (or the last line of a diagnostic) everything is domed's, and may be torn.
    for cut in range(len(whole), max(len(whole) - 500, 64 + 2 * 88), -37):
        os.truncate(path, 0)
        path.write_bytes(whole[:cut])
        unfinished(daemon, job)
        daemon.start()
        again = list(daemon.jobs.follow(job, timeout=20))
        assert_complete(again)
        status = daemon.jobs.status(job)
        if len(again) == len(events):
            told = [(one.seq, one.type, one.payload) for one in again]
            assert told == [(one.seq, one.type, one.payload) for one in events], cut
            assert state_name(status.state) == state
        else:
            # The cut went into what the keeper wrote: the job is honestly lost, and never half there.
            assert status.reason == "keeper_lost", (cut, [one.payload for one in again])
        assert [one.type for one in again].count("ERROR") <= 1
        daemon.stop()


def test_a_torn_journal_of_an_ended_job_is_read_up_to_the_tear_and_named(daemon: Daemon) -> None:
    events = daemon.jobs.run("job.log", {"lines": [f"line {number}" for number in range(100)]})
    job = events[0].raw.job_id
    daemon.stop()
    path = journal(daemon, job)
    os.truncate(path, path.stat().st_size // 2)
    daemon.start()
    found: list[Event] = []
    code = grpc.StatusCode.OK
    try:
        for one in daemon.jobs.follow(job, follow=False):
            found.append(one)
    except grpc.RpcError as error:
        code = error.code()
        assert job in error.details()
    readable = [one for one in found if one.type == "LOG"]
    assert raw(readable) == raw([one for one in events if one.type == "LOG"][: len(readable)])
    assert 20 < len(readable) < 80
    # Either the loss is an event that says so, or the stream says that it is not whole. Never silence.
    if code == grpc.StatusCode.OK:
        assert any(one.type == "GUARD" and one.payload.get("truncated") for one in found)
    assert state_name(daemon.jobs.status(job).state) == "SUCCEEDED"
    assert daemon.jobs.submit("job.noop", wait_ms=5000).status.ok


def test_a_journal_damaged_in_the_middle_names_the_job_and_hurts_no_other(daemon: Daemon) -> None:
    events = daemon.jobs.run("job.log", {"lines": ["x" * 200] * 50})
    other = daemon.jobs.run("job.log", {"lines": ["other"]})
    job = events[0].raw.job_id
    daemon.stop()
    path = journal(daemon, job)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x40
    path.write_bytes(content)
    daemon.start()
    with pytest.raises(grpc.RpcError) as caught:
        list(daemon.jobs.follow(job))
    assert job in caught.value.details()
    assert raw(daemon.jobs.replay(other[0].raw.job_id)) == raw(other)


def test_a_missing_journal_names_the_job(daemon: Daemon) -> None:
    job = daemon.jobs.run("job.noop")[0].raw.job_id
    daemon.stop()
    shutil.rmtree(journal(daemon, job).parent)
    daemon.start()
    assert state_name(daemon.jobs.status(job).state) == "SUCCEEDED"
    with pytest.raises(grpc.RpcError) as caught:
        daemon.jobs.replay(job)
    assert job in caught.value.details()


def test_a_torn_journal_of_a_running_job_costs_only_what_is_torn(daemon: Daemon) -> None:
    """Machine and keeper went down together: the tail is torn, the EXIT record never written."""
    with Gate(daemon.directory / "gates") as gate:
        job = daemon.jobs.start("shell.run", {"script": f"seq 100; {gate.wait}"}, grants=gate.grants)
        seen = []
        for one in daemon.jobs.follow(job):
            seen.append(one)
            if one.line == b"100":
                break
        keeper = daemon.stub().GetStatus(pb2.GetStatusRequest(), timeout=10).keepers[0].pid
        daemon.kill9()
        os.kill(keeper, signal.SIGKILL)
        wait_until_gone(daemon)
    path = journal(daemon, job)
    # The keeper keeps space reserved, so the tear is where the content ends.
    content = path.read_bytes().rstrip(b"\0")
    path.write_bytes(content[:-3])
    daemon.start()
    events = list(daemon.jobs.follow(job, timeout=20))
    assert_complete(events)
    assert events[-1].payload["reason"] == "keeper_lost"
    kept = [one for one in events if one.raw.SerializeToString() in set(raw(seen))]
    assert raw(kept) == raw(seen[: len(kept)]) and len(kept) >= 2


def wait_until_gone(daemon: Daemon) -> None:
    deadline = time.monotonic() + 20
    while daemon.pids() and time.monotonic() < deadline:
        time.sleep(0.002)
    assert not daemon.pids()


# A full disk


@pytest.fixture
def little(new_daemon: Callable[..., Daemon]) -> Iterator[Daemon]:
    """A daemon whose state folder is a disk of 8 MiB of its own."""
    assert os.getuid() == 0, "mounting a small disk needs root"
    daemon = new_daemon()
    daemon.state.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=0700", "tmpfs", daemon.state], check=True)
    try:
        yield daemon
    finally:
        from domekit import processes

        processes.end_all(daemon.directory)
        subprocess.run(["umount", "-l", daemon.state], check=True)


def fill(daemon: Daemon) -> Path:
    """Takes the disk's last byte; returns the file to remove."""
    path = daemon.state / "filler"
    with path.open("wb") as file:
        try:
            while True:
                os.write(file.fileno(), b"\0" * 4096)
        except OSError:
            pass
    return path


def test_a_full_disk_refuses_new_jobs_and_keeps_serving(little: Daemon) -> None:
    little.start()
    before = little.jobs.run("domed.exec-probe", {"stdout": ["kept"]})
    filler = fill(little)
    # Some pages of the write-ahead log may still be free; not for long.
    refusals = [little.jobs.submit("job.noop", {"filler": "x" * 8192}, key=f"k{number}") for number in range(12)]
    full = [reply for reply in refusals if not reply.status.ok]
    assert full, "a full disk must refuse"
    for reply in full:
        assert reply.status.code == pb2.E_RESOURCE_EXHAUSTED and reply.status.retryable
        assert str(little.state) in reply.status.message and reply.job_id == ""
    assert little.stub().Health(pb2.HealthRequest(), timeout=10).status.ok
    assert raw(little.jobs.replay(before[0].raw.job_id)) == raw(before)
    filler.unlink()
    accepted = [reply.job_id for reply in refusals if reply.status.ok]
    for job in accepted:
        assert list(little.jobs.follow(job, timeout=20))[-1].payload["to"] == "succeeded"
    assert little.jobs.run("domed.exec-probe")[-1].payload["to"] == "succeeded"


def test_a_disk_that_fills_up_under_a_job_loses_no_line_once_there_is_room(little: Daemon) -> None:
    """Back-pressure: the tool waits, the lines wait with it."""
    little.start()
    with Gate(little.directory / "gates") as gate:
        script = f"echo up; {gate.wait}; seq 100000 105000; {gate.wait}; echo done"
        job = little.jobs.start("shell.run", {"script": script}, grants=gate.grants)
        followed = little.jobs.follow(job, timeout=60)
        events = [next(followed), next(followed), next(followed)]
        assert events[-1].line == b"up"
        filler = fill(little)
        gate.open()
        # What still fits arrives; then nothing until there is room.
        gate.open()
        filler.unlink()
        events += followed
    assert_complete(events)
    lines = [one.line for one in events if one.type == "LOG"]
    assert lines == [b"up", *(str(number).encode() for number in range(100_000, 105_001)), b"done"]
    assert events[-1].payload["to"] == "succeeded"


def test_a_disk_that_stays_full_ends_the_job_with_that_reason(little: Daemon) -> None:
    little.write_config({"disk_full_grace_seconds": 1})
    flood = "yes $(printf %01000d 0) | head -c 30000000"
    write_script_tool(little, "test.flood", flood, limits={"output_bytes": 64 << 20})
    little.start()
    little.jobs.run("job.noop")
    # What domed itself needs for the end is given back when it asks.
    ballast = little.state / "ballast"
    ballast.write_bytes(b"\0" * (1 << 20))
    job = little.jobs.start("test.flood")
    deadline = time.monotonic() + 40
    while state_name(little.jobs.status(job).state) in ("QUEUED", "RUNNING"):
        assert time.monotonic() < deadline, "the job was never given up"
        if ballast.exists() and "finish.delayed" in little.log():
            ballast.unlink()
    events = list(little.jobs.follow(job, timeout=40))
    assert_complete(events)
    assert events[-1].payload["to"] == "failed" and events[-1].payload["reason"] == "disk_full"
    assert [one.payload["reason"] for one in events if one.type == "ERROR"] == ["disk_full"]
    [guard] = [one for one in events if one.type == "GUARD"]
    assert guard.payload["truncated"] and guard.payload["dropped_bytes"] > 0
    assert {one.line for one in events if one.type == "LOG"} == {b"0" * 1000}
    assert rows(little, "SELECT reason FROM jobs WHERE job_id=?", job) == [("disk_full",)]
