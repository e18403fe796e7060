"""A plugin whose library is swapped while its jobs start: what runs is what was looked at, or nothing."""

from __future__ import annotations

import itertools
import os
import threading
import time
from pathlib import Path

from domekit import plugins
from domekit.daemon import Daemon
from domekit.jobs import Jobs, state_name
from domekit.waiting import until

EVIL = 'IN_INIT=fputs("evil\\n",stderr)'


def swap(folder: Path, code: bytes) -> None:
    """Puts another library in its place, in one step."""
    new = folder / "new.so"
    new.write_bytes(code)
    new.chmod(0o755)
    new.rename(folder / "libsample.so")


def pin(daemon: Daemon) -> None:
    """As an installation does."""
    sha256 = plugins.plugins(daemon)["Sample"].library_sha256
    plugins.settings(daemon, pin={"library_sha256": sha256})


def outcome(jobs: Jobs) -> tuple[bool, str]:
    """Whether the swapped library ran, and how the job ended or why there was none."""
    reply = jobs.submit("sample.echo", {}, wait_ms=30_000)
    if not reply.status.ok:
        return False, "refused"
    events = jobs.replay(reply.job_id)
    return any(one.line == b"evil" for one in events), state_name(reply.state)


def test_a_library_swapped_back_and_forth_never_runs(daemon: Daemon, jobs: Jobs) -> None:
    folder = plugins.install(daemon)
    pin(daemon)
    good, evil = plugins.library(), plugins.library(EVIL)
    assert outcome(jobs) == (False, "SUCCEEDED")
    stop = threading.Event()

    def attack() -> None:
        for code in itertools.cycle((evil, good)):
            swap(folder, code)
            if stop.wait(0.003):
                break
        swap(folder, good)

    attacker = threading.Thread(target=attack)
    attacker.start()
    try:
        seen = [outcome(jobs) for _ in range(40)]
    finally:
        stop.set()
        attacker.join()
    assert not any(ran for ran, _ in seen), seen
    until(lambda: outcome(jobs) == (False, "SUCCEEDED"), "the good one runs again")


def test_a_library_written_to_in_place_never_runs(daemon: Daemon, jobs: Jobs) -> None:
    """The same file, another content: no other inode gives it away."""
    folder = plugins.install(daemon)
    pin(daemon)
    good, evil = plugins.library(), plugins.library(EVIL)
    assert outcome(jobs) == (False, "SUCCEEDED")
    assert len(good) != len(evil) or good != evil
    library = folder / "libsample.so"
    before = library.stat()
    with open(library, "r+b") as file:
        file.write(evil)
        file.truncate(len(evil))
    os.utime(library, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert library.stat().st_ino == before.st_ino
    assert outcome(jobs)[0] is False
    sample = plugins.plugins(daemon)["Sample"]
    assert sample.state == "quarantined" and "it is not what was installed" in sample.reason


def test_a_new_version_is_used_by_the_very_next_job(daemon: Daemon, jobs: Jobs) -> None:
    """An honest change, of a plugin without a pin, costs no job."""
    folder = plugins.install(daemon)
    assert outcome(jobs) == (False, "SUCCEEDED")
    for code, ran in ((plugins.library(EVIL), True), (plugins.library(), False)):
        swap(folder, code)
        assert outcome(jobs) == (ran, "SUCCEEDED")
        # Nothing but its times: a link was made to it, say.
        os.link(folder / "libsample.so", folder / "copy.so")
        (folder / "copy.so").unlink()
        assert outcome(jobs) == (ran, "SUCCEEDED")


def test_a_library_whose_file_is_only_touched_costs_no_job(daemon: Daemon, jobs: Jobs) -> None:
    library = daemon.bin.parent / "lib" / "dome" / "plugins" / "LocalProcess" / "libLocalProcess.so"
    began = time.monotonic()
    # Plugins are looked at once a second.
    while time.monotonic() - began < 3:
        library.chmod(library.stat().st_mode)
        reply = jobs.submit("shell.run", {"argv": ["/bin/true"]}, wait_ms=30_000)
        assert state_name(reply.state) == "SUCCEEDED", jobs.replay(reply.job_id)[-1].payload
