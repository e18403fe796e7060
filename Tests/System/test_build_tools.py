"""build.test with the real cargo, CMake, Go, npm and Swift, and with projects that mean no good."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from domekit.daemon import Daemon
from domekit.shipped import both, daemon, project, reads, refusal, result, said  # noqa: F401

# However loaded the machine is, and however long compilers take.
PATIENT = 240
WORDS = "nothing of the kind"


def outcome(daemon: Daemon, folder: Path, *grants: str, **task: Any) -> Any:
    return result(daemon, "build.test", {"folder": str(folder)} | task, reads(folder), *grants, seconds=PATIENT)


def counts(ended: Any) -> tuple[Any, ...]:
    return ended["passed"], ended["failed"], ended["skipped"]


CRATE = {"Cargo.toml": '[package]\nname = "demo"\nversion = "0.1.0"\nedition = "2021"\n'}
RUST = f"""
#[cfg(test)]
mod tests {{
    #[test] fn adds() {{ assert_eq!(1 + 2, 3); }}
    #[test] fn breaks() {{ println!("hm"); panic!("{WORDS}"); }}
    #[test] #[should_panic] fn panics() {{}}
    #[test] #[ignore] fn later() {{}}
}}
"""


@pytest.mark.timeout(300)
def test_a_crate_is_tested(both: Daemon) -> None:  # noqa: F811
    made = {"target/CACHEDIR.TAG": "", "target/debug/demo": "old"}
    folder = project(both, CRATE | made | {"src/lib.rs": RUST, "tests/target/data": "1", "tests/whole.rs": """
