"""Jobs that wait until a test lets them go on: order without sleeps."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from types import TracebackType


class Gate:
    """A FIFO in a folder that jobs get by grant. A job that reads a line from it stands there until `open`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self.folder = folder
        self.path = folder / "gate"
        os.mkfifo(self.path, 0o600)
        # Whose the folder above is, his are the jobs that get it.
        owner = folder.parent.stat()
        for path in (folder, self.path):
            os.chown(path, owner.st_uid, owner.st_gid)
        # Both ends, so that neither this open nor the jobs' wait for somebody.
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)

    @property
    def grants(self) -> list[str]:
        return [f"fs.write:{self.folder}"]

    @property
    def wait(self) -> str:
        """Shell text that waits for `open`."""
        return f"read -r _ <{shlex.quote(str(self.path))}"

    def open(self, times: int = 1) -> None:
        """Lets that many waiting reads go on."""
        os.write(self._descriptor, b"\n" * times)

    def close(self) -> None:
        os.close(self._descriptor)

    def __enter__(self) -> Gate:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
