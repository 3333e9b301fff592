"""Fixtures: the real bot and the real database against the loopback Discord."""

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

from bots.discord.app import PollIntervals, serve
from bots.discord.endpoints import use_endpoints
from tasks.client import Client, connect
from tasks.jobs.job import Job
from tasks.jobs.members import Member
from tasks.jobs.tiers import Tier
from tasks.runtime.settings import Settings
from tests.platforms.discord import LoopbackDiscord, Person
from tests.platforms.discord.clock import PatientClock
from tests.platforms.discord.members import ADMINISTRATOR, MODERATOR
from tests.platforms.discord.world import USUAL, Guild
from tests.stack import Servers

POLICY = """
[tiers.free]
doors = "open"
[access]  # every test has a server of its own, whose administrators give tiers
highest_tier = "pro"
highest_grant = 1000000
[limits]
upload_megabytes = 2
"""

EVENING, PLUS = 2_000_000_000_000_000_001, 9_000_000_000_000_000_001
EVENING_POLICY = f"""
[discord.guilds."{EVENING}".roles]
"{PLUS}" = "plus"
"""

INTERVALS = PollIntervals(line=1.0, invitations=0.3)


@dataclass
class Running:
    """A bot in this process, its loopback Discord and its job client; shared by the session."""

    discord: LoopbackDiscord
    settings: Settings
    client: Client
    _task: asyncio.Task[None] | None = field(default=None, init=False)

    async def start(self) -> None:
        """Start the bot and wait until it is ready."""
        ready = asyncio.Event()
        self._task = asyncio.create_task(serve(self.settings, ready.set, INTERVALS))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({self._task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if self._task.done():
            self._task.result()

    async def stop(self) -> None:
        """Stop the bot as SIGTERM does."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None


@dataclass
class BotFixture:
    """A test's own server with its roles, on the shared bot."""

    running: Running
    guild: Guild
    roles: dict[str, int]

    @property
    def discord(self) -> LoopbackDiscord:
        """The loopback Discord."""
        return self.running.discord

    @property
    def client(self) -> Client:
        """The job client."""
        return self.running.client

    def person(self, name: str, *roles: str) -> Person:
        """A member of the server; roles are "pro", "plus", "mod" and "admin"."""
        return self.discord.add_person(self.guild, name, *(self.roles[role] for role in roles))

    async def waiting(self) -> list[Job]:
        """The server's queued jobs."""
        jobs = await self.client.jobs.waiting("discord")
        return [job for job in jobs if job.order.place.workspace == str(self.guild.id)]

    async def placed(self) -> list[Job]:
        """The same, once each one's placeholder is recorded."""

        async def find() -> list[Job]:
            jobs = await self.waiting()
            return jobs if all(job.placeholder.get("message") for job in jobs) else []

        found: list[Job] = await self.discord.until_async(find)
        return found


@asynccontextmanager
async def running_bot(servers: Servers, folder: Path, **more: Any) -> AsyncIterator[Running]:
    """A ready bot with a database of its own and no worker: jobs stay queued."""
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
                # Set explicitly, because another test's bot may change the library's default.
                discord_gateway_url=discord.gateway.url,
                **more,
            )
            client = await connect(settings)
            running = Running(discord, settings, client)
            await running.start()
            yield running
            await running.stop()
            await client.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running(
    servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Running]:
    """One bot for all tests of this package."""
    async with running_bot(servers, tmp_path_factory.mktemp("discord")) as bot:
        yield bot


@pytest_asyncio.fixture(loop_scope="session")
async def bot(running: Running) -> AsyncIterator[BotFixture]:
    """A server of the test's own; fails the test if the bot made an invalid request."""
    discord = running.discord
    # The URLs are process-wide; another test's bot may have changed them.
    use_endpoints(discord.api_url, discord.gateway.url)
    seen = len(discord.requests)
    discord.violations.clear()
    guild = await discord.add_guild()
    rights = {"pro": USUAL, "plus": USUAL, "mod": MODERATOR, "admin": ADMINISTRATOR}
    roles = {name: discord.add_role(guild, name, right) for name, right in rights.items()}
    owner = Member("discord", str(guild.id), "1", administrator=True)
    for tier in (Tier.PRO, Tier.PLUS):
        await running.client.admin.map_role(owner, str(roles[tier]), tier)
    bot = BotFixture(running, guild, roles)
    yield bot
    for job in await running.client.jobs.waiting("discord"):
        await running.client.jobs.set_placeholder(job.id, {})  # or the next test sees an edit of it
        await running.client.jobs.cancel(job.id, job.order.member)
    assert discord.violations == []
    invalid = [r for r in discord.invalid_requests if r in discord.requests[seen:]]
    assert [(r.method, r.path, r.status) for r in invalid] == []
