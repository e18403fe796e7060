"""Reading Swift sources well enough to check them: comments and string contents blanked, positions kept.

Shared by layers.py and rules.py. It is a scanner, not a parser: what it must get right is that a word in a
comment or a string is never taken for code, and that code is never taken for a comment.
"""

from __future__ import annotations

import re
from pathlib import Path

_TOKEN = re.compile(r'//|/\*|(#*)("""|")|`')


def blanked(text: str) -> str:
    """`text` with comments and string literals (interpolations too) turned into spaces, newlines kept.

    Identifiers in backticks keep their text when they are plain words and are blanked when they are
    sentences (the names of tests).
    """
    out: list[str] = []
    position = 0
    while match := _TOKEN.search(text, position):
        out.append(text[position : match.start()])
        end = _end_of(text, match)
        piece = text[match.start() : end]
        if match.group() == "`" and re.fullmatch(r"`\w+`", piece):
            out.append(" " + piece[1:-1] + " ")
        else:
            out.append(re.sub(r"[^\n]", " ", piece))
        position = end
    out.append(text[position:])
    return "".join(out)


def _end_of(text: str, opening: re.Match[str]) -> int:
    """Index just past the comment, string or quoted identifier that `opening` begins."""
    start = opening.end()
    if opening.group() == "//":
        found = text.find("\n", start)
        return len(text) if found < 0 else found
    if opening.group() == "/*":
        return _end_of_block_comment(text, start)
    if opening.group() == "`":
        found = text.find("`", start)
        return len(text) if found < 0 else found + 1
    return _end_of_string(text, start, hashes=opening.group(1), quote=opening.group(2))


def _end_of_block_comment(text: str, start: int) -> int:
    depth, position = 1, start
    for match in re.compile(r"/\*|\*/").finditer(text, start):
        depth += 1 if match.group() == "/*" else -1
        position = match.end()
        if depth == 0:
            return position
    return len(text)


def _end_of_string(text: str, start: int, hashes: str, quote: str) -> int:
    closing, escape = quote + hashes, "\\" + hashes
    position = start
    while position < len(text):
        if text.startswith(closing, position):
            return position + len(closing)
        if text.startswith(escape + "(", position):
            position = _end_of_interpolation(text, position + len(escape) + 1)
        elif text.startswith(escape, position):
            position += len(escape) + 1
        elif quote == '"' and text[position] == "\n":
            return position
        else:
            position += 1
    return len(text)


def _end_of_interpolation(text: str, start: int) -> int:
    depth, position = 1, start
    while position < len(text) and depth > 0:
        match = _TOKEN.match(text, position)
        if match:
            position = _end_of(text, match)
            continue
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        position += 1
    return position


def line_of(text: str, offset: int) -> int:
    """1-based line number of `offset`."""
    return text.count("\n", 0, offset) + 1


def files(root: Path, *suffixes: str) -> list[Path]:
    """Hand-written files below `root` with one of these suffixes, sorted; nothing generated or built."""
    skipped = {"Generated", ".build", "build", ".venv", "__pycache__"}
    return sorted(
        path
        for path in root.rglob("*")
        if path.suffix in suffixes and path.is_file() and not skipped.intersection(path.relative_to(root).parts)
    )
