"""`atelier capacity`: prints queue, waits, workers and doors as tables."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from datetime import timedelta

from rich.console import Console
from rich.table import Table

from bots.core.locales import Localizer, localizer_for
from bots.operator.errors import CommandError
from bots.operator.server_addresses import with_server_addresses
from bots.operator.settings_errors import read_settings
from tasks.client import Capacity, SurgeAge, Unavailable, connect
from tasks.jobs.model_fault import ModelFault
from tasks.runtime import logs
from tasks.runtime.settings import Settings


def capacity() -> None:
    """Print queue, waits, doors, workers and estimate accuracy. Raises CommandError."""
    settings = with_server_addresses(read_settings())
    logs.configure(settings.log_format, level=logging.ERROR)
    now = asyncio.run(_read(settings))
    localize = localizer_for("en")
    console = Console(highlight=False)
    console.print(tiers(now, localize))
    console.print(accuracy(now))
    console.print(workers(now))
    for line in model_faults(now):
        console.print(line, soft_wrap=True, markup=False)
    console.print(f"{now.waitlist} on the waitlist; read at {now.at:%Y-%m-%d %H:%M:%S %Z}")


def tiers(now: Capacity, localize: Localizer) -> Table:
    """A row for each tier: queue, waits, doors, and the accuracy of its estimates."""
    table = Table(
        "tier", "queued", "running", "GPU seconds", "wait p50", "wait p90", "doors", "within p90"
    )
    doors = {one.tier: one for one in now.doors}
    for load in now.tiers:
        door = doors.get(load.tier)
        share = now.calibration.get(load.tier)
        table.add_row(
            load.tier,
            str(load.queued),
            str(load.running),
            f"{load.backlog_seconds:.1f}",
            _duration(load.wait_p50, localize),
            _duration(load.wait_p90, localize),
            "" if door is None else f"{door.now}{' (degraded)' if door.degraded else ''}",
            "–" if share is None else f"{share:.0%}",
        )
    return table


_AGES = {
    SurgeAge.NEW: "under 20 s",
    SurgeAge.YOUNG: "under 2 min",
    SurgeAge.OLD: "older",
}


def accuracy(now: Capacity) -> Table:
    """A row for each tier and age of a surge: how the last day's estimates came true."""
    table = Table("tier", "surge age", "within p90", "p90 ÷ p50", "estimates")
    for one in now.accuracy:
        table.add_row(
            one.tier, _AGES[one.surge_age], f"{one.coverage:.0%}", f"{one.width:.1f}", str(one.jobs)
        )
    return table


def workers(now: Capacity) -> Table:
    """A row for each live worker."""
    table = Table("worker", "device", "models", "busy", "seconds per picture", "last seen")
    for worker in now.workers:
        rates = ", ".join(f"{name} {rate:.2f}" for name, rate in worker.seconds_per_picture.items())
        table.add_row(
            worker.name,
            worker.device,
            ", ".join(worker.profiles),
            f"{worker.running}/{worker.slots}",
            rates or "–",
            f"{worker.seen_at:%H:%M:%S}",
        )
    return table


def model_faults(now: Capacity) -> Iterator[str]:
    """A sentence for each model that a worker cannot serve."""
    for worker in now.workers:
        for model, fault in worker.model_faults.items():
            yield f"{worker.name}: {fault_text(model, fault)}"


def fault_text(model: str, fault: ModelFault) -> str:
    """What is not served, since when, why, and when it is tried again."""
    name = f"{model} ({fault.part})" if fault.part else model
    again = f"next try at {fault.next_try:%H:%M:%S} UTC" if fault.next_try else "being tried again"
    return (
        f"{name} is not served since {fault.since:%Y-%m-%d %H:%M:%S} UTC ({again}): {fault.reason}"
    )


async def _read(settings: Settings) -> Capacity:
    client = await connect(settings)
    try:
        return await client.fleet.capacity()
    except Unavailable as error:
        raise CommandError(f"The database cannot be reached: {error}") from None
    finally:
        await client.close()


def _duration(length: timedelta | None, localize: Localizer) -> str:
    return "–" if length is None else localize.duration(length)
