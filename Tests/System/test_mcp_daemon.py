"""`dome mcp` while its daemon is down, dies, comes back, or is no daemon at all."""

from __future__ import annotations

import json
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable

from domekit.daemon import Daemon
from domekit.mcp import bridge


def test_it_starts_the_daemon_and_lists_at_once(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    with bridge(daemon) as one:
        one.initialize()
        first = one.result("tools/list")["tools"]
        assert "shell_run" in [tool["name"] for tool in first]
        assert one.call("shell_run", script="echo up")["stdout"] == "up\n"
    # The second time the list is remembered, so it needs no daemon.
    for pid in daemon.pids("domed"):
        os.kill(pid, 9)
    shutil.rmtree(daemon.runtime / "dome")
    with bridge(daemon, "--no-start") as one:
        one.initialize()
        begun = time.monotonic()
        assert one.result("tools/list")["tools"] == first
        assert time.monotonic() - begun < 30
        answer = one.call("shell_run", script="true")
        assert answer["code"] == "E_UNAVAILABLE" and "dome doctor" in answer["hint"]


def test_a_daemon_that_cannot_start_leaves_a_bridge_that_says_so(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    daemon.write_config({"no_such_key": 1})
    with bridge(daemon) as one:
        one.initialize()
        names = [tool["name"] for tool in one.result("tools/list")["tools"]]
        assert "dome_run" in names and "shell_run" not in names
        answer = one.call("dome_run", tool_id="shell.run", task={"script": "true"})
        assert answer["code"] == "E_UNAVAILABLE" and "no_such_key" in answer["message"]
        # The daemon comes up later, and the same bridge finds it.
        daemon.write_config({})
        assert one.call("dome_run", tool_id="shell.run", task={"script": "echo late"})["stdout"] == "late\n"


def test_a_daemon_killed_between_and_during_calls_loses_nothing(daemon: Daemon) -> None:
    with bridge(daemon) as one:
        one.initialize()
        assert one.call("shell_run", script="echo a")["stdout"] == "a\n"
        daemon.kill9()
        assert one.call("shell_run", script="echo b")["stdout"] == "b\n"
        script = "for i in 1 2 3 4 5 6 7 8 9 10; do echo $i; sleep 0.1; done"
        killers = [threading.Timer(delay, kill_domed, [daemon]) for delay in (0.2, 0.6)]
        for killer in killers:
            killer.start()
        answer = one.call("shell_run", script=script)
        for killer in killers:
            killer.join()
        text = answer["stdout"]
        while not answer["ok"] or answer["state"] == "running":
            assert "dome_follow" in answer["hint"], answer
            answer = one.call("dome_follow", job_id=answer["job_id"], since_seq=answer["next_seq"])
            text += answer["stdout"]
        assert text == "".join(f"{n}\n" for n in range(1, 11))


def kill_domed(daemon: Daemon) -> None:
    for pid in daemon.pids("domed"):
        os.kill(pid, 9)


def test_whoever_is_no_daemon_of_ours_gets_errors_and_not_a_hang(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    daemon.make_folder(daemon.runtime / "dome")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(daemon.socket))
        listener.listen(64)
        done = threading.Event()

        def serve() -> None:
            listener.settimeout(0.1)
            while not done.is_set():
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    continue
                connection.sendall(b"HTTP/1.1 400 go away\r\n\r\n")
                connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            with bridge(daemon, "--no-start") as one:
                one.initialize()
                assert json.dumps(one.result("tools/list"))
                answer = one.call("dome_search_tools", query="x")
                assert answer["code"] in ("E_UNAVAILABLE", "E_INTERNAL")
                assert one.result("ping") == {}
        finally:
            done.set()
            thread.join()


def test_two_bridges_share_one_daemon(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    with bridge(daemon) as left, bridge(daemon) as right:
        left.initialize()
        right.initialize()
        job = left.call("shell_run", script="echo shared")
        assert right.call("dome_follow", job_id=job["job_id"])["stdout"] == "shared\n"
        assert len(daemon.pids("domed")) == 1
