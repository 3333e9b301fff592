"""Log fields for an exception, without local variables. Imports no torch.

Local variables contain tensors, which are slow to format, and prompts, which must not be logged.
"""

from __future__ import annotations

import traceback


def error_fields(error: Exception) -> dict[str, str]:
    """The exception's type and its six innermost frames, innermost first."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return {
        "error": type(error).__name__,
        "frames": " < ".join(
            f"{frame.name} ({frame.filename}:{frame.lineno})" for frame in frames[::-1]
        ),
    }
