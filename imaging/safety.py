"""The safety-checker protocol. Pure; imports no torch.

A `PictureChecker` flags pictures that must not be shown; the profile names the one to use.
Forbidden words in prompts belong to `tasks.policy.word_filter`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from PIL.Image import Image


class PictureChecker(Protocol):
    """Flags unsafe pictures."""

    def unfit(self, images: Sequence[Image]) -> list[bool]:
        """For each picture, whether it must not be shown."""
