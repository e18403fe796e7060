"""The adapters that come with dome, as their users meet them."""

from __future__ import annotations

import math
import os
import signal
import sqlite3
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from domekit import plugins
from domekit.daemon import Daemon
from domekit.jobs import Jobs, state_name
from domekit.plugins import answer, complaint
from domekit.tools import write_tool

LIBM = {"library": "libm.so.6", "symbol": "cos", "signature": "double(double)"}


@pytest.fixture(scope="module")
def daemon() -> Iterator[Daemon]:
    """One for all: what a job leaves behind ends with it."""
    daemon = Daemon()
    try:
        yield daemon.start()
    finally:
        daemon.close()


def test_all_are_ready(daemon: Daemon) -> None:
    listed = plugins.plugins(daemon)
    for name in ("Echo", "FFI", "HTTP", "LocalProcess", "SQLite"):
        assert listed[name].state == "ready", listed[name].reason


def test_ffi_calls_functions_without_glue(jobs: Jobs) -> None:
    crc32 = {"library": "libz.so.1", "symbol": "crc32", "signature": "ulong(ulong, bytes, uint)"}
    assert answer(jobs, "ffi.call", crc32 | {"arguments": [0, "hello", 5]}) == {"result": zlib.crc32(b"hello")}
    assert answer(jobs, "ffi.call", LIBM | {"arguments": [1.5]}) == {"result": math.cos(1.5)}
    strlen = {"library": "libc.so.6", "symbol": "strlen", "signature": "size_t(string)"}
    assert answer(jobs, "ffi.call", strlen | {"arguments": ["g\u00fcn\U0001f600"]}) == {"result": 8}
    version = {"library": "libz.so.1", "symbol": "zlibVersion", "signature": "string()"}
    assert answer(jobs, "ffi.call", version)["result"].startswith("1.")
    labs = {"library": "libc.so.6", "symbol": "labs", "signature": "long(long)"}
    assert answer(jobs, "ffi.call", labs | {"arguments": [-9007199254740993]}) == {"result": 9007199254740993}
    log = LIBM | {"symbol": "log"}
    assert answer(jobs, "ffi.call", log | {"arguments": [0]}) == {"result": None, "text": "-inf"}


def test_a_length_is_not_the_callers_to_give(jobs: Jobs) -> None:
    crc32 = {"library": "libz.so.1", "symbol": "crc32_z", "signature": "ulong(ulong, bytes, length)"}
    text = "gr\u00fcn\u0000\U0001f600"
    assert answer(jobs, "ffi.call", crc32 | {"arguments": [0, text]}) == {"result": zlib.crc32(text.encode())}
    assert answer(jobs, "ffi.call", crc32 | {"arguments": [7, None]}) == {"result": 0}
    assert "2 arguments, 3 were given" in complaint(jobs, "ffi.call", crc32 | {"arguments": [0, text, 5]})


def test_functions_of_the_registry(jobs: Jobs) -> None:
    """Each a function of a library that every Debian has, made a tool by its manifest."""
    assert answer(jobs, "data.crc32", {"arguments": [0, "hello"]}) == {"result": zlib.crc32(b"hello")}
    start = zlib.crc32(b"hello")
    assert answer(jobs, "data.crc32", {"arguments": [start, "\u20ac"]}) == {
        "result": zlib.crc32("hello\u20ac".encode())
    }
    assert answer(jobs, "data.crc32", {"arguments": [0, ""]}) == {"result": 0}
    assert answer(jobs, "math.lgamma", {"arguments": [21]}) == {"result": math.lgamma(21)}
    assert answer(jobs, "math.lgamma", {"arguments": [0]}) == {"result": None, "text": "inf"}
    for task in ({"arguments": [0]}, {"arguments": [-1, "x"]}, {"arguments": [0, 1]}, {}):
        assert not jobs.submit("data.crc32", task).status.ok
    assert not jobs.submit("math.lgamma", {"arguments": ["1"]}).status.ok
    assert not jobs.submit("math.lgamma", {"arguments": [1], "symbol": "system"}).status.ok


def test_a_c_function_is_a_tool_by_its_manifest_alone(daemon: Daemon, jobs: Jobs) -> None:
    schema = {"type": "object", "properties": {"arguments": {"type": "array"}}, "additionalProperties": False}
    entrypoint = {"action": "call", "config": LIBM}
    write_tool(daemon, "math.cos", {"executor": "dome.ffi", "entrypoint": entrypoint, "permissions": []}, schema)
    assert answer(jobs, "math.cos", {"arguments": [0]}) == {"result": 1}
    assert not jobs.submit("math.cos", {"arguments": [0], "symbol": "system"}).status.ok


