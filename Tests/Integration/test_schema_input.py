"""What `dome schema` is given to read: pipes, standard input, what cannot be read beside what can, suites that test
nothing, and texts that hold something."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from domekit.paths import bin_dir
from domekit.waiting import until


def dome(*arguments: object) -> Any:
    return subprocess.run(
        [bin_dir() / "dome", "schema", *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
    )


def links(pid: int) -> list[str]:
    """What a process has open."""
    found: list[str] = []
    for place in Path(f"/proc/{pid}/fd").glob("*"):
        try:
            found.append(os.readlink(place))
        except OSError:
            # Closed meanwhile.
            continue
    return found


def test_documents_come_by_pipes_too(write: Callable[[str, Any], Path]) -> None:
    """By one whose writer takes its time, as <(…) of a shell makes it, and by standard input."""
    schema = write("schema.json", {"type": "integer"})
    reading, writing = os.pipe()
    pipe = os.readlink(f"/proc/self/fd/{reading}")
    command = [bin_dir() / "dome", "schema", "check", schema, f"/dev/fd/{reading}"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, pass_fds=[reading]
    ) as one:
        os.close(reading)

        def has_opened() -> bool:
            """The one that it was given, and the one that it has made of it."""
            return one.poll() is not None or links(one.pid).count(pipe) == 2

        until(has_opened, "the pipe opened")
        with os.fdopen(writing, "w") as writer:
            writer.write("12.5")
        out, err = one.communicate(timeout=60)
    assert one.returncode == 1 and "must be an integer" in out, (out, err)
    for text, status in [("7", 0), ('"7"', 1), ("{", 65)]:
        command = [bin_dir() / "dome", "schema", "check", schema, "-"]
        ended = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False)
        assert ended.returncode == status, ended
    assert dome("check", "-", "-").returncode == 64


def test_a_document_that_cannot_be_read_is_named_and_the_others_are_checked(
    write: Callable[[str, Any], Path], tmp_path: Path
) -> None:
    schema, bad, good = write("s.json", {"type": "integer"}), write("bad.json", "[1"), write("good.json", 1)
    marked = tmp_path / "marked.json"
    marked.write_bytes(b"\xef\xbb\xbf1")
    wrong = write("wrong.json", '"x"')
    result = dome("check", schema, bad, tmp_path, marked, tmp_path / "none", good, wrong, "-o", "json")
    report = json.loads(result.stdout)
    assert result.returncode == 66 and report["valid"] is False
    errors = [one.get("error", "") for one in report["instances"]]
    for error, part in zip(errors, ["']' at line 1", "Is a directory", "byte order mark", "No such file", "", ""]):
        assert part in error and bool(part) == bool(error), errors
    assert [len(one.get("violations", [])) for one in report["instances"]][4:] == [0, 1]
    assert dome("check", schema, tmp_path, good).returncode == 65
    text = dome("check", schema, bad, good).stdout
    assert f"{bad}: not checked: " in text and f"{good}: valid" in text


def test_content_constrains_where_that_is_asked_for(write: Callable[[str, Any], Path]) -> None:
    """In each dialect: it is an annotation in all of them."""
    instance = write("i.json", ["{", "!", "aGk="])
    content = {"contentEncoding": "base64", "contentMediaType": "application/json"}
    for dialect in ("draft/2020-12", "draft/2019-09", "draft-07"):
        text = {"$schema": f"https://json-schema.org/{dialect}/schema", "items": content}
        schema = write("s.json", text)
        assert dome("check", schema, instance).returncode == 0
        result = dome("check", "--assert-content", schema, instance)
        assert result.returncode == 1
        for line in ("/0: must be Base64 [/items/contentEncoding]", "/2: must be JSON in Base64 [/items/content"):
            assert line in result.stdout, result.stdout


@pytest.mark.parametrize(
    ("cases", "reason"),
    [
        ("{}", "is no list of groups"),
        ('[{"schema":{},"tests":{}}]', 'no list of "tests"'),
        ('[{"schema":{},"tests":[{"data":1,"valid":"yes"}]}]', "true or false"),
    ],
)
def test_a_suite_that_tests_nothing_does_not_pass(tmp_path: Path, cases: str, reason: str) -> None:
    folder = tmp_path / "tests" / "draft2020-12"
    folder.mkdir(parents=True)
    (folder / "good.json").write_text('[{"schema":{},"tests":[{"data":1,"valid":true}]}]')
    assert dome("test-suite", tmp_path).returncode == 0
    (folder / "bad.json").write_text(cases)
    result = dome("test-suite", tmp_path)
    assert result.returncode == 1 and reason in result.stdout
