"""Every case of this suite is run against the real programs: as root and as an ordinary user, with the jail as it is,
again with Landlock masked to each older ABI, and against a jail with a layer left out, where the attack must work.

`@canary(layers)` says what is left out for that (see Sources/Host/CJail/weak.h); `as_root` and `as_user` say it where
the two differ, None where no canary is possible, with the reason in `why`. `by` is what the case itself does otherwise
when it is its own canary. `held_with` names weaknesses with which the case must hold all the same. Where what holds is
no layer of the jail, `@mutant(name)` names a change of our own code with which the case fails (domekit/mutants.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from domekit.arena import Arena, Jail, Mode
from domekit.trees import Trees
from domekit.users import WHO

ABIS = range(1, 6)


class Outcomes:
    """How each test of this session ended, by node id, for the table of cases."""

    def __init__(self, config: pytest.Config) -> None:
        self.key = pytest.StashKey[dict[str, str]]()
        self.seen = config.stash[self.key] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            self.seen[report.nodeid] = report.outcome


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Outcomes(config), "security-outcomes")
    config.addinivalue_line(
        "markers", "canary(layers, as_root, as_user, grants, by, held_with, why): what makes the attack work"
    )
    config.addinivalue_line("markers", "mutant(name): the change of our own code with which the case must fail")
    config.addinivalue_line("markers", "apart_from_landlock: older ABIs only in the long run (DOME_SOAK=1)")


def modes(function: pytest.FunctionDefinition) -> Iterator[tuple[str, Mode]]:
    marker = function.get_closest_marker("canary")
    for who in WHO:
        yield who, Mode(who)
        for abi in ABIS:
            yield f"{who}-landlock{abi}", Mode(who, f"abi={abi}")
        if marker is not None:
            for weakness in marker.kwargs.get("held_with", ()):
                yield f"{who}-{weakness}", Mode(who, weakness)
            layers = marker.kwargs.get(f"as_{who}", marker.args[0] if marker.args else "")
            if layers is not None:
                grants = tuple(marker.kwargs.get("grants", ()))
                yield f"{who}-canary", Mode(who, layers or None, is_canary=True, grants=grants)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "jail" not in metafunc.fixturenames:
        return
    known = ["canary", "mutant"]
    assert any(metafunc.definition.get_closest_marker(name) for name in known), f"{metafunc.function} has no canary"
    # What has nothing to do with Landlock is tried with its older ABIs in the long run only.
    apart = metafunc.definition.get_closest_marker("apart_from_landlock") is not None
    metafunc.parametrize(
        "mode",
        [
            pytest.param(mode, id=name, marks=[pytest.mark.soak] if apart and "-landlock" in name else [])
            for name, mode in modes(metafunc.definition)
        ],
    )


@pytest.fixture(scope="session")
def arena(trees: Trees) -> Iterator[Arena]:
    arena = Arena(trees)
    yield arena
    arena.close()


@pytest.fixture
def jail(arena: Arena, mode: Mode) -> Iterator[Jail]:
    with ExitStack() as stack:
        yield Jail(arena, mode, stack)
