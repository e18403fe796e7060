"""`dome doctor`: what works, what does not, and the remedy; the same words as in the refusal of a job."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable

import pytest

from domekit.daemon import Daemon

pytestmark = pytest.mark.both_users

# A user namespace whose limit of further ones is 0: a host that forbids them, for this process tree alone.
FORBIDDEN = ["unshare", "--user", "--map-user=54321", "--map-group=54321", "--keep-caps", "/bin/sh", "-c"]
FORBID = "echo 0 > /proc/sys/user/max_user_namespaces && "


@pytest.fixture
def idle(new_daemon: Callable[..., Daemon]) -> Daemon:
    """Directories of a daemon that was never started."""
    return new_daemon(environment={"DOME_NO_SYSTEMD": "1"})


def findings(daemon: Daemon, status: int) -> list[tuple[str, str, str]]:
    done = daemon.dome("doctor", "-o", "json")
    assert done.returncode == status, (done.stdout, done.stderr)
    return [(one["verdict"], one["check"], one["detail"]) for one in json.loads(done.stdout)]


def failures(daemon: Daemon) -> dict[str, str]:
    return {check: detail for verdict, check, detail in findings(daemon, 1) if verdict == "failed"}


def test_a_sound_machine_passes_without_a_daemon_and_none_is_started(idle: Daemon) -> None:
    found = findings(idle, 0)
    assert {
        "kernel", "user namespaces", "seccomp", "landlock", "cgroup", "sandbox", "sandbox, net full", "programs",
        "tools", "policy", "git", "rg", "state", "sockets", "configuration", "database", "plugin", "daemon",
    } <= {check for _, check, _ in found}
    assert ("note", "daemon") in {(verdict, check) for verdict, check, _ in found}
    assert idle.pids() == set() and not idle.state.exists()
    layers = next(detail for _, check, detail in found if check == "sandbox")
    assert "seccomp" in layers and "network_namespace" in layers


def test_a_running_daemon_is_asked_too(daemon: Daemon) -> None:
    daemon.dome("run", "shell.run", "--", "/bin/true")
    found = findings(daemon, 0)
    assert ("ok", "daemon's sandbox", "every layer is in force") in found
    assert any(check == "database" and verdict == "ok" for verdict, check, _ in found)


def test_a_host_without_user_namespaces_is_told_and_refused_with_one_remedy(idle: Daemon) -> None:
    dome = idle.bin / "dome"
    run = f"{dome} run shell.run -- /bin/true; echo run=$? >&2"
    script = f"{FORBID}{dome} doctor; echo doctor=$?; {dome} sandbox explain shell.run; echo explain=$?; {run}"
    done = subprocess.run(
        idle.as_user(*FORBIDDEN, script), env=idle.environment, capture_output=True, text=True, timeout=60, check=False
    )
    remedy = "sysctl user.max_user_namespaces=15000"
    doctor, rest = done.stdout.split("doctor=")
    assert rest.startswith("1\n"), done.stdout + done.stderr
    lines = [line for line in doctor.splitlines() if line.startswith("FAILED")]
    assert [line.split("  ")[1].strip() for line in lines] == ["user namespaces", "sandbox", "sandbox, net full"]
    assert all(remedy in line for line in lines), lines
    assert "would be refused" in rest and remedy in rest and "explain=77" in rest
    assert remedy in done.stderr and "run=77" in done.stderr, done.stderr


def test_roots_of_a_container_without_nobody_are_told_so(idle: Daemon) -> None:
    done = subprocess.run(
        idle.as_user("unshare", "--user", "--map-root-user", idle.bin / "dome", "doctor"),
        env=idle.environment, capture_output=True, text=True, timeout=60, check=False,
    )
    assert done.returncode == 1
    assert "uid 65534" in done.stdout and "map it" in done.stdout, done.stdout


def test_a_damaged_database_fails(idle: Daemon) -> None:
    (idle.make_folder(idle.state) / "domed.sqlite").write_bytes(b"not a database at all" * 500)
    idle.own(idle.state)
    detail = failures(idle)["database"]
    assert str(idle.state / "domed.sqlite") in detail


def test_damage_that_only_a_full_check_finds_fails(daemon: Daemon) -> None:
    daemon.dome("run", "job.noop")
    daemon.stop()
    with sqlite3.connect(daemon.state / "domed.sqlite") as database:
        # A request without its job: SQLite keeps no such promise for those who do not ask it to.
        database.execute("PRAGMA foreign_keys = OFF")
        database.execute("DELETE FROM jobs")
    assert "domed.sqlite" in failures(daemon)["database"]


def test_torn_pages_fail_and_are_left_as_they_are(daemon: Daemon) -> None:
    daemon.dome("run", "job.noop")
    daemon.stop()
    database = daemon.state / "domed.sqlite"
    content = bytearray(database.read_bytes())
    # The first page, which says what the file is, stays.
    for at in range(8192, len(content)):
        content[at] ^= 0x5A
    database.write_bytes(content)
    assert "database" in failures(daemon)
    assert bytes(content) == database.read_bytes()


@pytest.mark.parametrize("name, check", [("policy.json", "policy"), ("config.json", "configuration")])
def test_settings_that_cannot_be_understood_fail(idle: Daemon, name: str, check: str) -> None:
    folder = idle.config_home / "dome"
    (idle.make_folder(folder) / name).write_text('{"nonsense": 1}')
    idle.own(folder)
    detail = failures(idle)[check]
    assert name in detail and "nonsense" in detail


def test_rules_for_a_tool_that_does_not_exist_are_remarked(idle: Daemon) -> None:
    idle.write_policy({"tools": {"shel.run": {"deny": ["fs.write:*"]}}})
    assert any(verdict == "note" and "shel.run" in detail for verdict, _, detail in findings(idle, 0))


def test_folders_that_others_can_write_fail(idle: Daemon) -> None:
    idle.make_folder(idle.state)
    idle.state.chmod(0o777)
    assert "chmod 700" in failures(idle)["state"]


def test_a_file_in_the_place_of_the_socket_fails(idle: Daemon) -> None:
    idle.make_folder(idle.socket.parent)
    idle.socket.write_text("")
    assert "remove it" in failures(idle)["socket"]


def test_a_plugin_that_does_not_load_fails(idle: Daemon) -> None:
    shipped = idle.bin / ".." / "lib" / "dome" / "plugins" / "LocalProcess"
    folder = idle.make_folder("plugins")
    broken = folder / "LocalProcess"
    shutil.copytree(shipped, broken)
    library = broken / "libLocalProcess.so"
    library.write_bytes(library.read_bytes()[:100])
    idle.environment["DOME_PLUGIN_PATH"] = str(idle.own(folder))
    assert "dome.local-process" in failures(idle)["plugin"]


def test_missing_programs_fail(idle: Daemon) -> None:
    alone = idle.make_folder("bin") / "dome"
    shutil.copy(idle.bin / "dome", alone)
    done = subprocess.run(
        idle.as_user(alone, "doctor", "-o", "json"),
        env=idle.environment, capture_output=True, text=True, timeout=60, check=False,
    )
    assert done.returncode == 1
    found = {one["check"]: one for one in json.loads(done.stdout)}
    assert found["programs"]["verdict"] == "failed"
    assert "domed, domed-keeper, domed-worker" in found["programs"]["detail"]
    # Without domed-jail the room itself is used.
    assert found["domed-jail"]["verdict"] == "note" and found["sandbox"]["verdict"] == "ok"


def test_a_tool_whose_program_is_not_there_is_remarked(idle: Daemon) -> None:
    folder = idle.data_home / "dome" / "registry" / "tools" / "my.tool"
    folder.mkdir(parents=True)
    manifest = {
        "tool_id": "my.tool", "version": "1.0.0", "title": "t", "short_description": "s", "description": "d",
        "kind": "k",
        "permissions": ["process"], "side_effects": [], "executor": "dome.local-process",
        "entrypoint": {"argv": ["/usr/bin/no-such-program"]},
    }
    (folder / "tool.json").write_text(json.dumps(manifest))
    (folder / "input.schema.json").write_text("{}")
    assert any("/usr/bin/no-such-program" in detail for verdict, _, detail in findings(idle, 0) if verdict == "note")


def test_domed_checks_itself_beside_a_daemon_that_serves(daemon: Daemon) -> None:
    done = subprocess.run(
        daemon.as_user(daemon.bin / "domed", "--check"),
        env=daemon.environment, capture_output=True, text=True, timeout=30, check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [one for one in json.loads(done.stdout) if one["verdict"] != "ok"] == []
    assert daemon.dome("run", "job.noop").returncode == 0


# Everything below the folder is the machine's, the folder itself is a plain one or a mount.
CHANGED_ROOT = """
root=$1 kind=$2
shift 2
for part in bin lib lib64 sbin; do if [ -L /$part ]; then cp -a /$part $root; fi; done
for part in usr etc proc sys dev tmp $PARTS; do mkdir -p $root/$part && mount --rbind /$part $root/$part; done
if [ $kind = mount ]; then mount --rbind $root $root; fi
exec chroot $root "$@"
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="changing the root takes root")
@pytest.mark.parametrize("kind", ["folder", "mount"])
def test_a_chroot_is_named_as_what_it_is(idle: Daemon, kind: str) -> None:
    """And why no plugin could be scanned is told, too."""
    root = idle.directory / "root"
    root.mkdir(mode=0o755)
    programs = idle.bin.resolve()
    doctor = idle.as_user(programs / "dome", "doctor", "-o", "json")
    command = ["unshare", "--mount", "--propagation=private", "/bin/sh", "-ec", CHANGED_ROOT, "sh", root, kind, *doctor]
    environment = idle.environment | {"PARTS": os.fspath(programs.parents[2])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1, (done.stdout, done.stderr)
    found = [(one["verdict"], one["check"], one["detail"]) for one in json.loads(done.stdout)]
    reasons = {check: detail for verdict, check, detail in found if verdict == "failed"}
    assert set(reasons) == {"sandbox", "sandbox, net full"}, found
    plugins = [detail for _, check, detail in found if check == "plugin"]
    assert all("a chroot" in reason for reason in reasons.values()), found
    assert plugins and all("could not be confined: the jail cannot be entered: " in reason for reason in plugins), found
