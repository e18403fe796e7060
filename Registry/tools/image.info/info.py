"""image.info: format and size of an image, from its headers alone; no picture is decoded."""

from __future__ import annotations

import os
import re
import struct
from typing import Any, BinaryIO

from toolkit import Refusal, main, open_file, path_of, shown

HEADER_BYTES = 64 << 10
# How many blocks of a file are looked at: a file may be made of nothing but headers.
BLOCKS = 100_000


def png(file: BinaryIO, head: bytes) -> dict[str, Any]:
    if head[12:16] != b"IHDR":
        raise ValueError("no IHDR chunk")
    width, height, bits, color = struct.unpack(">IIBB", head[16:26])
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(color)
    if channels is None:
        raise ValueError("an unknown kind of colour")
    return {
        "width": width, "height": height, "bits_per_channel": bits, "channels": channels, "animated": b"acTL" in head
    }  # fmt: skip


def gif(file: BinaryIO, head: bytes) -> dict[str, Any]:
    width, height, flags = struct.unpack("<HHB", head[6:11])
    file.seek(13 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0))
    frames = 0
    for _ in range(BLOCKS):
        kind = file.read(1)
        if kind == b"\x21":
            file.read(1)
        elif kind == b"\x2c":
            frames += 1
            flags = file.read(9)[8]
            file.seek(3 << ((flags & 7) + 1) if flags & 0x80 else 0, os.SEEK_CUR)
            file.read(1)
        else:
            break
        while size := file.read(1)[0]:
            file.seek(size, os.SEEK_CUR)
        if frames > 1:
            break
    return {"width": width, "height": height, "animated": frames > 1}


def jpeg(file: BinaryIO, head: bytes) -> dict[str, Any]:
    file.seek(2)
    found: dict[str, Any] = {}
    for _ in range(BLOCKS):
        marker = file.read(2)
        while marker[1:] == b"\xff":
            marker = b"\xff" + file.read(1)
        if len(marker) < 2 or marker[0] != 0xFF or marker[1] in (0xD9, 0xDA):
            break
        (size,) = struct.unpack(">H", file.read(2))
        if size < 2:
            raise ValueError("a segment without a size")
        if marker[1] in range(0xC0, 0xD0) and marker[1] not in (0xC4, 0xC8, 0xCC):
            bits, height, width, channels = struct.unpack(">BHHB", file.read(6))
            return found | {"width": width, "height": height, "bits_per_channel": bits, "channels": channels}
        if marker[1] == 0xE1 and size < HEADER_BYTES:
            found |= orientation(file.read(size - 2))
        else:
            file.seek(size - 2, os.SEEK_CUR)
    raise ValueError("no frame in it")


def orientation(exif: bytes) -> dict[str, Any]:
    """EXIF's tag 0x0112: how the picture is to be turned."""
    if not exif.startswith(b"Exif\0\0"):
        return {}
    tiff = exif[6:]
    order = "<" if tiff[:2] == b"II" else ">"
    try:
        (place,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, place)
        for number in range(min(count, 1000)):
            tag, _, _, value = struct.unpack_from(order + "HHIH", tiff, place + 2 + 12 * number)
            if tag == 0x0112 and 1 <= value <= 8:
                return {"orientation": value}
    except struct.error:
        pass
    return {}


def webp(file: BinaryIO, head: bytes) -> dict[str, Any]:
    kind = head[12:16]
    if kind == b"VP8X":
        width = 1 + int.from_bytes(head[24:27], "little")
        height = 1 + int.from_bytes(head[27:30], "little")
        return {"width": width, "height": height, "animated": bool(head[20] & 2)}
    if kind == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return {"width": 1 + (bits & 0x3FFF), "height": 1 + (bits >> 14 & 0x3FFF), "animated": False}
    if kind == b"VP8 " and head[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", head[26:30])
        return {"width": width & 0x3FFF, "height": height & 0x3FFF, "animated": False}
    raise ValueError("an unknown kind of WebP")


def bmp(file: BinaryIO, head: bytes) -> dict[str, Any]:
    (size,) = struct.unpack("<I", head[14:18])
    if size == 12:
        width, height, _, bits = struct.unpack("<HHHH", head[18:26])
    else:
        width, height, _, bits = struct.unpack("<iiHH", head[18:30])
    return {"width": abs(width), "height": abs(height), "bits_per_pixel": bits}


def ico(file: BinaryIO, head: bytes) -> dict[str, Any]:
    (count,) = struct.unpack("<H", head[4:6])
    places = range(6, min(6 + 16 * count, len(head) - 1), 16)
    sizes = [(head[place] or 256, head[place + 1] or 256) for place in places]
    if not sizes:
        raise ValueError("no image in it")
    width, height = max(sizes)
    return {"width": width, "height": height, "images": count}


def tiff(file: BinaryIO, head: bytes) -> dict[str, Any]:
    order = "<" if head[:2] == b"II" else ">"
    (place,) = struct.unpack(order + "I", head[4:8])
    file.seek(place)
    (count,) = struct.unpack(order + "H", file.read(2))
    found: dict[int, int] = {}
    for _ in range(count):
        tag, kind, _, value = struct.unpack(order + "HHI4s", file.read(12))
        if tag in (256, 257) and kind in (3, 4):
            found[tag] = struct.unpack(order + ("H" if kind == 3 else "I"), value[: 2 if kind == 3 else 4])[0]
    return {"width": found[256], "height": found[257]}


def pnm(file: BinaryIO, head: bytes) -> dict[str, Any]:
    match = re.match(rb"P[1-6](?:\s+|#[^\n]*\n)+(\d{1,9})(?:\s+|#[^\n]*\n)+(\d{1,9})\s", head[:4096])
    if match is None:
        raise ValueError("no width and height")
    return {"width": int(match[1]), "height": int(match[2]), "channels": 3 if head[1:2] in b"36" else 1}


FORMATS = [
    (b"\x89PNG\r\n\x1a\n", "png", "image/png", png), (b"GIF87a", "gif", "image/gif", gif),
    (b"GIF89a", "gif", "image/gif", gif), (b"\xff\xd8\xff", "jpeg", "image/jpeg", jpeg),
    (b"BM", "bmp", "image/bmp", bmp), (b"\0\0\1\0", "ico", "image/vnd.microsoft.icon", ico),
    (b"II*\0", "tiff", "image/tiff", tiff), (b"MM\0*", "tiff", "image/tiff", tiff),
    *((b"P%d" % n, "pnm", "image/x-portable-anymap", pnm) for n in range(1, 7)),
]  # fmt: skip


def work(task: dict[str, Any]) -> Any:
    path = path_of(task)
    handle, status = open_file(path)
    with os.fdopen(handle, "rb") as file:
        head = file.read(HEADER_BYTES)
        for magic, name, mime, read in [(b"RIFF", "webp", "image/webp", webp), *FORMATS]:
            if not head.startswith(magic) or name == "webp" and head[8:12] != b"WEBP":
                continue
            try:
                found = read(file, head)
            except (ValueError, IndexError, KeyError, struct.error) as error:
                why = error or "it ends too early"
                raise Refusal(f"{shown(path)} begins like {name} and is damaged: {why}") from None
            if found["width"] == 0 or found["height"] == 0:
                raise Refusal(f"{shown(path)} begins like {name} and has no size")
            return {"path": task["path"], "format": name, "mime_type": mime, "bytes": status.st_size} | found
    raise Refusal(f"{shown(path)} is no image in PNG, JPEG, GIF, WebP, BMP, TIFF, ICO or PNM")


main(work)
