"""`dome sandbox explain`: what it says before anything runs is what a job then has."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from domekit.daemon import Daemon
from domekit.tools import write_script_tool

pytestmark = pytest.mark.both_users

# What a job sees of itself, as JSON.
PROBE = r"""
import json, os, resource, socket
def sockets():
    try:
        socket.socket(socket.AF_UNIX).close()
        return True
    except OSError:
        return False
def size(path):
    status = os.statvfs(path)
    return status.f_blocks * status.f_frsize
def writable(path):
    try:
        open(path + "/probe", "w").close()
        return True
    except OSError:
        return False
names = {"core_bytes": "CORE", "pids": "NPROC", "open_files": "NOFILE", "file_bytes": "FSIZE", "cpu_seconds": "CPU",
         "memory_bytes": "DATA"}
print(json.dumps({
    "uid": os.getuid(),
    "environment": sorted(os.environ),
    "limits": {name: resource.getrlimit(getattr(resource, "RLIMIT_" + short))[0] for name, short in names.items()},
    "sizes": {path: size(path) for path in ("/job", "/tmp", "/dev/shm")},
    "etc": sorted("/etc/" + name for name in os.listdir("/etc")),
    "top": sorted("/" + name for name in os.listdir("/")),
    "unix_sockets": sockets(),
    "interfaces": [line.split(":")[0].strip() for line in open("/proc/net/dev").readlines()[2:]],
    "granted": {path: writable(path) for path in GRANTED if os.path.isdir(path)},
}))
"""


def explain(daemon: Daemon, *arguments: str, status: int = 0) -> dict[str, Any]:
    done = daemon.dome("sandbox", "explain", *arguments, "-o", "json")
    assert done.returncode == status, (done.stdout, done.stderr)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def probe(daemon: Daemon, granted: list[Path], *options: str) -> dict[str, Any]:
    script = PROBE.replace("GRANTED", repr([str(path) for path in granted]))
    done = daemon.dome("run", "shell.run", *options, "--", "/usr/bin/python3", "-I", "-c", script)
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.mark.parametrize("network", ["none", "loopback", "full"])
@pytest.mark.parametrize("is_granted", [False, True])
def test_what_is_explained_is_what_the_job_has(daemon: Daemon, network: str, is_granted: bool) -> None:
    daemon.write_policy({"tools": {"shell.run": {"allow": ["net.full"]}}})
    read, write = daemon.directory / "read", daemon.directory / "write"
    kept = write / ".git"
    options: list[str] = []
    for folder in (read, write, kept):
        daemon.make_folder(folder)
    if is_granted:
        options += ["-g", f"fs.read:{read}", "-g", f"fs.write:{write}"]
    if network != "none":
        options += ["-g", f"net.{network}"]
    told = explain(daemon, "shell.run", *options)
    seen = probe(daemon, [read, write, kept], *options)

    assert told["admissible"] and told["network"] == network
    assert told["runs_as"]["uid"] == seen["uid"]
    # LC_CTYPE is Python's own.
    assert sorted(told["environment"]) == [name for name in seen["environment"] if name != "LC_CTYPE"]
    per_process = {one["name"]: one["value"] for one in told["limits"] if one["name"] in seen["limits"]}
    assert per_process == seen["limits"]
    assert {one["path"]: one["bytes"] for one in told["files"]["own"] if one["kind"] == "tmpfs"} == seen["sizes"]
    assert told["unix_sockets"] == seen["unix_sockets"] == (network != "full" and not is_granted)
    assert {one["path"]: one["access"] == "write" for one in told["files"]["granted"]} == seen["granted"]
    assert bool(seen["granted"]) == is_granted
    # Files of /etc: those that were told, folders of them, and those that dome makes itself.
    system = set(told["files"]["system"])
    made = {"/etc/passwd", "/etc/group", "/etc/hosts", "/etc/ssl", "/etc/pki"}
    assert all(one in made or any(path == one or path.startswith(one + "/") for path in system) for one in seen["etc"])
    assert {path for path in system if path.count("/") == 2 and path.startswith("/etc/")} <= set(seen["etc"])
    assert {path for path in system if path.count("/") == 1} <= set(seen["top"])
    if network != "full":
        assert seen["interfaces"] == ["lo"]


def test_every_layer_that_is_told_is_recorded(daemon: Daemon) -> None:
    told = explain(daemon, "shell.run")
    promised = {one["name"] for one in told["layers"] if one["in_force"]}
    assert {one["name"] for one in told["layers"] if one["required"]} <= promised
    job = daemon.dome("run", "shell.run", "--detach", "--", "/bin/true").stdout.strip()
    daemon.dome("logs", "-f", job)
    shown = json.loads(daemon.dome("job", "show", job, "-o", "json").stdout)
    assert set(shown["enforcement"]["layers"]) == promised


def test_a_shorter_timeout_is_told(daemon: Daemon) -> None:
    limits = {one["name"]: one["value"] for one in explain(daemon, "shell.run", "--timeout", "7s")["limits"]}
    assert limits["wall_ms"] == 7_000


@pytest.mark.parametrize("grant", ["net.full", "unix", "fs.read:/etc/shadow", "fs.read:/nonexistent", "env:HOME"])
def test_what_is_refused_is_refused_in_the_same_words(daemon: Daemon, grant: str) -> None:
    told = explain(daemon, "shell.run", "-g", grant, status=77)
    [refusal] = told["refused"]
    assert refusal["permission"] == grant
    done = daemon.dome("run", "shell.run", "-g", grant, "--", "/bin/true")
    assert done.returncode == 77
    assert refusal["reason"] in done.stderr and refusal["remedy"] in done.stderr


@pytest.mark.parametrize("grant", ["net.full", "unix"])
def test_the_line_for_the_policy_does_what_it_says(daemon: Daemon, grant: str) -> None:
    [refusal] = explain(daemon, "shell.run", "-g", grant, status=77)["refused"]
    path, line = refusal["remedy"].removeprefix("in ").split(" put ")
    assert path == str(daemon.config_home / "dome" / "policy.json")
    daemon.write_policy(json.loads(line))
    assert explain(daemon, "shell.run", "-g", grant)["admissible"]
    assert daemon.dome("run", "shell.run", "-g", grant, "--", "/bin/true").returncode == 0


def test_a_job_cannot_widen_the_policy_by_a_grant_of_its_folder(daemon: Daemon) -> None:
    daemon.write_policy({})
    for folder in (daemon.config_home, daemon.config_home / "dome", daemon.state_home, daemon.runtime):
        for kind in ("read", "write"):
            [refusal] = explain(daemon, "shell.run", "-g", f"fs.{kind}:{folder}", status=77)["refused"]
            assert "no job may reach" in refusal["reason"]


def test_a_share_of_a_processor_is_enforced_or_refused_and_told_so(daemon: Daemon) -> None:
    write_script_tool(daemon, "test.half", "true", limits={"cpu_percent": 50})
    told = json.loads(daemon.dome("sandbox", "explain", "test.half", "-o", "json").stdout)
    assert ("cpu_percent", 50) in {(one["name"], one["value"]) for one in told["limits"]}
    done = daemon.dome("run", "test.half")
    has_cgroup = any(one["name"] == "cgroup" and one["in_force"] for one in told["layers"])
    assert told["admissible"] == (done.returncode == 0) == has_cgroup
    assert has_cgroup or told["obstacles"][0] in done.stderr


def test_it_starts_and_records_nothing(daemon: Daemon) -> None:
    explain(daemon, "shell.run")
    assert json.loads(daemon.dome("jobs", "-o", "json").stdout or "[]") in ([], {"jobs": []})
    assert not any((daemon.state / "jobs").rglob("job-*"))


def test_a_tool_without_a_process_says_so(daemon: Daemon) -> None:
    assert explain(daemon, "job.noop")["has_process"] is False
    assert "no process is started" in daemon.dome("sandbox", "explain", "job.noop").stdout


def test_words_for_people_name_all_that_counts(daemon: Daemon) -> None:
    text = daemon.dome("sandbox", "explain", "shell.run").stdout
    uid = os.getuid() if daemon.uid is None else daemon.uid
    user = f"uid {uid}" if uid else "nobody"
    told = ("would be let run", user, "/usr", "256 MiB", "none:", "PATH", "memory_bytes", "seccomp", "in force")
    for word in (*told, "net.full", "policy.json", "known only when"):
        assert word in text, word


def test_what_a_granted_project_keeps_is_said_beside_it(daemon: Daemon) -> None:
    project = daemon.make_folder(daemon.directory / "project")
    daemon.make_folder(project / ".git")
    lines = daemon.dome("sandbox", "explain", "shell.run", "-g", f"fs.write:{project}").stdout.splitlines()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    assert fields["and writes"].strip() == str(project)
    assert fields["but reads only"].strip() == f"{project}/.git"


def test_an_unknown_tool_and_a_bad_grant_are_errors(daemon: Daemon) -> None:
    assert daemon.dome("sandbox", "explain", "no.such").returncode == 66
    assert daemon.dome("sandbox", "explain", "shell.run", "-g", "fs.read").returncode == 64
    assert daemon.dome("sandbox", "explain").returncode == 64
