"""What is measured of plugins: an adapter's job beside a program's, an executor's answer, a look at many plugins."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from domekit import plugins
from samples import Row, Section
from world import ROUNDS, BenchError, World, guarded

MANY = 100
PREPARE, PLAN = 2, 3


def job_section(world: World, usual: int) -> Section:
    """Submit and wait, by a client in Python: what it takes itself is in both rows."""
    section = Section("A job of an adapter, submit to end (wait_ms), beside one of /bin/true")
    program = section.row("shell.run /bin/true", "us")
    adapter = section.row("echo.say", "us", baseline=program.name, target=("ratio <=", 3.0))
    stub = world.daemon.stub()
    jobs = world.daemon.jobs
    share = world.count(usual) // ROUNDS

    def timed(tool: str, task: dict[str, Any]) -> Callable[[], None]:
        row = program if tool == "shell.run" else adapter

        def run() -> None:
            for _ in range(share):
                request = jobs.request(tool, task, wait_ms=30_000)
                began = time.perf_counter()
                reply = stub.SkillExecute(request, timeout=60)
                row.samples.append((time.perf_counter() - began) * 1e6)
                if reply.state != 3:
                    raise BenchError(f"{tool}: {reply.status.message} {reply.reason}")

        return run

    for _ in range(ROUNDS):
        guarded(program, timed("shell.run", {"argv": ["/bin/true"]}))
        guarded(adapter, timed("echo.say", {"text": "hi"}))
    section.compare()
    return section


def prepare_section(world: World, usual: int) -> Section:
    """A question to LocalProcess and its answer, over the worker's socket; the worker outside its jail."""
    section = Section("An executor's prepare through its worker")
    row = section.row("LocalProcess, request to plan", "us", target=("p50 <=", 100))
    guarded(row, lambda: _prepare(world, row, world.count(usual)))
    return section


def _prepare(world: World, row: Row, count: int) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    folder = world.daemon.bin.resolve().parent / "lib" / "dome" / "plugins" / "LocalProcess"
    os.set_inheritable(theirs.fileno(), True)
    worker = subprocess.Popen(
        [world.daemon.bin / "domed-worker", "--plugin", folder, "--fd", str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
    )
    theirs.close()
    ours.settimeout(30)
    job = {"entrypoint": {"argv_from_task": True}, "task": {"argv": ["/bin/true"]}, "environment": {"PATH": "/bin"}}
    document = json.dumps(job).encode()
    try:
        ours.recv(65536)
        for number in range(1, count + 1):
            began = time.perf_counter()
            ours.send(struct.pack("<BQ", PREPARE, number) + document)
            answer = ours.recv(65536)
            row.samples.append((time.perf_counter() - began) * 1e6)
            if answer[0] != PLAN:
                raise BenchError(f"no plan: {answer[9:]!r}")
    finally:
        ours.close()
        worker.wait(10)


def look_section(world: World) -> Section:
    """How long domed takes to look at pinned plugins again of which none has changed, by its own log."""
    section = Section(f"Looking at {MANY} unchanged plugins")
    row = section.row("domed", "us", target=("p50 <=", 50_000))
    guarded(row, lambda: _look(world, row))
    return section


def _look(world: World, row: Row) -> None:
    echo = world.daemon.bin.resolve().parent / "lib" / "dome" / "plugins" / "Echo"
    library = (echo / "libEcho.so").read_bytes()
    manifest = json.loads((echo / "plugin.json").read_text())
    place = plugins.folder(world.daemon)
    made: list[Path] = []
    pins: dict[str, dict[str, dict[str, str]]] = {}
    try:
        for number in range(MANY):
            # As long as the name that is in the library.
            plugin_id = f"dome.e{number:03}"
            made.append(place / plugin_id)
            made[-1].mkdir()
            (made[-1] / "libEcho.so").write_bytes(library.replace(b"dome.echo", plugin_id.encode()))
            (made[-1] / "table.txt").write_text(plugin_id)
            (made[-1] / "plugin.json").write_text(json.dumps(manifest | {"id": plugin_id, "files": ["table.txt"]}))
            pins[plugin_id] = {"files": {"table.txt": hashlib.sha256(plugin_id.encode()).hexdigest()}}
            plugins.settings(world.daemon, plugin_id, pin=pins[plugin_id])
        listed = plugins.plugins(world.daemon, timeout=60)
        if sum(one.state == "ready" for one in listed.values()) < MANY:
            raise BenchError("not all plugins are ready")
        for _ in range(20):
            before = len(world.daemon.log())
            plugins.settings(world.daemon, "dome.e000", enabled=True, pin=pins["dome.e000"])
            plugins.plugins(world.daemon)
            row.samples += [float(us) for us in re.findall(r"plugin\.looked .*us=(\d+)", world.daemon.log()[before:])]
    finally:
        for folder in made:
            shutil.rmtree(folder, ignore_errors=True)
        plugins.plugins(world.daemon)
