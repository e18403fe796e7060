"""Each mutant of Tests/Support/mutants.toml is noticed by the tests that it names: tests that cannot fail show
nothing. The long run (DOME_SOAK=1) builds them; every run sees that they still apply."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from domekit import mutants
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


@pytest.fixture(scope="module")
def tree() -> Iterator[Tree]:
    """Built as it is, where all of the tests pass: otherwise a failure would say nothing."""
    tree = Tree()
    tree.prepare()
    for test in sorted({test for mutant in MUTANTS.values() for test in mutant.red}):
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
