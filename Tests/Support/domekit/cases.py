"""docs/SECURITY-CASES.md: the table of cases, written from what a run of the suite came to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from .arena import BOUND_KEEPER, NO_JAIL, Mode
from .paths import ROOT

DOCUMENT = ROOT / "docs" / "SECURITY-CASES.md"
BEGIN, END = "<!-- cases: made by Tests/Security -->", "<!-- end of cases -->"
HEAD = (
    "| What must not work | as root | as an ordinary user | canary: it works | test |\n"
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


def weakened(layers: str) -> str:
    """How the jail of a canary is weak."""
    if layers in (NO_JAIL, BOUND_KEEPER):
        return f"with {layers}"
    left_out = [word for word in layers.split() if word != "window"]
    return f"without {' '.join(left_out)}" + (", in the window" if "window" in layers.split() else "")


def canary_text(item: pytest.Item) -> str:
    """What the attack works with, for root and for an ordinary user."""
    marker = item.get_closest_marker("canary")
    common, options = (marker.args[0] if marker.args else "", marker.kwargs) if marker else ("", {})
    rest = [f"with the grant {grant}" for grant in options.get("grants", ())]
    rest += [f"with {options['by']}"] if "by" in options else []
    rest += [f"with the mutant {one.args[0]}" for one in item.iter_markers("mutant")]
    texts = {}
    for who in ("root", "user"):
        layers = options.get(f"as_{who}", common)
        parts = ([weakened(layers)] if layers else []) + rest
        texts[who] = ", or ".join(parts) if layers is not None else f"none: {options['why']}"
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
