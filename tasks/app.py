"""Celery: what carries tickets. A ticket says "there may be so much work" and holds no job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from celery import Celery
from kombu.exceptions import ChannelError

TICKET = "atelier.ticket"
QUEUE = "atelier"
ENOUGH = 64
"""Tickets that lie in the broker: each wakes a worker, which then works while there is work."""

LAPSES_AFTER = 60.0
"""Seconds after which a ticket that nobody took is dropped: workers also look by themselves."""


def broker_url(url: str) -> str:
    """Redis's address as Celery writes it: a unix socket has another scheme there."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    database = parse_qs(parts.query).get("db", ["0"])[0]
    return f"redis+socket://{parts.path}?virtual_host={database}"


def make_app(url: str) -> Celery:
    """A Celery app on this broker.

    Acknowledged late and one at a time, without results, and without ETA or countdown, which break
    past the visibility timeout.
    """
    app = Celery("atelier", broker=broker_url(url), set_as_current=False)
    app.conf.update(
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "socket_keepalive": True,
            "health_check_interval": 25,
            "max_retries": 2,  # the relay tries again by itself, and tells that it does
            "interval_start": 0,
            "interval_step": 0.2,
            "interval_max": 0.5,
        },
        result_backend=None,
        task_acks_late=True,
        task_default_queue=QUEUE,
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        worker_prefetch_multiplier=1,
        worker_redirect_stdouts=False,
        worker_send_task_events=False,
    )
    return app


def on_ticket(app: Celery, serve: Callable[[int], None]) -> None:
    """Call `serve` for each ticket that this process gets, with how many jobs there may be."""

    @app.task(name=TICKET)  # type: ignore[untyped-decorator]
    def ticket(jobs: int = 1) -> None:
        serve(jobs)


def publish(app: Celery, jobs: int, workers: int) -> None:
    """Tell `workers` workers that there may be so many jobs: a ticket each, and to each its part.

    Beside ENOUGH that lie there a ticket wakes nobody, so no more are sent. Raises kombu's
    OperationalError where the broker is away.
    """
    with app.producer_pool.acquire(block=True) as producer:
        tickets = min(jobs, max(1, workers), ENOUGH - _lying_there(producer.channel))
        for number in range(tickets):
            part = jobs // tickets + (number < jobs % tickets)
            app.send_task(TICKET, args=[part], producer=producer, expires=LAPSES_AFTER, retry=False)


def _lying_there(channel: Any) -> int:
    """How many tickets nobody has taken yet."""
    try:
        return int(channel.queue_declare(QUEUE, passive=True).message_count)
    except ChannelError:  # the queue is made with its first message
        return 0
