"""JSON-Schema-Test-Suite itself, which the source package of jsonschema on PyPI carries: fetched, not part of dome."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from domekit.paths import bin_dir

VERSION = "4.26.0"


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("suite")
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", "jsonschema"]
    subprocess.run([*command, f"jsonschema=={VERSION}", "-d", folder], check=True, timeout=300)
    with tarfile.open(folder / f"jsonschema-{VERSION}.tar.gz") as archive:
        archive.extractall(folder)
    return folder / f"jsonschema-{VERSION}" / "json"


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_the_official_suite_passes(suite: Path) -> None:
    command = [bin_dir() / "dome", "schema", "test-suite", suite, "-o", "json"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    report = json.loads(result.stdout)
    print(report["passed"], report["failed"])
    assert not [file for file in report["files"] if file["failed"]]
    assert (report["passed"], report["failed"], result.returncode) == (5235, 0, 0)
