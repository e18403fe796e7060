"""Whom a job must not reach: the daemon, the keeper, the session's services, the host's network."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import pytest

from domekit import attack
from domekit.arena import NO_JAIL, Jail

HOST = "host_tree identity nested capabilities landlock"
FILTER = "seccomp landlock"


def connects(address: object) -> str:
    return f"""
link = tried(socket.socket, socket.AF_UNIX)
if link and tried(lambda: link.connect({address!r}) or True): breach('connected')
"""


@pytest.mark.canary(HOST)
@pytest.mark.parametrize("name", ["run/bus", "run/docker.sock", "run/dome/domed.sock"])
def test_a_service_of_the_session_is_not_there(jail: Jail, name: str) -> None:
    """The session bus, docker and our own daemon, where they are."""
    path = jail.daemon.directory / name
    if not path.exists():
        jail.listen(path)
    jail.attack(connects(str(path)))


@pytest.mark.canary(FILTER)
@pytest.mark.parametrize("kind", ["read", "write"])
def test_a_socket_in_a_granted_folder_is_not_reached(jail: Jail, kind: str) -> None:
    folder = jail.folder()
    jail.listen(folder / "bus")
    jail.attack(connects(str(folder / "bus")), grants=[f"fs.{kind}:{folder}"])


@pytest.mark.canary(FILTER)
def test_a_pair_of_datagram_sockets_is_not_turned_to_a_path(jail: Jail) -> None:
    folder = jail.folder()
    jail.listen(folder / "log", socket.SOCK_DGRAM)
    jail.attack(
        f"""
pair = tried(socket.socketpair, socket.AF_UNIX, socket.SOCK_DGRAM)
if pair and tried(lambda: pair[0].connect({str(folder / "log")!r}) or True): breach('connected')
""",
        grants=[f"fs.write:{folder}"],
    )


@pytest.mark.canary(FILTER)
def test_an_abstract_socket_of_the_host_is_not_reached(jail: Jail) -> None:
    """Even with the host's network, in which it is."""
    name = b"\0dome-case-" + os.urandom(8).hex().encode()
    jail.listen(name)
    jail.attack(connects(name), grants=["net.full"])


@pytest.mark.canary(FILTER)
def test_an_abstract_socket_of_a_sibling_is_not_reached(jail: Jail) -> None:
    name = b"dome-case-" + os.urandom(8).hex().encode()
    script = (
        "import socket, time; s = socket.socket(socket.AF_UNIX); s.bind(b'\\\\0%s'); s.listen(); "
        "print('up', flush=True); time.sleep(1000)" % name.decode()
    )
    with jail.sibling(f'/usr/bin/python3 -c "{script}"'):
        jail.attack(connects(b"\0" + name))


@pytest.mark.canary(FILTER)
def test_no_descriptor_is_smuggled_in(jail: Jail) -> None:
    """An accomplice outside, with a socket in a granted folder, hands out a file that the job was not granted."""
    folder, secret = jail.folder(), jail.folder()
    jail.put(secret / "file", "s3cret")
    listener = jail.listen(folder / "accomplice")

    def hand_out() -> None:
        try:
            client, _ = listener.accept()
        except OSError:
            return  # nobody came
        with client, (secret / "file").open("rb") as file:
            socket.send_fds(client, [b"x"], [file.fileno()])

    threading.Thread(target=hand_out, daemon=True).start()
    jail.attack(
        f"""
link = tried(socket.socket, socket.AF_UNIX)
if link and tried(lambda: link.connect({str(folder / "accomplice")!r}) or True):
    for descriptor in socket.recv_fds(link, 1, 1)[1]: breach(os.read(descriptor, 64))
""",
        grants=[f"fs.read:{folder}"],
    )
    listener.shutdown(socket.SHUT_RDWR)


def expose(jail: Jail, target: Path) -> Path:
    """A second name for a socket of ours, in a folder that may be granted."""
    folder = jail.folder()
    os.link(target, folder / "ours")
    return folder / "ours"


@pytest.mark.canary(as_root="identity nested capabilities landlock", as_user=NO_JAIL)
def test_domed_admits_no_job_that_reaches_its_socket(jail: Jail) -> None:
    """By a hard link in a granted folder, and with the permission to make sockets."""
    assert jail.run(["/bin/true"])[-1].payload["to"] == "succeeded"
    name = expose(jail, jail.daemon.socket)
    jail.attack(
        f"""
link = socket.socket(socket.AF_UNIX)
link.settimeout(10)
link.connect({str(name)!r})
tried(link.sendall, b'PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n' + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
answer = tried(link.recv, 64)
if answer: breach(answer)
""",
        grants=[f"fs.write:{name.parent}", "unix"],
    )


@pytest.mark.canary(as_root="identity nested capabilities landlock", as_user=NO_JAIL)
def test_the_keeper_admits_no_job_that_reaches_its_socket(jail: Jail) -> None:
    daemon = jail.own_daemon()
    assert jail.run(["/bin/true"])[-1].payload["to"] == "succeeded"
    [target] = (daemon.state / "keepers").glob("*.sock")
    name = expose(jail, target)
    script = f"""
link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
link.settimeout(5)
link.connect({str(name)!r})
met.append(str(tried(link.recv, 64)))
"""
    lines = jail.lines(script, grants=[f"fs.write:{name.parent}", "unix"])
    # Whom it admits takes domed's place until domed is back: both see an end, so it is the keeper who is asked.
    assert not attack.verdict(lines)
    jail.judge("keeper.peer_refused" not in daemon.log(), (lines, daemon.log_tail()))


@pytest.mark.canary("", grants=["net.full"])
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_the_loopback_of_the_host_is_not_reached(jail: Jail, address: str) -> None:
    """With no network and with a loopback of the job's own. The canary has the host's network."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as listener:
        listener.bind((address, 0))
        listener.listen()
        for grants in [[], ["net.loopback"]] if not jail.mode.is_canary else [[]]:
            jail.attack(
                f"""
link = socket.socket({int(family)})
link.settimeout(5)
if tried(lambda: link.connect(({address!r}, {listener.getsockname()[1]})) or True): breach('connected')
""",
                grants=grants,
            )


@pytest.mark.canary("", grants=["net.full"])
def test_no_name_is_looked_up(jail: Jail) -> None:
    """A datagram reaches no resolver, and a look-up fails at once instead of waiting for one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as resolver:
        resolver.bind(("127.0.0.1", 0))

        def answer() -> None:
            try:
                resolver.sendto(b"answer", resolver.recvfrom(64)[1])
            except OSError:
                pass  # nobody asked

        resolver.settimeout(20)
        thread = threading.Thread(target=answer)
        thread.start()
        jail.attack(
            f"""
link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
link.settimeout(5)
if tried(lambda: link.sendto(b'question', ('127.0.0.1', {resolver.getsockname()[1]}))) and tried(link.recv, 64):
    breach('answered')
began = time.monotonic()
try:
    socket.getaddrinfo('dome-case.example', 80)
    breach('resolved')
except socket.gaierror as error:
    met.append(str(error.errno))
assert time.monotonic() - began < 4, 'a look-up waits for a resolver that is not there'
"""
        )
        if not jail.mode.is_canary:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
                waker.sendto(b"x", resolver.getsockname())
        thread.join()
