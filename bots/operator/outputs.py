"""Files that a command writes at its end: looked at before it begins to work."""

from __future__ import annotations

import os
from pathlib import Path

from bots.operator.refusal import Refusal


def check_writable(*paths: Path | None) -> None:
    """Raise Refusal where one of these cannot be written, so that no work of minutes is lost."""
    for path in paths:
        if path is not None and (why := _in_the_way(path)):
            raise Refusal(f"{path} cannot be written: {why}")


def _in_the_way(path: Path) -> str:
    if path.is_dir():
        return "it is a folder. Name a file in it."
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}. Make it first."
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        return "this user may not write there."
    return ""
