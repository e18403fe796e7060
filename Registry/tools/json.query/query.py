"""json.query: a jq program over a granted file or a text."""

from __future__ import annotations

import json
import os
from typing import Any

from programs import output_of
from toolkit import Refusal, main, open_file, path_of, write_bytes

ARGUMENT_BYTES = 100_000
FILTER = "/tmp/filter"
DOCUMENT = "/tmp/document"


def command(task: dict[str, Any]) -> list[str]:
    # One line of ASCII for each result, whatever is in it.
    options = ["--ascii-output", "--compact-output"]
    options += ["--slurp"] if task.get("slurp") else []
    options += ["--null-input"] if task.get("null_input") else []
    for name, value in task.get("args", {}).items():
        text = json.dumps(value)
        if len(text) > ARGUMENT_BYTES:
            raise Refusal(f'"args": {name} is longer than {ARGUMENT_BYTES} bytes: give it as the document')
        options += ["--argjson", name, text]
    # By file: a program may begin with a hyphen, and be long.
    with open(FILTER, "wb") as file:
        file.write(task["filter"].encode("utf-8", "replace"))
    return ["jq", *options, "--from-file", FILTER]


def source(task: dict[str, Any]) -> int:
    """The document, open for reading."""
    if "path" in task:
        return open_file(path_of(task))[0]
    if "text" not in task:
        return os.open("/dev/null", os.O_RDONLY)
    with open(DOCUMENT, "wb") as file:
        file.write(task["text"].encode("utf-8", "replace"))
    return os.open(DOCUMENT, os.O_RDONLY)


def work(task: dict[str, Any]) -> None:
    most = task.get("max_bytes", 1 << 20)
    output, is_cut = output_of(command(task), most, source=source(task))
    # Whole lines only; they are JSON already, and stay as jq wrote them.
    lines = output.split(b"\n")[:-1]
    if is_cut and not lines:
        raise Refusal(f'the first result is longer than {most} bytes: ask for less, or raise "max_bytes"')
    end = b'],"truncated":true}' if is_cut else b'],"truncated":false}'
    write_bytes(b'{"results":[' + b",".join(lines) + end)


main(work)
