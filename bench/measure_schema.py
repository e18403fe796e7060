"""JSON Schema: one schema and one document, held against each other by dome, jsonschema and jsonschema_rs.

Compared is validation in one process each, nothing else: dome's in `bench-schema`, the two Python libraries in this
one. `parsed`: the document as each one's own value (dome: its tree and, in a row of its own, the `JSONValue` that the
daemon holds; Python: dicts and lists, which jsonschema_rs reads from Python's objects as it goes). `from bytes`:
parsing included, for the Python libraries by orjson, which is the fastest there is for them.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from samples import Row, Section
from world import BenchError, World, guarded


def documents() -> tuple[Any, Any]:
    """A schema with 200 keywords, and a document of 10 kB that fits it."""
    item = {
        "type": "object",
        "required": ["id", "name", "kind", "tags", "size", "owner"],
        "additionalProperties": False,
        "properties": {
            "id": {"type": "integer", "minimum": 1, "maximum": 10**9},
            "name": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[a-z][a-z0-9-]*$"},
            "kind": {"enum": ["file", "folder", "link", "socket"]},
            "tags": {"type": "array", "items": {"type": "string", "maxLength": 16}, "uniqueItems": True, "maxItems": 8},
            "size": {"type": "number", "minimum": 0, "exclusiveMaximum": 1e12},
            "owner": {"$ref": "#/$defs/person"},
            "state": {"anyOf": [{"const": "new"}, {"const": "kept"}, {"type": "null"}]},
            "place": {"$ref": "#/$defs/place"},
        },
        "dependentRequired": {"place": ["state"]},
    }
    definitions: dict[str, Any] = {
        "person": {
            "type": "object",
            "required": ["name", "mail"],
            "properties": {"name": {"type": "string", "minLength": 1}, "mail": {"type": "string", "pattern": "@"}},
            "additionalProperties": False,
        },
        "place": {
            "type": "array",
            "prefixItems": [{"type": "number", "minimum": -90, "maximum": 90}, {"type": "number"}],
            "items": False,
            "minItems": 2,
        },
        "item": item,
    }
    options = {
        f"option_{n}": {"type": "integer", "minimum": 0, "maximum": 100 + n, "description": "One of many."}
        for n in range(33)
    }
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["version", "items"],
        "$defs": definitions,
        "properties": {
            "version": {"const": 2},
            "items": {"type": "array", "items": {"$ref": "#/$defs/item"}, "minItems": 1, "maxItems": 1000},
            "options": {"type": "object", "properties": options, "additionalProperties": False},
        },
        "patternProperties": {"^x-": {"type": "string"}},
        "additionalProperties": False,
        "if": {"required": ["options"]},
        "then": {"properties": {"options": {"minProperties": 1}}},
    }
    items = [
        {
            "id": n + 1,
            "name": f"item-{n}",
            "kind": ["file", "folder", "link", "socket"][n % 4],
            "tags": [f"tag{n % 7}", "shared", f"t{n}"],
            "size": n * 1024.5,
            "owner": {"name": f"Owner {n % 5}", "mail": f"owner{n % 5}@example.com"},
            "state": ["new", "kept", None][n % 3],
            "place": [48.1 + n / 100, 11.5],
        }
        for n in range(54)
    ]
    document = {"version": 2, "items": items, "options": {f"option_{n}": n for n in range(33)}, "x-note": "a bench"}
    return schema, document


def keywords(schema: Any) -> int:
    """How many keywords a schema has, names of members left out."""
    if isinstance(schema, list):
        return sum(map(keywords, schema))
    if not isinstance(schema, dict):
        return 0
    count = len(schema)
    for name, value in schema.items():
        if name in ("properties", "$defs", "patternProperties"):
            count += sum(map(keywords, value.values()))
        elif name not in ("const", "enum", "required", "dependentRequired"):
            count += keywords(value)
    return count


def section(world: World, usual: int) -> Section:
    import jsonschema
    import jsonschema_rs
    import orjson

    schema, document = documents()
    text = json.dumps(document, separators=(",", ":")).encode()
    made = Section(f"JSON Schema: {keywords(schema)} keywords, a document of {len(text)} bytes, valid")
    python = jsonschema.Draft202012Validator(schema)
    rust = jsonschema_rs.Draft202012Validator(schema)
    rounds = world.count(usual)
    peer = made.row("jsonschema (Python), parsed", "us")
    quick = made.row("jsonschema_rs, parsed", "us", baseline=peer.name)
    tree = made.row("dome, parsed (tree)", "us", baseline=quick.name, target=("ratio <=", 1.5))
    value = made.row("dome, parsed (JSONValue)", "us", baseline=quick.name, target=("ratio <=", 1.5))
    slow = made.row("dome over jsonschema (Python), parsed", "us", baseline=peer.name, target=("ratio <=", 0.05))
    peer_bytes = made.row("jsonschema (Python), from bytes", "us")
    quick_bytes = made.row("jsonschema_rs, from bytes", "us", baseline=peer_bytes.name)
    whole = made.row("dome, from bytes", "us", baseline=quick_bytes.name, target=("ratio <=", 1.5))

    def run() -> None:
        # Side by side: the load of the machine is the same for all.
        for _ in range(4):
            _time(peer, max(rounds // 100, 3), 1, lambda: python.is_valid(document))
            _time(quick, rounds, 10, lambda: rust.is_valid(document))
            _time(peer_bytes, max(rounds // 100, 3), 1, lambda: python.is_valid(orjson.loads(text)))
            _time(quick_bytes, rounds, 10, lambda: rust.is_valid(orjson.loads(text)))
            report = _own(world, schema, text, rounds)
            for row, name in ((tree, "tree"), (value, "value"), (slow, "value"), (whole, "bytes")):
                row.samples += [nanoseconds / 1000 for nanoseconds in report[name]]

    guarded(tree, run)
    made.compare()
    return made


def _time(row: Row, rounds: int, times: int, action: Callable[[], bool]) -> None:
    for _ in range(rounds):
        began = time.perf_counter()
        for _ in range(times):
            if not action():
                raise BenchError(f"{row.name}: says that the document does not fit")
        row.samples.append((time.perf_counter() - began) * 1e6 / times)


def _own(world: World, schema: Any, text: bytes, rounds: int) -> dict[str, list[float]]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "schema.json").write_text(json.dumps(schema))
        (Path(folder) / "document.json").write_bytes(text)
        command = [world.daemon.bin / "bench-schema", f"{folder}/schema.json", f"{folder}/document.json", str(rounds)]
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if result.returncode != 0 or '"tree":null' in result.stdout:
        raise BenchError(f"bench-schema: {result.stdout[-300:]}{result.stderr[-300:]}")
    report: dict[str, list[float]] = json.loads(result.stdout)
    return report
