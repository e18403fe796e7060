"""What an installation has to consist of, by what is in the sources."""

from __future__ import annotations

import stat
from pathlib import Path

from .paths import ROOT
from .trees import PROGRAMS

EXECUTABLE, PLAIN = 0o755, 0o644


def expected_files() -> dict[str, int]:
    """Every file of an installation, by its path below the prefix, with its mode."""
    found = {f"bin/{program}": EXECUTABLE for program in PROGRAMS}
    found |= {f"lib/dome/{helper}": EXECUTABLE for helper in ("domed-jail", "domed-plugin-probe")}
    for manifest in (ROOT / "Plugins").glob("*/plugin.json"):
        name = manifest.parent.name
        found |= {f"lib/dome/plugins/{name}/plugin.json": PLAIN, f"lib/dome/plugins/{name}/lib{name}.so": EXECUTABLE}
    found |= _copied(ROOT / "Registry", "share/dome/registry")
    found |= _copied(ROOT / "Templates", "share/dome/templates")
    found |= _copied(ROOT / "ops" / "systemd" / "user", "share/dome/systemd")
    found |= _copied(ROOT / "Sources" / "PluginABI" / "include" / "dome", "include/dome")
    found["lib/pkgconfig/dome-plugin.pc"] = PLAIN
    for unit in (ROOT / "ops" / "systemd" / "user").glob("*.in"):
        found[f"lib/systemd/user/{unit.stem}"] = PLAIN
    for page in (ROOT / "docs" / "man").iterdir():
        found[f"share/man/man{page.suffix[1:]}/{page.name}"] = PLAIN
    for file in (
        "dome/apparmor/dome", "bash-completion/completions/dome", "zsh/site-functions/_dome",
        "fish/vendor_completions.d/dome.fish",
    ):  # fmt: skip
        found[f"share/{file}"] = PLAIN
    return found


def _copied(source: Path, target: str) -> dict[str, int]:
    """A folder's files; links come as what they lead to. What running the tools leaves is not installed."""
    return {
        f"{target}/{path.relative_to(source)}": EXECUTABLE if path.stat().st_mode & stat.S_IXUSR else PLAIN
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def expected_package() -> dict[str, int]:
    """Every file of the Debian package, by its path below /usr, with its mode."""
    found = expected_files()
    found["share/pkgconfig/dome-plugin.pc"] = found.pop("lib/pkgconfig/dome-plugin.pc")
    for page in [path for path in found if path.startswith("share/man/")]:
        found[f"{page}.gz"] = found.pop(page)
    for file in ("copyright", "changelog.gz", "CHANGELOG.md.gz"):
        found[f"share/doc/dome/{file}"] = PLAIN
    found["share/lintian/overrides/dome"] = PLAIN
    return found
