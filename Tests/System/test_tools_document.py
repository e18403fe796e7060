"""docs/TOOLS.md says of every shipped tool what its manifest says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema

from domekit.daemon import Daemon
from domekit.plugins import tool_ids

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "TOOLS.md").read_text()
MANIFESTS = [json.loads(path.read_text()) for path in sorted((ROOT / "Registry" / "tools").glob("*/tool.json"))]


def row(manifest: dict[str, Any]) -> str:
    """A tool's line in the table."""
    has = [f"`{one}`" for one in manifest.get("permissions", []) if one != "process"]
    has += [f"`{one}` by grant" for one in manifest.get("optional_permissions", [])]
    needs = []
    for kind, names in manifest.get("requires", {}).items():
        assert kind in ("programs", "python", "files"), kind
        needs += [name["package"] for name in names]
    columns = [f"`{manifest['tool_id']}`", manifest["short_description"], ", ".join(has) or "nothing"]
    columns.append(", ".join(needs) or "nothing")
    return "| " + " | ".join(column.replace("|", "\\|") for column in columns) + " |"


def test_the_table_is_that_of_the_manifests() -> None:
    rows = [row(manifest) for manifest in MANIFESTS if manifest["kind"] != "diagnostic"]
    table = DOCUMENT.split("|---|---|---|---|\n")[1].split("\n\n")[0].splitlines()
    assert table == rows, "the table in docs/TOOLS.md is to be:\n" + "\n".join(rows)


def test_every_tool_is_there(shared_daemon: Daemon) -> None:
    missing = [tool for tool in tool_ids(shared_daemon) if f"`{tool}`" not in DOCUMENT]
    assert not missing, missing


def test_every_tool_shows_how_it_is_called() -> None:
    for manifest in MANIFESTS:
        schema = json.loads((ROOT / "Registry" / "tools" / manifest["tool_id"] / "input.schema.json").read_text())
        for example in manifest.get("examples", []):
            jsonschema.Draft202012Validator(schema).validate(example["task"])
        if manifest.get("stdin") == "task":
            assert manifest.get("examples") and manifest.get("annotations"), manifest["tool_id"]
