"""README.md: its Python, as written."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

from domekit.daemon import Daemon

README = Path(__file__).parents[2] / "README.md"


def test_the_lines_of_python_run_as_written(daemon: Daemon) -> None:
    code = README.read_text().split("```python\n")[1].split("```")[0]
    generator = shlex.split(code.splitlines()[0].split("&&")[1])
    assert generator[:3] == ["python", "-m", "grpc_tools.protoc"], generator
    proto = [f"-I{README.parent}/proto" if one == "-Iproto" else one for one in generator[1:]]
    subprocess.run([sys.executable, *proto], cwd=daemon.directory, check=True, timeout=60)
    path = f"{daemon.bin}:{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=daemon.directory, env=daemon.environment | {"PATH": path},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    events = [line.split(" ", 1) for line in done.stdout.splitlines()]
    assert [number for number, _ in events] == ["1", "2", "3", "4"]
    assert json.loads(events[2][1])["line"].startswith("Linux ") and json.loads(events[3][1])["to"] == "succeeded"
