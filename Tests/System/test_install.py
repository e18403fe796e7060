"""`dome install` and `dome uninstall`: what is there stays, byte for byte; once is as good as twice."""

from __future__ import annotations

import json
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from domekit.daemon import Daemon

CONFIG = """# mine
model = "gpt-5.5" # keep

[projects."/src"]
trust_level = "trusted"
[mcp_servers.other]
command = "x" """


@pytest.fixture
def home(new_daemon: Callable[..., Daemon]) -> Daemon:
    """A home without a daemon."""
    return new_daemon()


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_codex_gets_a_plugin_and_keeps_its_settings(home: Daemon) -> None:
    config = home.home / ".codex" / "config.toml"
    config.parent.mkdir()
    config.write_text(CONFIG)
    config.chmod(0o640)
    before = tree(home.home), tree(home.data_home)
    dry = home.dome("install", "codex", "--dry-run")
    assert dry.returncode == 0 and '+ [plugins."dome@dome"]' in dry.stdout and "nothing was changed" in dry.stdout
    assert (tree(home.home), tree(home.data_home)) == before

    assert home.dome("install", "codex").returncode == 0
    assert config.read_text().startswith(CONFIG + "\n")
    assert stat.S_IMODE(config.stat().st_mode) == 0o640
    assert config.with_name("config.toml.before-dome").read_text() == CONFIG
    after = tree(home.home), tree(home.data_home)
    again = home.dome("install", "codex")
    assert "nothing had to be changed" in again.stdout
    assert (tree(home.home), tree(home.data_home)) == after

    server = json.loads(next(value for name, value in after[0].items() if name.endswith(".mcp.json")))
    assert server["mcpServers"]["dome"]["command"] == str(home.bin / "dome")
    assert any(name.endswith("skills/dome/SKILL.md") for name in after[0])

    assert home.dome("uninstall", "codex").returncode == 0
    left = {name: text for name, text in tree(home.home).items() if not name.endswith(".before-dome")}
    assert (left, tree(home.data_home)) == before
    assert "nothing had to be changed" in home.dome("uninstall", "codex").stdout


def test_an_empty_home_is_empty_again_after_an_uninstall(home: Daemon) -> None:
    for client in ("codex", "claude"):
        assert home.dome("install", client).returncode == 0
        assert home.dome("uninstall", client).returncode == 0
        left = {*tree(home.home), *tree(home.data_home)}
        assert all(name.endswith(".before-dome") for name in left), left


def test_an_older_plugin_is_replaced(home: Daemon) -> None:
    old = home.home / ".codex/plugins/cache/dome/dome/0.0.1"
    (old / "skills/dome").mkdir(parents=True)
    for name in (".mcp.json", "skills/dome/SKILL.md"):
        (old / name).write_text("old")
    assert home.dome("install", "codex").returncode == 0
    assert not old.exists() and len(list(old.parent.iterdir())) == 1


def test_settings_behind_a_link_are_written_where_they_are(home: Daemon) -> None:
    real = home.make_folder("dotfiles") / "codex.toml"
    real.write_text(CONFIG)
    config = home.home / ".codex" / "config.toml"
    config.parent.mkdir()
    config.symlink_to(real)
    assert home.dome("install", "codex").returncode == 0
    assert config.is_symlink() and "dome@dome" in real.read_text()


@pytest.mark.parametrize(
    ("text", "named"),
    [("[broken", "no TOML"), ("plugins = {}\n", "in another way"), ("a = \xff".encode("latin-1"), "UTF-8")],
)
def test_settings_that_cannot_be_merged_are_left_alone(home: Daemon, text: str | bytes, named: str) -> None:
    config = home.home / ".codex" / "config.toml"
    config.parent.mkdir()
    config.write_bytes(text if isinstance(text, bytes) else text.encode())
    before = tree(home.home), tree(home.data_home)
    refused = home.dome("install", "codex")
    assert refused.returncode == 65 and named in refused.stderr and "nothing was changed" in refused.stderr
    assert (tree(home.home), tree(home.data_home)) == before


def test_claude_and_projects(home: Daemon) -> None:
    project = home.directory / "project"
    project.mkdir()
    (project / ".mcp.json").write_text('{"mcpServers": {"x": {"command": "y"}}, "z": 1.0}')
    before = tree(project)
    program = str(home.bin / "dome")
    for client in ("claude", "codex"):
        subprocess.run([program, "install", client, "--project"], cwd=project, env=home.environment, check=True)
    merged = json.loads((project / ".mcp.json").read_text())
    assert merged["mcpServers"]["dome"] == {"type": "stdio", "command": program, "args": ["mcp"]}
    assert merged["mcpServers"]["x"] == {"command": "y"} and merged["z"] == 1.0
    assert "[mcp_servers.dome]" in (project / ".codex/config.toml").read_text()
    assert (project / ".claude/skills/dome/SKILL.md").exists() and (project / ".agents/skills/dome/SKILL.md").exists()
    for client in ("claude", "codex"):
        subprocess.run([program, "uninstall", client, "--project"], cwd=project, env=home.environment, check=True)
    assert {name: text for name, text in tree(project).items() if not name.endswith(".before-dome")} == before
    assert home.dome("install", "claude").returncode == 0
    assert json.loads((home.home / ".claude.json").read_text())["mcpServers"]["dome"]["command"] == program


def test_other_clients_get_a_snippet_and_slips_an_explanation(home: Daemon) -> None:
    shown = home.dome("install", "--print")
    assert '"args": [\n' in shown.stdout and str(home.bin / "dome") in shown.stdout
    for arguments, named in [(["cursor"], "--print"), ([], "codex or claude")]:
        refused = home.dome("install", *arguments)
        assert refused.returncode == 64 and named in refused.stderr
    assert not any(home.home.iterdir())


def test_the_skill_names_tools_that_are_there(home: Daemon) -> None:
    home.dome("install", "codex")
    skill = next(home.home.rglob("SKILL.md")).read_text()
    head = skill.split("---")[1]
    assert head.startswith("\nname: dome\ndescription: ") and len(head) < 1100
    for name in ("dome_search_tools", "dome_describe_tool", "dome_run", "dome_follow", "dome_job_status", "shell_run"):
        assert f"`{name}`" in skill
