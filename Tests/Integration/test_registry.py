"""The registry as clients see it: pages, search, versions side by side, deprecation, changes while the daemon runs, and
a task's numbers as they were written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from domekit.auditing import events as audit_events
from domekit.daemon import Daemon, pb2
from domekit.mcp import bridge
from domekit.tools import registry, write_script_tool, write_tool
from domekit.waiting import until

PAGE = "Reads a web page and writes its text."


@pytest.fixture
def shop(new_daemon: Callable[..., Daemon]) -> Daemon:
    daemon = new_daemon()
    write_tool(daemon, "test.web", {"diagnostic": "noop", "title": "Read a web page", "short_description": PAGE})
    write_tool(daemon, "test.old", {"diagnostic": "noop", "title": "Read a web page", "deprecated": "Use test.web."})
    daemon.start()
    return daemon


def write_version(daemon: Daemon, tool_id: str, version: str, script: str, **manifest: Any) -> Path:
    """A version of a tool, in a folder of its own beside the others."""
    folder = write_script_tool(daemon, tool_id, script, version=version, **manifest)
    return folder.rename(folder.parent / f"{tool_id}@{version}")


def change(folder: Path, **members: Any) -> None:
    """In one step, so that nobody reads half of it."""
    fresh = folder / ".fresh"
    fresh.write_text(json.dumps(json.loads((folder / "tool.json").read_text()) | members))
    fresh.rename(folder / "tool.json")


def ids(reply: Any) -> list[str]:
    assert reply.status.ok, reply
    return [tool.tool_id for tool in reply.tools]


def test_pages_together_are_the_whole_list_also_while_tools_go(shop: Daemon) -> None:
    stub = shop.stub()
    # In this order: "a.first", one that is shipped, and "archive.next", after which the second page begins.
    for name in ("a.first", "archive.next"):
        write_tool(shop, name, {"diagnostic": "noop"})
    whole = stub.ListTools(pb2.ListToolsRequest(), timeout=10)
    assert whole.total == len(whole.tools) and not whole.next_page_token
    seen: list[str] = []
    token = ""
    while True:
        page = stub.ListTools(pb2.ListToolsRequest(page_size=3, page_token=token), timeout=10)
        assert len(page.tools) <= 3 and page.total == len(whole.tools) - (2 if seen else 0)
        seen += ids(page)
        token = page.next_page_token
        if not token:
            break
        if len(seen) == 3:
            # The one that the next page begins after goes, and one before it: nothing is skipped or comes twice.
            assert seen == ["a.first", "archive.list", "archive.next"]
            for name in ("a.first", "archive.next"):
                shutil.rmtree(registry(shop) / name)
    assert seen == ids(whole)


@pytest.mark.parametrize("token", ["nonsense", "best:1", "id", "best:-1"])
def test_a_page_token_that_is_none_is_refused(shop: Daemon, token: str) -> None:
    reply = shop.stub().ListTools(pb2.ListToolsRequest(page_token=token), timeout=10)
    assert reply.status.code == pb2.E_INVALID_REQUEST and "page_token" in reply.status.message
    token = token.replace("best:1", "id:")
    searched = shop.stub().ListTools(pb2.ListToolsRequest(query="x", page_token=token), timeout=10)
    assert searched.status.code == pb2.E_INVALID_REQUEST


def test_a_search_finds_the_best_first_and_the_deprecated_last(shop: Daemon) -> None:
    stub = shop.stub()
    found = stub.ListTools(pb2.ListToolsRequest(query="reading web pages"), timeout=10)
    assert ids(found)[0] == "test.web" and "test.old" in ids(found) and found.total == len(found.tools)
    first = stub.ListTools(pb2.ListToolsRequest(query="reading web pages", page_size=1), timeout=10)
    second = stub.ListTools(
        pb2.ListToolsRequest(query="reading web pages", page_size=1, page_token=first.next_page_token), timeout=10
    )
    assert ids(first) + ids(second) == ids(found)[:2] and first.total == found.total
    assert ids(stub.ListTools(pb2.ListToolsRequest(query="zebra"), timeout=10)) == []
    assert "query" in stub.ListTools(pb2.ListToolsRequest(query="x" * 5000), timeout=10).status.message
    result = shop.dome("tools", "search", "web", "page", "-o", "json")
    assert json.loads(result.stdout)["tools"][0]["tool_id"] == "test.web"
    assert shop.dome("tools", "search", "zebra").returncode == 66
    with bridge(shop) as one:
        one.initialize()
        tools = one.call("dome_search_tools", query="read web page")["tools"]
        assert tools[0]["tool_id"] == "test.web"
        assert [tool.get("deprecated") for tool in tools if tool["tool_id"] == "test.old"] == ["Use test.web."]


def test_whoever_runs_a_deprecated_tool_is_told_what_to_use(shop: Daemon) -> None:
    reply = shop.jobs.submit("test.old")
    assert reply.status.ok and "test.old 1.0.0 is deprecated: Use test.web." in reply.status.message
    listed = {tool.tool_id: tool.deprecated for tool in shop.stub().ListTools(pb2.ListToolsRequest(), timeout=10).tools}
    assert listed["test.old"] == "Use test.web." and listed["test.web"] == ""


def test_versions_lie_side_by_side_and_keep_their_jobs(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    write_version(daemon, "test.many", "1.0.0", "echo one")
    write_version(daemon, "test.many", "1.10.0", "echo ten")
    daemon.start()
    stub = daemon.stub()
    tool = stub.GetTool(pb2.GetToolRequest(tool_id="test.many"), timeout=10).tool
    assert tool.version == "1.10.0" and list(tool.versions) == ["1.10.0", "1.0.0"]
    assert stub.GetTool(pb2.GetToolRequest(tool_id="test.many@1.0.0"), timeout=10).tool.version == "1.0.0"
    assert [one.line for one in daemon.jobs.run("test.many") if one.line] == [b"ten"]
    events = daemon.jobs.run("test.many@1.0.0")
    assert [one.line for one in events if one.line] == [b"one"]
    missing = daemon.jobs.submit("test.many@2.0.0")
    assert missing.status.code == pb2.E_NOT_FOUND and "its versions are 1.10.0, 1.0.0" in missing.status.message
    names = {job.tool_id for job in stub.ListJobs(pb2.ListJobsRequest(), timeout=10).jobs}
    assert names == {"test.many", "test.many@1.0.0"}


def test_who_watches_is_told_what_came_went_and_changed(shop: Daemon) -> None:
    events = shop.stub().WatchTools(pb2.WatchToolsRequest(), timeout=120)
    first = next(events)
    assert not first.added and not first.changed and not first.removed

    def told(member: str, tool_id: str) -> Any:
        """The next message that says so: one that was half written may have been told of before."""
        for event in events:
            for one in getattr(event, member):
                if (one if isinstance(one, str) else one.tool_id) == tool_id:
                    return one
        raise AssertionError("the stream has ended")

    folder = write_tool(shop, "test.new", {"diagnostic": "noop"})
    assert told("added", "test.new").title == "A test's tool"
    change(folder, title="Another title")
    assert told("changed", "test.new").title == "Another title"
    shutil.rmtree(folder)
    told("removed", "test.new")
    events.cancel()

    def recorded() -> bool:
        leaves = [json.loads(event["leaf_json"]) for event in audit_events(shop) if event["kind"] == "registry"]
        changes = [leaf["details"] for leaf in leaves]
        return {"added": ["test.new"]} in changes and {"removed": ["test.new"]} in changes

    until(recorded, "both changes in the audit log")


def test_a_place_that_comes_to_be_is_looked_into(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon().start()
    stub = daemon.stub()
    assert stub.GetTool(pb2.GetToolRequest(tool_id="test.own"), timeout=10).status.code == pb2.E_NOT_FOUND
    # The configuration's registry comes before the data folder's.
    theirs = write_tool(daemon, "test.own", {"diagnostic": "noop", "title": "Of the data folder"})
    ours = daemon.config_home / "dome" / "registry" / "tools"
    ours.mkdir(parents=True)
    shutil.copytree(theirs, ours / "test.own")
    change(ours / "test.own", title="Of the configuration")
    assert stub.GetTool(pb2.GetToolRequest(tool_id="test.own"), timeout=10).tool.title == "Of the configuration"
    # A broken one does not hide the other.
    (ours / "test.own" / "tool.json").write_text("{")
    assert stub.GetTool(pb2.GetToolRequest(tool_id="test.own"), timeout=10).tool.title == "Of the data folder"
    problems = stub.GetStatus(pb2.GetStatusRequest(), timeout=10).problems
    assert any(str(ours / "test.own") in problem for problem in problems)


def test_the_variable_names_registries_that_come_first(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    folders = [daemon.make_folder(name) for name in ("first", "second")]
    daemon.environment["DOME_REGISTRY_PATH"] = f"{folders[0]}:not/absolute:{folders[1]}"
    own = write_tool(daemon, "test.own", {"diagnostic": "noop", "title": "Of the data folder"})
    for folder in folders:
        shutil.copytree(own, folder / "tools" / "test.own")
        change(folder / "tools" / "test.own", title=f"Of the {folder.name}")
    daemon.start()
    stub = daemon.stub()
    for place in ("first", "second"):
        tool = stub.GetTool(pb2.GetToolRequest(tool_id="test.own"), timeout=10).tool
        assert tool.title == f"Of the {place}"
        shutil.rmtree(daemon.directory / place / "tools" / "test.own")
    tool = stub.GetTool(pb2.GetToolRequest(tool_id="test.own"), timeout=10).tool
    assert tool.title == "Of the data folder"


def test_a_tool_hands_out_nothing_of_the_users_by_a_link(new_daemon: Callable[..., Daemon]) -> None:
    """Every job finds its tool's files without a grant."""
    daemon = new_daemon()
    (daemon.home / "key").write_text("secret")
    folder = write_script_tool(daemon, "test.thief", "cat /job/.tool/key", files=["key"])
    (folder / "key").symlink_to(daemon.home / "key")
    daemon.start()
    reply = daemon.jobs.submit("test.thief")
    assert reply.status.code == pb2.E_NOT_FOUND and not reply.job_id
    assert f"key is a link that leads to {daemon.home}/key" in reply.status.message
    (folder / "key").unlink()
    (folder / "key").write_text("own")
    assert daemon.stub().GetTool(pb2.GetToolRequest(tool_id="test.thief"), timeout=10).status.ok
    assert [one.line for one in daemon.jobs.run("test.thief") if one.line] == [b"own"]


