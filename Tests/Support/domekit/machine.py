"""A throw-away machine with systemd as its first process, an ordinary user whose service manager runs without a login,
and dome installed in it: a container of this kernel, or User-Mode Linux with a kernel of its own, whose control groups
have every controller."""

from __future__ import annotations

import itertools
import os
import platform
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .cgroups import cgroup_root, remove_tree
from .paths import ROOT, bin_dir
from .trees import PROGRAMS, WEAK_JAIL

USER = "domeuser"
UID = 54321
INIT = Path(__file__).with_name("machine_init.sh")
UML_INIT = """#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
insmod "/usr/lib/uml/modules/$(uname -r)/kernel/fs/overlayfs/overlay.ko"
exec {init} >>{folder}/console 2>&1
"""
_numbers = itertools.count()


def obstacle(*, in_uml: bool = False) -> str | None:
    """Why there can be no such machine here; None if there can."""
    if os.geteuid() != 0:
        return "a machine with a service manager needs root"
    if in_uml and not shutil.which("linux.uml"):
        why = f"Debian has it for x86_64, and this is {platform.machine()}"
        return f"User-Mode Linux is not installed (make deps); {why}"
    return None if in_uml or cgroup_root() else "control groups of version 2 are not mounted"


def run_cases(cases: dict[str, int], *, in_uml: bool = False) -> None:
    """Runs these files of Tests/System there; as many tests as they are said to have must pass."""
    variables = [f"DOME_BIN_DIR={bin_dir()}", "PYTHONDONTWRITEBYTECODE=1"] + (["DOME_IN_UML=1"] if in_uml else [])
    variables += [f"{name}={os.environ[name]}" for name in ("PYTEST_ADDOPTS",) if name in os.environ]
    files = [f"Tests/System/{name}" for name in cases]
    settings = ["-c", "Tests/pytest.ini", "--rootdir", ".", "-o", "python_files=*_cases.py", "--durations=5", "-q"]
    status, output = run(["env", *variables, sys.executable, "-m", "pytest", *settings, *files], in_uml=in_uml)
    assert status == 0, output
    assert re.search(rf"^{sum(cases.values())} passed, 0 failed$", output, re.MULTILINE), output
    assert "skipped" not in output, output


def run(
    command: list[str], *, in_uml: bool = False, files: Path | None = None, timeout: float = 240
) -> tuple[int, str]:
    """Boots, runs `command` in the project's folder as the machine's root, and ends it all; the command's exit status
    and what it printed. Raises when the machine never came to say. `files`: another system's, without dome in it."""
    with tempfile.TemporaryDirectory(prefix="machine-", dir=ROOT / "build") as name:
        folder = Path(name)
        _stage(folder, command)
        if files is None:
            _install(folder, in_uml)
        with _booted(folder, in_uml, files or Path("/")) as guest:
            deadline = time.monotonic() + timeout
            while not (folder / "status").exists():
                if guest.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"the machine did not come to its end\n{_said(folder)}")
                time.sleep(0.02)
        status = int((folder / "status").read_text())
        return status, (folder / "output").read_text(errors="replace")


def _said(folder: Path) -> str:
    return "\n".join((folder / name).read_text(errors="replace")[-6000:] for name in ("kernel", "console", "output"))


def _stage(folder: Path, command: list[str]) -> None:
    """Fills the folder that the machine is made from."""
    for name in ("kernel", "console", "output"):
        (folder / name).touch()
    (folder / "command").write_text(f"cd {shlex.quote(os.fspath(ROOT))} && exec {shlex.join(command)}\n")


def _install(folder: Path, in_uml: bool) -> None:
    """Puts dome where the machine takes its /usr/local from."""
    subprocess.run(
        [ROOT / "ops" / "install" / "install.sh", bin_dir(), folder / "tree", "/usr/local"],
        env=os.environ | {"PROGRAMS": " ".join(PROGRAMS)},
        check=True,
        capture_output=True,
        umask=0o022,
    )
    if in_uml:
        # User-Mode Linux has no Landlock: the jail of the tests leaves it out, and is otherwise the shipped one.
        jail = folder / "tree" / "usr" / "local" / "lib" / "dome" / "domed-jail"
        shutil.copy(WEAK_JAIL, jail)
        jail.with_name("domed-jail.weak").write_text("landlock")


def _init(folder: Path, files: Path) -> list[str]:
    return ["/bin/sh", os.fspath(INIT), os.fspath(folder), USER, str(UID), os.fspath(ROOT), os.fspath(files)]


@contextmanager
def _booted(folder: Path, in_uml: bool, files: Path) -> Iterator[subprocess.Popen[bytes]]:
    boot = _boot_uml if in_uml else _boot_container
    with (folder / "kernel").open("ab") as said, boot(folder, _init(folder, files)) as argv:
        guest = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True, cwd="/"
        )
        try:
            yield guest
        finally:
            # The first process of a PID namespace: all others die with it.
            guest.send_signal(signal.SIGKILL)
            guest.wait(20)


@contextmanager
def _boot_uml(folder: Path, argv: list[str]) -> Iterator[list[str]]:
    init = folder / "init"
    init.write_text(UML_INIT.format(init=shlex.join(argv), folder=shlex.quote(os.fspath(folder))))
    init.chmod(0o755)
    yield [
        "unshare", "--pid", "--fork", "--kill-child=SIGKILL",
        "linux.uml", "mem=1024M", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "rw", f"init={init}",
        "con=null", "con0=null,fd:1", "panic=-1", f"uml_dir={folder}",
    ]  # fmt: skip


@contextmanager
def _boot_container(folder: Path, init: list[str]) -> Iterator[list[str]]:
    """In a control group of its own, which is the root of all that the machine sees of them."""
    root = cgroup_root()
    assert root is not None
    group = root / f"dome-machine-{os.getpid()}-{next(_numbers)}"
    group.mkdir()
    try:
        yield [
            "/bin/sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', os.fspath(group),
            "unshare", "--mount", "--propagation", "private", "--pid", "--uts", "--ipc", "--cgroup", "--net", "--fork",
            "--kill-child=SIGKILL", *init,
        ]  # fmt: skip
    finally:
        (group / "cgroup.kill").write_text("1")
        remove_tree(group)
