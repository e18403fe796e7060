"""What is measured of a large registry: lists, searches, and one manifest of many that changes."""

from __future__ import annotations

import json
import os
import random
import shutil
import time
from pathlib import Path
from typing import Any

from domekit.daemon import pb2
from domekit.tools import registry
from samples import Row, Section
from world import BenchError, World, guarded

MANY = int(os.environ.get("DOME_BENCH_TOOLS", "10000"))
WORDS = (
    "read write list find search convert count merge split check page text file image table commit branch "
    "folder archive message user report chart number date unit house street river garden letter window "
    "paper engine signal driver"
).split()
QUESTIONS = ["read a web page", "search text in files", "list the commits of a branch", "convert image", "windows"]


def section(world: World) -> Section:
    section = Section(f"A registry of {MANY} tools")
    rows = {
        "search": section.row("ListTools with a query, 20 tools", "ms", target=("p50 <=", 5)),
        "reload": section.row("one manifest written, until GetTool has it", "ms", target=("p50 <=", 10)),
        "watch": section.row("one manifest written, until WatchTools tells", "ms", target=("p50 <=", 10)),
        "list": section.row("ListTools in one page", "ms"),
        "pages": section.row("ListTools in pages of 1000", "ms"),
        "first": section.row("the first list after they came", "ms"),
    }
    guarded(rows["search"], lambda: _measure(world, rows))
    return section


def _write(folder: Path, tool_id: str, words: list[str]) -> dict[str, Any]:
    manifest = {
        "tool_id": tool_id, "version": "1.0.0", "kind": "bench", "title": " ".join(words[:3]).capitalize(),
        "short_description": " ".join(words[3:9]).capitalize() + ".", "description": " ".join(words) + ".",
        "diagnostic": "noop",
    }
    names = [f"{words[0]}_{words[1]}", words[2]]
    schema = {"type": "object", "properties": {name: {"type": "string", "description": words[4]} for name in names}}
    folder.mkdir()
    (folder / "tool.json").write_text(json.dumps(manifest))
    (folder / "input.schema.json").write_text(json.dumps(schema))
    return manifest


def _measure(world: World, rows: dict[str, Row]) -> None:
    place = registry(world.daemon)
    stub = world.daemon.stub()
    choice = random.Random(7)
    made: list[Path] = []
    manifest: dict[str, Any] = {}

    def timed(row: str, body: Any) -> Any:
        began = time.perf_counter()
        answer = body()
        rows[row].samples.append((time.perf_counter() - began) * 1e3)
        return answer

    try:
        for number in range(MANY):
            made.append(place / f"bench.tool{number:05}")
            manifest = _write(made[-1], made[-1].name, choice.choices(WORDS, k=24))
        whole = timed("first", lambda: stub.ListTools(pb2.ListToolsRequest(), timeout=120))
        if len(whole.tools) < MANY:
            raise BenchError(f"only {len(whole.tools)} tools are listed")
        stub.ListTools(pb2.ListToolsRequest(query="anything"), timeout=60)
        for number in range(world.count(100)):
            query = pb2.ListToolsRequest(query=QUESTIONS[number % len(QUESTIONS)], page_size=20)
            timed("search", lambda query=query: stub.ListTools(query, timeout=60))
        for _ in range(world.count(10)):
            timed("list", lambda: stub.ListTools(pb2.ListToolsRequest(), timeout=60))
            timed("pages", lambda: _pages(stub))
        _changes(world, stub, rows, made[-1] / "tool.json", manifest)
    finally:
        for folder in made:
            shutil.rmtree(folder, ignore_errors=True)
        stub.ListTools(pb2.ListToolsRequest(), timeout=120)


def _pages(stub: Any) -> None:
    token = ""
    while True:
        page = stub.ListTools(pb2.ListToolsRequest(page_size=1000, page_token=token), timeout=60)
        token = page.next_page_token
        if not token:
            return


def _changes(world: World, stub: Any, rows: dict[str, Row], path: Path, manifest: dict[str, Any]) -> None:
    tool_id = manifest["tool_id"]
    fresh = path.with_name(".fresh")

    def write(title: str) -> float:
        # In one step: a file that is half written is another change.
        fresh.write_text(json.dumps(manifest | {"title": title}))
        began = time.perf_counter()
        fresh.rename(path)
        return began

    for number in range(world.count(50)):
        began = write(f"Round {number}")
        tool = stub.GetTool(pb2.GetToolRequest(tool_id=tool_id), timeout=60).tool
        rows["reload"].samples.append((time.perf_counter() - began) * 1e3)
        if tool.title != f"Round {number}":
            raise BenchError(f"GetTool says {tool.title!r}")
    events = stub.WatchTools(pb2.WatchToolsRequest(), timeout=300)
    next(events)
    for number in range(world.count(50)):
        began = write(f"Watched {number}")
        for event in events:
            if any(one.title == f"Watched {number}" for one in event.changed):
                break
        rows["watch"].samples.append((time.perf_counter() - began) * 1e3)
    events.cancel()
