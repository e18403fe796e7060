"""The audit log by the command line, and what somebody does to it behind the daemon's back."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import Any

from .daemon import Daemon


def dome(daemon: Daemon, *arguments: str, status: int = 0, input: str | None = None) -> str:
    done = daemon.dome(*arguments, input=input)
    assert done.returncode == status, (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout if status == 0 else done.stderr or done.stdout


def events(daemon: Daemon, *arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in dome(daemon, "audit", "-o", "json", *arguments).splitlines()]


def verdict(daemon: Daemon, *arguments: str) -> dict[str, Any]:
    done = daemon.dome("audit", "verify", "-o", "json", *arguments)
    found: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if found["ok"] else 1)
    return found


def key(daemon: Daemon) -> str:
    return dome(daemon, "keys", "show").splitlines()[-1]


def tamper(daemon: Daemon, sql: str) -> None:
    with closing(sqlite3.connect(daemon.state / "domed.sqlite", timeout=30)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.executescript(sql)
        connection.commit()
