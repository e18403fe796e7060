"""`dome plugin check`: a good plugin passes every test, and each test fails on the plugin that breaks its rule."""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from domekit.bad_plugins import CASES, Bad, build, driver
from domekit.paths import ROOT, bin_dir


def check(folder: Path, *options: str) -> tuple[int, dict[str, Any]]:
    """Exit status and report."""
    run = subprocess.run(
        [bin_dir() / "dome", "plugin", "check", folder, "--json", "--seed", "7", "--timeout", "3s", *options],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert run.stdout, run.stderr
    return run.returncode, json.loads(run.stdout)


def listed() -> list[str]:
    run = subprocess.run(
        [bin_dir() / "dome", "plugin", "check", "--list", "-o", "json", "."], capture_output=True, check=True
    )
    return [test["name"] for test in json.loads(run.stdout)]


# How a process ends, and what it leaves, reaches the check by another way there.
IN_THE_SANDBOX = {
    "loads",
    "init-succeeds",
    "a-whole-life",
    "heap-is-sound",
    "processes-are-ended",
    "threads-are-ended",
    "stdout-is-left-alone",
}


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Future[tuple[int, dict[str, Any]]]]:
    """What each bad plugin comes to; they are built and tried side by side."""
    root = tmp_path_factory.mktemp("bad-plugins")
    pool = ThreadPoolExecutor(max_workers=8)

    def finding(bad: Bad) -> tuple[int, dict[str, Any]]:
        # The sandbox costs a check of a hundred processes several seconds, and changes what is found in these alone.
        place = [] if bad.test in IN_THE_SANDBOX else ["--unconfined"]
        return check(build(bad, root / str(bad)), "--test", bad.test, *place)

    return {str(bad): pool.submit(finding, bad) for bad in CASES}


@pytest.mark.parametrize("bad", CASES, ids=str)
def test_the_rule_that_it_breaks_is_named(
    bad: Bad, findings: dict[str, Future[tuple[int, dict[str, Any]]]]
) -> None:
    status, report = findings[str(bad)].result(timeout=100)
    [finding] = report["tests"]
    assert (finding["name"], finding["verdict"]) == (bad.test, "FAIL"), finding
    assert bad.reason in finding["reason"], finding["reason"]
    assert status == 1
    assert report["failed"] == 1


def test_every_test_has_a_plugin_that_fails_it() -> None:
    assert sorted(listed()) == sorted({bad.test for bad in CASES})
    assert len(listed()) >= 40


def test_a_good_plugin_passes_every_test(tmp_path: Path) -> None:
    status, report = check(build(Bad("none"), tmp_path / "good"))
    assert [test for test in report["tests"] if test["verdict"] == "FAIL"] == []
    skipped = {test["name"] for test in report["tests"] if test["verdict"] == "SKIP"}
    # Of executors, of what takes longer, and of what this one has no use for.
    assert skipped == {
        *(name for name in listed() if name.startswith("drive-")),
        "plans-are-launch-plans",
        "same-job-same-plan",
        "config-schema",
        "author-examples",
        "canceled-while-it-runs",
    }
    assert status == 0
    assert [test["name"] for test in report["tests"]] == listed()


def test_an_executor_that_drives_jobs_passes_every_test(tmp_path: Path) -> None:
    status, report = check(build(driver("drive-table", "good", ""), tmp_path / "good"), "--unconfined")
    assert [test for test in report["tests"] if test["verdict"] == "FAIL"] == []
    passed = {test["name"] for test in report["tests"] if test["verdict"] == "PASS"}
    assert {name for name in listed() if name.startswith("drive-")} <= passed
    assert status == 0


def test_no_job_is_started_unless_the_author_says_that_it_may_be(tmp_path: Path) -> None:
    folder = build(driver("drive-table", "good", ""), tmp_path / "good")
    manifest = json.loads((folder / "plugin.json").read_text())
    del manifest["x-check"]["drive"]
    (folder / "plugin.json").write_text(json.dumps(manifest))
    status, report = check(folder, "--unconfined")
    assert status == 0, report
    assert list((folder / "cluster").iterdir()) == []
    reasons = [test["reason"] for test in report["tests"] if test["name"] == "drive-recovers"]
    assert "it would start jobs" in reasons[0]


SHIPPED = sorted(path.parent.name for path in (ROOT / "Plugins").glob("*/plugin.json"))


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_plugin_passes(name: str) -> None:
    status, report = check(bin_dir().parent / "lib" / "dome" / "plugins" / name)
    failed = [test for test in report["tests"] if test["verdict"] == "FAIL"]
    assert (status, failed) == (0, [])
    assert "calls-succeed" in {test["name"] for test in report["tests"] if test["verdict"] == "PASS"}


def test_a_seed_repeats_the_payload(tmp_path: Path) -> None:
    folder = build(Bad("fuzzed-payloads", "dies_of_percent"), tmp_path / "bad")
    first, second = (check(folder, "--test", "fuzzed-payloads")[1]["tests"][0]["reason"] for _ in range(2))
    assert first == second
    assert "--seed 7 repeats it, payload " in first


def test_what_is_no_plugin_folder_is_refused(tmp_path: Path) -> None:
    def refusal(*arguments: str | Path) -> tuple[int, str]:
        run = subprocess.run(
            [bin_dir() / "dome", "plugin", "check", *arguments], capture_output=True, text=True, check=False
        )
        return run.returncode, run.stderr

    assert refusal(tmp_path / "nowhere")[0] == 66
    assert "is no folder" in refusal("/etc/passwd")[1]
    status, words = refusal(tmp_path, "--test", "no-such-test")
    assert status == 65 and "'no-such-test'" in words
    assert refusal(tmp_path, "--seed", "x")[0] == 64


def test_without_a_sandbox_nothing_is_tried(tmp_path: Path) -> None:
    """It is a failure and says so, and is no check that found nothing wrong."""
    folder = build(Bad("none"), tmp_path / "good")
    no_namespaces = 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"'
    run = subprocess.run(
        ["unshare", "-U", "-r", "sh", "-c", no_namespaces, "sh", bin_dir() / "dome", "plugin", "check", folder],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 1, run.stdout + run.stderr
    assert "FAIL  loads" in run.stdout and "the sandbox could not be made: 'dome doctor' says why" in run.stdout
    assert "need loads to pass" in run.stdout
