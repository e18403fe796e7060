"""Attacks: Python programs that try one thing from inside a job, and say whether it worked.

A program calls `breach(what)` when it got what it must not get; otherwise it comes to its end. `tried` calls a
function and notes the error it met, so that a report shows why it was held.
"""

from __future__ import annotations

PRELUDE = r"""
import ctypes, errno, fcntl, glob, mmap, os, platform, resource, signal, socket, struct, sys, time
libc = ctypes.CDLL(None, use_errno=True)
is_arm = platform.machine() == 'aarch64'
met = []
def breach(what='it worked'):
    print('BREACH', what, flush=True)
    os._exit(0)
def tried(body, *arguments):
    try:
        return body(*arguments)
    except OSError as error:
        met.append(errno.errorcode.get(error.errno, str(error)))
def raw(x86, arm, *arguments):
    # A system call by number: its result, or None and the error noted.
    ctypes.set_errno(0)
    result = libc.syscall(arm if is_arm else x86, *arguments)
    if result >= 0:
        return result
    met.append(errno.errorcode.get(ctypes.get_errno(), '?'))
def unshared(flags):
    if libc.unshare(flags) == 0:
        return True
    met.append(errno.errorcode[ctypes.get_errno()])
def find(marker):
    # Processes with this text in their command line, except our own.
    for path in glob.glob('/proc/[0-9]*/cmdline'):
        pid = int(path.split('/')[2])
        content = tried(lambda: open(path, 'rb').read())
        if content and marker.encode() in content and b'is_arm' not in content and pid != os.getpid():
            yield pid
"""

EPILOGUE = "\nprint('HELD', ' '.join(sorted(set(met))), flush=True)\n"


def program(script: str) -> list[str]:
    """The command line of an attack."""
    return ["/usr/bin/python3", "-I", "-c", PRELUDE + script + EPILOGUE]


def verdict(lines: list[str]) -> bool:
    """Whether what an attack printed says that it worked. Anything but a clear word is an error of the test."""
    words = [line for line in lines if line.startswith(("BREACH", "HELD"))]
    assert len(words) == 1, f"the attack did not come to its end: {lines}"
    return words[0].startswith("BREACH")
