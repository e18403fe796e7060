"""Waiting for a condition: the one way in which tests wait. No fixed pauses, and a limit that a busy machine keeps."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def until(condition: Callable[[], Any], what: str, seconds: float = 30) -> Any:
    """Asks every few milliseconds until the answer is true, and returns it; fails with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.003)
    return value
