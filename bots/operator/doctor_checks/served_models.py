"""What the live workers say of their models: which they serve, and why not the others."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from bots.operator.capacity import fault_text
from bots.operator.doctor_checks.finding import Finding, fail, ok
from bots.operator.instance_lock import holder_of
from bots.operator.server_addresses import embedded_addresses
from tasks.client import Capacity, Unavailable, connect
from tasks.runtime.settings import Settings

FIX = "correct that; the worker tries again by itself, or at once after a restart"


def check_served_models(settings: Settings) -> Iterator[Finding]:
    """A finding for each live worker; none where no database runs."""
    if settings.database_url is None and holder_of(settings.home) is None:
        return
    try:
        now = asyncio.run(_read(embedded_addresses(settings)))
    except Unavailable:
        return  # the database is reported by its own check
    for worker in now.workers:
        if worker.profiles:
            yield ok("worker", f"{worker.name} serves {', '.join(worker.profiles)}")
        for model, fault in worker.model_faults.items():
            yield fail("worker", f"{worker.name}: {fault_text(model, fault)}", FIX)


async def _read(settings: Settings) -> Capacity:
    client = await connect(settings)
    try:
        return await client.fleet.capacity()
    finally:
        await client.close()
