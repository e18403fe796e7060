"""Reading a daemon's database from outside, without disturbing it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

from .daemon import Daemon


def rows(daemon: Daemon, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """The result of a query, read-only."""
    with closing(sqlite3.connect(f"file:{daemon.state}/domed.sqlite?mode=ro", uri=True, timeout=20)) as connection:
        return connection.execute(query, values).fetchall()
