"""What a process job finds: its environment, its task, its standard input, and nothing of the daemon's."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from domekit.daemon import Daemon
from domekit.jobs import Event, Jobs
from domekit.tools import write_script_tool

pytestmark = pytest.mark.both_users


def lines(events: list[Event], stream: str = "stdout") -> list[str]:
    return [one.payload["line"] for one in events if one.payload.get("stream") == stream]


def environment(jobs: Jobs, **rest: Any) -> dict[str, str]:
    events = jobs.run("shell.run", {"argv": ["/usr/bin/env", "-0"]} | rest.pop("task", {}), **rest)
    assert events[-1].payload["to"] == "succeeded", events[-1].payload
    whole = "".join(one.payload["line"] for one in events if one.payload.get("stream") == "stdout")
    return dict(entry.split("=", 1) for entry in whole.split("\0") if entry)


def test_a_job_finds_its_ids_and_its_request(jobs: Jobs) -> None:
    reply = jobs.submit("shell.run", {"argv": ["/usr/bin/env"]}, profile="a label", own={"k": [1]}, wait_ms=20_000)
    found = dict(line.split("=", 1) for line in lines(jobs.replay(reply.job_id)))
    assert found["DOMED_JOB_ID"] == reply.job_id
    assert found["DOMED_RUN_ID"] == reply.run_id
    assert found["DOMED_TOOL_ID"] == "shell.run"
    assert found["DOMED_PROFILE"] == "a label"
    assert json.loads(found["DOMED_TASK_JSON"]) == {"argv": ["/usr/bin/env"]}
    assert json.loads(found["DOMED_CONSTRAINTS_JSON"]) == {"wait_ms": 20_000, "own": {"k": [1]}}
    assert found["PYTHONUNBUFFERED"] == "1"


def test_nothing_else_of_the_daemons_environment_gets_in(new_daemon: Callable[..., Daemon]) -> None:
    secrets = {"AWS_SECRET_ACCESS_KEY": "s3cret", "LD_PRELOAD": "", "SSH_AUTH_SOCK": "/x", "DOMED_JOB_ID": "forged"}
    daemon = new_daemon(environment=secrets).start()
    found = environment(daemon.jobs)
    assert set(found) == {
        "PATH", "HOME", "TMPDIR", "LANG", "PYTHONUNBUFFERED", "DOMED_RUN_ID", "DOMED_JOB_ID", "DOMED_TOOL_ID",
        "DOMED_PROFILE", "DOMED_TASK_FILE", "DOMED_TASK_JSON", "DOMED_CONSTRAINTS_JSON",
    }  # fmt: skip
    assert found["DOMED_JOB_ID"].startswith("job-")


def test_the_task_file_holds_the_task(jobs: Jobs) -> None:
    task = {"script": 'cat "$DOMED_TASK_FILE"', "stdin": "naïve 日本語 🦀\n\t\"quoted\""}
    assert json.loads("".join(lines(jobs.run("shell.run", task)))) == task


# A variable with its name, '=' and NUL may have 128 KiB; at the edge and on both sides of it.
LIMIT = 128 * 1024 - len("DOMED_TASK_JSON=") - 1


@pytest.mark.parametrize("size, is_there", [(LIMIT - 1, True), (LIMIT, True), (LIMIT + 1, False), (3 << 20, False)])
def test_a_task_too_long_for_a_variable_is_in_the_file_alone(daemon: Daemon, size: int, is_there: bool) -> None:
    write_script_tool(
        daemon,
        "test.sizes",
        'if [ -n "${DOMED_TASK_JSON+x}" ]; then echo "variable ${#DOMED_TASK_JSON}"; else echo none; fi\n'
        'wc -c <"$DOMED_TASK_FILE"',
    )
    task = '{"filler":"' + "x" * (size - len('{"filler":""}')) + '"}'
    assert len(task) == size
    events = daemon.jobs.run("test.sizes", task)
    assert events[-1].payload["to"] == "succeeded", events[-1].payload
    first, second = lines(events)
    assert first == (f"variable {size}" if is_there else "none")
    assert int(second) == size


def test_constraints_too_long_for_a_variable_are_left_out_and_the_job_runs(jobs: Jobs) -> None:
    found = environment(jobs, big="x" * (200 << 10))
    assert "DOMED_CONSTRAINTS_JSON" not in found and "DOMED_TASK_JSON" in found


def test_standard_input_is_empty_unless_the_manifest_asks(jobs: Jobs) -> None:
    assert lines(jobs.run("shell.run", {"script": "cat; echo end"})) == ["end"]


def test_the_task_comes_on_standard_input_when_the_manifest_asks(daemon: Daemon) -> None:
    write_script_tool(daemon, "test.stdin", "cat | wc -c", stdin="task")
    small = daemon.jobs.run("test.stdin", {"a": 1})
    assert lines(small) == [str(len('{"a":1}'))]
    # Larger than any pipe, so that it must be fed while the job reads.
    big = daemon.jobs.run("test.stdin", {"filler": "x" * (5 << 20)})
    assert int(lines(big)[0]) == (5 << 20) + len('{"filler":""}')


def test_a_shell_job_gets_the_standard_input_of_its_task(jobs: Jobs) -> None:
    assert lines(jobs.run("shell.run", {"argv": ["cat"], "stdin": "one\ntwo"})) == ["one", "two"]


def test_a_job_that_never_reads_its_input_ends_all_the_same(jobs: Jobs) -> None:
    events = jobs.run("shell.run", {"argv": ["true"], "stdin": "x" * (4 << 20)})
    assert events[-1].payload["to"] == "succeeded"


def test_a_manifest_that_wants_a_terminal_gets_one(daemon: Daemon) -> None:
    script = 'test -t 1 && test -t 2 && echo "terminal $TERM"'
    write_script_tool(daemon, "test.tty", script, tty=True)
    write_script_tool(daemon, "test.pipe", "test -t 1 || echo pipe")
    events = daemon.jobs.run("test.tty")
    assert lines(events) == ["terminal xterm-256color\r"] or lines(events) == ["terminal xterm-256color"], events
    assert lines(daemon.jobs.run("test.pipe")) == ["pipe"]


def test_the_manifests_own_files_and_variables_are_there(daemon: Daemon) -> None:
    folder = write_script_tool(
        daemon, "test.files", "sh /job/.tool/say.sh", files=["say.sh"], environment={"GREETING": "hello"}
    )
    (folder / "say.sh").write_text('echo "$GREETING"\n')
    assert lines(daemon.jobs.run("test.files")) == ["hello"]
