"""build.test: finds out how a project is tested, tests it, and says how it went."""

from __future__ import annotations

import os
import time
from typing import Any

from copying import copied
from running import Output, has_network, run
from systems import PYTHON, SYSTEMS, System, is_there, make_target, needs_modules
from tallies import Tally
from toolkit import Refusal, fail, folder_of, main, refuse_scratch, shown

NO_NETWORK = (
    "the sandbox has no network: put what the project needs into it (cargo vendor, go mod vendor, npm ci), or have the "
    "policy allow net.full to build.test and grant it"
)


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
        remedy = 'if it is outside of /usr, name its folder in "path" and grant fs.read of it'
        raise Refusal(f"what tests {shown(folder)} is not on this machine: {', '.join(missing)}; {remedy}")
    names = ", ".join(system.name for system in SYSTEMS)
    raise Refusal(f"{shown(folder)} has no tests that are known here ({names})")


def environment_of(task: dict[str, Any]) -> dict[str, str]:
    made = {name: value for name, value in os.environ.items() if not name.startswith("DOMED_")}
    os.makedirs("/job/home", exist_ok=True)
    made |= {"HOME": "/job/home", "CI": "1", "PYTHONDONTWRITEBYTECODE": "1"} | task.get("environment", {})
    for place in task.get("path", []):
        folder_of({"path": place}, "path")
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
    began, output = time.monotonic(), Output(task.get("output_characters", 20_000))
    status: int | None = 0
    for command in commands:
        output.tally = system.tally() if command is commands[-1] else Tally()
        try:
            status = run(command, folder, environment, output, began + task.get("timeout_seconds", 900))
        except (OSError, ValueError) as error:
            fail(f"{command[0]} cannot be started: {error}")
        output.end()
        if status != 0:
            break
    tally = output.tally
    result: dict[str, Any] = {
        "system": system.name, "command": command, "ok": status == 0, "exit_code": status,
        "timed_out": status is None, "seconds": round(time.monotonic() - began, 3),
        "passed": tally.passed, "failed": tally.failed, "skipped": tally.skipped, "failures": tally.failures,
        "output": output.text, "output_artifact": "output.txt",
    }  # fmt: skip
    if status != 0 and (note := note_of(system, folder, output)):
        result["note"] = note
    return result


def note_of(system: System, folder: bytes, output: Output) -> str:
    """What the project lacks in the sandbox, as far as that can be told."""
    if has_network():
        return ""
    if system.name == "npm" and needs_modules(folder):
        return "there is no node_modules, and no network to fetch it: run npm ci in the project first"
    return NO_NETWORK if output.lacks_network else ""


main(work)
