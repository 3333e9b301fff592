"""The loopback's state: guilds, channels, people, messages, commands, interactions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tests.platforms.discord.clock import Clock

T = TypeVar("T")

BOT, APPLICATION = 4_000_000_000_000_000_001, 4_000_000_000_000_000_002
TOKEN = "NDAwMDAw.loopback.c2VjcmV0LW9mLXRoZS10ZXN0LWJvdA"

EPHEMERAL = 1 << 6
LOADING = 1 << 7
COMPONENTS_V2 = 1 << 15

SEND, VIEW, ATTACH, HISTORY, THREADS = 1 << 11, 1 << 10, 1 << 15, 1 << 16, 1 << 38
MANAGE_GUILD, MANAGE_MESSAGES = 1 << 5, 1 << 13
USUAL = SEND | VIEW | ATTACH | HISTORY | THREADS | 1 << 31


@dataclass
class User:
    """An account."""

    id: int
    name: str
    bot: bool = False
    dms_closed: bool = False
    locale: str = "en-US"

    def payload(self) -> dict[str, Any]:
        """The user as Discord serialises it."""
        return {
            "id": str(self.id),
            "username": self.name,
            "global_name": self.name.title(),
            "discriminator": "0",
            "avatar": None,
            "bot": self.bot,
            "public_flags": 0,
        }


@dataclass
class Channel:
    """A channel, thread or direct message. `lost` holds permissions taken from the bot."""

    id: int
    name: str
    kind: int = 0
    guild: Guild | None = None
    parent: int | None = None
    recipient: User | None = None
    nsfw: bool = False
    lost: int = 0
    archived: bool = False
    gone: bool = False
    messages: dict[int, Message] = field(default_factory=dict)

    def payload(self) -> dict[str, Any]:
        """The channel as Discord serialises it."""
        base: dict[str, Any] = {"id": str(self.id), "type": self.kind, "flags": 0}
        if self.recipient is not None:
            return base | {"recipients": [self.recipient.payload()], "last_message_id": None}
        assert self.guild is not None
        base |= {
            "name": self.name,
            "guild_id": str(self.guild.id),
            "position": 0,
            "permission_overwrites": [],
            "nsfw": self.nsfw,
            "parent_id": str(self.parent) if self.parent else None,
            "topic": None,
            "last_message_id": None,
            "rate_limit_per_user": 0,
        }
        if self.kind == 11:
            base |= {
                "owner_id": str(BOT),
                "message_count": 0,
                "member_count": 1,
                "thread_metadata": {
                    "archived": self.archived,
                    "auto_archive_duration": 1440,
                    "archive_timestamp": "2026-01-01T00:00:00+00:00",
                    "locked": False,
                },
            }
        return base


@dataclass
class Guild:
    """A server: its roles are id → (name, permissions)."""

    id: int
    name: str
    roles: dict[int, tuple[str, int]] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    members: dict[int, set[int]] = field(default_factory=dict)
    size_limit: int = 10 * 1024 * 1024
    locale: str = "en-US"
    has_bot: bool = True

    def payload(self) -> dict[str, Any]:
        """The payload of GUILD_CREATE: roles and channels, no members but the bot."""
        channels = [c for c in self.channels.values() if not c.gone]
        return {
            "id": str(self.id),
            "name": self.name,
            "icon": None,
            "owner_id": "1",
            "afk_timeout": 300,
            "verification_level": 0,
            "default_message_notifications": 0,
            "explicit_content_filter": 0,
            "mfa_level": 0,
            "system_channel_flags": 0,
            "premium_tier": 0,
            "premium_subscription_count": 0,
            "preferred_locale": self.locale,
            "nsfw_level": 0,
            "features": [],
            "emojis": [],
            "stickers": [],
            "roles": [self.role(r) for r in (self.id, *self.roles)],
            "channels": [c.payload() for c in channels if c.kind != 11],
            "threads": [c.payload() for c in channels if c.kind == 11],
            "members": [],
            "member_count": len(self.members) + 1,
            "voice_states": [],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
            "joined_at": "2026-01-01T00:00:00+00:00",
            "large": False,
            "unavailable": False,
        }

    def role(self, number: int) -> dict[str, Any]:
        """One role; the role whose id is the guild's is @everyone."""
        name, permissions = self.roles.get(number, ("@everyone", USUAL))
        return {
            "id": str(number),
            "name": name,
            "permissions": str(permissions),
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "position": 1,
            "managed": False,
            "mentionable": False,
            "flags": 0,
        }


