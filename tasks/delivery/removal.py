"""One attempt to delete a message of an erased job on its platform."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial

import structlog

from tasks.delivery.publisher import MessageRemover, Publisher, TryLater, Undeliverable
from tasks.store import removals
from tasks.store.database import Database
from tasks.store.removals import RemovalClaim

log = structlog.get_logger(__name__)

REMOVE_SECONDS = 60.0  # one attempt, at most
LONGEST_PAUSE = 3600.0
MOST_TRIES = 100  # about four days


class Removals:
    """Attempts removals on the dispatcher's event loop; database calls run in threads."""

    def __init__(self, database: Database, publishers: Mapping[str, Publisher]) -> None:
        self._database = database
        self._publishers = publishers

    async def claim(self, seconds: float, limit: int) -> list[RemovalClaim]:
        """Claim what is due. Raises DBAPIError."""
        platforms = list(self._publishers)
        claim = partial(removals.claim, platforms=platforms, seconds=seconds, limit=limit)
        return await asyncio.to_thread(self._database.read, claim, 0.0)

    async def run(self, claim: RemovalClaim) -> None:
        """Delete the message, and record how it went. Raises DBAPIError."""
        publisher = self._publishers[claim.removal.place.platform]
        record = partial(removals.done, claimed=claim)
        if isinstance(publisher, MessageRemover):  # others post nothing
            try:
                async with asyncio.timeout(REMOVE_SECONDS):
                    await publisher.remove(claim.removal)
            except Undeliverable as error:
                record = partial(removals.fail, claimed=claim, code=error.code)
                log.warning("message-not-removed", job=str(claim.removal.job), code=error.code)
            except Exception as error:  # noqa: BLE001  a platform's library may raise anything
                record = self._after(claim, error)
        await asyncio.to_thread(self._database.read, record)

    def _after(self, claim: RemovalClaim, error: Exception) -> partial[None]:
        """Try again later, or give up after many tries."""
        reason = f"{type(error).__name__}: {error}"
        if claim.tries >= MOST_TRIES:
            log.warning("message-not-removed", job=str(claim.removal.job), code="unreachable")
            return partial(removals.fail, claimed=claim, code="unreachable")
        after = error.after if isinstance(error, TryLater) else 1.0
        pause = max(after, min(LONGEST_PAUSE, 2.0 ** min(claim.tries, 12)))
        log.info("removal-retried", job=str(claim.removal.job), error=reason, seconds=pause)
        return partial(removals.put_off, claimed=claim, after=pause, error=reason)
