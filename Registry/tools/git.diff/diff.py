"""git.diff: which files differ, by how many lines, and the patch."""

from __future__ import annotations

import base64
from typing import Any

from gitkit import Repository, optional
from toolkit import Refusal, main, named, whole_characters

LIST_BYTES = 8 << 20


def arguments(task: dict[str, Any]) -> list[str]:
    """What is compared with what."""
    revisions = [task[member] for member in ("from", "to") if member in task]
    if "to" in task and "from" not in task:
        raise Refusal('"to" needs "from"')
    if task.get("staged") and "to" in task:
        raise Refusal('"staged" compares the index with one revision: leave "to" out')
    return [*optional(task, "staged", "--cached"), "--end-of-options", *revisions, "--", *task.get("paths", [])]


def files_of(output: bytes) -> list[dict[str, Any]]:
    """From `--raw --numstat -z`: a state of each file, then the counts of each, in the same order."""
    records = iter(output.split(b"\0")[:-1])
    states: dict[bytes, tuple[str, bytes | None]] = {}
    files: list[dict[str, Any]] = []
    for record in records:
        try:
            if record.startswith(b":"):
                state = record.rsplit(b" ", 1)[1].decode("ascii")
                old = next(records) if state[0] in "RC" else None
                states[next(records)] = (state[0], old)
            else:
                added, removed, name = record.split(b"\t", 2)
                if not name:
                    next(records)
                    name = next(records)
                files.append(file_of(name, added, removed, *states.get(name, ("M", None))))
        except (StopIteration, ValueError):
            break  # cut
    return files


def file_of(name: bytes, added: bytes, removed: bytes, state: str, old: bytes | None) -> dict[str, Any]:
    file: dict[str, Any] = named("path", name) | {"state": state}
    if old is not None:
        file |= named("from", old)
    if added == b"-":
        return file | {"binary": True}
    return file | {"added": int(added), "removed": int(removed)}


def work(task: dict[str, Any]) -> Any:
    repository = Repository(task)
    common = ["diff", "--no-ext-diff", "--no-textconv", "--no-color", "--find-renames", "--ignore-submodules=dirty"]
    common += [f"--unified={task.get('context_lines', 3)}", *optional(task, "ignore_space", "--ignore-all-space")]
    what = arguments(task)
    listed, is_list_cut = repository.run([*common, "--raw", "--numstat", "-z", "--no-abbrev", *what], LIST_BYTES)
    files = files_of(listed)
    most_files = task.get("max_files", 1000)
    result: dict[str, Any] = {
        "files": files[:most_files],
        "added": sum(file.get("added", 0) for file in files),
        "removed": sum(file.get("removed", 0) for file in files),
        "truncated": is_list_cut or len(files) > most_files,
    }
    if task.get("patch", True):
        patch, is_cut = repository.run([*common, "--patch", *what], task.get("max_bytes", 262_144))
        result["truncated"] = result["truncated"] or is_cut
        try:
            result["patch"] = (whole_characters(patch) if is_cut else patch).decode("utf-8")
        except UnicodeDecodeError:
            result["patch_b64"] = base64.b64encode(patch).decode()
    return result


main(work)
