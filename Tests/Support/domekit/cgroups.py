"""What control groups this machine has, and taking away those that a test made."""

from __future__ import annotations

import os
import time
from pathlib import Path


def cgroup_root() -> Path | None:
    """Where cgroup v2 is mounted, if it is."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    return next((Path(fields[1]) for fields in mounts if fields[2] == "cgroup2"), None)


def has_controllers(*names: str) -> bool:
    """Whether version 2 has all of them; those that version 1 holds it has not."""
    root = cgroup_root()
    return root is not None and set(names) <= set((root / "cgroup.controllers").read_text().split())


def remove_tree(group: Path, seconds: float = 10) -> None:
    """Takes a control group and those below it away, once their last processes have died."""
    deadline = time.monotonic() + seconds
    while group.exists():
        for folder, _, _ in os.walk(group, topdown=False):
            try:
                os.rmdir(folder)
            except OSError:
                assert time.monotonic() < deadline, folder
                time.sleep(0.02)
                break
