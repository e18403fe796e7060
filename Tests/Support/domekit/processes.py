"""Finding and ending the processes of one daemon: by pid, and only those that carry its private directory."""

from __future__ import annotations

import os
import select
import signal
import time
from pathlib import Path


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # gone meanwhile, or not ours
        return b""


def _stat(pid: int) -> list[bytes]:
    """/proc/PID/stat from the state on; empty when there is no such process."""
    stat = _read(Path(f"/proc/{pid}/stat"))
    # The command's name, in parentheses, may contain anything.
    return stat[stat.rfind(b")") + 1 :].split()


def parent(pid: int) -> int:
    """0 when there is no such process."""
    fields = _stat(pid)
    return int(fields[1]) if len(fields) > 1 else 0


def stop(pid: int) -> None:
    """SIGSTOP to one that waits for something, not in the middle of work; when this returns it does nothing more."""
    _wait_for_state(pid, b"S")
    os.kill(pid, signal.SIGSTOP)
    _wait_for_state(pid, b"T")


def _wait_for_state(pid: int, state: bytes) -> None:
    while (fields := _stat(pid)) and fields[0] != state:
        time.sleep(0.001)


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def threads(pid: int) -> list[str]:
    """Names of its threads. One that ends while this looks is left out."""
    names = (_read(path).decode().strip() for path in Path(f"/proc/{pid}/task").glob("*/comm"))
    return [name for name in names if name]


def of_jobs(*jobs: str) -> list[int]:
    """Pids of the living processes that carry one of the jobs' ids in their environment."""
    markers = [job.encode() for job in jobs]
    environments = {pid: _read(Path(f"/proc/{pid}/environ")) for pid in _pids()}
    return [pid for pid, environment in environments.items() if any(marker in environment for marker in markers)]


def belonging_to(directory: Path) -> set[int]:
    """Pids of the processes that name `directory` in command line or environment, and of their descendants."""
    marker = os.fsencode(directory) + b"/"
    pids = [pid for pid in _pids() if pid != os.getpid()]
    found = {
        pid for pid in pids if any(marker in _read(Path(f"/proc/{pid}/{name}")) for name in ("cmdline", "environ"))
    }
    parents = {pid: parent(pid) for pid in pids}
    grown = True
    while grown:
        children = {pid for pid, parent in parents.items() if parent in found and pid not in found}
        grown = bool(children)
        found |= children
    # A runner that carries the directory by chance (as an argument, say) is never among them.
    ancestors = set()
    pid = os.getpid()
    while pid > 1:
        ancestors.add(pid)
        pid = parent(pid)
    return found - ancestors


def resident_bytes(pid: int) -> int:
    """How much memory a process has."""
    with open(f"/proc/{pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def kill_and_wait(pid: int, deadline: float, sign: int = signal.SIGKILL) -> bool:
    """Sends `sign` to `pid` and waits until it is gone, until `deadline` (time.monotonic()) at most."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        signal.pidfd_send_signal(descriptor, sign)
        return wait_for_pidfd(descriptor, deadline)
    except ProcessLookupError:
        return True
    finally:
        os.close(descriptor)


def wait_for_pidfd(descriptor: int, deadline: float) -> bool:
    """True when the process of `descriptor` has ended before `deadline` (time.monotonic())."""
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    return bool(poller.poll(max(0.0, deadline - time.monotonic()) * 1000))


def end_all(directory: Path, seconds: float = 15) -> set[int]:
    """Ends every process that belongs to `directory`; returns those that would not end."""
    deadline = time.monotonic() + seconds
    # More than one round: what is found may be starting something at this moment.
    while True:
        pids = belonging_to(directory)
        if not pids or time.monotonic() > deadline:
            return pids
        for pid in sorted(pids):
            kill_and_wait(pid, deadline)
