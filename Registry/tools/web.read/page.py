"""web.read: a page's title, text and links: by HTTP alone, or as a browser shows it."""

from __future__ import annotations

import signal
from typing import Any

from browser import installed, render
from fetch import Answer, get
from readable import Reader, decoded, looks_like_html, read
from toolkit import Refusal, main, printable

SCREENSHOT = "page.png"
# A page with less to read than this, and with scripts, is one that scripts fill.
LITTLE = 400


def readable(answer: Answer) -> Reader | str:
    """The page, or its text where it is no HTML."""
    if answer.kind in ("text/html", "application/xhtml+xml") or not answer.kind or looks_like_html(answer.body):
        return read(decoded(answer.body, answer.charset), answer.url)
    if answer.kind.startswith("text/") or answer.kind.endswith(("json", "xml", "javascript", "yaml")):
        return decoded(answer.body, answer.charset)
    what = f"{printable(answer.url[:300])} is {printable(answer.kind)}"
    raise Refusal(f"{what}, which is no page to read: web.fetch saves it")


def wants_browser(task: dict[str, Any], answer: Answer, page: Reader | str) -> bool:
    mode = task.get("javascript", "auto")
    if task.get("screenshot"):
        return True
    if mode != "auto" or isinstance(page, str):
        return mode == "always"
    return len(page.text) < LITTLE and b"<script" in answer.body.lower() and installed() is not None


def work(task: dict[str, Any]) -> Any:
    seconds, most = task.get("timeout_seconds", 30), task.get("max_bytes", 5 << 20)
    answer = get(task["url"], most, seconds)
    page = readable(answer)
    is_cut, is_rendered = answer.is_cut, wants_browser(task, answer, page)
    if is_rendered:

        def too_late(*_: Any) -> None:
            raise Refusal(f"the page did not come to rest within {seconds} s")

        signal.signal(signal.SIGALRM, too_late)
        signal.alarm(seconds)
        screenshot = f"/job/out/{SCREENSHOT}" if task.get("screenshot") else None
        size = (task.get("width", 1280), task.get("height", 1024))
        document, is_cut = render(answer.url, most, seconds, screenshot, size)
        signal.alarm(0)
        page = read(document.decode("utf-8", "replace"), answer.url)
    return result(task, answer, page) | {"rendered": is_rendered, "incomplete": is_cut}


def result(task: dict[str, Any], answer: Answer, page: Reader | str) -> dict[str, Any]:
    if isinstance(page, str):
        text, links, more = page, [], {}
    else:
        text, links = (page.text if task.get("whole_page") else page.main_text), page.links
        more = {"title": page.title, "language": page.language, "description": page.description}
    offset, most = task.get("offset", 0), task.get("max_characters", 100_000)
    found: dict[str, Any] = {"url": answer.url, "status": answer.status, "redirects": answer.redirects}
    found |= {name: value for name, value in more.items() if value}
    found |= {"characters": len(text), "text": text[offset : offset + most], "truncated": len(text) > offset + most}
    if found["truncated"]:
        found["next_offset"] = offset + most
    if task.get("links", True):
        found["links"] = links[: task.get("max_links", 200)]
    if task.get("screenshot"):
        found["screenshot"] = SCREENSHOT
    return found


main(work)
