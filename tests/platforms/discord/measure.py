"""How large and how quick the bot's process is: `python -m tests.platforms.discord.measure [FILE]`.

Runs the real process against the loopback with 500 servers, sends 200 commands in 10 s while nobody
draws, and prints: time to IDENTIFY, memory, how soon every command was acknowledged, and how long
the bot's event loop was held up. The figures also go to FILE as JSON.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from tests.platforms.discord import LoopbackDiscord, Person
from tests.stack import Servers, clean_environment, running_servers

GUILDS, CHANNELS, ROLES = 500, 10, 10
COMMANDS, SECONDS = 200, 10.0


async def crowd() -> LoopbackDiscord:
    """A Discord with many servers, each with channels and roles as a lively one has."""
    discord = LoopbackDiscord()
    await discord.__aenter__()
    for number in range(GUILDS):
        guild = await discord.add_guild(f"Server {number}")
        for n in range(CHANNELS - 1):
            await discord.add_channel(guild, f"channel-{n}")
        for n in range(ROLES):
            discord.add_role(guild, f"Role {n}")
    return discord


def start(discord: LoopbackDiscord, servers: Servers, folder: Path) -> subprocess.Popen[str]:
    """The bot's process."""
    settings = servers.settings
    assert settings.database_url
    assert settings.redis_url
    environment = clean_environment(
        ATELIER_HOME=str(folder / "home"),
        ATELIER_DATABASE_URL=settings.database_url.get_secret_value(),
        ATELIER_REDIS_URL=settings.redis_url.get_secret_value(),
        ATELIER_DISCORD_TOKEN=discord.token,
        ATELIER_DISCORD_API_URL=discord.api_url,
    )
    return subprocess.Popen(
        [sys.executable, "-m", "tests.platforms.discord.watched", str(folder / "watch.json")],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )


async def acknowledgements(discord: LoopbackDiscord) -> list[float]:
    """Seconds until each of the commands had its first answer, in order of size."""
    guilds = list(discord.world.guilds.values())
    waiting = []
    for number in range(COMMANDS):
        person: Person = discord.add_person(guilds[number % GUILDS], f"member {number}")
        waiting.append(await person.start("imagine", prompt=f"house {number}"))
        await asyncio.sleep(SECONDS / COMMANDS)
    await discord.until(lambda: all(one.answered_at for one in waiting))
    return sorted((one.answered_at or 0.0) - one.at for one in waiting)


async def measure(servers: Servers, folder: Path) -> dict[str, Any]:
    """All figures of one run."""
    discord = await crowd()
    begun = time.monotonic()
    bot = await asyncio.to_thread(start, discord, servers, folder)
    await discord.until(lambda: discord.gateway.identifies)
    identify = time.monotonic() - begun
    process = psutil.Process(bot.pid)
    spent = sum(process.cpu_times()[:2])
    assert bot.stdout is not None
    await asyncio.to_thread(bot.stdout.readline)
    ready = time.monotonic() - begun
    loaded = process.memory_info().rss
    acks = await acknowledgements(discord)
    after = process.memory_info().rss
    bot.terminate()
    await asyncio.to_thread(bot.wait, 20)
    watch = json.loads((folder / "watch.json").read_text())
    await discord.__aexit__()
    return {
        "guilds": GUILDS,
        "seconds_to_identify": round(identify, 2),
        "cpu_seconds_to_identify": round(spent, 2),
        "seconds_to_ready": round(ready, 2),
        "megabytes_with_guilds_loaded": round(loaded / 1e6, 1),
        "megabytes_after_the_commands": round(after / 1e6, 1),
        "commands": len(acks),
        "ack_seconds_p50": round(acks[len(acks) // 2], 3),
        "ack_seconds_p99": round(acks[int(len(acks) * 0.99)], 3),
        "ack_seconds_p100": round(acks[-1], 3),
        "invalid_requests": len(discord.invalid_requests),
        "violations": discord.violations,
        "load_of_the_machine": psutil.getloadavg()[0],
        **watch,
    }


def main() -> None:
    """Measure once and print."""
    with tempfile.TemporaryDirectory() as name, running_servers(Path(name) / "servers") as servers:
        figures = asyncio.run(measure(servers, Path(name)))
    for key, value in figures.items():
        print(f"{key:32} {value}")
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
