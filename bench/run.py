#!/usr/bin/env python3
"""`make bench`: everything side by side in one run; prints a table and writes build/bench.json.

    bench/run.py [--quick] [--base DIR]
                 [--only jobs,events,latency,unary,start,memory,command,disk,jail,sleepers,plugins,mcp,audit,schema,
                         registry,service,cost]

The daemon is the release build with a state directory of its own under --base (default /var/tmp, which is a
disk; the disk's fdatasync is in the table). Targets are printed beside the figures; missing one does not fail
the run, a measurement that could not be made does.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Tests" / "Support"))

import measure_audit as audit  # noqa: E402
import measure_cost as cost  # noqa: E402
import measure_jail as jail  # noqa: E402
import measure_load as load  # noqa: E402
import measure_mcp as mcp_bridge  # noqa: E402
import measure_plugins as plugin  # noqa: E402
import measure_processes as process  # noqa: E402
import measure_registry as registry  # noqa: E402
import measure_schema as schema  # noqa: E402
import measure_service as service  # noqa: E402
import samples  # noqa: E402
from domekit.daemon import Daemon  # noqa: E402
from world import World  # noqa: E402


def machine() -> dict[str, Any]:
    models = [line.split(":", 1)[1] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    return {
        "cpu": models[0].strip() if models else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "user": "root" if os.geteuid() == 0 else "ordinary user",
        "commit": commit,
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def measurements(world: World) -> dict[str, Any]:
    """Name → what to measure, in the order in which it is done."""
    return {
        "disk": lambda: process.disk_section(world),
        "memory": lambda: process.memory_section(world, "idle after start", 20),
        "command": lambda: process.command_section(world),
        "jobs": lambda: load.job_section(world, 1, 500),
        "jobs-4": lambda: load.job_section(world, 4, 1000),
        "jobs-32": lambda: load.job_section(world, 32, 2000),
        "jail": lambda: jail.alone_section(world, 1, 500),
        "jail-4": lambda: jail.alone_section(world, 4, 1000),
        "sleepers": lambda: jail.crowd_section(world),
        "plugins": lambda: plugin.job_section(world, 500),
        "plugins-prepare": lambda: plugin.prepare_section(world, 5000),
        "plugins-look": lambda: plugin.look_section(world),
        "mcp": lambda: mcp_bridge.section(world, 500),
        "audit": lambda: audit.section(world),
        "schema": lambda: schema.section(world, 300),
        "registry": lambda: registry.section(world),
        "service": lambda: service.section(world),
        "latency": lambda: load.latency_section(world),
        "events": lambda: load.event_section(world),
        "unary": lambda: load.unary_section(world),
        "memory-after": lambda: process.memory_section(world, "after all of the above", None),
        "start": lambda: process.start_section(world),
        "cost": lambda: cost.section(world, 1200),
    }


# What takes long to build for, and is only measured when it is named.
RARE = {"cost"}


def measured(world: World, only: set[str]) -> list[samples.Section]:
    sections = []
    for name, action in measurements(world).items():
        if name not in only and (name in RARE or only and name.split("-")[0] not in only):
            continue
        print(f"measuring {name}…", file=sys.stderr, flush=True)
        sections.append(action())
        print(samples.table(sections[-1:]), flush=True)
    return sections


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the samples")
    parser.add_argument("--only", default="", help="comma-separated measurements")
    parser.add_argument("--base", default="/var/tmp", help="where the state directory is made")
    parser.add_argument("--client", type=Path, default=ROOT / "build/bench/client")
    parser.add_argument("--json", type=Path, default=ROOT / "build/bench.json")
    options = parser.parse_args()

    about = machine()
    print("  ".join(f"{name}: {value}" for name, value in about.items()))
    daemon = Daemon(base=options.base)
    try:
        daemon.start()
        world = World(daemon, options.client, scale=0.1 if options.quick else 1.0)
        time.sleep(1)  # idle means idle
        sections = measured(world, {name for name in options.only.split(",") if name})
    finally:
        daemon.close()
    rows = [row for section in sections for row in section.rows]
    report = {
        "machine": about,
        "sections": [{"title": one.title, "rows": [row.json() for row in one.rows]} for one in sections],
    }
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(report, indent=2) + "\n")
    missed = sum(row.met is False for row in rows)
    failed = sum(bool(row.error) for row in rows)
    print(f"\n{len(rows)} rows, {missed} targets missed, {failed} not measured; also in {options.json}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
