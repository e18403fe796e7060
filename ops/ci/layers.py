#!/usr/bin/env python3
"""The layer check: who may import whom, one table.

    layers.py [ROOT]      checks ROOT (default: this checkout); prints each violation as FILE:LINE: why
    layers.py --self-test plants one violation of each kind in a scratch tree and proves that it is seen

SwiftPM's own import check misses what is reachable through another target, hence this one. It reads the
`import` lines themselves (`import` is a reserved word in Swift, so outside comments and strings every
occurrence is one).
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import swift_source  # noqa: E402

# Room → (level, what it may import besides Model from level 2 on and Platform from level 3 on).
# This is the table of docs/ARCHITECTURE.md; change both together.
ROOMS: dict[str, tuple[int, set[str]]] = {
    "Model": (1, set()),
    "Platform": (2, {"CLinux"}),
    "Async": (2, {"Platform"}),
    "Crypto": (2, {"CCrypto"}),
    "Schema": (2, set()),
    "Proto": (3, set()),
    "Link": (3, set()),
    "Journal": (3, set()),
    "Catalog": (3, {"Crypto", "Schema"}),
    "Store": (3, {"Async", "Crypto", "CSQLite"}),
    "Jail": (3, {"CJail", "CSeccomp"}),
    "PluginHost": (3, {"PluginABI"}),
    "Transport": (3, {"CNghttp2"}),
    "Wire": (3, {"Proto"}),
    "Validator": (4, {"Catalog", "Schema", "Link", "PluginABI"}),
    "Keeper": (4, {"Journal", "Jail", "Link"}),
    "Engine": (4, {"Async", "Crypto", "Journal", "Catalog", "Schema", "Store", "Link"}),
    "Server": (5, {"Async", "Engine", "Wire", "Proto", "Transport"}),
    "Client": (5, {"Async", "Wire", "Proto", "Transport"}),
    "MCP": (6, {"Async", "Client", "Crypto", "Transport"}),
    "Commands": (7, {"Async", "Client", "Catalog", "Crypto", "Jail", "Schema", "Validator", "MCP"}),
}

# Executables compose; what they compose is their meaning: domed maps no plugin and forks no job.
EXECUTABLES: dict[str, set[str]] = {
    "domed": {"Async", "Crypto", "Link", "Journal", "Catalog", "Store", "Transport", "Wire", "Engine", "Server"},
    "dome": {"Async", "Client", "Commands", "MCP"},
    "domed-keeper": {"Link", "Journal", "Jail", "Keeper", "CJail"},
    "domed-worker": {"Link", "PluginHost"},
    "protoc-gen-dome": {"Proto"},
}

# Foreign module → the only places that may import it (a room, or an executable).
IMPORTERS: dict[str, set[str]] = {
    "CSQLite": {"Store"},
    "CNghttp2": {"Transport"},
    "CCrypto": {"Crypto"},
    "CSeccomp": {"Jail"},
    "CLinux": {"Platform"},
    "CJail": {"Jail", "domed-keeper"},
    "CFFI": set(),  # Plugins/FFI alone
}

# C headers of foreign libraries → folders that may include them. A C room is no way round the table.
C_HEADERS: dict[str, set[str]] = {
    "sqlite3": {"System/CSQLite"},
    "nghttp2/": {"System/CNghttp2"},
    "openssl/": {"System/CCrypto"},
    "seccomp.h": {"System/CSeccomp", "Host/CJail"},
    "ffi.h": {"System/CFFI"},
}

# What the toolchain brings and everybody may use. Not Foundation, not Dispatch: see docs/ARCHITECTURE.md.
TOOLCHAIN = {"Swift", "Glibc", "Musl", "Synchronization"}

# Plain single-threaded code: no Swift concurrency. These rooms end up in processes without its runtime.
SINGLE_THREADED = {"Platform", "Link", "Journal", "Jail", "Keeper", "PluginHost", "Transport"}
SINGLE_THREADED |= {"domed-keeper", "domed-worker"}

_IMPORT = re.compile(
    r"(?P<attributes>(?:@\w+(?:\([^)]*\))?\s+)*)(?:(?:public|package|internal|fileprivate|private)\s+)?"
    r"(?<![.\w])import\s+(?:(?:typealias|struct|class|enum|protocol|let|var|func)\s+)?(?P<module>\w+)"
)
_CONCURRENCY = re.compile(
    r"(?<![.\w])(?:async|await)\b(?!\s*:)|(?<![.\w])actor\s+\w|(?<![.\w])(?:Task|TaskGroup|AsyncStream|AsyncSequence"
    r"|AsyncThrowingStream|MainActor|globalActor|TaskLocal|with\w*TaskGroup|with\w*Continuation)\b"
)
_INCLUDE = re.compile(r'^\s*#\s*(?:include|import)\s*[<"]([^>"]+)[>"]', re.MULTILINE)

Violation = tuple[Path, int, str]


def place_of(path: Path, sources: Path) -> str | None:
    """The room or executable that a Swift file belongs to; None when it lies in neither."""
    parts = path.relative_to(sources).parts
    if len(parts) < 3:
        return None
    if parts[0] == "Host":
        # Generated code is half of room Proto.
        name = "Proto" if parts[1] == "Generated" else parts[1]
        return name if name in ROOMS else None
    if parts[0] == "Executables":
        return parts[1] if parts[1] in EXECUTABLES else None
    return None


def allowed_imports(place: str) -> set[str]:
    if place in EXECUTABLES:
        return EXECUTABLES[place] | {"Model", "Platform"}
    level, named = ROOMS[place]
    return named | ({"Model"} if level > 1 else set()) | ({"Platform"} if level > 2 else set())


def import_violations(path: Path, place: str, code: str) -> Iterator[Violation]:
    for match in _IMPORT.finditer(code):
        line = swift_source.line_of(code, match.start("module"))
        module = match["module"]
        attributes = match["attributes"]
        room = module.removeprefix("Dome")
        if "@_exported" in attributes or "@testable" in attributes:
            yield path, line, f"{attributes.split()[0]} hides what its importers depend on; import plainly"
        if module.startswith("Foundation"):
            yield path, line, f"{module} is not used in host code: Glibc, Model and Platform have what is needed"
        elif module in TOOLCHAIN or (module.startswith("Dome") and room == place):
            continue
        elif module in IMPORTERS and place not in IMPORTERS[module]:
            owners = ", ".join(sorted(IMPORTERS[module])) or "a plugin"
            yield path, line, f"{place} imports {module}, whose only importer is {owners}"
        elif module not in IMPORTERS and (room if module.startswith("Dome") else module) not in allowed_imports(place):
            yield path, line, f"{place} must not import {module} (allowed: {', '.join(sorted(allowed_imports(place)))})"


def concurrency_violations(path: Path, place: str, code: str) -> Iterator[Violation]:
    if place not in SINGLE_THREADED:
        return
    for match in _CONCURRENCY.finditer(code):
        line = swift_source.line_of(code, match.start())
        yield path, line, f"{place} runs without the concurrency runtime: no '{match.group().split()[0]}' here"


def c_violations(path: Path, sources: Path) -> Iterator[Violation]:
    text = path.read_text(encoding="utf-8", errors="replace")
    folder = "/".join(path.relative_to(sources).parts[:2])
    for match in _INCLUDE.finditer(text):
        for header, owners in C_HEADERS.items():
            if match[1].startswith(header) and folder not in owners:
                yield path, swift_source.line_of(text, match.start(1)), f"{folder} must not include <{match[1]}>"


def plugin_violations(path: Path, code: str) -> Iterator[Violation]:
    for match in _IMPORT.finditer(code):
        if match["module"].startswith("Dome") or (match["module"] == "CFFI" and "FFI" not in path.parts):
            line = swift_source.line_of(code, match.start("module"))
            yield path, line, f"a plugin must not import {match['module']}: it knows the C headers only"


def violations(root: Path) -> list[Violation]:
    """Every violation in the checkout at `root`, in file order."""
    sources = root / "Sources"
    found: list[Violation] = []
    generated = sources / "Host" / "Generated"
    swift_files = swift_source.files(sources, ".swift") + sorted(generated.rglob("*.swift"))
    for path in swift_files:
        place = place_of(path, sources)
        if place is None:
            found.append((path, 1, "belongs to no room and no executable of the table in ops/ci/layers.py"))
            continue
        code = swift_source.blanked(path.read_text(encoding="utf-8"))
        found += import_violations(path, place, code)
        found += concurrency_violations(path, place, code)
    for path in swift_source.files(sources, ".c", ".h"):
        found += c_violations(path, sources)
    for path in swift_source.files(root / "Plugins", ".swift") if (root / "Plugins").is_dir() else []:
        found += plugin_violations(path, swift_source.blanked(path.read_text(encoding="utf-8")))
    return found


# What --self-test plants: file → (content, number of violations it must cause).
PLANTS: dict[str, tuple[str, int]] = {
    "Sources/Host/Model/A.swift": ("import Glibc\n// import Foundation\nlet s = \"import DomeStore\"\n", 0),
    "Sources/Host/Model/Up.swift": ("import DomePlatform\n", 1),
    "Sources/Host/Link/Side.swift": ("package import DomeJournal\n", 1),
    "Sources/Host/Link/Fine.swift": ("package import DomeModel\nprivate import struct DomePlatform.Descriptor\n", 0),
    "Sources/Host/Engine/Foreign.swift": ("@preconcurrency\ninternal import CSQLite\n", 1),
    "Sources/Host/Keeper/Linux.swift": ("import CLinux\n", 1),
    "Sources/Host/Store/Own.swift": ("import CSQLite; import DomeAsync\nactor Writer { func f() async {} }\n", 0),
    "Sources/Host/Wire/Proto.swift": ("import DomeProto\n", 0),
    "Sources/Host/Catalog/F.swift": ("#if canImport(Foundation)\nimport FoundationEssentials\n#endif\n", 1),
    "Sources/Host/Client/Exported.swift": ("@_exported import DomeWire\n", 1),
    "Sources/Host/Client/Dispatch.swift": ("import Dispatch\n", 1),
    "Sources/Host/Journal/Await.swift": ("func f() async { await g() }\nlet text = \"\"\"\n  await\n  \"\"\"\n", 2),
    "Sources/Host/Platform/Task.swift": ("/* a /* nested */ Task */ func g() { Task { } }\nf(task: .async)\n", 1),
    "Sources/Host/Transport/Actor.swift": ("let actor = \"\\(f(\"actor X\"))\"\nactor Connection {}\n", 1),
    "Sources/Host/Attic/Old.swift": ("", 1),
    "Sources/Host/Generated/a.swift": ("import DomeModel\nimport DomeEngine\n", 1),
    "Sources/Host/CJail/x.c": ("#include <sqlite3.h>\n#include <seccomp.h>\n", 1),
    "Sources/Executables/domed/main.swift": ("import DomeEngine\nimport DomePluginHost\n", 1),
    "Sources/Executables/domed-worker/main.swift": ("import DomePluginHost\nawait f()\n", 1),
    "Plugins/X/x.swift": ("import DomeModel\n", 1),
}


def self_test() -> int:
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        for name, (content, _) in PLANTS.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(content, encoding="utf-8")
        seen = violations(root)
        wrong = 0
        for name, (_, expected) in PLANTS.items():
            reported = [text for path, _, text in seen if path == root / name]
            if len(reported) != expected:
                wrong += 1
                print(f"layers.py: self-test: {name}: {expected} violations planted, seen: {reported}")
    print(f"layers.py: self-test: {len(PLANTS)} files, {sum(n for _, n in PLANTS.values())} violations planted", end="")
    print(", all seen" if wrong == 0 else f", {wrong} files judged wrongly")
    return 1 if wrong else 0


def main(arguments: list[str]) -> int:
    if arguments == ["--self-test"]:
        return self_test()
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parents[2]
    found = violations(root)
    for path, line, text in found:
        print(f"{path.relative_to(root)}:{line}: {text}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
