"""Live events over Redis: told once to whoever listens, never kept. The job's row is the truth."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from threading import Lock
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog

from imaging.request import Progress
from tasks.job import EventKind, Job, JobEvent, JobState

if TYPE_CHECKING:
    from redis import Redis

log = structlog.get_logger(__name__)

QUIET_SECONDS = 1.0  # before a broken connection is tried again


def _channel(platform: str) -> str:
    return f"atelier:events:{platform}"


def encode(event: JobEvent) -> bytes:
    """An event as JSON; the preview in base 64."""
    values: dict[str, Any] = asdict(event)
    values["job"] = str(event.job)
    values["preview"] = base64.b64encode(event.preview).decode() if event.preview else None
    return json.dumps(values).encode()


def decode(data: bytes) -> JobEvent:
    """The event that `encode` wrote."""
    values = json.loads(data)
    preview = values["preview"]
    return JobEvent(
        **{
            **values,
            "kind": EventKind(values["kind"]),
            "job": UUID(values["job"]),
            "state": JobState(values["state"]),
            "preview": base64.b64decode(preview) if preview else None,
        }
    )


def ended(job: Job) -> JobEvent:
    """That a job has come to its end (or, delivering, is about to)."""
    place = job.order.place
    return JobEvent(EventKind.ENDED, job.id, place.platform, place.channel, job.state)


def progressed(job: Job, progress: Progress) -> JobEvent:
    """How far a running job is."""
    place = job.order.place
    return JobEvent(
        EventKind.PROGRESS,
        job.id,
        place.platform,
        place.channel,
        JobState.RUNNING,
        progress.stage.value,
        progress.step,
        progress.steps,
        progress.preview,
    )


class Bus:
    """Tells and hears events. Build one in an entry point; it connects when it is first used.

    Redis's library is read then as well: most bots never tell an event, and it is large.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._telling: Redis | None = None
        self._made = Lock()

    def publish(self, *events: JobEvent) -> None:
        """Tell them. Where Redis is away they are lost, which events may be."""
        from redis import RedisError

        try:
            with self._connection().pipeline(transaction=False) as telling:
                for event in events:
                    telling.publish(_channel(event.platform), encode(event))
                telling.execute()
        except RedisError as error:
            jobs = sorted({str(event.job) for event in events})
            log.warning("events-lost", jobs=jobs, error=str(error))

    async def listen(self, platform: str) -> AsyncIterator[JobEvent]:
        """Hear a platform's events until the iteration is left, through restarts of Redis."""
        import anyio
        from redis import RedisError
        from redis.asyncio import Redis as AsyncRedis

        while True:
            client = AsyncRedis.from_url(self._url, socket_connect_timeout=2)
            try:
                async with client, client.pubsub(ignore_subscribe_messages=True) as ears:
                    await ears.subscribe(_channel(platform))
                    async for message in ears.listen():
                        yield decode(message["data"])
            except RedisError as error:
                log.warning("events-interrupted", platform=platform, error=str(error))
                await anyio.sleep(QUIET_SECONDS)

    def close(self) -> None:
        """Let go of the connection."""
        if self._telling is not None:
            self._telling.close()

    def _connection(self) -> Redis:
        """The connection to tell events on, one for all threads."""
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        with self._made:
            if self._telling is None:
                # Once more for a connection that a restart has cut; a rendering never waits longer.
                self._telling = Redis.from_url(
                    self._url,
                    socket_connect_timeout=1,
                    socket_timeout=2,
                    retry=Retry(NoBackoff(), 1),
                )
            return self._telling
