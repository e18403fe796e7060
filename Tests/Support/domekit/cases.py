"""docs/SECURITY-CASES.md: the table of cases, written from what a run of the suite came to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from .arena import Mode
from .paths import ROOT

DOCUMENT = ROOT / "docs" / "SECURITY-CASES.md"
BEGIN, END = "<!-- cases: made by Tests/Security -->", "<!-- end of cases -->"
HEAD = (
    "| What must not work | as root | as an ordinary user | canary: works without | test |\n"
    "|---|---|---|---|---|\n"
)


@dataclass
class Row:
    """One test function: how its runs ended, by who ran it."""

    name: str
    file: str
    canary: str
    # "root" or "user" → outcomes of the runs against a jail that must hold
    outcomes: dict[str, list[str]] = field(default_factory=dict)

    def result(self, who: str) -> str:
        outcomes = set(self.outcomes.get(who, []))
        if not outcomes:
            return "not run"
        return "held" if outcomes == {"passed"} else "**" + ", ".join(sorted(outcomes)) + "**"

    def text(self) -> str:
        title = self.name.removeprefix("test_").replace("_", " ")
        link = f"{self.file}::{self.name}"
        return f"| {title} | {self.result('root')} | {self.result('user')} | {self.canary} | {link} |\n"


def canary_text(item: pytest.Item) -> str:
    marker = item.get_closest_marker("canary")
    if marker is None:
        reason = item.get_closest_marker("no_canary")
        return f"none: {reason.args[0]}" if reason else "none"
    common = marker.args[0] if marker.args else ""
    texts = {}
    for who in ("root", "user"):
        layers = marker.kwargs.get(f"as_{who}", common)
        grants = (f"grant {grant}" for grant in marker.kwargs.get("grants", ()))
        parts = [part for part in (layers, *grants, marker.kwargs.get("by")) if part]
        texts[who] = ", ".join(parts) if layers is not None else f"none: {marker.kwargs['why']}"
    if texts["root"] == texts["user"]:
        return texts["root"]
    return f"root: {texts['root']}; user: {texts['user']}"


def rows(items: Iterable[pytest.Item], outcomes: dict[str, str]) -> list[Row]:
    """Of the items that were run; an item's outcome is by its node id."""
    found: dict[tuple[str, str], Row] = {}
    for item in items:
        mode = getattr(item, "callspec", None) and item.callspec.params.get("mode")  # type: ignore[attr-defined]
        if not isinstance(mode, Mode) or item.nodeid not in outcomes:
            continue
        name = item.originalname  # type: ignore[attr-defined]
        file = str(item.path.relative_to(ROOT / "Tests"))
        row = found.setdefault((file, name), Row(name, file, canary_text(item)))
        # A case whose canary failed has shown nothing.
        row.outcomes.setdefault(mode.who, []).append(outcomes[item.nodeid])
    return list(found.values())


def written() -> list[str]:
    """The lines of the document's table."""
    text = DOCUMENT.read_text()
    return text.partition(BEGIN)[2].partition(END)[0].lstrip("\n").splitlines(keepends=True)


def write(table: list[Row]) -> None:
    text = DOCUMENT.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    DOCUMENT.write_text(before + BEGIN + "\n" + HEAD + "".join(row.text() for row in table) + END + after)
