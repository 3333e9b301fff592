"""Installations of a platform's app in workspaces: their tokens, encrypted at rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.client.async_database import AsyncDatabase
from tasks.runtime.encryption import TokenCipher
from tasks.store import erasure, installs


@dataclass(frozen=True, slots=True)
class Installs:
    """Every method raises Unavailable where the database cannot be reached."""

    database: AsyncDatabase
    cipher: TokenCipher

    async def save(self, platform: str, workspace: str, values: Mapping[str, Any]) -> None:
        """Store a workspace's tokens in place of older ones."""
        await self.database.run(
            lambda c: installs.keep(c, self.cipher, platform, workspace, values)
        )

    async def find(self, platform: str, workspace: str) -> Mapping[str, Any] | None:
        """A workspace's tokens. Raises DecryptionFailed where they were saved under another key."""
        return await self.database.run(lambda c: installs.read(c, self.cipher, platform, workspace))

    async def delete(self, platform: str, workspace: str) -> bool:
        """Delete a workspace's tokens; whether there were any."""
        return await self.database.run(lambda c: installs.remove(c, platform, workspace))

    async def record_departure(self, platform: str, workspace: str) -> None:
        """A server removed the bot: its data is erased after 30 days, unless it returns."""
        await self.database.run(lambda c: erasure.record_departure(c, platform, workspace))

    async def record_return(self, platform: str, workspace: str) -> None:
        """A server added the bot: an earlier departure is void."""
        await self.database.run(lambda c: erasure.record_return(c, platform, workspace))

    async def workspaces(self, platform: str) -> Sequence[str]:
        """Every workspace of a platform with tokens."""
        return await self.database.run(lambda c: installs.workspaces(c, platform))
