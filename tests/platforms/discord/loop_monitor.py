"""`atelier discord` with a monitor on its event loop, for `measure`."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from bots.operator.import_trimming import block_imports, disable_gc, freeze_gc

block_imports("rich")  # as `atelier discord` does
disable_gc()

from bots.discord.app import serve  # noqa: E402
from tasks.runtime import logs  # noqa: E402
from tasks.runtime.settings import Settings  # noqa: E402

TICK = 0.005  # seconds


@dataclass
class LoopStatistics:
    """The loop's turns, and the longest of them in milliseconds."""

    longest_turn_ms: float = 0.0
    longest_turn_cpu_ms: float = 0.0
    turns_over_50_ms: int = 0
    turns: int = 0


async def monitor(statistics: LoopStatistics) -> None:
    """Record the longest turn of the loop, in wall-clock and in CPU time."""
    while True:
        clock, work = time.perf_counter(), time.thread_time()
        await asyncio.sleep(TICK)
        late = time.perf_counter() - clock - TICK
        statistics.longest_turn_ms = max(statistics.longest_turn_ms, late * 1000)
        busy = (time.thread_time() - work) * 1000
        statistics.longest_turn_cpu_ms = max(statistics.longest_turn_cpu_ms, busy)
        statistics.turns_over_50_ms += late > 0.05
        statistics.turns += 1


async def main(report: Path) -> None:
    """Serve until SIGTERM; statistics before and after readiness are separate."""
    logs.configure("json")
    starting, serving = LoopStatistics(), LoopStatistics()
    monitors = [asyncio.create_task(monitor(starting))]

    def ready() -> None:
        monitors[0].cancel()
        monitors.append(asyncio.create_task(monitor(serving)))

    bot = asyncio.ensure_future(serve(Settings(), ready))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, bot.cancel)
    await asyncio.gather(bot, return_exceptions=True)
    figures = {f"{name}_at_start": value for name, value in asdict(starting).items()}
    await asyncio.to_thread(report.write_text, json.dumps(figures | asdict(serving)))


if __name__ == "__main__":
    freeze_gc()
    asyncio.run(main(Path(sys.argv[1])))
    os._exit(0)
