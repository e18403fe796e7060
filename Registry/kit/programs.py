"""How dome's tools in Python run a program: what it prints is read up to a limit, what it says when it fails is the
reason."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from typing import IO

from toolkit import Refusal, printable

# Of what a program says when it fails.
COMPLAINT_BYTES = 4000


def surroundings(**more: str) -> dict[str, str]:
    """An environment with nothing in it but what is said here."""
    return {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"} | more


def ending(status: int) -> str:
    """How a program ended, in words."""
    if status == -signal.SIGXCPU:
        return "did not end in the time that it may take"
    return f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"


def output_of(
    command: list[str],
    most: int,
    *,
    environment: dict[str, str] | None = None,
    folder: bytes | None = None,
    source: int | IO[bytes] = subprocess.DEVNULL,
    statuses: tuple[int, ...] = (0,),
) -> tuple[bytes, bool]:
    """What the program prints, and whether that was cut at `most` bytes; it is ended then."""
    with tempfile.TemporaryFile() as complaint:
        try:
            process = subprocess.Popen(
                command, stdin=source, stdout=subprocess.PIPE, stderr=complaint, cwd=folder,
                env=environment or surroundings(),
            )  # fmt: skip
        except FileNotFoundError:
            raise Refusal(f"{command[0]} is not installed on this machine") from None
        except ValueError:
            raise Refusal("an argument holds the character NUL") from None
        assert process.stdout is not None
        output = process.stdout.read(most + 1)
        is_cut = len(output) > most
        if is_cut:
            process.kill()
        process.stdout.close()
        status = process.wait()
        if not is_cut and status not in statuses:
            complaint.seek(0)
            lines = printable(complaint.read(COMPLAINT_BYTES).decode("utf-8", "replace")).splitlines()
            said = "; ".join(dict.fromkeys(line.strip() for line in lines if line.strip()))
            raise Refusal(said or f"{command[0]} {ending(status)}")
    return output[:most], is_cut
