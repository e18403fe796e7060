"""Adapters end to end: found, scanned, listed as tools, run in a jail of their own, with what the host offers them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from domekit import plugins
from domekit.daemon import Daemon, pb2
from domekit.jobs import Event, Jobs, assert_complete, state_name
from domekit.tools import write_tool


def results(events: list[Event]) -> list[Any]:
    """The job's stdout, a JSON value a line."""
    return [json.loads(one.line) for one in events if one.line and one.payload.get("stream") == "stdout"]


def text(events: list[Event]) -> str:
    (result,) = results(events)
    return str(result["text"])


def test_echo_is_a_tool_with_its_schemas(daemon: Daemon, stub: Any, jobs: Jobs) -> None:
    assert "echo.say" in plugins.tool_ids(daemon)
    tool = stub.GetTool(pb2.GetToolRequest(tool_id="echo.say"), timeout=30).tool
    assert tool.executor_backend == "dome.echo" and tool.version == "0.1.0" and list(tool.permissions) == []
    schema = stub.GetToolSchema(pb2.GetToolSchemaRequest(tool_id="echo.say"), timeout=30)
    assert json.loads(schema.input_schema_json) == {"type": "object"}
    assert json.loads(schema.output_schema_json) == {"type": "object"}
    events = jobs.run("echo.say", {"text": "hi", "n": [1, 2.5, None]})
    assert_complete(events)
    assert results(events) == [{"text": "hi", "n": [1, 2.5, None]}]
    assert state_name(jobs.status(events[0].raw.job_id).state) == "SUCCEEDED"


def test_echo_from_the_command_line(daemon: Daemon) -> None:
    done = daemon.dome("run", "echo.say", "--task", '{"text": "hi"}')
    assert (done.returncode, done.stdout) == (0, '{"text":"hi"}\n'), done.stderr


def test_a_task_that_does_not_fit_is_refused_before_anything_runs(jobs: Jobs) -> None:
    reply = jobs.submit("echo.say", [1])
    assert not reply.status.ok and reply.job_id == ""
    assert "input schema of echo.say" in reply.status.message


def test_a_plugin_comes_and_goes_while_the_daemon_runs(daemon: Daemon, jobs: Jobs) -> None:
    assert "sample.echo" not in plugins.tool_ids(daemon)
    folder = plugins.install(daemon)
    # Without a listing in between: the tool is looked for when it is missing.
    assert results(jobs.run("sample.echo", {"a": 1})) == [{"a": 1}]
    folder.rename(daemon.directory / "away")
    assert "sample.echo" not in plugins.tool_ids(daemon)
    reply = jobs.submit("sample.echo", {})
    assert "tool not found: sample.echo" in reply.status.message


def test_another_version_of_a_plugin_is_scanned_again(daemon: Daemon, jobs: Jobs) -> None:
    folder = plugins.install(daemon)
    first = plugins.plugins(daemon)["Sample"]
    assert first.version == "1.0.0" and "sample.more" not in first.tool_ids
    folder.rename(daemon.directory / "old")
    plugins.install(daemon, 'VERSION="2.0.0"', 'MORE=",\\"capabilities\\":[\\"more\\"]"', version="2.0.0")
    second = plugins.plugins(daemon)["Sample"]
    assert second.version == "2.0.0" and list(second.capabilities) == ["more"]
    assert second.library_sha256 != first.library_sha256


def test_plugins_are_listed_with_what_is_known_of_them(daemon: Daemon) -> None:
    folder = plugins.install(daemon, title="A sample", permissions=["fs.read:*"], secrets=["API_KEY"])
    listed = plugins.plugins(daemon)
    assert {"Echo", "LocalProcess", "Sample"} <= set(listed)
    sample = listed["Sample"]
    assert (sample.plugin_id, sample.name, sample.kind) == ("org.example.sample", "sample", "adapter")
    assert (sample.state, sample.reason, sample.title) == ("ready", "", "A sample")
    assert sample.library_sha256 == hashlib.sha256((folder / "libsample.so").read_bytes()).hexdigest()
    assert list(sample.permissions) == ["fs.read:*"] and list(sample.secrets) == ["API_KEY"]
    assert "sample.echo" in sample.tool_ids and "actions" in json.loads(sample.declaration_json)
    assert not sample.pinned and sample.crashes == 0 and not sample.HasField("last_crash")
    assert listed["LocalProcess"].kind == "executor" and list(listed["LocalProcess"].tool_ids) == []


