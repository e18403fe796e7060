"""fs.read: a piece of a file, by bytes or by lines."""

from __future__ import annotations

import os
from typing import Any

from toolkit import Refusal, content, main, open_file, path_of, whole_characters

STEP = 1 << 20


def exactly(handle: int, offset: int, size: int) -> bytes:
    """As many bytes as there are, up to `size`."""
    pieces = []
    while size > 0:
        piece = os.pread(handle, min(size, STEP), offset)
        if not piece:
            break
        pieces.append(piece)
        offset += len(piece)
        size -= len(piece)
    return b"".join(pieces)


def start_of_line(handle: int, line: int) -> int:
    """The offset at which the line begins, counted from 1."""
    offset, passed = 0, 1
    while passed < line:
        piece = os.pread(handle, STEP, offset)
        if not piece:
            raise Refusal(f"there is no line {line}: the file has {passed} or fewer")
        count = piece.count(b"\n")
        if passed + count >= line:
            place = -1
            for _ in range(line - passed):
                place = piece.index(b"\n", place + 1)
            return offset + place + 1
        passed += count
        offset += len(piece)
    return offset


def first_lines(data: bytes, count: int) -> bytes:
    """At most `count` lines of the data."""
    place = -1
    for _ in range(count):
        place = data.find(b"\n", place + 1)
        if place < 0:
            return data
    return data[: place + 1]


def work(task: dict[str, Any]) -> Any:
    path = path_of(task)
    most = task.get("max_bytes", 262_144)
    handle, status = open_file(path)
    line = task.get("first_line")
    by_lines = line is not None or "max_lines" in task
    offset = start_of_line(handle, line or 1) if by_lines else task.get("offset", 0)
    data = exactly(handle, offset, most + 1)
    is_cut = len(data) > most
    data = data[:most]
    if "max_lines" in task:
        fewer = first_lines(data, task["max_lines"])
        is_cut = is_cut or len(fewer) < len(data)
        data = fewer
    if is_cut:
        # Not in the middle of a character; of what is no text, every byte counts.
        whole = whole_characters(data)
        data = whole if whole and "text" in content(whole) else data
    result: dict[str, Any] = {"path": task["path"], "size": status.st_size, "offset": offset, "bytes": len(data)}
    result |= content(data)
    result["truncated"] = is_cut
    if is_cut:
        result["next_offset"] = offset + len(data)
    if by_lines:
        result["first_line"] = line or 1
        result["lines"] = data.count(b"\n") + (not data.endswith(b"\n") and data != b"")
        if is_cut and data.endswith(b"\n"):
            result["next_line"] = (line or 1) + result["lines"]
    return result


main(work)
