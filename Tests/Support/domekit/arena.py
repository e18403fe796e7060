"""Where attacks are run: daemons of root and of an ordinary user, with the jail as it is or with layers left out."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import attack, proxy
from .daemon import Daemon
from .jobs import Event
from .trees import Trees
from .users import uid_of

# A canary without any jail: the attack as a process of the daemon's own user.
NO_JAIL = "no jail"
# A canary in which the kernel ends the keeper with the daemon that started it.
BOUND_KEEPER = "a keeper that is bound to its domed"


class SiblingEnded(Exception):
    """A job that was to stay did not get there; its events."""


@dataclass(frozen=True)
class Mode:
    """One way to run a case."""

    who: str  # "root" or "user"
    weakness: str | None = None  # words for the weak jail; None: the jail as it is
    is_canary: bool = False  # with that weakness the attack must work
    grants: tuple[str, ...] = ()  # what a canary is granted besides

    @property
    def uid(self) -> int:
        return uid_of(self.who)


class Arena:
    """Makes daemons as they are asked for and keeps them for the session: cases share them, jobs do not."""

    def __init__(self, trees: Trees) -> None:
        self.trees = trees
        self._daemons: dict[tuple[str, str | None], Daemon] = {}
        self._stack = ExitStack()

    def new_daemon(self, mode: Mode, **rest: Any) -> Daemon:
        """A daemon that is not shared, not started yet; the caller's to close."""
        if mode.weakness == BOUND_KEEPER:
            binaries = self.trees.with_bound_keeper()
        else:
            binaries = self.trees.binaries(None if mode.weakness == NO_JAIL else mode.weakness)
        uid = mode.uid if mode.uid != os.geteuid() else None
        daemon = Daemon(binaries=binaries, uid=uid, **rest)
        daemon.write_policy({"tools": {"shell.run": {"allow": ["net.full", "unix"]}}})
        return daemon

    def daemon(self, mode: Mode) -> Daemon:
        weakness = None if mode.weakness == NO_JAIL else mode.weakness
        key = (mode.who, weakness)
        if key not in self._daemons:
            daemon = self.new_daemon(mode)
            self._stack.callback(daemon.close)
            self._daemons[key] = daemon.start()
        return self._daemons[key]

    def close(self) -> None:
        self._stack.close()


