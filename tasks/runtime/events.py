"""Live events over Redis pub/sub. Events may be lost; the job's row is the truth."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from threading import Lock
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog

from imaging.request import Progress
from tasks.jobs.job import EventKind, Job, JobEvent
from tasks.jobs.states import JobState

if TYPE_CHECKING:
    from redis import Redis
    from redis.asyncio.client import PubSub

log = structlog.get_logger(__name__)

RECONNECT_SECONDS = 1.0
ANSWER_SECONDS = 5.0  # for a connection, a subscription or a ping
PING_SECONDS = 5.0  # of silence, after which the subscription is checked
MOST_UNANSWERED = 3


def _channel(platform: str) -> str:
    return f"atelier:events:{platform}"


def encode(event: JobEvent) -> bytes:
    """An event as JSON, its preview in base64."""
    values: dict[str, Any] = asdict(event)
    values["job"] = str(event.job)
    values["preview"] = base64.b64encode(event.preview).decode() if event.preview else None
    return json.dumps(values).encode()


def decode(data: bytes) -> JobEvent:
    """The event that `encode` encoded."""
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
    """The event of a job that has ended, or is about to as it is delivering."""
    place = job.order.place
    return JobEvent(EventKind.ENDED, job.id, place.platform, place.channel, job.state)


def progressed(job: Job, progress: Progress) -> JobEvent:
    """The event of a running job's progress."""
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


async def _received(subscription: PubSub, channel: str) -> AsyncIterator[JobEvent]:
    """The events of a channel. Raises RedisError once the server answers no ping.

    Deadlines are set here and not by the client's `socket_timeout`, with which it sends through
    `asyncio.wait_for`. On Python 3.11 that function drops a cancellation which arrives as the data
    has been sent (python/cpython#86296), and the listener would never end.
    """
    from redis import TimeoutError as ServerSilent

    async with _answers():
        await subscription.subscribe(channel)
    unanswered = 0
    while True:
        message = await subscription.get_message(timeout=PING_SECONDS)
        if message is None:
            if unanswered == MOST_UNANSWERED:
                raise ServerSilent(f"Redis answered no ping for {unanswered * PING_SECONDS:g} s")
            unanswered += 1
            async with _answers():
                await subscription.ping()
            continue
        unanswered = 0
        if message["type"] == "message":
            yield decode(message["data"])


@contextlib.asynccontextmanager
async def _answers() -> AsyncIterator[None]:
    """A deadline for the server. Raises RedisError where it does not answer in time."""
    import anyio
    from redis import TimeoutError as ServerSilent

    try:
        with anyio.fail_after(ANSWER_SECONDS):
            yield
    except TimeoutError:
        raise ServerSilent(f"Redis did not answer within {ANSWER_SECONDS:g} s") from None


def _timeouts(url: str) -> dict[str, Any]:
    """Seconds after which a silent server counts as lost; a Unix socket has no keepalive."""
    timeouts: dict[str, Any] = {"socket_connect_timeout": 2, "socket_timeout": None}
    return timeouts if url.startswith("unix:") else {**timeouts, "socket_keepalive": True}


class Bus:
    """Publishes and receives events. Create it in an entry point; it connects at the first use.

    The Redis library is imported then as well: it is large, and most bots never publish.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._publisher: Redis | None = None
        self._lock = Lock()

    def publish(self, *events: JobEvent) -> None:
        """Publish events. They are lost where Redis is unreachable."""
        from redis import RedisError

        try:
            with self._connection().pipeline(transaction=False) as pipeline:
                for event in events:
                    pipeline.publish(_channel(event.platform), encode(event))
                pipeline.execute()
        except RedisError as error:
            jobs = sorted({str(event.job) for event in events})
            log.warning("events-lost", jobs=jobs, error=str(error))

    async def listen(self, platform: str) -> AsyncIterator[JobEvent]:
        """Receive a platform's events until the iteration is left, through restarts of Redis."""
        import anyio
        from redis import RedisError
        from redis.asyncio import Redis as AsyncRedis

        while True:
            client = AsyncRedis.from_url(self._url, **_timeouts(self._url))
            try:
                async with client, client.pubsub(ignore_subscribe_messages=True) as subscription:
                    async for event in _received(subscription, _channel(platform)):
                        yield event
            except RedisError as error:
                log.warning("events-interrupted", platform=platform, error=str(error))
                await anyio.sleep(RECONNECT_SECONDS)

    def close(self) -> None:
        """Close the connection."""
        if self._publisher is not None:
            self._publisher.close()

    def _connection(self) -> Redis:
        """The connection to publish on, one for all threads."""
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        with self._lock:
            if self._publisher is None:
                # One retry, for a connection that a restart has cut; renders never wait longer.
                self._publisher = Redis.from_url(
                    self._url,
                    socket_connect_timeout=1,
                    socket_timeout=2,
                    retry=Retry(NoBackoff(), 1),
                )
            return self._publisher
