"""A bot's process carries only what it uses: libraries that others would load are left out."""

from __future__ import annotations

import gc
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


def loading() -> None:
    """Look for no garbage while modules are read: hardly any of what they make is garbage."""
    gc.disable()


def loaded() -> None:
    """What is there by now stays for the life of the process, so no look for garbage goes over it.

    One such look at all of a bot's modules would hold up its event loop for 80 ms.
    """
    gc.freeze()
    gc.enable()
