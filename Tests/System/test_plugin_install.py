"""`dome plugin install`, `remove`, `enable`, `disable`, `list`, `info`: folders, pins, and what is refused."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from domekit.bad_plugins import Bad, build
from domekit.daemon import Daemon
from domekit.paths import bin_dir


class Home:
    """A user with an empty home; `dome plugin …` as that user would call it, without a daemon."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.plugins = root / "data" / "dome" / "plugins"
        self.settings = root / "config" / "dome" / "plugins"
        self.environment = {
            "PATH": f"{bin_dir()}:{os.environ['PATH']}",
            "HOME": str(root),
            "DOME_STAGE": "prod",
            "XDG_DATA_HOME": str(root / "data"),
            "XDG_CONFIG_HOME": str(root / "config"),
            "XDG_STATE_HOME": str(root / "state"),
        }

    def plugin(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["dome", "plugin", *arguments, "--no-start"],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def listed(self) -> dict[str, Any]:
        """By folder's name."""
        entries = json.loads(self.plugin("list", "-o", "json").stdout)
        return {Path(entry["folder"]).name: entry for entry in entries}

    def pin(self) -> dict[str, Any]:
        return json.loads((self.settings / "org.example.bad.json").read_text())


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return build(Bad("none"), tmp_path / "good")


def test_what_is_installed_is_copied_pinned_and_listed(home: Home, good: Path) -> None:
    done = home.plugin("install", good)
    assert (done.returncode, done.stderr) == (0, "")
    folder = home.plugins / "org.example.bad"
    assert sorted(path.name for path in folder.iterdir()) == ["libbad.so", "plugin.json"]
    assert (folder / "libbad.so").read_bytes() == (good / "libbad.so").read_bytes()
    assert [path.name for path in home.plugins.parent.iterdir()] == ["plugins"]  # nothing of the copying is left
    entry = home.listed()["org.example.bad"]
    assert (entry["state"], entry["pinned"], entry["version"]) == ("ready", True, "1.0.0")
    pin = home.pin()
    assert pin["enabled"] is True and pin["pin"]["library_sha256"] == entry["library_sha256"]
    assert pin["pin"]["manifest"] == json.loads((good / "plugin.json").read_text())
    assert stat.S_IMODE((home.settings / "org.example.bad.json").stat().st_mode) == 0o600
    shown = home.plugin("info", "bad").stdout
    assert entry["library_sha256"] in shown and str(folder) in shown


def test_a_second_one_of_the_same_id_needs_force(home: Home, good: Path, tmp_path: Path) -> None:
    home.plugin("install", good)
    newer = build(Bad("none", "no_explanation", manifest={"version": "2.0.0"}), tmp_path / "newer")
    refused = home.plugin("install", newer)
    assert refused.returncode == 65
    assert "org.example.bad 1.0.0 is there already" in refused.stderr and "--force replaces it" in refused.stderr
    before = home.pin()
    before["config"] = {"kept": True}
    (home.settings / "org.example.bad.json").write_text(json.dumps(before))
    assert home.plugin("install", newer, "--force").returncode == 0
    entry = home.listed()["org.example.bad"]
    assert (entry["state"], entry["version"]) == ("ready", "2.0.0")
    assert home.pin()["config"] == {"kept": True}
    assert home.pin()["pin"]["library_sha256"] != before["pin"]["library_sha256"]


def test_a_library_or_manifest_that_was_swapped_is_quarantined(home: Home, good: Path) -> None:
    home.plugin("install", good)
    folder = home.plugins / "org.example.bad"
    library, manifest = (folder / "libbad.so").read_bytes(), (folder / "plugin.json").read_text()
    (folder / "libbad.so").write_bytes(library + b"\0")
    entry = home.listed()["org.example.bad"]
    assert entry["state"] == "quarantined" and "SHA-256" in entry["reason"]
    (folder / "libbad.so").write_bytes(library)
    (folder / "plugin.json").write_text(json.dumps(json.loads(manifest) | {"permissions": ["net.full"]}))
    entry = home.listed()["org.example.bad"]
    assert entry["state"] == "quarantined" and "plugin.json /permissions: nothing" in entry["reason"]
    # Spaces and order are no difference.
    (folder / "plugin.json").write_text(json.dumps(json.loads(manifest), indent=8, sort_keys=True))
    assert home.listed()["org.example.bad"]["state"] == "ready"


def test_enable_disable_and_remove(home: Home, good: Path) -> None:
    home.plugin("install", good)
    assert home.plugin("disable", "bad").returncode == 0
    assert home.listed()["org.example.bad"]["state"] == "disabled"
    assert home.plugin("enable", "org.example.bad").returncode == 0
    assert home.listed()["org.example.bad"]["state"] == "ready"
    assert home.plugin("remove", "bad").returncode == 0
    assert "org.example.bad" not in home.listed()
    assert not (home.settings / "org.example.bad.json").exists()
    assert list(home.plugins.iterdir()) == []
    missing = home.plugin("remove", "bad")
    assert missing.returncode == 66 and "there is no plugin 'bad'" in missing.stderr


def test_a_shipped_plugin_can_be_disabled_but_not_removed(home: Home) -> None:
    refused = home.plugin("remove", "dome.local-process")
    assert refused.returncode == 65 and "dome plugin disable dome.local-process" in refused.stderr
    assert home.plugin("disable", "local-process").returncode == 0
    assert home.listed()["LocalProcess"]["state"] == "disabled"


def test_a_running_daemon_knows_at_once(daemon: Daemon, good: Path, tmp_path: Path) -> None:
    """Install, replace, disable, enable and remove: the next command meets the plugin as it then is."""
    home = Home(tmp_path)
    home.environment = daemon.environment | {"PATH": home.environment["PATH"]}

    def answer() -> tuple[int, str]:
        done = subprocess.run(
            ["dome", "run", "bad.hello"], env=home.environment, capture_output=True, text=True, timeout=60, check=False
        )
        return done.returncode, done.stdout + done.stderr

    installed = json.loads(home.plugin("install", good, "-o", "json").stdout)
    assert (installed["state"], installed["tool_ids"]) == ("ready", ["bad.hello"])
    assert answer() == (0, '{"greeting":"hello"}\n')
    newer = build(Bad("none", "no_explanation", manifest={"version": "1.0.0"}), tmp_path / "newer")
    assert home.plugin("install", newer, "--force").returncode == 0
    assert answer()[0] == 0
    home.plugin("disable", "bad")
    status, words = answer()
    assert status != 0 and "disabled" in words + home.plugin("info", "bad").stdout
    home.plugin("enable", "bad")
    assert answer()[0] == 0
    home.plugin("remove", "bad")
    status, words = answer()
    assert status == 66 and "bad.hello" in words


def test_what_the_daemon_cannot_use_is_told_when_it_is_installed(
    daemon: Daemon, tmp_path: Path
) -> None:
    home = Home(tmp_path)
    home.environment = daemon.environment | {"PATH": home.environment["PATH"]}
    done = home.plugin("install", build(Bad("init", "init_crashes"), tmp_path / "bad"))
    assert done.returncode == 1
    assert "it is crashed: " in done.stdout and "SIGSEGV" in done.stdout, done.stdout


REFUSED = [
    (Bad("manifest-is-json"), "plugin.json"),
    (Bad("manifest-is-valid", manifest={"libary": "x"}), "\"libary\""),
    (Bad("manifest-id", manifest={"id": "../../x.y"}), "\"id\""),
    (Bad("manifest-id", manifest={"id": "Org.Example"}), "\"id\""),
    (Bad("library-is-elf"), "is no ELF file"),
    (Bad("no-library", manifest={"library": "libother.so"}), "libother.so"),
    (Bad("library-exports-the-entry", "no_entry", flags=["-DWITHOUT_ENTRY"]), "exports no symbol 'dome_plugin_entry'"),
    (Bad("entry-is-static", "filled_at_run_time", flags=["-DFILLED_AT_RUN_TIME"]), "magic number"),
    (Bad("entry-magic", "wrong_magic"), "magic number"),
    (Bad("entry-abi-version", "newer_major"), "built for plugin ABI 2.1, this dome has 1.1; install a newer dome"),
    (Bad("entry-struct-size", "short_entry"), "struct_size is 8"),
]


@pytest.mark.parametrize(("bad", "reason"), REFUSED, ids=str)
def test_what_cannot_be_used_is_refused_and_leaves_nothing(home: Home, tmp_path: Path, bad: Bad, reason: str) -> None:
    done = home.plugin("install", build(bad, tmp_path / "bad"))
    assert done.returncode in (65, 66), done
    assert reason in done.stderr
    assert not home.plugins.exists() and not home.settings.exists()


OTHER_KINDS = [(18, 183, "is for aarch64"), (4, 1, "is for"), (16, 2, "-shared")]


@pytest.mark.parametrize(("offset", "value", "reason"), OTHER_KINDS)
def test_a_library_of_another_kind_is_refused(
    home: Home, good: Path, offset: int, value: int, reason: str
) -> None:
    library = bytearray((good / "libbad.so").read_bytes())
    library[offset] = value
    (good / "libbad.so").write_bytes(library)
    done = home.plugin("install", good)
    assert done.returncode == 65 and reason in done.stderr, done.stderr


def test_no_damaged_library_ends_the_program(home: Home, good: Path) -> None:
    """Every header field set to odd values, and every cut: refused or taken, never a crash."""
    library = (good / "libbad.so").read_bytes()
    for offset in [*range(16, 64, 2), *range(64, 64 + 56 * 4, 8)]:
        for value in (0x00, 0xFF):
            damaged = bytearray(library)
            damaged[offset : offset + 8] = bytes([value]) * 8
            (good / "libbad.so").write_bytes(damaged)
            assert home.plugin("install", good, "--force").returncode in (0, 65, 66), offset
    for size in (0, 3, 63, 64, 200, 1000, len(library) // 2):
        (good / "libbad.so").write_bytes(library[:size])
        assert home.plugin("install", good, "--force").returncode == 65, size


def test_none_of_its_code_runs(home: Home, tmp_path: Path) -> None:
    """A library whose constructor would kill the process is installed without a word: it was never mapped."""
    done = home.plugin("install", build(Bad("loads", "dies_in_constructor"), tmp_path / "bad"))
    assert done.returncode == 0


def test_completion_offers_plugins(home: Home) -> None:
    done = subprocess.run(
        ["dome", "__complete", "plugins"], env=home.environment, capture_output=True, text=True, check=True
    )
    assert "dome.local-process" in done.stdout.split()
