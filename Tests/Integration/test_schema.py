"""`dome schema`: the suite in Tests/Schema, what is said about schemas and documents, and input that means harm."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from domekit import schemas
from domekit.paths import ROOT, bin_dir

SUITE = ROOT / "Tests" / "Schema"


def dome(*arguments: object, timeout: float = 60, prepare: Callable[[], None] | None = None) -> Any:
    return subprocess.run(
        [bin_dir() / "dome", "schema", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        preexec_fn=prepare,
    )


def test_the_suite_passes() -> None:
    result = dome("test-suite", SUITE, "-o", "json")
    report = json.loads(result.stdout)
    assert report["failed"] == 0, [file for file in report["files"] if file["failed"]]
    assert result.returncode == 0
    assert report["passed"] >= 1000
    names = {file["file"] for file in report["files"]}
    assert {"draft2019-09/recursiveRef.json", "draft7/optional/content.json"} <= names
    assert {"draft2020-12/unevaluatedItems.json", "draft2020-12/optional/format/uri.json", "draft7/items.json"} <= names


def test_a_case_that_expects_something_else_fails_by_name(tmp_path: Path) -> None:
    shutil.copytree(SUITE, tmp_path / "suite")
    path = tmp_path / "suite" / "tests" / "draft2020-12" / "type.json"
    groups = json.loads(path.read_text())
    # As text: Python would write 1e400 as another number.
    path.write_text(path.read_text().replace('"valid": true', '"valid": false', 1))
    result = dome("test-suite", tmp_path / "suite")
    assert result.returncode == 1
    line = f"{groups[0]['description']}: {groups[0]['tests'][0]['description']}: accepted, must be rejected"
    assert line in result.stdout
    assert result.stdout.count("FAIL") == 1


def test_a_folder_without_cases_is_refused(tmp_path: Path) -> None:
    result = dome("test-suite", tmp_path)
    assert result.returncode == 66
    assert "tests/draft2020-12" in result.stderr


def test_every_violation_has_both_places_and_no_value(write: Callable[[str, Any], Path]) -> None:
    schema = write(
        "schema.json",
        {
            "$defs": {"port": {"type": "integer", "maximum": 65535}},
            "properties": {"a/b": {"items": {"$ref": "#/$defs/port"}}, "secret": {"pattern": "^x", "const": "y"}},
            "required": ["name"],
        },
    )
    instance = write("instance.json", {"a/b": [1, 70000, "12"], "secret": "hunter2"})
    result = dome("check", schema, instance, "-o", "json")
    assert result.returncode == 1
    report = json.loads(result.stdout)
    assert [(v["instance_pointer"], v["schema_pointer"]) for v in report["instances"][0]["violations"]] == [
        ("/a~1b/1", "/$defs/port/maximum"),
        ("/a~1b/2", "/$defs/port/type"),
        ("/secret", "/properties/secret/const"),
        ("/secret", "/properties/secret/pattern"),
        ("", "/required"),
    ]
    assert "hunter2" not in result.stdout
    text = dome("check", schema, instance)
    assert "/a~1b/1: must be at most 65535 [/$defs/port/maximum]" in text.stdout


def test_what_has_no_effect_is_a_warning(write: Callable[[str, Any], Path]) -> None:
    schema = write(
        "schema.json",
        {
            "minLenght": 1,
            "then": True,
            "properties": {"a": {"format": "colour"}, "b": {"definitons": {}, "x-ray": 1}},
            "$defs": {"old": {"$id": "http://e/x", "additionalItems": False}},
        },
    )
    result = dome("check", schema)
    assert result.returncode == 0
    for part in ('is "minLength" meant?', '"then" without "if"', '"colour"', 'is "definitions" meant?', '"x-ray"'):
        assert part in result.stdout, part
    assert '"additionalItems", a keyword of draft-07' in result.stdout


def test_other_documents_are_those_that_are_given(write: Callable[[str, Any], Path]) -> None:
    schema = write("schema.json", {"$ref": "http://example.com/other#/$defs/a"})
    other = write("other.json", {"$id": "http://example.com/other", "$defs": {"a": {"type": "integer"}}})
    instance = write("instance.json", 1)
    refused = dome("check", schema, instance)
    assert refused.returncode == 65
    assert "http://example.com/other, which is not in this document (and nothing is ever fetched)" in refused.stderr
    assert dome("check", schema, instance, "--with", other).returncode == 0
    assert dome("check", schema, write("text.json", "\"a\""), "--with", other).returncode == 1


def test_formats_constrain_when_asked_to(write: Callable[[str, Any], Path]) -> None:
    schema = write("schema.json", {"format": "date"})
    good, bad = write("good.json", '"2026-02-28"'), write("bad.json", '"2026-02-30"')
    assert dome("check", schema, good, bad).returncode == 0
    assert dome("check", "--assert-format", schema, good).returncode == 0
    result = dome("check", "--assert-format", schema, bad)
    assert result.returncode == 1 and "[/format]" in result.stdout


@pytest.mark.parametrize("is_required", [True, False])
def test_a_vocabulary_that_is_needed_and_not_known_refuses_the_schema(
    write: Callable[[str, Any], Path], is_required: bool
) -> None:
    known = "https://json-schema.org/draft/2020-12/vocab/core"
    vocabularies = {known: True, "https://example.com/units": is_required}
    draft = "https://json-schema.org/draft/2020-12/schema"
    meta = write("meta.json", {"$id": "https://example.com/meta", "$schema": draft, "$vocabulary": vocabularies})
    schema = write("schema.json", {"$schema": "https://example.com/meta", "type": "integer"})
    result = dome("check", schema, write("text.json", '"a"'), "--with", meta)
    if is_required:
        assert result.returncode == 65 and "needs the vocabulary https://example.com/units" in result.stderr
    else:
        # Nor is "type" a keyword there: its vocabulary is not named.
        assert result.returncode == 0


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ('{"$ref":"#"}', "refers to itself without end"),
        ('{"$defs":{"a":{"allOf":[{"$ref":"#/$defs/b"}]},"b":{"$ref":"#/$defs/a"}}}', "refers to itself without end"),
        ('{"type":"string","type":"integer"}', 'the member "type" stands twice at line 1, column 18'),
        ('{"const":"\\ud800"}', "a high surrogate stands alone"),
        ("[" * 200 + "]" * 200, "nested deeper than 128"),
        ('{"minimum":1e99999999999999999999}', "the number is too large: its exponent is out of bounds"),
        ('{"pattern":"' + "(a{1000}){1000}" + '"}', "too large once its repetitions are written out"),
        ('{"pattern":"(?<=a)b"}', "look-behinds cannot be matched in bounded time"),
        ('{"pattern":"(a)\\\\1"}', "back-references cannot be matched in bounded time"),
        (json.dumps({"$defs": {str(n): {} for n in range(10_001)}}), "has more than 10000 subschemas"),
        ('{"$schema":"http://json-schema.org/draft-06/schema"}', "which is not known here"),
        ("", "it is empty"),
    ],
)
def test_a_bad_schema_is_refused_by_name(write: Callable[[str, Any], Path], schema: str, reason: str) -> None:
    result = dome("check", write("schema.json", schema))
    assert result.returncode == 65
    assert reason in result.stderr


def limited() -> None:
    """1 GiB of address space and 20 s of processor."""
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    resource.setrlimit(resource.RLIMIT_CPU, (20, 20))


@pytest.mark.parametrize(
    ("schema", "instance", "status", "reason"),
    [
        ('{"minimum":1e999999998}', "1e999999999", 0, "valid"),
        ('{"multipleOf":1e-999999999}', "1e999999999", 0, "valid"),
        ('{"multipleOf":0.7}', "1" * 1_000_000, 1, "must be a multiple of 0.7"),
        ('{"multipleOf":12345678901234567891}', "7" * 1_000_000, 1, "too many digits"),
        ('{"pattern":"^(a+)+(a|aa)*$"}', '"' + "a" * 1_000_000 + '!"', 1, "match the schema's pattern ^(a+)+(a|aa)*$"),
        ('{"pattern":"(\\\\b|a)a{1,600}b"}', '"' + "a" * 1_000_000 + '"', 1, "too deep or too large"),
        ('{"uniqueItems":true}', "[" + ",".join(map(str, range(200_000))) + "]", 0, "valid"),
        ('{"additionalProperties":{"$ref":"#"}}', '{"a":' * 127 + "1" + "}" * 127, 0, "valid"),
        ('{"type":"string"}', "[" * 129, 65, "nested deeper than 128"),
        ('{"type":"string"}', '"\\udc00"', 65, "a low surrogate stands alone"),
        ('{"enum":[1]}', '{"a":1,"\\u0061":2}', 65, 'the member "a" stands twice'),
        ('{"items":{"type":"null"}}', "[" + "1," * 3_000_000 + "1]", 1, "and 2999801 more violations"),
    ],
)
def test_hostile_input_costs_bounded_time_and_memory(
    write: Callable[[str, Any], Path], schema: str, instance: str, status: int, reason: str
) -> None:
    result = dome("check", write("s.json", schema), write("i.json", instance), prepare=limited)
    assert result.returncode == status, result.stderr[-500:]
    assert reason in result.stdout + result.stderr


def test_a_schema_that_doubles_at_each_level_ends(write: Callable[[str, Any], Path]) -> None:
    twice = {f"d{n}": {"anyOf": [{"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2}] * 2} for n in range(60)}
    schema = write("s.json", {"$defs": {**twice, "d60": False}, "$ref": "#/$defs/d0"})
    began = time.monotonic()
    result = dome("check", schema, write("i.json", 1), prepare=limited)
    assert result.returncode == 1
    assert time.monotonic() - began < 30


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_a_document_of_100_megabytes(tmp_path: Path) -> None:
    schema = tmp_path / "s.json"
    schema.write_text(json.dumps({"items": {"properties": {"a": {"type": "integer"}}, "required": ["a"]}}))
    instance = tmp_path / "i.json"
    instance.write_text("[" + '{"a":123456789,"b":"text"},' * 4_000_000 + '{"b":1}]')
    result = dome("check", schema, instance, timeout=300)
    assert result.returncode == 1
    assert '/4000000: the member "a" is missing' in result.stdout


def differs(folder: Path, seed: int, count: int) -> str:
    """Random schemas and documents, as jsonschema for Python judges them, given to `dome` as a suite."""
    target = folder / "tests" / "draft2020-12"
    target.mkdir(parents=True)
    (target / "random.json").write_text(json.dumps(schemas.random_suite(seed, count)))
    result = dome("test-suite", folder, timeout=300)
    return "" if result.returncode == 0 else f"seed {seed}: {result.stdout[-3000:]}"


def test_random_schemas_mean_the_same_as_in_python(tmp_path: Path) -> None:
    seed = time.time_ns() % 1_000_000
    print(f"seed {seed}")
    assert not differs(tmp_path, seed, 250)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_many_random_schemas_mean_the_same_as_in_python(tmp_path: Path) -> None:
    for number in range(40):
        seed = time.time_ns() % 1_000_000_000
        assert not differs(tmp_path / str(number), seed, 1000)
