"""A real domed with directories of its own, from start to guaranteed end."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import grpc

from . import processes, proxy, stubs
from .jobs import Jobs
from .paths import bin_dir

pb2, pb2_grpc = stubs.load()

CHANNEL_OPTIONS = [
    # A connection per channel, so that closing one is closing it.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.max_receive_message_length", 64 << 20),
    ("grpc.max_send_message_length", 64 << 20),
    # After a restart of the daemon a test should not wait out the usual second.
    ("grpc.initial_reconnect_backoff_ms", 20),
    # What a connection attempt may take, however loaded the machine is.
    ("grpc.min_reconnect_backoff_ms", 30_000),
    ("grpc.max_reconnect_backoff_ms", 200),
]


class DaemonError(Exception):
    """domed did not start or did not end; the message carries the end of its log."""


class Daemon:
    """One domed, with private XDG directories below `directory` (in `base`, which is short: socket paths are).

    Everything it starts carries these directories in its environment; that is how `close` finds it all.
    """

    def __init__(
        self,
        *,
        arguments: list[str] | None = None,
        environment: dict[str, str] | None = None,
        base: str = "/tmp",
        binaries: Path | None = None,
        uid: int | None = None,
    ) -> None:
        """`uid`: whose daemon it is, for tests that are root; None: the tests' own user."""
        self.directory = Path(tempfile.mkdtemp(prefix="dome-", dir=base))
        self.uid = uid
        self._prefix = proxy.as_user(uid) if uid is not None else []
        self.own(self.directory)
        self.arguments = arguments or []
        self.bin = binaries or bin_dir()
        self.home = self.make_folder("home")
        self.runtime = self.make_folder("run")
        self.state_home = self.make_folder("state")
        self.config_home = self.make_folder("config")
        self.data_home = self.make_folder("data")
        self.state = self.state_home / "dome"
        self.socket = self.runtime / "dome" / "domed.sock"
        self.log_path = self.directory / "domed.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._proxy: subprocess.Popen[bytes] | None = None
        self._channels: list[grpc.Channel] = []
        self._jobs: Jobs | None = None
        self.environment = self._environment() | (environment or {})

    def make_folder(self, path: Path | str) -> Path:
        """A new folder of the daemon's user, in its directory unless the path is absolute."""
        path = self.directory / path
        path.mkdir(mode=0o700)
        return self.own(path)

    def own(self, path: Path) -> Path:
        """Gives a file or folder of the test's, and what is in it, to the daemon's user."""
        for one in [path, *path.rglob("*")] if self.uid is not None else ():
            os.chown(one, self.uid, self.uid, follow_symlinks=False)  # type: ignore[arg-type]
        return path

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        return kept | {
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.runtime),
            "XDG_STATE_HOME": str(self.state_home),
            "XDG_CONFIG_HOME": str(self.config_home),
            "XDG_DATA_HOME": str(self.data_home),
            # What runs from a build folder is of another stage by default.
            "DOME_STAGE": "prod",
        }

    # Starting and ending

    def start(self, seconds: float = 20) -> Daemon:
        """Starts domed and waits until its socket takes connections."""
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [*self._prefix, self.bin / "domed", *self.arguments],
                env=self.environment,
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait_ready(seconds)
        if self.uid is not None and self._proxy is None:
            self._proxy = proxy.start(self.uid, self.directory / "proxy.sock", self.socket)
        for channel in self._channels[:1]:
            # One that tried while the daemon was down fails calls until its next attempt. Only the one that `jobs`
            # uses, as a rule: a test may have left a thousand behind, more than domed serves.
            grpc.channel_ready_future(channel).result(seconds)
        return self

    def wait_ready(self, seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not self.accepts_connections():
            if self.process is not None and self.process.poll() is not None:
                raise DaemonError(f"domed ended with {self.process.returncode} while starting\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise DaemonError(f"domed took no connection on {self.socket} for {seconds} s\n{self.log_tail()}")
            time.sleep(0.002)

    def refuses_to_start(self, *arguments: str, environment: dict[str, str] | None = None) -> str:
        """Starts domed, which must end by itself with an exit status that is not 0; returns its last words."""
        ended = subprocess.run(
            [*self._prefix, self.bin / "domed", *arguments],
            env=self.environment if environment is None else environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=20,
            check=False,
        )
        assert ended.returncode > 0, (ended.returncode, ended.stderr)
        last = ended.stderr.strip().splitlines()[-1]
        assert last.startswith("domed: "), ended.stderr
        return last

    def accepts_connections(self) -> bool:
        """Whether this very domed listens: a killed one's socket stays open for a moment, in a program that it was just
        starting."""
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(os.fspath(self.socket))
            except OSError:
                return False
            # Of who began to listen (unix(7)).
            credentials = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
            return int.from_bytes(credentials[:4], sys.byteorder) == self.pid

    @property
    def pid(self) -> int:
        assert self.process is not None, "domed was not started"
        return self.process.pid

    def kill9(self) -> None:
        """kill -9 to domed alone; keepers and jobs go on."""
        self._end(signal.SIGKILL, seconds=10)

    def stop(self, seconds: float = 30) -> int:
        """SIGTERM to domed alone; returns its exit status (negative: a signal)."""
        return self._end(signal.SIGTERM, seconds)

    def _end(self, sign: int, seconds: float) -> int:
        assert self.process is not None, "domed was not started"
        # Calls to the next daemon must not meet a connection of this one.
        self._jobs = None
        self.process.send_signal(sign)
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired as expired:
            raise DaemonError(f"domed still lives {seconds} s after signal {sign}\n{self.log_tail()}") from expired
        self.process = None
        return status

    def restart(self) -> None:
        """kill -9, then start again on the same state."""
        self.kill9()
        self.start()

    def close(self) -> None:
        """Ends domed, its keepers and their jobs, and removes the directories. Raises if a process stays."""
        for channel in self._channels:
            channel.close()
        stubborn = processes.end_all(self.directory)
        if self.process is not None:
            self.process.wait(10)
        if self._proxy is not None:
            self._proxy.wait(10)
        shutil.rmtree(self.directory, ignore_errors=True)
        if stubborn:
            raise DaemonError(f"processes {sorted(stubborn)} of {self.directory} would not end")

    # Talking to it

    @property
    def target(self) -> str:
        return f"unix:{self.socket if self._proxy is None else self.directory / 'proxy.sock'}"

    def channel(self) -> grpc.Channel:
        """A new channel; closed with the daemon."""
        channel = grpc.insecure_channel(self.target, options=CHANNEL_OPTIONS)
        self._channels.append(channel)
        return channel

    def stub(self) -> Any:
        """A DomedServiceStub on a new channel."""
        return pb2_grpc.DomedServiceStub(self.channel())

    @property
    def jobs(self) -> Jobs:
        """The job helpers on a channel that all their calls share."""
        if self._jobs is None:
            self._jobs = Jobs(self.stub())
        return self._jobs

    def as_user(self, *command: str | Path) -> list[str]:
        """A command as the daemon's user; to be run with `environment`."""
        return [*self._prefix, *map(os.fspath, command)]

    def command(self, *arguments: str) -> list[str]:
        """The command line `dome` as the daemon's user."""
        return self.as_user(self.bin / "dome", *arguments)

    def dome(self, *arguments: str, input: str | None = None, timeout: float = 30) -> subprocess.CompletedProcess[str]:
        """Runs the command line against this daemon; never raises on its exit status."""
        return subprocess.run(
            self.command(*arguments),
            env=self.environment,
            cwd=self.directory,
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def dome_on_terminal(self, *arguments: str) -> str:
        """What the command line sends to its caller's terminal."""
        command = shlex.join([os.fspath(self.bin / "dome"), *arguments])
        shown = subprocess.run(
            [*self._prefix, "script", "-qec", command, "/dev/null"],
            env=self.environment,
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=30,
            check=False,
        )
        return shown.stdout.decode(errors="surrogateescape")

    # Looking at it

    def write_config(self, config: dict[str, Any]) -> None:
        """Writes config.json; read by the next start."""
        self._write_json("config.json", config)

    def write_policy(self, policy: dict[str, Any]) -> None:
        """Writes policy.json; read by the next start."""
        self._write_json("policy.json", policy)

    def _write_json(self, name: str, value: dict[str, Any]) -> None:
        path = self.config_home / "dome" / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.write_text(json.dumps(value))
        self.own(path.parent)
        self.own(path)

    def log(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def log_tail(self, lines: int = 40) -> str:
        return "".join(f"  {line}\n" for line in self.log().splitlines()[-lines:])

    def pids(self, program: str | None = None) -> set[int]:
        """All processes of this daemon, keepers and jobs included; or those whose executable has this name."""
        found = processes.belonging_to(self.directory)
        if program is None:
            return found
        return {pid for pid in found if _program(pid) == program}


def _program(pid: int) -> str:
    try:
        return Path(os.readlink(f"/proc/{pid}/exe")).name
    except OSError:
        return ""
