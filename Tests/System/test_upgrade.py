"""An upgrade between two versions that really differ: the programs under test, and the same with a later version and a
further step of the database's schema, built in a copy of the tree. In the long run alone."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from domekit.daemon import Daemon, pb2
from domekit.gates import Gate
from domekit.mutants import Change, Mutant, Tree
from domekit.paths import ROOT
from domekit.waiting import until

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]
VERSION = ROOT / "Sources" / "Host" / "Model" / "DomeVersion.swift"
MIGRATION = ROOT / "Sources" / "Host" / "Store" / "Migration.swift"
TEST = "Tests/System/test_upgrade.py::test_an_upgrade_loses_nothing_and_the_way_back_is_open"


def found(pattern: str, path: Path) -> re.Match[str]:
    match = re.search(pattern, path.read_text())
    assert match, f"{path} has no {pattern}"
    return match


OLD_VERSION = found(r'static let text = "(\d+\.\d+\.\d+)"', VERSION)
STEPS = found(r"static let all: \[Migration\] = \[(.*)\]", MIGRATION)
OLD_SCHEMA = STEPS[1].count(".")
NEW_VERSION = f"{int(OLD_VERSION[1].split('.')[0]) + 1}.0.0"
STEP = f'Migration(version: {OLD_SCHEMA + 1}, sql: "CREATE TABLE later(what TEXT) STRICT; INSERT INTO later VALUES(1)")'
CHANGES = (
    Change(str(VERSION.relative_to(ROOT)), OLD_VERSION[0], OLD_VERSION[0].replace(OLD_VERSION[1], NEW_VERSION)),
    Change(str(MIGRATION.relative_to(ROOT)), STEPS[0], f"{STEPS[0][:-1]}, {STEP}]"),
)


@pytest.fixture(scope="module")
def newer() -> Iterator[Path]:
    """The folder of the newer programs."""
    tree = Tree()
    tree.prepare([TEST])
    with tree.with_changes(Mutant("newer", CHANGES, (TEST,))):
        yield tree.binaries


def query(database: Path, sql: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        return connection.execute(sql).fetchall()


def upgrade_advice(daemon: Daemon, programs: Path) -> str:
    """What `dome status` of these programs says of versions."""
    done = subprocess.run(
        [programs / "dome", "status"], env=daemon.environment, capture_output=True, text=True, timeout=60, check=False
    )
    return "\n".join(line for line in done.stdout.splitlines() if "recommended" in line or "upgrade" in line)


def test_an_upgrade_loses_nothing_and_the_way_back_is_open(new_daemon: Callable[..., Daemon], newer: Path) -> None:
    daemon = new_daemon()
    old = daemon.bin
    daemon.start()
    database = daemon.state / "domed.sqlite"
    copy = database.with_name(f"domed.sqlite.version-{OLD_SCHEMA}")
    with Gate(daemon.directory / "gates") as gate:
        script = {"script": f"echo older; {gate.wait}; echo still there"}
        job = daemon.jobs.start("shell.run", script, grants=gate.grants)
        # A client of the older version, which sees the newer daemon take over. Without a domed beside it: in between it
        # would start the older one again.
        alone = daemon.make_folder("alone") / "dome"
        shutil.copy(old / "dome", alone)
        logs = subprocess.Popen([alone, "logs", "-f", job], env=daemon.environment, stdout=subprocess.PIPE, text=True)
        assert logs.stdout is not None and logs.stdout.readline() == "older\n"
        [keeper] = [one.pid for one in daemon.stub().GetStatus(pb2.GetStatusRequest(), timeout=30).keepers]
        assert daemon.stop() == 0
        daemon.bin = newer
        daemon.start(60)
        assert query(database, "PRAGMA user_version") == [(OLD_SCHEMA + 1,)]
        assert query(database, "SELECT what FROM later") == [("1",)]
        assert query(copy, "PRAGMA user_version") == [(OLD_SCHEMA,)]
        assert query(copy, "SELECT job_id FROM jobs") == [(job,)]
        assert upgrade_advice(daemon, old).endswith(f"this dome is {OLD_VERSION[1]}; {NEW_VERSION} is recommended")
        assert upgrade_advice(daemon, newer) == ""
        # New work is not the older keeper's, which stays for the job that it has.
        assert daemon.jobs.run("shell.run", {"argv": ["/bin/true"]})[-1].payload["to"] == "succeeded"
        assert keeper in daemon.pids("domed-keeper")
        gate.open()
    assert logs.stdout.read() == "still there\n" and logs.wait(60) == 0
    until(lambda: keeper not in daemon.pids("domed-keeper"), "the older keeper has left", 60)
    assert daemon.jobs.run("shell.run", {"argv": ["/bin/true"]})[-1].payload["to"] == "succeeded"
    assert daemon.stop() == 0

    daemon.bin = old
    before = hashlib.sha256(database.read_bytes()).digest()
    said = daemon.refuses_to_start()
    assert f"has schema version {OLD_SCHEMA + 1}, and this domed knows versions up to {OLD_SCHEMA}" in said
    assert "Install the newer domed" in said and hashlib.sha256(database.read_bytes()).digest() == before
    # The way back that docs/OPERATIONS.md names.
    for name in ("domed.sqlite-wal", "domed.sqlite-shm"):
        database.with_name(name).unlink(missing_ok=True)
    copy.rename(database)
    daemon.start()
    assert [one["job_id"] for one in json.loads(daemon.dome("jobs", "-a", "-o", "json").stdout)] == [job]
