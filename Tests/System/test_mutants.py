"""Each mutant of Tests/Support/mutants.toml is noticed by the tests that it names: tests that cannot fail show
nothing. The long run (DOME_SOAK=1) builds them; every run sees that they still apply."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from domekit import mutants, warden
from domekit.mutants import Tree
from domekit.paths import ROOT

MUTANTS = mutants.load()


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_applies_and_its_tests_are_there(name: str) -> None:
    mutant = MUTANTS[name]
    assert mutant.red
    for change in mutant.changes:
        assert change.old != change.new
        mutants.applied(change, (ROOT / change.file).read_text())
    for test in mutant.red:
        file, _, function = test.partition("::")
        definition = f"func `{function}`" if file.endswith(".swift") else f"def {function}("
        assert definition in (ROOT / file).read_text(), test


def test_what_the_bench_leaves_out_is_still_there() -> None:
    changes = mutants.changes(ROOT / "bench" / "without_audit.toml")
    assert changes
    for change in changes:
        mutants.applied(change, (ROOT / change.file).read_text())


LEAVER = "setsid sh -c 'echo $$ >new; mv new pid; exec sleep 1000' & "


def test_nothing_outlives_a_command_that_ends(tmp_path: Path) -> None:
    """Nor what has a session of its own and no parent any more."""
    command = LEAVER + "until [ -e pid ]; do sleep 0.01; done; exit 3"
    assert mutants.run(["sh", "-c", command], tmp_path, 60) == (3, "")
    assert not Path("/proc", (tmp_path / "pid").read_text().strip()).exists()


def test_nothing_outlives_a_command_that_has_to_be_ended(tmp_path: Path) -> None:
    command = [sys.executable, warden.__file__, "600", "sh", "-c", LEAVER + "exec sleep 1000"]
    with subprocess.Popen(command, cwd=tmp_path) as process:
        while not (tmp_path / "pid").exists():
            time.sleep(0.01)
        process.terminate()
        assert process.wait() == warden.TIMED_OUT
    assert not Path("/proc", (tmp_path / "pid").read_text().strip()).exists()
    assert mutants.run(["sleep", "1000"], tmp_path, 0.1) == (None, "")


@pytest.fixture(scope="module")
def tree(request: pytest.FixtureRequest) -> Iterator[Tree]:
    """Built as it is, where the tests of all mutants of this run pass: otherwise a failure would say nothing."""
    tree = Tree()
    items = [item for item in request.session.items if "tree" in getattr(item, "fixturenames", ())]
    chosen = {item.callspec.params["name"] for item in items}  # type: ignore[attr-defined]
    tests = sorted({test for name in chosen for test in MUTANTS[name].red})
    tree.prepare(tests)
    for test in tests:
        is_passed, output = tree.passes(test)
        assert is_passed, f"{test} fails without any mutant: {output[-4000:]}"
    yield tree


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_noticed(tree: Tree, name: str) -> None:
    mutant = MUTANTS[name]
    with tree.with_changes(mutant):
        for test in mutant.red:
            is_passed, output = tree.passes(test)
            assert not is_passed, f"{name} is not noticed by {test}: {output[-2000:]}"
