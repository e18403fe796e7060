"""Plugins whose jobs go wrong: crashes, hangs, lies, floods. The job fails and says why; nothing else is harmed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domekit import plugins
from domekit.daemon import Daemon
from domekit.database import rows
from domekit.jobs import Jobs, state_name
from domekit.plugins import assert_unharmed
from domekit.tools import write_tool


@pytest.fixture
def alive(daemon: Daemon) -> Iterator[Daemon]:
    """A daemon of the test's own that must be unharmed afterwards."""
    yield daemon
    assert_unharmed(daemon)


def run(jobs: Jobs, action: str, **constraints: Any) -> Any:
    reply = jobs.submit(f"sample.{action}", {}, wait_ms=30_000, **constraints)
    assert reply.status.ok, reply.status.message
    return jobs.status(reply.job_id)


def test_an_execute_that_crashes_is_a_failed_job_with_the_place(alive: Daemon, jobs: Jobs) -> None:
    plugins.install(alive)
    crash = run(jobs, "crash")
    assert (state_name(crash.state), crash.signal, crash.reason) == ("FAILED", 11, "signaled")
    assert "SIGSEGV at address 0x10 in libsample.so" in crash.message
    assert state_name(run(jobs, "echo").state) == "SUCCEEDED"
    abort = run(jobs, "abort")
    assert abort.signal == 6 and "SIGABRT" in abort.message


def test_crashes_in_a_row_quarantine_a_plugin_until_it_is_let_out(alive: Daemon, jobs: Jobs) -> None:
    plugins.install(alive)
    run(jobs, "crash")
    run(jobs, "crash")
    run(jobs, "echo")
    for expected in (1, 2):
        last = run(jobs, "crash")
        sample = plugins.plugins(alive)["Sample"]
        deadline = time.monotonic() + 30
        while sample.crashes_in_a_row != expected and time.monotonic() < deadline:
            sample = plugins.plugins(alive)["Sample"]
        assert (sample.state, sample.crashes_in_a_row) == ("ready", expected)
    last = run(jobs, "crash")
    deadline = time.monotonic() + 30
    while plugins.plugins(alive)["Sample"].state == "ready" and time.monotonic() < deadline:
        pass
    sample = plugins.plugins(alive)["Sample"]
    assert (sample.state, sample.crashes, sample.crashes_in_a_row) == ("quarantined", 5, 3)
    assert sample.last_crash.job_id == last.job_id and "SIGSEGV" in sample.last_crash.reason
    assert last.job_id in sample.reason and "dome plugin enable org.example.sample" in sample.reason
    reply = jobs.submit("sample.echo", {})
    assert not reply.status.ok and reply.job_id == ""
    alive.restart()
    assert plugins.plugins(alive)["Sample"].state == "quarantined"
    plugins.settings(alive, enabled=True, enabled_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1)))
    assert plugins.plugins(alive)["Sample"].state == "ready"
    assert state_name(run(alive.jobs, "echo").state) == "SUCCEEDED"


def test_an_execute_that_exits_has_not_succeeded(alive: Daemon, jobs: Jobs) -> None:
    plugins.install(alive)
    ended = run(jobs, "exit")
    assert (state_name(ended.state), ended.reason, ended.exit_code) == ("FAILED", "plugin_failed", 0)
    assert "before its call was over" in ended.message


def test_an_execute_that_hangs_is_ended_by_its_time_limit(alive: Daemon, jobs: Jobs) -> None:
    plugins.install(alive, limits={"grace_seconds": 0})
    assert run(jobs, "deaf", timeout_ms=300).reason == "timeout"


def test_one_that_promised_to_ask_and_does_not_is_killed_after_the_grace(alive: Daemon, jobs: Jobs) -> None:
    plugins.install(alive, limits={"grace_seconds": 1})
    job = jobs.start("sample.ignore")
    follower = jobs.follow(job, timeout=20)
    for event in follower:
        if event.line == b"waiting":
            break
    began = time.monotonic()
    jobs.cancel(job)
    list(follower)
    status = jobs.status(job)
    assert (state_name(status.state), status.signal) == ("CANCELED", 9)
    assert 0.9 < time.monotonic() - began < 30


def test_what_a_plugin_prints_is_no_result(alive: Daemon, jobs: Jobs) -> None:
    plugins.install(alive)
    events = jobs.run("sample.print")
    lines = {one.payload["stream"]: one.line for one in events if one.line}
    assert lines == {"stderr": b"\x01 stray output", "stdout": b'{"text":"printed"}'}


@pytest.mark.parametrize(
    ("action", "complaint"),
    [("silent", "no JSON text"), ("garbage", "no JSON text")],
)
def test_an_answer_that_is_none_fails_the_job(alive: Daemon, jobs: Jobs, action: str, complaint: str) -> None:
    plugins.install(alive)
    ended = run(jobs, action)
    assert ended.reason == "plugin_failed" and complaint in ended.message


@pytest.mark.parametrize("action", ["leak", "late", "fork"])
def test_what_a_plugin_leaves_behind_ends_with_its_job(alive: Daemon, jobs: Jobs, action: str) -> None:
    plugins.install(alive)
    assert state_name(run(jobs, action).state) == "SUCCEEDED"


def test_a_reply_from_another_thread_is_refused_and_told(alive: Daemon, jobs: Jobs) -> None:
    plugins.install(alive)
    events = jobs.run("sample.elsewhere")
    assert [one.line for one in events if one.payload.get("stream") == "stdout"] == [b'{"text":"refused"}']
    assert any(b"on a thread that is not the main one" in (one.line or b"") for one in events)


