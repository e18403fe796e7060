"""Mutants: changes of our own code that tests must notice (Tests/Support/mutants.toml), built in a copy of the tree."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import warden
from .paths import ROOT, bin_dir
from .trees import PROGRAMS

TABLE = ROOT / "Tests" / "Support" / "mutants.toml"
# What is built or fetched, and the history.
NOT_COPIED = {".git", ".build", ".venv", "build", "dist", "bin", "lib", "share"}
# Workers run in a jail, where the libraries are not that a debug build needs: theirs is the program under test.
NOT_MUTATED = "domed-worker"


@dataclass(frozen=True)
class Change:
    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Mutant:
    name: str
    changes: tuple[Change, ...]
    red: tuple[str, ...]


def is_swift(test: str) -> bool:
    return test.partition("::")[0].endswith(".swift")


def load() -> dict[str, Mutant]:
    """All, by name."""
    found = {}
    for entry in tomllib.loads(TABLE.read_text())["mutant"]:
        changes = tuple(Change(**change) for change in entry["change"])
        assert entry["name"] not in found, f"two mutants are called {entry['name']}"
        found[entry["name"]] = Mutant(entry["name"], changes, tuple(entry["red"]))
    return found


def changes(table: Path) -> tuple[Change, ...]:
    """Those of a table that has nothing else."""
    return tuple(Change(**change) for change in tomllib.loads(table.read_text())["change"])


class Tree:
    """A copy of the project, kept in build/ between runs: a mutant takes as long as what it changes takes to build."""

    def __init__(self, name: str = "mutants") -> None:
        self.folder = ROOT / "build" / name

    @property
    def binaries(self) -> Path:
        """The programs, with ../lib and ../share."""
        return self.folder / "bin"

    def prepare(self, tests: Collection[str]) -> None:
        """Makes it what the project is now, and builds what these tests need."""
        self.copy()
        self.build(tests)

    def copy(self, changed: Collection[Change] = ()) -> None:
        """Makes it what the project is now but for these changes."""
        texts: dict[Path, str] = {}
        for change in changed:
            path = Path(change.file)
            texts[path] = applied(change, texts.get(path) or (ROOT / path).read_text())
        wanted = {path.relative_to(ROOT) for path in self._files(ROOT)}
        for path in [path for path in self._files(self.folder) if path.relative_to(self.folder) not in wanted]:
            path.unlink()
        for name in sorted(wanted):
            source, target = ROOT / name, self.folder / name
            if source.is_symlink() and name not in texts:
                # A mutant of what it leads to is one of it.
                if not target.is_symlink() or target.readlink() != source.readlink():
                    target.unlink(missing_ok=True)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.symlink_to(source.readlink())
                continue
            if target.is_symlink():
                target.unlink()
            contents = texts[name].encode() if name in texts else source.read_bytes()
            # What has not changed keeps its time, and is not built again.
            if not target.exists() or target.read_bytes() != contents:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(contents)
            shutil.copymode(source, target)

    @staticmethod
    def _files(folder: Path) -> Iterator[Path]:
        for top in folder.iterdir() if folder.exists() else ():
            if top.is_file():
                yield top
            elif top.name not in NOT_COPIED:
                yield from (path for path in top.rglob("*") if path.is_file() and "__pycache__" not in path.parts)

    def build(self, tests: Collection[str]) -> None:
        """What these tests need: those of Swift take the longest to link, and run without a tree of programs."""
        swift = os.environ.get("SWIFT", "swift")
        self._run([swift, "build", *(["--build-tests"] if any(map(is_swift, tests)) else [])], 900)
        if all(map(is_swift, tests)):
            return
        self.binaries.mkdir(exist_ok=True)
        for program in PROGRAMS:
            built = bin_dir() if program == NOT_MUTATED else self.folder / ".build" / "debug"
            (self.binaries / program).unlink(missing_ok=True)
            shutil.copy2(built / program, self.binaries / program)
        self._run(["make", "--silent", "layout", "BIN=bin"], 300)

    def _run(self, command: list[str], seconds: float) -> None:
        status, output = run(command, self.folder, seconds)
        assert status == 0, f"{command}: {output[-4000:]}"

    @contextmanager
    def with_changes(self, mutant: Mutant) -> Iterator[None]:
        """The mutant, built; afterwards the sources are what they were."""
        before = {change.file: (self.folder / change.file).read_text() for change in mutant.changes}
        try:
            for change in mutant.changes:
                path = self.folder / change.file
                path.write_text(applied(change, path.read_text()))
            self.build(mutant.red)
            yield
        finally:
            for file, text in before.items():
                (self.folder / file).write_text(text)

    # Tests

    def passes(self, test: str) -> tuple[bool, str]:
        """Whether a test passes here, and what it printed. One that does not end has not passed."""
        file, _, name = test.partition("::")
        if is_swift(test):
            swift = os.environ.get("SWIFT", "swift")
            command = [swift, "test", "--skip-build", "--disable-xctest", "--filter", re.escape(name)]
            # Not the programs that this session tests.
            programs = self.folder / ".build" / "debug"
            status, output = run(command, self.folder, 100, DOME_BIN_DIR=programs)
            assert status is None or re.search(r"Test run with [1-9]", output), f"{test} was not run: {output[-4000:]}"
        else:
            command = [sys.executable, "-m", "pytest", "-c", "Tests/pytest.ini", "--rootdir", ".", "-q", test]
            # In the environment, so that tests which run tests in another machine stop there, too.
            status, output = run(command, ROOT, 300, DOME_BIN_DIR=self.binaries, PYTEST_ADDOPTS="-x")
            assert status in (0, 1, None), f"{test} was not run: {output[-4000:]}"
        return status == 0, output


def applied(change: Change, text: str) -> str:
    count = text.count(change.old)
    assert count == 1, f"a change of a mutant applies {count} times in {change.file}, not once: {change.old}"
    return text.replace(change.old, change.new)


def run(command: list[str], folder: Path, seconds: float, **variables: object) -> tuple[int | None, str]:
    """Exit status and output of a command; no status when it had to be ended. Nothing that it started is left."""
    kept = {name: value for name, value in os.environ.items() if name not in ("CI", "DOME_SOAK", "DOME_WRITE_CASES")}
    environment = kept | {name: str(value) for name, value in variables.items()}
    with subprocess.Popen(
        [sys.executable, warden.__file__, str(seconds), *command],
        cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace", start_new_session=True,
    ) as process:  # fmt: skip
        try:
            output = process.communicate()[0]
        except BaseException:
            process.terminate()
            raise
    return None if process.returncode == warden.TIMED_OUT else process.returncode, output
