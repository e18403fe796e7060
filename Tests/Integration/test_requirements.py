"""What a tool declares to need of the machine: where it is missing, the tool is listed as unavailable with the package,
and refused by name before anything runs; once it is there, the tool runs without a restart."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from domekit.daemon import Daemon, pb2
from domekit.mcp import bridge
from domekit.tools import write_script_tool, write_tool
from domekit.trees import Trees

NEEDED = {"programs": [{"name": "no-such-program", "package": "some-package"}]}
WORDS = "needs no-such-program: install the package some-package"


@pytest.fixture
def lacking(new_daemon: Callable[..., Daemon]) -> Daemon:
    """A daemon with a tool that lacks something, and one that does not."""
    daemon = new_daemon()
    write_script_tool(daemon, "test.lacking", "echo ran", requires=NEEDED)
    whole = {"programs": [{"name": "none-of-that", "or": ["sh"], "package": "dash"}]}
    write_script_tool(daemon, "test.whole", "echo ran", requires=whole)
    daemon.start()
    return daemon


def test_a_tool_that_lacks_a_program_is_listed_as_unavailable_with_the_package(lacking: Daemon) -> None:
    stub = lacking.stub()
    listed = {one.tool_id: one.unavailable for one in stub.ListTools(pb2.ListToolsRequest(), timeout=10).tools}
    assert listed["test.lacking"] == WORDS
    assert listed["test.whole"] == listed["shell.run"] == ""
    assert stub.GetTool(pb2.GetToolRequest(tool_id="test.lacking"), timeout=10).tool.unavailable == WORDS
    documents = stub.GetToolSchema(pb2.GetToolSchemaRequest(tool_id="test.lacking"), timeout=10)
    assert documents.status.ok and documents.unavailable == WORDS


def test_it_is_refused_by_name_and_leaves_no_job(lacking: Daemon) -> None:
    reply = lacking.jobs.submit("test.lacking")
    assert reply.status.code == pb2.E_NOT_FOUND and not reply.job_id
    assert reply.status.message == f"test.lacking is unavailable: it {WORDS}"
    assert not lacking.stub().ListJobs(pb2.ListJobsRequest(), timeout=10).jobs
    assert lacking.jobs.run("test.whole")[-1].payload["to"] == "succeeded"


def test_explaining_names_it_as_an_obstacle(lacking: Daemon) -> None:
    reply = lacking.stub().ExplainSandbox(pb2.ExplainSandboxRequest(tool_id="test.lacking"), timeout=30)
    assert reply.status.ok and not reply.admissible
    assert WORDS in reply.explanation_json


# CI runs as root, where a skip would be a failure.
@pytest.mark.skipif(os.getuid() != 0, reason="a folder of programs that only the daemon sees needs root")
def test_what_is_installed_meanwhile_is_seen_by_the_next_job(new_daemon: Callable[..., Daemon], trees: Trees) -> None:
    daemon = new_daemon()
    daemon.bin = trees.linked(daemon.directory / "programs")
    real = shutil.copytree(daemon.bin, daemon.directory / "programs" / "real", copy_function=os.link)
    (daemon.bin / "domed").unlink()
    mount = "mount -t tmpfs none /usr/local/games && exec"
    (daemon.bin / "domed").write_text(f"#!/bin/sh\nexec unshare --mount sh -c '{mount} \"$0\"' {real}/domed\n")
    (daemon.bin / "domed").chmod(0o755)
    environment = {"PATH": "/usr/local/games:/usr/bin:/bin"}
    write_script_tool(daemon, "test.lacking", "no-such-program", requires=NEEDED, environment=environment)
    daemon.start()
    assert WORDS in daemon.jobs.submit("test.lacking").status.message
    program = Path(f"/proc/{daemon.pid}/root/usr/local/games/no-such-program")
    program.write_text("#!/bin/sh\necho ran\n")
    program.chmod(0o755)
    events = daemon.jobs.run("test.lacking")
    assert [one.line for one in events if one.line] == [b"ran"], events[-1].payload


def test_a_tool_that_needs_something_else_now_is_judged_by_that(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    write_script_tool(daemon, "test.later", "echo ran", requires=NEEDED)
    daemon.start()
    assert daemon.jobs.submit("test.later").status.code == pb2.E_NOT_FOUND
    manifest = {"programs": [{"name": "sh", "package": "dash"}]}
    folder = daemon.data_home / "dome" / "registry" / "tools" / "test.later"
    document = json.loads((folder / "tool.json").read_text())
    (folder / "tool.json").write_text(json.dumps(document | {"requires": manifest}))
    daemon.stub().ListTools(pb2.ListToolsRequest(), timeout=10)
    assert daemon.jobs.run("test.later")[-1].payload["to"] == "succeeded"


def test_a_requirement_that_is_none_costs_the_tool_alone(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    write_tool(daemon, "test.bad", {"entrypoint": {"argv": ["true"]}, "requires": {"programs": ["git"]}})
    daemon.start()
    reply = daemon.jobs.submit("test.bad")
    assert reply.status.code == pb2.E_NOT_FOUND and "requires: programs[0]" in reply.status.message
    assert daemon.jobs.run("job.noop")[-1].payload["to"] == "succeeded"


def test_the_commands_say_so(lacking: Daemon) -> None:
    assert "unavailable: it needs no-such" in lacking.dome("tools").stdout
    assert json.loads(lacking.dome("tool", "show", "test.lacking", "-o", "json").stdout)["unavailable"] == WORDS
    run = lacking.dome("run", "test.lacking")
    assert run.returncode == 66 and WORDS in run.stderr
    assert f"test.lacking {WORDS}" in " ".join(lacking.dome("doctor").stdout.split())


def test_a_model_is_told_and_not_offered_it(lacking: Daemon) -> None:
    with bridge(lacking) as one:
        one.initialize()
        assert lacking.jobs.run("test.whole")[-1].payload["to"] == "succeeded"
        found = one.call("dome_search_tools", query="test lacking")["tools"]
        assert {tool["tool_id"]: tool.get("unavailable") for tool in found}["test.lacking"] == WORDS
        assert one.call("dome_describe_tool", tool_id="test.lacking")["unavailable"] == WORDS
        refused = one.call("dome_run", tool_id="test.lacking")
        assert WORDS in refused["message"] and "Did you mean" not in refused["hint"]
        names = {tool["name"] for tool in one.result("tools/list")["tools"]}
        assert "test_whole" in names and "test_lacking" not in names
