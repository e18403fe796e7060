"""What the daemon counts, as Prometheus reads it, and the trace context that a job carries on."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable

import pytest

from domekit.cluster import until
from domekit.daemon import Daemon, pb2
from domekit.gates import Gate
from domekit.paths import ROOT

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Scrape(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(self.path)


def scrape(daemon: Daemon, target: str = "/metrics", method: str = "GET") -> tuple[int, str]:
    connection = Scrape(str(daemon.socket.with_name("domed-metrics.sock")))
    connection.request(method, target)
    reply = connection.getresponse()
    return reply.status, reply.read().decode()


def samples(text: str) -> dict[str, float]:
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line[0] != "#"}


def test_jobs_are_counted_by_tool_and_outcome_with_their_durations(daemon: Daemon) -> None:
    jobs = daemon.jobs
    for _ in range(3):
        jobs.run("shell.run", {"argv": ["/bin/true"]})
    jobs.run("shell.run", {"script": "exit 3"})
    jobs.run("job.noop")
    assert not jobs.submit("no.such.tool", wait_ms=0).status.ok
    with Gate(daemon.directory / "gates") as gate:
        job = jobs.start("shell.run", {"script": f"echo up; {gate.wait}"}, grants=gate.grants)
        follower = jobs.follow(job)
        next(one for one in follower if one.line == b"up")
        found = samples(scrape(daemon)[1])
        assert found['dome_jobs{state="running"}'] == 1 and found["dome_followers"] == 1
        assert found["dome_keeper_jobs"] >= 1 and found["dome_keepers"] == 1
    list(follower)
    found = samples(scrape(daemon)[1])
    assert found['dome_jobs{state="running"}'] == 0
    assert found['dome_jobs_submitted_total{tool="shell.run"}'] == 5
    assert found['dome_jobs_ended_total{tool="shell.run",outcome="exited"}'] == 5
    assert found['dome_submissions_refused_total{code="E_NOT_FOUND"}'] == 1
    assert found["dome_job_seconds_count"] == found['dome_job_seconds_bucket{le="+Inf"}'] == 6
    assert found["dome_job_run_seconds_sum"] > 0 and found["dome_admission_seconds_count"] == 6
    assert found['dome_plugins{state="ready"}'] >= 5 and found["process_resident_memory_bytes"] > 1 << 20


def test_a_job_that_waits_is_counted_as_such_and_a_keeper_that_is_lost(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    daemon.write_config({"max_running_jobs": 1})
    daemon.start()
    jobs = daemon.jobs
    with Gate(daemon.directory / "gates") as gate:
        first = jobs.follow(jobs.start("shell.run", {"script": f"echo up; {gate.wait}"}, grants=gate.grants))
        next(one for one in first if one.line == b"up")
        second = jobs.start("shell.run", {"argv": ["/bin/true"]})
        found = samples(scrape(daemon)[1])
        assert (found['dome_jobs{state="running"}'], found['dome_jobs{state="queued"}']) == (1, 1)
        assert found["dome_job_places"] == 1
        gate.open()
        list(first)
    list(jobs.follow(second))
    found = samples(scrape(daemon)[1])
    assert found["dome_job_wait_seconds_count"] == found["dome_job_run_seconds_count"] == 2
    whole, waited, ran = (found[f"dome_job{name}_seconds_sum"] for name in ("", "_wait", "_run"))
    assert 0 < waited < whole and abs(whole - waited - ran) < 1e-6
    assert found["dome_keepers_lost_total"] == 0 and found["dome_journal_bytes_total"] > 0
    lost = jobs.follow(jobs.start("shell.run", {"script": "echo up; sleep 1000"}))
    next(one for one in lost if one.line == b"up")
    [keeper] = daemon.stub().GetStatus(pb2.GetStatusRequest(), timeout=30).keepers
    os.kill(keeper.pid, signal.SIGKILL)
    reason = list(lost)[-1].payload["reason"]
    assert reason != "exited"
    found = samples(scrape(daemon)[1])
    assert found["dome_keepers_lost_total"] == 1
    assert found[f'dome_jobs_ended_total{{tool="shell.run",outcome="{reason}"}}'] == 1


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed (make deps)")
def test_prometheus_own_checker_finds_nothing_wrong(daemon: Daemon) -> None:
    daemon.jobs.run("shell.run", {"argv": ["/bin/true"]})
    text = scrape(daemon)[1]
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0 and done.stdout + done.stderr == "", done.stdout + done.stderr


def test_whatever_else_is_asked_is_refused_and_nobody_is_kept(daemon: Daemon) -> None:
    daemon.jobs.run("job.noop")
    assert scrape(daemon, "/")[0] == 404 and scrape(daemon, "/metrics", "POST")[0] == 405
    path = str(daemon.socket.with_name("domed-metrics.sock"))
    for bytes_sent in (b"nonsense\r\n\r\n", b"\x16\x03\x01" * 100 + b"\r\n\r\n", b"GET " + b"x" * 20_000):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(20)
            client.connect(path)
            # One that sends too much is cut off, and may be told so by a reset.
            with contextlib.suppress(ConnectionError):
                client.sendall(bytes_sent)
                reply = b"".join(iter(lambda: client.recv(4096), b""))
                assert reply == b"" or reply.startswith(b"HTTP/1.1 400 ")
    # More of them than are served at once, none of which says anything.
    idle = [socket.socket(socket.AF_UNIX) for _ in range(40)]
    for client in idle:
        client.connect(path)
    for client in idle:
        client.close()
    deadline = time.monotonic() + 20
    while True:
        try:
            assert scrape(daemon)[0] == 200
            break
        except (http.client.HTTPException, OSError):
            assert time.monotonic() < deadline
    assert daemon.jobs.run("job.noop")[-1].payload["to"] == "succeeded"


def test_a_port_of_the_loopback_serves_them_if_wished_and_no_other_address(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    daemon.write_config({"metrics_address": "0.0.0.0:0"})
    assert "metrics_address" in daemon.refuses_to_start()
    daemon.write_config({"metrics_address": "127.0.0.1:0"})
    daemon.start()
    daemon.jobs.run("job.noop")
    line = next(one for one in daemon.log().splitlines() if "metrics.listening" in one and "port=" in one)
    port = int(line.split("port=")[1].split()[0])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/metrics")
    assert "dome_build_info" in connection.getresponse().read().decode()


def test_without_them_there_is_no_socket(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    daemon.write_config({"metrics": False})
    daemon.start()
    daemon.jobs.run("job.noop")
    assert not daemon.socket.with_name("domed-metrics.sock").exists()


def test_how_far_the_audit_log_lags_is_told_while_it_cannot_be_signed(daemon: Daemon) -> None:
    def audit() -> dict[str, float]:
        found = samples(scrape(daemon)[1])
        return {name: value for name, value in found.items() if name.startswith("dome_audit_")}

    daemon.jobs.run("job.noop")
    until(lambda: audit()["dome_audit_unsigned_events"] == 0, "all is signed")
    before = audit()
    assert before["dome_audit_events"] >= 2 and before["dome_audit_lag_seconds"] == 0
    anchor = daemon.state / "audit-anchor"
    kept = anchor.rename(anchor.with_name("anchor.kept"))
    anchor.mkdir()
    daemon.jobs.run("job.noop")
    until(lambda: "is not being signed" in daemon.dome("status").stdout, "signing has failed")
    found = audit()
    assert found["dome_audit_unsigned_events"] == 2 == found["dome_audit_events"] - before["dome_audit_events"]
    assert 0 < found["dome_audit_lag_seconds"] < audit()["dome_audit_lag_seconds"]
    assert found["dome_audit_waiting_events"] == 0
    anchor.rmdir()
    kept.rename(anchor)
    until(lambda: audit()["dome_audit_unsigned_events"] == 0, "it has been tried again")
    assert audit()["dome_audit_lag_seconds"] == 0


def test_the_dashboard_asks_for_nothing_that_is_not_counted(shared_daemon: Daemon) -> None:
    shared_daemon.jobs.run("job.noop")
    counted = {line.split()[2] for line in scrape(shared_daemon)[1].splitlines() if line.startswith("# TYPE ")}
    dashboard = json.loads((ROOT / "ops" / "grafana" / "dome.json").read_text())
    asked = {
        name.removesuffix("_bucket")
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r"(?:dome|process)_\w+", target["expr"])
    }
    assert asked and asked <= counted, asked - counted


def submit(daemon: Daemon, trace: str, **fields: str) -> tuple[str, dict[str, object]]:
    """The job's TRACEPARENT, and what its provenance says of it."""
    request = daemon.jobs.request("shell.run", {"script": 'echo "${TRACEPARENT-none}"'}, wait_ms=20_000)
    for name, value in fields.items():
        setattr(request, name, value)
    reply = daemon.stub().SkillExecute(request, timeout=30, metadata=[("traceparent", trace)] if trace else [])
    assert reply.status.ok, reply.status
    [line] = [one.line for one in daemon.jobs.follow(reply.job_id) if one.type == "LOG"]
    shown = json.loads(daemon.dome("job", "show", reply.job_id, "-o", "json").stdout)
    return (line or b"").decode(), shown


def test_a_callers_trace_context_reaches_the_job_and_its_record(daemon: Daemon) -> None:
    line, shown = submit(daemon, TRACE)
    assert line == TRACE and TRACE in json.dumps(shown)
    # From a client that has no metadata, such as the bridge of AI clients.
    other = TRACE.replace("4bf9", "aaaa")
    assert submit(daemon, "", caller_json=json.dumps({"traceparent": other}))[0] == other


@pytest.mark.parametrize(
    "trace", ["", "nonsense", TRACE.upper(), "ff" + TRACE[2:], TRACE[:3] + "0" * 32 + TRACE[35:], TRACE + "-00"]
)
def test_what_is_no_trace_context_is_as_if_nothing_came(shared_daemon: Daemon, trace: str) -> None:
    line, shown = submit(shared_daemon, trace)
    assert line == "none" and '"traceparent"' not in json.dumps(shown)
