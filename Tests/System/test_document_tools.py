"""archive.list, image.info and doc.text in the jail: granted files, and what would harm who reads them."""

from __future__ import annotations

import base64
import io
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest

from domekit import documents
from domekit.daemon import Daemon
from domekit.shipped import daemon, new_folder, not_accepted, reads, refusal, result  # noqa: F401


def put(daemon: Daemon, name: str, data: bytes) -> tuple[dict[str, str], str]:
    """The task that names a new file with that content, and the grant for it."""
    folder = new_folder(daemon)
    (folder / name).write_bytes(data)
    daemon.own(folder)
    return {"path": str(folder / name)}, reads(folder)


def tar(mode: str) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=mode) as archive:  # type: ignore[call-overload]
        for name, kind, target in [
            ("a/", tarfile.DIRTYPE, ""), ("a/\u00fc", tarfile.REGTYPE, ""), ("../../etc/x", tarfile.REGTYPE, ""),
            ("link", tarfile.SYMTYPE, "/etc/shadow"), ("odd\udcff", tarfile.REGTYPE, ""),
            ("pipe", tarfile.FIFOTYPE, ""),
        ]:  # fmt: skip
            member = tarfile.TarInfo(name)
            member.type, member.linkname, member.mtime = kind, target, 1_000_000_000
            member.size = 5 if kind == tarfile.REGTYPE else 0
            archive.addfile(member, io.BytesIO(b"12345"))
    return data.getvalue()


@pytest.mark.parametrize(
    ("mode", "form"), [("w", "tar"), ("w:gz", "tar+gzip"), ("w:bz2", "tar+bzip2"), ("w:xz", "tar+xz")]
)
def test_a_tar_is_listed_and_not_believed(daemon: Daemon, mode: str, form: str) -> None:  # noqa: F811
    task, grant = put(daemon, "x", tar(mode))
    listed = result(daemon, "archive.list", task, grant)
    assert (listed["format"], listed["count"], listed["total_bytes"]) == (form, 6, 15)
    entries = {entry.get("path"): entry for entry in listed["entries"]}
    assert entries["a/\u00fc"] == {"path": "a/\u00fc", "type": "file", "size": 5, "modified": "2001-09-09T01:46:40Z"}
    assert entries["../../etc/x"]["leads_out"] and entries["link"]["target"] == "/etc/shadow"
    assert base64.b64decode(entries[None]["path_b64"]) == b"odd\xff" and entries["pipe"]["type"] == "other"
    few = result(daemon, "archive.list", task | {"max_entries": 2}, grant)
    assert len(few["entries"]) == 2 and few["truncated"] and few["count"] == 6


def test_a_zip_is_listed(daemon: Daemon) -> None:  # noqa: F811
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/b", b"0" * 100_000_000)
        for name in ("/etc/x", "a\\..\\..\\x", "C:x", "a..b/x"):
            archive.writestr(name, b"x")
    task, grant = put(daemon, "x.zip", data.getvalue())
    listed = result(daemon, "archive.list", task, grant)
    assert listed["format"] == "zip" and listed["total_bytes"] == 100_000_004
    assert listed["entries"][0]["packed"] < 1 << 20
    assert [entry.get("leads_out", False) for entry in listed["entries"]] == [False, True, True, True, False]


def test_what_is_no_archive_is_told(daemon: Daemon) -> None:  # noqa: F811
    good = tar("w:gz")
    for data, why in [
        (b"", "no archive"), (b"hello" * 500, "no archive"), (b"\0" * 10_240, "no archive"), (good[:60], "damaged"),
        (good[:30] + b"\xff" * 30 + good[60:], "damaged"), (b"7z\xbc\xaf\x27\x1c....", "7-Zip"),
        (b"PK\3\4 and no end", "no archive"), (zlib.compress(b"x"), "no archive"),
    ]:  # fmt: skip
        task, grant = put(daemon, "x", data)
        assert why in refusal(daemon, "archive.list", task, grant), data[:20]
    task, grant = put(daemon, "x", b"")
    assert "is a folder" in refusal(daemon, "archive.list", {"path": str(Path(task["path"]).parent)}, grant)
    assert "was it granted?" in refusal(daemon, "archive.list", task)
    assert "input schema" in not_accepted(daemon, "archive.list", {"path": "x"})


PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 640, 480, 8, 6, 0, 0, 0) + b"\0" * 20
EXIF = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"
JPEG = (
    b"\xff\xd8\xff\xe1" + struct.pack(">H", len(EXIF) + 2) + EXIF
    + b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, 480, 640, 3) + b"\0" * 6
)  # fmt: skip
FRAME = b"\x2c" + struct.pack("<HHHHB", 0, 0, 640, 480, 0) + b"\x02\x01\0\0"
GIF = b"GIF89a" + struct.pack("<HHBBB", 640, 480, 0, 0, 0)
TIFF = b"II*\0\x08\0\0\0\x02\0" + struct.pack("<HHIIHHIII", 256, 3, 1, 640, 257, 3, 1, 480, 0)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (PNG, {"format": "png", "bits_per_channel": 8, "channels": 4, "animated": False}),
        (JPEG, {"format": "jpeg", "orientation": 6, "channels": 3}),
        (GIF + FRAME + b";", {"format": "gif", "animated": False}),
        (GIF + FRAME + FRAME + b";", {"format": "gif", "animated": True}),
        (b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x02\0\0\0\x7f\x02\0\xdf\x01\0", {"format": "webp", "animated": True}),
        (b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\x01\x2a\x80\x02\xe0\x01", {"format": "webp", "animated": False}),
        (b"BM" + b"\0" * 12 + struct.pack("<IiiHH", 40, 640, -480, 1, 24), {"format": "bmp", "bits_per_pixel": 24}),
        (TIFF, {"format": "tiff"}),
        (b"P6 # a comment\n640 480\n255\n", {"format": "pnm", "channels": 3}),
    ],
    ids=["png", "jpeg", "gif", "gif-animated", "webp-extended", "webp", "bmp", "tiff", "pnm"],
)
def test_an_image_says_its_size(daemon: Daemon, data: bytes, found: dict[str, object]) -> None:  # noqa: F811
    task, grant = put(daemon, "x", data)
    info = result(daemon, "image.info", task, grant)
    assert (info["width"], info["height"], info["bytes"]) == (640, 480, len(data))
    assert info.items() >= found.items()


