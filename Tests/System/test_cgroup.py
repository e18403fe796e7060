"""Control groups: the cases of cgroup_cases.py, each as root and as an ordinary user, and of service_limit_cases.py,
where a service manager delegates them. All in a throw-away machine; where version 2 of control groups lacks a
controller they need (it belongs to version 1, or this is a container), in one with a kernel of its own, User-Mode
Linux."""

from __future__ import annotations

import pytest

from domekit import machine
from domekit.cgroups import has_controllers


@pytest.mark.timeout(600)
def test_jobs_are_contained_by_the_control_groups_that_are_delegated() -> None:
    in_uml = not has_controllers("memory", "pids", "cpu")
    if reason := machine.obstacle(in_uml=in_uml):
        pytest.skip(("no control groups with memory, pids and cpu here, and " if in_uml else "") + reason)
    machine.run_cases({"cgroup_cases.py": 13, "service_limit_cases.py": 5}, in_uml=in_uml)
