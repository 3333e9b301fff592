"""Live events over Redis: told once to whoever listens, never kept. The job's row is the truth."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any
from uuid import UUID

import redis
import redis.asyncio
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry

from imaging.request import Progress
from tasks.job import EventKind, Job, JobEvent, JobState

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
    """Tells and hears events. Build one in an entry point; it connects when it is first used."""

    def __init__(self, url: str) -> None:
        self._url = url
        # Once more for a connection that a restart has cut; a rendering never waits for longer.
        once_more = Retry(NoBackoff(), 1)
        self._redis = redis.Redis.from_url(
            url, socket_connect_timeout=1, socket_timeout=2, retry=once_more
        )

    def publish(self, event: JobEvent) -> None:
        """Tell it. Where Redis is away the event is lost, which an event may be."""
        try:
            self._redis.publish(_channel(event.platform), encode(event))
        except redis.RedisError as error:
            log.warning("event-lost", job=str(event.job), error=str(error))

    async def listen(self, platform: str) -> AsyncIterator[JobEvent]:
        """Hear a platform's events until the iteration is left, through restarts of Redis."""
        import anyio

        while True:
            client = redis.asyncio.Redis.from_url(self._url, socket_connect_timeout=2)
            try:
                async with client, client.pubsub(ignore_subscribe_messages=True) as ears:
                    await ears.subscribe(_channel(platform))
                    async for message in ears.listen():
                        yield decode(message["data"])
            except redis.RedisError as error:
                log.warning("events-interrupted", platform=platform, error=str(error))
                await anyio.sleep(QUIET_SECONDS)

    def close(self) -> None:
        """Let go of the connection."""
        self._redis.close()
