"""doc.text: the text of a PDF, an HTML page, an office document or a plain file."""

from __future__ import annotations

import os
import re
import struct
import zipfile
import zlib
from typing import Any

from office import Document
from programs import output_of
from readable import decoded, looks_like_html, read
from toolkit import Refusal, main, open_file, path_of, shown

# Of a file that is read whole.
SOURCE_BYTES = 32 << 20
TEXT_BYTES = 64 << 20
# By how a file begins: what is known and not read here.
OTHERS = {b"\xd0\xcf\x11\xe0": "an office document of the old, binary kind", b"{\\rtf": "RTF", b"%!PS": "PostScript"}
BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, KeyError, NotImplementedError, RuntimeError,
          OverflowError, ValueError)  # fmt: skip


class Text:
    """What was found, cut to the piece that was asked for."""

    def __init__(self, form: str, text: str, title: str = "", **more: Any) -> None:
        self.form, self.text, self.title, self.more = form, text, title, more


def of_pdf(path: bytes, task: dict[str, Any]) -> Text:
    name = os.fsdecode(path)
    try:
        about, _ = output_of(["pdfinfo", "-enc", "UTF-8", name], 1 << 16)
    except Refusal as refusal:
        raise Refusal(f"{shown(path)}: {refusal}") from None
    known = dict(re.findall(r"(?m)^(\w+): +(.*)$", about.decode("utf-8", "replace")))
    options = ["-q", "-enc", "UTF-8", "-layout"]
    options += ["-f", str(task["first_page"])] if "first_page" in task else []
    options += ["-l", str(task["last_page"])] if "last_page" in task else []
    text, _ = output_of(["pdftotext", *options, name, "-"], TEXT_BYTES)
    pages = {"pages": int(known["Pages"])} if known.get("Pages", "").isdigit() else {}
    return Text("pdf", text.decode("utf-8", "replace"), known.get("Title", "")[:1000], **pages)


def of_zip(path: bytes, handle: int) -> Text:
    try:
        with os.fdopen(handle, "rb") as file, zipfile.ZipFile(file) as archive:
            document = Document(archive)
            found = document.read()
            if found is None:
                raise Refusal(f"{shown(path)} is a zip archive and no office document; archive.list lists it")
            form, pieces = found
            return Text(form, "\n".join(pieces), document.title)
    except BROKEN as error:
        raise Refusal(f"{shown(path)} is damaged: {error}") from None


def of_text(path: bytes, handle: int, size: int) -> Text:
    if size > SOURCE_BYTES:
        raise Refusal(f"{shown(path)} has {size} bytes; text and HTML are read up to {SOURCE_BYTES >> 20} MiB")
    with os.fdopen(handle, "rb") as file:
        data = file.read(SOURCE_BYTES)
    if looks_like_html(data) or path.lower().endswith((b".html", b".htm", b".xhtml")):
        page = read(decoded(data))
        return Text("html", page.main_text, page.title)
    if b"\0" in data[:65_536] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Refusal(f"{shown(path)} is no PDF, HTML, office document or text")
    return Text("text", decoded(data))


def document(path: bytes, task: dict[str, Any]) -> Text:
    handle, status = open_file(path)
    start = os.pread(handle, 1024, 0)
    for magic, name in OTHERS.items():
        if start.startswith(magic):
            raise Refusal(f"{shown(path)} is {name}, which is not read: convert it first")
    if b"%PDF-" in start:
        os.close(handle)
        return of_pdf(path, task)
    if start.startswith(b"PK\3\4"):
        return of_zip(path, handle)
    return of_text(path, handle, status.st_size)


def work(task: dict[str, Any]) -> Any:
    found = document(path_of(task), task)
    text = re.sub(r"\n{3,}", "\n\n", found.text.replace("\r\n", "\n").replace("\f", "\n\n")).strip()
    offset, most = task.get("offset", 0), task.get("max_characters", 200_000)
    result: dict[str, Any] = {"path": task["path"], "format": found.form} | found.more
    if found.title:
        result["title"] = found.title
    result |= {"characters": len(text), "text": text[offset : offset + most], "truncated": len(text) > offset + most}
    if result["truncated"]:
        result["next_offset"] = offset + most
    return result


main(work)
