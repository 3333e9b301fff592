"""Live events for every open page, from the workers' events and from the database.

Events can be lost, so every job that has not ended is also read from the database at intervals: a
page is never out of date for longer than one interval. One broadcaster serves all pages.
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
from cachetools import LRUCache
from redis.exceptions import RedisError

from bots.web.roles import PLATFORM
from tasks.client import Client, Unavailable
from tasks.jobs.job import EventKind, Job, JobEvent
from tasks.jobs.members import Member

POLL_SECONDS = 1.5
RECONNECT_SECONDS = 1.0
BUFFERED_UPDATES = 256  # updates that a page may lag behind before it has to reconnect
MAX_WATCHED = 500

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class JobUpdate:
    """A job as the database has it, or one step of it where `event` is set."""

    job: Job
    read_at: int  # when the read started, in ns
    event: JobEvent | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """Text for one member, shown on every page that they have open."""

    text: str


class NoOpenPage(Exception):
    """The member has no page open."""


class EventBroadcaster:
    """Sends updates to every subscriber; a subscriber that lags too far is disconnected."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._pages: dict[MemoryObjectSendStream[JobUpdate | Notice], str] = {}
        self._watched: LRUCache[UUID, Job] = LRUCache(MAX_WATCHED)

    async def run(self) -> None:
        """Run until cancelled."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._listen)
            group.start_soon(self._poll_record)

    def watch(self, job: Job) -> None:
        """Poll a job until it has ended; only the latest `MAX_WATCHED` jobs are polled."""
        if job.state.ended:
            self._watched.pop(job.id, None)
        else:
            self._watched[job.id] = job

    async def refresh(self, job: UUID) -> None:
        """Read a job from the database and send it to every page."""
        read_at = time.time_ns()
        current = await self._client.jobs.read(job)
        if current is None:
            self._watched.pop(job, None)
            return
        self.watch(current)
        self._broadcast(JobUpdate(current, read_at))

    @asynccontextmanager
    async def subscribe(
        self, member: Member
    ) -> AsyncIterator[MemoryObjectReceiveStream[JobUpdate | Notice]]:
        """The updates from now on; the stream ends where the page has to reconnect."""
        send, receive = anyio.create_memory_object_stream[JobUpdate | Notice](BUFFERED_UPDATES)
        self._pages[send] = member.key
        try:
            async with receive:
                yield receive
        finally:
            self._pages.pop(send, None)
            send.close()

    def close(self) -> None:
        """End every subscription, so that the server can stop."""
        for page in list(self._pages):
            page.close()
        self._pages.clear()

    def notify(self, member: Member, text: str) -> None:
        """Send a notice to one member's pages. Raises NoOpenPage."""
        pages = [page for page, key in self._pages.items() if key == member.key]
        delivered = [self._send(page, Notice(text)) for page in pages]
        if not any(delivered):
            raise NoOpenPage

    def _broadcast(self, update: JobUpdate) -> None:
        for page in list(self._pages):
            self._send(page, update)

    def _send(
        self, page: MemoryObjectSendStream[JobUpdate | Notice], item: JobUpdate | Notice
    ) -> bool:
        try:
            page.send_nowait(item)
        except (anyio.WouldBlock, anyio.BrokenResourceError, anyio.ClosedResourceError):
            self._pages.pop(page, None)
            page.close()
            return False
        return True

    async def _listen(self) -> None:
        while True:
            try:
                async for event in self._client.jobs.events(PLATFORM):
                    await self._handle_event(event)
            except (RedisError, OSError, Unavailable) as error:
                log.warning("live-events-unavailable", error=type(error).__name__)
            await anyio.sleep(RECONNECT_SECONDS)

    async def _handle_event(self, event: JobEvent) -> None:
        job = self._watched.get(event.job)
        if event.kind is not EventKind.PROGRESS or job is None or job.state is not event.state:
            await self.refresh(event.job)
            job = self._watched.get(event.job)
        if event.kind is EventKind.PROGRESS and job is not None:
            self._broadcast(JobUpdate(job, time.time_ns(), event))

    async def _poll_record(self) -> None:
        while True:
            await anyio.sleep(POLL_SECONDS)
            if not self._pages:
                continue
            try:
                for job in list(self._watched):
                    await self._poll_job(job)
            except Unavailable as error:
                log.warning("job-poll-failed", error=str(error))

    async def _poll_job(self, job: UUID) -> None:
        """Send a watched job if it changed."""
        before = self._watched.get(job)
        read_at = time.time_ns()
        current = await self._client.jobs.read(job)
        if current is None or before is None:
            self._watched.pop(job, None)
        elif current != before:
            self.watch(current)
            self._broadcast(JobUpdate(current, read_at))
