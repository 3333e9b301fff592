"""Keeps a bot's process small: blocks imports it does not need, and tunes the garbage collector."""

from __future__ import annotations

import gc
import sys
from collections.abc import MutableMapping
from types import ModuleType
from typing import cast


def block_imports(*names: str) -> None:
    """Make these packages unimportable in this process, unless they are loaded already.

    Call it in an entry point before other imports. None in `sys.modules` makes an import fail (https://docs.python.org/3/reference/import.html#the-module-cache),
    so libraries for which the package is optional work without it.
    """
    modules = cast("MutableMapping[str, ModuleType | None]", sys.modules)
    for name in names:
        modules.setdefault(name, None)


def disable_gc() -> None:
    """Disable the garbage collector during imports, which create hardly any garbage."""
    gc.disable()


def freeze_gc() -> None:
    """Exclude all objects that exist now from garbage collection, and enable the collector.

    A full collection over a bot's modules blocks its event loop for about 80 ms.
    """
    gc.freeze()
    gc.enable()
