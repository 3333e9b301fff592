"""The state of the loopback Slack: workspaces, people, channels, messages and files.

It is independent of HTTP. Ids are unique only inside a workspace, as on the real platform.
"""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from typing import Any

JSON = dict[str, Any]


@dataclass
class User:
    """A person or the app's bot user."""

    id: str
    name: str
    locale: str = "en-US"
    admin: bool = False
    bot: bool = False
    team: str = ""  # another workspace's id for a member from Slack Connect


@dataclass
class File:
    """An uploaded file. `ready_at` is the end of its processing (server clock, seconds)."""

    id: str
    name: str
    owner: str
    size: int
    alt: str = ""
    title: str = ""
    data: bytes = b""
    complete: bool = False
    ready_at: float | None = None
    polls_left: int = 0
    channels: set[str] = field(default_factory=set)
    deleted: bool = False

    @property
    def mimetype(self) -> str:
        """The MIME type of the bytes; Slack leaves it empty until the file is processed."""
        if self.data.startswith(b"\x89PNG"):
            return "image/png"
        if self.data.startswith(b"\xff\xd8"):
            return "image/jpeg"
        return "application/octet-stream"


@dataclass
class Message:
    """A message; `revisions` has every version of its text and blocks, oldest first."""

    ts: str
    channel: str
    user: str
    text: str
    blocks: list[JSON] = field(default_factory=list)
    thread_ts: str | None = None
    metadata: JSON | None = None
    files: list[str] = field(default_factory=list)
    bot: bool = False
    deleted: bool = False
    revisions: list[tuple[str, list[JSON]]] = field(default_factory=list)

    def show(self, text: str, blocks: list[JSON]) -> None:
        """Replace the text and blocks and record the revision."""
        self.text, self.blocks = text, blocks
        self.revisions.append((text, blocks))


@dataclass
class EphemeralMessage:
    """A message that one member sees."""

    channel: str
    user: str
    text: str
    blocks: list[JSON]
    thread_ts: str | None = None


@dataclass
class Channel:
    """A channel or a direct message (its id starts with D)."""

    id: str
    name: str
    members: set[str] = field(default_factory=set)
    archived: bool = False
    gone: bool = False
    messages: dict[str, Message] = field(default_factory=dict)


@dataclass
class View:
    """An open modal or a Home tab."""

    id: str
    user: str
    body: JSON
    hash: str
    closed: bool = False


@dataclass
class Grant:
    """A token with its scopes and state."""

    token: str
    scopes: frozenset[str]
    revoked: bool = False
    expired: bool = False


@dataclass
class Workspace:
    """The state of one workspace."""

    id: str
    name: str
    bot_user: str = "U0BOT00000"
    bot_id: str = "B0BOT00000"
    users: dict[str, User] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    groups: dict[str, set[str]] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    ephemeral_messages: list[EphemeralMessage] = field(default_factory=list)
    homes: dict[str, View] = field(default_factory=dict)
    modals: dict[str, View] = field(default_factory=dict)
    statuses: list[tuple[str, str, str]] = field(default_factory=list)
    prompts: list[JSON] = field(default_factory=list)
    grant: Grant | None = None

    def channel(self, name: str) -> Channel:
        """A channel by its id. Raises KeyError."""
        return self.channels[name]

    def dm(self, user: str) -> Channel:
        """The direct messages between a member and the app; created on first use."""
        id_ = f"D{user[1:]}"
        found = self.channels.get(id_)
        if found is None:
            found = Channel(id_, f"dm-{user}", {user, self.bot_user})
            self.channels[id_] = found
        return found

    def thread(self, channel: str, root: str) -> list[Message]:
        """The messages of a thread that are not deleted, oldest first, without its root."""
        messages = self.channels[channel].messages.values()
        return [m for m in messages if m.thread_ts == root and m.ts != root and not m.deleted]


class Clock:
    """Unique message timestamps, and ids in Slack's format."""

    def __init__(self) -> None:
        self._last = 0
        self._numbers = itertools.count(1)

    def ts(self) -> str:
        """A new message timestamp, later than all before."""
        self._last = max(self._last + 1, int(time.time() * 1_000_000))
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"

    def id(self, letter: str) -> str:
        """A new id of a kind: F for files, V for views, Ev for events."""
        return f"{letter}{next(self._numbers):09d}"
