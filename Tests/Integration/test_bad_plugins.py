"""Plugins that are broken or hostile. Whatever they do, the daemon answers, other jobs run, and the list says why."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from domekit import plugins
from domekit.daemon import Daemon
from domekit.jobs import state_name
from domekit.plugins import assert_unharmed


@pytest.fixture(scope="module")
def lasting() -> Iterator[Daemon]:
    """One daemon for all plugins that never get to run a job."""
    daemon = Daemon()
    try:
        yield daemon.start()
    finally:
        daemon.close()


@pytest.fixture
def shared(lasting: Daemon) -> Iterator[Daemon]:
    """The same, without the plugin of the test before."""
    yield lasting
    plugins.remove(lasting)
    assert_unharmed(lasting)


def machine(library: bytes, number: int) -> bytes:
    """The same ELF file for another processor."""
    return library[:18] + struct.pack("<H", number) + library[20:]


UNLOADABLE = {
    "not an ELF file": (b"this is no library", [], "cannot be loaded"),
    "an empty file": (b"", [], "cannot be loaded"),
    "another processor": (lambda: machine(plugins.library(), 183), [], "cannot be loaded"),
    "no symbol": (None, ["SYMBOL=another_entry"], "exports no symbol 'dome_plugin_entry'"),
    "wrong magic": (None, ["MAGIC=0x1234"], "dome_plugin_entry.magic is 0x1234, the host's is 0x47554c50454d4f44"),
    "a newer major": (None, ["MAJOR=7"], "abi_major differs: it was built for ABI 7.1, the host's is 1.1"),
    "a draft": (None, ["MAJOR=0"], "rebuild it against this dome's headers"),
    "truncated entry": (None, ["ENTRY_SIZE=24"], "dome_plugin_entry.struct_size is 24, the host's is 48"),
    "truncated table": (None, ["API_SIZE=16"], "dome_adapter_api_t.struct_size is 16, the host's is 64"),
    "NULL init": (None, ["INIT=NULL"], "dome_plugin_entry.init is NULL"),
    "NULL execute": (None, ["EXECUTE=NULL"], "dome_adapter_api_t.execute is NULL"),
    "init that says no": (None, ["IN_INIT=return false"], "its init returned false"),
    "describe: no JSON": (None, ['DECLARATION="{"'], "declaration"),
    "describe: not UTF-8": (None, ['DECLARATION="\\xff"'], "is not UTF-8"),
    "describe: a list": (None, ['DECLARATION="[]"'], "no JSON object"),
    "describe: no actions": (None, ['DECLARATION="{}"'], 'needs "actions"'),
    "describe: a bad schema": (
        None,
        ['DECLARATION="{\\"actions\\":[{\\"name\\":\\"a\\",\\"input_schema\\":{\\"type\\":7}}]}"'],
        "action a of plugin org.example.sample: input_schema",
    ),
    "describe: nested too deep": (None, ["DEEP", 'DECLARATION="' + "[" * 2000 + '"'], "declaration"),
    "another id": (None, ['ID="org.example.other"'], "its id is 'org.example.other' in the library but"),
    "another version": (None, ['VERSION="9.9.9"'], "its version is '9.9.9' in the library but"),
}


@pytest.mark.parametrize("case", UNLOADABLE)
def test_what_cannot_be_loaded_is_refused_with_the_reason(shared: Daemon, case: str) -> None:
    code, defines, reason = UNLOADABLE[case]
    plugins.install(shared, *defines, code=code() if callable(code) else code)
    sample = plugins.plugins(shared)["Sample"]
    assert sample.state == "refused", sample.reason
    assert reason in sample.reason
    assert not any(tool.startswith("sample.") for tool in plugins.tool_ids(shared))


def test_a_library_that_was_cut_is_never_ready(shared: Daemon) -> None:
    whole = plugins.library()
    plugins.install(shared, code=whole[: len(whole) // 2])
    # The loader itself may die of it.
    assert plugins.plugins(shared)["Sample"].state in ("refused", "crashed")


def test_a_gigantic_declaration_is_refused_with_the_limit(shared: Daemon) -> None:
    big = shared.directory / "big.h"
    big.write_text('#define DECLARATION "{\\"x\\":\\"' + "a" * (1 << 20) + '\\"}"\n')
    code = shared.directory / "big.c"
    code.write_text(f'#include "{big}"\n#include "{plugins.SAMPLE}"\n')
    plugins.install(shared, code=plugins.library(source=code))
    sample = plugins.plugins(shared)["Sample"]
    assert sample.state == "refused" and "the limit is 1048576 bytes" in sample.reason


CRASHING = {
    "crashes": ("*(volatile int *)(uintptr_t)16 = 1", "SIGSEGV at address 0x10 in libsample.so"),
    "aborts": ("abort()", "SIGABRT"),
    "exits": ("exit(0)", "ended its process with exit code 0"),
    "is killed": ("raise(SIGKILL)", "was ended by signal 9"),
    "closes everything": ("for (int fd = 0; fd < 100; fd++) close(fd)", "ended its process with exit code"),
}


@pytest.mark.parametrize("case", CRASHING)
def test_an_init_that_ends_its_process_is_listed_as_crashed(shared: Daemon, case: str) -> None:
    statement, reason = CRASHING[case]
    plugins.install(shared, f"IN_INIT={statement}")
    sample = plugins.plugins(shared)["Sample"]
    assert sample.state == "crashed", sample.reason
    assert reason in sample.reason
    # It is not tried again.
    shared.log_path.write_text("")
    plugins.plugins(shared)
    assert "plugin.scanned plugin=org.example.sample" not in shared.log()


def test_an_init_that_hangs_is_ended_while_others_run(shared: Daemon) -> None:
    shared.log_path.write_text("")
    plugins.install(shared, "IN_INIT=for (;;) pause()")
    shared.jobs.submit("job.noop", wait_ms=20_000)
    assert state_name(shared.jobs.submit("echo.say", {}, wait_ms=20_000).state) == "SUCCEEDED"
    assert "took longer than 5 s" not in shared.log(), "jobs of known tools do not wait for a scan"
    sample = plugins.plugins(shared)["Sample"]
    assert sample.state == "crashed" and "took longer than 5 s" in sample.reason
    assert "took longer than 5 s" in shared.log()


def forked() -> set[str]:
    """Processes of the name that the sample's forked child gives itself."""
    names = set()
    for comm in Path("/proc").glob("[0-9]*/comm"):
        with suppress(OSError):
            names |= {str(comm)} if comm.read_text().strip() == "dome-forked" else set()
    return names


