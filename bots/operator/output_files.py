"""Checks the files that a command will write, before it starts."""

from __future__ import annotations

import os
from pathlib import Path

from bots.operator.errors import CommandError


def check_writable(*paths: Path | None) -> None:
    """Raise CommandError if one of these cannot be written, before minutes of work are lost."""
    for path in paths:
        if path is not None and (why := _reason_not_writable(path)):
            raise CommandError(f"{path} cannot be written: {why}")


def _reason_not_writable(path: Path) -> str:
    if path.is_dir():
        return "it is a folder. Name a file in it."
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}. Make it first."
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        return "this user may not write there."
    return ""
