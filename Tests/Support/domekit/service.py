"""dome as a service of the ordinary user of a throw-away machine (machine.py): what its service manager and its clients
say. For tests that run in such a machine, as its root."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import grpc

from . import proxy, stubs
from .daemon import CHANNEL_OPTIONS
from .jobs import Jobs
from .machine import UID, USER
from .waiting import until

pb2, pb2_grpc = stubs.load()


class Service:
    """The installed dome of the machine's user."""

    def __init__(self) -> None:
        self.home = Path("/home") / USER
        self.runtime = Path("/run/user") / str(UID)
        self.data_home = self.home / ".local" / "share"
        self.config_home = self.home / ".config"
        self.state = self.home / ".local" / "state" / "dome"
        self.socket = self.runtime / "dome" / "domed.sock"
        self.environment = {
            "HOME": str(self.home),
            "USER": USER,
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "XDG_RUNTIME_DIR": str(self.runtime),
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={self.runtime}/bus",
        }
        self._proxy: subprocess.Popen[bytes] | None = None
        self._channels: list[grpc.Channel] = []

    def own(self) -> None:
        """Gives the user what a test has put into the home as root."""
        subprocess.run(["chown", "-R", f"{UID}:{UID}", self.home], check=True)

    # As the user

    def run(self, *argv: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*proxy.as_user(UID), *argv],
            env=self.environment, cwd=self.home, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=timeout, check=False,
        )  # fmt: skip

    def dome(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run("dome", *arguments)

    def systemctl(self, *arguments: str) -> str:
        """What it prints; it must succeed."""
        done = self.run("systemctl", "--user", *arguments)
        assert done.returncode == 0, (arguments, done.stdout, done.stderr, self.journal())
        return done.stdout

    def show(self, unit: str, name: str) -> str:
        """One property of a unit."""
        return self.systemctl("show", "--value", "--property", name, unit).strip()

    def pid(self, unit: str = "domed.service") -> int:
        """Of the unit's main process; 0: none."""
        return int(self.show(unit, "MainPID"))

    def keepers(self) -> list[str]:
        """The keepers' units that are active."""
        listed = self.systemctl(
            "list-units", "--plain", "--no-legend", "--state=active,activating,deactivating", "domed-keeper@*"
        )
        return [line.split()[0] for line in listed.splitlines()]

    def journal(self) -> str:
        """What dome's units have said."""
        done = subprocess.run(
            ["journalctl", "--no-pager", "--output=short-precise", f"_UID={UID}"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.stdout[-8000:]

    # Talking to it

    def channel(self) -> grpc.Channel:
        if self._proxy is None:
            self._proxy = proxy.start(UID, self.runtime / "proxy.sock", self.socket)
        channel = grpc.insecure_channel(f"unix:{self.runtime}/proxy.sock", options=CHANNEL_OPTIONS)
        self._channels.append(channel)
        return channel

    def stub(self) -> Any:
        return pb2_grpc.DomedServiceStub(self.channel())

    @property
    def jobs(self) -> Jobs:
        """On a connection of its own, so that no earlier daemon's is met; it is made when this returns, however long
        the daemon takes to start on a busy machine."""
        channel = self.channel()
        grpc.channel_ready_future(channel).result(60)
        return Jobs(pb2_grpc.DomedServiceStub(channel))

    def close(self) -> None:
        """Stops everything, jobs included, and forgets it."""
        for channel in self._channels:
            channel.close()
        self.systemctl("stop", "domed.socket", "domed.service")
        # One that leaves by itself at this moment is not there to be killed.
        self.run("systemctl", "--user", "kill", "--signal=KILL", "--kill-who=all", *self.keepers())
        until(lambda: not self.keepers(), "the keepers are gone")
        self.systemctl("disable", "--quiet", "domed.socket", "domed.service")
        subprocess.run(["rm", "-rf", self.state, self.config_home / "dome", self.data_home / "dome"], check=True)
        if self._proxy is not None:
            self._proxy.kill()
            self._proxy.wait()
            (self.runtime / "proxy.sock").unlink()

