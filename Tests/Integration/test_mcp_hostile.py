"""`dome mcp` against what models and tools come up with: names that are nearly right, values encoded twice, results,
lists and schemas without measure, a daemon that goes away for good."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator

import pytest

from domekit.daemon import Daemon
from domekit.mcp import Bridge, bridge
from domekit.tools import write_tool

# What codex takes, and a little for what is not output.
CODEX_BYTES = 14_000


@pytest.fixture
def client(shared_daemon: Daemon) -> Iterator[Bridge]:
    """A bridge after its handshake, with one daemon for all tests here: they leave it as it was."""
    with bridge(shared_daemon) as one:
        one.initialize()
        yield one


def test_a_name_that_is_nearly_right_is_answered_with_the_right_one(client: Bridge) -> None:
    for wrong in ("shell_run", "Shell.Run", "shell-run"):
        for answer in (
            client.call("dome_run", tool_id=wrong, task={"script": "true"}),
            client.call("dome_run", tool_id=wrong, task={"script": "true"}, grants=[]),
            client.call("dome_describe_tool", tool_id=wrong),
        ):
            assert answer["code"] == "E_NOT_FOUND" and "Did you mean shell.run?" in answer["hint"]
    assert "Did you mean" not in client.call("dome_run", tool_id="nothing.like-it")["hint"]
    error = client.request("tools/call", name="job.noop", arguments={})["error"]
    assert error["code"] == -32602 and 'tool_id "job.noop"' in error["message"]


def test_values_that_were_encoded_twice_are_taken_for_what_they_are(client: Bridge) -> None:
    task = json.dumps({"script": "seq 1 3"})
    job = client.call("dome_run", tool_id="shell.run", task=task, grants="[]", wait_s="20", max_bytes="5000")
    assert job["stdout"] == "1\n2\n3\n"
    assert client.call("dome_follow", job_id=job["job_id"], since_seq="0")["stdout"] == job["stdout"]
    for grants in ("[", "[1]", '{"a": 1}', ["x", 1], {}, 5):
        answer = client.call("dome_run", tool_id="shell.run", task=task, grants=grants)
        assert answer["code"] == "E_INVALID_REQUEST", answer


def test_what_is_there_is_read_without_any_waiting(client: Bridge) -> None:
    job = client.call("shell_run", script="seq 1 5; exit 2")
    for _ in range(20):
        now = client.call("dome_follow", job_id=job["job_id"], wait_s=0)
        assert (now["stdout"], now["state"], now["exit_code"]) == ("1\n2\n3\n4\n5\n", "failed", 2)


def test_a_message_does_not_give_back_all_that_was_sent(client: Bridge) -> None:
    for answer in (
        client.call("dome_describe_tool", tool_id="x" * 100_000),
        client.call("dome_run", tool_id="x" * 100_000),
        client.call("shell_run", argv=["x"] * 3, **{"y" * 50_000: 1}),
        client.call("shell_run", script="true", grants=["fs.read:/" + "z" * 90_000]),
        client.call("dome_run", tool_id="shell.run", **{"n" * 90_000: 1}),
        client.call("dome_follow", job_id="j" * 90_000),
    ):
        assert not answer["ok"] and len(json.dumps(answer)) < 5_000


def test_a_thousand_files_are_listed_in_pieces(shared_daemon: Daemon) -> None:
    with bridge(shared_daemon) as one:
        one.initialize(name="codex-mcp-client")
        script = "mkdir out; cd out; for i in $(seq 1 300); do echo $i >file-$i; done; seq 99999"
        job = one.call("shell_run", script=script)
        assert len(json.dumps(job)) < CODEX_BYTES and job["truncated"]
        assert "300 files" in job["hint"] and job["artifacts"]
        names, offset, more = [], 0, True
        while more:
            answer = one.call("dome_job_status", job_id=job["job_id"], offset=offset)
            assert len(json.dumps(answer)) < CODEX_BYTES
            names += [artifact["name"] for artifact in answer["jobs"][0]["artifacts"]]
            found = re.search(r"offset (\d+) lists", answer["hint"])
            more, offset = found is not None, int(found.group(1)) if found else 0
        assert sorted(names) == sorted(f"file-{n}" for n in range(1, 301))
        past = one.call("dome_job_status", job_id=job["job_id"], offset=5_000)
        assert past["ok"] and past["jobs"][0]["artifacts"] == []


def test_a_tool_with_a_giant_schema_is_not_listed_and_still_usable(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    properties = {f"property_{n}": {"type": "string", "description": "d" * 900} for n in range(150)}
    schema = {"type": "object", "properties": properties | {"script": {"type": "string"}}, "required": ["script"]}
    write_tool(daemon, "a.giant", {"entrypoint": {"argv_from_task": True}}, schema)
    daemon.start()
    with bridge(daemon) as one:
        one.initialize(name="codex-mcp-client")
        listed = one.result("tools/list")["tools"]
        assert "a_giant" not in [tool["name"] for tool in listed] and len(json.dumps(listed)) < 100_000
        assert one.call("dome_search_tools", query="giant")["tools"][0]["tool_id"] == "a.giant"
        shown = one.call("dome_describe_tool", tool_id="a.giant")
        assert len(json.dumps(shown)) < CODEX_BYTES
        assert shown["input_schema"]["required"] == ["script"]
        assert shown["input_schema"]["properties"]["property_1"] == {"type": "string"}
        assert "outline" in shown["input_schema"]["description"]
        assert one.call("dome_run", tool_id="a.giant", task={"script": "echo ran"})["stdout"] == "ran\n"


def test_a_daemon_that_does_not_come_back_costs_the_call_and_not_the_job(daemon: Daemon) -> None:
    with bridge(daemon, "--no-start") as one:
        one.initialize()
        one.call("shell_run", script="true")
        killer = threading.Timer(0.5, daemon.kill9)
        killer.start()
        answer = one.call("shell_run", script="for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.2; done")
        killer.join()
        assert answer["code"] == "E_UNAVAILABLE" and "was started" in answer["message"]
        job = re.search(r'job_id "(job-\w+)" and since_seq \d+', answer["hint"])
        assert job is not None
        daemon.start()
        followed = one.call("dome_follow", job_id=job.group(1))
        assert followed["stdout"] == "".join(f"{n}\n" for n in range(1, 9)) and followed["state"] == "succeeded"
