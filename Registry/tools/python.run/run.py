"""python.run: a snippet of Python, by the machine's interpreter or that of a granted virtual environment."""

from __future__ import annotations

import os
from typing import Any, NoReturn

from toolkit import Refusal, folder_of, main, printable, shown

SCRIPT = "/job/main.py"
INPUT = "/tmp/stdin"


def interpreter(task: dict[str, Any]) -> str:
    if "venv" not in task:
        return "/usr/bin/python3"
    venv = folder_of(task, "venv")
    program = os.path.join(venv, b"bin", b"python")
    if not os.path.exists(os.path.join(venv, b"pyvenv.cfg")):
        raise Refusal(f"{shown(venv)} is no virtual environment: it has no pyvenv.cfg")
    if not os.access(program, os.X_OK):
        real = os.path.realpath(program)
        remedy = "make the environment with /usr/bin/python3, or grant fs.read of the interpreter's folder"
        raise Refusal(f"its interpreter {shown(real)} is not in the sandbox: {remedy}")
    return os.fsdecode(program)


def encoded(task: dict[str, Any], member: str) -> bytes:
    try:
        return task.get(member, "").encode("utf-8")
    except UnicodeEncodeError:
        raise Refusal(f'"{member}" holds half a character') from None


def work(task: dict[str, Any]) -> NoReturn:
    program = interpreter(task)
    with open(SCRIPT, "wb") as file:
        file.write(encoded(task, "code"))
    with open(INPUT, "wb") as file:
        file.write(encoded(task, "stdin"))
    if "folder" in task:
        os.chdir(folder_of(task, "folder"))
    handle = os.open(INPUT, os.O_RDONLY)
    os.dup2(handle, 0)
    try:
        os.execve(program, [program, SCRIPT, *task.get("args", [])], {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    except (OSError, ValueError, UnicodeEncodeError) as error:
        raise Refusal(f"{printable(program)} cannot be started: {error}") from None


main(work)
