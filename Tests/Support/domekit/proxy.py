"""Lets a test that is root talk to the daemon of another user, which admits nobody else.

`start` runs this very file as that user: it listens beside the daemon and passes bytes on, so that the daemon's peer
is a process of its own user. Standard library only: the other user may be unable to read the tests' environment.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path


def as_user(uid: int) -> list[str]:
    """What to put before a command that is to run as `uid`."""
    return ["/usr/bin/setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]


def start(uid: int, listening: Path, target: Path) -> subprocess.Popen[bytes]:
    """Ends with the daemon's other processes: its command line names the daemon's directory."""
    source = Path(__file__).read_text()
    process = subprocess.Popen(
        [*as_user(uid), "/usr/bin/python3", "-c", source, os.fspath(listening), os.fspath(target)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"listening\n", "the proxy did not start"
    process.stdout.close()
    return process


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(1 << 16):
            sink.sendall(data)
    except OSError:
        pass  # either end is gone, which ends both
    for one in (source, sink):
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def _serve(listening: str, target: str) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(listening)
        listener.listen(64)
        print("listening", flush=True)
        while True:
            client, _ = listener.accept()
            daemon = socket.socket(socket.AF_UNIX)
            try:
                daemon.connect(target)
            except OSError:
                client.close()
                daemon.close()
                continue
            for ends in ((client, daemon), (daemon, client)):
                threading.Thread(target=_pump, args=ends, daemon=True).start()


if __name__ == "__main__":
    _serve(sys.argv[1], sys.argv[2])
