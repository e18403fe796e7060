"""Where two releases differ: the first file within that is another one."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

# What of an entry counts, besides what is in it.
FIELDS = ("name", "type", "mode", "uid", "gid", "uname", "gname", "mtime", "linkname", "size")


def first_difference(one: Path, other: Path) -> str | None:
    """In words, between two tarballs or Debian packages; None where they are the same, byte for byte."""
    if one.read_bytes() == other.read_bytes():
        return None
    for (part, left), right in zip(parts(one).items(), parts(other).values()):
        if said := _within(left, right):
            return f"{one.name}: {part}{said}"
    return f"{one.name}: its files are the same, and not how they are packed"


def parts(path: Path) -> dict[str, bytes]:
    """The tar archives that it consists of, unpacked, by what to call them."""
    if path.suffix != ".deb":
        command = {"": ["gzip", "-dc", path]}
    else:
        command = {part: ["dpkg-deb", f"--{part.strip(': ')}-tarfile", path] for part in ("fsys: ", "ctrl: ")}
    return {part: subprocess.run(one, check=True, capture_output=True).stdout for part, one in command.items()}


def _entries(data: bytes) -> Iterator[tuple[dict[str, object], bytes]]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isreg() else None
            yield {name: getattr(member, name) for name in FIELDS}, file.read() if file else b""


def _within(one: bytes, other: bytes) -> str | None:
    left, right = list(_entries(one)), list(_entries(other))
    for (fields, content), (others, other_content) in zip(left, right):
        for name in FIELDS:
            if fields[name] != others[name]:
                return f"{fields['name']}: {name} is {fields[name]!r} and {others[name]!r}"
        if content != other_content:
            at = next(place for place, pair in enumerate(zip(content, other_content)) if pair[0] != pair[1])
            around = [text[max(at - 40, 0) : at + 40] for text in (content, other_content)]
            return f"{fields['name']}: from byte {at} on, {around[0]!r} and {around[1]!r}"
    if len(left) != len(right):
        return f"{len(left)} and {len(right)} files"
    return None
