"""What a job must not get from the kernel: namespaces, mounts, rights, and the parts that are full of holes."""

from __future__ import annotations

import platform

import pytest

from domekit.arena import NO_JAIL, Jail
from domekit.tools import registry, write_tool

# Without the filter these work for anybody; Landlock stands in the way of mounts too.
FILTER = "seccomp landlock"


@pytest.mark.canary(FILTER)
def test_a_user_namespace_cannot_be_nested(jail: Jail) -> None:
    jail.attack("if unshared(0x10000000): breach()")


@pytest.mark.canary(FILTER)
def test_nothing_can_be_mounted(jail: Jail) -> None:
    jail.attack(
        """
unshared(0x10000000 | 0x20000)
for kind in (b'tmpfs', b'proc'):
    if libc.mount(b'x', b'/tmp', kind, 0, None) == 0: breach(kind)
    met.append(errno.errorcode[ctypes.get_errno()])
context = raw(430, 430, b'tmpfs', 0)
if context is not None: breach('fsopen')
"""
    )


@pytest.mark.canary(
    as_root="identity nested capabilities landlock",
    as_user=None,
    why="the kernel refuses an ordinary user whatever the jail",
)
def test_the_core_pattern_of_the_host_cannot_be_opened_for_writing(jail: Jail) -> None:
    """Only opened, where the kernel judges: nothing is written even if the jail is open."""
    jail.attack("if tried(os.open, '/proc/sys/kernel/core_pattern', os.O_WRONLY) is not None: breach()")


@pytest.mark.canary("seccomp landlock capabilities nested", as_root="seccomp landlock capabilities nested identity")
def test_proc_sys_cannot_be_remounted(jail: Jail) -> None:
    jail.attack(
        """
for target in (b'/proc', b'/usr', b'/'):
    # MS_REMOUNT | MS_BIND: with the flags it has, less read-only.
    if libc.mount(None, target, None, 32 | 4096 | 2 | 4, None) == 0: breach(target)
    met.append(errno.errorcode[ctypes.get_errno()])
"""
    )


@pytest.mark.canary(FILTER)
def test_a_setuid_program_cannot_be_planted(jail: Jail) -> None:
    folder = jail.folder()
    jail.attack(
        f"""
os.chdir({str(folder)!r})
os.close(os.open('f', os.O_CREAT | os.O_WRONLY, 0o755))
tried(os.chmod, 'f', 0o4755)
tried(os.chmod, 'f', 0o2755)
tried(lambda: os.fchmod(os.open('f', os.O_RDONLY), 0o4755))
raw(452, 452, -100, b'f', 0o4755, 0)
tried(lambda: os.open('g', os.O_CREAT | os.O_WRONLY, 0o4755))
tried(lambda: os.mknod('h', 0o104755))
if any(os.stat(name).st_mode & 0o6000 for name in os.listdir('.')): breach()
""",
        grants=[f"fs.write:{folder}"],
    )


@pytest.mark.canary(FILTER)
def test_io_uring_is_out_of_reach(jail: Jail) -> None:
    jail.attack("if raw(425, 425, 8, ctypes.create_string_buffer(120)) is not None: breach()")


@pytest.mark.canary(FILTER)
def test_bpf_is_out_of_reach(jail: Jail) -> None:
    """The kernel may refuse by its own rules (EPERM for programs and maps); that it answers at all is the breach."""
    jail.attack("if raw(321, 280, 7, ctypes.create_string_buffer(120), 120) or met != ['EPERM']: breach(met)")


@pytest.mark.canary(FILTER)
def test_keyrings_are_out_of_reach(jail: Jail) -> None:
    jail.attack(
        "if raw(250, 219, 0, -3, 1) is not None: breach('keyctl')\n"
        "if raw(248, 217, b'user', b'dome', b'x', 1, -2) is not None: breach('add_key')"
    )


@pytest.mark.canary(FILTER)
def test_performance_counters_are_out_of_reach(jail: Jail) -> None:
    jail.attack(
        """
attributes = struct.pack('<IIQQQQQ', 1, 112, 0, 0, 0, 0, 0x60) + bytes(72)  # software clock, user space only
if raw(298, 241, attributes, 0, -1, -1, 0) is not None or met != ['EPERM']: breach(met)
"""
    )


@pytest.mark.canary(FILTER)
def test_userfaultfd_is_out_of_reach(jail: Jail) -> None:
    jail.attack("if raw(323, 282, 1) is not None: breach()")


@pytest.mark.canary(FILTER)
@pytest.mark.parametrize("family", ["AF_VSOCK", "AF_NETLINK"])
def test_no_socket_of_another_family(jail: Jail, family: str) -> None:
    jail.attack(f"if tried(socket.socket, socket.{family}, socket.SOCK_RAW if 'N' in {family!r} else 1): breach()")


