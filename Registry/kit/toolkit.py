"""What dome's tools in Python share: the task, refusals in one line, file names as text, one JSON text as result.

A tool's folder has a link to this file and names it in "files"; every job has a copy beside its program.
"""

from __future__ import annotations

import base64
import errno
import json
import os
import stat
import sys
from collections.abc import Callable
from typing import Any

# How a tool ends that did nothing, and says why.
REFUSED = 2


class Refusal(Exception):
    """Why the task was not done, in words for its caller."""


def main(work: Callable[[dict[str, Any]], Any]) -> None:
    """Gives the task to `work` and writes what it returns, if anything; what it refuses becomes a line on standard
    error."""
    try:
        result = work(json.load(sys.stdin.buffer))
        if result is not None:
            write(result)
    except Refusal as refusal:
        fail(str(refusal))
    except MemoryError:
        fail("it takes more memory than the tool may have: ask for less")
    except RecursionError:
        fail("the content is nested too deeply")
    except OSError as error:
        fail(reason(error))


def write(result: Any) -> None:
    """The result as one line of JSON."""
    write_bytes(json.dumps(result, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))


def write_bytes(line: bytes) -> None:
    """The result, if it is JSON already."""
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


def fail(why: str) -> None:
    """Ends the job."""
    line = printable(f"{os.environ.get('DOMED_TOOL_ID', 'tool')}: {why}")
    sys.stderr.buffer.write(line.encode("utf-8", "replace") + b"\n")
    sys.stderr.buffer.flush()
    sys.exit(REFUSED)


def printable(text: str) -> str:
    """The text without anything that drives a terminal."""
    return "".join(one if one.isprintable() or one == "\n" else one.encode("unicode_escape").decode() for one in text)


def shown(path: bytes) -> str:
    """A path for a message."""
    return printable(path.decode("utf-8", "backslashreplace")).replace("\n", "\\n")


def named(key: str, name: bytes) -> dict[str, str]:
    """A file name as a member of the result: text, or base 64 under KEY_b64 where it is no UTF-8."""
    try:
        return {key: name.decode("utf-8")}
    except UnicodeDecodeError:
        return {f"{key}_b64": base64.b64encode(name).decode()}


def content(data: bytes) -> dict[str, str]:
    """Bytes as a member of the result: "text" where they are text, else "base64"."""
    try:
        if b"\0" not in data:
            return {"text": data.decode("utf-8")}
    except UnicodeDecodeError:
        pass
    return {"base64": base64.b64encode(data).decode()}


def whole_characters(data: bytes) -> bytes:
    """The bytes up to the last whole character of UTF-8, for text that was cut anywhere."""
    for back in range(1, min(4, len(data)) + 1):
        first = data[-back]
        if first & 0xC0 != 0x80:
            size = 1 if first < 0xC0 else 2 if first < 0xE0 else 3 if first < 0xF0 else 4
            return data if size <= back else data[:-back]
    return data


def path_of(task: dict[str, Any], member: str = "path") -> bytes:
    """A path of the task as the file system takes it."""
    try:
        path = task[member].encode("utf-8")
    except UnicodeEncodeError:
        raise Refusal(f'"{member}" holds half a character') from None
    if b"\0" in path:
        raise Refusal(f'"{member}" holds the character NUL')
    return path


def open_file(path: bytes) -> tuple[int, os.stat_result]:
    """A regular file, open for reading. Never waits: a FIFO is refused like a folder."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise Refusal(f"{shown(path)} is no regular file") from None
        raise Refusal(unreachable(path, error)) from None
    status = os.fstat(handle)
    if stat.S_ISREG(status.st_mode):
        return handle, status
    os.close(handle)
    what = "a folder" if stat.S_ISDIR(status.st_mode) else "no regular file"
    raise Refusal(f"{shown(path)} is {what}; a file is wanted")


def folder_of(task: dict[str, Any], member: str, grant: str = "fs.read") -> bytes:
    """A folder that the task names and the job sees."""
    path = path_of(task, member)
    try:
        status = os.stat(path)
    except OSError as error:
        raise Refusal(unreachable(path, error, grant)) from None
    if not stat.S_ISDIR(status.st_mode):
        raise Refusal(f"{shown(path)} is no folder")
    return path


def unreachable(path: bytes, error: OSError, grant: str = "fs.read") -> str:
    """Why a path cannot be used: in a job, what was not granted is not there."""
    name = shown(path)
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        try:
            target = os.readlink(path)
        except OSError:
            return f"{name} is not there; was it granted? ({grant}:{name})"
        return f"{name} is a link to {shown(target)}, which is not there; was that granted?"
    return reason(error, name)


def reason(error: OSError, name: str = "") -> str:
    """An error of the system in words."""
    if not name and error.filename is not None:
        name = shown(os.fsencode(error.filename))
    return f"{name}: {error.strerror}" if name else str(error.strerror or error)


def refuse_scratch(folder: bytes, grant: str = "fs.write") -> None:
    """Refuses to write what would be gone with the job: /job, /tmp and /dev/shm are its own."""
    device = os.stat(folder).st_dev
    for own in (b"/", b"/job", b"/tmp", b"/dev/shm"):
        try:
            is_own = os.stat(own).st_dev == device
        except OSError:
            continue
        if is_own:
            name = shown(folder)
            raise Refusal(f"{name} is not granted for writing, what is put there goes with the job ({grant}:{name})")
