"""What the studio's load was over the last day, noted every few minutes while the bot runs."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

import anyio
import anyio.to_thread
import structlog

from bots.core.reply import Attachment, Reply, ReplyKind
from bots.core.sentences import speak
from bots.discord import chart
from bots.discord.chart import Sample
from tasks.client import Client, Unavailable

PAUSE = 300.0  # seconds; the chart is no wider than a day of these
KEPT = 288


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
        samples = [*self._samples, Sample.of(await self.client.capacity())]
        data = await anyio.to_thread.run_sync(chart.draw, samples, speak(locale))
        return replace(reply, attachment=Attachment("capacity.png", "image/png", data))
