"""Samples, their percentiles, and the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


def percentile(samples: Sequence[float], share: float) -> float:
    """The sample below which `share` (0…1) of all lie, by linear interpolation."""
    ordered = sorted(samples)
    position = share * (len(ordered) - 1)
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


@dataclass
class Row:
    """One line of the table. `samples` are in `unit`; a rate is a row whose samples are rates."""

    name: str
    unit: str
    samples: list[float] = field(default_factory=list)
    n: int = 0  # what was done, where it is more than the number of samples
    baseline: str | None = None  # name of the row that `ratio` divides by
    per_second: float | None = None
    target: tuple[str, float] | None = None  # ("p50 <=", 1000), ("p50 >=", …), ("ratio <=", …), ("rate >=", …)
    note: str = ""
    error: str = ""
    ratio: float | None = None

    @property
    def p50(self) -> float | None:
        return percentile(self.samples, 0.5) if self.samples else None

    @property
    def p95(self) -> float | None:
        return percentile(self.samples, 0.95) if self.samples else None

    @property
    def met(self) -> bool | None:
        """Whether the target was met; None without a target or a value."""
        if self.target is None:
            return None
        what, comparison = self.target[0].split()
        value = {"p50": self.p50, "ratio": self.ratio, "rate": self.per_second}[what]
        if value is None:
            return None
        return value <= self.target[1] if comparison == "<=" else value >= self.target[1]

    def json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "unit": self.unit,
            "n": self.n or len(self.samples),
            "p50": self.p50,
            "p95": self.p95,
            "per_second": self.per_second,
            "baseline": self.baseline,
            "ratio": self.ratio,
            "target": None if self.target is None else f"{self.target[0]} {self.target[1]:g}",
            "met": self.met,
            "note": self.note,
            "error": self.error,
        }


@dataclass
class Section:
    title: str
    rows: list[Row] = field(default_factory=list)

    def row(self, name: str, unit: str, **rest: Any) -> Row:
        made = Row(name, unit, **rest)
        self.rows.append(made)
        return made

    def compare(self) -> None:
        """Fills in the ratios of medians."""
        medians = {row.name: row.p50 for row in self.rows}
        for row in self.rows:
            base = medians.get(row.baseline or "")
            if base and row.p50 is not None:
                row.ratio = row.p50 / base


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.2f}"


def table(sections: list[Section]) -> str:
    """Plain text, one block per section."""
    lines = []
    head = f"{'':44}{'n':>9}{'p50':>12}{'p95':>12}{'unit':>9}{'per s':>11}{'ratio':>7}  target"
    for section in sections:
        lines += [f"\n{section.title}", head]
        for row in section.rows:
            if row.error:
                lines.append(f"  {row.name:42}  FAILED: {row.error}")
                continue
            verdict = {None: "", True: "ok", False: "MISSED"}[row.met]
            wanted = "" if row.target is None else f"{row.target[0]} {row.target[1]:,g} {verdict}"
            lines.append(
                f"  {row.name:42}{row.n or len(row.samples):>9,}{_number(row.p50):>12}{_number(row.p95):>12}"
                f"{row.unit:>9}{_number(row.per_second):>11}{_number(row.ratio):>7}  {wanted}"
                + (f"  ({row.note})" if row.note else "")
            )
    return "\n".join(lines)
