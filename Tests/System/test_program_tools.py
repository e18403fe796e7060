"""python.run and build.test in the jail."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from domekit.daemon import Daemon
from domekit.shipped import (  # noqa: F401
    both,
    new_folder,
    not_accepted,
    output,
    project,
    reads,
    refusal,
    result,
    writes,
)


def python(daemon: Daemon, code: str, *grants: str, **task: Any) -> tuple[int, str, str]:
    """Exit status, output and errors of a snippet."""
    reply = daemon.jobs.submit("python.run", task | {"code": code}, grants=list(grants), wait_ms=60_000, timeout=90)
    assert reply.status.ok, reply.status.message
    streams = [output(daemon, reply.job_id, name) for name in ("stdout", "stderr")]
    return daemon.jobs.status(reply.job_id).exit_code, *streams


def test_a_snippet_runs_with_what_it_is_given(both: Daemon) -> None:  # noqa: F811
    code = "import sys\nprint(sys.argv[1:], sys.stdin.read(), '\u00fc')\nsys.exit(3)"
    ended = python(both, code, args=["a b", "$x", "\u00fc"], stdin="in\n")
    assert ended[:2] == (3, "['a b', '$x', '\u00fc'] in\n \u00fc\n")
    status, _, errors = python(both, "def f(:\n  pass")
    assert status == 1 and "/job/main.py" in errors and "SyntaxError" in errors
    assert python(both, "print(open('/etc/shadow').read())")[0] == 1
    assert python(both, "import socket; socket.create_connection(('127.0.0.1', 1))")[0] == 1
    folder = new_folder(both)
    left = "import os; open('f', 'w').write('x'); os.mkdir('/job/out'); open('/job/out/kept', 'w')"
    assert python(both, left, writes(folder), folder=str(folder))[0] == 0
    assert (folder / "f").read_text() == "x"
    assert "input schema" in not_accepted(both, "python.run", {"code": ""})
    task = {"code": "1", "folder": str(folder / "f")}
    assert "f is no folder" in refusal(both, "python.run", task, reads(folder))


def test_a_virtual_environment_is_used_when_granted(both: Daemon) -> None:  # noqa: F811
    folder = new_folder(both)
    venv = folder / "venv"
    subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip", venv], check=True)
    (next(venv.glob("lib/python3*/site-packages")) / "inside.py").write_text("WORD = 'inside'\n")
    both.own(folder)
    code = "import inside, sys; print(inside.WORD, sys.prefix)"
    assert python(both, code, reads(folder), venv=str(venv))[1] == f"inside {venv}\n"
    task = {"code": code, "venv": str(venv)}
    assert "was it granted?" in refusal(both, "python.run", task)
    assert "no virtual environment" in refusal(both, "python.run", task | {"venv": str(folder)}, reads(folder))
    (venv / "bin" / "python").unlink()
    (venv / "bin" / "python").symlink_to("/root/.pyenv/none/bin/python")
    assert "/root/.pyenv/none/bin/python is not in the sandbox" in refusal(both, "python.run", task, reads(folder))


GOOD_AND_BAD = """\
import os, unittest
class T(unittest.TestCase):
    def test_good(self): open("left", "w")
    def test_bad(self): self.assertEqual(os.environ["HOME"], "/")
    @unittest.skip("later")
    def test_later(self): pass
