"""A project's copy in the job, where its tests may write what they like: the project stays as it is."""

from __future__ import annotations

import os
import shutil
from typing import Any

from toolkit import Refusal, shown

COPY = b"/job/work"
COPY_BYTES = 1 << 30
# Of what Swift puts into .build, what came from elsewhere; what it made does not work in another place.
FETCHED = (b"checkouts", b"repositories", b"artifacts", b"workspace-state.json")


def copied(folder: bytes) -> bytes:
    """Where the copy is."""
    total = 0
    for place, folders, names in os.walk(folder):
        left_out = set(unwanted(place, folders + names, folder))
        folders[:] = [name for name in folders if name not in left_out]
        total += sum(os.lstat(os.path.join(place, name)).st_size for name in names if name not in left_out)
        if total > COPY_BYTES:
            raise Refusal(f"{shown(folder)} has more than {COPY_BYTES >> 30} GiB: grant fs.write and say \"in_place\"")
    try:
        shutil.copytree(folder, COPY, symlinks=True, ignore=lambda place, names: unwanted(place, names, folder))
    except shutil.Error as error:
        name, _, why = error.args[0][0]
        raise Refusal(f"{shown(os.fsencode(name))} cannot be copied: {str(why)[:300]}") from None
    return COPY


def unwanted(place: Any, names: list[Any], root: bytes) -> list[Any]:
    """What is not copied: the repository's own folder, what is made anew, FIFOs and sockets."""
    place = os.fsencode(place)
    return [name for name in names if is_unwanted(place, os.fsencode(name), root)]


def is_unwanted(place: bytes, name: bytes, root: bytes) -> bool:
    path = os.path.join(place, name)
    if name == b".git" and place == root:
        return True
    if name == b"target" and os.path.isfile(os.path.join(place, b"Cargo.toml")):
        return os.path.isfile(os.path.join(path, b"CACHEDIR.TAG"))
    above, last = os.path.split(place)
    if last == b".build" and os.path.isfile(os.path.join(above, b"Package.swift")):
        return name not in FETCHED
    return not (os.path.islink(path) or os.path.isfile(path) or os.path.isdir(path))
