"""Keeping the place in line true on the messages of jobs that wait.

One loop a bot process. It goes round the waiting jobs, a bounded number of looks and of edits a
second whatever the length of the line, and edits a message only where its sentence would change.
Each edit is made inside the client's fence, so that it never overwrites what the worker's courier
has begun to write.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID

import anyio
import structlog

from bots.core.cards import card
from bots.core.reply import Card
from bots.core.sentences import speak
from tasks.client import Client, Unavailable
from tasks.job import Job

Show = Callable[[Card], Awaitable[None]]
"""Edits a job's placeholder into a card; raises OutOfSight, or what the platform's client raises.
"""


class OutOfSight(Exception):
    """A job's message cannot be edited any more, now or later: nothing more is told on it."""


@dataclass(slots=True)
class LineKeeper:
    """Follows queued jobs of one platform and shows each change of their place in line.

    `pause` is the seconds between two edits of the whole process, `glance` those between two looks
    where nothing was edited, `round_pause` the least seconds between two looks at the same job.
    """

    client: Client
    platform: str
    show: Show
    pause: float = 0.25
    glance: float = 0.02
    round_pause: float = 3.0
    _shown: dict[UUID, str] = field(default_factory=dict)

    def follow(self, job: Job) -> None:
        """Go on telling about this job; its placeholder shows the present sentence already."""
        self._shown[job.id] = _sentence(job)

    async def run(self) -> None:
        """Go round until cancelled. Jobs of before a restart are taken up again first."""
        log = structlog.get_logger().bind(platform=self.platform)
        recalled = False
        while True:
            try:
                if not recalled:
                    await self._recall()
                    recalled = True
                await self._round()
            except Unavailable as error:
                log.warning("the record cannot be reached; the line goes on later", why=str(error))
            await anyio.sleep(self.round_pause)

    async def _recall(self) -> None:
        for job in await self.client.waiting_jobs(self.platform):
            self._shown.setdefault(job.id, "")

    async def _round(self) -> None:
        for job in list(self._shown):
            edited = await self._look(job)
            await anyio.sleep(self.pause if edited else self.glance)

    async def _look(self, id_: UUID) -> bool:
        """Edit one job's message where its sentence changed; whether it was edited."""
        async with self.client.edit_fence(id_) as job:
            if job is None:
                self._shown.pop(id_, None)
                return False
            text = _sentence(job)
            if not job.placeholder or text == self._shown.get(id_):
                return False
            self._shown[id_] = text
            try:
                await self.show(card(job, speak(job.order.member.locale)))
            except OutOfSight as gone:
                # Platforms count requests that cannot work, and shut out who makes too many.
                self._shown.pop(id_, None)
                structlog.get_logger().info("a line is out of sight", job=str(id_), why=str(gone))
            except Exception as error:  # noqa: BLE001 - one message's fault must not stop the line
                # The worker's courier meets the same fault at delivery and decides what it means.
                structlog.get_logger().warning(
                    "a place in line could not be shown", job=str(id_), why=type(error).__name__
                )
            return True


def _sentence(job: Job) -> str:
    return card(job, speak(job.order.member.locale)).text
