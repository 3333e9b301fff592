"""The others: bare Celery, and procrastinate.

Run as `python -m tasks.bench.baselines NAME COUNT AT_ONCE`. Each is a worker process with a task
that does nothing, of which it does AT_ONCE at a time. It prints `ready` when it takes work, and
the moment (seconds since the epoch) at which the COUNTth task of every round was done.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from typing import Any

import procrastinate
from celery import Celery
from celery.signals import worker_ready

from tasks.runtime.celery_app import broker_url


class Counter:
    """Counts tasks, and says when a round is over."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._done = 0

    def add(self) -> None:
        """One more."""
        self._done += 1
        if self._done % self._count == 0:
            print("done", time.time(), flush=True)


def celery_app(redis_url: str) -> Celery:
    """Celery as it comes, without results."""
    app = Celery("bare", broker=broker_url(redis_url), set_as_current=False)
    app.conf.update(task_ignore_result=True, worker_redirect_stdouts=False)
    return app


def run_celery(redis_url: str, count: int, at_once: int) -> None:
    """A bare Celery worker on threads, until SIGTERM."""
    app, counter = celery_app(redis_url), Counter(count)

    @app.task(name="bare.noop")  # type: ignore[untyped-decorator]
    def noop() -> None:
        counter.add()

    worker_ready.connect(lambda **_: print("ready", flush=True), weak=False)
    app.Worker(pool="threads", concurrency=at_once, quiet=True).start()


def procrastinate_app(database_url: str, at_once: int) -> procrastinate.App:
    """Procrastinate as it comes, on its psycopg connector."""

    size: Any = at_once  # passed on to the pool, which its types do not know
    connector = procrastinate.PsycopgConnector(conninfo=database_url, min_size=size, max_size=size)
    return procrastinate.App(connector=connector)


async def run_procrastinate(database_url: str, count: int, at_once: int) -> None:
    """A procrastinate worker, until it is ended."""
    app, counter = procrastinate_app(database_url, at_once), Counter(count)

    @app.task(name="bare.noop")
    async def noop() -> None:
        counter.add()

    async with app.open_async():
        print("ready", flush=True)
        await app.run_worker_async(concurrency=at_once)


if __name__ == "__main__":
    name, count, at_once = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    if name == "celery":
        run_celery(os.environ["ATELIER_REDIS_URL"], count, at_once)
    else:
        asyncio.run(run_procrastinate(os.environ["ATELIER_DATABASE_URL"], count, at_once))