@pytest.mark.parametrize(
    ("change", "arguments", "reason"),
    [
        ({"library": "libnothing.so.9"}, [1], "the library cannot be loaded: libnothing.so.9"),
        ({"symbol": "cosine"}, [1], "libm.so.6 has no symbol cosine"),
        ({"signature": "double(doubel)"}, [1], 'no type that is known at "doubel)"'),
        ({"signature": "double"}, [1], "needs its arguments in parentheses"),
        ({"signature": "double(double,)"}, [1], "something strange"),
        ({"signature": "double(double) x"}, [1], "goes on behind its last parenthesis"),
        ({"signature": "bytes(double)"}, [1], "cannot result in bytes"),
        ({"signature": "length(double)"}, [1], "cannot result in length"),
        ({"signature": "int(length)"}, [], "length must follow the bytes"),
        ({"signature": "int(int, length)"}, [1], "length must follow the bytes"),
        ({}, [], "the signature has 1 arguments, 0 were given"),
        ({}, ["1"], "argument 1 is to be double: a number"),
        ({"signature": "int(uint8)"}, [256], "argument 1 is to be uint8"),
        ({"signature": "int(int8)"}, [-129], "argument 1 is to be int8"),
        ({"signature": "int(ulong)"}, [-1], "not negative"),
        ({"signature": "int(string)"}, ["a\u0000b"], "without the character NUL"),
        ({"signature": "float(float)"}, [1e300], "argument 1 is to be float: a number that fits"),
        # Cut in the middle of a character, which is no text any more.
        ({"signature": "double(x" + "\u00e4" * 40 + ")"}, [1], "has no type that is known"),
    ],
)
def test_what_does_not_fit_a_signature_is_named(
    jobs: Jobs, change: dict[str, str], arguments: list[Any], reason: str
) -> None:
    assert reason in complaint(jobs, "ffi.call", LIBM | change | {"arguments": arguments})


def test_what_a_manifest_fixes_but_cannot_be_read_is_not_left_open(daemon: Daemon, jobs: Jobs) -> None:
    config = LIBM | {"symbol": "co\u0000s"}
    entrypoint = {"action": "call", "config": config}
    write_tool(
        daemon, "math.broken", {"executor": "dome.ffi", "entrypoint": entrypoint, "permissions": []}, {"type": "object"}
    )
    task = {"symbol": "sin", "arguments": [1]}
    assert "without the character NUL" in complaint(jobs, "math.broken", task)


def test_a_wrong_signature_crashes_its_job_alone(jobs: Jobs) -> None:
    strlen = {"library": "libc.so.6", "symbol": "strlen", "signature": "size_t(long)", "arguments": [16]}
    reply = jobs.submit("ffi.call", strlen, wait_ms=30_000)
    assert (state_name(reply.state), reply.signal) == ("FAILED", 11)
    assert "SIGSEGV" in jobs.status(reply.job_id).message
    assert answer(jobs, "ffi.call", LIBM | {"arguments": [0]}) == {"result": 1}


def database(daemon: Daemon) -> Path:
    """A granted folder's database with three rows."""
    folder = Path(tempfile.mkdtemp(prefix="data base?", dir=daemon.home))
    with closing(sqlite3.connect(folder / "a#b.db")) as connection:
        connection.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, share REAL, bytes BLOB)")
        rows = [(1, 'a"\n\u20ac', 0.5, b"\x00\xff"), (2, None, 1e300, b""), (9007199254740993, "c", -1.0, None)]
        connection.executemany("INSERT INTO t VALUES(?,?,?,?)", rows)
        connection.commit()
    return folder / "a#b.db"


def test_a_query_answers_with_rows_of_every_type(daemon: Daemon, jobs: Jobs) -> None:
    path = database(daemon)
    result = answer(
        jobs, "sqlite.query", {"path": str(path), "sql": "SELECT * FROM t ORDER BY id"}, grants=[f"fs.read:{path}"]
    )
    assert result["columns"] == ["id", "name", "share", "bytes"] and result["truncated"] is False
    assert result["rows"] == [
        [1, 'a"\n\u20ac', 0.5, {"base64": "AP8="}],
        [2, None, 1e300, {"base64": ""}],
        [9007199254740993, "c", -1.0, None],
    ]


