"""What audit and provenance add to a job: the programs as they are beside the same ones without either, built for it in
build/without-audit (without_audit.toml). `make bench-audit`; the first build takes as long as that of the project.
"""

from __future__ import annotations

import subprocess

from domekit.daemon import Daemon
from domekit.mutants import Tree, changes
from domekit.paths import ROOT
from samples import Row, Section
from world import BenchError, World, guarded

# More of them, and shorter, than elsewhere: the two sides differ by less than a machine does from second to second.
ROUNDS = 12
# Nine tenths of the jobs/s are this much more time for each.
NINE_TENTHS = 1 / 0.9


def section(world: World, usual: int) -> Section:
    made = Section("What audit and provenance add to a job of /bin/true")
    other = without()
    try:
        other.daemon.start()
        ways = (
            ("submit, follow to the end", {"concurrency": 1}, 1.15),
            ("submit and wait (wait_ms)", {"concurrency": 1, "wait": 1}, 1.15),
            ("time a job, 4 at once", {"concurrency": 4}, NINE_TENTHS),
        )
        measured = []
        for name, options, most in ways:
            base = made.row(f"without: {name}", "us", note="our own client")
            full = made.row(name, "us", baseline=base.name, target=("ratio <=", most))
            measured.append((options, ((other, base), (world, full))))
        for number in range(ROUNDS):
            for options, sides in measured:
                for side, row in sides if number % 2 else reversed(sides):
                    guarded(row, lambda s=side, r=row, o=options: once(s, r, o, world.count(usual) // ROUNDS))
        made.compare()
    finally:
        other.daemon.close()
    return made


def once(world: World, row: Row, options: dict[str, int], count: int) -> None:
    found = world.run("jobs", "/bin/true", client=world.own_client, count=count, **options)
    # Several at once: what one takes says less than how many there are.
    row.samples += found["latency"] if options["concurrency"] == 1 else [found["seconds"] * 1e6 / count]
    row.n += count


def without() -> World:
    """A daemon that leaves both out, not started yet."""
    tree = Tree("without-audit")
    tree.copy(changes(ROOT / "bench" / "without_audit.toml"))
    built = subprocess.run(["make", "build"], cwd=tree.folder, capture_output=True, text=True, check=False)
    if built.returncode != 0:
        raise BenchError(f"build in {tree.folder}: {(built.stdout + built.stderr)[-2000:]}")
    binaries = (tree.folder / ".build" / "release").resolve()
    world = World(Daemon(base="/var/tmp", binaries=binaries), ROOT / "build/bench/client")
    return world
