"""Runs `transport-echo` (Tests/Support/transport-echo), the server of the transport's interop tests."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import grpc

BIN_DIR = Path(os.environ.get("DOMEBIN_DIR", Path(__file__).parents[2] / ".build" / "debug"))
_OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


class EchoServer:
    """A running server; `limits` are the names and numbers that it takes on its command line.

    With a TCP address it also listens there, on `port`, for clients that have `TOKEN`.
    """

    TOKEN = "correct-horse-battery-staple"

    def __init__(self, tcp: str | None = None, **limits: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="echo-"))
        self.socket = self.folder / "run" / "s.sock"
        arguments = [f"{name.replace('_', '-')}={value}" for name, value in limits.items()]
        if tcp is not None:
            arguments.append(tcp)
            self.socket.parent.mkdir(mode=0o700)
            token = Path(f"{self.socket}.token")
            token.touch(mode=0o600)
            token.write_text(self.TOKEN + "\n")
        self.process = subprocess.Popen(
            [BIN_DIR / "transport-echo", self.socket, *arguments], stdout=subprocess.PIPE, text=True
        )
        self.port = int(self.process.stdout.readline().removeprefix("port ")) if tcp else 0
        line = self.process.stdout.readline()
        assert line == "ready\n", line
        self._channels: list[grpc.Channel] = []

    def channel(self, *options: tuple[str, object], compression: grpc.Compression | None = None) -> grpc.Channel:
        """A channel with a connection of its own."""
        private = [("grpc.use_local_subchannel_pool", 1)]
        channel = grpc.insecure_channel(
            f"unix://{self.socket}", options=[*_OPTIONS, *private, *options], compression=compression
        )
        self._channels.append(channel)
        return channel

    def stats(self) -> dict[str, int]:
        """What the server says of itself; the asking connection and call are counted."""
        channel = self.channel()
        text = unary(channel, "Stats")(b"", timeout=30).decode()
        channel.close()
        return {name: int(value) for name, value in (pair.split("=") for pair in text.split())}

    def wait_for(self, condition: Callable[[dict[str, int]], bool], seconds: float = 30) -> dict[str, int]:
        """Asks until the condition holds."""
        deadline = time.monotonic() + seconds
        while not condition(stats := self.stats()):
            assert time.monotonic() < deadline, stats
        return stats

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def close(self) -> int:
        """Ends it and returns its exit status, which is 0 unless it crashed."""
        for channel in self._channels:
            channel.close()
        self.process.terminate()
        try:
            status = self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        return status


def unary(channel: grpc.Channel, method: str) -> grpc.UnaryUnaryMultiCallable:
    return channel.unary_unary(f"/dome.test.Echo/{method}")


def server_stream(channel: grpc.Channel, method: str) -> grpc.UnaryStreamMultiCallable:
    return channel.unary_stream(f"/dome.test.Echo/{method}")
