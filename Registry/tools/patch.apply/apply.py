"""patch.apply: a unified diff, applied whole or not at all. git does it, without looking at any repository."""

from __future__ import annotations

import re
from typing import Any

from programs import output_of, surroundings
from toolkit import Refusal, folder_of, main, named, refuse_scratch

PATCH = "/tmp/patch"
LIST_BYTES = 8 << 20
# git-apply takes links and submodules for files like others.
SPECIAL = re.compile(rb"^(?:new file mode|new mode|deleted file mode) (?:120000|160000)$", re.MULTILINE)


def git(folder: bytes, arguments: list[str]) -> bytes:
    """What git apply prints. A repository there is none for it: no configuration, no index."""
    environment = surroundings(
        GIT_CONFIG_NOSYSTEM="1", GIT_CONFIG_GLOBAL="/dev/null", GIT_DIR="/nonexistent", GIT_CEILING_DIRECTORIES="/"
    )
    try:
        return output_of(
            ["git", "apply", *arguments, "--", PATCH], LIST_BYTES, environment=environment, folder=folder
        )[0]
    except Refusal as refusal:
        raise Refusal(f"nothing was changed: {advised(str(refusal))}") from None


def advised(said: str) -> str:
    """What git says, and what to do where it does not say that."""
    if "No valid patches" in said:
        form = "--- a/FILE, +++ b/FILE, @@ -1,2 +1,2 @@ and lines that begin with -, + or a space"
        return f"there is no unified diff in it ({form})"
    if "unable to find filename" in said or "No such file or directory" in said:
        return f'{said}; "strip" says how many folders to take off the front of its names, 1 if it does not: a/, b/'
    return said


def counted(output: bytes) -> list[dict[str, Any]]:
    """From --numstat -z."""
    files = []
    for record in output.split(b"\0")[:-1]:
        added, removed, name = record.split(b"\t", 2)
        file: dict[str, Any] = named("path", name)
        files.append(file | ({"binary": True} if added == b"-" else {"added": int(added), "removed": int(removed)}))
    return files


def work(task: dict[str, Any]) -> Any:
    is_trial = task.get("dry_run", False)
    folder = folder_of(task, "folder", "fs.read" if is_trial else "fs.write")
    if not is_trial:
        refuse_scratch(folder)
    patch = task["patch"].encode("utf-8", "replace")
    if not patch.endswith(b"\n"):
        patch += b"\n"
    if SPECIAL.search(patch):
        raise Refusal("nothing was changed: the patch makes or changes a symbolic link or a submodule")
    with open(PATCH, "wb") as file:
        file.write(patch)
    options = ["--whitespace=nowarn", f"-p{task.get('strip', 1)}"]
    options += ["--reverse"] if task.get("reverse") else []
    options += ["--ignore-whitespace"] if task.get("ignore_space") else []
    options += fitting(folder, options)
    files = counted(git(folder, [*options, "--numstat", "-z"]))
    if not is_trial:
        git(folder, options)
    return {"applied": not is_trial, "files": files}


def fitting(folder: bytes, options: list[str]) -> list[str]:
    """What to add so that the patch applies. Counting anew comes second: without "diff" lines between its files, a
    patch reads differently then."""
    try:
        git(folder, [*options, "--check"])
        return []
    except Refusal as refusal:
        try:
            git(folder, [*options, "--recount", "--check"])
            return ["--recount"]
        except Refusal:
            raise refusal from None


main(work)
