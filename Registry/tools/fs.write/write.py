"""fs.write: a file made, replaced or appended to. What is replaced is replaced whole, by a rename."""

from __future__ import annotations

import base64
import binascii
import errno
import hashlib
import os
import stat
from typing import Any

from toolkit import Refusal, main, open_file, path_of, refuse_scratch, shown, unreachable


def data_of(task: dict[str, Any]) -> bytes:
    if "text" in task:
        try:
            return task["text"].encode("utf-8")
        except UnicodeEncodeError:
            raise Refusal('"text" holds half a character') from None
    try:
        return base64.b64decode(task["base64"], validate=True)
    except (binascii.Error, ValueError):
        raise Refusal('"base64" is no base 64') from None


def prepare_folder(folder: bytes, may_make: bool) -> None:
    """The folder is there and granted, or made below one that is."""
    there, missing = folder, []
    while may_make and there != b"/" and not os.path.lexists(there):
        missing.append(there)
        there = os.path.dirname(there)
    try:
        status = os.stat(there)
    except OSError as error:
        raise Refusal(unreachable(there, error, "fs.write")) from None
    if not stat.S_ISDIR(status.st_mode):
        raise Refusal(f"{shown(there)} is no folder")
    refuse_scratch(there)
    for one in reversed(missing):
        attempt(one, lambda one=one: os.mkdir(one, 0o777))  # type: ignore[misc]


def attempt(path: bytes, action: Any) -> Any:
    """Does it; what the system refuses is told with the path, and the likely reason."""
    try:
        return action()
    except OSError as error:
        name = shown(path)
        if error.errno == errno.EROFS:
            why = "may only be read: grant its folder for writing, where the policy allows it"
            raise Refusal(f"{name} {why}") from None
        raise Refusal(f"{name}: {error.strerror}") from None


def present(path: bytes) -> os.stat_result | None:
    """What is there under the name; only a regular file will do."""
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Refusal(unreachable(path, error, "fs.write")) from None
    if stat.S_ISLNK(status.st_mode):
        raise Refusal(f"{shown(path)} is a link to {shown(os.readlink(path))}: name the file itself")
    if not stat.S_ISREG(status.st_mode):
        raise Refusal(f"{shown(path)} is there and no regular file")
    return status


def check_expected(path: bytes, expected: str) -> None:
    handle, _ = open_file(path)
    with os.fdopen(handle, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected.lower():
        raise Refusal(f"{shown(path)} is not what \"expected_sha256\" says, but {found}: read it again")


def put(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def append(path: bytes, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    handle = attempt(path, lambda: os.open(path, flags, 0o666))
    attempt(path, lambda: put(handle, data))
    os.close(handle)


def create(path: bytes, data: bytes, old: os.stat_result | None) -> None:
    """Through a file beside it: nobody ever sees half of it, and a full disk leaves the old one."""
    folder = os.path.dirname(path) or b"/"
    new = os.path.join(folder, b".dome-%d.new" % os.getpid())
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = attempt(path, lambda: os.open(new, flags, 0o666))
    try:
        attempt(path, lambda: put(handle, data))
        if old is not None:
            attempt(path, lambda: os.fchmod(handle, stat.S_IMODE(old.st_mode) & 0o777))
            attempt(path, lambda: os.rename(new, path))
        else:
            attempt(path, lambda: put_in_place(new, path))
    finally:
        os.close(handle)
        if os.path.lexists(new):
            os.unlink(new)


def put_in_place(new: bytes, path: bytes) -> None:
    """Gives a new file its name. Unlike rename, link never replaces what somebody put there meanwhile."""
    try:
        os.link(new, path)
    except OSError as error:
        # A file system without hard links.
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP) or os.path.lexists(path):
            raise
        os.rename(new, path)


def work(task: dict[str, Any]) -> Any:
    path, data = path_of(task), data_of(task)
    if path.endswith(b"/") or os.path.basename(path) in (b"", b".", b".."):
        raise Refusal(f"{shown(path)} names a folder, not a file")
    mode = task.get("if_exists", "refuse")
    prepare_folder(os.path.dirname(path), task.get("make_folders", False))
    old = present(path)
    if old is not None and mode == "refuse":
        raise Refusal(f'{shown(path)} is there already: say "if_exists": "replace" or "append"')
    if "expected_sha256" in task:
        if old is None:
            raise Refusal(f"{shown(path)} is not there, so it is not what \"expected_sha256\" says")
        check_expected(path, task["expected_sha256"])
    if mode == "append":
        append(path, data)
    else:
        create(path, data, old)
    status = os.stat(path)
    return {"path": task["path"], "created": old is None, "bytes_written": len(data), "size": status.st_size}


main(work)
