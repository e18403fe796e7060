"""Which ways of testing a project there are, how to tell that it has one, and how to read what it says."""

from __future__ import annotations

import glob
import json
import os
import re
import shutil
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

JUNIT = "/tmp/junit.xml"
# What is looked at to find out.
PROBE_BYTES = 1 << 20
FAILURES = 100
MESSAGE = 2000


@dataclass
class Counts:
    """How the tests went; None: the tool does not say."""

    passed: int | None = None
    failed: int | None = None
    skipped: int | None = None
    failures: list[dict[str, str]] = field(default_factory=list)

    def add_failure(self, name: str, message: str = "") -> None:
        if len(self.failures) < FAILURES:
            self.failures.append({"name": name[:500], "message": message.strip()[:MESSAGE]})


@dataclass
class System:
    """A way of testing. `commands` are run in order, the last one tests."""

    name: str
    program: str
    package: str  # Debian's, that brings the program
    is_used: Callable[[bytes], bool]
    commands: list[list[str]]
    count: Callable[[str], Counts]


def text_of(folder: bytes, name: str) -> str:
    """A file of the project; empty if there is none."""
    try:
        with open(os.path.join(folder, name.encode()), "rb") as file:
            return file.read(PROBE_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def has(*names: str) -> Callable[[bytes], bool]:
    return lambda folder: any(os.path.isfile(os.path.join(folder, name.encode())) for name in names)


def has_npm_test(folder: bytes) -> bool:
    try:
        return bool(json.loads(text_of(folder, "package.json"))["scripts"]["test"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def has_python_tests(folder: bytes) -> bool:
    if has("pytest.ini", "conftest.py", "tox.ini")(folder) or "[tool.pytest" in text_of(folder, "pyproject.toml"):
        return True
    for place in (b"", b"tests", b"test"):
        try:
            names = os.listdir(os.path.join(folder, place))
        except OSError:
            continue
        if any(re.fullmatch(rb"test_.*\.py|.*_test\.py", name) for name in names):
            return True
    return False


def make_target(folder: bytes) -> str | None:
    """The target that tests, as Makefiles usually call it."""
    text = "\n".join(text_of(folder, name) for name in ("GNUmakefile", "Makefile", "makefile"))
    return next((name for name in ("test", "check") if re.search(rf"(?m)^{name}\s*:(?!=)", text)), None)


# How what they print is read


def nothing(_: str) -> Counts:
    return Counts()


def junit(_: str) -> Counts:
    """From a JUnit file, as pytest and ctest write it."""
    counts = Counts(0, 0, 0)
    try:
        for _, element in ElementTree.iterparse(JUNIT):
            if element.tag != "testcase":
                continue
            name = ".".join(filter(None, (element.get("classname"), element.get("name"))))
            bad = next((child for child in element if child.tag in ("failure", "error")), None)
            if bad is not None:
                counts.failed = (counts.failed or 0) + 1
                counts.add_failure(name, bad.text or bad.get("message") or "")
            elif any(child.tag == "skipped" for child in element):
                counts.skipped = (counts.skipped or 0) + 1
            else:
                counts.passed = (counts.passed or 0) + 1
            element.clear()
    except (OSError, ElementTree.ParseError):
        return Counts()
    return counts


def unittest(text: str) -> Counts:
    ran = re.findall(r"(?m)^Ran (\d+) tests? in", text)
    if not ran:
        return Counts()
    end = re.findall(r"(?m)^(?:OK|FAILED)(?: \((.*)\))?$", text)
    said = dict(re.findall(r"(\w+)=(\d+)", end[-1] if end else ""))
    failed = int(said.get("failures", 0)) + int(said.get("errors", 0))
    skipped = int(said.get("skipped", 0))
    counts = Counts(int(ran[-1]) - failed - skipped, failed, skipped)
    for name in re.findall(r"(?m)^(?:FAIL|ERROR): (.*)$", text):
        counts.add_failure(name)
    return counts


def cargo(text: str) -> Counts:
    results = re.findall(r"(?m)^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored", text)
    if not results:
        return Counts()
    counts = Counts(*(sum(int(one[place]) for one in results) for place in range(3)))
    for name in re.findall(r"(?m)^test (.+?) \.\.\. FAILED$", text):
        counts.add_failure(name)
    return counts


def swift(text: str) -> Counts:
    """XCTest's last sum and swift-testing's."""
    total = failed = 0
    sums = re.findall(r"Executed (\d+) tests?, with (?:\d+ tests? skipped and )?(\d+) failures?", text)
    runs = re.findall(r"Test run with (\d+) tests?(?: in \d+ suites?)? (passed|failed)", text)
    if not sums and not runs:
        return Counts()
    for count, bad in sums[-1:]:
        total, failed = total + int(count), failed + int(bad)
    names = re.findall(r"(?m)^[^\w\n]*Test (?!run )(\S.*?) failed after", text)
    for count, _ in runs[-1:]:
        total, failed = total + int(count), failed + len(names)
    counts = Counts(max(total - failed, 0), failed, None)
    for name in re.findall(r"Test Case '([^']+)' failed", text) + names:
        counts.add_failure(name)
    return counts


def go(text: str) -> Counts:
    counts = Counts(0, 0, 0)
    for line in text.splitlines():
        try:
            event = json.loads(line)
            action, name = event["Action"], event["Test"]
        except (ValueError, KeyError, TypeError):
            continue
        if action == "pass":
            counts.passed = (counts.passed or 0) + 1
        elif action == "skip":
            counts.skipped = (counts.skipped or 0) + 1
        elif action == "fail":
            counts.failed = (counts.failed or 0) + 1
            counts.add_failure(f"{event.get('Package', '')}.{name}")
    return counts


def tap(text: str) -> Counts:
    """The sums at the end of what `node --test` prints; other runners print what they like."""
    sums = dict(re.findall(r"(?m)^[#\u2139] (pass|fail|skipped) (\d+)$", text))
    if "pass" not in sums:
        return Counts()
    counts = Counts(int(sums["pass"]), int(sums.get("fail", 0)), int(sums.get("skipped", 0)))
    for name in re.findall(r"(?m)^\s*not ok \d+ - (.*)$", text):
        counts.add_failure(name)
    return counts


PYTHON = "/usr/bin/python3"
PYTEST = [PYTHON, "-B", "-m", "pytest", "-p", "no:cacheprovider", f"--junitxml={JUNIT}"]
SYSTEMS = [
    System("cargo", "cargo", "cargo", has("Cargo.toml"), [["cargo", "test", "--no-fail-fast"]], cargo),
    System("swift", "swift", "a Swift toolchain", has("Package.swift"), [["swift", "test", "--disable-sandbox"]],
           swift),
    System("go", "go", "golang-go", has("go.mod"), [["go", "test", "-json", "./..."]], go),
    System("npm", "npm", "npm", has_npm_test, [["npm", "test", "--silent"]], tap),
    System("pytest", "/usr/lib/python3/dist-packages/pytest", "python3-pytest", has_python_tests, [PYTEST], junit),
    System("unittest", PYTHON, "python3", has_python_tests,
           [[PYTHON, "-B", "-m", "unittest", "discover", "-v"]], unittest),
    System("cmake", "cmake", "cmake", has("CMakeLists.txt"), [
        ["cmake", "-S", ".", "-B", "/job/build"], ["cmake", "--build", "/job/build", "--parallel", "4"],
        ["ctest", "--test-dir", "/job/build", "--output-on-failure", "--output-junit", JUNIT],
    ], junit),
    System("make", "make", "make", lambda folder: make_target(folder) is not None, [["make"]], nothing),
]  # fmt: skip


def is_there(system: System, python: str | None) -> bool:
    """Whether it can be run; `python`: the interpreter of a virtual environment, which has modules of its own."""
    if system.name == "pytest" and python is not None:
        library = os.path.join(os.path.dirname(os.path.dirname(python)), "lib", "python3*", "site-packages", "pytest")
        return bool(glob.glob(library))
    return shutil.which(system.program) is not None or os.path.isdir(system.program)
