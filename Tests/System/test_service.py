"""dome as a service: the cases of service_cases.py and service_limit_cases.py, in throw-away machines with systemd as
their first process. Limits that this kernel's control groups cannot enforce are tried in User-Mode Linux."""

from __future__ import annotations

import os
import re
import sys

import pytest

from domekit import machine
from domekit.cgroups import has_controllers
from domekit.paths import ROOT, bin_dir


def run_cases(name: str, count: int, *, in_uml: bool = False) -> None:
    """All `count` cases of that file must pass."""
    if reason := machine.obstacle(in_uml=in_uml):
        pytest.skip(reason)
    variables = [f"DOME_BIN_DIR={bin_dir()}", "PYTHONDONTWRITEBYTECODE=1"] + (["DOME_IN_UML=1"] if in_uml else [])
    variables += [f"{name}={os.environ[name]}" for name in ("CI", "DOME_SOAK") if name in os.environ]
    status, output = machine.run(
        [
            "env", *variables, sys.executable, "-m", "pytest", "-c", "Tests/pytest.ini", "--rootdir", ".",
            "-o", "python_files=*_cases.py", "--durations=5", "-q", f"Tests/System/{name}",
        ],
        in_uml=in_uml,
    )  # fmt: skip
    assert status == 0, output
    assert re.search(rf"^{count} passed, 0 failed$", output, re.MULTILINE), output
    assert "skipped" not in output, output


@pytest.mark.timeout(300)
def test_dome_is_a_service_that_can_be_restarted_under_its_jobs() -> None:
    run_cases("service_cases.py", 8)


@pytest.mark.timeout(300)
def test_its_jobs_are_limited_in_the_group_that_the_service_manager_delegates() -> None:
    run_cases("service_limit_cases.py", 5, in_uml=not has_controllers("memory", "pids", "cpu"))
