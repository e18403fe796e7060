"""What cannot run is refused when it is submitted, with the reason, and leaves nothing behind: a program that is not in
the job's root, a path that is not there, what this host cannot enforce."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from domekit.daemon import Daemon, pb2
from domekit.tools import write_script_tool
from domekit.trees import Trees

UID = 54321


@pytest.fixture(scope="module")
def trees() -> Iterator[Trees]:
    trees = Trees()
    yield trees
    trees.close()


@pytest.fixture(scope="module", params=["root", "user"])
def shared(request: pytest.FixtureRequest, trees: Trees) -> Iterator[Daemon]:
    """A daemon whose sandbox is known to be ready."""
    if os.geteuid() != 0 and request.param == "root":
        pytest.skip("needs root")
    uid = UID if os.geteuid() == 0 and request.param == "user" else None
    daemon = Daemon(binaries=trees.binaries(), uid=uid)
    try:
        daemon.start()
        daemon.jobs.run("shell.run", {"argv": ["/bin/true"]})
        yield daemon
    finally:
        daemon.close()


@pytest.fixture
def folder(shared: Daemon) -> Iterator[Path]:
    """A folder that jobs can be granted, outside of what they have of their own."""
    with tempfile.TemporaryDirectory(prefix="dome-test-", dir="/var/tmp") as name:
        # /var/tmp is a link to /tmp in jobs, so a granted path below it is met at its real place.
        path = Path(name)
        path.chmod(0o755)
        yield path
        if shared.uid is not None:
            os.chown(path, os.geteuid(), os.geteuid())


def own(daemon: Daemon, *paths: Path) -> None:
    for path in paths:
        os.chown(path, daemon.uid or os.geteuid(), daemon.uid or os.geteuid(), follow_symlinks=False)


def script(daemon: Daemon, path: Path, mode: int = 0o755) -> Path:
    path.write_text("#!/bin/sh\necho it runs\n")
    path.chmod(mode)
    own(daemon, path.parent, path)
    return path


def refusal(daemon: Daemon, argv: list[str], code: str = "E_NOT_FOUND", **rest: object) -> str:
    """The submission must be refused and leave no job; what it says."""
    for _ in range(5):
        before = {job.job_id for job in daemon.stub().ListJobs(pb2.ListJobsRequest()).jobs}
        reply = daemon.jobs.submit("shell.run", {"argv": argv}, **rest)
        if not reply.job_id:
            break
        # On a busy machine a look may take longer than the second that a refusal waits for: the job fails instead.
        events = list(daemon.jobs.follow(reply.job_id))
        assert events[-1].payload["to"] == "failed" and not [one for one in events if one.line is not None], events
    assert not reply.status.ok and pb2.ErrorCode.Name(reply.status.code).endswith(code[2:]), reply
    assert {job.job_id for job in daemon.stub().ListJobs(pb2.ListJobsRequest()).jobs} == before
    return reply.status.message


def output(daemon: Daemon, argv: list[str], **rest: object) -> list[bytes]:
    events = daemon.jobs.run("shell.run", {"argv": argv}, **rest)
    assert events[-1].payload["to"] == "succeeded", events[-1]
    return [one.line for one in events if one.line is not None]


def test_a_name_that_no_folder_of_path_has(shared: Daemon) -> None:
    message = refusal(shared, ["no-such-program"])
    assert "no-such-program in /usr/local/bin, /usr/bin, /bin" in message and "install it" in message


def test_a_path_that_leads_nowhere(shared: Daemon) -> None:
    assert "there is no /usr/bin/no-such-program" in refusal(shared, ["/usr/bin/no-such-program"])
    assert "there is no /usr/bin/true/false" in refusal(shared, ["/usr/bin/true/false"])


def test_a_file_of_the_host_that_jobs_do_not_see(shared: Daemon) -> None:
    message = refusal(shared, ["/etc/shadow"])
    assert "/etc/shadow is on this host" in message and "grant its folder" in message


def test_a_folder_and_a_file_that_nobody_may_execute(shared: Daemon) -> None:
    assert "/usr is a folder" in refusal(shared, ["/usr"])
    assert "/usr/share/perl5 is a folder" in refusal(shared, ["/usr/share/perl5"])
    assert "/etc/passwd is not executable" in refusal(shared, ["/etc/passwd"])


@pytest.mark.parametrize("program", ["true", "/bin/true", "/usr/bin/true", "/usr/bin/../bin/true", "//bin//true"])
def test_what_is_there_runs_however_it_is_spelled(shared: Daemon, program: str) -> None:
    assert output(shared, [program]) == []


def test_what_cannot_be_known_is_let_run(shared: Daemon) -> None:
    # /job is made for each job: what lies there comes with its plan.
    events = shared.jobs.run("shell.run", {"argv": ["/job/no-such-program"]})
    assert events[-1].payload["to"] == "failed" and "no such program" in events[-1].payload["message"]


def test_a_granted_folder_is_looked_into(shared: Daemon, folder: Path) -> None:
    program, plain = script(shared, folder / "program"), script(shared, folder / "plain", 0o644)
    grants = [f"fs.read:{folder}"]
    assert output(shared, [str(program)], grants=grants) == [b"it runs"]
    assert f"{plain} is not executable: chmod +x it" in refusal(shared, [str(plain)], grants=grants)
    assert f"there is no {folder}/other" in refusal(shared, [f"{folder}/other"], grants=grants)
    # Without the grant it is not there.
    if shared.uid is None:
        assert "no-such" in refusal(shared, ["no-such"], grants=grants)


def test_links_lead_where_they_lead_in_the_job(shared: Daemon, folder: Path) -> None:
    inside, outside = folder / "inside", folder / "outside"
    inside.symlink_to("/bin/true")
    outside.symlink_to("/etc/shadow")
    own(shared, folder, inside, outside)
    grants = [f"fs.read:{folder}"]
    assert output(shared, [str(inside)], grants=grants) == []
    assert "outside leads to /etc/shadow, which this job does not see" in refusal(
        shared, [str(outside)], grants=grants
    )


def test_a_path_that_is_not_there_cannot_be_granted(shared: Daemon) -> None:
    message = refusal(shared, ["/bin/true"], "E_POLICY_DENIED", grants=["fs.read:/var/tmp/dome-no-such-folder"])
    assert "/var/tmp/dome-no-such-folder" in message and "No such file or directory" in message


def test_a_repeated_request_is_the_same_job_though_its_program_has_gone(shared: Daemon, folder: Path) -> None:
    program = script(shared, folder / "program")
    request = {"key": f"gone-{os.getpid()}-{shared.uid}", "grants": [f"fs.read:{folder}"]}
    job = shared.jobs.start("shell.run", {"argv": [str(program)]}, **request)
    list(shared.jobs.follow(job))
    program.unlink()
    assert shared.jobs.start("shell.run", {"argv": [str(program)]}, **request) == job
    refusal(shared, [str(program)], grants=request["grants"])
    other = shared.jobs.submit("shell.run", {"argv": ["/bin/true"]}, **request)
    assert pb2.ErrorCode.Name(other.status.code).endswith("IDEMPOTENCY_KEY_REUSED")


def test_the_command_line_says_it(shared: Daemon) -> None:
    done = shared.dome("run", "shell.run", "--", "no-such-program")
    assert done.returncode == 66 and "there is no no-such-program in" in done.stderr, done.stderr


def test_a_job_that_waited_fails_before_anything_runs(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    daemon.write_config({"max_running_jobs": 1})
    daemon.start()
    first = daemon.jobs.start("shell.run", {"script": "echo up; exec sleep 1000"})
    next(one for one in daemon.jobs.follow(first) if one.line == b"up")
    second = daemon.jobs.start("shell.run", {"argv": ["no-such-program"]})
    daemon.jobs.cancel(first)
    events = list(daemon.jobs.follow(second))
    assert [one.payload.get("to") for one in events if one.type == "STATE_CHANGE"][1:] == ["failed"], events
    assert events[-1].payload["reason"] == "not_found" and "no-such-program in" in events[-1].payload["message"]


def test_net_full_with_unix_where_nothing_keeps_abstract_sockets_apart(
    new_daemon: Callable[..., Daemon], trees: Trees
) -> None:
    daemon = new_daemon(binaries=trees.binaries("abi=5"))
    daemon.write_policy({"tools": {"shell.run": {"allow": ["net.full", "unix"]}}})
    daemon.start()
    for grants in (["net.full"], ["unix"]):
        assert output(daemon, ["/bin/true"], grants=grants) == []
    message = refusal(daemon, ["/bin/true"], "E_POLICY_DENIED", grants=["net.full", "unix"])
    assert "landlock" in message and "Linux 6.12" in message


def test_a_share_of_a_processor_without_control_groups(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon(environment={"DOME_CGROUP": "none"})
    write_script_tool(daemon, "t.half", "echo ran", limits={"cpu_percent": 50})
    daemon.start()
    daemon.jobs.run("shell.run", {"argv": ["/bin/true"]})
    reply = daemon.jobs.submit("t.half", {})
    assert pb2.ErrorCode.Name(reply.status.code).endswith("POLICY_DENIED") and "cpu_percent" in reply.status.message
    assert not reply.job_id