def test_a_damaged_image_is_told(daemon: Daemon) -> None:  # noqa: F811
    for data, why in [
        (PNG[:18], "begins like png and is damaged"), (JPEG[:40], "begins like jpeg and is damaged"),
        (b"\xff\xd8" + b"\xff\xe0\0\2" * 200_000, "damaged"), (GIF[:8], "damaged"), (b"", "no image"),
        (b"<svg/>", "no image"), (TIFF.replace(b"\x08\0\0\0", b"\xff\xff\xff\x7f", 1), "damaged"),
        (PNG.replace(struct.pack(">I", 640), b"\0\0\0\0"), "no size"),
        (b"\xff\xd8\xff\xe1\0\1" + b"x" * 1000, "a segment without a size"),
    ]:  # fmt: skip
        task, grant = put(daemon, "x", data)
        assert why in refusal(daemon, "image.info", task, grant), data[:20]


DOCUMENTS = [
    ("x.docx", documents.docx(), {"format": "docx", "title": "A title", "text": "One\ttwo\n\u00fc & <three>\nc1\tc2"}),
    ("x.pptx", documents.pptx(), {"format": "pptx", "text": "first slide\n\nsecond slide"}),
    ("x.xlsx", documents.xlsx(), {"format": "xlsx", "text": "shared\t4.5\tinline\n\tyes"}),
    ("x.odt", documents.odt(), {"format": "odt", "title": "A title", "text": "Head\nOne\ttwo \u00fc"}),
    ("x.pdf", documents.pdf(), {"format": "pdf", "pages": 2, "title": "A title", "text": "First page\n\nSecond page"}),
    ("x.html", documents.HTML, {"format": "html", "title": "A title", "text": "# Head\n\nText \u00fc."}),
    ("x", "\u00fc\r\nline".encode("utf-16"), {"format": "text", "text": "\u00fc\nline"}),
    ("x", b"caf\xe9", {"format": "text", "text": "caf\u00e9"}),
]


@pytest.mark.parametrize(("name", "data", "found"), DOCUMENTS, ids=[one[2]["format"] for one in DOCUMENTS])
def test_a_document_says_its_text(
    daemon: Daemon, name: str, data: bytes, found: dict[str, object]  # noqa: F811
) -> None:
    task, grant = put(daemon, name, data)
    text = result(daemon, "doc.text", task, grant)
    assert text.items() >= found.items(), text
    piece = result(daemon, "doc.text", task | {"offset": 1, "max_characters": 2}, grant)
    assert piece["text"] == str(found["text"])[1:3] and piece["truncated"] and piece["next_offset"] == 3


def test_pages_of_a_pdf(daemon: Daemon) -> None:  # noqa: F811
    task, grant = put(daemon, "x.pdf", documents.pdf())
    assert result(daemon, "doc.text", task | {"first_page": 2}, grant)["text"] == "Second page"


def test_a_hostile_document_is_told(daemon: Daemon) -> None:  # noqa: F811
    bomb = documents.docx(b"<x>" + b" " * (100 << 20) + b"</x>")
    laughs = documents.docx(b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><x>&b;</x>')
    outside = documents.docx(b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>')
    for name, data, why in [
        ("bomb.docx", bomb, "unpacks to more than"), ("laughs.docx", laughs, "document type"),
        ("outside.docx", outside, "document type"), ("deep.docx", documents.docx(b"<x>" * 5000), "nested"),
        ("bad.docx", documents.docx(b"<x"), "damaged"), ("cut.docx", documents.docx()[:200], "damaged"),
        ("x.zip", tar_in_zip(), "no office document"), ("x.pdf", b"%PDF-1.4 and no more", "x.pdf: "),
        ("old.doc", b"\xd0\xcf\x11\xe0" + b"\0" * 600, "old, binary kind"), ("x.bin", bytes(range(256)), "no PDF"),
    ]:  # fmt: skip
        task, grant = put(daemon, name, data)
        assert why in refusal(daemon, "doc.text", task, grant), name
    assert "was it granted?" in refusal(daemon, "doc.text", {"path": "/etc/shadow"})


def test_cells_that_a_sheet_leaves_out_keep_their_place(daemon: Daemon) -> None:  # noqa: F811
    cells = '<c r="A1"><v>1</v></c><c r="C1"><v>3</v></c><c r="A9"><v>4</v></c>'
    far = "".join(f'<row><c r="XFD{row}"><v>{row}</v></c></row>' for row in range(1000))
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", f"<sheet><row>{cells}</row>{far}</sheet>")
    task, grant = put(daemon, "gaps.xlsx", data.getvalue())
    found = result(daemon, "doc.text", task, grant)
    assert found["text"].startswith("1\t\t3\t4\n") and found["characters"] < 1_100_000


def tar_in_zip() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("x", b"x")
    return data.getvalue()