def test_a_place_that_cannot_be_one_is_named(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon(environment={"DOME_REGISTRY_PATH": "some/registry::/nowhere/registry"}).start()
    problems = daemon.stub().GetStatus(pb2.GetStatusRequest(), timeout=30).problems
    assert any('"some/registry" is not absolute' in problem for problem in problems), problems
    found = daemon.dome("doctor").stdout
    assert '"some/registry" is not absolute' in found
    assert 'DOME_REGISTRY_PATH names /nowhere/registry, which has no folder "tools"' in found


def test_a_registry_that_comes_whole_is_told_in_pieces(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    source = write_tool(daemon, "test.source", {"diagnostic": "noop"})
    daemon.start()
    events = daemon.stub().WatchTools(pb2.WatchToolsRequest(), timeout=120)
    next(events)
    # Built beside the places that are looked in, and put there in one step.
    made = daemon.directory / "made"
    manifest = json.loads((source / "tool.json").read_text())
    for number in range(1_200):
        folder = made / f"test.n{number}"
        folder.mkdir(parents=True)
        (folder / "input.schema.json").write_text("true")
        (folder / "tool.json").write_text(json.dumps(manifest | {"tool_id": folder.name}))
    own = daemon.config_home / "dome" / "registry"
    own.mkdir(parents=True)
    made.rename(own / "tools")
    assert daemon.stub().ListTools(pb2.ListToolsRequest(page_size=1), timeout=60).total >= 1_200
    told: list[int] = []
    while sum(told) < 1_200:
        told.append(len(next(events).added))
    assert max(told) == 500 and sum(told) == 1_200
    events.cancel()


def test_a_tasks_numbers_reach_schema_and_tool_as_they_were_written(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    exact = "0.1000000000000000055511151231257827"
    schema = {"type": "object", "properties": {"n": {"type": "number", "exclusiveMinimum": 9007199254740992}}}
    folder = write_script_tool(daemon, "test.exact", 'cat "$DOMED_TASK_FILE"')
    (folder / "input.schema.json").write_text(json.dumps(schema))
    daemon.start()
    # Both round to the double 2^53.
    assert daemon.jobs.submit("test.exact", '{"n":9007199254740992.0}').status.code == pb2.E_INVALID_REQUEST
    events = daemon.jobs.run("test.exact", '{"n":9007199254740992.5,"m":' + exact + "}")
    assert [one.line for one in events if one.line] == [b'{"n":9007199254740992.5,"m":' + exact.encode() + b"}"]
    # Tasks that doubles cannot tell apart are two.
    again = [daemon.jobs.submit("test.exact", '{"n":9007199254740992.%d}' % n, key="one") for n in (5, 6, 5)]
    assert again[0].status.ok and again[2].status.message.startswith("replayed")
    assert again[1].status.code == pb2.E_IDEMPOTENCY_KEY_REUSED


def test_the_lint_finds_what_ships_in_order_and_names_what_is_not(shop: Daemon) -> None:
    result = shop.dome("registry", "lint", "-o", "json", str(registry(shop).parent))
    report = json.loads(result.stdout)
    assert result.returncode == 0 and report["errors"] == 0 and report["tools"] == 2
    finding = next(one for one in report["findings"] if one["rule"] == "examples")
    assert finding["file"].endswith("/tool.json") and finding["pointer"] == "/examples" and finding["remedy"]
    assert shop.dome("registry", "lint", "--strict", str(registry(shop).parent)).returncode == 1
    change(registry(shop) / "test.web", examples=[{"title": "Bad", "task": 7}])
    text = shop.dome("registry", "lint", str(registry(shop).parent))
    assert text.returncode == 1 and "error example-fits" in text.stdout and "1 errors" in text.stdout
    assert shop.dome("registry", "lint", str(shop.directory)).returncode == 66
