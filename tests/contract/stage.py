"""What the contract needs of a platform: people who act, and what each of them sees.

A platform joins the contract with a module `tests.platforms.NAME.stage` that has
`open_stage(servers, folder)`, an asynchronous context manager of a `Stage`: the platform's own bot
at work against its loopback, on a record of its own, without a worker.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bots.core.reply import Action
from tasks.client import Client
from tasks.deliver import Parcel, Receipt
from tasks.tiers import Tier


@dataclass(frozen=True, slots=True)
class Shown:
    """One message as one person sees it. `id` is the platform's; `alts` describe its pictures."""

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
    """A member. Each act returns once the platform has the bot's answer to it."""

    async def imagine(self, prompt: str, count: int = 1) -> None:
        """Ask for pictures in the channel."""

    async def send_again(self) -> None:
        """The platform delivers this member's last act once more."""

    async def word(self, word: str) -> None:
        """An account command: queue, quota, history, help …"""

    async def press(self, message: Shown, action: Action) -> None:
        """Press a button that this member sees."""

    async def sees(self) -> Sequence[Shown]:
        """Every message of the bot's that this member sees, oldest first."""


class Stage(Protocol):
    """One platform's room at work."""

    client: Client
    platform: str
    posts: bool  # False where the job itself is the message, so that none has to be placed

    async def actor(self, name: str, tier: Tier = Tier.FREE, locale: str = "en") -> Actor:
        """A member of the same server as all others, whose role gives this tier."""

    async def deliver(self, parcel: Parcel) -> Receipt:
        """Let the platform's courier deliver."""
