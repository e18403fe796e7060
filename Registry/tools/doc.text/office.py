"""The text of office documents: OOXML (docx, pptx, xlsx) and OpenDocument (odt, odp, ods), both zips of XML parts."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from toolkit import Refusal

# Of what a document unpacks to.
UNPACKED_BYTES = 64 << 20
PARTS = 2000
# That a sheet leaves out, and that stand between others.
EMPTY_CELLS = 1_000_000
# Elements that may be open at once.
DEPTH = 1000


@dataclass
class Marks:
    """What the elements of a kind of XML mean, by their local names: namespaces differ between versions."""

    text: set[str] | None  # those with text in them; None: all
    before: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)


WORD = Marks({"t"}, {"tab": "\t", "br": "\n", "cr": "\n"}, {"p": "\n", "tc": "\t", "tr": "\n"})
SLIDE = Marks({"t"}, {"br": "\n"}, {"p": "\n", "tc": "\t", "tr": "\n"})
OPEN = Marks(
    None, {"tab": "\t", "line-break": "\n", "s": " "}, {"p": "\n", "h": "\n", "table-cell": "\t", "table-row": "\n"}
)
STRINGS = Marks({"t"}, {}, {"si": "\0"})


def parse(data: bytes, start: Callable[[str, dict[str, str]], None], end: Callable[[str], None],
          text: Callable[[str], None]) -> None:  # fmt: skip
    """Goes through an XML part. A document type, which can make text out of nothing, is refused."""
    depth = 0

    def on_start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEPTH:
            raise Refusal("the document is nested too deeply")
        start(name.rpartition(":")[2], attributes)

    def on_end(name: str) -> None:
        nonlocal depth
        depth -= 1
        end(name.rpartition(":")[2])

    def on_type(*_: Any) -> None:
        raise Refusal("the document has an XML document type, which no office program writes")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = on_start, on_end, text
    parser.StartDoctypeDeclHandler = on_type
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise Refusal(f"the document is damaged: {error}") from None


def words(data: bytes, marks: Marks) -> str:
    """The text of an XML part."""
    pieces: list[str] = []
    inside = 0

    def start(name: str, _: dict[str, str]) -> None:
        nonlocal inside
        inside += marks.text is None or name in marks.text
        pieces.append(marks.before.get(name, ""))

    def end(name: str) -> None:
        nonlocal inside
        inside -= marks.text is None or name in marks.text
        pieces.append(marks.after.get(name, ""))

    def text(some: str) -> None:
        if inside:
            pieces.append(some)

    parse(data, start, end, text)
    # The paragraphs in a table's cell end with it.
    return re.sub(r"\n*\t\n", "\n", re.sub(r"\n+\t", "\t", "".join(pieces)))


class Document:
    """An office document, its parts unpacked one by one up to a limit for all."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.names = archive.namelist()
        self.left = UNPACKED_BYTES

    def part(self, name: str) -> bytes:
        with self.archive.open(name) as file:
            data = file.read(self.left + 1)
        self.left -= len(data)
        if self.left < 0:
            raise Refusal(f"the document unpacks to more than {UNPACKED_BYTES >> 20} MiB")
        return data

    def numbered(self, pattern: str) -> list[str]:
        """The parts of that name, in the order of their numbers."""
        found = [(int(match[1]), name) for name in self.names if (match := re.fullmatch(pattern, name))]
        return [name for _, name in sorted(found)[:PARTS]]

    def read(self) -> tuple[str, Iterator[str]] | None:
        """What kind it is, and its text piece by piece; None: no office document."""
        if "word/document.xml" in self.names:
            return "docx", (words(self.part(name), WORD) for name in ["word/document.xml"])
        if slides := self.numbered(r"ppt/slides/slide(\d{1,6})\.xml"):
            return "pptx", (words(self.part(name), SLIDE) for name in slides)
        if "xl/workbook.xml" in self.names:
            return "xlsx", self.sheets()
        if "content.xml" in self.names and "mimetype" in self.names:
            kind = self.part("mimetype")[:100].decode("ascii", "replace").rpartition(".")[2]
            name = {"text": "odt", "presentation": "odp", "spreadsheet": "ods"}.get(kind, "opendocument")
            return name, (words(self.part(name), OPEN) for name in ["content.xml"])
        return None

    @property
    def title(self) -> str:
        """As the author gave it."""
        for name in ("docProps/core.xml", "meta.xml"):
            if name in self.names:
                return " ".join(words(self.part(name), Marks({"title"})).split())[:1000]
        return ""

    def sheets(self) -> Iterator[str]:
        """A workbook's cells: a line a row, tabs between them."""
        strings: list[str] = []
        if "xl/sharedStrings.xml" in self.names:
            strings = words(self.part("xl/sharedStrings.xml"), STRINGS).split("\0")
        for name in self.numbered(r"xl/worksheets/sheet(\d{1,6})\.xml"):
            yield rows(self.part(name), strings)


def column(name: str) -> int:
    """The number of a cell's column, from 0: A1 is in the first."""
    match = re.match(r"[A-Z]{1,3}", name)
    number = 0
    for letter in match[0] if match else "":
        number = number * 26 + ord(letter) - 64
    return number - 1


def rows(data: bytes, strings: list[str]) -> str:
    """A sheet's cells; those of kind "s" name a shared string."""
    lines: list[str] = []
    cells: list[str] = []
    kind, value, inside = "", "", False
    left = [EMPTY_CELLS]

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal kind, value, inside
        if name == "c":
            kind, value = attributes.get("t", ""), ""
            # Empty cells may be left out.
            gap = column(attributes.get("r", "")) - len(cells)
            if 0 < gap <= left[0]:
                left[0] -= gap
                cells.extend([""] * gap)
        inside = inside or name in ("v", "t")

    def end(name: str) -> None:
        nonlocal value, inside
        if name in ("v", "t"):
            inside = False
        elif name == "c":
            if kind == "s":
                value = strings[int(value)] if re.fullmatch(r"\d{1,9}", value) and int(value) < len(strings) else ""
            cells.append(" ".join(value.split()))
        elif name == "row":
            lines.append("\t".join(cells))
            cells.clear()

    def text(some: str) -> None:
        nonlocal value
        if inside:
            value += some

    parse(data, start, end, text)
    return "\n".join(lines) + "\n"
