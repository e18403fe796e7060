"""How dome's tools in Python ask git: the repository's configuration is taken as hostile, nothing in it starts a
program."""

from __future__ import annotations

import os
from typing import Any

from programs import output_of, surroundings
from toolkit import Refusal, folder_of, open_file, shown

SETTINGS = "/tmp/.gitconfig"


class Repository:
    """A granted work tree or bare repository."""

    def __init__(self, task: dict[str, Any]) -> None:
        self.path = folder_of(task, "repository")
        self.environment = surroundings(
            GIT_CONFIG_NOSYSTEM="1", GIT_CONFIG_GLOBAL=SETTINGS, GIT_TERMINAL_PROMPT="0", GIT_OPTIONAL_LOCKS="0",
            GIT_NO_LAZY_FETCH="1", GIT_NO_REPLACE_OBJECTS="1",
            GIT_CEILING_DIRECTORIES=os.fsdecode(os.path.dirname(self.path)),
        )  # fmt: skip
        # The job may run under another uid than the repository's owner: exactly this folder is declared safe.
        declare = ["git", "config", "--file", SETTINGS, "safe.directory", os.fsdecode(self.path)]
        output_of(declare, 1 << 16, environment=self.environment)
        try:
            self.ask(["rev-parse", "--git-dir"], 1 << 16)
        except Refusal as refusal:
            why = f"{refusal}{self.elsewhere()}"
            raise Refusal(f"{shown(self.path)} is no git repository that can be read: {why}") from None
        self.disarm()

    def elsewhere(self) -> str:
        """What to grant besides, for a work tree whose repository is in another place."""
        try:
            handle, _ = open_file(os.path.join(self.path, b".git"))
        except Refusal:
            return ""
        with os.fdopen(handle, "rb") as file:
            place = os.path.join(self.path, file.read(4096).partition(b"gitdir:")[2].strip())
        name = shown(os.path.normpath(place.partition(b"/.git/")[0]))
        return f"; its repository is in {name}: was that granted? (fs.read:{name})"

    def disarm(self) -> None:
        """Filters are programs that the configuration names and git would run over changed files."""
        names = ["config", "--null", "--name-only", "--get-regexp", r"^filter\."]
        found, is_cut = self.run(names, 1 << 20, statuses=(0, 1))
        if is_cut:
            raise Refusal(f"{shown(self.path)} has more settings than there is reason for")
        keys = sorted(set(os.fsdecode(found).split("\0")) - {""})
        values = {key: "false" if key.endswith(".required") else "" for key in keys}
        values |= {"core.fsmonitor": "false", "core.hooksPath": "/dev/null", "protocol.allow": "never"}
        values |= {"core.quotePath": "false", "log.showSignature": "false"}
        self.environment["GIT_CONFIG_COUNT"] = str(len(values))
        for number, (key, value) in enumerate(values.items()):
            self.environment[f"GIT_CONFIG_KEY_{number}"] = key
            self.environment[f"GIT_CONFIG_VALUE_{number}"] = value

    def run(self, arguments: list[str], most: int, statuses: tuple[int, ...] = (0,)) -> tuple[bytes, bool]:
        """What git prints, and whether that was cut at `most` bytes."""
        try:
            return self.ask(arguments, most, statuses)
        except Refusal as refusal:
            raise Refusal(f"{shown(self.path)}: {refusal}") from None

    def ask(self, arguments: list[str], most: int, statuses: tuple[int, ...] = (0,)) -> tuple[bytes, bool]:
        """The same; a refusal does not name the repository."""
        command = ["git", "--no-pager", "-C", os.fsdecode(self.path), *arguments]
        return output_of(command, most, environment=self.environment, statuses=statuses)


def optional(task: dict[str, Any], member: str, *options: str) -> list[str]:
    """The options, where the task says so."""
    return list(options) if task.get(member) else []
