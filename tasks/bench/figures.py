"""Figures of a bench: the median, and the report that every bench prints."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def median(values: Sequence[float]) -> float:
    """The middle value (the upper one of two)."""
    return sorted(values)[len(values) // 2]


def report(figures: Mapping[str, float], file: Path | None) -> None:
    """Print a table, and write the figures as JSON where a file is named."""
    for name, value in figures.items():
        print(f"{name:32} {value:10.2f}")
    if file is not None:
        write_json(figures, file)


def write_json(figures: Mapping[str, Any], file: Path) -> None:
    """Write figures as JSON."""
    file.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
