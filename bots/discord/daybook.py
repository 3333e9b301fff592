"""What the studio's load was over the last day, noted every few minutes while the bot runs."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from datetime import datetime

import anyio
import anyio.to_thread
import structlog

from bots.core.reply import Attachment, Reply, ReplyKind
from bots.core.sentences import speak
from tasks.client import Capacity, Client, Unavailable
from tasks.tiers import Tier

PAUSE = 300.0  # seconds; the chart is no wider than a day of these
KEPT = 288


@dataclass(frozen=True, slots=True)
class Sample:
    """The studio at one moment: jobs in line and typical wait in seconds, by tier."""

    at: datetime
    queued: dict[Tier, int]
    waits: dict[Tier, float]
    workers: int

    @classmethod
    def of(cls, capacity: Capacity) -> Sample:
        """What is kept of a capacity for the chart."""
        return cls(
            at=capacity.at,
            queued={load.tier: load.queued for load in capacity.tiers},
            waits={
                load.tier: load.wait_p50.total_seconds() for load in capacity.tiers if load.wait_p50
            },
            workers=len(capacity.workers),
        )


@dataclass(slots=True)
class Daybook:
    """Keeps samples, and draws them."""

    client: Client
    _samples: deque[Sample] = field(default_factory=lambda: deque(maxlen=KEPT))

    async def run(self) -> None:
        """Note the load until cancelled."""
        while True:
            try:
                self._samples.append(Sample.of(await self.client.capacity()))
            except Unavailable as error:
                structlog.get_logger().warning("the load was not noted", why=str(error))
            await anyio.sleep(PAUSE)

    async def adorned(self, reply: Reply, locale: str) -> Reply:
        """An answer about the capacity with its chart; a refusal stays as it is."""
        if reply.kind is not ReplyKind.ANSWER:
            return reply
        from bots.discord import chart  # what draws is large, and asked for now and then

        samples = [*self._samples, Sample.of(await self.client.capacity())]
        data = await anyio.to_thread.run_sync(chart.draw, samples, speak(locale))
        return replace(reply, attachment=Attachment("capacity.png", "image/png", data))
