"""A database that is damaged, foreign or too new is refused with the remedy, and left as it is."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from domekit.daemon import Daemon
from domekit.jobs import state_name


def damage(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(0)
        file.write(os.urandom(64 << 10))


def test_a_damaged_database_is_refused_and_left_as_it_is(daemon: Daemon) -> None:
    daemon.jobs.submit("job.noop", wait_ms=20_000)
    daemon.stop()
    path = daemon.state / "domed.sqlite"
    damage(path)
    before = path.read_bytes()
    said = daemon.refuses_to_start()
    assert str(path) in said and "mv " in said
    assert path.read_bytes() == before
    # The remedy works.
    for suffix in ("", "-wal", "-shm"):
        if Path(f"{path}{suffix}").exists():
            os.rename(f"{path}{suffix}", f"{path}.damaged{suffix}")
    daemon.start()
    assert daemon.jobs.submit("job.noop", wait_ms=20_000).status.ok


def test_a_file_that_is_no_database_is_refused(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    daemon.state.mkdir(mode=0o700)
    (daemon.state / "domed.sqlite").write_text("This is a shopping list.\n" * 100)
    assert str(daemon.state / "domed.sqlite") in daemon.refuses_to_start()


def test_a_database_of_a_newer_dome_is_refused_and_left_as_it_is(daemon: Daemon) -> None:
    job = daemon.jobs.submit("job.noop", wait_ms=20_000).job_id
    daemon.stop()
    path = daemon.state / "domed.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        [[version]] = connection.execute("PRAGMA user_version").fetchall()
        connection.execute("PRAGMA user_version = 9999")
    said = daemon.refuses_to_start()
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
    assert str(daemon.state / "domed.sqlite") in daemon.refuses_to_start()
