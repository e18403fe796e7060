"""Whose a connection on loopback is. A port is open to every user of the machine; the job's processes are known by
its own /proc, in which there are no others."""

from __future__ import annotations

import os
import socket
import sys

ESTABLISHED = "01"
# While others connect and hang up, a row may be missed.
ATTEMPTS = 3


def is_of_this_job(connection: socket.socket) -> bool:
    """Whether a process of this job is at the other end of a connection over IPv4."""
    try:
        ours, theirs = connection.getsockname(), connection.getpeername()
        for _ in range(ATTEMPTS):
            inode = inode_of(theirs, ours)
            if inode is not None:
                # A connection that has been reset leaves its port to others: the row may be somebody else's by now.
                return inode in sockets_of_this_job() and connection.getpeername() == theirs
    except OSError:
        pass
    return False


def inode_of(local: tuple[str, int], remote: tuple[str, int]) -> str | None:
    """The inode of the socket between these, from /proc/net/tcp (proc_net_tcp(5)): machine words, in hexadecimal."""

    def word(place: tuple[str, int]) -> str:
        return f"{int.from_bytes(socket.inet_aton(place[0]), sys.byteorder):08X}:{place[1]:04X}"

    wanted = [word(local), word(remote), ESTABLISHED]
    with open("/proc/net/tcp") as rows:
        for row in rows:
            fields = row.split()
            if fields[1:4] == wanted:
                return fields[9]
    return None


def sockets_of_this_job() -> set[str]:
    """The inodes of all sockets that its processes have open."""
    found = set()
    for process in filter(str.isdigit, os.listdir("/proc")):
        folder = f"/proc/{process}/fd"
        try:
            for name in os.listdir(folder):
                target = os.readlink(f"{folder}/{name}")
                if target.startswith("socket:["):
                    found.add(target[8:-1])
        except OSError:
            continue  # it has ended
    return found
