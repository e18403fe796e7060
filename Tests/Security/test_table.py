"""docs/SECURITY-CASES.md says what this very run came to. Last by its name: the other files have run before it.

DOME_WRITE_CASES=1 writes the table instead; a run of the whole suite as root is needed for that.
"""

from __future__ import annotations

import os
import re

import pytest

from domekit import cases, mutants
from domekit.paths import ROOT


def test_the_table_of_cases_says_what_happened(request: pytest.FixtureRequest) -> None:
    outcomes = request.config.stash[cases_key(request)]
    table = cases.rows(request.session.items, outcomes)
    if os.environ.get("DOME_WRITE_CASES") == "1":
        cases.write(table)
    if os.geteuid() != 0:
        return  # half of it was not run
    written = cases.written()
    for row in table:
        assert row.text() in written, f"{cases.DOCUMENT} says otherwise: {row.text()}"
    names = {path.name for path in (ROOT / "Tests" / "Security").glob("test_*.py")} - {"test_table.py"}
    ran = {item.path.name for item in request.session.items}
    if names <= ran and not request.config.option.keyword:
        assert "".join(written) == cases.HEAD + "".join(row.text() for row in table), "rows of tests that are gone"


def cases_key(request: pytest.FixtureRequest) -> pytest.StashKey[dict[str, str]]:
    return request.config.pluginmanager.get_plugin("security-outcomes").key  # type: ignore[union-attr]


def test_each_mutant_that_a_case_names_is_one_that_the_case_must_notice(request: pytest.FixtureRequest) -> None:
    """Built in the long run, see Tests/System/test_mutants.py."""
    known = mutants.load()
    for item in request.session.items:
        for marker in item.iter_markers("mutant"):
            test = f"{item.path.relative_to(ROOT)}::{item.originalname}"  # type: ignore[attr-defined]
            assert test in known[marker.args[0]].red, (marker.args[0], test)


def test_what_the_document_names_is_there() -> None:
    """The cases that are tests elsewhere: file and name."""
    text = cases.DOCUMENT.read_text()
    named = re.findall(r"^\|.*\| (Tests/[^ ]+) \| `?([^|`]+?)`? \|$", text, re.MULTILINE)
    assert len(named) > 5
    for file, name in named:
        assert name in (ROOT / file).read_text(), f"{file} has no {name}"


def test_a_failure_shows_in_the_table() -> None:
    row = cases.Row("test_x", "Security/test_x.py", "seccomp", {"root": ["passed"] * 7, "user": ["passed", "failed"]})
    assert row.result("root") == "held" and row.result("user") == "**failed, passed**"
    assert cases.Row("test_x", "f", "c").result("root") == "not run"


def test_the_jail_that_is_installed_has_no_weakness_in_it() -> None:
    """Nor does the tree that `make build` lays out have the weak one."""
    shipped = cases.ROOT / ".build" / "release" / ".." / "lib" / "dome"
    jail = (shipped.resolve() / "domed-jail").read_bytes()
    weak = (ROOT / "build" / "jail" / "domed-jail-weak").read_bytes()
    assert b"host_tree" in weak and b"host_tree" not in jail
    assert "domed-jail-weak" not in {path.name for path in shipped.resolve().rglob("*")}
