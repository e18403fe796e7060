"""What is measured of the jail: alone against bwrap with the same protections, and a thousand jobs that sleep."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from pathlib import Path
from typing import Any

from domekit import processes
from domekit.daemon import Daemon
from measure_processes import resident_megabytes
from samples import Row, Section
from world import ROUNDS, BenchError, World, guarded

# What a job of ours sees of /etc (Sources/Host/CJail/root.c).
ETC_FOLDERS = ("alternatives", "ssl/certs")
ETC_FILES = (
    "ld.so.cache", "ld.so.conf", "nsswitch.conf", "localtime", "timezone", "os-release", "host.conf", "gai.conf",
    "protocols", "services", "mime.types", "ssl/openssl.cnf",
)  # fmt: skip

SLEEPERS = 1000
SOFT_DESCRIPTORS = 1024


def bwrap_command() -> list[str]:
    """/bin/true in bwrap behind what a job of ours is behind: curated mounts of the same sizes, all namespaces, no
    capabilities, a session of its own, and our own system call filter on descriptor 3."""
    command = ["bwrap", "--unshare-all", "--unshare-user", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    if os.geteuid() == 0:
        command += ["--uid", "65534", "--gid", "65534"]
    command += ["--clearenv", "--setenv", "PATH", "/usr/bin:/bin", "--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib64"):
        if Path("/", name).is_symlink():
            command += ["--symlink", os.readlink(f"/{name}"), f"/{name}"]
        else:
            command += ["--ro-bind-try", f"/{name}", f"/{name}"]
    for name in (*ETC_FOLDERS, *ETC_FILES):
        command += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    command += ["--proc", "/proc", "--dev", "/dev"]
    for path, megabytes in (("/dev/shm", 64), ("/tmp", 256), ("/job", 256)):
        command += ["--size", str(megabytes << 20), "--tmpfs", path]
    return [*command, "--remount-ro", "/", "--chdir", "/job", "--seccomp", "3", "/bin/true"]


def alone_section(world: World, concurrency: int, usual: int) -> Section:
    """Job start to exit in the inner server, without domed."""
    section = Section(f"The jail alone around /bin/true, start to exit, {concurrency} at once")
    bwrap = section.row("bwrap, same protections", "us")
    ours = section.row("dome's inner server", "us", baseline=bwrap.name)
    if concurrency == 1:
        ours.target = ("ratio <=", 0.35)
    driver = world.daemon.bin / "bench-jail"
    program = world.daemon.directory / "filter.bpf"
    share = world.count(usual) // ROUNDS
    seconds = {bwrap.name: 0.0, ours.name: 0.0}

    def once(row: Row, found: dict[str, Any]) -> float:
        row.samples += found["latency"]
        seconds[row.name] += found["seconds"]
        row.per_second = len(row.samples) / seconds[row.name]
        return float(len(found["latency"]) / found["seconds"])

    rates: dict[str, list[float]] = {bwrap.name: [], ours.name: []}

    def with_bwrap() -> None:
        found = world.run("spawn", *bwrap_command(), concurrency=concurrency, count=share, file=program)
        rates[bwrap.name].append(once(bwrap, found))

    def with_ours() -> None:
        found = world.run("jobs", "/bin/true", client=driver, concurrency=concurrency, count=share)
        rates[ours.name].append(once(ours, found))

    guarded(bwrap, lambda: subprocess.run([driver, "filter", program], check=True, timeout=60) and None)
    for _ in range(ROUNDS):
        guarded(bwrap, with_bwrap)
        guarded(ours, with_ours)
    section.compare()
    if concurrency > 1 and not bwrap.error and not ours.error:
        # Round by round, so that a machine that gets slower meanwhile does so for both.
        times = [one / other for one, other in zip(rates[ours.name], rates[bwrap.name], strict=True)]
        section.row("jobs/s, times bwrap's", "x", samples=times, target=("p50 >=", 3))
    return section


def proportional_megabytes(pids: list[int]) -> float:
    """Memory of these processes, shared pages divided among those that share them."""
    total = 0
    for pid in pids:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        total += next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total / 1024


def programs(daemon: Daemon) -> dict[str, list[int]]:
    """The daemon's processes by what they execute."""
    found: dict[str, list[int]] = {}
    for pid in processes.belonging_to(daemon.directory):
        try:
            name = Path(f"/proc/{pid}/comm").read_text().strip()
        except OSError:  # gone meanwhile
            continue
        found.setdefault(name, []).append(pid)
    return found


def fall_asleep(daemon: Daemon, count: int) -> None:
    """Starts `count` jobs that sleep and waits until all of them do."""
    for _ in range(count):
        daemon.jobs.start("shell.run", {"argv": ["/bin/sleep", "1000"]})
    deadline = time.monotonic() + 60
    while len(programs(daemon).get("sleep", [])) < count:
        if time.monotonic() > deadline:
            raise BenchError(f"not all of {count} jobs run after a minute")
        time.sleep(0.2)


def crowd_section(world: World) -> Section:
    """Many jobs at once that do nothing: what they cost, and what they cost the next one."""
    count = world.count(SLEEPERS)
    section = Section(f"{count:,} sleeping jobs, soft limit of {SOFT_DESCRIPTORS} descriptors")
    jails = section.row("keeper, inner servers and inits", "MB PSS", target=("p50 <=", 64))
    domed = section.row("domed", "MB RSS", target=("p50 <=", 60))
    idle = section.row("a job of /bin/true, idle daemon", "us")
    busy = section.row("a job of /bin/true beside them", "us", baseline=idle.name, target=("ratio <=", 2))
    crowded = Daemon(base=os.fspath(world.daemon.directory.parent))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    def measure() -> None:
        crowded.write_config({"max_running_jobs": count + 16})
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, SOFT_DESCRIPTORS), hard))
        try:
            crowded.start()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        fall_asleep(crowded, count)
        other = World(crowded, world.client, world.scale)
        share = world.count(200) // ROUNDS
        for _ in range(ROUNDS):
            idle.samples += world.run("jobs", "/bin/true", count=share)["latency"]
            busy.samples += other.run("jobs", "/bin/true", count=share)["latency"]
            found = programs(crowded)
            try:
                jails.samples.append(proportional_megabytes(found["domed-keeper"] + found["domed-jail"]))
            except PermissionError:
                jails.note = "only root sees the memory of a job's init"
            domed.samples.append(sum(resident_megabytes(pid) for pid in found["domed"]))
        section.compare()

    try:
        guarded(jails, measure)
    finally:
        crowded.close()
    return section
