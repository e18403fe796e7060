"""docs/PLUGIN-AUTHORS.md: every command in it, as it is written, in the order in which it is written."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from domekit.daemon import Daemon
from domekit.paths import ROOT

GUIDE = (ROOT / "docs" / "PLUGIN-AUTHORS.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


def test_every_command_of_the_guide_works(daemon: Daemon, tmp_path: Path) -> None:
    script = "set -euxo pipefail\n" + "".join(blocks("sh"))
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=daemon.environment | {"PATH": f"{daemon.bin}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" 0 failed") >= 4
    answers = [line for line in done.stdout.splitlines() if line.startswith('{"')]
    assert answers == [
        '{"greeting":"Hello, world!"}',
        '{"greeting":"Hello, Ada!"}',
        '{"counted":3}',
        '{"greeting":"Good morning, world!"}',
        '{"greeting":"Hello, world!"}',
        '{"result":1}',
    ]


def test_it_names_every_language_and_extension() -> None:
    for template in (ROOT / "Templates").glob("*/Makefile"):
        assert f"| `{template.parent.name}` |" in GUIDE
    for header in (ROOT / "Sources" / "PluginABI" / "include" / "dome" / "ext").glob("*.h"):
        assert f"| `ext/{header.name}` |" in GUIDE


def test_nothing_else_in_it_looks_like_a_command_that_nobody_runs() -> None:
    fences = re.findall(r"^```(\w*)$", GUIDE, re.MULTILINE)
    assert set(fences) <= {"sh", "json", ""}
