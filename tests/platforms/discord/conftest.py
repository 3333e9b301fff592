"""The room at work: the real client and the real record, against the loopback Discord."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr

from bots.discord.address import point_at
from bots.discord.app import Rounds, serve
from tasks.client import Client, connect
from tasks.job import Job
from tasks.members import Member
from tasks.settings import Settings
from tasks.tiers import Tier
from tests.platforms.discord import LoopbackDiscord, Person
from tests.platforms.discord.clock import PatientClock
from tests.platforms.discord.people import ADMINISTRATOR, MODERATOR
from tests.platforms.discord.world import USUAL, Guild
from tests.stack import Servers

POLICY = """
[tiers.free]
doors = "open"
"""

EVENING, PLUS = 2_000_000_000_000_000_001, 9_000_000_000_000_000_001
EVENING_POLICY = f"""
[discord.guilds."{EVENING}".roles]
"{PLUS}" = "plus"
"""

ROUNDS = Rounds(line=1.0, invitations=0.3)  # nobody waits long for what comes round


@dataclass
class Running:
    """A bot in this process, its Discord, and the door to its record; shared by the session."""

    discord: LoopbackDiscord
    settings: Settings
    client: Client
    _task: asyncio.Task[None] | None = field(default=None, init=False)

    async def start(self) -> None:
        """Start the bot and wait until it serves."""
        ready = asyncio.Event()
        self._task = asyncio.create_task(serve(self.settings, ready.set, ROUNDS))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({self._task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if self._task.done():
            self._task.result()

    async def stop(self) -> None:
        """End the bot as SIGTERM does."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None


@dataclass
class Room:
    """One test's own server with its roles, on the shared bot."""

    running: Running
    guild: Guild
    roles: dict[str, int]

    @property
    def discord(self) -> LoopbackDiscord:
        """The loopback Discord."""
        return self.running.discord

    @property
    def client(self) -> Client:
        """The door to the record."""
        return self.running.client

    def person(self, name: str, *roles: str) -> Person:
        """A member of the server; roles are "pro", "plus", "mod" and "admin"."""
        return self.discord.add_person(self.guild, name, *(self.roles[role] for role in roles))

    async def waiting(self) -> list[Job]:
        """The server's jobs that are in line."""
        jobs = await self.client.waiting_jobs("discord")
        return [job for job in jobs if job.order.place.workspace == str(self.guild.id)]

    async def placed(self) -> list[Job]:
        """The same, once the record knows where each one's message stands."""

        async def look() -> list[Job]:
            jobs = await self.waiting()
            return jobs if all(job.placeholder.get("message") for job in jobs) else []

        found: list[Job] = await self.discord.until_some(look)
        return found


@asynccontextmanager
async def running_bot(servers: Servers, folder: Path, **more: Any) -> AsyncIterator[Running]:
    """A bot that serves, on a record of its own. Nobody draws: jobs stay in line."""
    policy = folder / "atelier.toml"
    policy.write_text(POLICY)
    with servers.database() as url:
        async with LoopbackDiscord(PatientClock()) as discord:
            settings = Settings(
                _env_file=None,
                home=folder / "home",
                config=policy,
                database_url=SecretStr(url),
                redis_url=servers.settings.redis_url,
                discord_token=SecretStr(discord.token),
                discord_api_url=discord.api_url,
                # Its own, whatever another test's bot makes of the library's.
                discord_gateway_url=discord.gateway.url,
                **more,
            )
            client = await connect(settings)
            one = Running(discord, settings, client)
            await one.start()
            yield one
            await one.stop()
            await client.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running(
    servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Running]:
    """One bot for all tests of the room."""
    async with running_bot(servers, tmp_path_factory.mktemp("discord")) as one:
        yield one


@pytest_asyncio.fixture(loop_scope="session")
async def room(running: Running) -> AsyncIterator[Room]:
    """A server of the test's own. At the end: no malformed and no invalid request was made."""
    discord = running.discord
    # The addresses are the whole process's; another test's bot may have moved them.
    point_at(discord.api_url, discord.gateway.url)
    seen = len(discord.requests)
    discord.violations.clear()
    guild = await discord.add_guild()
    rights = {"pro": USUAL, "plus": USUAL, "mod": MODERATOR, "admin": ADMINISTRATOR}
    roles = {name: discord.add_role(guild, name, right) for name, right in rights.items()}
    owner = Member("discord", str(guild.id), "1", administrator=True)
    for tier in (Tier.PRO, Tier.PLUS):
        await running.client.map_role(owner, str(roles[tier]), tier)
    room = Room(running, guild, roles)
    yield room
    for job in await running.client.waiting_jobs("discord"):  # the next test's line is its own
        await running.client.cancel(job.id, job.order.member)
    assert discord.violations == []
    invalid = [r for r in discord.invalid_requests if r in discord.requests[seen:]]
    assert [(r.method, r.path, r.status) for r in invalid] == []
