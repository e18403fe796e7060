"""Where things lie in this checkout."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PROTO_ROOT = ROOT / "proto"


def bin_dir() -> Path:
    """The folder of the binaries under test: DOME_BIN_DIR, else the release build of this checkout."""
    chosen = Path(os.environ.get("DOME_BIN_DIR") or ROOT / ".build" / "release").resolve()
    if not (chosen / "domed").exists():
        raise FileNotFoundError(f"no domed in {chosen}: run `make build`, or set DOME_BIN_DIR")
    return chosen
