"""A throw-away machine: User-Mode Linux over this one's files, for what the host's kernel lacks or must not suffer."""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from .paths import ROOT

# The project may lie below /tmp, which is the guest's own.
INIT = """#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LANG=C.UTF-8
mount -t proc proc /proc
mount -t sysfs sys /sys
mount --bind {root} /mnt
mount -t tmpfs -o mode=1777 tmp /tmp
mount -t tmpfs run /run
mount -t tmpfs -o mode=1777 shm /dev/shm
mount -t cgroup2 none /sys/fs/cgroup
[ -d {root} ] || {{ mkdir -p {root} && mount --bind /mnt {root}; }}
cd {root} && {command} >/mnt/{output} 2>&1
echo "status=$?" >>/mnt/{output}
sync
echo o >/proc/sysrq-trigger
exec sleep 60
"""


def obstacle() -> str | None:
    """Why there can be no such machine here; None if there can."""
    if shutil.which("linux.uml"):
        return None
    return f"User-Mode Linux is not installed (make deps); Debian has it for x86_64, and this is {platform.machine()}"


def run(command: list[str], *, megabytes: int = 1024, timeout: float = 300) -> tuple[int, str]:
    """Runs `command` in the project's folder as the guest's root; its exit status and what it printed. Raises when
    the guest never came to say."""
    with tempfile.TemporaryDirectory(prefix="uml-", dir=ROOT / "build") as folder:
        output = Path(folder) / "output"
        output.touch()
        init = Path(folder) / "init"
        quoted = shlex.quote(os.fspath(ROOT))
        init.write_text(INIT.format(root=quoted, command=shlex.join(command), output=output.relative_to(ROOT)))
        init.chmod(0o755)
        guest = subprocess.run(
            [
                "linux.uml", f"mem={megabytes}M", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "rw",
                f"init={init}", "con=null", "con0=null,fd:1", "panic=-1", f"uml_dir={folder}",
            ],  # fmt: skip
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
        text = output.read_text(errors="replace")
        _, found, status = text.rpartition("status=")
        if not found:
            raise RuntimeError(f"User-Mode Linux ended early\n{guest.stdout[-4000:]}\n{text[-4000:]}")
        return int(status), text
