"""What is measured of domed as a service: a restart under its jobs, and a scrape of its metrics."""

from __future__ import annotations

import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor

from domekit.daemon import Daemon
from measure_processes import time_start
from samples import Row, Section
from world import ROUNDS, BenchError, World, guarded

RECORDED = 1_000
RUNNING = 50
SLEEPER = {"argv": ["/bin/sleep", "1000"]}


def section(world: World) -> Section:
    section = Section(f"As a service: {RECORDED:,} recorded jobs, {RUNNING} running")
    restart = section.row("restart, SIGTERM to ready", "ms", target=("p50 <=", 300))
    ready = section.row("of that, start to ready", "ms", note="until it answers HTTP/2 on its socket")
    known = section.row("start to a job's state", "ms", note="until GetJobStatus says that the first of them runs")
    scrape = section.row("scrape of the metrics", "ms", target=("p50 <=", 5))
    daemon = Daemon(base=os.fspath(world.daemon.directory.parent))
    try:
        guarded(restart, lambda: restarts(world, daemon, restart, ready, known))
        guarded(scrape, lambda: scrapes(world, daemon, scrape))
    finally:
        daemon.close()
    return section


def populate(daemon: Daemon) -> str:
    """Records the jobs and leaves the others running; one of these."""
    daemon.write_config({"max_running_jobs": RUNNING + 10})
    daemon.start()
    jobs = daemon.jobs
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: jobs.submit("job.noop", {}, wait_ms=20_000), range(RECORDED)))
    running = [jobs.start("shell.run", SLEEPER) for _ in range(RUNNING)]
    for job in running:
        deadline = time.monotonic() + 60
        while not is_running(daemon, job):
            if time.monotonic() > deadline:
                raise BenchError(f"{job} does not run")
            time.sleep(0.01)
    return running[0]


def is_running(daemon: Daemon, job: str) -> bool:
    return daemon.jobs.status(job).state == 2  # JOB_STATE_RUNNING


def restarts(world: World, daemon: Daemon, restart: Row, ready: Row, known: Row) -> None:
    job = populate(daemon)
    for _ in range(world.count(10)):
        before = time.perf_counter()
        daemon.stop()
        started = time.perf_counter()
        ready.samples.append(time_start(daemon))
        restart.samples.append((time.perf_counter() - before) * 1000)
        if not is_running(daemon, job):
            raise BenchError(f"{job} does not run any more")
        known.samples.append((time.perf_counter() - started) * 1000)


def scrapes(world: World, daemon: Daemon, row: Row) -> None:
    path = os.fspath(daemon.socket.with_name("domed-metrics.sock"))
    for _ in range(world.count(500) // ROUNDS * ROUNDS):
        start = time.perf_counter()
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(path)
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
            reply = b"".join(iter(lambda: client.recv(1 << 16), b""))
        row.samples.append((time.perf_counter() - start) * 1000)
        if not reply.startswith(b"HTTP/1.1 200 ") or b"dome_build_info" not in reply:
            raise BenchError("the metrics were not answered")
