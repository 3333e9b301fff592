"""What the contract tests need of a platform: members who act, and what each of them sees.

A platform takes part with a module `tests.platforms.NAME.harness` that has
`open_stage(servers, folder)`, an asynchronous context manager of a `Stage`: the platform's real bot
against its loopback server, with a database of its own and without a worker.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bots.core.reply import Action
from tasks.client import Client
from tasks.delivery.publisher import Delivery, DeliveryResult
from tasks.jobs.tiers import Tier


@dataclass(frozen=True, slots=True)
class Shown:
    """A message as one member sees it. `id` is the platform's; `alts` are its alternative texts."""

    id: str
    text: str
    private: bool  # nobody else sees it
    actions: frozenset[Action]  # what its buttons do
    bar: bool
    alts: tuple[str, ...] = ()

    @property
    def pictures(self) -> int:
        """How many pictures it has."""
        return len(self.alts)


class Actor(Protocol):
    """A member. Each method returns once the platform has received the bot's reply."""

    async def imagine(self, prompt: str, count: int = 1) -> None:
        """Ask for pictures in the channel."""

    async def repeat_request(self) -> None:
        """Let the platform deliver this member's last request a second time."""

    async def send_command(self, word: str) -> None:
        """Send an account command: queue, quota, history, help …"""

    async def press(self, message: Shown, action: Action) -> None:
        """Press a button that this member sees."""

    async def sees(self) -> Sequence[Shown]:
        """Every message of the bot that this member can see, oldest first."""


class Stage(Protocol):
    """A running bot of one platform."""

    client: Client
    platform: str
    posts: bool  # whether a job has a message on the platform; False for the page

    async def actor(self, name: str, tier: Tier = Tier.FREE, locale: str = "en") -> Actor:
        """A member of the one server, whose role gives this tier."""

    async def deliver(self, delivery: Delivery) -> DeliveryResult:
        """Let the platform's publisher deliver."""
