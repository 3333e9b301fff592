"""Values are immutable: a check that a module's dataclasses are frozen and have no `__dict__`."""

from __future__ import annotations

from dataclasses import is_dataclass
from inspect import isclass
from types import ModuleType


def assert_records_are_immutable(module: ModuleType, *, mutable: tuple[type, ...] = ()) -> None:
    """The module's dataclasses have slots, and are frozen unless they are in `mutable`."""
    records = [
        one
        for one in vars(module).values()
        if isclass(one) and is_dataclass(one) and one.__module__ == module.__name__
    ]
    assert records
    for one in records:
        assert "__slots__" in vars(one), one
        assert one.__dataclass_params__.frozen == (one not in mutable), one  # type: ignore[attr-defined]
