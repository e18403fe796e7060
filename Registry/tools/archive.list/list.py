"""archive.list: what is in a tar or zip archive. Nothing is unpacked to disk, and no name in it is believed."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import stat
import struct
import tarfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from toolkit import Refusal, main, named, open_file, path_of, shown

# What a packed tar may unpack to while it is looked through.
UNPACKED_BYTES = 64 << 30
STEP = 1 << 20
BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, struct.error, ValueError,
          OverflowError, NotImplementedError, OSError, RuntimeError)  # fmt: skip
# By how a file begins: what is known and not read here.
OTHERS = {
    b"7z\xbc\xaf\x27\x1c": "7-Zip", b"Rar!": "RAR", b"\x28\xb5\x2f\xfd": "Zstandard", b"!<arch>\n": "ar (deb)",
    b"\xed\xab\xee\xdb": "RPM", b"MSCF": "Cabinet", b"070701": "cpio", b"070707": "cpio", b"xar!": "xar",
}  # fmt: skip
PACKINGS: dict[bytes, tuple[str, Any]] = {
    b"\x1f\x8b": ("gzip", gzip.open), b"BZh": ("bzip2", bz2.open), b"\xfd7zXZ\0": ("xz", lzma.open),
}  # fmt: skip


class Bounded:
    """An unpacked stream that ends with a refusal instead of never."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.left = UNPACKED_BYTES

    def read(self, size: int = -1) -> bytes:
        data = self.stream.read(STEP if size < 0 else min(size, STEP))
        self.left -= len(data)
        if self.left < 0:
            raise Refusal(f"the archive unpacks to more than {UNPACKED_BYTES >> 30} GiB")
        return data


def leads_out(name: bytes) -> bool:
    """Whether who unpacks it without care writes elsewhere."""
    return name.startswith((b"/", b"\\")) or b".." in name.replace(b"\\", b"/").split(b"/") or name[1:2] == b":"


def entry(name: bytes, kind: str, size: int, modified: str | None) -> dict[str, Any]:
    """`name` as bytes that are UTF-8 where the archive says so."""
    made: dict[str, Any] = named("path", name) | {"type": kind, "size": size}
    if modified is not None:
        made["modified"] = modified
    if leads_out(name):
        made["leads_out"] = True
    return made


def raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def of_tar(file: BinaryIO) -> Iterator[dict[str, Any]]:
    kinds = {tarfile.DIRTYPE: "folder", tarfile.SYMTYPE: "link", tarfile.LNKTYPE: "hard link"}
    with tarfile.open(fileobj=file, mode="r|", errors="surrogateescape") as archive:  # type: ignore[call-overload]
        for member in archive:
            # It keeps all that it has seen; a long archive would not fit.
            archive.members = []
            kind = kinds.get(member.type, "file" if member.isreg() else "other")
            made = entry(raw(member.name), kind, member.size, moment(member.mtime))
            if member.linkname:
                made |= named("target", raw(member.linkname))
            yield made


def moment(seconds: float) -> str | None:
    try:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds)) if 0 <= seconds < 253_402_300_800 else None
    except (OverflowError, ValueError, OSError):
        return None


def of_zip(file: BinaryIO) -> Iterator[dict[str, Any]]:
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            mode = info.external_attr >> 16
            kind = "folder" if info.is_dir() else "link" if stat.S_ISLNK(mode) else "file"
            # A zip's times have no zone.
            made = entry(raw(info.filename), kind, info.file_size, None)
            made["packed"] = info.compress_size
            if info.flag_bits & 1:
                made["encrypted"] = True
            yield made


def opened(path: bytes) -> tuple[str, Iterator[dict[str, Any]]]:
    handle, _ = open_file(path)
    file: BinaryIO = os.fdopen(handle, "rb")
    start = file.read(512)
    for magic, name in OTHERS.items():
        if start.startswith(magic):
            raise Refusal(f"{shown(path)} is a {name} archive; tar (also gzip, bzip2 or xz) and zip are read")
    file.seek(0)
    for magic, (name, unpack) in PACKINGS.items():
        if start.startswith(magic):
            return f"tar+{name}", of_tar(Bounded(unpack(file)))  # type: ignore[arg-type]
    if len(start) >= 262 and start[257:262] == b"ustar":
        return "tar", of_tar(file)
    if zipfile.is_zipfile(file):
        file.seek(0)
        return "zip", of_zip(file)
    if any(start):
        file.seek(0)
        return "tar", of_tar(file)
    raise Refusal(f"{shown(path)} is no archive")


def work(task: dict[str, Any]) -> Any:
    path, most = path_of(task), task.get("max_entries", 1000)
    entries: list[dict[str, Any]] = []
    count = total = 0
    # What of it is wrong is told as what it is: a file of somebody else's making.
    try:
        form, members = opened(path)
        for member in members:
            count += 1
            total += member["size"] if member["type"] == "file" else 0
            if len(entries) < most:
                entries.append(member)
    except BROKEN as error:
        raise Refusal(f"{shown(path)} is no archive, or a damaged one: {error}") from None
    return {"format": form, "entries": entries, "count": count, "total_bytes": total, "truncated": count > most}


main(work)
