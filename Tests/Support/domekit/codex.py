"""The real codex-cli with a home of its own and a scripted model in place of the usual one."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import codex_cli_bin

from .daemon import Daemon
from .scripted_model import ScriptedModel, outputs

# Of those that codex knows by name: one with functions, one that writes programs which call them.
FUNCTIONS, CODE = "gpt-5.5", "gpt-6-sol"


def program() -> Path:
    return Path(codex_cli_bin.__file__).parent / "bin" / "codex"


class Codex:
    """codex in the home of `daemon`, which need not run."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self.home = daemon.home / ".codex"
        self.work = daemon.make_folder("work")

    def configure(self, model: ScriptedModel, name: str = FUNCTIONS, more: str = "") -> None:
        """Writes its settings: the scripted model under the name of a real one."""
        self.home.mkdir(exist_ok=True)
        (self.home / "config.toml").write_text(
            f'model = "{name}"\nmodel_provider = "scripted"\n\n[model_providers.scripted]\nname = "scripted"\n'
            f'base_url = "{model.url}"\nwire_api = "responses"\nrequest_max_retries = 0\nstream_max_retries = 0\n{more}'
        )

    def server(self, more: str = "") -> str:
        """Settings with dome as a plain MCP server, without the plugin."""
        names = ["XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "DOME_STAGE"]
        return (
            f'\n[mcp_servers.dome]\ncommand = "{self.daemon.bin / "dome"}"\nargs = ["mcp"]\n'
            f'default_tools_approval_mode = "approve"\nenv_vars = {json.dumps(names)}\n{more}'
        )

    def command(self, prompt: str) -> list[str]:
        return [str(program()), "exec", "--skip-git-repo-check", "-C", str(self.work), prompt]

    def run(self, model: ScriptedModel, prompt: str = "go") -> str:
        """One session with one prompt; returns what codex says at its end."""
        ended = subprocess.run(
            self.command(prompt),
            env=self.daemon.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )
        assert not model.problems, (model.problems, ended.stderr)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout


def tools(request: dict[str, Any]) -> dict[str, list[str]]:
    """The tools that a request offers the model, by their namespace; "" for those without one."""
    found: dict[str, list[str]] = {"": []}
    for tool in request.get("tools", []):
        if tool["type"] == "namespace":
            found[tool["name"]] = [one["name"] for one in tool["tools"]]
        else:
            found[""].append(tool.get("name", tool["type"]))
    return found


def answer(request: dict[str, Any], index: int = -1) -> dict[str, Any]:
    """The document that a call of a tool brought the model."""
    return json.loads(outputs(request)[index]["output"].split("Output:\n", 1)[1])
