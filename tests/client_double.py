"""A client of the job system for unit tests: every part is a double with the part's own methods."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import Any, get_type_hints
from unittest.mock import create_autospec

from tasks.client import Client
from tasks.policy.config import Limits


@cache
def part_types() -> dict[str, type]:
    """The class of each part, by its name."""
    types = get_type_hints(Client)
    return {part.name: types[part.name] for part in fields(Client)}


class ClientDouble:
    """A mock of a client. A part, which takes milliseconds, is made when it is first used."""

    def __init__(self) -> None:
        shape = type("Client", (), {**dict.fromkeys(part_types()), "close": Client.close})
        self.__dict__["_mock"] = create_autospec(shape(), spec_set=True)

    def __getattr__(self, name: str) -> Any:
        """A part, or what the mock has. Raises AttributeError."""
        if name not in part_types():
            return getattr(self._mock, name)
        part = create_autospec(part_types()[name], instance=True, spec_set=True)
        if name == "pictures":
            part.upload_bytes = Limits().upload_bytes
        self._mock.attach_mock(part, name)
        self.__dict__[name] = part
        return part

    def __setattr__(self, name: str, value: object) -> None:
        """Set what a client has. Raises AttributeError for anything else."""
        setattr(self._mock, name, value)
        self.__dict__[name] = value


def client_double() -> Any:
    """A client whose parts only accept what the real parts accept, and that records all calls."""
    return ClientDouble()
