"""Which shards a process runs."""

from __future__ import annotations

import pytest

from bots.discord.client import Shards


def test_shards_that_cannot_be_are_refused() -> None:
    assert Shards.read("0-3/8").ids == (0, 1, 2, 3)
    for text in ("8/8", "3-1/8"):
        with pytest.raises(ValueError, match="ATELIER_DISCORD_SHARDS"):
            Shards.read(text)
