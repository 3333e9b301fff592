"""Discord's implementation of the platform contract tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bots.core.reply import Action
from bots.discord import buttons
from bots.discord.publisher import DiscordPublisher
from tasks.client import Client
from tasks.delivery.publisher import Delivery, DeliveryResult
from tasks.jobs.members import Member
from tasks.jobs.tiers import Tier
from tests.contract.harness import Shown
from tests.platforms.discord.conftest import Running, running_bot
from tests.platforms.discord.members import Person
from tests.platforms.discord.world import EPHEMERAL, Guild, Interaction, Message
from tests.stack import Servers


@dataclass
class DiscordActor:
    """A member of the loopback's server."""

    person: Person
    last: Interaction | None = field(default=None, init=False)

    async def imagine(self, prompt: str, count: int = 1) -> None:
        """`/imagine`."""
        self.last = await self.person.slash("imagine", prompt=prompt, count=count)

    async def repeat_request(self) -> None:
        """The gateway sends the interaction again."""
        assert self.last is not None
        await self.person.again(self.last)

    async def send_command(self, word: str) -> None:
        """`/queue` and the like."""
        self.last = await self.person.slash(word)

    async def press(self, message: Shown, action: Action) -> None:
        """Press a button of the message."""
        found = self.person.discord.world.message(int(message.id))
        assert found is not None
        self.last = await self.person.click(found, f"atelier:{action}:")

    async def sees(self) -> Sequence[Shown]:
        """The bot's messages in the channel that this member sees."""
        bot = self.person.discord.world.bot
        return [_shown(message) for message in self.person.sees() if message.author is bot]


@dataclass
class DiscordStage:
    """A bot of its own with one server."""

    running: Running
    guild: Guild
    publisher: DiscordPublisher
    roles: dict[Tier, int]
    platform: str = "discord"
    posts: bool = True
    _actors: dict[str, DiscordActor] = field(default_factory=dict)

    @property
    def client(self) -> Client:
        """The job client."""
        return self.running.client

    async def actor(self, name: str, tier: Tier = Tier.FREE, locale: str = "en") -> DiscordActor:
        """A member; the same name is the same person."""
        if name not in self._actors:
            roles = [self.roles[tier]] if tier in self.roles else []
            person = self.running.discord.add_person(self.guild, name, *roles)
            person.user.locale = locale
            self._actors[name] = DiscordActor(person)
        return self._actors[name]

    async def deliver(self, delivery: Delivery) -> DeliveryResult:
        """Deliver with the real publisher."""
        return await self.publisher.deliver(delivery)


@asynccontextmanager
async def open_stage(servers: Servers, folder: Path) -> AsyncIterator[DiscordStage]:
    """A bot of its own; fails the test if it made an invalid request."""
    async with running_bot(servers, folder) as running:
        discord = running.discord
        guild = await discord.add_guild()
        role = discord.add_role(guild, "Pro")
        owner = Member("discord", str(guild.id), "1", administrator=True)
        await running.client.admin.map_role(owner, str(role), Tier.PRO)
        publisher = DiscordPublisher(discord.token)
        yield DiscordStage(running, guild, publisher, {Tier.PRO: role})
        await publisher.close()
        assert discord.violations == []
        assert discord.invalid_requests == []


def _shown(message: Message) -> Shown:
    components = [buttons.parse(button.get("custom_id", "")) for button in message.buttons]
    return Shown(
        id=str(message.id),
        text=message.text,
        private=bool(message.flags & EPHEMERAL),
        actions=frozenset(parsed.action for parsed in components if parsed),
        bar="▱" in message.text or "▰" in message.text,
        alts=tuple(str(picture.get("description")) for picture in message.pictures),
    )
