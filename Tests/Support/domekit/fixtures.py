"""The fixtures. A conftest takes them with `from domekit.fixtures import *`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from .daemon import Daemon
from .jobs import Jobs

__all__ = ["daemon", "jobs", "new_daemon", "stub"]


def _close(daemon: Daemon, node: pytest.Item) -> None:
    report = node.stash.get(CALL_REPORT, None)
    if report is None or report.failed:
        print(f"--- domed.log of {node.name}\n{daemon.log_tail(100)}", end="")
    daemon.close()


# The report of a test's body, put there by the conftest's hook: a failed test prints its daemon's log.
CALL_REPORT: pytest.StashKey[pytest.TestReport] = pytest.StashKey()


@pytest.fixture
def new_daemon(request: pytest.FixtureRequest) -> Iterator[Callable[..., Daemon]]:
    """Makes daemons, not started yet (write_config first, then start()); all end with the test, last first."""
    with ExitStack() as stack:

        def make(**options: Any) -> Daemon:
            daemon = Daemon(**options)
            stack.callback(_close, daemon, request.node)
            return daemon

        yield make


@pytest.fixture
def daemon(new_daemon: Callable[..., Daemon]) -> Daemon:
    """A running domed with private directories."""
    return new_daemon().start()


@pytest.fixture
def stub(daemon: Daemon) -> Any:
    """A DomedServiceStub on a channel of its own to `daemon`."""
    return daemon.stub()


@pytest.fixture
def jobs(daemon: Daemon) -> Jobs:
    """Job helpers of `daemon`."""
    return daemon.jobs
