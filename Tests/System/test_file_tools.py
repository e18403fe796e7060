"""fs.read, fs.write, fs.list and patch.apply in the jail: granted folders, and everything that is none."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from pathlib import Path

from domekit.daemon import Daemon
from domekit.shipped import both, new_folder, not_accepted, output, project  # noqa: F401
from domekit.shipped import reads, refusal, result, writes

ODD_NAME = b'odd\n"\x1b[31m\xff'


def test_a_file_is_read_in_pieces_that_add_up(both: Daemon) -> None:
    daemon, folder = both, new_folder(both)
    text = "".join(f"line {number} \u00fc\U0001f600\n" for number in range(1, 2001))
    (folder / "text").write_text(text)
    daemon.own(folder)
    task = {"path": str(folder / "text"), "max_bytes": 10_001}
    whole, offset, pieces = "", 0, 0
    while True:
        piece = result(daemon, "fs.read", task | {"offset": offset}, reads(folder))
        assert piece["size"] == len(text.encode()) and piece["bytes"] == len(piece["text"].encode())
        whole += piece["text"]
        pieces += 1
        if not piece["truncated"]:
            break
        offset = piece["next_offset"]
    assert whole == text and pieces == 4
    some = result(daemon, "fs.read", {"path": task["path"], "first_line": 1999, "max_lines": 1}, reads(folder))
    assert some["text"].startswith("line 1999 ") and (some["lines"], some["next_line"]) == (1, 2000)
    rest = result(daemon, "fs.read", {"path": task["path"], "first_line": 2000, "max_lines": 5}, reads(folder))
    assert rest["lines"] == 1 and not rest["truncated"] and "next_line" not in rest
    assert "no line 5000" in refusal(daemon, "fs.read", {"path": task["path"], "first_line": 5000}, reads(folder))


def test_what_is_no_text_comes_as_base_64_and_huge_files_in_pieces(both: Daemon) -> None:
    daemon, folder = both, new_folder(both)
    (folder / "bytes").write_bytes(b"\xff\0\xfe")
    (folder / "empty").write_bytes(b"")
    with (folder / "huge").open("wb") as file:
        file.truncate(1 << 40)
    daemon.own(folder)
    read = result(daemon, "fs.read", {"path": str(folder / "bytes")}, reads(folder))
    assert base64.b64decode(read["base64"]) == b"\xff\0\xfe" and not read["truncated"]
    assert result(daemon, "fs.read", {"path": str(folder / "empty")}, reads(folder))["text"] == ""
    huge = result(daemon, "fs.read", {"path": str(folder / "huge"), "max_bytes": 5}, reads(folder))
    assert (huge["size"], huge["bytes"], huge["truncated"]) == (1 << 40, 5, True)


def test_what_cannot_be_read_is_told_by_name(both: Daemon) -> None:
    daemon, folder = both, new_folder(both)
    os.mkfifo(folder / "fifo")
    (folder / "dangling").symlink_to("/etc/shadow")
    (folder / "loop").symlink_to("loop")
    (folder / "file").write_text("x")
    outside = daemon.make_folder(f"{folder}-outside") / "secret"
    outside.write_text("secret")
    daemon.own(folder)
    for name, why in [
        ("fifo", "no regular file"),
        ("dangling", "is a link to /etc/shadow, which is not there; was that granted?"),
        ("loop", "symbolic links"),
        ("none", f"was it granted? (fs.read:{folder}/none)"),
        ("file/below", "was it granted?"),
        ("", "is a folder; a file is wanted"),
    ]:
        said = refusal(daemon, "fs.read", {"path": f"{folder}/{name}"}, reads(folder))
        assert why in said, (name, said)
    assert "was it granted?" in refusal(daemon, "fs.read", {"path": str(outside)}, reads(folder))
    assert "File name too long" in refusal(daemon, "fs.read", {"path": "/" + "x" * 300}, reads(folder))
    for task in (
        {}, {"path": "relative"}, {"path": 1}, {"path": "/a\0b"}, {"path": "/a", "max_bytes": 0},
        {"path": "/a", "offset": 1, "first_line": 2}, {"path": "/a", "more": 1},
    ):  # fmt: skip
        assert "input schema" in not_accepted(daemon, "fs.read", task), task


def test_a_file_is_written_whole_and_not_by_accident(both: Daemon) -> None:
    daemon, folder = both, new_folder(both)
    place = folder / "new" / "deep" / "f.txt"
    task = {"path": str(place), "text": "one \u00fc\n"}
    assert "was it granted?" in refusal(daemon, "fs.write", task, writes(folder))
    made = result(daemon, "fs.write", task | {"make_folders": True}, writes(folder))
    assert made == {"path": str(place), "created": True, "bytes_written": 7, "size": 7}
    assert place.read_text() == "one \u00fc\n"
    assert place.stat().st_uid == folder.stat().st_uid
    assert "is there already" in refusal(daemon, "fs.write", task | {"text": "two"}, writes(folder))
    place.chmod(0o750)
    expected = hashlib.sha256(place.read_bytes()).hexdigest()
    change = task | {"text": "two", "if_exists": "replace"}
    wrong = refusal(daemon, "fs.write", change | {"expected_sha256": "0" * 64}, writes(folder))
    assert expected in wrong and place.read_text() == "one \u00fc\n"
    # Another name of the same file: what is replaced is not written to.
    os.link(place, folder / "another-name")
    assert not result(daemon, "fs.write", change | {"expected_sha256": expected}, writes(folder))["created"]
    assert (folder / "another-name").read_text() == "one \u00fc\n" and place.read_text() == "two"
    more = {"path": str(place), "base64": base64.b64encode(b"\xff").decode(), "if_exists": "append"}
    assert result(daemon, "fs.write", more, writes(folder))["size"] == 4
    assert place.read_bytes() == b"two\xff" and place.stat().st_mode & 0o777 == 0o750
    assert [one.name for one in place.parent.iterdir()] == ["f.txt"]


def test_what_may_not_be_written_stays_as_it_was(both: Daemon) -> None:
    daemon, folder = both, new_folder(both)
    outside = daemon.make_folder(f"{folder}-outside") / "file"
    outside.write_text("kept")
    (folder / "link").symlink_to(outside)
    (folder / "sub").mkdir()
    (folder / ".git").mkdir()
    os.mkfifo(folder / "fifo")
    daemon.own(folder)
    daemon.own(outside.parent)
    text = {"text": "evil", "if_exists": "replace", "make_folders": True}
    for path, why in [
        (folder / "link", "is a link to"),
        (folder / "sub", "no regular file"),
        (folder / "fifo", "no regular file"),
        (folder / ".git" / "config", "may only be read"),
        (outside, "not granted for writing"),
        (Path("/tmp/x"), "goes with the job (fs.write:/tmp)"),
        (Path("/job/out/x"), "goes with the job"),
        (Path("/etc/x"), "goes with the job"),
        (folder / "sub" / "..", "names a folder"),
    ]:
        said = refusal(daemon, "fs.write", text | {"path": str(path)}, writes(folder))
        assert why in said, (path, said)
    assert "may only be read" in refusal(daemon, "fs.write", text | {"path": f"{folder}/x"}, reads(folder))
    assert outside.read_text() == "kept" and not (folder / ".git" / "config").exists()
    assert "no base 64" in refusal(daemon, "fs.write", {"path": f"{folder}/x", "base64": "*"}, writes(folder))
    for task in ({"path": "/a"}, {"path": "/a", "text": "", "base64": ""}, {"path": "/a", "text": "", "if_exists": 1}):
        assert "input schema" in not_accepted(daemon, "fs.write", task), task


def test_a_folder_is_listed_in_order_with_names_of_any_bytes(both: Daemon) -> None:
    daemon, folder = both, new_folder(both)
    for name in ("b", "a.py", ".hidden", "sub/deep/c.py", "sub/d.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("12345")
    (folder / "to").symlink_to("/etc/shadow")
    os.mkfifo(folder / "pipe")
    Path(os.fsdecode(os.fsencode(folder) + b"/" + ODD_NAME)).write_text("")
    os.utime(folder / "b", (1e9, 1e9))
    daemon.own(folder)
    task = {"path": str(folder)}
    listed = result(daemon, "fs.list", task, reads(folder))
    names = [entry.get("name") for entry in listed["entries"]]
    assert names == [".hidden", "a.py", "b", None, "pipe", "sub", "to"]
    entries = {entry.get("name"): entry for entry in listed["entries"]}
    assert base64.b64decode(entries[None]["name_b64"]) == ODD_NAME
    assert entries["b"] == {
        "name": "b", "type": "file", "size": 5, "executable": False, "modified": "2001-09-09T01:46:40Z",
    }  # fmt: skip
    assert (entries["to"]["type"], entries["to"]["target"]) == ("link", "/etc/shadow")
    assert (entries["pipe"]["type"], entries["sub"]["type"]) == ("other", "folder")
    found = result(daemon, "fs.list", task | {"depth": 9, "glob": "*.py"}, reads(folder))
    assert [entry["name"] for entry in found["entries"]] == ["a.py", "sub/deep/c.py"]
    few = result(daemon, "fs.list", task | {"max_entries": 2, "hidden": False}, reads(folder))
    assert [entry["name"] for entry in few["entries"]] == ["a.py", "b"] and few["truncated"]
    all_of_it = result(daemon, "fs.list", task | {"max_entries": 7}, reads(folder))
    assert len(all_of_it["entries"]) == 7 and not all_of_it["truncated"]
    assert "no folder" in refusal(daemon, "fs.list", {"path": f"{folder}/b"}, reads(folder))
    assert f"fs.read:{folder}/none" in refusal(daemon, "fs.list", {"path": f"{folder}/none"}, reads(folder))


PATCH = """\
--- a/notes.txt
+++ b/notes.txt
@@ -7,3 +7,3 @@ a heading with a wrong place
 one
