"""The platform-independent identity of members and places."""

from __future__ import annotations

from dataclasses import dataclass, field

PLATFORM_WIDE_IDS = frozenset({"discord"})
"""Platforms on which a person has the same id in every workspace. Slack's ids are a workspace's."""


@dataclass(frozen=True, slots=True)
class Place:
    """A channel or thread on a platform.

    `platform` is "discord", "slack", "web" or "terminal"; `workspace` is the guild or team (for a
    direct message without one: "@me"); ids are the platform's own, as text.
    """

    platform: str
    workspace: str
    channel: str
    thread: str | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A person in a workspace, with their current roles.

    `roles` are role, usergroup and premium SKU ids as the platform gives them. `locale` is "en" or
    "fr". `administrator` follows the platform (manage-guild, Slack admin).
    """

    platform: str
    workspace: str
    id: str
    name: str = ""
    roles: frozenset[str] = field(default_factory=frozenset)
    locale: str = "en"
    administrator: bool = False

    @property
    def account(self) -> str:
        """One text for this person on the whole platform, where its user ids are the same in every
        workspace; elsewhere `key`."""
        if self.platform in PLATFORM_WIDE_IDS:
            return f"{self.platform}:{self.id}"
        return self.key

    @property
    def key(self) -> str:
        """The member's key, unique across platforms: quotas and fairness count by it."""
        return f"{self.platform}:{self.workspace}:{self.id}"
