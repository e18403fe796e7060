"""What is measured of processes: start, memory, the command line, and the disk below them."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path

from domekit import processes
from domekit.daemon import Daemon
from samples import Row, Section
from world import ROUNDS, BenchError, World, guarded



def answers_http2(path: Path) -> bool:
    """Whether a server on `path` answers the HTTP/2 preface."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(10)
        try:
            probe.connect(os.fspath(path))
            probe.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
            return bool(probe.recv(9))
        except OSError:
            return False


def time_start(daemon: Daemon) -> float:
    """Starts domed; milliseconds until it answers on its socket."""
    daemon.socket.unlink(missing_ok=True)
    start = time.perf_counter()
    with daemon.log_path.open("ab") as log:
        daemon.process = subprocess.Popen(
            [daemon.bin / "domed", *daemon.arguments], env=daemon.environment, stdin=subprocess.DEVNULL,
            stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    while not answers_http2(daemon.socket):
        if daemon.process.poll() is not None:
            raise BenchError(f"domed ended with {daemon.process.returncode}: {daemon.log_tail(1).strip()}")
        if time.perf_counter() - start > 20:
            raise BenchError("domed was not ready after 20 s")
        time.sleep(0.0002)
    return (time.perf_counter() - start) * 1000


def start_section(world: World) -> Section:
    section = Section("Start of domed, until it answers HTTP/2 on its socket")
    first = section.row("on fresh state", "ms")
    again = section.row("on existing state, keeper running", "ms", target=("p50 <=", 50))

    def measure() -> None:
        for _ in range(world.count(5)):
            daemon = Daemon(base=os.fspath(world.daemon.directory.parent))
            try:
                first.samples.append(time_start(daemon))
                daemon.stop()
                for _ in range(2):
                    again.samples.append(time_start(daemon))
                    daemon.stop()
            finally:
                daemon.close()

    guarded(first, measure)
    return section


def resident_megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) / 1024


def memory_section(world: World, title: str, limit: float | None) -> Section:
    section = Section(f"Resident memory, {title}")
    pids = processes.belonging_to(world.daemon.directory)
    names = {pid: Path(os.path.realpath(f"/proc/{pid}/exe")).name for pid in pids}
    for program in ("domed", "domed-keeper", "domed-worker"):
        sizes = [resident_megabytes(pid) for pid, name in names.items() if name == program]
        if sizes:
            target = ("p50 <=", limit) if limit and program == "domed" else None
            section.row(program, "MB", samples=sizes, target=target, note="one sample a process")
    return section


def command_section(world: World) -> Section:
    section = Section("Command line, daemon running")
    true = section.row("/bin/true", "ms")
    tools = section.row("dome tools", "ms", target=("p50 <=", 15))
    share = world.count(50) // ROUNDS

    def once(row: Row, *argv: str) -> None:
        row.samples += [sample / 1000 for sample in world.run("spawn", *argv, count=share)["latency"]]

    for _ in range(ROUNDS):
        guarded(true, lambda: once(true, "/bin/true"))
        guarded(tools, lambda: once(tools, str(world.daemon.bin / "dome"), "tools"))
    return section


def disk_section(world: World) -> Section:
    section = Section("The disk under the state directory")
    row = section.row("append 4 KiB, fdatasync", "us")
    path = world.daemon.directory / "fdatasync"
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    try:
        for _ in range(world.count(200)):
            start = time.perf_counter()
            os.write(descriptor, bytes(4096))
            os.fdatasync(descriptor)
            row.samples.append((time.perf_counter() - start) * 1e6)
    finally:
        os.close(descriptor)
        path.unlink()
    return section
