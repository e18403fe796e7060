"""build.test: finds out how a project is tested, tests it, and says how it went."""

from __future__ import annotations

import os
import selectors
import shutil
import signal
import subprocess
import time
from typing import Any

from systems import PYTHON, SYSTEMS, Counts, System, is_there, make_target
from toolkit import Refusal, fail, folder_of, main, refuse_scratch, shown

COPY = b"/job/work"
COPY_BYTES = 1 << 30
LOG = "/job/out/output.txt"
LOG_BYTES = 64 << 20
# Of the end of the output: that is where tests sum up.
TAIL_BYTES = 4 << 20
STEP = 64 << 10


class Output:
    """What the commands print: to whoever follows the job, to an artifact, and the end of it to be read."""

    def __init__(self) -> None:
        os.makedirs(os.path.dirname(LOG), exist_ok=True)
        self.file = open(LOG, "wb")
        self.left = LOG_BYTES
        self.tail = bytearray()

    def take(self, data: bytes) -> None:
        os.write(2, data)
        self.file.write(data[: self.left])
        self.left -= min(len(data), self.left)
        self.tail += data
        if len(self.tail) > 2 * TAIL_BYTES:
            del self.tail[:-TAIL_BYTES]

    def text(self) -> str:
        self.file.flush()
        return bytes(self.tail).decode("utf-8", "replace")


def copied(folder: bytes) -> bytes:
    """A copy in the job, where tests may write what they like: the project stays as it is."""
    total = 0
    for place, folders, names in os.walk(folder):
        if place == folder and b".git" in folders:
            folders.remove(b".git")
        for name in names:
            status = os.lstat(os.path.join(place, name))
            total += status.st_size
        if total > COPY_BYTES:
            raise Refusal(f"{shown(folder)} has more than {COPY_BYTES >> 30} GiB: grant fs.write and say \"in_place\"")
    try:
        shutil.copytree(folder, COPY, symlinks=True, ignore=lambda place, names: special(place, names, folder))
    except shutil.Error as error:
        raise Refusal(f"{shown(folder)} cannot be copied: {str(error.args[0][0][2])[:300]}") from None
    return COPY


def special(place: Any, names: list[Any], root: bytes) -> list[Any]:
    """What is not copied: the repository's own folder, FIFOs and sockets."""
    place = os.fsencode(place)
    left_out = []
    for name in names:
        path = os.path.join(place, os.fsencode(name))
        if place == root and os.fsencode(name) == b".git":
            left_out.append(name)
        elif not (os.path.islink(path) or os.path.isfile(path) or os.path.isdir(path)):
            left_out.append(name)
    return left_out


def system_of(folder: bytes, wanted: str | None, python: str | None) -> System:
    """The way that is asked for, or the first that the project has and the machine can."""
    missing: list[str] = []
    for system in SYSTEMS:
        if system.name != wanted if wanted else not system.is_used(folder):
            continue
        if is_there(system, python):
            return system
        missing.append(f"{system.name} (install {system.package})")
    if missing:
        raise Refusal(f"what tests {shown(folder)} is not on this machine: {', '.join(missing)}")
    names = ", ".join(system.name for system in SYSTEMS)
    raise Refusal(f"{shown(folder)} has no tests that are known here ({names})")


def run(command: list[str], folder: bytes, environment: dict[str, str], output: Output, end: float) -> int | None:
    """The command's exit status (negative: a signal); None if it had to be ended."""
    output.take(("$ " + " ".join(command) + "\n").encode("utf-8", "replace"))
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while (left := end - time.monotonic()) > 0:
            if not selector.select(left):
                continue
            data = os.read(process.stdout.fileno(), STEP)
            if not data:
                break
            output.take(data)
    try:
        return process.wait(max(end - time.monotonic(), 0.1))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return None


def environment_of(task: dict[str, Any]) -> dict[str, str]:
    made = {name: value for name, value in os.environ.items() if not name.startswith("DOMED_")}
    os.makedirs("/job/home", exist_ok=True)
    made |= {"HOME": "/job/home", "CI": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    made["PATH"] = ":".join([*task.get("path", []), made["PATH"]])
    os.environ["PATH"] = made["PATH"]
    return made


def python_of(task: dict[str, Any]) -> str | None:
    """The interpreter of the virtual environment that the task names."""
    if "venv" not in task:
        return None
    program = os.path.join(folder_of(task, "venv"), b"bin", b"python")
    if not os.access(program, os.X_OK):
        raise Refusal(f"its interpreter {shown(os.path.realpath(program))} is not in the sandbox: was it granted?")
    return os.fsdecode(program)


def work(task: dict[str, Any]) -> Any:
    in_place = task.get("in_place", False)
    folder = folder_of(task, "folder", "fs.write" if in_place else "fs.read")
    environment = environment_of(task)
    python = python_of(task)
    system = system_of(folder, task.get("system"), python)
    if in_place:
        refuse_scratch(folder)
    else:
        folder = copied(folder)
    commands = [[python if python and one == PYTHON else one for one in command] for command in system.commands]
    if system.name == "make":
        commands[-1].append(make_target(folder) or "test")
    commands[-1] += task.get("arguments", [])
    began, output = time.monotonic(), Output()
    status: int | None = 0
    for command in commands:
        try:
            status = run(command, folder, environment, output, began + task.get("timeout_seconds", 900))
        except (OSError, ValueError) as error:
            fail(f"{command[0]} cannot be started: {error}")
        if status != 0:
            break
    text = output.text()
    counts = system.count(text) if command is commands[-1] else Counts()
    most = task.get("output_characters", 20_000)
    result: dict[str, Any] = {
        "system": system.name, "command": command, "ok": status == 0, "exit_code": status,
        "timed_out": status is None, "seconds": round(time.monotonic() - began, 3),
        "passed": counts.passed, "failed": counts.failed, "skipped": counts.skipped, "failures": counts.failures,
        "output": text[-most:] if most else "", "output_artifact": "output.txt",
    }  # fmt: skip
    return result


main(work)
