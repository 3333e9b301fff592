"""The folder of the platforms' machine-readable specifications, which `ATELIER_SPECS` names."""

from __future__ import annotations

import os
from pathlib import Path

NONE = "none"
"""The value of `ATELIER_SPECS` that says on purpose that there are no specifications."""


def specs_folder() -> Path | None:
    """The folder; None where there is none. In CI it must be named, or `none` be said.

    Raises LookupError in CI where nothing is said: checks would be left out in silence.
    """
    named = os.environ.get("ATELIER_SPECS")
    if named is None and os.environ.get("CI") == "true":
        raise LookupError("Set ATELIER_SPECS to the folder of the specifications, or to none.")
    return None if named in (None, NONE) else Path(named)
