"""The fixtures. A conftest takes them with `from domekit.fixtures import *`."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from . import processes
from .daemon import Daemon
from .jobs import Jobs
from .trees import Trees
from .users import WHO, uid_of

__all__ = ["daemon", "jobs", "little", "new_daemon", "shared_daemon", "stub", "trees", "who", "write"]


def _close(daemon: Daemon, node: pytest.Item) -> None:
    report = node.stash.get(CALL_REPORT, None)
    if report is None or report.failed:
        print(f"--- domed.log of {node.name}\n{daemon.log_tail(100)}", end="")
    daemon.close()


# The report of a test's body, put there by the conftest's hook: a failed test prints its daemon's log.
CALL_REPORT: pytest.StashKey[pytest.TestReport] = pytest.StashKey()


@pytest.fixture(scope="session")
def trees() -> Iterator[Trees]:
    """Copies of the programs that every user may execute."""
    trees = Trees()
    yield trees
    trees.close()


@pytest.fixture
def who(request: pytest.FixtureRequest) -> str:
    """Whose the daemons of a test are; both users in turn for tests with the mark `both_users`."""
    return str(getattr(request, "param", WHO[0]))


@pytest.fixture
def new_daemon(request: pytest.FixtureRequest, who: str) -> Iterator[Callable[..., Daemon]]:
    """Makes daemons, not started yet (write_config first, then start()); all end with the test, last first."""
    with ExitStack() as stack:

        def make(**options: Any) -> Daemon:
            if uid_of(who) != os.geteuid():
                options = {"uid": uid_of(who), "binaries": request.getfixturevalue("trees").binaries()} | options
            daemon = Daemon(**options)
            stack.callback(_close, daemon, request.node)
            return daemon

        yield make


@pytest.fixture
def daemon(new_daemon: Callable[..., Daemon]) -> Daemon:
    """A running domed with private directories."""
    return new_daemon().start()


@pytest.fixture(scope="module")
def shared_daemon() -> Iterator[Daemon]:
    """A running domed that the tests of one file share: for many small ones that leave it as it was."""
    daemon = Daemon()
    try:
        yield daemon.start()
    finally:
        daemon.close()


@pytest.fixture
def little(new_daemon: Callable[..., Daemon]) -> Iterator[Daemon]:
    """A daemon, not started yet, whose state folder is a disk of 8 MiB of its own. Mounting needs root."""
    daemon = new_daemon()
    state = daemon.make_folder(daemon.state)
    options = f"size=8m,mode=0700,uid={state.stat().st_uid},gid={state.stat().st_gid}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", state], check=True)
    try:
        yield daemon
    finally:
        processes.end_all(daemon.directory)
        subprocess.run(["umount", "-l", state], check=True)


@pytest.fixture
def stub(daemon: Daemon) -> Any:
    """A DomedServiceStub on a channel of its own to `daemon`."""
    return daemon.stub()


@pytest.fixture
def jobs(daemon: Daemon) -> Jobs:
    """Job helpers of `daemon`."""
    return daemon.jobs


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, Any], Path]:
    """Writes a file of that name: a text as it is, anything else as JSON."""

    def write(name: str, content: Any) -> Path:
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write
