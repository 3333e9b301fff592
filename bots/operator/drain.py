"""`atelier workers drain NAME`: lets a worker finish its running jobs and end."""

from __future__ import annotations

import asyncio
import logging

from bots.operator.errors import CommandError
from bots.operator.server_addresses import with_server_addresses
from bots.operator.settings_errors import read_settings
from tasks.client import Client, Unavailable, WorkerLoad, connect
from tasks.runtime import logs
from tasks.runtime.settings import Settings

REPEAT_SECONDS = 2.0


def drain(name: str) -> None:
    """Drain a worker and wait until it has ended. Raises CommandError for an unknown name."""
    settings = with_server_addresses(read_settings())
    logs.configure(settings.log_format, level=logging.ERROR)
    asyncio.run(_drain(settings, name))


async def _drain(settings: Settings, name: str) -> None:
    client = await connect(settings)
    try:
        await drain_worker(client, name)
    except Unavailable as error:
        raise CommandError(f"The database cannot be reached: {error}") from None
    finally:
        await client.close()


async def drain_worker(client: Client, name: str) -> None:
    """Ask the worker to drain until its row is gone, and print what it still runs."""
    worker, names = await _find(client, name)
    if worker is None:
        known = ", ".join(names) or "none"
        raise CommandError(f"There is no live worker {name}. Live workers: {known}.")
    print(f"{name} is draining; it runs {worker.running} jobs.", flush=True)
    while worker is not None:
        await client.fleet.request_drain(name)
        await asyncio.sleep(REPEAT_SECONDS)
        worker, _ = await _find(client, name)
    print(f"{name} has ended.")


async def _find(client: Client, name: str) -> tuple[WorkerLoad | None, list[str]]:
    loads = (await client.fleet.capacity()).workers
    return next((one for one in loads if one.name == name), None), [one.name for one in loads]
