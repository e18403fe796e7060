"""A tool of the registry that is not what it was when it was first run: quarantined with every difference, in the list,
in the audit log and across restarts, until a person accepts exactly what was shown."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from domekit.auditing import events as audit_events
from domekit.daemon import Daemon, pb2
from domekit.tools import registry, write_script_tool
from domekit.trees import Trees

TOOL = "test.pinned"


@pytest.fixture
def used(new_daemon: Callable[..., Daemon]) -> Daemon:
    """A daemon that has run its tool once."""
    daemon = new_daemon()
    write_script_tool(daemon, TOOL, "exec /bin/sh /job/.tool/run.sh", files=["run.sh"])
    (registry(daemon) / TOOL / "run.sh").write_text("echo first\n")
    daemon.start()
    assert lines(daemon) == [b"first"]
    return daemon


def lines(daemon: Daemon) -> list[bytes]:
    events = daemon.jobs.run(TOOL)
    assert events[-1].payload["to"] == "succeeded", events[-1]
    return [one.line for one in events if one.line]


def change_file(daemon: Daemon, members: dict[str, Any]) -> None:
    """In one step, so that nobody reads half of it; None takes a member out."""
    path = registry(daemon) / TOOL / "tool.json"
    document = json.loads(path.read_text()) | members
    fresh = path.with_name(".fresh")
    fresh.write_text(json.dumps({name: value for name, value in document.items() if value is not None}))
    fresh.rename(path)


def change(daemon: Daemon, **members: Any) -> None:
    """The same while it runs."""
    change_file(daemon, members)
    # Whoever asks has the change looked at.
    descriptor(daemon)


def descriptor(daemon: Daemon) -> Any:
    return daemon.stub().GetTool(pb2.GetToolRequest(tool_id=TOOL), timeout=10).tool


def refusal(daemon: Daemon) -> str:
    reply = daemon.jobs.submit(TOOL)
    assert reply.status.code == pb2.E_POLICY_DENIED and not reply.job_id, reply
    return reply.status.message


def audited(daemon: Daemon, kind: str) -> list[dict[str, Any]]:
    return [event for event in audit_events(daemon) if event["kind"] == kind]


def test_a_changed_manifest_is_quarantined_with_the_difference(used: Daemon) -> None:
    before = descriptor(used)
    assert not before.unavailable and not before.differences
    change(used, limits={"wall_seconds": 9}, version="2.0.0")
    message = refusal(used)
    for part in (f"{TOOL} is quarantined", 'tool.json /version: "1.0.0" → "2.0.0"', f"dome registry accept {TOOL}"):
        assert part in message, message
    after = descriptor(used)
    assert after.material_sha256 != before.material_sha256 and after.unavailable and len(after.differences) == 2
    listed = {one.tool_id: one.unavailable for one in used.stub().ListTools(pb2.ListToolsRequest(), timeout=10).tools}
    assert "is not what it was" in listed[TOOL]
    assert any(TOOL in problem for problem in used.stub().GetStatus(pb2.GetStatusRequest(), timeout=10).problems)
    # Read again and still the same: that is told once.
    change(used)
    refusal(used)
    assert len(audited(used, "tool_quarantined")) == 1
    # What it was is good again, without anybody.
    change(used, limits=None, version="1.0.0")
    assert not descriptor(used).unavailable
    assert lines(used) == [b"first"]


def test_a_changed_program_and_a_changed_schema_are_quarantined_too_and_across_restarts(used: Daemon) -> None:
    folder = registry(used) / TOOL
    (folder / "run.sh").write_text("echo second\n")
    (folder / "input.schema.json").write_text('{"type": "object", "required": ["x"]}')
    descriptor(used)
    used.kill9()
    used.start()
    reply = used.jobs.submit(TOOL, {"x": 1})
    assert reply.status.code == pb2.E_POLICY_DENIED
    assert 'input.schema.json /required: nothing → ["x"]' in reply.status.message
    digest = hashlib.sha256(b"echo second\n").hexdigest()
    assert f"→ {digest}" in reply.status.message and "file run.sh" in reply.status.message


@pytest.mark.parametrize("name", ["input.schema.json", "output.schema.json"])
def test_a_changed_schema_alone_is_enough(used: Daemon, name: str) -> None:
    (registry(used) / TOOL / name).write_text('{"type": ["object", "null"]}')
    # Whoever asks has the change looked at.
    descriptor(used)
    assert f'{name} /type: "object" → ["object","null"]' in refusal(used)


def test_a_person_accepts_what_was_shown_and_nothing_else(used: Daemon) -> None:
    (registry(used) / TOOL / "run.sh").write_text("echo second\n")
    shown = descriptor(used)
    (registry(used) / TOOL / "run.sh").write_text("echo third\n")
    stub = used.stub()
    late = stub.AcceptTool(pb2.AcceptToolRequest(tool_id=TOOL, material_sha256=shown.material_sha256), timeout=10)
    assert late.status.code == pb2.E_INVALID_TRANSITION and "look at it again" in late.status.message
    blind = stub.AcceptTool(pb2.AcceptToolRequest(tool_id=TOOL), timeout=10)
    assert blind.status.code == pb2.E_INVALID_TRANSITION
    refusal(used)
    look = used.dome("registry", "accept", "--show", TOOL)
    assert look.returncode == 0 and "file run.sh: SHA-256" in look.stdout and "accepted" not in look.stdout
    refusal(used)
    done = used.dome("registry", "accept", TOOL)
    assert done.returncode == 0 and "file run.sh: SHA-256" in done.stdout and "accepted as it is now" in done.stdout
    assert lines(used) == [b"third"]
    event = audited(used, "tool_accepted")[-1]
    assert event["tool_id"] == TOOL
    used.restart()
    assert lines(used) == [b"third"]


@pytest.mark.parametrize("damage", ["{", None], ids=["torn", "another's"])
def test_a_tool_whose_pin_cannot_be_read_waits_for_a_person(used: Daemon, damage: str | None) -> None:
    """What it was is not known, so it may be anything; other tools go on."""
    pin = used.state / "registry" / "pins" / f"{TOOL}.json"
    document = json.loads(pin.read_text())
    assert document["name"] == TOOL
    used.stop()
    pin.write_text(damage or json.dumps(document | {"name": "test.other"}))
    (registry(used) / TOOL / "run.sh").write_text("echo second\n")
    used.start()
    message = refusal(used)
    assert "its pin cannot be read" in message and f"dome registry accept {TOOL}" in message
    assert "its pin cannot be read" in descriptor(used).unavailable
    assert any(TOOL in problem for problem in used.stub().GetStatus(pb2.GetStatusRequest(), timeout=30).problems)
    assert used.jobs.run("shell.run", {"argv": ["/bin/true"]})[-1].payload["to"] == "succeeded"
    assert "its pin cannot be read" in used.dome("registry", "accept", TOOL).stdout
    assert lines(used) == [b"second"]
    assert json.loads(pin.read_text())["name"] == TOOL


def test_pins_that_cannot_be_read_at_all_are_not_taken_for_none(used: Daemon) -> None:
    pins = used.state / "registry" / "pins"
    used.stop()
    kept = pins.rename(pins.with_name("kept"))
    pins.write_text("")
    used.start()
    assert "its pin cannot be read" in refusal(used)
    used.stop()
    pins.unlink()
    kept.rename(pins)
    used.start()
    assert lines(used) == [b"first"]


def test_a_tool_of_a_release_is_held_until_the_next_release(new_daemon: Callable[..., Daemon], trees: Trees) -> None:
    """A release brings its own tools along, and nobody else's."""
    daemon = new_daemon()
    daemon.bin = trees.linked(daemon.directory / "programs")
    shipped = daemon.bin.parent / "share" / "dome" / "registry" / "tools" / "job.noop" / "tool.json"
    write_script_tool(daemon, TOOL, "echo first")
    daemon.start()
    assert lines(daemon) == [b"first"]
    assert daemon.jobs.submit("job.noop").status.ok
    daemon.stop()
    # A link to a file that others have, too: replaced, not written to.
    document = json.loads(shipped.read_text()) | {"title": "Another title"}
    shipped.unlink()
    shipped.write_text(json.dumps(document))
    change_file(daemon, {"limits": {"wall_seconds": 9}})
    daemon.start()
    reply = daemon.jobs.submit("job.noop")
    assert reply.status.code == pb2.E_POLICY_DENIED and "/title" in reply.status.message
    refusal(daemon)
    daemon.stop()
    for name in (TOOL, "job.noop"):
        pin = daemon.state / "registry" / "pins" / f"{name}.json"
        pin.write_text(json.dumps(json.loads(pin.read_text()) | {"dome_version": "0.0.1"}))
    daemon.start()
    assert daemon.jobs.submit("job.noop").status.ok
    refusal(daemon)
    # From now on it is held to what this release brought.
    pin = json.loads((daemon.state / "registry" / "pins" / "job.noop.json").read_text())
    assert pin["manifest"]["title"] == "Another title" and pin["dome_version"] != "0.0.1"


