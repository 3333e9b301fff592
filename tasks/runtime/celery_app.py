"""Celery transports tickets. A ticket says "there may be N jobs" and names no job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from celery import Celery

TICKET = "atelier.ticket"
QUEUE = "atelier"
MOST_TICKETS = 64
"""The most tickets in the broker: each wakes a worker, which works while there is work."""

EXPIRES_AFTER = 60.0
"""Seconds until an unconsumed ticket expires: workers also poll."""


def broker_url(url: str) -> str:
    """A Redis URL for Celery, which has another scheme for unix sockets."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    database = parse_qs(parts.query).get("db", ["0"])[0]
    return f"redis+socket://{parts.path}?virtual_host={database}"


def make_app(url: str) -> Celery:
    """A Celery app on this broker.

    Tickets are acknowledged late and prefetched one at a time; there is no result backend. ETA and
    countdown are not used, because they break past the visibility timeout.
    """
    app = Celery("atelier", broker=broker_url(url), set_as_current=False)
    app.conf.update(
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "socket_keepalive": True,
            "socket_connect_timeout": 5,
            "socket_timeout": 30,  # longer than a blocking pop waits
            "health_check_interval": 25,
            "max_retries": 2,  # the relay retries by itself, and logs it
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
    """Call `serve` for each ticket of this process, with how many jobs there may be."""

    @app.task(name=TICKET)  # type: ignore[untyped-decorator]
    def ticket(jobs: int = 1) -> None:
        serve(jobs)


def publish(app: Celery, jobs: int, workers: int) -> None:
    """Send tickets for `jobs` jobs to `workers` workers: one each, with its share of the jobs.

    At most MOST_TICKETS are in the broker. Raises kombu's OperationalError where the broker is
    unreachable.
    """
    with app.producer_pool.acquire(block=True) as producer:
        tickets = min(jobs, max(1, workers), MOST_TICKETS - _queued(producer.channel))
        for number in range(tickets):
            part = jobs // tickets + (number < jobs % tickets)
            app.send_task(
                TICKET, args=[part], producer=producer, expires=EXPIRES_AFTER, retry=False
            )


def _queued(channel: Any) -> int:
    """How many tickets are in the broker: a list of Redis holds all that have no priority."""
    with channel.conn_or_acquire() as client:
        return int(client.llen(QUEUE))
