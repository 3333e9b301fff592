"""`atelier discord` with a watch on its event loop, for `measure`."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from bots.operator.lean import leave_out, loaded, loading

leave_out("rich")  # as `atelier discord` does
loading()

from bots.discord.app import serve  # noqa: E402
from tasks import logs  # noqa: E402
from tasks.settings import Settings  # noqa: E402

TICK = 0.005  # seconds


@dataclass
class Seen:
    """What the watch saw of the loop: its turns, and the longest of them in milliseconds."""

    longest_turn_ms: float = 0.0
    longest_turn_cpu_ms: float = 0.0
    turns_over_50_ms: int = 0
    turns: int = 0


async def watch(seen: Seen) -> None:
    """Note the longest time between two turns of the loop: by the clock, and of its own work."""
    while True:
        clock, work = time.perf_counter(), time.thread_time()
        await asyncio.sleep(TICK)
        late = time.perf_counter() - clock - TICK
        seen.longest_turn_ms = max(seen.longest_turn_ms, late * 1000)
        busy = (time.thread_time() - work) * 1000
        seen.longest_turn_cpu_ms = max(seen.longest_turn_cpu_ms, busy)
        seen.turns_over_50_ms += late > 0.05
        seen.turns += 1


async def main(report: Path) -> None:
    """Serve until SIGTERM. Watched from the first moment; what comes once members can is apart."""
    logs.configure("json")
    starting, serving = Seen(), Seen()
    watches = [asyncio.create_task(watch(starting))]

    def ready() -> None:
        watches[0].cancel()
        watches.append(asyncio.create_task(watch(serving)))

    room = asyncio.ensure_future(serve(Settings(), ready))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, room.cancel)
    await asyncio.gather(room, return_exceptions=True)
    figures = {f"{name}_at_start": value for name, value in asdict(starting).items()}
    await asyncio.to_thread(report.write_text, json.dumps(figures | asdict(serving)))


if __name__ == "__main__":
    loaded()
    asyncio.run(main(Path(sys.argv[1])))
    os._exit(0)