def test_a_plugins_tool_is_accepted_with_its_plugin(daemon: Daemon) -> None:
    tool = daemon.stub().GetTool(pb2.GetToolRequest(tool_id="echo.say"), timeout=10).tool
    request = pb2.AcceptToolRequest(tool_id="echo.say", material_sha256=tool.material_sha256)
    reply = daemon.stub().AcceptTool(request, timeout=10)
    assert reply.status.code == pb2.E_INVALID_REQUEST and "dome plugin install" in reply.status.message
    assert not list(Path(daemon.state).glob("registry/pins/*"))


def test_another_name_of_its_folder_is_no_way_around_a_pin(used: Daemon) -> None:
    folder = registry(used) / TOOL
    versioned = folder.with_name(f"{TOOL}@1.0.0")
    (folder / "run.sh").write_text("echo second\n")
    folder.rename(versioned)
    descriptor(used)
    assert "file run.sh: SHA-256" in refusal(used)
    # Another version in the place of the one that is gone waits for a person, too.
    manifest = json.loads((versioned / "tool.json").read_text())
    (versioned / "tool.json").write_text(json.dumps(manifest | {"version": "1.0.1"}))
    newer = versioned.rename(folder.with_name(f"{TOOL}@1.0.1"))
    descriptor(used)
    assert 'tool.json /version: "1.0.0" → "1.0.1"' in refusal(used)
    assert used.dome("registry", "accept", TOOL).returncode == 0
    assert lines(used) == [b"second"]
    # The other way: a folder without a version, which would hide the one that is pinned.
    shutil.copytree(newer, folder)
    (folder / "run.sh").write_text("echo third\n")
    descriptor(used)
    assert "file run.sh: SHA-256" in refusal(used)
    assert used.jobs.submit(f"{TOOL}@1.0.1").status.code == pb2.E_POLICY_DENIED
    # As it was, under whatever name, it is the same tool.
    shutil.rmtree(folder)
    descriptor(used)
    assert lines(used) == [b"second"]