"""


def test_a_python_project_is_tested_on_a_copy(both: Daemon) -> None:  # noqa: F811
    folder = project(both, {"test_it.py": GOOD_AND_BAD})
    for system in ("pytest", "unittest"):
        tested = result(both, "build.test", {"folder": str(folder), "system": system}, reads(folder))
        assert (tested["system"], tested["ok"], tested["exit_code"]) == (system, False, 1)
        assert (tested["passed"], tested["failed"], tested["skipped"]) == (1, 1, 1), tested["output"]
        assert len(tested["failures"]) == 1 and "test_bad" in tested["failures"][0]["name"]
        assert "test_bad" in tested["output"]
    assert [one.name for one in folder.iterdir()] == ["test_it.py"]
    some = {"folder": str(folder), "arguments": ["-k", "good"], "in_place": True}
    tested = result(both, "build.test", some, writes(folder))
    assert (tested["system"], tested["ok"], tested["passed"]) == ("pytest", True, 1)
    assert (folder / "left").exists()


def test_a_makefile_is_tested_and_ended_in_time(both: Daemon) -> None:  # noqa: F811
    folder = project(both, {"Makefile": "check:\n\t@echo checked; exit 3\n"})
    tested = result(both, "build.test", {"folder": str(folder)}, reads(folder))
    assert (tested["command"], tested["exit_code"], tested["passed"]) == (["make", "check"], 2, None)
    assert "checked\n" in tested["output"] and tested["output_artifact"] == "output.txt"
    endless = project(both, {"Makefile": "test:\n\tsleep 1000\n"})
    tested = result(both, "build.test", {"folder": str(endless), "timeout_seconds": 1}, reads(endless))
    assert tested["timed_out"] and not tested["ok"] and tested["exit_code"] is None


# What the real ones print, shortened.
CARGO = """\
running 2 tests
test tests::adds ... ok
test tests::breaks ... FAILED
test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
test src/lib.rs - (line 3) ... ok
test result: ok. 1 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.10s
"""
SWIFT = """\
Test Case 'T.testGood' passed (0.1 seconds)
/work/t.swift:6: error: T.testBad : XCTAssertEqual failed: ("3") is not equal to ("4") -
/work/t.swift:7: error: T.testBad : XCTAssertTrue failed -
Test Case 'T.testBad' failed (0.1 seconds)
Test Case 'T.testLater' skipped (0.0 seconds)
Executed 3 tests, with 1 test skipped and 2 failures (0 unexpected) in 0.1 (0.1) seconds
\u25c7 Test wrong() started.
\u279c Test notNow() skipped: "later"
\u2714 Test each(_:) with 3 test cases passed after 0.001 seconds.
\u2718 Test wrong() recorded an issue at t.swift:9:21: Expectation failed: (add(1,2) \u2192 3) == 4
\u2718 Test wrong() failed after 0.001 seconds with 1 issue.
\u2718 Test run with 3 tests in 1 suite failed after 0.001 seconds with 1 issue.
"""
GO = "\n".join(
    json.dumps({"Action": action, "Package": "p", "Test": name})
    for action, name in (("run", "A"), ("pass", "A"), ("fail", "B"), ("skip", "C"))
)
NPM = "not ok 2 - breaks\n# tests 3\n# pass 1\n# fail 1\n# skipped 1\n"
SYSTEMS = [
    ("cargo", "Cargo.toml", "[package]", CARGO, 101, (2, 1, 2), "tests::breaks"),
    ("swift", "Package.swift", "// swift", SWIFT, 1, (2, 2, 2), "T.testBad"),
    ("go", "go.mod", "module p", GO, 1, (1, 1, 1), "p.B"),
    ("npm", "package.json", '{"scripts": {"test": "x"}}', NPM, 1, (1, 1, 1), "breaks"),
]


@pytest.mark.parametrize(("program", "file", "text", "prints", "status", "counts", "failure"), SYSTEMS,
                         ids=[one[0] for one in SYSTEMS])  # fmt: skip
def test_what_test_tools_print_is_counted(
    shared_daemon: Daemon, program: str, file: str, text: str, prints: str, status: int,
    counts: tuple[int, int, int | None], failure: str,
) -> None:  # fmt: skip
    daemon = shared_daemon
    folder, tools = new_folder(daemon), new_folder(daemon)
    (folder / file).write_text(text)
    (tools / "said").write_text(prints)
    (tools / program).write_text(f"#!/bin/sh\ncat {tools}/said\nexit {status}\n")
    (tools / program).chmod(0o755)
    task = {"folder": str(folder), "path": [str(tools)]}
    tested = result(daemon, "build.test", task, reads(folder), reads(tools))
    assert (tested["system"], tested["exit_code"], tested["command"][0]) == (program, status, program)
    assert (tested["passed"], tested["failed"], tested["skipped"]) == counts
    assert tested["failures"][0]["name"] == failure


def test_what_cannot_be_tested_is_told(shared_daemon: Daemon) -> None:
    daemon = shared_daemon
    folder = new_folder(daemon)
    task = {"folder": str(folder)}
    assert "has no tests that are known here" in refusal(daemon, "build.test", task, reads(folder))
    (folder / "go.mod").write_text("module p")
    if shutil.which("go", path="/usr/local/bin:/usr/bin:/bin") is None:
        assert "go (install golang-go)" in refusal(daemon, "build.test", task, reads(folder))
    assert f"fs.read:{folder}" in refusal(daemon, "build.test", task)
    (folder / "package.json").write_text("[" * 100_000)
    (folder / "huge").write_bytes(b"")
    with (folder / "huge").open("wb") as file:
        file.truncate(2 << 30)
    (folder / "Makefile").write_text("test:\n")
    assert "more than 1 GiB" in refusal(daemon, "build.test", task, reads(folder))
    assert "input schema" in not_accepted(daemon, "build.test", task | {"system": "bazel"})