-two
+2
 three
--- /dev/null
+++ b/sub/made.txt
@@ -0,0 +1 @@
+made
"""


def test_a_patch_is_applied_whole_or_not_at_all(both: Daemon) -> None:
    daemon, folder = both, new_folder(both)
    notes = folder / "notes.txt"
    notes.write_text("zero\none\ntwo\nthree\n")
    daemon.own(folder)
    task = {"folder": str(folder), "patch": PATCH}
    files = [
        {"path": "notes.txt", "added": 1, "removed": 1}, {"path": "sub/made.txt", "added": 1, "removed": 0}
    ]  # fmt: skip
    tried = result(daemon, "patch.apply", task | {"dry_run": True}, reads(folder))
    assert tried == {"applied": False, "files": files} and "two" in notes.read_text()
    assert result(daemon, "patch.apply", task, writes(folder)) == {"applied": True, "files": files}
    assert notes.read_text() == "zero\none\n2\nthree\n" and (folder / "sub" / "made.txt").read_text() == "made\n"
    again = refusal(daemon, "patch.apply", task, writes(folder))
    assert "nothing was changed" in again and "notes.txt" in again
    assert result(daemon, "patch.apply", task | {"reverse": True}, writes(folder))["applied"]
    assert notes.read_text() == "zero\none\ntwo\nthree\n" and not (folder / "sub").exists()
    one_file = "diff --git a/notes.txt b/notes.txt\n" + PATCH.partition("--- /dev/null")[0]
    miscounted = one_file.replace("-7,3 +7,3", "-2,9 +2,1")
    assert result(daemon, "patch.apply", task | {"patch": miscounted, "dry_run": True}, reads(folder))["files"]
    half = PATCH + "--- a/none.txt\n+++ b/none.txt\n@@ -1 +1 @@\n-a\n+b\n"
    assert "none.txt" in refusal(daemon, "patch.apply", task | {"patch": half}, writes(folder))
    assert notes.read_text() == "zero\none\ntwo\nthree\n" and not (folder / "sub").exists()


def new_file(name: str, mode: str = "100644", text: str = "evil") -> str:
    return (
        f"diff --git a/{name} b/{name}\nnew file mode {mode}\n--- /dev/null\n+++ b/{name}\n"
        f"@@ -0,0 +1 @@\n+{text}\n\\ No newline at end of file\n"
    )


def test_a_hostile_patch_leads_nowhere(both: Daemon) -> None:
    daemon, folder = both, new_folder(both)
    outside = daemon.own(daemon.make_folder(f"{folder}-outside"))
    (folder / "way").symlink_to(outside)
    (folder / ".git").mkdir()
    daemon.own(folder)
    for patch, why in [
        (new_file(f"../{outside.name}/evil"), "nothing was changed"),
        (new_file("way/evil"), "nothing was changed"),
        (new_file(".git/evil"), "nothing was changed"),
        (new_file("link", "120000", "/etc/passwd"), "symbolic link"),
        (new_file("module", "160000", "Subproject commit " + "0" * 40), "submodule"),
        ("no patch at all", "nothing was changed"),
        ("--- a\n+++ b\n@@ -1,99999999999 +1 @@\n-x\n", "nothing was changed"),
    ]:
        said = refusal(daemon, "patch.apply", {"folder": str(folder), "patch": patch}, writes(folder))
        assert why in said, (patch, said)
    absolute = new_file("x").replace("b/x", str(outside / "evil"))
    assert refusal(daemon, "patch.apply", {"folder": str(folder), "patch": absolute, "strip": 0}, writes(folder))
    assert not list(outside.iterdir()) and sorted(one.name for one in folder.iterdir()) == [".git", "way"]
    task = {"folder": str(folder), "patch": new_file("x")}
    assert "nothing was changed" in refusal(daemon, "patch.apply", task, reads(folder))
    assert "goes with the job" in refusal(daemon, "patch.apply", task | {"folder": "/tmp"})
    assert f"fs.write:{folder}" in refusal(daemon, "patch.apply", task)


def test_a_search_that_cannot_be_done_is_told(both: Daemon) -> None:
    daemon, folder = both, new_folder(both)
    os.mkfifo(folder / "pipe")
    (folder / "long").write_text("x" * 3_000_000 + "\nx\n")
    (folder / "dense").write_text("x" * 20_000 + "\n")
    daemon.own(folder)

    def said(pattern: str, name: str) -> str:
        return refusal(daemon, "text.search", {"path": str(folder / name), "pattern": pattern}, reads(folder))

    assert said("x", "pipe") == f"text.search: {folder}/pipe is neither a file nor a folder\n"
    why = said("(", ".")
    assert "the pattern is no regular expression: " in why and "unclosed group" in why and why.count("\n") == 1
    # ripgrep names each of three million places in it.
    assert said("x", "long") == f'text.search: a line that matches is too long and left out: "{folder}/long"\n'
    task = {"path": str(folder / "dense"), "pattern": "x"}
    job = daemon.jobs.submit("text.search", task, grants=[reads(folder)], wait_ms=60_000, timeout=90)
    assert len(json.loads(output(daemon, job.job_id, "stdout"))["text"]) == 20_000


def test_a_pattern_of_names_counts_characters(both: Daemon) -> None:
    folder = project(both, {"\u00fc.txt": "", "ab.txt": "", "\u20ac\u00fc.txt": ""})
    listed = result(both, "fs.list", {"path": str(folder), "glob": "?.txt"}, reads(folder))
    assert [entry["name"] for entry in listed["entries"]] == ["\u00fc.txt"]
    listed = result(both, "fs.list", {"path": str(folder), "glob": "[\u20ac]?.txt"}, reads(folder))
    assert [entry["name"] for entry in listed["entries"]] == ["\u20ac\u00fc.txt"]


def test_a_patch_of_another_kind_is_told_what_is_wanted(both: Daemon) -> None:
    folder = project(both, {"f": "1\n2\n"})
    for patch, why in [
        ("*** Begin Patch\n*** Update File: f\n@@\n-1\n+one\n*** End Patch\n", "there is no unified diff in it"),
        ("--- f\n+++ f\n@@ -1,2 +1,2 @@\n-1\n+one\n 2\n", '"strip" says how many folders'),
    ]:
        said = refusal(both, "patch.apply", {"folder": str(folder), "patch": patch}, writes(folder))
        assert why in said and said.count("\n") == 1, said
    task = {"folder": str(folder), "patch": patch, "strip": 0}
    assert result(both, "patch.apply", task, writes(folder))["applied"]
