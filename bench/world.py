"""The world of one bench run: the daemon under test, the load client, and how much to do."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domekit.daemon import Daemon
from samples import Row

# What is compared is measured in turns, a few of each, round after round, so that a machine that gets slower
# or faster meanwhile does so for all.
ROUNDS = 5

# Of one run of the load client; all of them end within a few seconds.
TIMEOUT_SECONDS = 90


class BenchError(Exception):
    """A measurement could not be made; the message says why."""


@dataclass
class World:
    """One daemon, the load client, and how much to do."""

    daemon: Daemon
    client: Path
    scale: float = 1.0  # of the usual number of samples

    def count(self, usual: int) -> int:
        return max(ROUNDS, int(usual * self.scale))

    @property
    def own_client(self) -> Path:
        """The load client over dome's own client library; built with the programs."""
        return self.daemon.bin / "bench-client"

    def run(
        self,
        mode: str,
        *argv: str,
        environment: dict[str, str] | None = None,
        client: Path | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        """Runs a load client (the C++ one unless told otherwise); what it printed."""
        command = [str(client or self.client), mode, "--target", self.daemon.target]
        for name, value in options.items():
            command += [f"--{name.replace('_', '-')}", str(value)]
        if argv:
            command += ["--", *argv]
        try:
            done = subprocess.run(
                command,
                env=self.daemon.environment | (environment or {}),
                capture_output=True,
                text=True,
                timeout=TIMEOUT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise BenchError(f"{mode}: no end after {TIMEOUT_SECONDS} s") from None
        try:
            found: dict[str, Any] = json.loads(done.stdout)
        except json.JSONDecodeError:
            raise BenchError(f"{mode}: status {done.returncode}: {done.stderr.strip()[-200:]}") from None
        if found["errors"]:
            raise BenchError(f"{mode}: {found['errors'][0]}")
        return found


def guarded(row: Row, action: Callable[[], None]) -> None:
    """A measurement that fails is a row that says so; the others go on."""
    if row.error:
        return
    try:
        action()
    except (BenchError, OSError, subprocess.SubprocessError) as error:
        row.error = str(error) or type(error).__name__