def test_parameters_are_bound_and_rows_limited(daemon: Daemon, jobs: Jobs) -> None:
    path = database(daemon)
    grants = [f"fs.read:{path}"]
    named = {"path": str(path), "sql": "SELECT id FROM t WHERE name = :name", "params": {"name": "c"}}
    assert answer(jobs, "sqlite.query", named, grants=grants)["rows"] == [[9007199254740993]]
    listed = {"path": str(path), "sql": "SELECT ?1, ?2, ?3", "params": ["x'; DROP TABLE t", 1.5, None]}
    assert answer(jobs, "sqlite.query", listed, grants=grants)["rows"] == [["x'; DROP TABLE t", 1.5, None]]
    limited = {"path": str(path), "sql": "SELECT id FROM t", "max_rows": 2}
    result = answer(jobs, "sqlite.query", limited, grants=grants)
    assert len(result["rows"]) == 2 and result["truncated"] is True


def test_a_change_needs_its_folder_for_writing(daemon: Daemon, jobs: Jobs) -> None:
    path = database(daemon)
    task = {"path": str(path), "sql": "INSERT INTO t(name) VALUES(?)", "params": ["new"]}
    assert "readonly" in complaint(jobs, "sqlite.query", task, grants=[f"fs.write:{path.parent}"])
    assert complaint(jobs, "sqlite.execute", task, grants=[f"fs.read:{path.parent}"])
    result = answer(jobs, "sqlite.execute", task, grants=[f"fs.write:{path.parent}"])
    assert result["changes"] == 1 and result["last_insert_rowid"] == 9007199254740994
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM t WHERE id = 9007199254740994").fetchall() == [("new",)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sql": "SELEKT 1"}, "syntax error"),
        ({"sql": "SELECT 1; SELECT 2"}, "more than one statement"),
        ({"sql": " -- nothing"}, "holds no statement"),
        ({"sql": "SELECT ?1, ?2", "params": [1]}, "has 2 parameters, 1 were given"),
        ({"sql": "SELECT :a", "params": {"b": 1}}, "other names"),
        ({"sql": "SELECT ?1", "params": [[1]]}, "may hold texts, numbers"),
        ({"sql": "SELECT x" + "\u00e4" * 600}, "cannot be understood"),
        ({"sql": "SELECT xx" + "\u00e4" * 600}, "cannot be understood"),
        ({"path": "/etc/hostname"}, "cannot be opened"),
        ({"path": "/proc/self/environ"}, "the statement"),
        ({"path": "/usr"}, "no regular file"),
    ],
)
def test_a_statement_that_will_not_do_is_explained(
    daemon: Daemon, jobs: Jobs, change: dict[str, Any], reason: str
) -> None:
    path = database(daemon)
    task = {"path": str(path), "sql": "SELECT * FROM t"} | change
    assert reason in complaint(jobs, "sqlite.query", task, grants=[f"fs.read:{path}"])


@pytest.mark.parametrize("tool", ["sqlite.query", "sqlite.execute"])
def test_nobody_waits_for_a_fifo(daemon: Daemon, jobs: Jobs, tool: str) -> None:
    folder = database(daemon).parent
    os.mkfifo(folder / "pipe")
    task = {"path": str(folder / "pipe"), "sql": "SELECT * FROM t"}
    assert "no regular file" in complaint(jobs, tool, task, grants=[f"fs.write:{folder}"])


def test_a_wait_for_a_lock_is_canceled(daemon: Daemon, jobs: Jobs) -> None:
    path = database(daemon)
    pause = 0.0
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        while True:
            job = jobs.start("sqlite.query", {"path": str(path), "sql": "SELECT 1 FROM t"}, grants=[f"fs.read:{path}"])
            while state_name(jobs.status(job).state) == "QUEUED":
                pass
            time.sleep(pause)
            jobs.cancel(job)
            list(jobs.follow(job))
            status = jobs.status(job)
            assert state_name(status.state) == "CANCELED"
            # Ended by a signal: the wish came before the plugin's program was there to hear it.
            if not status.signal or pause > 1:
                break
            pause = 2 * pause + 0.02
    assert not status.signal


def test_a_long_query_is_canceled(daemon: Daemon, jobs: Jobs) -> None:
    path = database(daemon)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT count(*) FROM n"
    job = jobs.start("sqlite.query", {"path": str(path), "sql": endless}, grants=[f"fs.read:{path}"])
    while state_name(jobs.status(job).state) == "QUEUED":
        pass
    jobs.cancel(job)
    list(jobs.follow(job))
    status = jobs.status(job)
    assert state_name(status.state) == "CANCELED" and status.signal != signal.SIGKILL, "without force"
