"""git.status: the branch, and what differs between commit, index and work tree."""

from __future__ import annotations

from typing import Any

from gitkit import Repository
from toolkit import main, named

OUTPUT_BYTES = 8 << 20


def branch_of(headers: list[bytes]) -> dict[str, Any]:
    """From the lines "# branch.NAME VALUE"."""
    known = dict(line[2:].split(b" ", 1) for line in headers if b" " in line[2:])
    commit = known.get(b"branch.oid", b"(initial)")
    head = known.get(b"branch.head", b"(detached)")
    branch: dict[str, Any] = {"commit": None if commit == b"(initial)" else commit.decode()}
    if head == b"(detached)":
        branch["name"] = None
    else:
        branch |= named("name", head)
    if b"branch.upstream" in known:
        branch |= named("upstream", known[b"branch.upstream"])
    if b"branch.ab" in known:
        ahead, behind = known[b"branch.ab"].split(b" ")
        branch |= {"ahead": int(ahead), "behind": -int(behind)}
    return branch


def change_of(record: bytes, following: Any) -> dict[str, Any] | None:
    """One record of `git status --porcelain=v2 -z` (git-status(1)); a rename has a second name."""
    kind = record[:1]
    if kind == b"?":
        return named("path", record[2:]) | {"kind": "untracked", "index": ".", "worktree": "?"}
    if kind not in b"12u":
        return None
    fields = {b"1": 8, b"2": 9, b"u": 10}[kind]
    parts = record.split(b" ", fields)
    states = parts[1].decode("ascii")
    change = named("path", parts[fields]) | {"kind": "changed", "index": states[0], "worktree": states[1]}
    if kind == b"u":
        change["kind"] = "unmerged"
    if kind == b"2":
        change["kind"] = "copied" if parts[8].startswith(b"C") else "renamed"
        change |= named("from", next(following))
    return change


def work(task: dict[str, Any]) -> Any:
    repository = Repository(task)
    untracked = "all" if task.get("untracked", True) else "no"
    output, is_cut = repository.run(
        ["status", "--porcelain=v2", "--branch", "-z", f"--untracked-files={untracked}",
         "--ignore-submodules=dirty", "--find-renames", "--", *task.get("paths", [])],
        OUTPUT_BYTES,
    )  # fmt: skip
    # The last one is empty or cut.
    records = iter(output.split(b"\0")[:-1])
    headers: list[bytes] = []
    changes: list[dict[str, Any]] = []
    most = task.get("max_entries", 1000)
    for record in records:
        if record.startswith(b"# "):
            headers.append(record)
            continue
        if len(changes) == most:
            is_cut = True
            break
        try:
            change = change_of(record, records)
        except StopIteration:
            break
        if change is not None:
            changes.append(change)
    return {"branch": branch_of(headers), "clean": not changes, "changes": changes, "truncated": is_cut}


main(work)
