"""HTML as text for reading: headings, paragraphs, lists, tables and links, without scripts, styles and navigation."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

# What is between their tags is not for readers.
SILENT = {"script", "style", "noscript", "template", "svg", "math", "iframe", "object", "canvas", "select", "button",
          "textarea", "head", "audio", "video"}  # fmt: skip
# Around the content of most pages.
FURNITURE = {"nav", "footer", "aside", "form", "dialog"}
# What pages mark as their content.
CONTENT = {"main", "article"}
BLOCKS = {"p", "div", "section", "article", "main", "header", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li",
          "dl", "dt", "dd", "table", "tr", "blockquote", "pre", "figure", "figcaption", "hr", "br", "address",
          "details", "summary", "fieldset", "body", "html", "caption", "thead", "tbody"}  # fmt: skip
VOID = {"br", "hr", "img", "input", "meta", "link", "base", "area", "col", "embed", "source", "track", "wbr"}
# What pages say they are written in.
CHARSETS = r"utf-?8|utf-16(?:le|be)?|us-ascii|(?:iso-8859|windows|koi8|euc)-\w{1,4}|gbk|gb18030|gb2312|big5|shift_jis"
# Elements that may be open at once; what is nested deeper is taken as if it were not.
DEPTH = 2000


class Reader(HTMLParser):
    """Feed it a page; then `title`, `text`, `main_text` and `links` are there."""

    def __init__(self, url: str = "", most_links: int = 10_000) -> None:
        super().__init__(convert_charrefs=True)
        self.base = url
        self.title = ""
        self.language = ""
        self.description = ""
        self.links: list[dict[str, str]] = []
        self.most_links = most_links
        self._seen: set[str] = set()
        self._open: list[str] = []
        self._counts: dict[str, int] = {}
        self._silent = self._furniture = self._main = self._pre = 0
        self._pieces: list[str] = []
        self._core: list[str] = []
        self._in_title = False
        self._link: tuple[str, list[str]] | None = None

    # What the parser finds

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attributes}
        if tag == "title" and not self.title and not self._counts.get("svg"):
            self._in_title = True
        elif tag == "base" and known.get("href"):
            self.base = self._absolute(known["href"]) or self.base
        elif tag == "html":
            self.language = known.get("lang", "")[:40]
        elif tag == "meta" and known.get("name", "").lower() == "description":
            self.description = known.get("content", "")[:1000]
        if tag in BLOCKS:
            self._break(tag)
        if tag in ("td", "th"):
            self._say(" ")
        if tag == "img" and known.get("alt"):
            self._say(f"[{known['alt']}]")
        if tag in VOID:
            return
        if tag == "body" and self._counts.get("head"):
            self._close("head")
        if tag == "a":
            self._end_link()
            self._link = (known.get("href", ""), [])
        if len(self._open) < DEPTH:
            self._open.append(tag)
            self._enter(tag, 1)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        # In HTML the slash means nothing (but in SVG, which is silent).
        self.handle_starttag(tag, attributes)
        if tag not in VOID and self._silent:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False
        if tag == "a":
            self._end_link()
        if tag in BLOCKS:
            self._break(tag, is_end=True)
        if self._counts.get(tag):
            self._close(tag)

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title = (self.title + data)[:1000]
        else:
            self._say(data)

    # What is made of it

    def _close(self, tag: str) -> None:
        while self._open:
            last = self._open.pop()
            self._enter(last, -1)
            if last == tag:
                return

    def _enter(self, tag: str, by: int) -> None:
        self._counts[tag] = self._counts.get(tag, 0) + by
        self._silent += by if tag in SILENT else 0
        self._furniture += by if tag in FURNITURE else 0
        self._main += by if tag in CONTENT else 0
        self._pre += by if tag == "pre" else 0

    def _say(self, data: str) -> None:
        if self._silent:
            return
        text = data if self._pre else re.sub(r"\s+", " ", data)
        if self._link is not None:
            self._link[1].append(text)
        self._write(text)

    def _write(self, text: str) -> None:
        if not self._furniture:
            self._pieces.append(text)
            if self._main:
                self._core.append(text)

    def _break(self, tag: str, is_end: bool = False) -> None:
        if self._silent:
            return
        if is_end:
            mark = "\n" if tag in ("li", "tr", "dt", "dd") else "\n\n"
        elif tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
            mark = "\n\n" + "#" * int(tag[1]) + " "
        else:
            mark = {"li": "\n- ", "br": "\n", "tr": "\n", "dt": "\n", "dd": "\n  ", "hr": "\n\n"}.get(tag, "\n\n")
        self._write(mark)

    def _absolute(self, reference: str) -> str | None:
        try:
            url = urljoin(self.base, reference.strip())
            return url if urlsplit(url).scheme in ("http", "https") else None
        except ValueError:
            return None

    def _end_link(self) -> None:
        if self._link is None:
            return
        reference, pieces = self._link
        self._link = None
        url = self._absolute(reference) if reference and not reference.startswith("#") else None
        if url is not None and url not in self._seen and len(self.links) < self.most_links:
            self._seen.add(url)
            self.links.append({"url": url, "text": " ".join("".join(pieces).split())[:500]})

    # What comes out

    @property
    def text(self) -> str:
        """All of the page that is for readers."""
        return tidy(self._pieces)

    @property
    def main_text(self) -> str:
        """What the page says is its content; all of it where it does not say, or says so of hardly anything."""
        core = tidy(self._core)
        whole = self.text
        return core if len(core) * 4 >= len(whole) else whole


def tidy(pieces: list[str]) -> str:
    """Paragraphs apart by one empty line, no space at the end of lines, marks of empty items gone."""
    text = "".join(pieces).replace("\r", "\n").replace("\u00a0", " ")
    text = re.sub(r"\n (?! )", "\n", text)
    lines = [line.rstrip() for line in text.split("\n")]
    text = "\n".join("" if line == "-" or line and not line.strip("#") else line for line in lines)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def read(html: str, url: str = "") -> Reader:
    """The page, read. Anything is a page: what is no HTML is text."""
    reader = Reader(url)
    reader.feed(html)
    reader.close()
    reader._end_link()
    reader.title = " ".join(reader.title.split())
    return reader


def looks_like_html(data: bytes) -> bool:
    """Whether it begins as pages do."""
    return re.match(rb"(?i)(?:\xef\xbb\xbf)?\s{0,1000}(?:<\?xml[^>]{0,200}>\s{0,100})?(?:<!--.{0,2000}?-->\s{0,100})?"
                    rb"<(?:!doctype html|html|head|body)", data[:8192]) is not None  # fmt: skip


def decoded(data: bytes, said: str = "") -> str:
    """The text of a page or file: by its mark, by what the server said, by what the page says, else UTF-8; else the
    bytes of Windows-1252, as browsers have it."""
    for mark, name in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if data.startswith(mark):
            return data[len(mark) :].decode(name, "replace")
    match = re.search(rb"""(?i)<meta[^>]{0,200}charset\s*=\s*["']?([\w-]{1,40})""", data[:4096])
    for name in (said, match[1].decode("ascii") if match else "", "utf-8"):
        # Python has codecs that are none of texts.
        if re.fullmatch(CHARSETS, name.lower()):
            try:
                return data.decode(name)
            except (LookupError, UnicodeDecodeError):
                continue
    return data.decode("cp1252", "replace")
