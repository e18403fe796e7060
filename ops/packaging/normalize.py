#!/usr/bin/env python3
"""normalize.py PROGRAM…: takes out of stripped programs and libraries what depends on the folder in which they were
built, so that the same commit gives the same bytes anywhere.

That is Swift's hash of each module (section .swift_modhash), which is over the sources' absolute paths, too, and which
nothing reads in a program; and the linker's build id, which was over debug information that is not there any more. It
becomes the hash of what is shipped."""

from __future__ import annotations

import hashlib
import struct
import sys
from pathlib import Path

MODULE_HASHES = b".swift_modhash"
BUILD_ID = b".note.gnu.build-id"
NOTE_NAME = b"GNU\0"
NT_GNU_BUILD_ID = 3


def sections(image: bytearray) -> dict[bytes, tuple[int, int]]:
    """Name → offset and size; elf(5), 64 bits, little-endian."""
    if image[:6] != b"\x7fELF\x02\x01":
        raise SystemExit("normalize: not a little-endian 64-bit ELF file")
    (table,) = struct.unpack_from("<Q", image, 0x28)
    entry_size, count, names_index = struct.unpack_from("<HHH", image, 0x3A)
    headers = [struct.unpack_from("<IIQQQQ", image, table + index * entry_size) for index in range(count)]
    names = headers[names_index][4]
    found = {}
    for name, _, _, _, offset, size in headers:
        start = names + name
        found[bytes(image[start : image.index(0, start)])] = (offset, size)
    return found


def normalize(image: bytearray) -> None:
    found = sections(image)
    if MODULE_HASHES in found:
        offset, size = found[MODULE_HASHES]
        image[offset : offset + size] = bytes(size)
    if BUILD_ID not in found:
        return
    offset, size = found[BUILD_ID]
    name_size, length, kind = struct.unpack_from("<III", image, offset)
    start = offset + 12 + name_size
    name = image[offset + 12 : start]
    if kind != NT_GNU_BUILD_ID or name != NOTE_NAME or length > 32 or start + length > offset + size:
        raise SystemExit("normalize: an unknown kind of build id")
    image[start : start + length] = bytes(length)
    image[start : start + length] = hashlib.sha256(image).digest()[:length]


def main() -> None:
    for path in map(Path, sys.argv[1:]):
        image = bytearray(path.read_bytes())
        normalize(image)
        # In place: mode and name stay.
        path.write_bytes(image)


if __name__ == "__main__":
    main()
