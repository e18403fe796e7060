"""Systems of their own in folders, by debootstrap: Debian releases as they are after installing next to nothing. Kept
in build/roots between runs."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from .paths import ROOT

MIRROR = os.environ.get("DOME_DEBIAN_MIRROR", "http://deb.debian.org/debian")
# What a throw-away machine (machine.py) is booted with.
BOOTED = ("systemd", "dbus", "dbus-user-session", "libpam-systemd")


def obstacle() -> str | None:
    """Why there can be none here; None if there can."""
    if os.geteuid() != 0:
        return "debootstrap needs root"
    return None if shutil.which("debootstrap") else "debootstrap is not installed (make deps-soak)"


def make(name: str, release: str, packages: tuple[str, ...]) -> Path:
    """The root of a Debian `release` with these packages and what they need."""
    root = ROOT / "build" / "roots" / name
    # Beside it, and last: one that was cut short begins anew.
    stamp = root.with_name(name + ".complete")
    wanted = " ".join((release, *packages))
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(root, ignore_errors=True)
        root.parent.mkdir(parents=True, exist_ok=True)
        run(["debootstrap", "--variant=minbase", release, os.fspath(root), MIRROR])
        # Not by debootstrap's --include: it does not find who provides what is needed by another name.
        within(root, "apt-get", "update", "-q")
        within(root, "apt-get", "install", "-y", "--no-install-recommends", *packages)
        stamp.write_text(wanted)
    return root


def within(root: Path, *command: str) -> str:
    """Runs a command with `root` as its root, and returns what it said; it must succeed."""
    return run(["chroot", os.fspath(root), "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
                "DEBIAN_FRONTEND=noninteractive", *command])  # fmt: skip


def run(command: list[str]) -> str:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stdout[-4000:]}"
    return done.stdout
