"""json.query, archive.list, image.info and doc.text in the jail: granted files, and what would harm who reads them."""

from __future__ import annotations

import subprocess

import pytest

from domekit.daemon import Daemon
from domekit.paths import ROOT
from domekit.shipped import daemon, new_folder, not_accepted, reads, refusal, result  # noqa: F401


def test_jq_answers_every_value(daemon: Daemon) -> None:  # noqa: F811
    folder = new_folder(daemon)
    (folder / "d.json").write_text('{"items": [{"n": 1}, {"n": "\u00fc\\u0000"}]} [2]')
    daemon.own(folder)
    task = {"path": str(folder / "d.json")}
    found = result(daemon, "json.query", task | {"filter": ".items? // . | .[]"}, reads(folder))
    assert found == {"results": [{"n": 1}, {"n": "\u00fc\0"}, 2], "truncated": False}
    slurped = result(daemon, "json.query", task | {"filter": "length", "slurp": True}, reads(folder))
    assert slurped["results"] == [2]
    text = {"text": "-1", "filter": "-. + $more.a", "args": {"more": {"a": 2}}}
    assert result(daemon, "json.query", text)["results"] == [3]
    assert result(daemon, "json.query", {"null_input": True, "filter": "empty"})["results"] == []
    many = result(daemon, "json.query", {"null_input": True, "filter": "range(1e9)", "max_bytes": 100})
    assert many["truncated"] and many["results"][:3] == [0, 1, 2]


def test_what_jq_will_not_do_is_told(daemon: Daemon) -> None:  # noqa: F811
    folder = new_folder(daemon)
    (folder / "bad.json").write_text('{"a": ')
    (folder / "deep.json").write_text("[" * 100_000)
    daemon.own(folder)
    for name, program, why in [
        ("bad.json", ".", "parse error"), ("deep.json", ".", "depth"), ("none", ".", "was it granted?"),
        ("", ".", "folder"),
    ]:  # fmt: skip
        task = {"path": f"{folder}/{name}", "filter": program}
        assert why in refusal(daemon, "json.query", task, reads(folder)).lower(), name
    for text, program, why in [
        ("1", ".a", "Cannot index number"), ("1", "][", "syntax error"),
        ("1", "error(\"\\u001b[31mred\")", "\\x1b[31mred"),
        ("1", "\"x\" * 1000", "longer than 100 bytes"), ("[]", "$nothing", "$nothing"),
    ]:  # fmt: skip
        said = refusal(daemon, "json.query", {"text": text, "filter": program, "max_bytes": 100})
        assert why in said, (program, said)
    for task in ({"filter": "."}, {"text": "1", "path": "/x", "filter": "."}, {"text": "1"}):
        assert "input schema" in not_accepted(daemon, "json.query", task), task


@pytest.mark.parametrize(("script", "said"), [
    ("kill -XCPU $$", "sh did not end in the time that it may take"), ("kill -KILL $$", "sh was ended by signal 9"),
    ("printf 'one\\n two\\none\\n\\033' >&2; exit 3", "one; two; \\x1b"), ("exit 4", "sh ended with status 4"),
])  # fmt: skip
def test_how_a_program_ended_is_told_in_one_line(script: str, said: str) -> None:
    code = "import sys, programs\ntry: programs.output_of(sys.argv[1:], 9)\nexcept programs.Refusal as why: print(why)"
    command = ["/usr/bin/python3", "-B", "-c", code, "sh", "-c", script]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT / "Registry" / "kit")}
    assert subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout == said + "\n"