@pytest.mark.parametrize("action", ["forge", "close"])
def test_reports_that_are_damaged_fail_the_job(alive: Daemon, jobs: Jobs, action: str) -> None:
    plugins.install(alive)
    events = jobs.run(f"sample.{action}")
    status = jobs.status(events[0].raw.job_id)
    assert (state_name(status.state), status.reason) == ("FAILED", "plugin_failed")
    damaged = any(one.type == "GUARD" and "wrote over its worker's reports" in str(one.payload) for one in events)
    assert damaged == (action == "forge")


def test_a_flood_of_log_lines_ends_at_the_output_limit(alive: Daemon, jobs: Jobs) -> None:
    plugins.install(alive, limits={"output_bytes": 1 << 20})
    events = jobs.run("sample.flood")
    (truncation,) = [one.payload for one in events if one.payload.get("truncated")]
    assert truncation["dropped_lines"] > 18_000
    assert len(events) < 2_000


def test_an_exception_thrown_through_the_boundary_is_a_crash(alive: Daemon, jobs: Jobs) -> None:
    source = alive.directory / "thrower.cc"
    source.write_text(
        """
        #include <dome/dome.h>
        #include <stdexcept>
        struct dome_adapter { int unused; };
        namespace {
        const dome_descriptor_t *get_descriptor() {
            static const dome_descriptor_t descriptor = {
                sizeof(dome_descriptor_t), DOME_TEXT_INIT("org.example.sample"), DOME_TEXT_INIT("1.0.0"),
                DOME_TEXT_INIT("{\\"actions\\":[{\\"name\\":\\"throw\\",\\"input_schema\\":{}}]}")};
            return &descriptor;
        }
        dome_adapter connection;
        dome_status_t connect(dome_call_t *, const char *, size_t, dome_adapter_t **made) {
            *made = &connection;
            return DOME_OK;
        }
        dome_status_t execute(dome_adapter_t *, dome_call_t *, const char *, size_t, const char *, size_t) {
            throw std::runtime_error("through the boundary");
        }
        void disconnect(dome_adapter_t *) {}
        bool init(dome_host_t *, const dome_host_api_t *, const char *, size_t) { return true; }
        void deinit() {}
        const void *get_factory(const char *, size_t) {
            static const dome_adapter_api_t api = {sizeof(dome_adapter_api_t), get_descriptor, connect, execute,
                                                   nullptr, nullptr, disconnect, nullptr};
            return &api;
        }
        }
        extern "C" {
        DOME_EXPORT extern const dome_entry_t dome_plugin_entry;
        const dome_entry_t dome_plugin_entry = {DOME_ENTRY_HEADER, init, deinit, get_factory};
        }
        """
    )
    plugins.install(alive, code=plugins.library(source=source, compiler="c++"))
    ended = run(jobs, "throw")
    assert (state_name(ended.state), ended.signal) == ("FAILED", 6) and "SIGABRT" in ended.message


def test_two_plugins_of_one_id_or_name_do_not_mix(alive: Daemon, jobs: Jobs) -> None:
    plugins.install(alive, into="A")
    plugins.install(alive, into="B")
    plugins.install(alive, 'ID="com.example.sample"', into="C", id="com.example.sample")
    listed = plugins.plugins(alive)
    assert listed["A"].state == "ready"
    assert listed["B"].state == "shadowed" and listed["A"].folder in listed["B"].reason
    assert listed["C"].state == "refused" and "has the name sample already" in listed["C"].reason
    assert state_name(run(jobs, "echo").state) == "SUCCEEDED"


def test_a_library_that_is_swapped_is_scanned_before_it_runs(alive: Daemon, jobs: Jobs) -> None:
    folder = plugins.install(alive)
    assert state_name(run(jobs, "echo").state) == "SUCCEEDED"
    new = folder / "new.so"
    new.write_bytes(plugins.library("MAGIC=0x1234"))
    new.rename(folder / "libsample.so")
    deadline = time.monotonic() + 30
    while plugins.plugins(alive)["Sample"].state == "ready" and time.monotonic() < deadline:
        pass
    reply = jobs.submit("sample.echo", {})
    assert not reply.status.ok and reply.job_id == ""


def test_the_crash_of_an_executor_is_counted(alive: Daemon, jobs: Jobs) -> None:
    source = Path(__file__).resolve().parents[1] / "Support" / "plugins" / "crashing_executor.c"
    plugins.install(
        alive, into="Crasher", id="org.example.crasher", kind="executor", code=plugins.library(source=source)
    )
    write_tool(alive, "crash.plan", {"executor": "org.example.crasher", "entrypoint": {}})
    for _ in range(3):
        reply = jobs.submit("crash.plan", {}, wait_ms=30_000)
        if not reply.status.ok:
            break
        assert state_name(reply.state) == "FAILED"
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        crasher = plugins.plugins(alive)["Crasher"]
        if crasher.state == "quarantined":
            break
        jobs.submit("crash.plan", {}, wait_ms=30_000)
    assert crasher.state == "quarantined", crasher
    assert "SIGSEGV" in crasher.last_crash.reason and crasher.last_crash.job_id
    query = "SELECT count(*) FROM audit WHERE kind = 'plugin_quarantined'"
    while rows(alive, query) != [(1,)] and time.monotonic() < deadline:
        time.sleep(0.02)
    assert rows(alive, query) == [(1,)]
