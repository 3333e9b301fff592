"""Keeps the place in line up to date on the messages of queued jobs.

One loop per bot process. It visits the queued jobs in turn, with a bounded number of reads and of
edits a second at any queue length, and edits a message only where its text changes or its job was
cancelled in line. Each edit is made inside the client's fence, so that it never overwrites what the
publisher has begun to write.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import anyio
import structlog

from bots.core.cards import card, grew_text
from bots.core.locales import localizer_for
from bots.core.reply import Card
from tasks.client import Client, Unavailable
from tasks.jobs.job import Job
from tasks.jobs.states import JobState

EditMessage = Callable[[Card], Awaitable[None]]
"""Renders a card into a job's placeholder. Raises MessageGone, or the platform client's errors."""


class MessageGone(Exception):
    """A job's message can never be edited again: stop updating it."""


GROWTH = 1.25
GROWTH_SECONDS = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class ShownWait:
    """The median wait that a message shows, and since when."""

    wait: timedelta
    at: datetime

    def grown(self, wait: timedelta, now: datetime) -> bool:
        """Whether a new median is well above what should be left of this one."""
        left = max(timedelta(), self.wait - (now - self.at))
        return wait > self.wait and wait > left * GROWTH and wait - left >= GROWTH_SECONDS


@dataclass(slots=True)
class PositionUpdater:
    """Follows the queued jobs of one platform and edits each message when its position changes.

    `pause` is the seconds between two edits of the process, `read_pause` those after a job that
    needed no edit, `round_pause` the least seconds between two reads of the same job.
    """

    client: Client
    platform: str
    edit_message: EditMessage
    pause: float = 0.25
    read_pause: float = 0.02
    round_pause: float = 3.0
    _texts: dict[UUID, str] = field(default_factory=dict)
    _waits: dict[UUID, ShownWait] = field(default_factory=dict)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def follow(self, job: Job) -> None:
        """Keep this job up to date; its placeholder already has the present text."""
        self._texts[job.id] = _text(job)
        self._remember(job)

    def forget(self, job: UUID) -> None:
        """Edit this job's message no more: its end is shown. Call it inside the client's fence."""
        self._texts.pop(job, None)
        self._waits.pop(job, None)

    def _remember(self, job: Job) -> None:
        if job.line is not None and job.line.estimate is not None:
            self._waits[job.id] = ShownWait(job.line.estimate.p50, self.now())

    async def run(self) -> None:
        """Update until cancelled; resumes the jobs queued before a restart first."""
        log = structlog.get_logger().bind(platform=self.platform)
        resumed = False
        while True:
            try:
                if not resumed:
                    await self._resume()
                    resumed = True
                await self._update_all()
            except Unavailable as error:
                log.warning("position-updates-unavailable", error=str(error))
            await anyio.sleep(self.round_pause)

    async def _resume(self) -> None:
        for job in await self.client.jobs.waiting(self.platform):
            self._texts.setdefault(job.id, "")

    async def _update_all(self) -> None:
        for job in list(self._texts):
            edited = await self._update(job)
            await anyio.sleep(self.pause if edited else self.read_pause)

    async def _update(self, id_: UUID) -> bool:
        """Edit one job's message where its text changed; returns whether an edit was sent."""
        async with self.client.jobs.edit_fence(id_) as job:
            if job is None:
                followed = id_ in self._texts
                self.forget(id_)
                return followed and await self._show_cancelled(id_)
            text = _text(job)
            if not job.placeholder or text == self._texts.get(id_):
                return False
            self._texts[id_] = text
            shown = self._with_reason(job)
            self._remember(job)
            await self._edit(shown)
            return True

    async def _show_cancelled(self, id_: UUID) -> bool:
        """Show that a job was cancelled in line; returns whether an edit was sent.

        Its button shows that at once and has it forgotten, but a command may have cancelled it.
        The publisher shows every other end.
        """
        job = await self.client.jobs.read(id_)
        if job is None or job.state is not JobState.CANCELLED or not job.placeholder:
            return False
        await self._edit(card(job, localizer_for(job.order.member.locale)))
        return True

    async def _edit(self, shown: Card) -> None:
        id_ = shown.job.id
        try:
            await self.edit_message(shown)
        except MessageGone as gone:
            # Platforms count invalid requests and block a client that sends too many.
            self._texts.pop(id_, None)
            structlog.get_logger().info("position-message-gone", job=str(id_), reason=str(gone))
        except Exception as error:  # noqa: BLE001 - one message must not stop the others
            # The publisher meets the same fault at delivery and decides what it means.
            structlog.get_logger().warning(
                "position-update-failed", job=str(id_), error=type(error).__name__
            )

    def _with_reason(self, job: Job) -> Card:
        """The job's card; where its wait grew, with the reason and the wait shown before."""
        localize = localizer_for(job.order.member.locale)
        shown, before = card(job, localize), self._waits.get(job.id)
        if before is None or job.line is None or job.line.estimate is None:
            return shown
        if not before.grown(job.line.estimate.p50, self.now()):
            return shown
        reason = grew_text(job.line, before.wait, localize)
        return replace(shown, text=f"{shown.text}. {reason}")


def _text(job: Job) -> str:
    return card(job, localizer_for(job.order.member.locale)).text