def test_log_and_progress_become_events(daemon: Daemon, jobs: Jobs) -> None:
    plugins.install(daemon)
    logged = jobs.run("sample.log")
    (line,) = [one.payload for one in logged if one.payload.get("level")]
    assert line == {"stream": "stderr", "line": "careful now", "level": "warning"}
    assert all(one.type == "LOG" for one in logged if one.payload.get("level"))
    reported = [one.payload for one in jobs.run("sample.progress") if "value" in one.payload]
    assert reported[0] == {"value": 0.25, "message": "a quarter"}
    assert reported[-1]["value"] == 1, "the last report is never left out"
    assert len(reported) < 500, "reports that follow each other at once are left out"


def test_artifacts_are_kept_when_they_are_whole(daemon: Daemon, jobs: Jobs) -> None:
    plugins.install(daemon)
    events = jobs.run("sample.artifact")
    assert text(events) == "as it should be"
    (artifact,) = jobs.status(events[0].raw.job_id).artifacts
    assert artifact.name == "pages/1.txt" and Path(artifact.path).read_bytes() == b"page"


def test_a_secret_reaches_the_plugin_and_nothing_else(daemon: Daemon, jobs: Jobs) -> None:
    plugins.install(daemon, secrets=["API_KEY"])
    reply = jobs.submit("sample.secret", wait_ms=30_000)
    assert state_name(reply.state) == "FAILED", "the user has set none"
    place = daemon.config_home / "dome" / "secrets" / "org.example.sample"
    place.mkdir(parents=True, mode=0o700)
    (place / "API_KEY").write_text("xyzzy-secret")
    (place / "API_KEY").chmod(0o644)
    open_to_all = jobs.submit("sample.secret", wait_ms=30_000)
    assert state_name(open_to_all.state) == "FAILED"
    assert "may be read by others" in jobs.status(open_to_all.job_id).message
    (place / "API_KEY").chmod(0o600)
    events = jobs.run("sample.secret")
    assert text(events) == "xyzzy-secret"
    # But for the journal of the job that answered with it, the secret is in no file of the daemon's.
    for path in daemon.state.rglob("*"):
        if path.is_file() and events[0].raw.job_id not in str(path):
            assert b"xyzzy-secret" not in path.read_bytes(), path


def test_the_users_configuration_reaches_the_plugin(daemon: Daemon, jobs: Jobs) -> None:
    plugins.install(daemon)
    assert text(jobs.run("sample.config")) == "nothing"
    plugins.settings(daemon, config={"greeting": "good \u00fc day"})
    plugins.tool_ids(daemon)
    assert text(jobs.run("sample.config")) == "good \u00fc day"
    plugins.settings(daemon, config={"greeting": 7})
    sample = plugins.plugins(daemon)["Sample"]
    assert sample.state == "refused" and "does not fit its schema" in sample.reason and "greeting" in sample.reason


def test_the_clock_knows_what_is_left(daemon: Daemon, jobs: Jobs) -> None:
    plugins.install(daemon)
    assert text(jobs.run("sample.clock")) == "good"


@pytest.mark.parametrize("action", ["wait", "deaf"])
def test_cancel_reaches_a_plugin_that_asks_and_ends_one_that_does_not(
    daemon: Daemon, jobs: Jobs, action: str
) -> None:
    plugins.install(daemon, limits={"grace_seconds": 60})
    job = jobs.start(f"sample.{action}")
    follower = jobs.follow(job, timeout=20)
    for event in follower:
        if event.line == b"waiting":
            break
    assert jobs.cancel(job).status.ok
    events = list(follower)
    assert state_name(jobs.status(job).state) == "CANCELED"
    assert (b"noticed" in [one.line for one in events]) == (action == "wait")


def test_a_result_of_several_lines_is_one_event(daemon: Daemon, jobs: Jobs) -> None:
    plugins.install(daemon)
    assert results(jobs.run("sample.lines")) == [{"a": 1}]