@pytest.mark.canary(
    "seccomp landlock capabilities nested", as_root="seccomp landlock capabilities nested identity"
)
@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_PACKET"])
def test_no_raw_socket(jail: Jail, family: str) -> None:
    jail.attack(f"if tried(socket.socket, socket.{family}, socket.SOCK_RAW, 255): breach()")


@pytest.mark.canary(FILTER)
@pytest.mark.parametrize("entry", ["i386", "x32"] if platform.machine() == "x86_64" else [])
def test_another_system_call_table_kills_who_enters_it(jail: Jail, entry: str) -> None:
    jail.attack(
        f"""
code = bytes([0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xc3])  # getpid by int 0x80
if {entry!r} == 'x32':
    code = bytes([0xb8, 39, 0, 0, 0x40, 0x0f, 0x05, 0xc3])
page = mmap.mmap(-1, 4096, prot=7)
page.write(code)
child = os.fork()
if child == 0:
    ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
    os._exit(0)
status = os.waitpid(child, 0)[1]
if os.WIFEXITED(status): breach('the kernel answered')
met.append(signal.Signals(os.WTERMSIG(status)).name)
"""
    )


# Where the kernel refuses it itself (dev.tty.legacy_tiocsti is 0), only root's canary can get past that.
@pytest.mark.canary(FILTER, as_root="seccomp landlock capabilities nested identity")
@pytest.mark.parametrize("terminal", ["given", "own"])
def test_input_cannot_be_faked_on_a_terminal(jail: Jail, terminal: str) -> None:
    """On the job's controlling terminal: the one it was given (its reader outside is the keeper), and a
    pseudo-terminal that it makes itself and leads a session on."""
    if not (registry(jail.daemon) / "test.terminal").exists():
        write_tool(jail.daemon, "test.terminal", {"entrypoint": {"argv_from_task": True}, "tty": True})
    jail.attack(
        f"""
import tty
def legacy():
    try:
        return open('/proc/sys/dev/tty/legacy_tiocsti').read() != '0\\n'
    except FileNotFoundError:
        return True  # older than 6.2
def is_injected(terminal):
    # What was typed for it can be read from it.
    assert os.tcgetpgrp(terminal) == os.getpgrp(), "not the controlling terminal"
    tty.setraw(terminal)
    os.set_blocking(terminal, False)
    for request in (0x5412, 0x5412 | 1 << 32):
        for byte in b'id':
            result = raw(16, 29, terminal, ctypes.c_ulong(request), bytes([byte]))
        if result is not None and tried(os.read, terminal, 8) == b'id': return True
        if os.getuid() != 0 and met[-1] == 'EIO' and not legacy(): return True
    return False
if {terminal!r} == 'given':
    if is_injected(0): breach('injected')
    tty.setcbreak(0)
else:
    controller, terminal = os.openpty()
    child = os.fork()
    if child == 0:
        os.setsid()
        fcntl.ioctl(terminal, 0x540e, 0)
        os._exit(7 if is_injected(terminal) else 0)
    status = os.waitpid(child, 0)[1]
    assert os.WIFEXITED(status) and os.WEXITSTATUS(status) in (0, 7), status
    if os.WEXITSTATUS(status) == 7: breach('injected')
""",
        tool="test.terminal",
    )


# Other processes

SIBLING = "sh -c 'sleep 1000; : dome-victim' &"


# Without a user namespace of its own, a job's limit of processes counts those of all jobs on the machine.
@pytest.mark.canary("pids nested limits landlock seccomp")
def test_a_sibling_cannot_be_traced(jail: Jail) -> None:
    with jail.sibling(SIBLING):
        jail.attack(
            """
for pid in find('dome-victim'):
    if libc.ptrace(16, pid, 0, 0) == 0: breach(pid)
    met.append(errno.errorcode[ctypes.get_errno()])
"""
        )


@pytest.mark.canary("pids landlock")
def test_a_sibling_cannot_be_signalled(jail: Jail) -> None:
    with jail.sibling(SIBLING):
        jail.attack(
            """
for pid in find('dome-victim'):
    if tried(lambda: os.kill(pid, signal.SIGTERM) or True): breach(pid)
"""
        )


@pytest.mark.canary(NO_JAIL)
@pytest.mark.parametrize("program", ["domed", "domed-keeper", "domed-jail", "domed-worker"])
def test_our_own_processes_cannot_be_signalled(jail: Jail, program: str) -> None:
    assert jail.run(["/bin/true"])[-1].payload["to"] == "succeeded"
    pids = jail.daemon.pids(program)
    assert pids
    for pid in pids:
        jail.attack(f"if tried(lambda: os.kill({pid}, signal.SIGCONT) or True): breach()")
    if not jail.mode.is_canary:
        # To everybody within reach: the job's own processes.
        jail.attack("tried(os.kill, -1, signal.SIGTERM)")
    assert jail.run(["/bin/true"])[-1].payload["to"] == "succeeded"
