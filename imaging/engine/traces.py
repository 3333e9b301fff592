"""Faults for the log: what and where, without the values of variables. Imports no torch.

Those values would be tensors, which take seconds to print, and prompts, which are not ours to keep.
"""

from __future__ import annotations

import traceback


def trace_of(error: Exception) -> dict[str, str]:
    """The kind of error and the six innermost places it came through, innermost first."""
    where = traceback.extract_tb(error.__traceback__)[-6:]
    return {
        "error": type(error).__name__,
        "where": " < ".join(f"{step.name} ({step.filename}:{step.lineno})" for step in where[::-1]),
    }
