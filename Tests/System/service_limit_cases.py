"""Limits of jobs under a real service manager, where it delegates the controllers to the keeper's unit. Collected by
test_cgroup.py, in a machine whose kernel has them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from domekit.jobs import assert_complete
from domekit.limits import CPU_PERCENT, MEMORY_BYTES, PROCESSES, guards, record, write_limited_tools
from domekit.service import Service


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    service = Service()
    write_limited_tools(service)
    service.own()
    service.systemctl("enable", "--now", "--quiet", "domed.socket")
    yield service
    service.close()


def test_jobs_have_leaves_of_their_own_in_the_keepers_unit(service: Service) -> None:
    groups = []
    for _ in range(3):
        events = service.jobs.run("t.own", {})
        groups += [one.line.decode() for one in events if one.line is not None]
    [unit] = service.keepers()
    assert len(set(groups)) == 3 and all(f"/{unit}/dome-keeper-" in one for one in groups), (unit, groups)
    enforcement, resources = record(service, events)
    assert "cgroup" in enforcement["layers"] and "memory_bytes" not in enforcement["per_process_limits"]
    assert resources["peak_memory_of"] == "job" and 0 < resources["peak_memory_bytes"] < MEMORY_BYTES


def test_a_memory_bomb_ends_itself_alone(service: Service) -> None:
    before = (service.pid(), service.keepers())
    events = service.jobs.run("t.memory", {}, timeout=60)
    guard = guards(events)["memory_bytes"]
    assert guard["value"] == MEMORY_BYTES and 60 << 20 < guard["used"] <= MEMORY_BYTES
    assert record(service, events)[1]["peak_memory_bytes"] == guard["used"]
    assert (service.pid(), service.keepers()) == before


def test_a_fork_bomb_stays_within_its_processes(service: Service) -> None:
    assert guards(service.jobs.run("t.forks", {}, timeout=60))["pids"]["value"] == PROCESSES


def test_a_share_of_a_processor_is_enforced(service: Service) -> None:
    assert guards(service.jobs.run("t.spin", {}, timeout=60))["cpu_percent"]["value"] == CPU_PERCENT


def test_a_limit_still_bites_after_a_restart_of_domed(service: Service) -> None:
    job = service.jobs.start("t.forks", {})
    service.systemctl("restart", "domed.service")
    events = list(service.jobs.follow(job))
    assert_complete(events)
    assert guards(events)["pids"]["value"] == PROCESSES