def test_a_version_beside_the_pinned_one_is_a_tool_of_its_own(used: Daemon) -> None:
    folder = registry(used) / TOOL
    newer = folder.with_name(f"{TOOL}@2.0.0")
    shutil.copytree(folder, newer)
    manifest = json.loads((newer / "tool.json").read_text())
    (newer / "tool.json").write_text(json.dumps(manifest | {"version": "2.0.0"}))
    (newer / "run.sh").write_text("echo second\n")
    descriptor(used)
    assert [one.line for one in used.jobs.run(f"{TOOL}@2.0.0") if one.line] == [b"second"]
    assert lines(used) == [b"first"]


def test_nothing_is_accepted_where_one_of_the_tools_is_not_there(used: Daemon) -> None:
    (registry(used) / TOOL / "run.sh").write_text("echo second\n")
    result = used.dome("registry", "accept", TOOL, "test.absent")
    assert result.returncode == 66 and "tool not found: test.absent" in result.stderr
    refusal(used)


def test_a_refused_job_pins_nothing(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    folder = write_script_tool(daemon, TOOL, "echo ran")
    daemon.start()
    assert daemon.jobs.submit(TOOL, "[]").status.code == pb2.E_INVALID_REQUEST
    assert daemon.jobs.submit(TOOL, grants=["net.full"]).status.code == pb2.E_POLICY_DENIED
    assert not list(Path(daemon.state).glob("registry/pins/*"))
    (folder / "input.schema.json").write_text("true")
    descriptor(daemon)
    assert lines(daemon) == [b"ran"]


def test_an_artifact_has_a_content_identifier(daemon: Daemon) -> None:
    job = daemon.jobs.start("shell.run", {"script": "mkdir out; printf 'hello world' >out/a"})
    list(daemon.jobs.follow(job))
    listed = json.loads(daemon.dome("artifacts", job, "-o", "json").stdout)["artifacts"]
    code = b"\x01\x55\x12\x20" + hashlib.sha256(b"hello world").digest()
    assert [one["cid"] for one in listed] == ["b" + base64.b32encode(code).decode().lower().rstrip("=")]
