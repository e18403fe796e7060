"""`dome mcp` over its standard streams: what a client gets from each method and each of dome's own tools."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import jsonschema
import pytest

from domekit.daemon import Daemon
from domekit.mcp import MODERN, Bridge, bridge

OWN = [
    "dome_search_tools",
    "dome_describe_tool",
    "dome_run",
    "dome_follow",
    "dome_job_status",
    "dome_cancel",
    "dome_read_artifact",
]
PNG = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de")


@pytest.fixture
def daemon(shared_daemon: Daemon) -> Daemon:
    """One for all tests here: they leave it as it was."""
    return shared_daemon


@pytest.fixture
def client(daemon: Daemon) -> Iterator[Bridge]:
    """A bridge after its handshake."""
    with bridge(daemon) as one:
        one.initialize()
        yield one


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("2024-11-05", "2024-11-05"),
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2026-07-28", "2025-11-25"),
        ("1999-01-01", "2025-11-25"),
        ("", "2025-11-25"),
    ],
)
def test_the_handshake_settles_on_a_version(daemon: Daemon, asked: str, given: str) -> None:
    with bridge(daemon) as one:
        result = one.initialize(asked)
        assert result["protocolVersion"] == given
        assert result["serverInfo"]["name"] == "dome" and result["serverInfo"]["version"]
        assert one.result("ping") == {}
        listed = one.result("tools/call", name="dome_job_status", arguments={})
        assert ("structuredContent" in listed) == (given >= "2025-06-18")
        assert json.loads(listed["content"][0]["text"])["ok"] is True


def test_every_tool_is_described_truthfully_and_briefly(client: Bridge) -> None:
    tools = {tool["name"]: tool for tool in client.result("tools/list")["tools"]}
    assert list(tools)[: len(OWN)] == OWN
    assert {"text_search", "git_log", "shell_run"} <= tools.keys() and len(tools) < 20
    for name, tool in tools.items():
        assert re.fullmatch(r"[a-z0-9_]{1,64}", name)
        assert tool["description"] and tool["title"]
        assert tool["inputSchema"]["type"] == "object"
        # Some clients' models refuse a whole list of tools for one of these.
        assert not {"oneOf", "anyOf", "allOf"} & tool["inputSchema"].keys(), name
        for schema in (tool["inputSchema"], tool.get("outputSchema", {})):
            jsonschema.Draft202012Validator.check_schema(schema)
        hints = tool["annotations"]
        assert {"readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"} <= hints.keys()
        assert not (hints["readOnlyHint"] and hints["destructiveHint"])
    read_only = {name for name, tool in tools.items() if tool["annotations"]["readOnlyHint"]}
    assert {"text_search", "git_log", "dome_search_tools", "dome_follow"} <= read_only
    assert not {"shell_run", "dome_run", "dome_cancel"} & read_only
    search = tools["text_search"]
    assert "text search" in search["description"]
    # What clients drop is said in words as well.
    assert "default 1000" in search["inputSchema"]["properties"]["max_matches"]["description"]
    assert "at most 100000" in search["inputSchema"]["properties"]["max_matches"]["description"]
    assert "exactly one of these: argv, or script" in tools["shell_run"]["description"]


def test_a_session_keeps_its_tools_and_settings_choose_them(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon().start()
    settings = daemon.config_home / "dome" / "mcp.json"
    settings.parent.mkdir(exist_ok=True)
    settings.write_text(json.dumps({"tools": ["job.log", "no.such-tool"], "grants": []}))
    with bridge(daemon) as one:
        one.initialize()
        names = [tool["name"] for tool in one.result("tools/list")["tools"]]
        assert names == [*OWN, "job_log"]
        settings.write_text("{}")
        assert [tool["name"] for tool in one.result("tools/list")["tools"]] == names
        assert one.call("job_log", lines=["a", "b"])["stdout"] == "a\nb\n"


def test_search_describe_and_run_any_tool(client: Bridge) -> None:
    found = client.call("dome_search_tools", query="find text in files")
    assert found["tools"][0]["tool_id"] == "text.search"
    assert client.call("dome_search_tools", query="commits")["tools"][0]["tool_id"] == "git.log"
    assert client.call("dome_search_tools", query="zzzz")["tools"] == []
    assert len(client.call("dome_search_tools", limit=2)["tools"]) == 2
    shown = client.call("dome_describe_tool", tool_id="shell.run")
    assert shown["input_schema"]["properties"]["script"] and "net.full" in shown["permissions"]
    done = client.call("dome_run", tool_id="shell.run", task={"script": "cat; echo no >&2; exit 3", "stdin": "in"})
    assert (done["ok"], done["code"], done["exit_code"]) == (False, "E_JOB_FAILED", 3)
    assert (done["stdout"], done["stderr"], done["state"]) == ("in", "no\n", "failed")
    # A task that was encoded twice is taken for what it is.
    assert client.call("dome_run", tool_id="shell.run", task='{"argv": ["echo", "x"]}')["stdout"] == "x\n"


def test_answers_fit_their_schemas(client: Bridge) -> None:
    tools = {tool["name"]: tool for tool in client.result("tools/list")["tools"]}
    left = "mkdir out; echo left >out/file"
    job = client.call("shell_run", script=left)["job_id"]
    calls = [
        ("dome_search_tools", {"query": "text"}),
        ("dome_describe_tool", {"tool_id": "git.log"}),
        ("dome_describe_tool", {"tool_id": "none"}),
        ("dome_run", {"tool_id": "shell.run", "task": {"script": left}}),
        ("dome_run", {"tool_id": "shell.run", "task": {"script": "kill -9 $$"}}),
        ("shell_run", {"script": "sleep 30", "wait_s": 0}),
        ("dome_follow", {"job_id": job}),
        ("dome_job_status", {}),
        ("dome_job_status", {"job_id": job}),
        ("dome_cancel", {"job_id": job}),
        ("text_search", {"pattern": "x"}),
    ]
    for name, arguments in calls:
        jsonschema.validate(client.call(name, **arguments), tools[name]["outputSchema"])


def test_a_job_reads_the_clients_folder_and_what_is_granted(new_daemon: Callable[..., Daemon], tmp_path: Path) -> None:
    daemon = new_daemon().start()
    here, there = daemon.make_folder("here"), daemon.make_folder("there")
    for folder in (here, there):
        (folder / "note").write_text("a needle\n")
    with bridge(daemon, cwd=here) as one:
        one.initialize()
        found = one.call("text_search", pattern="needle", path=str(here))
        assert json.loads(found["stdout"])["text"] == "a needle"
        refused = one.call("shell_run", script=f"cat {there}/note")
        assert not refused["ok"] and "grants" in refused["hint"]
        assert one.call("shell_run", script=f"cat {there}/note", grants=[f"fs.read:{there}"])["stdout"] == "a needle\n"
        assert one.call("shell_run", script=f"echo x >{here}/new")["ok"] is False
        assert not (here / "new").exists()
        denied = one.call("shell_run", script="true", grants=["fs.read:/"])
        assert denied["code"] == "E_POLICY_DENIED" and "policy.json" in denied["hint"]
    # Where the folder may not be had, a job has none: the call goes on all the same.
    with bridge(daemon, cwd="/") as one:
        one.initialize()
        assert one.call("shell_run", script="echo fine")["stdout"] == "fine\n"


def test_a_long_job_is_followed_without_gap_or_repeat(client: Bridge) -> None:
    script = "for i in 1 2 3 4 5 6; do echo $i; sleep 0.1; done; exit 4"
    answer = client.call("shell_run", script=script, wait_s=0.15)
    assert answer["state"] in ("queued", "running") and answer["ok"] and "dome_follow" in answer["hint"]
    text = answer["stdout"]
    while answer["state"] in ("queued", "running"):
        answer = client.call("dome_follow", job_id=answer["job_id"], since_seq=answer["next_seq"], wait_s=0.15)
        text += answer["stdout"]
    assert text == "1\n2\n3\n4\n5\n6\n"
    assert (answer["exit_code"], answer["code"]) == (4, "E_JOB_FAILED")
    again = client.call("dome_follow", job_id=answer["job_id"], since_seq=answer["next_seq"])
    assert again["stdout"] == "" and again["state"] == "failed"


def test_much_output_is_cut_in_the_middle_and_can_be_paged_through(client: Bridge) -> None:
    answer = client.call("dome_run", tool_id="shell.run", task={"script": "seq 1 20000"}, max_bytes=2000)
    assert answer["truncated"] and len(json.dumps(answer["stdout"])) < 2200
    assert answer["stdout"].startswith("1\n2\n3\n") and answer["stdout"].endswith("\n19999\n20000\n")
    assert "left out" in answer["stdout"]
    since = int(re.search(r"since_seq (\d+) pages", answer["hint"]).group(1))  # type: ignore[union-attr]
    assert 0 < since <= 3 + answer["stdout"].split("left out")[0].count("\n")
    text, page = "", {"truncated": True, "next_seq": 0}
    while page["truncated"]:
        page = client.call("dome_follow", job_id=answer["job_id"], since_seq=page["next_seq"], max_bytes=20_000)
        assert len(json.dumps(page["stdout"])) <= 20_100
        text += page["stdout"]
    assert text == "".join(f"{n}\n" for n in range(1, 20001))


def test_one_huge_line_and_control_characters_stay_within_the_limit(client: Bridge) -> None:
    for script in ("head -c 300000 /dev/zero | tr '\\0' x", "head -c 50000 /dev/zero", "head -c 50000 /dev/urandom"):
        result = client.result(
            "tools/call",
            name="dome_run",
            arguments={"tool_id": "shell.run", "task": {"script": script}, "max_bytes": 3000},
        )
        assert len(json.dumps(result["structuredContent"], ensure_ascii=False).encode()) < 4500
        assert result["structuredContent"]["truncated"]


def test_codex_gets_what_codex_does_not_cut(daemon: Daemon) -> None:
    sizes = {}
    for name in ("codex-mcp-client", "other"):
        with bridge(daemon) as one:
            one.initialize(name=name)
            sizes[name] = len(json.dumps(one.call("shell_run", script="seq 1 100000")))
    assert sizes["codex-mcp-client"] < 12_500 < sizes["other"] < 26_000


def test_artifacts_are_read_in_pieces_and_images_are_shown(client: Bridge) -> None:
    encoded = base64.b64encode(PNG).decode()
    script = "mkdir out; printf 'äöü and more' >out/text; head -c 9 /dev/zero >out/z; "
    script += f"echo {encoded} | base64 -d >out/i.png"
    job = client.call("shell_run", script=script)
    assert {artifact["name"] for artifact in job["artifacts"]} == {"text", "i.png", "z"}
    text, offset, more = "", 0, True
    while more:
        piece = client.call("dome_read_artifact", job_id=job["job_id"], name="text", offset=offset, max_bytes=3)
        text, offset, more = text + piece["text"], piece["next_offset"], piece["truncated"]
    assert text == "äöü and more"
    zeros = client.call("dome_read_artifact", job_id=job["job_id"], name="z")
    assert base64.b64decode(zeros["base64"]) == bytes(9)
    image = client.result("tools/call", name="dome_read_artifact", arguments={"job_id": job["job_id"], "name": "i.png"})
    assert image["content"] == [{"type": "image", "data": encoded, "mimeType": "image/png"}]
    assert "structuredContent" not in image
    missing = client.call("dome_read_artifact", job_id=job["job_id"], name="nothing")
    assert missing["code"] == "E_NOT_FOUND" and "i.png" in missing["hint"]


def test_logs_and_artifacts_are_resources(client: Bridge) -> None:
    job = client.call("shell_run", script="echo one; echo two >&2; mkdir out; echo kept >'out/a b'")
    listed = client.result("resources/list")["resources"]
    assert listed[0]["uri"] == f"dome://jobs/{job['job_id']}/log"
    templates = client.result("resources/templates/list")["resourceTemplates"]
    assert any("artifacts" in template["uriTemplate"] for template in templates)

    def read(uri: str) -> str:
        return client.result("resources/read", uri=uri)["contents"][0]["text"]

    assert set(read(listed[0]["uri"]).split()) == {"one", "two"}
    assert read(f"dome://jobs/{job['job_id']}/stderr") == "two\n"
    assert job["artifacts"][0]["uri"].endswith("/artifacts/a%20b")
    assert read(job["artifacts"][0]["uri"]) == "kept\n"
    for uri in ("dome://jobs/job-00000000000000000000000000/log", "file:///etc/passwd", "dome://jobs/../x", "", "%"):
        error = client.request("resources/read", uri=uri)["error"]
        assert error["code"] == -32002 and error["data"]["uri"] == uri


def test_progress_is_told_to_whoever_asks(client: Bridge) -> None:
    script = "for i in 10 20 15 40; do echo PROGRESS:$i; done"
    client.call("shell_run", meta={"progressToken": "token"}, script=script)
    told = [one["params"] for one in client.notifications if one["method"] == "notifications/progress"]
    assert [one["progress"] for one in told] == [10, 20, 40]
    assert {one["progressToken"] for one in told} == {"token"}


def test_a_canceled_call_cancels_its_job_and_gets_no_answer(client: Bridge) -> None:
    call = {"name": "shell_run", "arguments": {"script": "echo PROGRESS:1; sleep 600"}, "_meta": {"progressToken": 1}}
    client.send({"jsonrpc": "2.0", "id": "long", "method": "tools/call", "params": call})
    assert json.loads(client.line())["method"] == "notifications/progress"
    client.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "long"}})
    # The next answer is this one's, so the other has none.
    while (job := client.call("dome_job_status", limit=1)["jobs"][0])["state"] not in ("canceled", "failed"):
        assert job["state"] == "running"
    assert job["state"] == "canceled"
    assert client.call("dome_cancel", job_id=job["job_id"])["state"] == "canceled"


def test_the_job_records_who_called(client: Bridge, daemon: Daemon) -> None:
    meta = {"threadId": "t-1", "x-codex-turn-metadata": {"turn_id": "u-2", "model": "m"}, "big": "x" * 9000}
    job = client.call("shell_run", meta=meta, script="true")["job_id"]
    shown = json.loads(daemon.dome("job", "show", job, "-o", "json").stdout)
    stated = shown["provenance_document"]["invocation"]["stated_caller"]
    assert stated["client"] == {"name": "test", "version": "1.2"} and stated["protocol"] == "mcp 2025-11-25"
    assert stated["meta"] == {"threadId": "t-1", "x-codex-turn-metadata": {"turn_id": "u-2", "model": "m"}}


def test_a_clients_trace_goes_on_in_the_job(client: Bridge, daemon: Daemon) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    script = 'echo "${TRACEPARENT-none}"'
    for meta, expected in (({"traceparent": trace, "big": "x" * 9000}, trace), ({"traceparent": "nonsense"}, "none")):
        for job in (
            client.call("shell_run", meta=meta, script=script),
            client.call("dome_run", meta=meta, tool_id="shell.run", task={"script": script}),
        ):
            assert job["stdout"] == expected + "\n"
        shown = json.loads(daemon.dome("job", "show", job["job_id"], "-o", "json").stdout)
        assert shown["provenance_document"]["invocation"].get("traceparent", "none") == expected


def test_the_stateless_era_needs_no_handshake(daemon: Daemon) -> None:
    with bridge(daemon) as one:
        found = one.result("server/discover", _meta=MODERN)
        assert "2026-07-28" in found["supportedVersions"] and found["resultType"] == "complete"
        listed = one.result("tools/list", _meta=MODERN)
        assert listed["resultType"] == "complete" and listed["ttlMs"] >= 0 and listed["cacheScope"] == "private"
        assert listed["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "dome"
        ran = one.result("tools/call", name="shell_run", arguments={"script": "echo hi"}, _meta=MODERN)
        assert ran["structuredContent"]["stdout"] == "hi\n" and ran["resultType"] == "complete"
        for method in ("initialize", "ping", "nonsense"):
            assert one.request(method, _meta=MODERN)["error"]["code"] == -32601
        newer = MODERN | {"io.modelcontextprotocol/protocolVersion": "2031-01-01"}
        error = one.request("tools/list", _meta=newer)["error"]
        assert error["code"] == -32022
        assert error["data"] == {"supported": ["2026-07-28"], "requested": "2031-01-01"}
        # Both eras on one connection.
        one.initialize("2025-06-18")
        assert "resultType" not in one.result("tools/list")


def test_a_stream_of_changes_is_acknowledged_and_ends_when_canceled(daemon: Daemon) -> None:
    with bridge(daemon) as one:
        one.send({"jsonrpc": "2.0", "id": 7, "method": "subscriptions/listen", "params": {"_meta": MODERN}})
        acknowledged = json.loads(one.line())
        assert acknowledged["method"] == "notifications/subscriptions/acknowledged"
        assert acknowledged["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"] == 7
        one.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}})
        assert one.result("server/discover", _meta=MODERN)
