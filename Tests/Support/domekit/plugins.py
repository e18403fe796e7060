"""Plugins of a test's own: built by the C compiler, put where a daemon looks for them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from .daemon import Daemon, pb2
from .jobs import Jobs, state_name

ROOT = Path(__file__).resolve().parents[3]
HEADERS = ROOT / "Sources" / "PluginABI" / "include"
SAMPLE = ROOT / "Tests" / "Support" / "plugins" / "sample_adapter.c"
STRICT = ["-O1", "-fPIC", "-shared", "-fvisibility=hidden", "-pthread", f"-I{HEADERS}", "-Wno-unused-function"]


@cache
def _library(source: Path, defines: tuple[str, ...], compiler: str, stamp: int) -> bytes:
    del stamp  # part of the key
    output = Path(os.environ.get("TMPDIR", "/tmp")) / f"dome-plugin-{os.getpid()}.so"
    flags = [f"-D{define}" for define in defines]
    subprocess.run([compiler, *STRICT, *flags, str(source), "-o", str(output)], check=True, capture_output=True)
    library = output.read_bytes()
    output.unlink()
    return library


def library(*defines: str, source: Path = SAMPLE, compiler: str = "cc") -> bytes:
    """The bytes of a plugin's library; built once for the same source and macros."""
    return _library(source, defines, compiler, source.stat().st_mtime_ns)


def folder(daemon: Daemon) -> Path:
    """Where the daemon's user keeps plugins."""
    path = daemon.data_home / "dome" / "plugins"
    path.mkdir(parents=True, exist_ok=True)
    return path


def install(
    daemon: Daemon, *defines: str, into: str = "Sample", code: bytes | None = None, **manifest: Any
) -> Path:
    """Puts a plugin into the user's folder, in one step as an installer does; returns its folder."""
    whole: dict[str, Any] = {
        "id": "org.example.sample",
        "version": "1.0.0",
        "kind": "adapter",
        "library": "libsample.so",
    }
    place = folder(daemon)
    hidden = place / f".{into}.new"
    hidden.mkdir()
    (hidden / "libsample.so").write_bytes(library(*defines) if code is None else code)
    (hidden / "plugin.json").write_text(json.dumps(whole | manifest))
    hidden.rename(place / into)
    return place / into


def remove(daemon: Daemon, name: str = "Sample") -> None:
    """Takes a plugin away again."""
    away = folder(daemon) / f".{name}.old"
    (folder(daemon) / name).rename(away)
    shutil.rmtree(away)


def settings(daemon: Daemon, plugin_id: str = "org.example.sample", **members: Any) -> Path:
    """Writes what the user decides about a plugin."""
    path = daemon.config_home / "dome" / "plugins" / f"{plugin_id}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(json.dumps(members))
    new.rename(path)
    return path


def plugins(daemon: Daemon, timeout: float = 30, **request: Any) -> dict[str, Any]:
    """What ListPlugins says, by folder name."""
    reply = daemon.stub().ListPlugins(pb2.ListPluginsRequest(**request), timeout=timeout)
    assert reply.status.ok, reply.status.message
    return {Path(one.folder).name: one for one in reply.plugins}


def tool_ids(daemon: Daemon) -> set[str]:
    """The tools that the daemon lists."""
    return {tool.tool_id for tool in daemon.stub().ListTools(pb2.ListToolsRequest(), timeout=30).tools}


def assert_unharmed(daemon: Daemon) -> None:
    """The process lives, and runs a job of a good plugin and one of a program."""
    assert daemon.process is not None and daemon.process.poll() is None
    for tool, task in (("echo.say", {"a": 1}), ("shell.run", {"argv": ["/bin/true"]})):
        reply = daemon.jobs.submit(tool, task, wait_ms=30_000)
        assert state_name(reply.state) == "SUCCEEDED", f"{tool}: {reply.status.message} {reply.reason}"


def answer(jobs: Jobs, tool: str, task: Any, **constraints: Any) -> Any:
    """The result of a job that must succeed."""
    events = jobs.run(tool, task, **constraints)
    lines = [one.line for one in events if one.line and one.payload.get("stream") == "stdout"]
    assert lines, [one.payload for one in events]
    return json.loads(b"".join(lines))


def complaint(jobs: Jobs, tool: str, task: Any, **constraints: Any) -> str:
    """Why a job of it failed."""
    reply = jobs.submit(tool, task, wait_ms=30_000, **constraints)
    assert reply.status.ok, reply.status.message
    assert (state_name(reply.state), reply.reason) == ("FAILED", "plugin_failed")
    return str(jobs.status(reply.job_id).message)
