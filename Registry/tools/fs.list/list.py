"""fs.list: what is in a folder, in order, to a depth. Links are named and not followed."""

from __future__ import annotations

import heapq
import os
import re
import stat
import time
from fnmatch import translate
from typing import Any

from toolkit import folder_of, main, named

KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}


class Listing:
    """Entries up to a number, and what was left out."""

    def __init__(self, root: bytes, task: dict[str, Any]) -> None:
        self.root = root
        self.left = task.get("max_entries", 1000)
        self.depth = task.get("depth", 1)
        self.hidden = task.get("hidden", True)
        glob = task.get("glob")
        self.pattern = re.compile(translate(glob)) if glob else None
        self.entries: list[dict[str, Any]] = []
        self.is_cut = False
        self.unreadable = 0

    def walk(self, below: bytes = b"", depth: int = 1) -> None:
        try:
            names = self.names(os.path.join(self.root, below) if below else self.root)
        except OSError:
            if depth == 1:
                raise
            self.unreadable += 1
            return
        for name in names:
            if self.is_cut:
                return
            path = below + b"/" + name if below else name
            is_folder = self.add(path, name)
            if is_folder and depth < self.depth:
                self.walk(path, depth + 1)

    def names(self, folder: bytes) -> list[bytes]:
        """The first names in order, as many as can still matter: a folder may have millions. What a pattern leaves out
        matters where there are folders below to look into."""
        with os.scandir(folder) as entries:
            wanted = (
                entry.name
                for entry in entries
                if (self.hidden or not entry.name.startswith(b"."))
                and (self.fits(entry.name) or self.depth > 1 and entry.is_dir(follow_symlinks=False))
            )
            if self.pattern is not None and self.depth > 1:
                return heapq.nsmallest(200_000, wanted)
            return heapq.nsmallest(self.left + 1, wanted)

    def fits(self, name: bytes) -> bool:
        # By characters; a byte that is no UTF-8 counts as one.
        return self.pattern is None or self.pattern.match(os.fsdecode(name)) is not None

    def add(self, path: bytes, name: bytes) -> bool:
        """Whether it is a folder."""
        try:
            status = os.lstat(os.path.join(self.root, path))
        except OSError:
            self.unreadable += 1
            return False
        kind = KINDS.get(stat.S_IFMT(status.st_mode), "other")
        if self.fits(name):
            if self.left == 0:
                self.is_cut = True
                return False
            self.left -= 1
            self.entries.append(self.entry(path, kind, status))
        return kind == "folder"

    def entry(self, path: bytes, kind: str, status: os.stat_result) -> dict[str, Any]:
        entry: dict[str, Any] = named("name", path) | {"type": kind}
        if kind == "file":
            entry |= {"size": status.st_size, "executable": bool(status.st_mode & 0o111)}
        if kind == "link":
            try:
                entry |= named("target", os.readlink(os.path.join(self.root, path)))
            except OSError:
                self.unreadable += 1
        entry["modified"] = moment(status.st_mtime)
        return entry


def moment(seconds: float) -> str:
    """RFC 3339; a time beyond its years is the nearest that it has."""
    at = time.gmtime(min(max(seconds, -62_135_596_800), 253_402_300_799))
    return f"{at.tm_year:04}-{at.tm_mon:02}-{at.tm_mday:02}T{at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02}Z"


def work(task: dict[str, Any]) -> Any:
    listing = Listing(folder_of(task, "path"), task)
    listing.walk()
    return {
        "path": task["path"],
        "entries": listing.entries,
        "truncated": listing.is_cut,
        "unreadable": listing.unreadable,
    }


main(work)
