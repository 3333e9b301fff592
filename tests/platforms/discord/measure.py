"""Memory and latency of the bot's process: `python -m tests.platforms.discord.measure [FILE]`.

Runs `atelier discord` against the loopback with 500 servers and prints the time to IDENTIFY and the
memory. Then runs it with a monitor on its event loop: 200 commands in 10 s without a worker, the
time to each initial response, and the longest block of the loop. FILE receives the figures as JSON.
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
SETTLING_TIME = 3.0  # seconds after the last server until the bot has returned memory


async def many_guilds() -> LoopbackDiscord:
    """A Discord with many servers, each with channels and roles."""
    discord = LoopbackDiscord()
    await discord.__aenter__()
    for number in range(GUILDS):
        guild = await discord.add_guild(f"Server {number}")
        for n in range(CHANNELS - 1):
            await discord.add_channel(guild, f"channel-{n}")
        for n in range(ROLES):
            discord.add_role(guild, f"Role {n}")
    return discord


def start(
    discord: LoopbackDiscord, servers: Servers, folder: Path, *module: str
) -> subprocess.Popen[bytes]:
    """A process of the bot, with the compiled modules that an installed package has."""
    settings = servers.settings
    assert settings.database_url
    assert settings.redis_url
    environment = clean_environment(
        ATELIER_HOME=str(folder / "home"),
        ATELIER_DATABASE_URL=settings.database_url.get_secret_value(),
        ATELIER_REDIS_URL=settings.redis_url.get_secret_value(),
        ATELIER_DISCORD_TOKEN=discord.token,
        ATELIER_DISCORD_API_URL=discord.api_url,
        PYTHONDONTWRITEBYTECODE="",
        PYTHONPYCACHEPREFIX=str(Path(tempfile.gettempdir()) / "atelier-measure"),
    )
    return subprocess.Popen([sys.executable, "-m", *module], env=environment)


async def until_serving(discord: LoopbackDiscord, bot: subprocess.Popen[bytes]) -> None:
    """Return once the bot has received every server and returned memory."""
    await discord.until(lambda: discord.gateway.guilds_sent >= GUILDS)
    await asyncio.sleep(SETTLING_TIME)
    assert bot.poll() is None, "the bot has ended"


async def acknowledgements(discord: LoopbackDiscord) -> list[float]:
    """Seconds until each command's initial response, sorted."""
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
    discord = await many_guilds()
    figures = await start_and_size(discord, servers, folder)
    figures |= await under_load(discord, servers, folder)
    await discord.__aexit__()
    return figures | {
        "invalid_requests": len(discord.invalid_requests),
        "violations": discord.violations,
        "load_of_the_machine": round(psutil.getloadavg()[0], 2),
    }


async def start_and_size(
    discord: LoopbackDiscord, servers: Servers, folder: Path
) -> dict[str, Any]:
    """Start-up time and memory of the real process at its second start."""
    for _ in range(2):
        seen = len(discord.gateway.identifies)
        discord.gateway.guilds_sent = 0
        begun = time.monotonic()
        bot = await asyncio.to_thread(start, discord, servers, folder, "bots.cli", "discord")
        process = psutil.Process(bot.pid)
        await discord.until(lambda seen=seen: len(discord.gateway.identifies) > seen)
        identify, spent = time.monotonic() - begun, sum(process.cpu_times()[:2])
        await until_serving(discord, bot)
        loaded = process.memory_info().rss
        bot.terminate()
        await asyncio.to_thread(bot.wait, 20)
    return {
        "guilds": GUILDS,
        "seconds_to_identify": round(identify, 2),
        "cpu_seconds_to_identify": round(spent, 2),
        "megabytes_with_guilds_loaded": round(loaded / 1e6, 1),
    }


async def under_load(discord: LoopbackDiscord, servers: Servers, folder: Path) -> dict[str, Any]:
    """Latency and memory under many commands."""
    report = folder / "watch.json"
    discord.gateway.guilds_sent = 0
    bot = await asyncio.to_thread(
        start, discord, servers, folder, "tests.platforms.discord.loop_monitor", str(report)
    )
    await until_serving(discord, bot)
    acks = await acknowledgements(discord)
    after = psutil.Process(bot.pid).memory_info().rss
    bot.terminate()
    await asyncio.to_thread(bot.wait, 20)
    return {
        "megabytes_after_the_commands": round(after / 1e6, 1),
        "commands": len(acks),
        "ack_seconds_p50": round(acks[len(acks) // 2], 3),
        "ack_seconds_p99": round(acks[int(len(acks) * 0.99)], 3),
        "ack_seconds_p100": round(acks[-1], 3),
        **json.loads(report.read_text()),
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
