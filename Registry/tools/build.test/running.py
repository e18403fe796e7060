"""Runs what tests a project, and passes on what it prints."""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import time

from tallies import Tally

LOG = "/job/out/output.txt"
LOG_BYTES = 64 << 20
# To whoever follows the job: its limit is 64 MiB, of which the result needs some.
SHOWN_BYTES = 16 << 20
# A longer line is shown, and not looked at.
LINE_BYTES = 1 << 20
STEP = 64 << 10
# What programs say before they give up.
REASON_BYTES = 64 << 10
# More than a pipe holds.
PIPE_BYTES = 1 << 20
# How programs say that there is no network.
UNREACHABLE = re.compile(
    rb"could(?:n't| not) resolve host|failed to resolve address|name resolution|name or service not known"
    rb"|network is unreachable|dial tcp|EAI_AGAIN|ENOTFOUND|ENETUNREACH",
    re.IGNORECASE,
)


class Output:
    """What the commands print: to whoever follows the job, to an artifact, and the end of it for the result."""

    def __init__(self, tail_characters: int) -> None:
        os.makedirs(os.path.dirname(LOG), exist_ok=True)
        self.file = open(LOG, "wb")
        self.log_left, self.shown_left = LOG_BYTES, SHOWN_BYTES
        self.characters = tail_characters
        # A character has four bytes at most.
        self.tail_bytes = max(4 * tail_characters, REASON_BYTES)
        self.tail = bytearray()
        self.tally = Tally()
        self.pending = b""
        self.is_long = False

    def take(self, data: bytes) -> None:
        """Whole lines go to the tally first, which may show others in their place."""
        head, newline, rest = data.rpartition(b"\n")
        if not newline:
            self.pending += rest
        else:
            lines = (self.pending + head).split(b"\n")
            self.pending = rest
            self.show(b"".join([self.line(line + b"\n") for line in lines]))
        if len(self.pending) > LINE_BYTES:
            self.show(self.pending)
            self.pending, self.is_long = b"", True

    def line(self, line: bytes) -> bytes:
        if self.is_long:
            self.is_long = False
            return line
        return self.tally.line(line)

    def show(self, data: bytes) -> None:
        self.shown_left = self.put(2, data, self.shown_left)
        self.log_left = self.put(self.file.fileno(), data, self.log_left)
        self.tail += data[-self.tail_bytes :]
        if len(self.tail) > 2 * self.tail_bytes:
            del self.tail[: -self.tail_bytes]

    def put(self, handle: int, data: bytes, left: int) -> int:
        """What is left of the limit then."""
        piece = data[:left]
        while piece:
            piece = piece[os.write(handle, piece) :]
        if 0 < left < len(data):
            os.write(handle, b"\n[what follows is left out]\n")
        return max(left - len(data), 0)

    def end(self) -> None:
        """Nothing more comes."""
        if self.pending:
            self.show(self.line(self.pending))
            self.pending = b""
        self.tally.end()
        for failure in self.tally.failures:
            failure["message"] = failure["message"].strip()

    @property
    def text(self) -> str:
        """The end of it."""
        return self.tail.decode("utf-8", "replace")[-self.characters :] if self.characters else ""

    @property
    def lacks_network(self) -> bool:
        """Whether that is what was said last."""
        return UNREACHABLE.search(self.tail[-REASON_BYTES:]) is not None


def run(command: list[str], folder: bytes, environment: dict[str, str], output: Output, end: float) -> int | None:
    """The command's exit status (negative: a signal); None if it had to be ended."""
    output.show(("$ " + " ".join(command) + "\n").encode("utf-8", "replace"))
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    source, ended = process.stdout.fileno(), os.pidfd_open(process.pid)
    has_ended, left_over = False, PIPE_BYTES
    with process.stdout, selectors.DefaultSelector() as selector:
        selector.register(source, selectors.EVENT_READ)
        selector.register(ended, selectors.EVENT_READ)
        while left_over > 0 and (left := end - time.monotonic()) > 0:
            ready = {key.fd for key, _ in selector.select(left)}
            if source in ready:
                data = os.read(source, STEP)
                output.take(data)
                if not data:
                    selector.unregister(source)
            if ended in ready:
                # What it left running may hold the pipe for ever: only what lies in there is waited for.
                has_ended = True
                left_over = left_over - len(data) if source in ready and data else 0
    os.close(ended)
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    status = process.wait()
    return status if has_ended else None


def has_network() -> bool:
    """Whether the job has any way out."""
    try:
        with open("/proc/net/route") as file:
            return any(line.split("\t", 1)[0] not in ("Iface", "lo") for line in file)
    except OSError:
        return False
