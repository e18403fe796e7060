"""What control groups this machine has."""

from __future__ import annotations

from pathlib import Path


def cgroup_root() -> Path | None:
    """Where cgroup v2 is mounted, if it is."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    return next((Path(fields[1]) for fields in mounts if fields[2] == "cgroup2"), None)


def has_controllers(*names: str) -> bool:
    """Whether version 2 has all of them; those that version 1 holds it has not."""
    root = cgroup_root()
    return root is not None and set(names) <= set((root / "cgroup.controllers").read_text().split())
