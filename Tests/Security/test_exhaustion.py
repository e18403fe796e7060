"""What a job must not use up: processes, memory, folders; neither the host's nor its siblings'."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from domekit import attack, container
from domekit.arena import Jail, SiblingEnded
from domekit.tools import write_tool

pytestmark = pytest.mark.apart_from_landlock
MEGABYTE = 1 << 20

contained = pytest.mark.skipif(os.geteuid() != 0, reason="the container's users are mapped by root")


def run_contained(jail: Jail, script: str, **limits: int) -> None:
    """An attack through a daemon of its own in a throw-away container, which ends all of it."""
    daemon = jail.arena.new_daemon(jail.mode)
    try:
        manifest = {"executor": "dome.local-process", "entrypoint": {"argv": attack.program(script)}}
        write_tool(daemon, "test.bomb", manifest | {"limits": limits | {"wall_seconds": 20}})
        inside = 0 if jail.mode.who == "root" else 1000
        owner = container.FIRST_UID + inside
        subprocess.run(["chown", "-R", f"{owner}:{owner}", daemon.directory], check=True)
        command = [os.fspath(daemon.bin / "dome"), "run", "test.bomb"]
        lines = container.run(inside, command, daemon.environment, seconds=60)
    finally:
        daemon.close()
    jail.judge(attack.verdict(lines), lines)


@contained
@pytest.mark.canary("limits")
def test_a_fork_bomb_stays_small(jail: Jail) -> None:
    run_contained(
        jail,
        """
children = []
for _ in range(200):
    child = tried(os.fork)
    if child == 0:
        time.sleep(1000)
    if child is None: break
    children.append(child)
if len(children) >= 200: breach(len(children))
assert len(children) > 20, len(children)
""",
        pids=64,
    )


@contained
@pytest.mark.canary("limits")
def test_a_memory_bomb_stays_small(jail: Jail) -> None:
    """Without a cgroup the limit is a process's; see docs/SECURITY-CASES.md for the one with a cgroup."""
    run_contained(
        jail,
        """
held = []
try:
    for _ in range(256):
        held.append(bytearray(1 << 20))
except MemoryError:
    met.append('MemoryError')
if len(held) == 256: breach(len(held))
""",
        memory_bytes=128 * MEGABYTE,
    )


@pytest.mark.canary("sizes")
@pytest.mark.parametrize("folder, megabytes", [("/job", 16), ("/tmp", 256), ("/dev/shm", 64)])
def test_a_folder_cannot_be_filled_beyond_its_size(jail: Jail, folder: str, megabytes: int) -> None:
    tool = little_tool(jail)
    jail.attack(
        f"""
for number in range({megabytes} + 4):
    with open({folder!r} + f'/{{number}}', 'wb') as file:
        if tried(lambda: os.posix_fallocate(file.fileno(), 0, 1 << 20) or True) is None: break
else:
    breach(number)
""",
        tool=tool,
    )


@pytest.mark.canary("sizes")
@pytest.mark.parametrize("folder, count", [("/job", 16 * 256 + 1024)])
def test_a_folder_cannot_be_filled_with_empty_files(jail: Jail, folder: str, count: int) -> None:
    tool = little_tool(jail)
    jail.attack(
        f"""
for number in range({count} + 64):
    if tried(lambda: os.close(os.open({folder!r} + f'/{{number}}', os.O_CREAT | os.O_WRONLY)) or True) is None: break
else:
    breach(number)
""",
        tool=tool,
    )


def little_tool(jail: Jail) -> str:
    """Runs what its task says, with 16 MiB for /job."""
    folder = jail.daemon.data_home / "dome" / "registry" / "tools" / "test.little"
    if not folder.exists():
        entrypoint = {"argv_from_task": True}
        write_tool(jail.daemon, "test.little", {"entrypoint": entrypoint, "limits": {"disk_bytes": 16 * MEGABYTE}})
    return "test.little"


@pytest.mark.canary("nested")
def test_a_hundred_sleepers_do_not_keep_another_job_from_forking(jail: Jail) -> None:
    sleepers = "for i in $(seq 90); do sleep 1000 & done"
    forks = """
for _ in range(100):  # with the siblings' more than the 256 that each may have
    child = tried(os.fork)
    if child is None: breach('a sibling took the processes')
    if child == 0: time.sleep(1000)
"""
    try:
        with jail.sibling(sleepers), jail.sibling(sleepers):
            lines = jail.lines(forks)
            # Nor may the siblings' processes be what keeps the job from starting at all.
            is_kept_out = any("too many processes" in line for line in lines)
            jail.judge(is_kept_out or attack.verdict(lines), lines)
    except SiblingEnded as error:
        # Others of the same user, of another run of these tests, say, have taken the siblings' own.
        jail.judge("fork" in str(error), error)


@pytest.mark.canary("limits")
def test_a_single_file_stays_below_its_limit(jail: Jail) -> None:
    folder = jail.folder()
    jail.attack(
        f"""
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with open({str(folder)!r} + '/sparse', 'wb') as file:
    if tried(lambda: os.ftruncate(file.fileno(), (256 << 20) + 1) or True): breach()
""",
        grants=[f"fs.write:{folder}"],
    )


def test_the_container_is_one() -> None:
    """What the bombs rest on: a canary's bomb is held by the container itself."""
    if os.geteuid() != 0:
        pytest.skip("the container's users are mapped by root")
    script = "import os\nn = 0\ntry:\n  while os.fork(): n += 1\n  os._exit(0)\nexcept OSError: print('held at', n)"
    script = script.replace("os._exit(0)", "__import__('time').sleep(1000)")
    for uid in (0, 1000):
        lines = container.run(uid, ["/usr/bin/python3", "-c", script], {"PATH": "/usr/bin"}, seconds=20)
        assert len(lines) == 1 and int(lines[0].split()[-1]) < container.PROCESS_LIMIT, json.dumps(lines)
