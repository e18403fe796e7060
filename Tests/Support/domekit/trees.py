"""Copies of the built tree that every user may execute, with the jail and the keeper that a test wants in it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
from pathlib import Path

from .paths import ROOT, bin_dir

PROGRAMS = ("domed", "dome", "domed-keeper", "domed-worker")
BOUND = "bound keeper"
WEAK_JAIL = ROOT / "build" / "jail" / "domed-jail-weak"


class Trees:
    """One copy of the programs, and per jail a tree of links to it; all gone after `close`."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="dome-trees-", dir="/tmp"))
        self.folder.chmod(0o755)
        self._known: dict[str | None, Path] = {}

    def binaries(self, weakness: str | None = None) -> Path:
        """The folder of the programs. `weakness`: words for the jail of the tests (see CJail/weak.h); None: the jail
        as it is shipped."""
        if weakness not in self._known:
            self._known[weakness] = self._make(weakness)
        return self._known[weakness]

    def _make(self, weakness: str | None) -> Path:
        if weakness is None:
            self._copy(self.folder / "0")
            return self.folder / "0" / "bin"
        folder = self._linked()
        jail = folder / "lib" / "dome" / "domed-jail"
        jail.unlink()
        shutil.copy(WEAK_JAIL, jail)
        jail.chmod(0o755)
        (folder / "lib" / "dome" / "domed-jail.weak").write_text(weakness)
        return folder / "bin"

    def with_bound_keeper(self) -> Path:
        """The folder of programs whose keeper dies with the domed that started it."""
        if BOUND not in self._known:
            folder = self._linked()
            keeper = folder / "bin" / "domed-keeper"
            # Beside bin, so that it finds ../lib all the same.
            (folder / "keeper").mkdir(mode=0o755)
            keeper.rename(folder / "keeper" / "domed-keeper")
            keeper.write_text(f'#!/bin/sh\nexec setpriv --pdeathsig KILL {folder}/keeper/domed-keeper "$@"\n')
            keeper.chmod(0o755)
            self._known[BOUND] = folder / "bin"
        return self._known[BOUND]

    def linked(self, folder: Path) -> Path:
        """The folder of programs of a new tree of links to what is shipped, for a test that replaces some of it."""
        shutil.copytree(self.binaries().parent, folder, copy_function=os.link)
        folder.chmod(0o755)
        return folder / "bin"

    def _linked(self) -> Path:
        """A tree of links to the programs as they are shipped."""
        # What is shipped is the first of them.
        self.binaries()
        return self.linked(self.folder / str(len(self._known))).parent

    @staticmethod
    def _copy(folder: Path) -> None:
        built = bin_dir()
        (folder / "bin").mkdir(parents=True)
        for program in PROGRAMS:
            shutil.copy(built / program, folder / "bin" / program)
        for part in ("lib/dome", "share/dome"):
            shutil.copytree(built.parent / part, folder / part, copy_function=shutil.copy)
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o755)

    def close(self) -> None:
        """Ends what a weak jail has left running, too."""
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if os.readlink(process / "exe").startswith(f"{self.folder}/"):
                    os.kill(int(process.name), signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)
