"""A bot's process carries only what it uses: libraries that others would load are left out."""

from __future__ import annotations

import sys
from collections.abc import MutableMapping
from types import ModuleType
from typing import cast


def leave_out(*names: str) -> None:
    """Let these packages count as not installed in this process, unless they are loaded already.

    For entry points, before anything else is imported. Python knows None in `sys.modules` as a
    package that cannot be had (https://docs.python.org/3/reference/import.html#the-module-cache),
    so a library for which it is optional does without.
    """
    modules = cast("MutableMapping[str, ModuleType | None]", sys.modules)
    for name in names:
        modules.setdefault(name, None)
