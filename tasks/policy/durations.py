"""Lengths of time as the operator writes them: "90s", "15m", "2h", "1d". Pure."""

from __future__ import annotations

import re
from datetime import timedelta

UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
_DURATION = re.compile(r"(\d{1,8}(?:\.\d{1,8})?)\s*([smhd])")


def parse_duration(value: object) -> timedelta:
    """A length of time from its text ("90s", "15m", "2h", "1d"). Raises ValueError."""
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError('a length of time, such as "90s", "15m" or "2h"')
    return float(match[1]) * UNITS[match[2]]


def parse_wait(value: object) -> timedelta:
    """A length of time above 0. Raises ValueError."""
    length = parse_duration(value)
    if not length:
        raise ValueError('a length of time above 0, such as "15m"')
    return length
