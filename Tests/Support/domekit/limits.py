"""Tools that run into their limits, and what a job's record says of it."""

from __future__ import annotations

import json
from typing import Any

from .jobs import Event
from .tools import write_script_tool

MEMORY_BYTES = 64 << 20
PROCESSES = 32
CPU_PERCENT = 50


def write_limited_tools(daemon: Any) -> None:
    """Puts them into the daemon's personal registry: 64 MB, 32 processes and half a processor for each."""
    limits = {"memory_bytes": MEMORY_BYTES, "pids": PROCESSES, "cpu_percent": CPU_PERCENT}
    write_script_tool(daemon, "t.own", "cat /proc/self/cgroup", limits=limits)
    write_script_tool(daemon, "t.memory", "tail /dev/zero; echo survived", limits=limits)
    write_script_tool(daemon, "t.forks", "for i in $(seq 60); do sleep 2 & done 2>&1; wait", limits=limits)
    write_script_tool(daemon, "t.spin", "i=0; while [ $i -lt 2000000 ]; do i=$((i+1)); done", limits=limits)
    write_script_tool(daemon, "t.wait", "echo up; sleep 1000", limits=limits)


def guards(events: list[Event]) -> dict[str, dict[str, Any]]:
    """The GUARD events by the limit that they name."""
    return {one.payload["limit"]: one.payload for one in events if one.type == "GUARD"}


def record(daemon: Any, events: list[Event]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What was enforced around the job, and what it used."""
    status = daemon.jobs.status(events[0].raw.job_id)
    return json.loads(status.enforcement_json), json.loads(status.resources_json)
