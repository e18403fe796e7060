"""Which ways of testing a project there are, and how to tell that it has one."""

from __future__ import annotations

import glob
import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tallies import JUNIT, Cargo, Go, Junit, Node, Swift, Tally, Unittest
from toolkit import Refusal, open_file

# What is looked at to find out.
PROBE_BYTES = 1 << 20


@dataclass
class System:
    """A way of testing. `commands` are run in order, the last one tests."""

    name: str
    program: str
    package: str  # Debian's, that brings the program
    is_used: Callable[[bytes], bool]
    commands: list[list[str]]
    tally: Callable[[], Tally]


def text_of(folder: bytes, name: str) -> str:
    """A file of the project; empty if there is none."""
    try:
        handle, _ = open_file(os.path.join(folder, name.encode()))
    except Refusal:
        return ""
    with os.fdopen(handle, "rb") as file:
        return file.read(PROBE_BYTES).decode("utf-8", "replace")


def has(*names: str) -> Callable[[bytes], bool]:
    return lambda folder: any(os.path.isfile(os.path.join(folder, name.encode())) for name in names)


def package_of(folder: bytes, *members: str) -> Any:
    """A member of a member of package.json; None where there is none."""
    try:
        value = json.loads(text_of(folder, "package.json"))
        for member in members:
            value = value[member]
        return value
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return None


def has_npm_test(folder: bytes) -> bool:
    return bool(package_of(folder, "scripts", "test"))


def needs_modules(folder: bytes) -> bool:
    """Whether it names packages, and has none."""
    named = package_of(folder, "dependencies") or package_of(folder, "devDependencies")
    return bool(named) and not os.path.isdir(os.path.join(folder, b"node_modules"))


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


PYTHON = "/usr/bin/python3"
PYTEST = [PYTHON, "-B", "-m", "pytest", "-p", "no:cacheprovider", f"--junitxml={JUNIT}"]
SYSTEMS = [
    System("cargo", "cargo", "cargo", has("Cargo.toml"), [["cargo", "test", "--no-fail-fast"]], Cargo),
    System("swift", "swift", "a Swift toolchain", has("Package.swift"), [["swift", "test", "--disable-sandbox"]],
           Swift),
    System("go", "go", "golang-go", has("go.mod"), [["go", "test", "-json", "./..."]], Go),
    System("npm", "npm", "npm", has_npm_test, [["npm", "test", "--silent"]], Node),
    System("pytest", "/usr/lib/python3/dist-packages/pytest", "python3-pytest", has_python_tests, [PYTEST], Junit),
    System("unittest", PYTHON, "python3", has_python_tests,
           [[PYTHON, "-B", "-m", "unittest", "discover", "-v"]], Unittest),
    System("cmake", "cmake", "cmake", has("CMakeLists.txt"), [
        ["cmake", "-S", ".", "-B", "/job/build"], ["cmake", "--build", "/job/build", "--parallel", "4"],
        ["ctest", "--test-dir", "/job/build", "--output-on-failure", "--no-tests=error", "--output-junit", JUNIT],
    ], Junit),
    System("make", "make", "make", lambda folder: make_target(folder) is not None, [["make"]], Tally),
]  # fmt: skip


def is_there(system: System, python: str | None) -> bool:
    """Whether it can be run; `python`: the interpreter of a virtual environment, which has modules of its own."""
    if system.name == "pytest" and python is not None:
        library = os.path.join(os.path.dirname(os.path.dirname(python)), "lib", "python3*", "site-packages", "pytest")
        return bool(glob.glob(library))
    return shutil.which(system.program) is not None or os.path.isdir(system.program)
