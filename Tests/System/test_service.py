"""dome as a service: the cases of service_cases.py and service_command_cases.py, in a throw-away machine with systemd
as its first process. Limits of jobs are in test_cgroup.py."""

from __future__ import annotations

import pytest

from domekit import machine


@pytest.mark.timeout(300)
def test_dome_is_a_service_that_can_be_restarted_under_its_jobs() -> None:
    if reason := machine.obstacle():
        pytest.skip(reason)
    machine.run_cases({"service_cases.py": 9, "service_command_cases.py": 10})
