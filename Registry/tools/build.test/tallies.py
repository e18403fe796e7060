"""How what test tools print is read: line by line while they run, so that no length of output is too much.

The numbers are what the tool says. None: it does not say.
"""

from __future__ import annotations

import json
import os
import re
import xml.etree.ElementTree as ElementTree
from typing import Any

from toolkit import Refusal, open_file

JUNIT = "/tmp/junit.xml"
JUNIT_BYTES = 256 << 20
FAILURES = 100
NAME = 500
MESSAGE = 2000
# Tests of which something was printed and that have not ended yet.
RUNNING = 10_000
# A number that somebody may have counted.
COUNT = r"(\d{1,9})"


class Tally:
    """How the tests went."""

    def __init__(self) -> None:
        self.passed: int | None = None
        self.failed: int | None = None
        self.skipped: int | None = None
        self.failures: list[dict[str, str]] = []
        # The failure whose message is being printed.
        self.current: dict[str, str] | None = None

    def line(self, line: bytes) -> bytes:
        """Takes a line, with its end; returns what is to be shown of it."""
        self.read(line)
        return line

    def read(self, line: bytes) -> None:
        """Takes a line of a tool that prints for people."""

    def end(self) -> None:
        """All was printed."""

    def add(self, passed: int = 0, failed: int = 0, skipped: int = 0) -> None:
        self.passed = (self.passed or 0) + passed
        self.failed = (self.failed or 0) + failed
        self.skipped = (self.skipped or 0) + skipped

    def fail(self, name: str, message: str = "") -> dict[str, str] | None:
        """Notes a failure, once; None where enough are noted."""
        name = name[:NAME]
        for failure in self.failures:
            if failure["name"] == name:
                return failure
        if len(self.failures) == FAILURES:
            return None
        self.failures.append({"name": name, "message": message.strip()[:MESSAGE]})
        return self.failures[-1]

    def explain(self, text: str) -> None:
        """Adds to the message of the current failure."""
        if self.current is not None and len(self.current["message"]) < MESSAGE:
            self.current["message"] = (self.current["message"] + text).lstrip()[:MESSAGE]


