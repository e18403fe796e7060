"""What is measured of the audit log when it is long: a filtered page, a proof, a verification, the index's size.

A million events by default; DOME_BENCH_LEAVES=10000000 takes some minutes, and 5 GB below /var/tmp.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from domekit.daemon import Daemon, pb2
from samples import Row, Section
from world import BenchError, World, guarded

TOOLS = ["shell.run"] * 60 + ["text.search"] * 30 + ["git.log"] * 9 + ["echo.say"]
BEGIN_NS = 1_700_000_000_000_000_000
STEP_NS = 50_000_000
PER_SECOND = 10**9 // STEP_NS
RARE = 1001
# A leaf's hash (34 bytes with its header) stands in its row; a salt (18) in every other one.
ROW_BYTES = 34 + 9


def leaves(count: int) -> Iterator[tuple[object, ...]]:
    """Jobs, each with its intent and its outcome; one in a hundred fails, one in ten thousand is another user's.

    The leaves are put together as text, in the order that canonical JSON has: ten million would take long as objects.
    """
    material = "a" * 64
    stamp = ""
    for number in range(count):
        seq, job, is_end = number + 1, number // 2, number % 2
        job_id = f"job-01h{job:023d}"
        tool = TOOLS[job * 7 % 100]
        ns = BEGIN_NS + number * STEP_NS
        if number % PER_SECOND == 0:
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ns // 10**9))
        uid = RARE if job % 10_000 == 13 else 1000
        outcome = None if not is_end else "failed" if job % 100 == 13 else "succeeded"
        kind = "outcome" if is_end else "intent"
        word = f'"outcome":"{outcome}",' if outcome else ""
        text = (
            f'{{"actor":{{"pid":4242,"uid":{uid}}},"details":{{"grants":["fs.read:/home/user/project"],"profile":"cli",'
            f'"tool_material_sha256":"{material}"}},"job_id":"{job_id}","kind":"{kind}",{word}"seq":{seq},'
            f'"time":"{stamp}.{ns // 1000 % 10**6:06d}Z","tool_id":"{tool}","v":1}}'
        ).encode()
        yield seq, ns, kind, uid, job_id, tool, outcome, text, hashlib.sha256(b"\x00" + text).digest(), None


def generate(path: Path, count: int) -> int:
    """Fills an empty log; returns the size of the database."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE name LIKE 'audit_%stay%'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for table in ("audit", "audit_checkpoints", "audit_jobs", "audit_terms", "audit_blocks", "audit_nodes"):
            connection.execute(f"DELETE FROM {table}")
        connection.executemany("INSERT INTO audit VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", leaves(count))
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path.stat().st_size


def section(world: World) -> Section:
    count = int(os.environ.get("DOME_BENCH_LEAVES", "1000000"))
    made = Section(f"An audit log of {world.count(count)} events")
    rows = {
        "page": made.row("filtered query, first page of 50 (rare user, failed)", "ms", target=("p50 <=", 30)),
        "tool": made.row("filtered query, first page of 50 (a tool, an hour)", "ms", target=("p50 <=", 30)),
        "prove": made.row("prove an event", "ms", target=("p50 <=", 5)),
        "verify": made.row("verify, events per second", "events", target=("rate >=", 300_000)),
        "index": made.row("index, bytes an event", "bytes", target=("p50 <=", 200)),
    }
    guarded(rows["page"], lambda: _measure(world, rows, world.count(count)))
    return made


def _measure(world: World, rows: dict[str, Row], count: int) -> None:
    daemon = Daemon(base="/var/tmp", binaries=world.daemon.bin)
    try:
        daemon.start()
        daemon.stop()
        database = daemon.state / "domed.sqlite"
        (daemon.state / "audit-anchor").unlink()
        before = generate(database, count)
        daemon.start(seconds=600)
        stub = daemon.stub()
        began = time.monotonic()
        while (newest := _checkpointed(stub, count)) < count:
            if time.monotonic() - began > 600:
                raise BenchError(f"only {newest} of {count} events were signed in 600 s")
            time.sleep(0.2)
        rows["index"].note = f"made in {time.monotonic() - began:.1f} s"
        queries = {
            "page": pb2.QueryAuditRequest(actor_uid=RARE, outcome="failed", newest_first=True, limit=50),
            "tool": pb2.QueryAuditRequest(
                tool_id="git.log", until=_time(count // 2), since=_time(count // 2 - 72_000),
                newest_first=True, limit=50,
            ),
        }
        for name, request in queries.items():
            for _ in range(20):
                began = time.perf_counter()
                list(stub.QueryAudit(request, timeout=60))
                rows[name].samples.append((time.perf_counter() - began) * 1e3)
        for number in range(50):
            seq = 1 + number * (count - 1) // 49
            began = time.perf_counter()
            reply = stub.ProveAudit(pb2.ProveAuditRequest(seq=seq), timeout=60)
            rows["prove"].samples.append((time.perf_counter() - began) * 1e3)
            if not reply.status.ok:
                raise BenchError(reply.status.message)
        began = time.perf_counter()
        *_, last = stub.VerifyAudit(pb2.VerifyAuditRequest(), timeout=600)
        took = time.perf_counter() - began
        # The anchor was taken away to have a log of this length; that is told, and nothing else may be.
        if [one.what for one in last.findings] not in ([], ["anchor"]):
            raise BenchError(str(last.findings))
        rows["verify"].per_second = last.checked / took
        rows["verify"].n = last.checked
        daemon.stop()
        rows["index"].samples.append((database.stat().st_size - before) / count + ROW_BYTES)
    finally:
        daemon.close()


def _checkpointed(stub: object, count: int) -> int:
    """How many events a proof can be given for: all of them, once the last one has one."""
    reply = stub.ProveAudit(pb2.ProveAuditRequest(seq=1), timeout=600)  # type: ignore[attr-defined]
    if not reply.status.ok:
        return 0
    size = int(reply.proof.split("\n\n")[1].splitlines()[1])
    return max(size, 0) if size >= count else size


def _time(number: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime((BEGIN_NS + number * STEP_NS) // 10**9))
