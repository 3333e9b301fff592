"""Live events for every open page, from what workers publish and from the record itself.

Events may be lost, so the record is read again for every job that has not ended: nothing on a page
stays wrong for longer than a round. One feed serves all pages of a process.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import anyio
import structlog
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from redis.exceptions import RedisError

from bots.web.roles import PLATFORM
from tasks.client import Client, Unavailable
from tasks.job import EventKind, Job, JobEvent
from tasks.members import Member

ROUND_SECONDS = 1.5
BACK_OFF_SECONDS = 1.0
BUFFER = 256  # happenings a page may be behind before it has to start anew
MAX_WATCHED = 500

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Happening:
    """A job as the record has it, or a step of it where `event` is set."""

    job: Job
    read_at: int  # when the reading began, in ns
    event: JobEvent | None = None


@dataclass(frozen=True, slots=True)
class Whisper:
    """Words for one member's eyes, on every page where they are."""

    text: str


class NobodyThere(Exception):
    """The member has no page open just now."""


class Feed:
    """Hands what happens to every subscriber; a subscriber that lags too far is let go."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._pages: dict[MemoryObjectSendStream[Happening | Whisper], str] = {}
        self._watched: dict[UUID, Job] = {}

    async def run(self) -> None:
        """Serve until cancelled."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._listen)
            group.start_soon(self._reread)

    def watch(self, job: Job) -> None:
        """Keep looking at a job until it has ended."""
        if job.state.ended:
            self._watched.pop(job.id, None)
        elif job.id in self._watched or len(self._watched) < MAX_WATCHED:
            self._watched[job.id] = job

    async def refresh(self, job: UUID) -> None:
        """Read a job from the record and tell every page how it is now."""
        read_at = time.time_ns()
        now = await self._client.job(job)
        if now is None:
            self._watched.pop(job, None)
            return
        self.watch(now)
        self._tell(Happening(now, read_at))

    @asynccontextmanager
    async def subscribe(
        self, member: Member
    ) -> AsyncIterator[MemoryObjectReceiveStream[Happening | Whisper]]:
        """What happens from now on; the stream ends where the page has to start anew."""
        send, receive = anyio.create_memory_object_stream[Happening | Whisper](BUFFER)
        self._pages[send] = member.key
        try:
            async with receive:
                yield receive
        finally:
            self._pages.pop(send, None)
            send.close()

    def close(self) -> None:
        """End every subscription, so that the server can end."""
        for page in list(self._pages):
            page.close()
        self._pages.clear()

    def whisper(self, member: Member, text: str) -> None:
        """Say something to one member alone. Raises NobodyThere."""
        pages = [page for page, key in self._pages.items() if key == member.key]
        reached = [self._send(page, Whisper(text)) for page in pages]
        if not any(reached):
            raise NobodyThere

    def _tell(self, happening: Happening) -> None:
        for page in list(self._pages):
            self._send(page, happening)

    def _send(
        self, page: MemoryObjectSendStream[Happening | Whisper], what: Happening | Whisper
    ) -> bool:
        try:
            page.send_nowait(what)
        except (anyio.WouldBlock, anyio.BrokenResourceError, anyio.ClosedResourceError):
            self._pages.pop(page, None)
            page.close()
            return False
        return True

    async def _listen(self) -> None:
        while True:
            try:
                async for event in self._client.events(PLATFORM):
                    await self._take(event)
            except (RedisError, OSError, Unavailable) as error:
                log.warning("no live events for a moment", reason=type(error).__name__)
            await anyio.sleep(BACK_OFF_SECONDS)

    async def _take(self, event: JobEvent) -> None:
        known = self._watched.get(event.job)
        if event.kind is not EventKind.PROGRESS or known is None or known.state is not event.state:
            await self.refresh(event.job)
            known = self._watched.get(event.job)
        if event.kind is EventKind.PROGRESS and known is not None:
            self._tell(Happening(known, time.time_ns(), event))

    async def _reread(self) -> None:
        while True:
            await anyio.sleep(ROUND_SECONDS)
            if not self._pages:
                continue
            try:
                for job in list(self._watched):
                    await self._notice(job)
            except Unavailable as error:
                log.warning("the record cannot be read for a moment", reason=str(error))

    async def _notice(self, job: UUID) -> None:
        """Tell of a watched job only where it changed."""
        before = self._watched.get(job)
        read_at = time.time_ns()
        now = await self._client.job(job)
        if now is None or before is None:
            self._watched.pop(job, None)
        elif now != before:
            self.watch(now)
            self._tell(Happening(now, read_at))
