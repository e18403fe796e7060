"""What else is in the audit log than jobs: tools and plugins that come, change and go."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from typing import Any

from domekit import plugins, waiting
from domekit.auditing import events, verdict
from domekit.daemon import Daemon
from domekit.tools import write_script_tool


def details(daemon: Daemon, kind: str) -> list[dict[str, Any]]:
    return [json.loads(one["leaf_json"]).get("details", {}) for one in events(daemon, "--kind", kind, "-a")]


def changes(daemon: Daemon, kind: str, name: str) -> list[str]:
    """What became of it, in order."""
    words = ("added", "changed", "removed")
    return [word for one in details(daemon, kind) for word in words if name in one.get(word, [])]


def until(daemon: Daemon, condition: Callable[[], bool], what: str) -> None:
    """Jobs go on meanwhile: it is then that the registry is looked at."""
    waiting.until(lambda: daemon.jobs.run("job.noop") and condition(), what)


def test_tools_that_come_change_and_go_are_in_the_log(daemon: Daemon) -> None:
    daemon.jobs.run("job.noop")
    folder = write_script_tool(daemon, "own.tool", "true")
    until(daemon, lambda: changes(daemon, "registry", "own.tool") == ["added"], "the tool that came")
    # In one step: half a schema would be a tool that went and came.
    (folder / "new").write_text('{"type": "object", "title": "changed"}')
    (folder / "new").rename(folder / "input.schema.json")
    until(daemon, lambda: changes(daemon, "registry", "own.tool") == ["added", "changed"], "the tool that changed")
    shutil.rmtree(folder)
    until(daemon, lambda: changes(daemon, "registry", "own.tool")[-1] == "removed", "the tool that went")
    assert verdict(daemon)["ok"]


def test_plugins_that_come_and_go_are_in_the_log(daemon: Daemon) -> None:
    daemon.jobs.run("job.noop")
    plugins.install(daemon)
    until(daemon, lambda: changes(daemon, "plugins", "org.example.sample")[:1] == ["added"], "the plugin that came")
    plugins.remove(daemon)
    until(daemon, lambda: changes(daemon, "plugins", "org.example.sample")[-1] == "removed", "the plugin that went")
    assert verdict(daemon)["ok"]
