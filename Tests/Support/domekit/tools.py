"""Tools of a test's own, put into a daemon's personal registry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .daemon import Daemon


def registry(daemon: Daemon) -> Path:
    """The folder of the personal registry's tools."""
    path = daemon.data_home / "dome" / "registry" / "tools"
    path.mkdir(parents=True, exist_ok=True)
    return path


def write_tool(daemon: Daemon, tool_id: str, manifest: dict[str, Any], schema: dict[str, Any] | None = None) -> Path:
    """Writes a tool with the members given over sensible ones; returns its folder."""
    whole: dict[str, Any] = {
        "tool_id": tool_id,
        "version": "1.0.0",
        "title": "A test's tool",
        "short_description": "Does what a test wants.",
        "description": "Does what a test wants.",
        "kind": "test",
        "side_effects": [],
    }
    if "diagnostic" not in manifest:
        whole |= {"permissions": ["process"], "executor": "dome.local-process"}
    folder = registry(daemon) / tool_id
    folder.mkdir()
    (folder / "input.schema.json").write_text(json.dumps(schema or {"type": "object"}))
    (folder / "output.schema.json").write_text(json.dumps({"type": "object"}))
    (folder / "tool.json").write_text(json.dumps(whole | manifest))
    return folder


def write_script_tool(daemon: Daemon, tool_id: str, script: str, **manifest: Any) -> Path:
    """A tool that runs `script` with /bin/sh."""
    return write_tool(
        daemon, tool_id, {"entrypoint": {"argv": ["/bin/sh", "-c", script]}} | manifest
    )