def test_a_failure_brings_its_code_and_reason(daemon: Daemon, jobs: Jobs) -> None:
    plugins.install(daemon)
    reply = jobs.submit("sample.fail", wait_ms=30_000)
    assert (state_name(reply.state), reply.reason, reply.exit_code) == ("FAILED", "plugin_failed", 1)
    message = jobs.status(reply.job_id).message
    assert message.startswith("E_INVALID_REQUEST: ") and 'the member "x" is missing' in message


def test_a_job_sees_what_its_plugin_may_and_nothing_else(daemon: Daemon, jobs: Jobs, tmp_path: Path) -> None:
    granted = daemon.home / "granted"
    granted.mkdir()
    (granted / "file").write_text("x")
    plugins.install(daemon, permissions=["fs.read:*"])
    task = {"path": str(granted / "file")}
    assert text(jobs.run("sample.read", task)) == "shut"
    assert text(jobs.run("sample.read", task, grants=[f"fs.read:{granted}"])) == "open"
    assert text(jobs.run("sample.read", {"path": str(daemon.state / "domed.sqlite")})) == "shut"
    reply = jobs.submit("sample.read", task, grants=["net.loopback"])
    assert pb2.ErrorCode.Name(reply.status.code) == "E_POLICY_DENIED"


def test_a_tool_of_the_registry_may_name_an_adapter(daemon: Daemon, jobs: Jobs) -> None:
    plugins.install(daemon)
    entrypoint = {"action": "config", "config": {"greeting": "from the tool"}}
    manifest = {"executor": "org.example.sample", "entrypoint": entrypoint, "permissions": []}
    write_tool(daemon, "my.greeting", manifest)
    assert text(jobs.run("my.greeting")) == "from the tool"
    write_tool(daemon, "my.wish", manifest | {"permissions": ["net.loopback"]})
    write_tool(daemon, "my.typo", manifest | {"entrypoint": {"action": "cofnig"}})
    write_tool(daemon, "my.misfit", manifest | {"entrypoint": {"action": "config", "config": {"greeting": 1}}})
    for tool, complaint in (
        ("my.wish", "asks for net.loopback, which its plugin org.example.sample does not have"),
        ("my.typo", '"action" must be one of plugin org.example.sample\'s: echo, log'),
        ("my.misfit", "config does not fit plugin org.example.sample"),
    ):
        reply = jobs.submit(tool, {})
        assert not reply.status.ok and complaint in reply.status.message


def test_a_disabled_plugin_offers_nothing(daemon: Daemon, jobs: Jobs) -> None:
    plugins.install(daemon)
    assert "sample.echo" in plugins.tool_ids(daemon)
    plugins.settings(daemon, enabled=False)
    sample = plugins.plugins(daemon)["Sample"]
    assert sample.state == "disabled" and "dome plugin enable org.example.sample" in sample.reason
    assert "sample.echo" not in plugins.tool_ids(daemon)
    plugins.settings(daemon, enabled=True)
    assert "sample.echo" in plugins.tool_ids(daemon)


def test_a_plugin_is_held_against_its_pin(daemon: Daemon, jobs: Jobs) -> None:
    folder = plugins.install(daemon)
    sample = plugins.plugins(daemon)["Sample"]
    pin = {
        "library_sha256": sample.library_sha256,
        "manifest": json.loads((folder / "plugin.json").read_text()),
        "declaration": json.loads(sample.declaration_json),
    }
    plugins.settings(daemon, pin=pin)
    assert (plugins.plugins(daemon)["Sample"].state, plugins.plugins(daemon)["Sample"].pinned) == ("ready", True)
    # A library swapped after installation, and a permission that was not there.
    (folder / "libsample.so").write_bytes(plugins.library("VERSION=\"1.0.0\"", "MORE=\"\""))
    manifest = pin["manifest"] | {"permissions": ["net.loopback"]}
    (folder / "plugin.json").write_text(json.dumps(manifest))
    sample = plugins.plugins(daemon)["Sample"]
    assert sample.state == "quarantined" and "not what was installed" in sample.reason
    assert any("library libsample.so: SHA-256 " in line for line in sample.differences) == (
        hashlib.sha256((folder / "libsample.so").read_bytes()).hexdigest() != pin["library_sha256"]
    )
    assert 'plugin.json /permissions: nothing → ["net.loopback"]' in sample.differences
    assert "sample.echo" not in plugins.tool_ids(daemon)


