"""What a job must not read: the user's files, the system's, the daemon's, another job's."""

from __future__ import annotations

import pytest

from domekit.arena import NO_JAIL, Jail
from domekit.tools import write_tool

# The host's folders over the curated root, and root's job still root, whose files they are.
HOST = "host_tree identity nested capabilities landlock"


def reads(path: object) -> str:
    """An attack that reads a file, or lists a folder."""
    return f"""
path = {str(path)!r}
found = tried(os.listdir, path) if os.path.isdir(path) else tried(lambda: open(path, 'rb').read(64))
if found: breach(found)
"""


@pytest.mark.canary(HOST)
def test_the_users_ssh_keys_cannot_be_read(jail: Jail) -> None:
    folder = jail.daemon.home / ".ssh"
    folder.mkdir(mode=0o755, exist_ok=True)
    key = jail.put(folder / "id_ed25519", "PRIVATE KEY")
    jail.attack(reads(key))


@pytest.mark.canary(as_root=HOST, as_user=None, why="an ordinary user cannot read it in any jail")
def test_the_systems_passwords_cannot_be_read(jail: Jail) -> None:
    jail.attack(reads("/etc/shadow"))


@pytest.mark.canary(HOST)
@pytest.mark.parametrize("name", ["domed.sqlite", "keepers", "jobs", "."])
def test_the_state_directory_cannot_be_read(jail: Jail, name: str) -> None:
    assert jail.run(["/bin/true"])[-1].payload["to"] == "succeeded"
    assert (jail.daemon.state / name).exists()
    jail.attack(reads(jail.daemon.state / name))


@pytest.mark.canary(HOST)
@pytest.mark.parametrize("place", ["/tmp", "/var/lib", "/run"])
def test_the_hosts_folders_are_not_there(jail: Jail, place: str) -> None:
    """Not even their names: a marker in /tmp, whatever the host has elsewhere."""
    marker = jail.folder()
    expected = marker.name if place == "/tmp" else ""
    jail.attack(
        f"""
names = tried(os.listdir, {place!r}) or []
if ({expected!r} in names) if {expected!r} else [name for name in names if name != 'tmp']: breach(names)
"""
    )


# Without a user namespace of its own, a job's limit of processes counts those of all jobs on the machine.
@pytest.mark.canary("pids nested limits landlock")
def test_another_jobs_folder_cannot_be_read(jail: Jail) -> None:
    with jail.sibling("echo s3cret >/job/secret"):
        jail.attack(
            """
for place in glob.glob('/proc/[0-9]*'):
    for way in ('root/job', 'cwd'):
        if tried(lambda: open(f'{place}/{way}/secret').read()): breach(place)
"""
        )


@pytest.mark.canary("ipc")
def test_another_jobs_shared_memory_cannot_be_attached(jail: Jail) -> None:
    make = "import ctypes; assert ctypes.CDLL(None).shmget(0x646f6d65, 4096, 0o1666) >= 0"
    with jail.sibling(f"/usr/bin/python3 -c '{make}'"):
        jail.attack("if libc.shmget(0x646f6d65, 4096, 0o666) >= 0: breach()")


@pytest.mark.canary("dumpable")
def test_the_memory_of_our_pid_1_cannot_be_read(jail: Jail) -> None:
    jail.attack(
        """
def memory():
    with open('/proc/1/maps') as maps:
        start = next(int(line.split('-')[0], 16) for line in maps if ' rw' in line)
    with open('/proc/1/mem', 'rb', 0) as memory:
        memory.seek(start)
        return memory.read(16)
if tried(memory): breach('memory')
if tried(os.listdir, '/proc/1/fd') is not None: breach('descriptors')
"""
    )


@pytest.mark.canary(as_root=HOST, as_user=NO_JAIL)
@pytest.mark.parametrize("program", ["domed", "domed-keeper", "domed-jail"])
def test_the_environment_of_our_processes_cannot_be_read(jail: Jail, program: str) -> None:
    assert jail.run(["/bin/true"])[-1].payload["to"] == "succeeded"
    pids = jail.daemon.pids(program)
    assert pids
    what = "cmdline" if program == "domed-jail" else "environ"  # its environment is empty
    names = [f"/proc/{pid}/{what}" for pid in pids]
    # The number may be one of the job's own processes: what is looked for is what only ours has.
    marker = "domed-jail" if program == "domed-jail" else "PATH="
    jail.attack(
        f"""
for path in {names!r}:
    content = tried(lambda: open(path, 'rb').read()) or b''
    if {marker!r}.encode() in content and b'DOMED_JOB_ID' not in content and b'is_arm' not in content: breach(content)
"""
    )


@pytest.mark.canary("descriptors")
def test_no_descriptor_is_inherited(jail: Jail) -> None:
    jail.attack(
        """
opened = {}
for name in os.listdir('/proc/self/fd'):
    target = tried(os.readlink, '/proc/self/fd/' + name)
    if int(name) > 2 and target and not target.startswith(f'/proc/{os.getpid()}/fd'): opened[name] = target
if opened: breach(opened)
"""
    )


@pytest.mark.canary("limits seccomp")
def test_no_core_is_dumped(jail: Jail) -> None:
    jail.attack(
        """
soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
child = os.fork()
if child == 0: os.abort()
status = os.waitpid(child, 0)[1]
assert os.WIFSIGNALED(status)
if os.WCOREDUMP(status) or glob.glob('/job/core*'): breach(hard)
"""
    )


@pytest.mark.canary("seccomp landlock")
def test_the_core_handler_of_the_host_is_not_run(jail: Jail) -> None:
    """A limit of 0 does not keep the kernel from starting it as root where core_pattern is a pipe; 1 does (core(5))."""
    jail.attack(
        """
tried(resource.setrlimit, resource.RLIMIT_CORE, (0, 0))
tried(resource.prlimit, os.getpid(), resource.RLIMIT_CORE, (0, 0))
raw(160, 164, 4, struct.pack('<QQ', 0, 0))
if resource.getrlimit(resource.RLIMIT_CORE)[0] != 1: breach(resource.getrlimit(resource.RLIMIT_CORE))
"""
    )


LOADER = {"LD_PRELOAD": "libm.so.6", "LD_LIBRARY_PATH": "/nowhere", "LD_AUDIT": "libm.so.6", "BASH_ENV": "/nowhere"}


@pytest.mark.canary("", by="a manifest that asks for them")
def test_the_daemons_loader_variables_do_not_reach_a_job(jail: Jail) -> None:
    daemon = jail.own_daemon(environment=LOADER)
    asked = [f"env:{name}" for name in LOADER] if jail.mode.is_canary else []
    write_tool(daemon, "test.asks", {"entrypoint": {"argv_from_task": True}, "permissions": ["process", *asked]})
    jail.attack(
        f"""
for name in {list(LOADER)!r}:
    if name in os.environ: breach(os.environ[name])
""",
        tool="test.asks",
    )
