"""Releases (`make dist`) of the programs under test."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from .paths import ROOT, bin_dir
from .trees import PROGRAMS


def make_key(path: Path) -> Path:
    """A private key to sign with."""
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", path], check=True)
    return path


def make_release(out: Path, key: Path) -> Path:
    """Everything that is released, in `out`."""
    environment = os.environ | {"PROGRAMS": " ".join(PROGRAMS), "DOME_RELEASE_KEY": str(key)}
    dist = ROOT / "ops" / "packaging" / "dist.sh"
    subprocess.run([dist, bin_dir(), out], env=environment, check=True, capture_output=True, cwd=ROOT)
    return out