def test_a_schema_that_differs_from_its_pin_is_named(daemon: Daemon) -> None:
    plugins.install(daemon)
    declaration = json.loads(plugins.plugins(daemon)["Sample"].declaration_json)
    declaration["actions"][0]["input_schema"]["type"] = "array"
    plugins.settings(daemon, pin={"declaration": declaration})
    sample = plugins.plugins(daemon)["Sample"]
    assert sample.state == "quarantined"
    assert list(sample.differences) == ['declaration /actions/0/input_schema/type: "array" → "object"']


def test_the_plugin_path_comes_first(new_daemon: Callable[..., Daemon], tmp_path: Path) -> None:
    place = tmp_path / "plugins"
    daemon = new_daemon(environment={"DOME_PLUGIN_PATH": f"{place}:/nowhere"})
    first = plugins.install(daemon)
    place.mkdir()
    first.rename(place / "First")
    plugins.install(daemon)
    daemon.start()
    listed = plugins.plugins(daemon)
    assert listed["First"].state == "ready"
    assert listed["Sample"].state == "shadowed" and str(place / "First") in listed["Sample"].reason


def test_a_job_outlives_the_daemon_and_its_scan_is_remembered(daemon: Daemon, jobs: Jobs) -> None:
    plugins.install(daemon)
    job = jobs.start("sample.wait")
    for event in jobs.follow(job, timeout=20):
        if event.line == b"waiting":
            break
    daemon.kill9()
    daemon.start()
    assert daemon.log().count("plugin.scanned plugin=org.example.sample") == 1
    assert daemon.jobs.cancel(job).status.ok
    assert_complete(list(daemon.jobs.follow(job)))
    assert state_name(daemon.jobs.status(job).state) == "CANCELED"


def test_provenance_names_plugin_and_library(daemon: Daemon, jobs: Jobs) -> None:
    folder = plugins.install(daemon)
    events = jobs.run("sample.echo")
    provenance = jobs.status(events[0].raw.job_id).provenance
    assert json.loads(provenance.tool_versions_json)["executor"] == "org.example.sample 1.0.0"
    library = hashlib.sha256((folder / "libsample.so").read_bytes()).hexdigest()
    assert json.loads(provenance.contract_hashes_json)["file:libsample.so"] == library


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user's file")
def test_a_plugin_that_others_can_change_is_refused(daemon: Daemon) -> None:
    folder = plugins.install(daemon)
    (folder / "libsample.so").chmod(0o777)
    assert "chmod o-w" in plugins.plugins(daemon)["Sample"].reason
    (folder / "libsample.so").chmod(0o755)
    os.chown(folder / "libsample.so", 54321, 54321)
    assert "belongs to user 54321" in plugins.plugins(daemon)["Sample"].reason


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_an_ordinary_users_daemon_confines_plugins_too(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon(uid=54321).start()
    assert {name for name, one in plugins.plugins(daemon).items() if one.state == "ready"} >= {"Echo", "LocalProcess"}
    assert results(daemon.jobs.run("echo.say", {"a": 1})) == [{"a": 1}]
    assert state_name(daemon.jobs.submit("shell.run", {"argv": ["/bin/true"]}, wait_ms=30_000).state) == "SUCCEEDED"


def test_an_executors_worker_is_jailed(daemon: Daemon, jobs: Jobs) -> None:
    jobs.run("shell.run", {"argv": ["/bin/true"]})
    (worker,) = daemon.pids("domed-worker")
    status = Path(f"/proc/{worker}/status").read_text()
    assert "NoNewPrivs:\t1" in status and "Seccomp:\t2" in status and "CapBnd:\t0000000000000000" in status
    for kind in ("mnt", "pid", "net", "user", "ipc"):
        assert os.readlink(f"/proc/{worker}/ns/{kind}") != os.readlink(f"/proc/{daemon.pid}/ns/{kind}"), kind
    assert not Path(f"/proc/{worker}/root{daemon.state}").exists()


def test_explain_shows_what_an_adapters_job_gets(daemon: Daemon) -> None:
    plugins.install(daemon, permissions=["net.loopback"])
    done = daemon.dome("sandbox", "explain", "sample.echo", "--output", "json")
    explained = json.loads(done.stdout)
    assert explained["admissible"] is True and explained["network"] == "loopback"
    assert explained["executor_backend"] == "org.example.sample"
