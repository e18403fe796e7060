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

# Cases that the suite itself calls optional, and why they come out differently (docs/adr/0040-json-schema.md).
DIFFERENT = {
    # Draft 2019-09 is refused by name, in the documents that these refer to, too.
    "draft2020-12/optional/cross-draft.json": 1,
    "draft7/optional/cross-draft.json": 2,
    # "contentEncoding" and "contentMediaType" are annotations, as in 2020-12.
    "draft7/optional/content.json": 4,
}


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
def test_the_official_suite_passes_but_for_what_is_named(suite: Path) -> None:
    command = [bin_dir() / "dome", "schema", "test-suite", suite, "-o", "json"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    report = json.loads(result.stdout)
    print(report["passed"], report["failed"])
    assert {file["file"]: file["failed"] for file in report["files"] if file["failed"]} == DIFFERENT
    assert (report["passed"], report["failed"], result.returncode) == (3364, 7, 1)
