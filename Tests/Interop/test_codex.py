"""The real codex-cli, set up by `dome install codex`, with a scripted model: how it finds, calls and follows dome's
tools in each of its modes, and what reaches the model when something goes wrong."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest

from domekit.codex import CODE, Codex, answer, tools
from domekit.daemon import Daemon
from domekit.scripted_model import ScriptedModel, Step, call, outputs, say

DOME = "mcp__dome"


@pytest.fixture
def codex(new_daemon: Callable[..., Daemon]) -> Codex:
    """codex in an empty home; nothing runs yet."""
    return Codex(new_daemon())


def shell(script: str, number: int = 1, **more: Any) -> dict[str, Any]:
    return call("shell_run", {"script": script, **more}, namespace=DOME, number=number)


def ready(step: Step) -> Step:
    """codex begins its first turn a second after it started dome, whether that has answered or not; on a busy machine
    the tools come with the next."""

    def waiting(request: dict[str, Any]) -> list[dict[str, Any]] | None:
        return step(request) if DOME in tools(request) else None

    return waiting


def again(seen: list[Any], **item: Any) -> list[dict[str, Any]]:
    """A call that is made until it brings what is wanted, as the tools may not be there at first."""
    assert len(seen) < 50, seen[-1]
    if seen:
        time.sleep(0.2)
    return [item | {"id": f"i{len(seen)}", "call_id": f"c{len(seen)}"}]


def run(codex: Codex, *steps: Step, name: str | None = None, more: str = "") -> tuple[ScriptedModel, str]:
    """Runs a session of `steps`, with the plugin unless `more` sets codex up in another way."""
    with ScriptedModel(*steps) as model:
        codex.configure(model, **({"name": name} if name else {}), more=more)
        installed = codex.daemon.dome("install", "codex" if not more else "claude")
        assert installed.returncode == 0 and "will find" in installed.stdout, installed
        return model, codex.run(model)


def test_one_command_in_an_empty_home_and_codex_runs_dome(codex: Codex) -> None:
    (codex.work / "file").write_text("a needle in here\n")
    search = {"pattern": "needle", "path": str(codex.work)}
    model, said = run(
        codex,
        ready(lambda request: [call("text_search", search, namespace=DOME)]),
        lambda request: [shell("uname; id -u", number=2)],
        lambda request: [say(answer(request, 0)["stdout"] + answer(request, 1)["stdout"])],
    )
    assert '"text":"a needle in here"' in said and "Linux" in said
    offered = tools(model.requests[-1])[DOME]
    assert {"text_search", "shell_run", "dome_run", "dome_follow"} <= set(offered)
    # The skill is announced, and can be read where it says.
    assert "dome:dome: Run commands" in json.dumps(model.requests[0]["input"])
    job = answer(model.requests[-1])["job_id"]
    shown = json.loads(codex.daemon.dome("job", "show", job, "-o", "json").stdout)
    stated = shown["provenance_document"]["invocation"]["stated_caller"]
    assert stated["client"]["name"].startswith("codex") and "0.163" in json.dumps(stated)
    assert "thread" in json.dumps(stated["meta"]).lower()


def test_tools_behind_a_search_are_found_by_its_words(codex: Codex) -> None:
    def step(request: dict[str, Any]) -> list[dict[str, Any]]:
        assert DOME not in tools(request)
        seen = outputs(request)
        if seen and seen[-1]["type"] == "function_call_output":
            return [say(answer(request)["stdout"])]
        found = [space for one in seen for space in one["tools"] if space["name"] == DOME]
        if found:
            assert "text_search" in [one["name"] for one in found[-1]["tools"]]
            return [shell("echo found", number=99)]
        return again(seen, type="tool_search_call", execution="client", arguments={"query": "search files", "limit": 4})

    assert run(codex, step, more=codex.server())[1] == "found\n\n"


def test_a_program_of_the_model_calls_tools_and_reads_their_documents(codex: Codex) -> None:
    code = """
        const run = await tools.mcp__dome__shell_run({script: 'echo from code; exit 5'});
        const all = await tools.mcp__dome__dome_search_tools({query: ''});
        text(run.structuredContent.stdout + run.structuredContent.exit_code + all.structuredContent.ok);
    """

    def step(request: dict[str, Any]) -> list[dict[str, Any]]:
        seen = outputs(request)
        if "from code\\n5true" in json.dumps([one["output"] for one in seen]):
            return [say("read it")]
        return again(seen, type="custom_tool_call", name="exec", input=code)

    assert run(codex, step, name=CODE)[1] == "read it\n"


def test_a_failing_tool_tells_the_model_why_and_what_to_do(codex: Codex) -> None:
    model, _ = run(
        codex,
        ready(lambda request: [shell("echo oh no >&2; exit 3")]),
        lambda request: [call("dome_run", {"tool_id": "no.such"}, namespace=DOME, number=2)],
        lambda request: [say("done")],
    )
    failed, missing = answer(model.requests[-1], 0), answer(model.requests[-1], 1)
    assert (failed["ok"], failed["exit_code"], failed["stderr"]) == (False, 3, "oh no\n") and failed["hint"]
    assert (missing["ok"], missing["code"]) == (False, "E_NOT_FOUND") and "dome_search_tools" in missing["hint"]


def test_a_job_longer_than_the_time_out_is_followed_to_its_end(codex: Codex) -> None:
    """codex gives the call up after a second; the job goes on, and the model finds and follows it."""
    text: list[str] = []

    def find(request: dict[str, Any]) -> list[dict[str, Any]]:
        assert "timed out" in json.dumps(outputs(request)[0]["output"])
        return [call("dome_job_status", {"limit": 1}, namespace=DOME, number=2)]

    def follow(request: dict[str, Any]) -> list[dict[str, Any]]:
        last = answer(request)
        job, since = last.get("job_id"), last.get("next_seq", 0)
        if job is None:
            job = last["jobs"][0]["job_id"]
        else:
            text.append(last["stdout"])
            if last["state"] != "running":
                return [say("".join(text))]
        arguments = {"job_id": job, "since_seq": since, "wait_s": 0.4}
        return [call("dome_follow", arguments, namespace=DOME, number=len(text) + 3)]

    more = codex.server('omit_tools_from = ["deferred"]\ntool_timeout_sec = 1\n')
    script = "for i in 1 2 3 4 5; do echo $i; sleep 0.5; done"
    _, said = run(codex, ready(lambda request: [shell(script)]), find, follow, more=more)
    assert said == "1\n2\n3\n4\n5\n\n"


def test_a_daemon_killed_between_calls_is_not_missed(codex: Codex) -> None:
    codex.daemon.start()

    def killed(request: dict[str, Any]) -> list[dict[str, Any]]:
        codex.daemon.kill9()
        return [shell("echo two", number=2)]

    first = ready(lambda request: [shell("echo one")])
    model, _ = run(codex, first, killed, lambda request: [say("done")])
    assert [answer(model.requests[-1], n)["stdout"] for n in (0, 1)] == ["one\n", "two\n"]


def test_two_sessions_at_once_share_a_daemon(codex: Codex) -> None:
    with ScriptedModel(
        ready(lambda request: [say("done") if outputs(request) else shell("sleep 0.5; echo here")])
    ) as model:
        codex.configure(model)
        assert codex.daemon.dome("install", "codex").returncode == 0
        sessions = [
            subprocess.Popen(
                codex.command("go"),
                env=codex.daemon.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(2)
        ]
        assert [session.communicate(timeout=110)[0] for session in sessions] == ["done\n", "done\n"]
    assert not model.problems
    finished = [answer(request) for request in model.requests if outputs(request)]
    assert [one["stdout"] for one in finished] == ["here\n", "here\n"]
    assert len({one["job_id"] for one in finished}) == 2 and len(codex.daemon.pids("domed")) == 1
