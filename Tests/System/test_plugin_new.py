"""`dome plugin new`: in every language a folder that builds with one command and passes every test."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from domekit.daemon import Daemon
from domekit.paths import ROOT, bin_dir

LANGUAGES = sorted(path.parent.name for path in (ROOT / "Templates").glob("*/Makefile"))
ENVIRONMENT = os.environ | {"PATH": f"{bin_dir()}:{os.environ['PATH']}"}


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False)


def made(root: Path, language: str) -> dict[str, Any]:
    """A new plugin, built and tried; its report."""
    for step in (["dome", "plugin", "new", f"demo-{language}", "--lang", language], ["make", "-C", f"demo-{language}"]):
        done = run(root, *step)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "warning:" not in done.stderr, done.stderr
    return json.loads(run(root, "dome", "plugin", "check", f"demo-{language}", "--json", "--seed", "1").stdout)


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Future[dict[str, Any]]]:
    """All languages side by side: compilers use a processor, the tests mostly wait."""
    root = tmp_path_factory.mktemp("plugins")
    pool = ThreadPoolExecutor(max_workers=3)
    return {language: pool.submit(made, root, language) for language in dict.fromkeys(["swift", *LANGUAGES])}


def test_there_are_the_languages_that_are_promised() -> None:
    assert LANGUAGES == ["c", "cpp", "nim", "python", "rust", "swift"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_builds_and_passes(language: str, reports: dict[str, Future[dict[str, Any]]]) -> None:
    report = reports[language].result(timeout=100)
    assert [test for test in report["tests"] if test["verdict"] == "FAIL"] == []
    # The cancellation of a call is tried for real, and so is everything that its actions use.
    skipped = {test["name"] for test in report["tests"] if test["verdict"] == "SKIP"}
    assert skipped == {
        "config-schema",
        "instance-refusal-leaves-none",
        "instance-unknown-extensions",
        "plans-are-launch-plans",
        "same-job-same-plan",
        "health-answers",
        "audit-is-heard",
        "drive-table",
        "drive-same-job-same-handle",
        "drive-polls-are-reports",
        "drive-cancel-ends",
        "drive-unknown-handles",
        "drive-recovers",
        "drive-artifacts",
    }


def test_its_tools_answer_in_every_language(
    daemon: Daemon, reports: dict[str, Future[dict[str, Any]]]
) -> None:
    """From the folder to an answer over the socket: install, list, run; progress and cancellation come through."""
    environment = daemon.environment | {"PATH": f"{bin_dir()}:{os.environ['PATH']}"}

    def dome(*arguments: str) -> str:
        done = subprocess.run(
            ["dome", *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    for language in LANGUAGES:
        dome("plugin", "install", reports[language].result(timeout=100)["folder"])
        name = f"demo-{language}"
        assert json.loads(dome("run", f"{name}.hello", "--task", '{"name": "\\"Ada\\" é"}')) == {
            "greeting": 'Hello, "Ada" é!'
        }, language
        events = [json.loads(line) for line in dome("run", f"{name}.count", "-o", "json").splitlines()]
        assert sum("counting" in json.dumps(event) for event in events) >= 2, language
        job = dome("run", f"{name}.count", "--detach", "--task", '{"to": 1000, "milliseconds": 1000}').strip()
        dome("cancel", job)
        end = list(daemon.jobs.follow(job))[-1].payload
        assert str(end["to"]).upper().removeprefix("JOB_STATE_") == "CANCELED", (language, end)


def test_what_cannot_be_made_is_refused(tmp_path: Path) -> None:
    def refusal(*arguments: str) -> tuple[int, str]:
        done = run(tmp_path, "dome", "plugin", "new", *arguments)
        return done.returncode, done.stderr

    for name in ("Demo", "a b", "../x", "-x", "x.y", "x" * 33, "é"):
        assert refusal(name)[0] == 64, name
    assert refusal("demo", "--id", "demo")[0] == 64
    status, words = refusal("demo", "--lang", "cobol")
    assert status == 66 and "c, cpp, nim" in words
    (tmp_path / "demo").symlink_to("/nowhere")
    status, words = refusal("demo")
    assert status == 65 and "is there already" in words
    assert sorted(path.name for path in tmp_path.iterdir()) == ["demo"]


def test_no_placeholder_is_left(tmp_path: Path) -> None:
    for language in LANGUAGES:
        done = run(tmp_path, "dome", "plugin", "new", f"x{language}", "--lang", language, "--id", "org.example.x")
        assert done.returncode == 0, done.stderr
        for file in (tmp_path / f"x{language}").rglob("*"):
            text = file.read_text()
            assert not any(word in text + file.name for word in ("@NAME@", "@ID@", "@HEADERS@", "@TARGETS@")), file
        assert "org.example.x" in (tmp_path / f"x{language}" / "plugin.json").read_text()


def test_it_works_in_an_installed_tree(tmp_path: Path) -> None:
    """Templates and headers are found beside the programs, wherever these are put."""
    programs = "domed dome domed-keeper domed-worker"
    subprocess.run(
        [ROOT / "ops" / "install" / "install.sh", bin_dir(), tmp_path / "staged", "/opt/dome"],
        env=os.environ | {"PROGRAMS": programs}, check=True, capture_output=True,
    )
    tree = tmp_path / "moved"
    shutil.move(tmp_path / "staged" / "opt" / "dome", tree)
    environment = ENVIRONMENT | {"PATH": f"{tree / 'bin'}:/usr/bin:/bin"}
    for command in ("dome plugin new demo", "make -C demo", "dome plugin check demo --test calls-succeed"):
        done = subprocess.run(
            command.split(), cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert str(ROOT) not in done.stdout, done.stdout