def text_of(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip("\r\n")


class Junit(Tally):
    """From a JUnit file, as pytest and ctest write it."""

    def end(self) -> None:
        try:
            handle, status = open_file(JUNIT.encode())
            with os.fdopen(handle, "rb") as file:
                if status.st_size <= JUNIT_BYTES:
                    self.add()
                    for _, element in ElementTree.iterparse(file):
                        if element.tag == "testcase":
                            self.case(element)
                            element.clear()
        except (OSError, ElementTree.ParseError, Refusal, ValueError, LookupError):
            self.passed = self.failed = self.skipped = None

    def case(self, element: ElementTree.Element) -> None:
        # ctest gives both the same.
        names = dict.fromkeys(filter(None, (element.get("classname"), element.get("name"))))
        bad = next((child for child in element if child.tag in ("failure", "error")), None)
        if bad is not None:
            self.add(failed=1)
            self.fail(".".join(names), bad.text or bad.get("message") or element.findtext("system-out") or "")
        elif any(child.tag == "skipped" for child in element):
            self.add(skipped=1)
        else:
            self.add(passed=1)


class Unittest(Tally):
    """The sums at the end, and what stands between two rules."""

    ran: int | None = None
    rules = 0

    def read(self, line: bytes) -> None:
        if line.startswith((b"=====", b"-----")):
            # A failure's name, perhaps its description, a rule, its message, a rule.
            self.rules += 1
            if self.rules > 1 or line.startswith(b"="):
                self.current = None
        elif line.startswith((b"FAIL: ", b"ERROR: ")):
            self.current = self.fail(text_of(line).split(": ", 1)[1])
            self.rules = 0
        elif self.current is not None:
            if self.rules == 1:
                self.explain(line.decode("utf-8", "replace"))
        elif match := re.match(rf"Ran {COUNT} tests? in".encode(), line):
            self.ran = int(match[1])
        elif self.ran is not None and line.startswith((b"OK", b"FAILED", b"NO TESTS RAN")):
            said = {name.strip(): int(count) for name, count in re.findall(rf"([\w ]+)={COUNT}", text_of(line))}
            # Each part of a test that has parts may fail.
            failed = said.get("failures", 0) + said.get("errors", 0) + said.get("unexpected successes", 0)
            skipped = said.get("skipped", 0)
            self.passed, self.failed, self.skipped = max(self.ran - failed - skipped, 0), failed, skipped


class Cargo(Tally):
    RESULT = re.compile(rf"test result: \w+\. {COUNT} passed; {COUNT} failed; {COUNT} ignored".encode())

    def read(self, line: bytes) -> None:
        if line.startswith(b"test "):
            if match := self.RESULT.match(line):
                self.add(*(int(match[place]) for place in (1, 2, 3)))
            elif match := re.match(rb"test (.+?)(?: - should panic(?: - compile)?)? \.\.\. FAILED$", line):
                self.fail(text_of(match[1]))
        elif line.startswith(b"---- ") and line.endswith(b" stdout ----\n"):
            self.current = self.fail(text_of(line)[5:-12])
        elif line.startswith((b"failures:", b"error: ")):
            self.current = None
        elif self.current is not None:
            self.explain(line.decode("utf-8", "replace"))


class Swift(Tally):
    """XCTest and swift-testing, each test's own line: XCTest's sums count failed assertions, not tests."""

    CASE = re.compile(r"Test Case '(.+)' (passed|failed|skipped) \(")
    TEST = re.compile(
        r"[^\w\s] Test (?!run |case )(.+?)(?: with \d+ test cases?)? (?:(passed|failed) after |(skipped)(?::|\.|$))"
    )
    ISSUES = [
        re.compile(r".+?: error: (\w+\.\w+) : (.*)"),
        re.compile(r"[^\w\s] Test (.+?) recorded an issue (?:with .*? )?at (.*)"),
    ]

    def read(self, line: bytes) -> None:
        if b" : " not in line and b"Test " not in line:
            return
        text = text_of(line)
        if match := next(filter(None, (issue.match(text) for issue in self.ISSUES)), None):
            self.current = self.fail(match[1])
            self.explain(match[2] + "\n")
        elif match := self.CASE.match(text) or self.TEST.match(text):
            name, state = [group for group in match.groups() if group]
            self.add(**{state: 1})
            if state == "failed":
                self.fail(name)


class Go(Tally):
    """The events of `go test -json`, of which people are shown the text."""

    def __init__(self) -> None:
        super().__init__()
        self.said: dict[tuple[str, str], str] = {}
        self.bad_packages: set[str] = set()

    def line(self, line: bytes) -> bytes:
        if match := re.match(rb"FAIL\t(\S+) (\[(?:build|setup) failed\])", line):
            self.fail(text_of(match[1]), text_of(match[2]))
        if not line.startswith(b"{"):
            return line
        try:
            event = json.loads(line)
            action, package, test = event["Action"], event["Package"], event.get("Test", "")
        except (ValueError, KeyError, TypeError, RecursionError):
            return line
        if not (isinstance(action, str) and isinstance(package, str) and isinstance(test, str)):
            return line
        return self.event(action, package, test, event).encode("utf-8", "replace")

    def event(self, action: str, package: str, test: str, event: dict[str, Any]) -> str:
        place = (package, test)
        if action == "output" and isinstance(event.get("Output"), str):
            text: str = event["Output"]
            if not text.lstrip().startswith(("=== ", "--- ")) and (place in self.said or len(self.said) < RUNNING):
                self.said[place] = (self.said.get(place, "") + text)[-MESSAGE:]
            return text
        if action in ("pass", "fail", "skip"):
            message = self.said.pop(place, "")
            if test:
                self.add(passed=action == "pass", failed=action == "fail", skipped=action == "skip")
            if action == "fail" and (test or package not in self.bad_packages):
                self.fail(f"{package}.{test}" if test else package, message)
                self.bad_packages.add(package)
        return ""


class Node(Tally):
    """`node --test`, in TAP or for people. Other runners print what they like."""

    SUM = re.compile(rf"(?:#|\u2139) (pass|fail|cancelled|skipped) {COUNT}")
    STARTS = (b"#", b"not ok", "\u2139".encode(), "\u2716".encode())
    TAP = re.compile(r"\s*not ok \d+ - (.*)")
    SPEC = re.compile(r"\s*\u2716 (.+?)(?: \([\d.]+ms\))?$")

    def __init__(self) -> None:
        super().__init__()
        self.sums: dict[str, int] = {}

    def read(self, line: bytes) -> None:
        if self.current is None and not line.lstrip().startswith(self.STARTS):
            return
        text = text_of(line)
        if match := self.SUM.fullmatch(text):
            self.sums[match[1]] = int(match[2])
        elif match := self.TAP.match(text):
            expected = re.search(r" # (?:TODO|SKIP)\b", text, re.IGNORECASE)
            self.current = None if expected else self.fail(match[1])
        elif text.lstrip().startswith("\u2716") and (match := self.SPEC.match(text)):
            self.current = None if match[1] == "failing tests:" else self.fail(match[1])
        elif re.match(r"\s*(?:ok \d|# Subtest: |\.\.\.$|[\u2714\u25b6\u2139\ufe63])", text):
            self.current = None
        elif text.strip() != "---":
            self.explain(text + "\n")

    def end(self) -> None:
        if "pass" in self.sums:
            bad = self.sums.get("fail", 0) + self.sums.get("cancelled", 0)
            self.passed, self.failed, self.skipped = self.sums["pass"], bad, self.sums.get("skipped", 0)
