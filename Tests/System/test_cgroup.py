"""Control groups: the cases of cgroup_cases.py, each as root and as an ordinary user. Where version 2 of control groups
lacks a controller they need (it belongs to version 1, or this is a container), they run in User-Mode Linux."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from domekit import uml
from domekit.cgroups import has_controllers
from domekit.paths import ROOT, bin_dir

CASES = 10


@pytest.mark.timeout(600)
def test_jobs_are_contained_by_the_control_groups_that_are_delegated() -> None:
    pytest_arguments = [
        "-m", "pytest", "-c", "Tests/pytest.ini", "--rootdir", ".", "-o", "python_files=*_cases.py", "-q",
        "Tests/System/cgroup_cases.py",
    ]  # fmt: skip
    if os.geteuid() == 0 and has_controllers("memory", "pids", "cpu"):
        done = subprocess.run(
            [sys.executable, *pytest_arguments], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
        )
        status, output = done.returncode, done.stdout + done.stderr
    else:
        if reason := uml.obstacle():
            pytest.skip(f"no control groups with memory, pids and cpu here, and {reason}")
        variables = [f"DOME_BIN_DIR={bin_dir()}", "DOME_IN_UML=1", "PYTHONDONTWRITEBYTECODE=1"]
        status, output = uml.run(["env", *variables, sys.executable, *pytest_arguments], timeout=500)
    assert status == 0, output
    assert re.search(rf"^{CASES} passed, 0 failed$", output, re.MULTILINE), output
    assert "skipped" not in output, output
