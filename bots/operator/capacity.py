"""`atelier capacity`: the studio at a glance, as tables."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from rich.console import Console
from rich.table import Table

from bots.core.sentences import Sentences, speak
from bots.operator.complaints import read_settings
from bots.operator.refusal import Refusal
from bots.operator.servers import with_servers
from tasks import logs
from tasks.client import Capacity, Unavailable, connect
from tasks.settings import Settings


def capacity() -> None:
    """Print queue, waits, doors, workers and calibration as they are now. Raises Refusal."""
    settings = with_servers(read_settings())
    logs.configure(settings.log_format, level=logging.ERROR)
    now = asyncio.run(_read(settings))
    say = speak("en")
    console = Console(highlight=False)
    console.print(tiers(now, say))
    console.print(workers(now))
    console.print(f"{now.waitlist} on the waitlist; read at {now.at:%Y-%m-%d %H:%M:%S %Z}")


def tiers(now: Capacity, say: Sentences) -> Table:
    """A row for each tier: what waits, how long, its doors, and how true its estimates were."""
    table = Table("tier", "waiting", "drawing", "GPU seconds", "p50", "p90", "doors", "within p90")
    doors = {one.tier: one for one in now.doors}
    for load in now.tiers:
        door = doors.get(load.tier)
        share = now.calibration.get(load.tier)
        table.add_row(
            load.tier,
            str(load.queued),
            str(load.running),
            f"{load.backlog_seconds:.1f}",
            _duration(load.wait_p50, say),
            _duration(load.wait_p90, say),
            "" if door is None else f"{door.now}{' (degraded)' if door.degraded else ''}",
            "–" if share is None else f"{share:.0%}",
        )
    return table


def workers(now: Capacity) -> Table:
    """A row for each live worker."""
    table = Table("worker", "device", "models", "busy", "seconds a picture", "seen")
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


async def _read(settings: Settings) -> Capacity:
    client = await connect(settings)
    try:
        return await client.capacity()
    except Unavailable as error:
        raise Refusal(f"The studio cannot be reached: {error}") from None
    finally:
        await client.close()


def _duration(length: timedelta | None, say: Sentences) -> str:
    return "–" if length is None else say.duration(length)
