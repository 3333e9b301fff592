"""The line number of a key in a TOML file: tomlkit reports values without positions."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tomlkit import parse
from tomlkit.exceptions import TOMLKitError

_HEADER = re.compile(r"\s*\[\[?(.+?)\]\]?\s*(#.*)?$")
_ASSIGNMENT = re.compile(r"\s*((?:\"[^\"]*\"|'[^']*'|[A-Za-z0-9_.\-\s])+?)\s*=")


def line_of(text: str, path: Sequence[str]) -> int:
    """The 1-based line of the key at `path`, or of the nearest table around it."""
    best, best_length = 1, 0
    table: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        here = table
        if header := _HEADER.match(line):
            here = table = _parts(header[1])
        elif assignment := _ASSIGNMENT.match(line):
            here = [*table, *_parts(assignment[1])]
        length = len(here)
        if length > best_length and list(path[:length]) == here:
            best, best_length = number, length
    return best


def _parts(dotted: str) -> list[str]:
    """The parts of a dotted key as TOML reads it; empty where it is not a key."""
    try:
        level = parse(f"{dotted} = 0").unwrap()
    except TOMLKitError:
        return []
    parts: list[str] = []
    while isinstance(level, dict):
        key, level = next(iter(level.items()))
        parts.append(key)
    return parts
