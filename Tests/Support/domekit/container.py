"""A throw-away container for attacks that could hurt the host if the jail did not hold.

User, mount, PID, network and IPC namespaces of its own; its root is nobody outside; all processes in it together are
limited (RLIMIT_NPROC set before the user namespace is made counts for the whole of it), and so is its life. When its
first process dies, the kernel kills the rest. Needs root, to map more than one user.

This file is also what runs inside: standard library only.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

FIRST_UID = 700_000  # outside; nobody's
PROCESS_LIMIT = 600
NAMESPACES = 0x10000000 | 0x20000 | 0x20000000 | 0x40000000 | 0x08000000


def run(uid: int, argv: list[str], environment: dict[str, str], seconds: int) -> list[str]:
    """Runs a command as user `uid` of a new container, `seconds` at most; the lines of its output."""
    source = Path(__file__).read_text()
    what = json.dumps({"uid": uid, "argv": argv, "environment": environment, "seconds": seconds})
    process = subprocess.Popen(
        ["/usr/bin/python3", "-c", source, what],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        assert process.stdout.readline() == "unshared\n", process.stdout.read()
        for name in ("uid_map", "gid_map"):
            Path(f"/proc/{process.pid}/{name}").write_text(f"0 {FIRST_UID} 65536\n")
        output, _ = process.communicate("mapped\n", timeout=seconds + 20)
    finally:
        process.kill()
        process.wait()
    return output.splitlines()


# Inside


def _check(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _enter() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    resource.setrlimit(resource.RLIMIT_NPROC, (PROCESS_LIMIT, PROCESS_LIMIT))
    os.setgroups([])
    os.setresgid(FIRST_UID, FIRST_UID, FIRST_UID)
    os.setresuid(FIRST_UID, FIRST_UID, FIRST_UID)
    # A change of user made us unreadable, and our maps root's; the test is root, but not in every container.
    libc.prctl(4, 1, 0, 0, 0)
    _check(libc.unshare(NAMESPACES))
    print("unshared", flush=True)
    assert sys.stdin.readline() == "mapped\n"
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)


def _first_process(what: dict[str, object]) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    signal.alarm(int(str(what["seconds"])))
    _check(libc.prctl(1, signal.SIGKILL, 0, 0, 0))  # dies with the process outside
    _check(libc.mount(b"none", b"/", None, 0x4000 | 0x40000, None))  # private, and all below
    _check(libc.mount(b"proc", b"/proc", b"proc", 0, None))
    uid = int(str(what["uid"]))
    ended = subprocess.run(
        ["/usr/bin/setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", *list(what["argv"])],  # type: ignore
        env=what["environment"],  # type: ignore[arg-type]
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return ended.returncode


def _main() -> None:
    what = json.loads(sys.argv[1])
    _enter()
    child = os.fork()
    if child == 0:
        os._exit(_first_process(what))
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 0xFF)


if __name__ == "__main__":
    _main()
