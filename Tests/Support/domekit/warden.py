"""Runs a command, and when it has ended ends all that it has started: also what left its session and has lost its
parents, as daemons and their keepers do. `python warden.py SECONDS COMMAND…` exits with the command's status, or with
TIMED_OUT when it had to be ended; asked to end by SIGTERM it takes all of it along. Standard library only.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

TIMED_OUT = 124
PR_SET_CHILD_SUBREAPER = 36
# For a command that tidies up when it is interrupted, as pytest does.
GRACE_SECONDS = 20
SIGNALS = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT}


def descendants() -> set[int]:
    """Of this process, zombies included."""
    found = {os.getpid()}
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The command's name, in parentheses, may contain anything.
            parents[int(stat.parent.name)] = int(stat.read_text(errors="replace").rpartition(")")[2].split()[1])
        except OSError:
            continue
    while children := {pid for pid, parent in parents.items() if parent in found and pid not in found}:
        found |= children
    return found - {os.getpid()}


def reap(*, waits: bool = False) -> dict[int, int]:
    """Children that have ended and their exit statuses; orphans become children of this process. `waits`: for one."""
    ended = {}
    while True:
        try:
            pid, status = os.waitpid(-1, 0 if waits and not ended else os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended[pid] = os.waitstatus_to_exitcode(status)


def wait(pid: int, deadline: float) -> int | None:
    """The exit status of a child; None after the deadline (time.monotonic()) or when this process is asked to end."""
    while True:
        if (status := reap().get(pid)) is not None:
            return status
        left = deadline - time.monotonic()
        caught = signal.sigtimedwait(SIGNALS, left) if left > 0 else None
        if caught is None or caught.si_signo != signal.SIGCHLD:
            return None


def end_all() -> None:
    while left := descendants():
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        reap(waits=True)


def main(seconds: float, command: list[str]) -> int:
    # Blocked here, and so nothing is missed before the first wait; the command gets them as they were.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "become a subreaper")

    def restore() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        # What a shell has started in the background ignores it, and so would all that it starts.
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    process = subprocess.Popen(command, start_new_session=True, preexec_fn=restore)
    status = wait(process.pid, time.monotonic() + seconds)
    if status is None:
        os.killpg(process.pid, signal.SIGINT)
        wait(process.pid, time.monotonic() + GRACE_SECONDS)
    end_all()
    if status is None:
        return TIMED_OUT
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    os._exit(main(float(sys.argv[1]), sys.argv[2:]))