@dataclass
class Message:
    """A message; `versions` has each of its states as (time, payload)."""

    id: int
    channel: Channel
    author: User
    payload: dict[str, Any]
    audience: User | None = None  # the only user who sees it, if it is ephemeral
    interaction: Interaction | None = None
    deleted: bool = False
    versions: list[tuple[float, dict[str, Any]]] = field(default_factory=list)

    @property
    def flags(self) -> int:
        """Its flags: ephemeral, loading, components v2 and others."""
        return int(self.payload.get("flags") or 0)

    @property
    def text(self) -> str:
        """All of its text, including its components."""
        return text_of(self.payload)

    @property
    def buttons(self) -> list[dict[str, Any]]:
        """Its buttons, in order."""
        return [c for c in components_of(self.payload.get("components")) if c["type"] == 2]

    @property
    def pictures(self) -> list[dict[str, Any]]:
        """Its attached pictures."""
        return [
            a
            for a in self.payload.get("attachments", [])
            if str(a.get("content_type", "")).startswith("image/")
        ]

    def button(self, label: str) -> dict[str, Any]:
        """The first button whose label or custom id contains this text."""
        for one in self.buttons:
            if label.lower() in f"{one.get('label', '')} {one.get('custom_id', '')}".lower():
                return one
        raise AssertionError(f"no button {label!r} among {[b.get('label') for b in self.buttons]}")


@dataclass
class Interaction:
    """One command, button or modal, and its responses."""

    id: int
    token: str
    kind: int
    user: User
    channel: Channel
    at: float
    data: dict[str, Any]
    size_limit: int
    source: Message | None = None
    answered_at: float | None = None
    answer: int | None = None
    choices: list[dict[str, Any]] | None = None
    modal: dict[str, Any] | None = None
    original: Message | None = None
    followups: list[Message] = field(default_factory=list)

    @property
    def messages(self) -> list[Message]:
        """Its messages that were not deleted, the initial response first."""
        mine = [self.original] if self.original and self.original is not self.source else []
        return [m for m in (*mine, *self.followups) if not m.deleted]

    @property
    def thinking(self) -> bool:
        """Whether its only response is "thinking", or the text that replaces it for a moment."""
        last = self.messages[-1] if self.messages else None
        return self.answer == 5 and (
            last is None or bool(last.flags & LOADING) or last.payload.get("content") == "…"
        )

    @property
    def shown(self) -> Message:
        """The newest of its messages."""
        assert self.messages, f"nothing was answered to {self.data}"
        return self.messages[-1]


class World:
    """The state of one loopback Discord."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.bot = User(BOT, "atelier", bot=True)
        self.users: dict[int, User] = {self.bot.id: self.bot}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.commands: list[dict[str, Any]] = []
        self.interactions: dict[str, Interaction] = {}
        self.files: dict[str, bytes] = {}  # CDN path → bytes
        self.nonces: dict[tuple[int, str], Message] = {}

    async def until(self, condition: Callable[[], T], seconds: float = 120.0) -> T:
        """Wait until `condition()` is truthy; `seconds` only ends a broken test."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not (found := condition()):
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError(f"timed out after {seconds:g} s")
            await asyncio.sleep(0.02)
        return found

    def direct(self, user: User) -> Channel:
        """The direct-message channel with a person."""
        for one in self.channels.values():
            if one.recipient is user:
                return one
        channel = Channel(self.clock.snowflake(), user.name, kind=1, recipient=user)
        self.channels[channel.id] = channel
        return channel

    def message(self, number: int) -> Message | None:
        """A message by its id."""
        channels = self.channels.values()
        return next((c.messages[number] for c in channels if number in c.messages), None)


def components_of(components: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    """Every component, including nested ones, in reading order."""
    found: list[dict[str, Any]] = []
    for one in components or []:
        found.append(one)
        found += components_of(one.get("components"))
        inner = [one[key] for key in ("accessory", "component") if isinstance(one.get(key), dict)]
        found += components_of(inner)
    return found


def text_of(payload: dict[str, Any]) -> str:
    """All of a message's text."""
    parts = [str(payload.get("content") or "")]
    for embed in payload.get("embeds") or []:
        parts += [str(embed.get("title") or ""), str(embed.get("description") or "")]
        parts += [f"{f['name']} {f['value']}" for f in embed.get("fields", [])]
    parts += [
        str(c["content"]) for c in components_of(payload.get("components")) if c["type"] == 10
    ]
    return "\n".join(p for p in parts if p)