def test_a_scan_gets_no_descriptor_but_its_own(shared: Daemon) -> None:
    """The three standard ones, and the copy of its output that the worker reports on."""
    count = 'int open = 0; for (int fd = 3; fd < 1024; fd++) open += fcntl(fd, F_GETFD) >= 0; _exit(50 + open);'
    plugins.install(shared, f"IN_INIT={{ {count} }}")
    assert "exit code 51" in plugins.plugins(shared)["Sample"].reason


def test_an_init_that_forks_leaves_nothing_behind(shared: Daemon) -> None:
    before = forked()
    plugins.install(shared, 'IN_INIT=if (fork() == 0) { prctl(PR_SET_NAME, "dome-forked"); for (;;) pause(); }')
    assert plugins.plugins(shared)["Sample"].state == "ready"
    assert "sample.echo" in plugins.tool_ids(shared)
    assert forked() <= before


@pytest.mark.parametrize(
    ("manifest", "complaint"),
    [
        ({"permisions": []}, 'unknown member "permisions"'),
        ({"permissions": ["root"]}, "permissions"),
        ({"library": "../libsample.so"}, '"library" must be the name of a file'),
        ({"kind": "driver"}, "known are adapter, executor"),
        ({"version": "one"}, "semantic version"),
        ({"limits": {"wall_secs": 1}}, "wall_secs"),
        ({"name": "a.b"}, '"name" must be'),
    ],
)
def test_a_plugin_json_that_will_not_do_is_named(shared: Daemon, manifest: dict[str, Any], complaint: str) -> None:
    plugins.install(shared, **manifest)
    sample = plugins.plugins(shared)["Sample"]
    assert sample.state == "refused" and complaint in sample.reason
