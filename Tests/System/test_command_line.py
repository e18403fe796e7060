"""`dome` as people and scripts use it, against a real daemon: output byte for byte, exit statuses, Ctrl-C, restarts."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from domekit.daemon import Daemon
from domekit.waiting import until

JOB = re.compile(r"job-[0-9a-hjkmnp-tv-z]{26}")


def run(daemon: Daemon, *arguments: str, input: bytes = b"", timeout: float = 30) -> subprocess.CompletedProcess[bytes]:
    """Like Daemon.dome, with bytes."""
    return subprocess.run(
        [daemon.bin / "dome", *arguments],
        env=daemon.environment,
        cwd=daemon.directory,
        input=input,
        capture_output=True,
        timeout=timeout,
        check=False,
    )


def shell(daemon: Daemon, script: str, *options: str) -> subprocess.CompletedProcess[bytes]:
    return run(daemon, "run", "shell.run", *options, "--", "/bin/sh", "-c", script)


class Terminal:
    """`dome` on a terminal of its own."""

    def __init__(self, daemon: Daemon, *arguments: str) -> None:
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.execve(daemon.bin / "dome", ["dome", *arguments], daemon.environment | {"TERM": "xterm"})
        self.output = b""

    def read_until(self, wanted: bytes | None, seconds: float = 20) -> None:
        """Reads until `wanted` was printed; None: until the end."""
        deadline = time.monotonic() + seconds
        while wanted is None or wanted not in self.output:
            assert time.monotonic() < deadline, self.output
            if not select.select([self.master], [], [], 0.1)[0]:
                continue
            try:
                data = os.read(self.master, 65536)
            except OSError:
                data = b""
            if not data:
                assert wanted is None, self.output
                return
            self.output += data

    def type(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def status(self) -> int:
        self.read_until(None)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_output_is_passed_on_byte_for_byte(daemon: Daemon) -> None:
    script = r"printf 'plain\n\001\033[31m\tX\n\377\376 no utf8\n'; printf 'error\n' >&2; printf 'no newline'"
    result = shell(daemon, script)
    assert result.stdout == b"plain\n\x01\x1b[31m\tX\n\xff\xfe no utf8\nno newline"
    assert result.stderr == b"error\n"
    assert result.returncode == 0


def test_a_long_line_and_much_output_arrive_whole(daemon: Daemon) -> None:
    result = shell(daemon, "head -c 300000 /dev/zero | tr '\\0' x; echo; seq 1 200000")
    assert result.stdout == b"x" * 300_000 + b"\n" + b"".join(b"%d\n" % n for n in range(1, 200_001))


@pytest.mark.parametrize(
    ("script", "options", "status"),
    [
        ("exit 0", [], 0),
        ("exit 7", [], 7),
        ("kill -9 $$", [], 137),
        ("kill -15 $$", [], 143),
        ("sleep 30", ["--timeout", "300ms"], 124),
    ],
)
def test_the_exit_status_is_the_tools(daemon: Daemon, script: str, options: list[str], status: int) -> None:
    assert shell(daemon, script, *options).returncode == status


def test_failures_say_what_to_do(daemon: Daemon) -> None:
    expected = [
        (["run", "nope"], 66, "tool not found: nope"),
        (["run", "shell.run", "--task", '{"argv": "ls"}'], 65, "/argv: must be an array, not a string"),
        (["run", "shell.run", "--task", "{"], 65, "line 1"),
        (["run", "shell.run", "-g", "net.full", "--", "true"], 77, "policy.json"),
        (["run", "shell.run", "-g", "fs.read:/", "--", "true"], 77, "fs.read:/"),
        (["logs", "job-00000000000000000000000000"], 66, "job not found"),
        (["logs", "nonsense"], 64, "dome jobs"),
        (["frobnicate"], 64, "dome help"),
        (["run"], 64, "TOOL"),
        (["cancel", "job-00000000000000000000000000"], 66, "job not found"),
        (["tool", "show", "nope"], 66, "tool not found: nope"),
    ]
    for arguments, status, fragment in expected:
        result = daemon.dome(*arguments)
        assert (result.returncode, fragment in result.stderr) == (status, True), (arguments, result)
        assert result.stdout == "" and result.stderr.startswith("dome: ")


def test_every_answer_comes_as_json_too(daemon: Daemon) -> None:
    job = daemon.dome("run", "shell.run", "--detach", "-o", "json", "--", "echo", "hi")
    identifier = json.loads(job.stdout)["job_id"]
    assert JOB.fullmatch(identifier)
    events = [json.loads(line) for line in daemon.dome("logs", identifier, "-f", "-o", "json").stdout.splitlines()]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert {"stream": "stdout", "line": "hi"} in [event["payload"] for event in events]
    shown = json.loads(daemon.dome("job", "show", identifier, "-o", "json").stdout)
    assert shown["state"] == "succeeded" and shown["provenance"]["contract_hashes"]["tool_manifest_sha256"]
    assert shown["last_seq"] == len(events)
    tools = json.loads(daemon.dome("tools", "-o", "json").stdout)
    assert {"shell.run", "text.search", "git.log"} <= {tool["tool_id"] for tool in tools}
    tool = json.loads(daemon.dome("tool", "show", "git.log", "-o", "json").stdout)
    assert tool["input_schema"]["required"] == ["repository"]
    assert [one["job_id"] for one in json.loads(daemon.dome("jobs", "-o", "json").stdout)] == [identifier]
    assert json.loads(daemon.dome("status", "-o", "json").stdout)["pid"] == daemon.pid
    assert json.loads(daemon.dome("gc", "--dry-run", "-o", "json").stdout)["dry_run"] is True
    assert json.loads(daemon.dome("version", "-o", "json").stdout)["version"]
    assert json.loads(daemon.dome("help", "run", "-o", "json").stdout)[0]["command"] == "run"
    checks = json.loads(daemon.dome("doctor", "-o", "json").stdout)
    assert {check["verdict"] for check in checks} <= {"ok", "note", "failed"}
    error = daemon.dome("tool", "show", "nope", "-o", "json")
    assert json.loads(error.stderr)["error"]["code"] == "E_NOT_FOUND"


def test_logs_resume_after_a_seq(daemon: Daemon) -> None:
    job = daemon.dome("run", "job.log", "--detach", "-t", '{"lines": ["a", "b", "c"]}').stdout.strip()
    assert daemon.dome("logs", job, "-f").stdout == "a\nb\nc\n"
    assert daemon.dome("logs", job, "--since-seq", "4").stdout == "c\n"
    assert daemon.dome("logs", job, "-f", "--since-seq", "999").stdout == ""


def test_tasks_come_from_files_stdin_and_arguments(daemon: Daemon) -> None:
    (daemon.directory / "task.json").write_text('{"argv": ["echo", "from a file"]}')
    assert daemon.dome("run", "shell.run", "-t", "@task.json").stdout == "from a file\n"
    task = '{"script": "cat", "stdin": "from stdin"}'
    assert daemon.dome("run", "shell.run", "-t", "-", input=task).stdout == "from stdin"
    assert daemon.dome("run", "shell.run", "--stdin", "-", "--", "tr", "a-z", "A-Z", input="hi").stdout == "HI"


def test_a_relative_grant_means_the_folder_of_the_caller(daemon: Daemon) -> None:
    project = daemon.directory / "project"
    project.mkdir()
    (project / "file").write_text("needle\n")
    result = daemon.dome("run", "shell.run", "-g", "fs.read:project", "--", "cat", str(project / "file"))
    assert result.stdout == "needle\n", result.stderr
    task = json.dumps({"pattern": "need", "path": str(project)})
    found = daemon.dome("run", "text.search", "-g", "fs.read:project", "-t", task)
    assert json.loads(found.stdout) == {"path": str(project / "file"), "line": 1, "text": "needle"}


def test_the_same_key_is_the_same_job(daemon: Daemon) -> None:
    first = daemon.dome("run", "job.noop", "--detach", "--key", "k1").stdout
    assert daemon.dome("run", "job.noop", "--detach", "--key", "k1").stdout == first
    assert daemon.dome("run", "job.noop", "--detach", "--key", "k1", "-t", '{"other": 1}').returncode == 65


def test_a_follower_misses_nothing_when_the_daemon_is_killed(new_daemon: Callable[[], Daemon]) -> None:
    daemon = new_daemon()
    # This daemon is started by `dome` itself, again and again.
    lines = 400
    script = f"i=0; while [ $i -lt {lines} ]; do i=$((i + 1)); echo line $i; sleep 0.005; done"
    follower = subprocess.Popen(
        [daemon.bin / "dome", "run", "shell.run", "--", "/bin/sh", "-c", script],
        env=daemon.environment,
        stdout=subprocess.PIPE,
    )
    assert follower.stdout is not None
    seen: list[bytes] = []
    killed: set[int] = set()
    for line in follower.stdout:
        seen.append(line)
        if len(seen) in (100, 250):
            for pid in daemon.pids("domed"):
                os.kill(pid, signal.SIGKILL)
                killed.add(pid)
    assert seen == [b"line %d\n" % number for number in range(1, lines + 1)]
    assert follower.wait(20) == 0 and len(killed) == 2
    assert not daemon.pids("domed") & killed


def test_no_daemon_is_started_when_that_is_not_wanted(new_daemon: Callable[[], Daemon]) -> None:
    daemon = new_daemon()
    result = daemon.dome("tools", "--no-start")
    assert result.returncode == 69 and str(daemon.socket) in result.stderr
    assert not daemon.pids("domed")
    assert daemon.dome("__complete", "tools").stdout == "" and not daemon.pids("domed")
    assert daemon.dome("tools").returncode == 0 and daemon.pids("domed")


def test_many_commands_at_once_start_one_daemon(new_daemon: Callable[[], Daemon]) -> None:
    daemon = new_daemon()
    command = [daemon.bin / "dome", "tools"]
    commands = [subprocess.Popen(command, env=daemon.environment, stdout=subprocess.DEVNULL) for _ in range(8)]
    assert [started.wait(30) for started in commands] == [0] * 8
    # Those that lost the race for the lock leave by themselves.
    until(lambda: len(daemon.pids("domed")) == 1, "one domed is left")


def test_ctrl_c_cancels_and_a_second_one_leaves(daemon: Daemon) -> None:
    script = "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.05; done"
    terminal = Terminal(daemon, "run", "shell.run", "--", "/bin/sh", "-c", script)
    terminal.read_until(b"up")
    terminal.type(b"\x03")
    terminal.read_until(b"bye")
    assert terminal.status() == 130

    terminal = Terminal(daemon, "run", "shell.run", "--", "/bin/sh", "-c", "trap '' TERM; echo up; sleep 20")
    terminal.read_until(b"up")
    terminal.type(b"\x03")
    terminal.read_until(b"canceling")
    terminal.type(b"\x03")
    assert terminal.status() == 130
    found = JOB.search(terminal.output.decode())
    assert found and b"dome logs" in terminal.output


def test_progress_is_a_bar_on_a_terminal_and_nowhere_else(daemon: Daemon) -> None:
    task = '{"progress": [10, 100]}'
    terminal = Terminal(daemon, "run", "domed.exec-probe", "-t", task)
    assert terminal.status() == 0
    assert "█".encode() in terminal.output and b"100 %" in terminal.output
    assert terminal.output.endswith(b"\r\x1b[K")
    result = run(daemon, "run", "domed.exec-probe", "-t", task)
    assert (result.stdout, result.stderr) == (b"PROGRESS:10\nPROGRESS:100\n", b"")


def test_a_tools_words_cannot_drive_the_terminal(daemon: Daemon) -> None:
    result = daemon.dome("run", "job.fail", "-t", json.dumps({"reason": "\x1b[2J\u202eevil\u009b"}))
    assert "\x1b" not in result.stderr and "\u202e" not in result.stderr and "\u009b" not in result.stderr
    assert "\\u{1b}[2J" in result.stderr
