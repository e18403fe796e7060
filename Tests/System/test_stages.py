"""Stages: a build that is being worked on, and what is installed, never share a daemon, a socket or a folder."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

from domekit.daemon import Daemon


def without_stage(daemon: Daemon) -> Daemon:
    del daemon.environment["DOME_STAGE"]
    return daemon


def test_what_runs_from_a_build_folder_is_dev_and_leaves_the_installed_one_alone(
    new_daemon: Callable[..., Daemon],
) -> None:
    daemon = new_daemon().start()
    job = daemon.dome("run", "--detach", "job.noop").stdout.strip()
    without_stage(daemon)
    assert daemon.dome("run", "job.noop").returncode == 0
    sockets = {path.name for path in daemon.socket.parent.iterdir() if path.suffix == ".sock"}
    assert {"domed.sock", "domed-dev.sock"} <= sockets
    assert daemon.dome("job", "show", job).returncode == 66
    assert (daemon.state_home / "dome-dev" / "domed.sqlite").exists()
    assert daemon.dome("config", "path").stdout == f"{daemon.config_home}/dome-dev/config.json\n"
    assert len(daemon.pids("domed")) == 2


def test_the_programs_name_says_the_stage_and_the_daemon_is_of_the_same(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    name = daemon.directory / "dome-staging"
    name.symlink_to(daemon.bin / "dome")
    done = daemon.as_user(name, "status", "-o", "json")
    shown = subprocess.run(done, env=daemon.environment, capture_output=True, text=True, timeout=30, check=True)
    status = json.loads(shown.stdout)
    assert status["endpoint"].endswith("/dome/domed-staging.sock")
    assert status["state_directory"] == str(daemon.state_home / "dome-staging")


def test_a_word_that_is_no_stage_is_refused(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon(environment={"DOME_STAGE": "production"})
    for done in (daemon.dome("status"), daemon.dome("config", "path")):
        assert done.returncode == 65 and "DOME_STAGE must be dev, staging or prod" in done.stderr
    assert "DOME_STAGE" in daemon.refuses_to_start()
    assert not daemon.state_home.joinpath("dome").exists()


def test_a_job_may_not_read_another_stages_folders(daemon: Daemon) -> None:
    other = daemon.make_folder(daemon.state_home / "dome-dev")
    reply = daemon.jobs.submit("shell.run", {"argv": ["/bin/true"]}, grants=[f"fs.read:{other}"], wait_ms=20_000)
    assert not reply.status.ok and str(other) in reply.status.message