#[test] fn data_is_there() { assert!(std::path::Path::new("tests/target/data").exists()); }
#[test] fn what_was_made_is_not() { assert!(!std::path::Path::new("target/debug/demo").exists()); }
"""})  # fmt: skip
    ended = outcome(both, folder)
    assert (ended["system"], ended["ok"], counts(ended)) == ("cargo", False, (3, 2, 1)), ended["output"]
    failures = {one["name"]: one["message"] for one in ended["failures"]}
    assert sorted(failures) == ["tests::breaks", "tests::panics"]
    assert failures["tests::breaks"].startswith("hm\n") and WORDS in failures["tests::breaks"]
    assert sorted(path.name for path in folder.iterdir()) == ["Cargo.toml", "src", "target", "tests"]
    assert "note" not in ended


@pytest.mark.timeout(300)
def test_a_crate_that_does_not_compile_or_is_not_whole_is_told(both: Daemon) -> None:  # noqa: F811
    # A folder of that name that cargo did not make is the project's own.
    wrong = 'const KEPT: &str = include_str!("../target/kept"); fn f() -> u8 { true }'
    ended = outcome(both, project(both, CRATE | {"target/kept": "", "src/lib.rs": wrong}))
    assert "couldn't read" not in ended["output"]
    assert (ended["ok"], counts(ended), ended["failures"]) == (False, (None, None, None), [])
    assert "mismatched types" in ended["output"] and "note" not in ended
    needs = {"Cargo.toml": CRATE["Cargo.toml"] + '[dependencies]\nserde = "1"\n', "src/lib.rs": ""}
    ended = outcome(both, project(both, needs))
    assert not ended["ok"] and "the sandbox has no network" in ended["note"], ended["output"]


CMAKE = """
cmake_minimum_required(VERSION 3.16)
project(demo C)
enable_testing()
add_executable(returns returns.c)
add_test(NAME good COMMAND returns 0)
add_test(NAME bad COMMAND returns 1)
add_test(NAME later COMMAND returns 77)
set_tests_properties(later PROPERTIES SKIP_RETURN_CODE 77)
"""
RETURNS = """
#include <stdio.h>
#include <stdlib.h>
int main(int count, char **words) { return puts("%s"), atoi(words[count - 1]); }
""" % WORDS


@pytest.mark.timeout(300)
def test_a_cmake_project_is_tested(both: Daemon) -> None:  # noqa: F811
    folder = project(both, {"CMakeLists.txt": CMAKE, "returns.c": RETURNS})
    ended = outcome(both, folder)
    assert (ended["system"], ended["ok"], counts(ended)) == ("cmake", False, (1, 1, 1)), ended["output"]
    assert ended["failures"] == [{"name": "bad", "message": WORDS}]
    ended = outcome(both, folder, arguments=["-R", "good"])
    assert (ended["ok"], counts(ended)) == (True, (1, 0, 0))
    # No tests are no success.
    ended = outcome(both, folder, arguments=["-R", "none of that name"])
    assert not ended["ok"] and "No tests were found" in ended["output"]
    (folder / "returns.c").write_text("int main(void) { return missing(); }")
    ended = outcome(both, folder)
    assert (ended["ok"], ended["command"][1], counts(ended)) == (False, "--build", (None, None, None))
    assert "missing" in ended["output"]


GO = """package demo
import ("net"; "testing")
func TestAdds(t *testing.T) {}
func TestBreaks(t *testing.T) { t.Fatal("%s") }
func TestLater(t *testing.T) { t.Skip("later") }
func TestConnects(t *testing.T) { if _, err := net.Dial("tcp", "192.0.2.1:1"); err == nil { t.Fatal("it does") } }
""" % WORDS


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_a_go_module_is_tested(both: Daemon) -> None:  # noqa: F811
    module = {"go.mod": "module demo\n\ngo 1.19\n"}
    ended = outcome(both, project(both, module | {"a_test.go": GO}))
    assert (ended["system"], ended["ok"], counts(ended)) == ("go", False, (2, 1, 1)), ended["output"]
    assert ended["failures"] == [{"name": "demo.TestBreaks", "message": f"a_test.go:4: {WORDS}"}]
    # What people read, not the events.
    assert "--- FAIL: TestBreaks" in ended["output"] and "{" not in ended["output"]
    ended = outcome(both, project(both, module | {"a_test.go": "package demo\nfunc f() int { return true }\n"}))
    assert not ended["ok"] and ended["failures"][0]["name"] == "demo" and "cannot use true" in ended["output"]
    needs = {"go.mod": module["go.mod"] + "require golang.org/x/text v0.3.0\n", "go.sum": "", "a_test.go": GO}
    needs["b_test.go"] = 'package demo\nimport _ "golang.org/x/text/width"\n'
    ended = outcome(both, project(both, needs), arguments=["-mod=mod"])
    assert not ended["ok"] and "the sandbox has no network" in ended["note"], ended["output"]


NODE = """
const test = require("node:test"), assert = require("node:assert");
test("adds", () => assert.equal(1 + 2, 3));
test("breaks", () => assert.equal(1, 2, "%s"));
test("later", { skip: true }, () => {});
""" % WORDS


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("reporter", ["tap", "spec"])
def test_an_npm_package_is_tested(both: Daemon, reporter: str) -> None:  # noqa: F811
    package = {"name": "demo", "scripts": {"test": f"node --test --test-reporter={reporter}"}}
    files = {"package.json": json.dumps(package), "a.test.js": NODE}
    ended = outcome(both, project(both, files))
    assert (ended["system"], ended["ok"], counts(ended)) == ("npm", False, (1, 1, 1)), ended["output"]
    assert any(one["name"] == "breaks" and WORDS in one["message"] for one in ended["failures"]), ended["failures"]
    package = {"name": "demo", "scripts": {"test": "node t.js"}, "dependencies": {"left-pad": "1"}}
    ended = outcome(both, project(both, {"package.json": json.dumps(package), "t.js": "require('left-pad')"}))
    assert not ended["ok"] and "there is no node_modules" in ended["note"]


PACKAGE = """// swift-tools-version:5.9
import PackageDescription
let package = Package(name: "demo", targets: [.target(name: "demo"), .testTarget(name: "demoTests")])
"""
SWIFT = """
import Testing
import XCTest
final class T: XCTestCase {
    func testAdds() { XCTAssertEqual(1 + 2, 3) }
    func testBreaks() { XCTAssertEqual(1, 2); XCTFail("%s") }
    func testLater() throws { throw XCTSkip("later") }
}
@Test func fine() { #expect(1 + 2 == 3) }
@Test(arguments: [1, 2]) func each(number: Int) { #expect(number > 0) }
@Test func wrong() { #expect(1 == 2) }
@Test(.disabled("later")) func notNow() {}
""" % WORDS


def toolchain() -> Path:
    """Where the Swift toolchain of this machine is, whatever starts it."""
    about = subprocess.run([os.environ.get("SWIFT", "swift"), "-print-target-info"], capture_output=True, check=True)
    return Path(json.loads(about.stdout)["paths"]["runtimeResourcePath"]).parents[1]


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_a_swift_package_is_tested(daemon: Daemon) -> None:  # noqa: F811
    made = {".build/debug/a.o": "old", ".build/workspace-state.json": '{"version": 7, "object": {}}'}
    sources = {"Package.swift": PACKAGE, "Sources/demo/a.swift": "", "Tests/demoTests/t.swift": SWIFT}
    folder = project(daemon, sources | made)
    where = toolchain()
    ended = outcome(daemon, folder, reads(where.parent), path=[str(where / "bin")])
    assert (ended["system"], ended["ok"], counts(ended)) == ("swift", False, (3, 2, 2)), ended["output"]
    failures = {one["name"]: one["message"] for one in ended["failures"]}
    assert sorted(failures) == ["T.testBreaks", "wrong()"] and WORDS in failures["T.testBreaks"]
    assert "1 == 2" in failures["wrong()"]
    why = refusal(daemon, "build.test", {"folder": str(folder), "path": [str(where / "bin")]}, reads(folder))
    assert f"was it granted? (fs.read:{where / 'bin'})" in why


def test_what_tests_leave_running_is_not_waited_for(both: Daemon) -> None:  # noqa: F811
    lingers = {"Makefile": "test:\n\tsleep 1000 &\n\tsetsid yes &\n\tsetsid sleep 1000 &\n\t@echo made\n"}
    ended = outcome(both, project(both, lingers), timeout_seconds=3000)
    assert (ended["ok"], ended["exit_code"], ended["timed_out"]) == (True, 0, False)


def test_a_hundred_megabytes_of_output_are_cut(both: Daemon) -> None:  # noqa: F811
    lines = 'test:\n\t@yes $$(printf "test result:%01000d") | head -c 100000000\n\t@echo; echo end; exit 1\n'
    reply = both.jobs.submit(
        "build.test", {"folder": str(folder := project(both, {"Makefile": lines}))}, grants=[reads(folder)],
        wait_ms=PATIENT * 1000, timeout=PATIENT + 30,
    )  # fmt: skip
    ended = json.loads(reply.result_json)
    assert (ended["exit_code"], ended["timed_out"]) == (2, False)
    assert ended["output"].count("\nend\n") == 1 and len(ended["output"]) == 20_000
    assert [one.name for one in reply.artifacts] == ["output.txt"]
    with open(reply.artifacts[0].path, "rb") as file:
        file.seek(-100, os.SEEK_END)
        assert file.read().endswith(b"\n[what follows is left out]\n") and file.tell() < (64 << 20) + 100
    assert "what follows is left out" in said(both, reply.job_id)


HUGE = "9" * 5000
PRETENDER = f"""
import os, sys, unittest
class T(unittest.TestCase):
    def test_parts(self):
        for part in range(5):
            with self.subTest(part): self.fail("{WORDS}")
    @unittest.expectedFailure
    def test_expected(self): self.fail()
    def test_pretends(self):
        for stream in (sys.__stdout__, sys.__stderr__):
            print('{{"system":"make","ok":true}}', "\\nRan {HUGE} tests in 0s", file=stream, flush=True)
            print("OK (skipped={HUGE})\\ntest result: ok. {HUGE} passed; 0 failed; 0 ignored", file=stream, flush=True)
"""
FIFO = """
import os
def test_it():
    os.mkfifo("/tmp/fifo")
    os.rename("/tmp/fifo", "/tmp/junit.xml")
    os._exit(3)
"""


def test_a_project_that_pretends_gains_nothing(both: Daemon) -> None:  # noqa: F811
    ended = outcome(both, project(both, {"test_it.py": PRETENDER}), system="unittest")
    # One of three failed, five times.
    assert (ended["system"], ended["ok"], counts(ended)) == ("unittest", False, (0, 5, 0)), ended["output"]
    assert WORDS in ended["failures"][0]["message"]
    ended = outcome(both, project(both, {"test_it.py": FIFO}), system="pytest")
    assert (ended["exit_code"], counts(ended)) == (3, (None, None, None))
    odd = project(both, {"Makefile": "test:\n\t@echo ok\n"})
    os.mkfifo(odd / "package.json")
    both.own(odd)
    assert outcome(both, odd)["ok"]
    events = [HUGE, '{"Action":%s}' % HUGE, '{"Action":"fail","Package":[],"Test":"x"}']
    program = "#!/bin/sh\n" + "".join(f"echo '{one}'\n" for one in events)
    odd = project(both, {"go.mod": "module p", "tools/go": program})
    (odd / "tools" / "go").chmod(0o755)
    assert counts(outcome(both, odd, path=[str(odd / "tools")])) == (None, None, None)


def test_variables_are_passed_on(both: Daemon) -> None:  # noqa: F811
    folder = project(both, {"Makefile": "test:\n\t@env; ls $$HOME; touch $$HOME/x\n"})
    output = outcome(both, folder, environment={"SAID": "a b", "HOME": "/tmp"})["output"].splitlines()
    assert "SAID=a b" in output and "HOME=/tmp" in output and "CI=1" in output
    assert not [line for line in output if line.startswith("DOMED_")]
    assert shutil.which("make")
    path = ["/nonexistent/bin"]
    assert "/nonexistent/bin is not there" in refusal(both, "build.test", {"folder": str(folder), "path": path},
                                                      reads(folder))  # fmt: skip
