"""What a job may touch when its call names nothing: what the user's settings give, the tool asks for and the policy
allows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from domekit.daemon import Daemon
from domekit.mcp import Bridge, bridge
from domekit.mcp_http import http_bridge
from domekit.tools import write_tool


def make_tool(daemon: Daemon, tool_id: str, permissions: list[str]) -> None:
    """A tool that runs the script of its task."""
    schema = {"type": "object", "properties": {"script": {"type": "string"}}}
    manifest = {"permissions": ["process", *permissions], "entrypoint": {"argv_from_task": True}}
    write_tool(daemon, tool_id, manifest, schema)


def settings(daemon: Daemon, **keys: Any) -> None:
    folder = daemon.config_home / "dome"
    folder.mkdir(exist_ok=True)
    (folder / "mcp.json").write_text(json.dumps(keys))


def folder_with_note(daemon: Daemon, name: str = "here") -> Path:
    folder = daemon.make_folder(name)
    (folder / "note").write_text("seen\n")
    return folder


def look(one: Bridge, folder: Path, tool: str = "shell.run", **more: Any) -> str:
    """What a job sees of the note: by the tool that is listed and by dome_run, which must agree."""
    task = {"script": f"cat {folder}/note 2>/dev/null || echo nothing"}
    ran = one.call("dome_run", tool_id=tool, task=task, **more)["stdout"]
    listed = one.call(tool.replace(".", "_"), **task, **more)
    assert listed["stdout"] == ran
    return ran


def test_a_tool_that_reaches_the_network_by_itself_reads_nothing_unasked(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    make_tool(daemon, "net.shell", ["fs.read:*", "net.full"])
    daemon.write_policy({"tools": {"net.shell": {"allow": ["net.full"]}}})
    daemon.start()
    here = folder_with_note(daemon)
    with bridge(daemon, cwd=here) as one:
        one.initialize()
        assert look(one, here) == "seen\n"
        assert look(one, here, "net.shell") == "nothing\n"
        # Who names it gets it: that is a decision.
        assert look(one, here, "net.shell", grants=[f"fs.read:{here}"]) == "seen\n"


def test_over_http_nothing_of_a_folder_is_granted_unasked(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon().start()
    # Where this bridge is started.
    (daemon.directory / "note").write_text("seen\n")
    with http_bridge(daemon) as one:
        session = one.initialize()

        def seen(**more: Any) -> str:
            arguments = {"script": f"cat {daemon.directory}/note 2>/dev/null || echo nothing", **more}
            params = {"name": "shell_run", "arguments": arguments}
            message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
            answer = one.post(message, mcp_session_id=session).message
            return answer["result"]["structuredContent"]["stdout"]

        assert seen() == "nothing\n"
        assert seen(grants=[f"fs.read:{daemon.directory}/note"]) == "seen\n"


def test_settings_say_what_is_granted_and_a_tool_gets_of_it_what_it_asks_for(
    new_daemon: Callable[..., Daemon],
) -> None:
    daemon = new_daemon()
    make_tool(daemon, "blind.shell", [])
    daemon.start()
    here, there = folder_with_note(daemon), folder_with_note(daemon, "there")
    settings(daemon, grants=["fs.read:{cwd}", f"fs.read:{there}", "net.full"])
    with bridge(daemon, cwd=here) as one:
        one.initialize()
        # What shell.run asks for is more than the policy gives unasked, so it has nothing at all; it runs all the same.
        assert look(one, here) == "nothing\n"
        assert look(one, here, "blind.shell") == "nothing\n"
    settings(daemon, grants=["fs.read:{cwd}", f"fs.read:{there}", "net.odd"])
    with bridge(daemon, cwd=here) as one:
        one.initialize()
        assert look(one, here) == look(one, there) == "seen\n"
        assert look(one, here, grants=[]) == "nothing\n"
        assert look(one, here, "blind.shell") == "nothing\n"
    settings(daemon, grants=[])
    with bridge(daemon, cwd=here) as one:
        one.initialize()
        assert look(one, here) == "nothing\n"


def test_a_folder_that_is_gone_or_forbidden_costs_no_call(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon().start()
    gone = daemon.make_folder("gone")
    for folder in (gone, daemon.config_home, daemon.home, Path("/")):
        with bridge(daemon, cwd=folder) as one:
            one.initialize()
            if folder == gone:
                gone.rmdir()
            assert look(one, folder) == "nothing\n"
