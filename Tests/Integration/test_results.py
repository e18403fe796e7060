"""Output contracts: a tool that promises a result keeps the promise, or its job fails without losing a byte."""

from __future__ import annotations

import hashlib
import json
import subprocess
from typing import Any

import pytest

from domekit.daemon import Daemon
from domekit.gates import Gate
from domekit.jobs import Event, Jobs, assert_complete, state_name
from domekit.tools import registry, write_script_tool, write_tool

NUMBER = {
    "type": "object",
    "properties": {"number": {"type": "integer", "maximum": 9007199254740993}},
    "required": ["number"],
    "additionalProperties": False,
}
LOOSE = {"type": "array", "maxItems": 2}


def promise(daemon: Daemon, script: str, schema: Any = NUMBER, **manifest: Any) -> None:
    """The tool `promise`, whose script is to write what fits the schema."""
    folder = write_script_tool(daemon, "promise", script, output="result", **manifest)
    (folder / "output.schema.json").write_text(json.dumps(schema))


def lines(events: list[Event]) -> list[bytes]:
    return [one.line or b"" for one in events if one.payload.get("stream") == "stdout"]


def output(events: list[Event]) -> str:
    return "".join(line.decode() + "\n" for line in lines(events))


def run(jobs: Jobs, tool: str = "promise", task: Any = None, **constraints: Any) -> tuple[Any, Any, list[Event]]:
    """The reply to a job that was waited for, its status, and its events."""
    reply = jobs.submit(tool, task, wait_ms=30_000, **constraints)
    assert reply.status.ok, reply.status.message
    events = list(jobs.follow(reply.job_id))
    assert_complete(events)
    status = jobs.status(reply.job_id)
    assert (reply.state, reply.reason, reply.result_json) == (status.state, status.reason, status.result_json)
    return reply, status, events


def product(status: Any) -> Any:
    return json.loads(status.provenance_json)["products"].get("result")


def test_a_result_comes_with_the_job(daemon: Daemon, jobs: Jobs) -> None:
    promise(daemon, "echo PROGRESS:50; printf '{\\n \"number\":\\n 9007199254740993 }'; echo note >&2")
    reply, status, events = run(jobs)
    assert (state_name(status.state), status.reason, status.exit_code) == ("SUCCEEDED", "exited", 0)
    # As it was written: nothing is rounded or put in order.
    assert reply.result_json == '{\n "number":\n 9007199254740993 }'
    assert output(events) == "PROGRESS:50\n" + reply.result_json + "\n"
    sha256 = hashlib.sha256(reply.result_json.encode()).hexdigest()
    assert product(status) == {"sha256": sha256, "bytes": len(reply.result_json)}
    shown = json.loads(daemon.dome("job", "show", reply.job_id, "-o", "json").stdout)
    assert shown["result"] == {"number": 9007199254740993}
    assert "schema of the result" in daemon.dome("tool", "show", "promise").stdout


def test_the_same_request_has_the_same_result(daemon: Daemon, jobs: Jobs) -> None:
    promise(daemon, "echo '{\"number\": 1}'")
    first = jobs.submit("promise", wait_ms=30_000, key="once")
    again = jobs.submit("promise", wait_ms=30_000, key="once")
    assert again.replayed and again.result_json == first.result_json == '{"number": 1}'


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo '{\"number\": \"1\"}'", "does not fit its output schema: /number: must be an integer"),
        ("echo '{\"number\": 9007199254740994}'", "does not fit its output schema: /number"),
        ("echo '{\"number\": 1, \"more\": 2}'", "does not fit its output schema: /more"),
        ("echo '{}'", "does not fit its output schema: (root)"),
        ("echo 'Done: {\"number\": 1}'", "the result of promise"),
        ("echo '{\"number\": 1}'; echo '{\"number\": 2}'", "the result of promise"),
        ("printf '{\"number\": \"\\377\"}'", "the result of promise"),
        ("printf '{\"number\": 1,'", "the result of promise"),
        (":", "promises a result and wrote none"),
        ("echo PROGRESS:1; echo; echo ' '", "promises a result and wrote none"),
    ],
)
def test_a_broken_promise_is_a_failure_that_loses_nothing(
    daemon: Daemon, jobs: Jobs, script: str, reason: str
) -> None:
    promise(daemon, script + "; echo said >&2")
    _, status, events = run(jobs)
    assert (state_name(status.state), status.reason) == ("FAILED", "result_invalid")
    assert status.exit_code == 0 and reason in status.message
    assert (status.result_json, product(status)) == ("", None)
    # What the job wrote is there, and why it failed stands before its end.
    plain = subprocess.run(["/bin/sh", "-c", script], capture_output=True, check=True).stdout
    assert b"".join(lines(events)) == plain.replace(b"\n", b"")
    assert events[-2].type == "ERROR" and events[-2].payload["reason"] == "result_invalid"
    assert events[-1].payload["reason"] == "result_invalid" and events[-1].payload["exit_code"] == 0


