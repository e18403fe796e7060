"""A cluster of a test's own: a folder where an executor (driving_executor.c) hands its jobs over and reads how they
are. What is in the folder is what happens there, whatever becomes of domed and of the executor's worker."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from . import plugins
from .daemon import Daemon
from .tools import write_tool
from .waiting import until

SOURCE = plugins.ROOT / "Tests" / "Support" / "plugins" / "driving_executor.c"
PLUGIN = "org.example.cluster"


class Cluster:
    """The folder, and the plugin and the tool that belong to it."""

    def __init__(self, daemon: Daemon, *defines: str, tool: str = "cluster.run", **manifest: Any) -> None:
        self.daemon = daemon
        self.tool = tool
        self.folder = daemon.make_folder("cluster")
        self.folder.chmod(0o777)
        settings = plugins.settings(daemon, PLUGIN, config={"folder": str(self.folder)})
        daemon.own(settings.parent)
        plugins.install(
            daemon, into="Cluster", id=PLUGIN, kind="executor", permissions=[f"fs.write:{self.folder}"],
            code=plugins.library(*defines, source=SOURCE),
        )
        write_tool(daemon, tool, {"executor": PLUGIN, "entrypoint": {}, "permissions": []} | manifest)

    def start(self, task: Any = None, **rest: Any) -> str:
        """A job that the cluster has."""
        job = self.daemon.jobs.start(self.tool, task, **rest)
        until(lambda: self.calls(job), f"{job} was handed over; domed: {self.daemon.log_tail()}")
        return job

    def _write(self, path: Path, text: str) -> None:
        new = path.with_name(path.name + ".new")
        new.write_text(text)
        new.chmod(0o666)
        new.rename(path)

    def print(self, job: str, text: str) -> None:
        """The job prints."""
        with open(self.folder / job / "out", "a", encoding="ascii") as out:
            out.write(text)

    def state(self, job: str, state: str, **members: Any) -> None:
        """The job is in this state from now on; further members of the answer to poll, besides."""
        more = json.dumps(members)[1:-1]
        self._write(self.folder / job / "state", state + (f"\n{more}" if more else ""))

    def tell(self, job: str, file: str, text: str = "") -> None:
        """Puts a file for the executor into the job's folder."""
        self._write(self.folder / job / file, text)

    def tell_all(self, file: str, text: str = "") -> None:
        """Puts a file for the executor into the cluster's folder."""
        self._write(self.folder / file, text)

    def leave(self, job: str, files: dict[str, bytes], listed: list[tuple[str, int]] | None = None) -> None:
        """The job leaves these files; `listed` are said to be there besides."""
        folder = self.folder / job / "left"
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        names = [(name, len(content)) for name, content in files.items()] + (listed or [])
        folder.mkdir(exist_ok=True)
        entries = [{"name": name, "bytes": size} for name, size in names]
        self.tell(job, "artifacts", json.dumps({"artifacts": entries}))

    def forget(self, job: str) -> None:
        """The cluster knows no such job any more."""
        (self.folder / job).rename(self.folder / f"{job}.gone")

    def starts(self, job: str) -> int:
        """How often start was called for it."""
        return len((self.folder / job / "starts").read_text())

    def calls(self, job: str) -> str:
        """The other calls about it, a letter each."""
        try:
            return (self.folder / job / "calls").read_text()
        except FileNotFoundError:
            return ""

    def worker(self) -> int:
        """The worker that serves the executor now; 0 if there is none."""
        for pid in self.daemon.pids("domed-worker"):
            try:
                if f"{self.folder}" in Path(f"/proc/{pid}/cmdline").read_text():
                    return pid
            except OSError:
                continue
        return 0
