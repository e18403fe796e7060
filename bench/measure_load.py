"""What is measured of jobs, events and calls: each takes the world of one run and returns a section."""

from __future__ import annotations

import os
import statistics
import subprocess

from samples import Row, Section
from world import ROUNDS, BenchError, World, guarded

# The baseline of issue and README, verbatim: the least that isolates a command.
BWRAP = (
    "bwrap --unshare-all --die-with-parent --ro-bind /usr /usr --symlink usr/lib /lib --symlink usr/lib64 /lib64"
    " --symlink usr/bin /bin --proc /proc --dev /dev --tmpfs /tmp /bin/true"
).split()


# Jobs


def job_section(world: World, concurrency: int, usual: int) -> Section:
    section = Section(f"A job of /bin/true, submit to terminal event, {concurrency} at once")
    bwrap = section.row("bwrap, bare", "us")
    spooler = section.row("task-spooler", "us", baseline=bwrap.name)
    followed = section.row("dome: submit, follow to the end", "us", baseline=bwrap.name)
    waited = section.row("dome: submit and wait (wait_ms)", "us", baseline=bwrap.name)
    own_followed = section.row("the same, our own client", "us", baseline=bwrap.name, note="submit, follow to the end")
    own_waited = section.row("and with wait_ms", "us", baseline=bwrap.name, note="our own client")
    target = ("ratio <=", 0.6) if concurrency == 1 else ("rate >=", 300)
    followed.target = waited.target = own_followed.target = own_waited.target = target
    share = world.count(usual) // ROUNDS
    spool = {
        "TS_SOCKET": str(world.daemon.directory / f"tsp-{concurrency}.sock"),
        "TS_SLOTS": str(concurrency),
        "TMPDIR": str(world.daemon.directory),
    }
    # The first tsp starts the server, and several at once race for it.
    subprocess.run(["tsp", "-S", str(concurrency)], env=os.environ | spool, capture_output=True, check=False)
    runs = {
        bwrap.name: lambda: world.run("spawn", *BWRAP, concurrency=concurrency, count=share),
        spooler.name: lambda: world.run(
            "spawn", "tsp", "-f", "/bin/true", concurrency=concurrency, count=share, environment=spool
        ),
        followed.name: lambda: world.run("jobs", "/bin/true", concurrency=concurrency, count=share),
        waited.name: lambda: world.run("jobs", "/bin/true", concurrency=concurrency, count=share, wait=1),
        own_followed.name: lambda: world.run(
            "jobs", "/bin/true", client=world.own_client, concurrency=concurrency, count=share
        ),
        own_waited.name: lambda: world.run(
            "jobs", "/bin/true", client=world.own_client, concurrency=concurrency, count=share, wait=1
        ),
    }
    seconds = dict.fromkeys(runs, 0.0)

    def once(row: Row) -> None:
        found = runs[row.name]()
        row.samples += found["latency"]
        seconds[row.name] += found["seconds"]
        row.per_second = len(row.samples) / seconds[row.name]

    for _ in range(ROUNDS):
        for row in section.rows:
            guarded(row, lambda row=row: once(row))
    subprocess.run(["tsp", "-K"], env=os.environ | spool, capture_output=True, check=False)
    section.compare()
    return section


# Events


def event_section(world: World) -> Section:
    section = Section("Events of a flooding job (seq), per follower")
    lines = world.count(1_000_000)
    for name, followers, replay in (
        ("one follower, live", 1, 0),
        ("eight followers, live", 8, 0),
        ("one reader, afterwards", 1, 1),
    ):
        row = section.row(name, "events/s", target=("p50 >=", 500_000) if name == "one follower, live" else None)
        guarded(row, lambda row=row, f=followers, r=replay: flood(world, row, lines, f, r))
    own = section.row("dome logs, afterwards", "events/s", note="whole command, output to /dev/null")
    guarded(own, lambda: command_line_flood(world, own, lines))
    return section


def flood(world: World, row: Row, lines: int, followers: int, replay: int) -> None:
    guards = 0.0
    for _ in range(3):
        found = world.run("flood", "/usr/bin/seq", "1", str(lines), followers=followers, replay=replay)
        row.samples += found["rate"]
        guards += sum(found["guards"])
        row.n += int(sum(found["events"]))
        row.per_second = sum(found["events"]) / found["seconds"]
    row.note = "C++ client; per s: all followers, submit included" if not replay else "C++ client"
    if guards:
        row.note += "; output was truncated"


def command_line_flood(world: World, row: Row, lines: int) -> None:
    jobs = world.daemon.jobs
    job = jobs.start("shell.run", {"argv": ["/usr/bin/seq", "1", str(lines)]})
    events = sum(1 for _ in jobs.stream(job, timeout=300))
    for _ in range(3):
        found = world.run("spawn", str(world.daemon.bin / "dome"), "logs", job, count=1)
        row.samples.append(events / (found["latency"][0] / 1e6))
        row.n += events


def latency_section(world: World) -> Section:
    section = Section("Follow latency, write() in the jailed child to receipt")
    row = section.row("one line each 5 ms", "us", target=("p50 <=", 1000), note="bash's clock, its own µs included")
    count = world.count(600)
    script = f"export LC_ALL=C; for ((i = 0; i < {count}; i++)); do echo $EPOCHREALTIME; sleep 0.005; done"
    guarded(row, lambda: row.samples.extend(world.run("latency", "/bin/bash", "-c", script)["latency"]))
    return section


# Calls


def unary_section(world: World) -> Section:
    section = Section("Unary calls (Health), one connection, 32 in flight")
    # The C++ client spends 15 us of its one core on a call, so it is the limit; h2load is not.
    load = section.row("h2load", "us", target=("rate >=", 100_000), note="HTTP/2 load generator, median of 3 runs")
    cpp = section.row("C++ gRPC client", "us", note="client-bound")

    def with_cpp() -> None:
        found = world.run("unary", in_flight=32, seconds=max(1, int(3 * world.scale)))
        cpp.samples = found["latency"]
        cpp.per_second = len(cpp.samples) / found["seconds"]

    guarded(cpp, with_cpp)
    guarded(load, lambda: h2load(world, load, world.count(300_000)))
    return section


def h2load(world: World, row: Row, count: int) -> None:
    body = world.daemon.directory / "empty-message"
    body.write_bytes(bytes(5))  # gRPC's frame of an empty message
    command = ["h2load", "-n", str(count), "-c", "1", "-m", "32", "-t", "1", "-d", str(body)]
    command += ["-H", "content-type: application/grpc", "-H", "te: trailers"]
    command += [f"--base-uri=unix:{world.daemon.socket}", "http://localhost/domed.v1.DomedService/Health"]
    rates = []
    for _ in range(3):
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        lines = done.stdout.splitlines()
        finished = next((line for line in lines if line.startswith("finished in")), "")
        if f"{count} 2xx" not in done.stdout or not finished:
            raise BenchError(f"h2load: {' / '.join(lines[-8:])[:200] or done.stderr[-200:]}")
        rates.append(float(finished.split(",")[1].split()[0]))
    row.per_second = statistics.median(rates)
    row.n = 3 * count