def test_who_fails_by_himself_is_not_asked_for_a_result(daemon: Daemon, jobs: Jobs) -> None:
    promise(daemon, "echo no; exit 3")
    _, status, _ = run(jobs)
    assert (state_name(status.state), status.reason, status.exit_code) == ("FAILED", "exited", 3)


def test_what_was_cut_is_no_result(daemon: Daemon, jobs: Jobs) -> None:
    # Whole JSON, up to the limit: what is missing is only blanks.
    promise(daemon, "printf '[1]'; head -c 5000 /dev/zero | tr '\\0' ' '", LOOSE, limits={"output_bytes": 1000})
    _, status, _ = run(jobs)
    assert status.reason == "result_invalid" and "is not whole" in status.message


def test_a_large_result_stays_in_the_events(daemon: Daemon, jobs: Jobs) -> None:
    promise(daemon, "printf '[\"'; head -c 2000000 /dev/zero | tr '\\0' x; printf '\"]'", LOOSE)
    _, status, events = run(jobs)
    assert (state_name(status.state), status.result_json) == ("SUCCEEDED", "")
    whole = b"".join(lines(events))
    assert product(status) == {"sha256": hashlib.sha256(whole).hexdigest(), "bytes": 2000004}


def test_what_an_adapter_answers_is_a_result(daemon: Daemon, jobs: Jobs) -> None:
    assert run(jobs, "echo.say", {"a": [1, "\u20ac"]})[0].result_json == '{"a":[1,"\u20ac"]}'
    # Through a tool of the registry as well, with a promise of its own.
    entrypoint = {"action": "say"}
    folder = write_tool(daemon, "promise", {"executor": "dome.echo", "entrypoint": entrypoint, "permissions": []})
    (folder / "output.schema.json").write_text(json.dumps(NUMBER))
    assert run(jobs, task={"number": 3})[0].result_json == '{"number":3}'
    _, status, events = run(jobs, task={"number": "3"})
    assert status.reason == "result_invalid" and "/number" in status.message
    assert output(events) == '{"number":"3"}\n'


def test_lines_are_not_held_against_their_schema(daemon: Daemon, jobs: Jobs) -> None:
    folder = write_script_tool(daemon, "lines", "echo anything")
    (folder / "output.schema.json").write_text(json.dumps(NUMBER))
    _, status, _ = run(jobs, "lines")
    assert (state_name(status.state), status.result_json, product(status)) == ("SUCCEEDED", "", None)


@pytest.mark.parametrize("answer", ['{"number": 1}', '{"number": true}'])
def test_a_daemon_that_died_meanwhile_checks_it_afterwards(daemon: Daemon, jobs: Jobs, answer: str) -> None:
    with Gate(daemon.directory / "gates") as gate:
        promise(daemon, f"{gate.wait}; echo '{answer}'", permissions=["process", "fs.write:*"])
        job = jobs.start("promise", grants=gate.grants)
        while state_name(jobs.status(job).state) == "QUEUED":
            pass
        daemon.restart()
        gate.open()
        events = list(daemon.jobs.follow(job))
    assert_complete(events)
    status = daemon.jobs.status(job)
    assert output(events) == answer + "\n"
    if "true" in answer:
        assert (state_name(status.state), status.reason) == ("FAILED", "result_invalid")
    else:
        assert (state_name(status.state), status.result_json) == ("SUCCEEDED", answer)


@pytest.mark.parametrize(
    ("manifest", "has_schema", "reason"),
    [
        ({"output": "result"}, False, "a result needs output.schema.json"),
        ({"output": "json"}, True, '"output" must be one of "lines", "result"'),
        ({"output": "result", "diagnostic": "noop"}, True, "a diagnostic has no result"),
    ],
)
def test_a_promise_that_cannot_be_kept_is_refused(
    daemon: Daemon, manifest: dict[str, Any], has_schema: bool, reason: str
) -> None:
    if "diagnostic" not in manifest:
        manifest = manifest | {"entrypoint": {"argv": ["/bin/true"]}}
    folder = write_tool(daemon, "promise", manifest)
    if not has_schema:
        (folder / "output.schema.json").unlink()
    assert folder.parent == registry(daemon)
    assert not daemon.jobs.submit("promise").status.ok
    assert reason in daemon.dome("doctor").stdout