class Jail:
    """What a case works with: the daemon of its mode, a folder to grant, and the judgement."""

    def __init__(self, arena: Arena, mode: Mode, stack: ExitStack) -> None:
        self.arena, self.mode, self._stack = arena, mode, stack
        self._daemon: Daemon | None = None

    @property
    def daemon(self) -> Daemon:
        """Shared with other cases."""
        if self._daemon is None:
            self._daemon = self.arena.daemon(self.mode)
        return self._daemon

    def own_daemon(self, **rest: Any) -> Daemon:
        """A daemon for this case alone, started; from now on the one that attacks go through."""
        self._daemon = self.arena.new_daemon(self.mode, **rest)
        self._stack.callback(self._daemon.close)
        return self._daemon.start()

    def folder(self) -> Path:
        """A new folder of the daemon's user, outside of everything that is protected."""
        path = Path(tempfile.mkdtemp(prefix="dome-case-", dir="/tmp"))
        os.chown(path, self.mode.uid, self.mode.uid)
        self._stack.callback(subprocess.run, ["rm", "-rf", path], check=True)
        return path

    def put(self, path: Path, text: str, mode: int = 0o600) -> Path:
        """A file of the daemon's user."""
        path.write_text(text)
        os.chown(path, self.mode.uid, self.mode.uid)
        path.chmod(mode)
        return path

    def listen(self, path: Path | bytes, kind: int = socket.SOCK_STREAM) -> socket.socket:
        """A Unix socket of the daemon's user that waits for somebody; `bytes`: an abstract name."""
        listener = self._stack.enter_context(socket.socket(socket.AF_UNIX, kind))
        listener.bind(path if isinstance(path, bytes) else os.fspath(path))
        if kind != socket.SOCK_DGRAM:
            listener.listen(8)
        if isinstance(path, Path):
            os.chown(path, self.mode.uid, self.mode.uid)
            path.chmod(0o777)
            self._stack.callback(path.unlink, missing_ok=True)
        return listener

    # Jobs

    def run(self, argv: list[str], tool: str = "shell.run", **rest: Any) -> list[Event]:
        return self.daemon.jobs.run(tool, {"argv": argv}, **rest)

    @contextmanager
    def sibling(self, script: str, **rest: Any) -> Iterator[str]:
        """Another job, a shell script that prints "up" when it is ready and then stays; its id."""
        job = self.daemon.jobs.start("shell.run", {"script": script + "\necho up; exec sleep 1000"}, **rest)
        try:
            events = []
            for one in self.daemon.jobs.follow(job):
                events.append(one.payload)
                if one.line == b"up":
                    break
            else:
                raise SiblingEnded(events)
            yield job
        finally:
            self.daemon.jobs.cancel(job)

    @contextmanager
    def swapping(self, folder: Path, other: str) -> Iterator[str]:
        """A job that makes x and y in `folder` and swaps them all the time: x is a folder, y what the Python statement
        `other` makes; each is always one of the two."""
        program = f"""
import ctypes, os, time
os.chdir({str(folder)!r})
os.mkdir('x')
{other}
exchange = ctypes.CDLL(None, use_errno=True).renameat2
assert exchange(-100, b'x', -100, b'y', 2) == 0 and exchange(-100, b'x', -100, b'y', 2) == 0
print('up', flush=True)
while True:
    exchange(-100, b'x', -100, b'y', 2)
    time.sleep(0.0005)
"""
        task = {"argv": ["/usr/bin/python3", "-I", "-c", program]}
        job = self.daemon.jobs.start("shell.run", task, grants=[f"fs.write:{folder}"])
        try:
            next(one for one in self.daemon.jobs.follow(job) if one.line == b"up")
            yield job
        finally:
            self.daemon.jobs.cancel(job)

    def list_swapped(self, folder: Path, **rest: Any) -> Any:
        """Submits a job that lists `folder`/x, which is granted to it; the reply has no job if that was refused."""
        task, grants = {"argv": ["ls", f"{folder}/x"]}, [f"fs.read:{folder}/x"]
        return self.daemon.jobs.submit("shell.run", task, grants=grants, **rest)

    def attack(self, script: str, *, tool: str = "shell.run", grants: list[str] | None = None, **rest: Any) -> None:
        """Runs an attack (see attack.py) and judges it: held, and in a canary's mode not."""
        lines = self.lines(script, tool=tool, grants=grants, **rest)
        self.judge(attack.verdict(lines), lines)

    def judge(self, is_breach: bool, evidence: object) -> None:
        if self.mode.is_canary:
            assert is_breach, f"the canary did not sing; this case shows nothing: {evidence}"
        else:
            assert not is_breach, f"the jail did not hold: {evidence}"

    def lines(
        self, script: str, *, tool: str = "shell.run", grants: list[str] | None = None, **rest: Any
    ) -> list[str]:
        """What an attack printed, and how its job ended."""
        if self.mode.weakness == NO_JAIL:
            prefix = proxy.as_user(self.mode.uid) if self.mode.uid != os.geteuid() else []
            ended = subprocess.run(
                prefix + attack.program(script), capture_output=True, text=True, timeout=60, check=False, cwd="/"
            )
            return ended.stdout.splitlines() + ended.stderr.splitlines()
        grants = (grants or []) + list(self.mode.grants)
        events = self.daemon.jobs.run(tool, {"argv": attack.program(script)}, grants=grants, **rest)
        last = events[-1].payload
        return [one.line.decode(errors="replace") for one in events if one.line is not None] + [str(last)]

