"""Whose daemon a test runs: the tests' own user's and, where that is root, an ordinary user's as well."""

from __future__ import annotations

import os

# Nobody's, and not what root's jobs become.
ORDINARY_UID = 54321
WHO = ["root", "user"] if os.geteuid() == 0 else ["user"]


def uid_of(who: str) -> int:
    """The user id of "root" or "user"."""
    if who == "root":
        return 0
    return ORDINARY_UID if os.geteuid() == 0 else os.geteuid()
