#!/usr/bin/env python3
"""House rules that a script can check: file sizes, line lengths, and words that have no place in Sources.

Swift line lengths are the formatter's business; here are C, headers, Python and shell. Exceptions, each with
its reason, stand in exceptions.txt.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import swift_source  # noqa: E402

ARGUE_LINES = 300
STOP_LINES = 400
LINE_COLUMNS = 120

FORBIDDEN = {
    "force-try": (re.compile(r"(?<!\w)try!"), "try! turns foreign input into a crash: throw"),
    "fatal-error": (re.compile(r"(?<![.\w])fatalError\s*\("), "fatalError ends the daemon: throw"),
    "foundation": (re.compile(r"(?<![.\w])import\s+Foundation\w*"), "no Foundation in host code"),
}

ROOT = Path(__file__).resolve().parents[2]
Finding = tuple[str, str, str]  # rule, path, text


def exceptions() -> tuple[dict[tuple[str, str], str], list[str]]:
    """(rule, path) → reason, and what is wrong with the file itself."""
    known: dict[tuple[str, str], str] = {}
    errors = []
    rules = {"file-size", "line-length", *FORBIDDEN}
    for number, line in enumerate((ROOT / "ops/ci/exceptions.txt").read_text().splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split(None, 2)
        if len(fields) < 3 or fields[0] not in rules:
            errors.append(f"ops/ci/exceptions.txt:{number}: want RULE PATH REASON, with a rule of {sorted(rules)}")
        else:
            known[fields[0], fields[1]] = fields[2]
    return known, errors


def sized_files() -> list[Path]:
    names = ("Sources", "Plugins", "Registry", "Templates", "Tests", "ops", "bench")
    folders = [ROOT / name for name in names if (ROOT / name).is_dir()]
    suffixes = (".swift", ".c", ".cc", ".h", ".py", ".sh")
    return [path for folder in folders for path in swift_source.files(folder, *suffixes)]


def size_findings(path: Path, name: str, text: str) -> list[Finding]:
    found = []
    count = text.count("\n")
    if count > STOP_LINES:
        found.append(("file-size", name, f"{name}: {count} lines, the limit is {STOP_LINES}: split it by idea"))
    elif count > ARGUE_LINES:
        print(f"warning: {name}: {count} lines (argue above {ARGUE_LINES}, stop at {STOP_LINES})")
    if path.suffix != ".swift":
        for number, line in enumerate(text.splitlines(), start=1):
            if len(line) > LINE_COLUMNS:
                found.append(("line-length", name, f"{name}:{number}: {len(line)} columns, limit {LINE_COLUMNS}"))
    return found


def word_findings(name: str, text: str) -> list[Finding]:
    if not name.startswith("Sources/") or not name.endswith(".swift"):
        return []
    code = swift_source.blanked(text)
    return [
        (rule, name, f"{name}:{swift_source.line_of(code, match.start())}: {why}")
        for rule, (pattern, why) in FORBIDDEN.items()
        for match in pattern.finditer(code)
    ]


def main() -> int:
    known, errors = exceptions()
    findings: list[Finding] = []
    for path in sized_files():
        name = str(path.relative_to(ROOT))
        text = path.read_text(encoding="utf-8", errors="replace")
        findings += size_findings(path, name, text) + word_findings(name, text)
    errors += [text for rule, name, text in findings if (rule, name) not in known]
    needed = {(rule, name) for rule, name, _ in findings}
    errors += [f"ops/ci/exceptions.txt: {rule} {name}: no longer needed" for rule, name in known.keys() - needed]
    for error in errors:
        print(error)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
