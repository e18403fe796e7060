"""A mount whose server has stopped answering, as NFS or FUSE leave it behind: whoever looks for a name in it waits in
the kernel, and not even SIGKILL ends that. It lies in a mount namespace of its own, and is over when its server ends.

`python dead_mount.py FOLDER` is the server: it mounts itself and takes every question; but for what its top folder
is, it answers none. Standard library only.
"""

from __future__ import annotations

import ctypes
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# linux/fuse.h
GETATTR, INIT, MAJOR, MINOR = 3, 26, 7, 31
HEADER = struct.Struct("=IIQQIIII")
LONGEST_REQUEST = 1 << 20


class DeadMount:
    def __init__(self, folder: Path, process: subprocess.Popen[str], namespace: int) -> None:
        self.folder = folder
        self._process = process
        # Before a command that shall see the mount.
        self.prefix = ["nsenter", f"--mount=/proc/{os.getpid()}/fd/{namespace}", "--"]

    def end(self) -> None:
        """Whoever waits for it gets an error now."""
        self._process.kill()
        self._process.wait()


@contextmanager
def dead_mount(folder: Path) -> Iterator[DeadMount]:
    """On an empty folder; mounting needs root."""
    with subprocess.Popen(
        ["unshare", "--mount", "--propagation", "private", sys.executable, __file__, folder],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "mounted\n"
            # It stays, also without its server.
            namespace = os.open(f"/proc/{process.pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
            try:
                yield DeadMount(folder, process, namespace)
            finally:
                os.close(namespace)
        finally:
            process.kill()


def serve(folder: str) -> None:
    device = os.open("/dev/fuse", os.O_RDWR)
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,default_permissions"
    if libc.mount(b"dome-dead", folder.encode(), b"fuse", 0, options.encode()) != 0:
        raise OSError(ctypes.get_errno(), "mount", folder)
    while True:
        request = os.read(device, LONGEST_REQUEST)
        _, operation, number, node, *_ = HEADER.unpack_from(request)
        answer = b""
        if operation == INIT:
            answer = struct.pack("=IIIIHHIIHHI28x", MAJOR, MINOR, 4096, 0, 0, 0, 4096, 1, 0, 0, 0)
        elif operation == GETATTR and node == 1:
            attributes = struct.pack("=6Q10I", 1, 0, 0, 0, 0, 0, 0, 0, 0, 0o40755, 2, 0, 0, 0, 4096, 0)
            answer = struct.pack("=QII", 3600, 0, 0) + attributes
        if answer:
            os.write(device, struct.pack("=IiQ", 16 + len(answer), 0, number) + answer)
        if operation == INIT:
            print("mounted", flush=True)


if __name__ == "__main__":
    serve(sys.argv[1])
